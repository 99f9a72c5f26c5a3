//! Errors of this crate as failures of a command.

use study::document::Mistakes;
use terminal::Failure;

use crate::config::ConfigError;
use crate::identity::IdentityError;
use crate::pages::PagesError;
use crate::run::reviewers::ReviewerError;
use crate::run::{ApproveError, AttendError, FolderError, InspectError, LedgerError};
use crate::source::SourceError;

/// A protocol or policy with mistakes.
pub(super) fn protocol(mistakes: Mistakes) -> Failure {
    Failure::new("protocol", mistakes.to_string(), "mend the lines above").with_mistakes(mistakes)
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

from_coded!(AttendError, ConfigError, FolderError, IdentityError, InspectError, LedgerError, PagesError, ReviewerError);

impl From<SourceError> for Failure {
    fn from(e: SourceError) -> Failure {
        let (text, hint) = (e.to_string(), e.hint());
        let mut lines = text.lines().map(str::to_owned);
        let first = lines.next().unwrap_or_default();
        Failure::new("source", first, hint).with_details(lines)
    }
}

impl From<ApproveError> for Failure {
    fn from(e: ApproveError) -> Failure {
        let failure = Failure::new(e.code(), e.to_string(), e.hint());
        match e {
            ApproveError::Source(e) => failure.with_details(e.to_string().lines().map(str::to_owned)),
            ApproveError::Protocol(e) | ApproveError::PolicyFile(e) => failure.with_mistakes(e),
            _ => failure,
        }
    }
}
