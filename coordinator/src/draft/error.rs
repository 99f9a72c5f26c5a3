//! Why there is no draft.

use std::io;
use std::path::PathBuf;

use study::document::Mistakes;

/// Why a protocol cannot be drafted. No value of a row stands in it.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// Answers that nobody gave and no file tells; and the binary columns of the file that could be an outcome.
    #[error("not enough is known for a protocol: {} missing", .0.join(", "))]
    Incomplete(Vec<&'static str>, Vec<String>),
    /// A file without a header of comma-separated names.
    #[error("the file has no header of names with commas between them")]
    Header,
    /// A row with more or fewer fields than the header.
    #[error("line {0} of the file has another number of fields than its header")]
    Row(u64),
    /// A column that was named is not in the file.
    #[error("the file has no column `{0}`")]
    NoColumn(String),
    /// The file to write is there already.
    #[error("`{}` is there already", .path.display())]
    Exists {
        /// As given.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("`{}` cannot be written ({kind})", .path.display())]
    Unwritable {
        /// As given.
        path: PathBuf,
        /// What kind of error.
        kind: io::ErrorKind,
    },
    /// The terminal cannot be read.
    #[error("the answers cannot be read ({0})")]
    Terminal(io::ErrorKind),
    /// The answers contradict each other.
    #[error("the answers make no valid protocol")]
    Mistaken(Mistakes),
}

impl DraftError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            DraftError::Incomplete(..) => "draft.incomplete",
            DraftError::Header => "draft.header",
            DraftError::Row(_) => "draft.row",
            DraftError::NoColumn(_) => "draft.no_column",
            DraftError::Exists { .. } => "draft.exists",
            DraftError::Unwritable { .. } => "draft.unwritable",
            DraftError::Terminal(_) => "draft.terminal",
            DraftError::Mistaken(_) => "draft.mistaken",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            DraftError::Incomplete(flags, binary) => {
                let hint = format!("give {}, or answer on a terminal", flags.join(" "));
                match binary.first().filter(|_| flags.contains(&"--outcome")) {
                    Some(first) => {
                        format!("{hint}; binary columns are {}: --outcome {first}:binary", binary.join(", "))
                    }
                    None => hint,
                }
            }
            DraftError::Header => "export with commas, decimal points and a first line of column names".into(),
            DraftError::Row(_) => "look for unquoted commas and line breaks there".into(),
            DraftError::NoColumn(_) => "spell it as in the first line of the file".into(),
            DraftError::Exists { .. } => "choose another name; nothing is overwritten".into(),
            DraftError::Unwritable { .. } => "check the folder and its permissions".into(),
            DraftError::Terminal(_) => "give the answers as flags; --help names them".into(),
            DraftError::Mistaken(_) => "change the answers that the lines above are about".into(),
        }
    }
}
