//! How a failed command tells a person: code, cause, next action.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use study::document::Mistakes;

use crate::config::ConfigError;
use crate::identity::IdentityError;
use crate::run::{ApproveError, AttendError, FolderError, InspectError, LedgerError};
use crate::source::SourceError;

/// A failed command.
#[derive(Debug)]
pub(super) struct Failure {
    code: String,
    lines: Vec<String>,
    hint: String,
}

impl Failure {
    pub(super) fn new(code: &str, message: impl Into<String>, hint: &str) -> Failure {
        Failure { code: code.into(), lines: vec![message.into()], hint: hint.into() }
    }

    pub(super) fn operating_system(doing: &str, e: &io::Error) -> Failure {
        let message = format!("the operating system does not let the agent {doing} ({})", e.kind());
        Failure::new("system", message, "check limits and permissions")
    }
}

pub(super) fn read_file(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|e| {
        let message = format!("`{}` cannot be read ({})", path.display(), e.kind());
        Failure::new("file", message, "check the name and its permissions")
    })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.lines.iter();
        writeln!(f, "error[{}]: {}", self.code, lines.next().map_or("", String::as_str))?;
        for line in lines {
            writeln!(f, "  {line}")?;
        }
        if self.hint.is_empty() { Ok(()) } else { writeln!(f, "next: {}", self.hint) }
    }
}

impl From<ConfigError> for Failure {
    fn from(e: ConfigError) -> Failure {
        Failure::new(e.code(), e.to_string(), e.hint())
    }
}

impl From<IdentityError> for Failure {
    fn from(e: IdentityError) -> Failure {
        Failure::new(e.code(), e.to_string(), e.hint())
    }
}

impl From<FolderError> for Failure {
    fn from(e: FolderError) -> Failure {
        Failure::new(e.code(), e.to_string(), e.hint())
    }
}

impl From<LedgerError> for Failure {
    fn from(e: LedgerError) -> Failure {
        Failure::new(e.code(), e.to_string(), e.hint())
    }
}

impl From<AttendError> for Failure {
    fn from(e: AttendError) -> Failure {
        Failure::new(e.code(), e.to_string(), e.hint())
    }
}

impl From<InspectError> for Failure {
    fn from(e: InspectError) -> Failure {
        Failure::new(e.code(), e.to_string(), e.hint())
    }
}

impl From<Mistakes> for Failure {
    fn from(e: Mistakes) -> Failure {
        let mut failure = Failure::new("protocol", e.to_string(), "mend the lines above");
        failure.lines.extend(e.0.iter().map(ToString::to_string));
        failure
    }
}

impl From<SourceError> for Failure {
    fn from(e: SourceError) -> Failure {
        let text = e.to_string();
        let mut lines = text.lines().map(str::to_owned);
        let mut failure = Failure::new("source", lines.next().unwrap_or_default(), "mend the file and try again");
        failure.lines.extend(lines);
        failure
    }
}

impl From<ApproveError> for Failure {
    fn from(e: ApproveError) -> Failure {
        let (code, hint, message) = (e.code(), e.hint(), e.to_string());
        let lines = match e {
            ApproveError::Source(e) => e.to_string().lines().map(str::to_owned).collect(),
            ApproveError::Protocol(e) | ApproveError::PolicyFile(e) => e.0.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let mut failure = Failure::new(code, message, hint);
        failure.lines.extend(lines);
        failure
    }
}
