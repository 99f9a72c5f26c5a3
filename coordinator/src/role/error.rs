//! Why a role cannot be given, read or taken.

use crate::authority::{AuthorityError, StateError};
use crate::enrol::{EnrolError, MAX_VALID_DAYS};

/// Why a role cannot be given, read or taken.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// No such role.
    #[error("a role is operator, analyst or auditor")]
    Role,
    /// The name is empty, too long, or has control characters.
    #[error("a person's name is 1 to 48 printable bytes")]
    Name,
    /// Not a certificate request, or one that did not sign itself.
    #[error("not a certificate request that its own key signed")]
    Request,
    /// The key is not ECDSA P-256.
    #[error("the certificate request has another kind of key than ecdsa p-256")]
    KeyKind,
    /// The key is that of a site, of another person or role, or was revoked.
    #[error("the key of the request belongs to a site or another person, or was revoked")]
    Key,
    /// The validity is not in its range, or outlives the authority.
    #[error("the validity is not 1 to {MAX_VALID_DAYS} days within the authority's own")]
    Validity,
    /// Nobody has a certificate of that name or fingerprint.
    #[error("nobody of that name or fingerprint has a certificate")]
    Unknown,
    /// A record cannot be understood.
    #[error("a record of the people is damaged")]
    Damaged,
    /// The key pair cannot be made.
    #[error("cannot make a key")]
    MakeKey,
    /// A file cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The authority cannot make the certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The sites or the list of revoked certificates cannot be read.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
}

impl RoleError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            RoleError::Role => "role.role",
            RoleError::Name => "role.name",
            RoleError::Request => "role.request",
            RoleError::KeyKind => "role.key_kind",
            RoleError::Key => "role.key",
            RoleError::Validity => "role.validity",
            RoleError::Unknown => "role.unknown",
            RoleError::Damaged => "role.damaged",
            RoleError::MakeKey => "role.make_key",
            RoleError::State(_) => "role.state",
            RoleError::Authority(error) => error.code(),
            RoleError::Enrol(error) => error.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            RoleError::Role => "choose one of the three",
            RoleError::Name => "give a shorter name",
            RoleError::Request | RoleError::KeyKind => {
                "the person makes one with `coordinator role request --key FILE`"
            }
            RoleError::Key => "the person makes a new key; no key serves two or comes back after revocation",
            RoleError::Validity => "choose fewer days",
            RoleError::Unknown => "`coordinator role list` names everybody",
            RoleError::Damaged => "restore the state directory from a backup",
            RoleError::MakeKey => "report this as a bug",
            RoleError::State(_) => "check that the file is not there yet, its folder, owner and free space",
            RoleError::Authority(error) => error.hint(),
            RoleError::Enrol(error) => error.hint(),
        }
    }
}
