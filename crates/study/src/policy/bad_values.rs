//! What a site does with a value that does not fit the data dictionary.

use crate::document::Table;

/// What becomes of a value that does not fit the data dictionary and that an analysis needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadValues {
    /// The file is refused: somebody mends it.
    Refuse,
    /// It is missing, and counted.
    Missing,
}

impl BadValues {
    const ALL: [BadValues; 2] = [BadValues::Refuse, BadValues::Missing];

    /// Name in a policy file.
    pub fn name(self) -> &'static str {
        match self {
            BadValues::Refuse => "refuse",
            BadValues::Missing => "missing",
        }
    }

    /// What becomes of them, in words for people.
    pub fn words(self) -> &'static str {
        match self {
            BadValues::Refuse => "the file is refused, unless nothing analysed needs them",
            BadValues::Missing => "they are missing, and counted",
        }
    }
}

/// The key `bad_values` of a policy file.
pub(super) fn read(root: &Table<'_, '_>) -> Option<BadValues> {
    let name = root.optional_text("bad_values")?;
    let found = BadValues::ALL.into_iter().find(|bad| bad.name() == name);
    if found.is_none() {
        root.mistake("bad_values", format!("`{name}` is not known (known: refuse, missing); use one of these"));
    }
    found
}
