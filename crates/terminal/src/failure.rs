//! How a failed command tells a person: code, cause, next action.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use study::document::{Mistake, Mistakes};

use crate::foreign::{Foreign, HEAD, foreign};

/// A failed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable code, explained in `docs/errors.md`.
    pub code: String,
    /// One fact.
    pub message: String,
    /// More lines, where one fact is not all.
    pub details: Vec<String>,
    /// Mistakes of a document, where it is one.
    pub mistakes: Vec<Mistake>,
    /// What to do next.
    pub hint: String,
}

impl Failure {
    /// A failure of one fact.
    pub fn new(code: &str, message: impl Into<String>, hint: &str) -> Failure {
        let (code, message, hint) = (code.into(), message.into(), hint.into());
        Failure { code, message, details: Vec::new(), mistakes: Vec::new(), hint }
    }

    /// The operating system does not let a program do something.
    pub fn operating_system(doing: &str, e: &io::Error) -> Failure {
        let message = format!("the operating system does not let the program {doing} ({})", e.kind());
        Failure::new("system", message, "check limits, permissions and free space")
    }

    /// The failure with further lines.
    #[must_use]
    pub fn with_details(mut self, details: impl IntoIterator<Item = String>) -> Failure {
        self.details.extend(details);
        self
    }

    /// The failure with the mistakes of a document.
    #[must_use]
    pub fn with_mistakes(mut self, mistakes: Mistakes) -> Failure {
        self.mistakes = mistakes.0;
        self
    }
}

/// The text of a file that was named on the command line.
pub fn read_file(path: &Path) -> Result<String, Failure> {
    let bytes = fs::read(path).map_err(|e| {
        let message = format!("`{}` cannot be read ({})", path.display(), e.kind());
        Failure::new("file", message, "check the name and its permissions")
    })?;
    String::from_utf8(bytes).map_err(|e| {
        let (is, hint) = match foreign(&e.as_bytes()[..e.as_bytes().len().min(HEAD)]) {
            Some(Foreign::Format(name)) => (name, "name a text file; a table is exported as CSV"),
            Some(Foreign::Encoding(name)) => (name, "save it as UTF-8"),
            None => ("in another encoding than UTF-8", "save it as UTF-8"),
        };
        Failure::new("file", format!("`{}` is no text that can be read: it is {is}", path.display()), hint)
    })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[{}]: {}", self.code, self.message)?;
        self.mistakes.iter().try_for_each(|mistake| writeln!(f, "  {mistake}"))?;
        self.details.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        if self.hint.is_empty() { Ok(()) } else { writeln!(f, "next: {}", self.hint) }
    }
}
