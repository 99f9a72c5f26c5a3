//! Why a site's identity cannot be made, completed or used.

use jiff::Timestamp;

use super::state::StateError;
use crate::enrol::PackageError;

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The person who runs this program: an argument, a file, a permission.
    Operator,
    /// The other party sent something that is not acceptable, or cannot be reached.
    Peer,
    /// This program.
    Bug,
}

/// Why a site's identity cannot be made, completed or used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The state directory already holds keys.
    #[error("the state directory already holds an identity")]
    Exists,
    /// The state directory holds no keys.
    #[error("the state directory holds no identity")]
    Missing,
    /// The keys are there, but no package has been accepted.
    #[error("no enrolment package has been accepted yet")]
    NotEnrolled,
    /// A site identifier has characters that it may not have.
    #[error("a site identifier is 1 to 32 letters, digits or hyphens")]
    SiteName,
    /// A legal name is empty, too long, or has control characters.
    #[error("a legal name is 1 to 200 printable characters")]
    LegalName,
    /// The package is not acceptable.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The certificate has ended.
    #[error("this site's certificate expired at {0}")]
    Expired(Timestamp),
    /// The certificate has not begun.
    #[error("this site's certificate is valid only from {0}")]
    NotYetValid(Timestamp),
    /// A file cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file is there and does not hold what it should.
    #[error("{0} is damaged")]
    Damaged(&'static str),
    /// The key of the site's draws is not there.
    #[error("the key of this site's draws (identity/draws.key) is missing")]
    NoDrawKey,
    /// Keys or a request could not be made.
    #[error("cannot make keys")]
    Keys(#[from] rcgen::Error),
}

impl IdentityError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists => "identity_exists",
            Self::Missing => "identity_missing",
            Self::NotEnrolled => "identity_not_enrolled",
            Self::SiteName => "identity_site_name",
            Self::LegalName => "identity_legal_name",
            Self::Package(error) => error.code(),
            Self::Expired(_) => "identity_expired",
            Self::NotYetValid(_) => "identity_not_yet_valid",
            Self::State(_) => "identity_state",
            Self::Damaged(_) => "identity_damaged",
            Self::NoDrawKey => "identity_no_draw_key",
            Self::Keys(_) => "identity_keys",
        }
    }

    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Package(PackageError::FingerprintText) => Blame::Operator,
            Self::Package(_) => Blame::Peer,
            Self::Keys(_) => Blame::Bug,
            _ => Blame::Operator,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists => {
                "send the request that is there, or choose another state directory; new keys mean a new enrolment"
            }
            Self::Missing => "make the site's keys and request first, or name the right state directory",
            Self::NotEnrolled => {
                "send the request to the coordinator's operator and accept the package that comes back"
            }
            Self::SiteName | Self::LegalName => "correct the name",
            Self::Package(error) => error.hint(),
            Self::Expired(_) => "send the request file to the coordinator's operator again and accept the new package",
            Self::NotYetValid(_) => "check this machine's clock",
            Self::State(StateError::Exposed { .. }) => "set the file's mode to 600",
            Self::State(_) => "check the state directory's owner, permissions and free space",
            Self::Damaged(_) => "restore the state directory from a backup, or enrol again",
            Self::NoDrawKey => {
                "restore identity/draws.key from a backup; without it, withdraw the approved runs and enrol with a new state directory"
            }
            Self::Keys(_) => "report this as a bug",
        }
    }
}
