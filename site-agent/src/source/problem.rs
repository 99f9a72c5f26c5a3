//! What is wrong with a file, in words that hospital IT can act on and that hold no patient's data.

use std::fmt;

use study::dictionary::Kind;
use terminal::Foreign;

use super::value::Fault;
use super::written::is_invisible;

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

    /// What has to change, over all problems.
    pub fn blame(&self) -> Blame {
        self.problems.iter().map(Problem::blame).fold(Blame::Either, Blame::and)
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self.blame() {
            Blame::File => "mend the file as the lines above say and try again",
            Blame::Protocol => "the file may be right; tell the study's statistician what the lines above say",
            Blame::Either => {
                "mend the file, or have the study's statistician mend the protocol, whichever of the two the lines above find wrong"
            }
            Blame::Both => "mend the file, and tell the study's statistician what the lines above say of the protocol",
        }
    }
}

/// What has to change before a file and a protocol fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The file.
    File,
    /// The protocol; the file may be right.
    Protocol,
    /// One of the two, and only a person knows which.
    Either,
    /// Each of the two.
    Both,
}

impl Blame {
    /// Of two problems: what may be mended on either side is mended where something must be mended anyway.
    #[must_use]
    pub fn and(self, other: Blame) -> Blame {
        match (self, other) {
            (Blame::Either, blame) | (blame, Blame::Either) => blame,
            (one, other) if one == other => one,
            _ => Blame::Both,
        }
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

/// Rows, by their lines in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    rows: u64,
    lines: Vec<u64>,
}

impl Counted {
    /// How many.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The first of their lines.
    pub fn lines(&self) -> &[u64] {
        &self.lines
    }

    /// Adds one row, by its line in the file.
    pub(super) fn count(&mut self, line: u64) {
        self.rows += 1;
        if self.lines.len() < LINES {
            self.lines.push(line);
        }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.lines.iter().map(u64::to_string).collect();
        let more = if self.rows > self.lines.len() as u64 { ", ..." } else { "" };
        let (rows, line) = if self.rows == 1 { ("row", "line") } else { ("rows", "lines") };
        write!(f, "{} {rows} ({line} {}{more})", self.rows, lines.join(", "))
    }
}

/// One class of mistake in one column, or in the file as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Name of the column, where one is to blame.
    pub column: Option<String>,
    /// What is wrong.
    pub kind: ProblemKind,
    /// The rows that are affected; none when the problem is not one of rows.
    pub rows: Counted,
}

/// Classes of problems.
#[derive(Debug, Clone, PartialEq)]
pub enum ProblemKind {
    /// The file cannot be read.
    Unreadable(Access),
    /// The file is something else, or text in another encoding.
    NotCsv(Foreign),
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
    /// Rows end with more commas than the header.
    ExtraCommas,
    /// A field that is read holds a line break.
    LineBreak,
    /// A quotation mark opens a field and nothing closes it.
    Unclosed,
    /// Text stands behind the quotation mark that closes a field.
    AfterClosing,
    /// A line that looks like a row stands between quotation marks.
    QuotedRow,
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
    /// A binary column has codes that the dictionary lacks.
    OtherCode {
        /// What the dictionary declares, in words.
        expected: String,
        /// The coding that the column has, no and yes; none where there are several.
        coding: Option<[String; 2]>,
    },
    /// Values of so many analysed rows are finer than the grid on which the study counts them: the protocol is to blame.
    FinerThanGrid {
        /// The rows.
        rows: u64,
        /// The declared step.
        resolution: f64,
        /// A step that fits all values; none where no grid of the range does.
        fitting: Option<f64>,
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
        Problem { column: None, kind, rows: Counted::default() }
    }

    /// A problem of a column in the header.
    pub(super) fn of_column(column: &str, kind: ProblemKind) -> Problem {
        Problem { column: Some(column.to_owned()), ..Problem::of_file(kind) }
    }

    /// What has to change: the side that the problem's own words ask to mend.
    pub fn blame(&self) -> Blame {
        match &self.kind {
            ProblemKind::FinerThanGrid { fitting: Some(_), .. } => Blame::Protocol,
            ProblemKind::FinerThanGrid { fitting: None, .. }
            | ProblemKind::OtherCode { .. }
            | ProblemKind::Value { fault: Fault::Limit, .. } => Blame::Either,
            ProblemKind::Unreadable(_)
            | ProblemKind::NotCsv(_)
            | ProblemKind::HeaderNotUtf8
            | ProblemKind::Empty
            | ProblemKind::Separator(_)
            | ProblemKind::MissingColumn(_)
            | ProblemKind::RepeatedColumn(_)
            | ProblemKind::FieldCount
            | ProblemKind::ExtraCommas
            | ProblemKind::LineBreak
            | ProblemKind::Unclosed
            | ProblemKind::AfterClosing
            | ProblemKind::QuotedRow
            | ProblemKind::EmptyKey
            | ProblemKind::DuplicateKey
            | ProblemKind::Value { .. } => Blame::File,
        }
    }

    /// Stable code for logs and for the coordinator.
    pub fn code(&self) -> &'static str {
        match &self.kind {
            ProblemKind::Unreadable(_) => "source.unreadable",
            ProblemKind::NotCsv(Foreign::Format(_)) => "source.not_csv",
            ProblemKind::NotCsv(Foreign::Encoding(_)) | ProblemKind::HeaderNotUtf8 => Fault::NotUtf8.code(),
            ProblemKind::Empty => "source.empty",
            ProblemKind::Separator(_) => "source.separator",
            ProblemKind::MissingColumn(_) => "source.missing_column",
            ProblemKind::RepeatedColumn(_) => "source.repeated_column",
            ProblemKind::FieldCount | ProblemKind::ExtraCommas => "source.field_count",
            ProblemKind::LineBreak => "source.line_break",
            ProblemKind::Unclosed | ProblemKind::AfterClosing | ProblemKind::QuotedRow => "source.quotation",
            ProblemKind::EmptyKey => "source.empty_patient",
            ProblemKind::DuplicateKey => "source.duplicate_patient",
            ProblemKind::Value { fault, .. } => fault.code(),
            ProblemKind::OtherCode { .. } => Fault::OtherCode.code(),
            ProblemKind::FinerThanGrid { .. } => "source.finer_than_grid",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        if self.rows.rows() > 0 {
            write!(f, "{}: ", self.rows)?;
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
            ProblemKind::NotCsv(Foreign::Format(name)) => {
                write!(f, "this is {name} and no CSV; export the table as \"CSV UTF-8\", or name that file in `data`")
            }
            ProblemKind::NotCsv(Foreign::Encoding(name)) => {
                write!(f, "the text is in {name}; export the file again as \"CSV UTF-8\"")
            }
            ProblemKind::HeaderNotUtf8 => {
                f.write_str("the header is not UTF-8 text; export the file again as \"CSV UTF-8\"")
            }
            ProblemKind::Empty => f.write_str("the file is empty; the first line must hold the column names"),
            ProblemKind::Separator(found) => {
                let name = match found {
                    ';' => "semicolons",
                    '\t' => "tabs",
                    '|' => "vertical bars",
                    _ => "another character",
                };
                write!(f, "the header is separated by {name}; export with commas and a decimal point")
            }
            ProblemKind::MissingColumn(nearest) => {
                f.write_str("is not in the header")?;
                match nearest {
                    Some(name) if name.chars().any(is_invisible) => {
                        f.write_str("; it is there with a character that nobody sees: write its name again")
                    }
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
            ProblemKind::ExtraCommas => f.write_str(
                "more commas at the end than the header has; remove the empty columns, or give them names",
            ),
            ProblemKind::LineBreak => f.write_str(
                "a line break inside a field that is read, or a row broken in two; close the quotation mark, or remove \
                 the line break",
            ),
            ProblemKind::Unclosed => {
                f.write_str("a quotation mark opens a field and nothing closes it; close or remove it")
            }
            ProblemKind::AfterClosing => f.write_str(
                "text or blanks behind a closing quotation mark; put the whole field between quotation marks, and write \
                 those inside twice",
            ),
            ProblemKind::QuotedRow => f.write_str(
                "looks like a row, yet stands between two quotation marks and would be read as a text; close the \
                 quotation mark before it, or export without the column of free text",
            ),
            ProblemKind::EmptyKey => f.write_str("no patient identifier; every row needs one"),
            ProblemKind::DuplicateKey => {
                f.write_str("the patient stands in an earlier row too; one row per patient is wanted")
            }
            ProblemKind::Value { fault, expected } => write_fault(f, *fault, expected),
            ProblemKind::OtherCode { expected, coding: Some([no, yes]) } => write!(
                f,
                "coded {no}/{yes}; expected exactly {expected}; export it so, or ask the study's statistician to declare \
                 `codes = [\"{no}\", \"{yes}\"]` in its [[variable]], the event second"
            ),
            ProblemKind::OtherCode { expected, coding: None } => write!(
                f,
                "codes of another program, of more than one coding; expected exactly {expected}; export one coding, and \
                 ask the study's statistician to declare it as `codes` if it is another"
            ),
            ProblemKind::FinerThanGrid { rows, resolution, fitting } => {
                write!(
                    f,
                    "{rows} analysed {} finer than `resolution = {resolution}`, on which quartiles and the rank test of the \
                     baseline table are counted: they would be rounded; ask the study's statistician for ",
                    if *rows == 1 { "row has a value" } else { "rows have values" }
                )?;
                match fitting {
                    Some(step) => write!(f, "`resolution = {step}`, or for `rounded = true` if rounding is meant"),
                    None => f.write_str(
                        "`rounded = true`, or round the column in the file to what was measured: no finer grid of its range \
                         holds these values",
                    ),
                }
            }
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
        Fault::Invisible => f.write_str(
            "a control character, or one without width, inside the value; remove it (nobody sees it in a spreadsheet)",
        ),
        Fault::Quotes => write!(
            f,
            "a quotation mark inside the value; where one is needed it comes first in the field, without a blank before it \
             (expected {expected})"
        ),
        Fault::Thousands => write!(
            f,
            "a thousands separator inside a number (a blank, an apostrophe or the like); write digits and a decimal point \
             alone (expected {expected})"
        ),
        Fault::Script => {
            write!(
                f,
                "digits or a minus sign that are no plain ASCII characters; write 0 to 9 and - (expected {expected})"
            )
        }
        Fault::Limit => write!(
            f,
            "a limit (such as <5) and not a number; agree with the study's statistician on the number that it stands for \
             (expected {expected})"
        ),
        Fault::Unit => write!(f, "a number with a unit or sign; write the number alone (expected {expected})"),
        Fault::Date => write!(f, "a date; expected {expected}, counted from the study's time zero"),
        Fault::NotANumber => write!(f, "not a number; expected {expected}; are two columns swapped?"),
        Fault::NotWhole => write!(f, "not written as a whole number; expected {expected}, digits only"),
        Fault::OutOfRange => write!(f, "out of range; expected {expected}; check the unit and the column"),
        Fault::LevelSpelling => {
            write!(f, "a declared level but for upper or lower case, accents or blanks; expected exactly {expected}")
        }
        Fault::LevelDecimal => {
            write!(
                f,
                "a declared level written as a decimal number; export whole numbers (expected exactly {expected})"
            )
        }
        Fault::UnknownLevel | Fault::OtherCode => {
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
