//! How a failed command tells a person: code, cause, next action.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use study::document::Mistakes;

use crate::authority::AuthorityError;
use crate::config::ConfigError;
use crate::enrol::EnrolError;
use crate::role::RoleError;
use crate::serve::ServeError;
use crate::store::StoreError;
use crate::study::StudyError;
use ::web::LoginError;

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
        let message = format!("the operating system does not let the coordinator {doing} ({})", e.kind());
        Failure::new("system", message, "check limits, permissions and free space")
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
        writeln!(f, "next: {}", self.hint)
    }
}

impl From<Mistakes> for Failure {
    fn from(e: Mistakes) -> Failure {
        let mut failure = Failure::new("study.protocol", e.to_string(), "mend the lines above");
        failure.lines.extend(e.0.iter().map(ToString::to_string));
        failure
    }
}

impl From<StudyError> for Failure {
    fn from(e: StudyError) -> Failure {
        match e {
            StudyError::Protocol(mistakes) => mistakes.into(),
            e => Failure::new(e.code(), e.to_string(), e.hint()),
        }
    }
}

macro_rules! from_coded {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(e: $error) -> Failure {
                Failure::new(e.code(), e.to_string(), e.hint())
            }
        }
    )*};
}

from_coded!(AuthorityError, ConfigError, EnrolError, RoleError, ServeError, StoreError, LoginError);
