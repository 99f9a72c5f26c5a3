//! Errors of this crate as failures of a command.

use study::document::Mistakes;
use terminal::Failure;

use crate::authority::AuthorityError;
use crate::config::ConfigError;
use crate::draft::DraftError;
use crate::enrol::EnrolError;
use crate::role::RoleError;
use crate::serve::ServeError;
use crate::store::StoreError;
use crate::study::StudyError;

/// A protocol with mistakes.
pub(super) fn protocol(mistakes: Mistakes) -> Failure {
    Failure::new("study.protocol", mistakes.to_string(), "mend the lines above").with_mistakes(mistakes)
}

impl From<StudyError> for Failure {
    fn from(e: StudyError) -> Failure {
        match e {
            StudyError::Protocol(mistakes) => protocol(mistakes),
            e => Failure::new(e.code(), e.to_string(), e.hint()),
        }
    }
}

impl From<DraftError> for Failure {
    fn from(e: DraftError) -> Failure {
        let failure = Failure::new(e.code(), e.to_string(), &e.hint());
        match e {
            DraftError::Mistaken(mistakes) => failure.with_mistakes(mistakes),
            _ => failure,
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

from_coded!(AuthorityError, ConfigError, EnrolError, RoleError, ServeError, StoreError);
