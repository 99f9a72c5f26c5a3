//! What is wrong with a file, in words that hospital IT can act on and that hold no patient's data.

use std::fmt;

use study::dictionary::Kind;

use super::value::Fault;

/// Line numbers that a problem remembers.
const LINES: usize = 3;

/// Levels that a message lists.
const LEVELS: usize = 12;

/// Everything that is wrong with a file. `Display` gives one line per problem and is for the hospital; the coordinator
/// gets [`SourceError::codes`] alone.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct SourceError {
    /// Name of the file, without its folder.
    pub file: String,
    /// The problems, those of the whole file first, then by column.
    pub problems: Vec<Problem>,
}

impl SourceError {
    /// Stable codes of the problems, each once, sorted.
    pub fn codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<_> = self.problems.iter().map(Problem::code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: {problem}", self.file)?;
        }
        Ok(())
    }
}

/// One class of mistake in one column, or in the file as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Name of the column, where one is to blame.
    pub column: Option<String>,
    /// What is wrong.
    pub kind: ProblemKind,
    /// How many rows are affected; 0 when the problem is not one of rows.
    pub rows: u64,
    lines: Vec<u64>,
}

/// Classes of problems.
#[derive(Debug, Clone, PartialEq)]
pub enum ProblemKind {
    /// The file cannot be read.
    Unreadable(Access),
    /// The header is not UTF-8.
    HeaderNotUtf8,
    /// The file holds nothing, so it has no header either.
    Empty,
    /// The header is separated by this character and not by commas.
    Separator(char),
    /// The header lacks a declared column; perhaps this one was meant.
    MissingColumn(Option<String>),
    /// A declared column stands in the header so many times.
    RepeatedColumn(usize),
    /// Rows have fewer or more fields than the header.
    FieldCount,
    /// A field holds a line break: mostly a quotation mark that is not closed.
    LineBreak,
    /// The patient's key is empty.
    EmptyKey,
    /// Rows repeat the key of an earlier row.
    DuplicateKey,
    /// Values do not fit the data dictionary.
    Value {
        /// Class of the mistake.
        fault: Fault,
        /// What the dictionary declares, in words.
        expected: String,
    },
}

/// Why a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// There is none of that name.
    NotFound,
    /// The agent's user may not read it.
    Denied,
    /// The operating system gave another reason.
    Failed,
}

impl From<&std::io::Error> for Access {
    fn from(error: &std::io::Error) -> Access {
        match error.kind() {
            std::io::ErrorKind::NotFound => Access::NotFound,
            std::io::ErrorKind::PermissionDenied => Access::Denied,
            _ => Access::Failed,
        }
    }
}

impl Problem {
    /// A problem of the file as a whole.
    pub(super) fn of_file(kind: ProblemKind) -> Problem {
        Problem { column: None, kind, rows: 0, lines: Vec::new() }
    }

    /// A problem of a column in the header.
    pub(super) fn of_column(column: &str, kind: ProblemKind) -> Problem {
        Problem { column: Some(column.to_owned()), ..Problem::of_file(kind) }
    }

    /// Adds one row, by its line in the file.
    pub(super) fn count(&mut self, line: u64) {
        self.rows += 1;
        if self.lines.len() < LINES {
            self.lines.push(line);
        }
    }

    /// Stable code for logs and for the coordinator.
    pub fn code(&self) -> &'static str {
        match &self.kind {
            ProblemKind::Unreadable(_) => "source.unreadable",
            ProblemKind::HeaderNotUtf8 => Fault::NotUtf8.code(),
            ProblemKind::Empty => "source.empty",
            ProblemKind::Separator(_) => "source.separator",
            ProblemKind::MissingColumn(_) => "source.missing_column",
            ProblemKind::RepeatedColumn(_) => "source.repeated_column",
            ProblemKind::FieldCount => "source.field_count",
            ProblemKind::LineBreak => "source.line_break",
            ProblemKind::EmptyKey => "source.empty_patient",
            ProblemKind::DuplicateKey => "source.duplicate_patient",
            ProblemKind::Value { fault, .. } => fault.code(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        if self.rows > 0 {
            let lines: Vec<_> = self.lines.iter().map(u64::to_string).collect();
            let more = if self.rows > self.lines.len() as u64 { ", ..." } else { "" };
            let (rows, line) = if self.rows == 1 { ("row", "line") } else { ("rows", "lines") };
            write!(f, "{} {rows} ({line} {}{more}): ", self.rows, lines.join(", "))?;
        }
        write!(f, "{}", self.kind)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemKind::Unreadable(Access::NotFound) => f.write_str("there is no such file; check the path"),
            ProblemKind::Unreadable(Access::Denied) => {
                f.write_str("the agent's user may not read the file; grant it read permission")
            }
            ProblemKind::Unreadable(Access::Failed) => {
                f.write_str("the file cannot be read; check that it is a plain file on a working disk")
            }
            ProblemKind::HeaderNotUtf8 => {
                f.write_str("the header is not UTF-8 text; export the file again as \"CSV UTF-8\"")
            }
            ProblemKind::Empty => f.write_str("the file is empty; the first line must hold the column names"),
            ProblemKind::Separator(found) => {
                let name = match found {
                    ';' => "semicolons",
                    '\t' => "tabs",
                    _ => "another character",
                };
                write!(f, "the header is separated by {name}; export with commas and a decimal point")
            }
            ProblemKind::MissingColumn(nearest) => {
                f.write_str("is not in the header")?;
                match nearest {
                    Some(name) => write!(f, "; rename `{name}` if that is it"),
                    None => f.write_str("; add the column (its values may be empty where missing)"),
                }
            }
            ProblemKind::RepeatedColumn(times) => {
                write!(f, "stands {times} times in the header; keep one and remove or rename the others")
            }
            ProblemKind::FieldCount => f.write_str(
                "not as many fields as the header; look for a comma inside a text or number that is not quoted",
            ),
            ProblemKind::LineBreak => f.write_str(
                "a line break inside a field; close the quotation mark, or export without the column of free text",
            ),
            ProblemKind::EmptyKey => f.write_str("no patient identifier; every row needs one"),
            ProblemKind::DuplicateKey => {
                f.write_str("the patient stands in an earlier row too; one row per patient is wanted")
            }
            ProblemKind::Value { fault, expected } => write_fault(f, *fault, expected),
        }
    }
}

fn write_fault(f: &mut fmt::Formatter<'_>, fault: Fault, expected: &str) -> fmt::Result {
    match fault {
        Fault::NotUtf8 => f.write_str("not UTF-8 text; export the file again as \"CSV UTF-8\""),
        Fault::Blanks => write!(f, "blanks around the value or alone; remove them (expected {expected})"),
        Fault::MissingMarker => {
            f.write_str("a text that stands for missing (NA, NULL, a dot and the like); leave the field empty")
        }
        Fault::DecimalComma => {
            write!(f, "a comma in a number; write a decimal point and no thousands separator (expected {expected})")
        }
        Fault::NotANumber => write!(f, "not a number; expected {expected}; are two columns swapped?"),
        Fault::NotWhole => write!(f, "not written as a whole number; expected {expected}, digits only"),
        Fault::OutOfRange => write!(f, "out of range; expected {expected}; check the unit and the column"),
        Fault::LevelSpelling => {
            write!(f, "a declared level but for upper or lower case or blanks; expected exactly {expected}")
        }
        Fault::LevelDecimal => {
            write!(
                f,
                "a declared level written as a decimal number; export whole numbers (expected exactly {expected})"
            )
        }
        Fault::UnknownLevel => {
            write!(f, "a level that the dictionary lacks; expected exactly {expected}; are two columns swapped?")
        }
    }
}

/// What the dictionary declares for a kind, in words.
pub(super) fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Continuous { unit, low, high, .. } => {
            let space = if unit.is_empty() { "" } else { " " };
            format!("a number from {low} to {high}{space}{unit}")
        }
        Kind::Days { high } => format!("whole days from 0 to {high}"),
        Kind::Categorical { levels, .. } => {
            let shown = levels.iter().take(LEVELS).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if levels.len() > LEVELS { ", ..." } else { "" };
            format!("one of: {shown}{more}")
        }
    }
}
