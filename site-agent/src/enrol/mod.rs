//! The two texts of an enrolment: the request that a site sends and the package that it gets back.

mod package;
mod request;

pub use package::Coordinator;
pub(crate) use package::{Package, parse_fingerprint};
pub(crate) use request::{member_of_request, request_text};

/// Why a package is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// The text is not an enrolment package.
    #[error("not an enrolment package")]
    Format,
    /// Its signature does not hold: it was changed after it was made.
    #[error("the package's signature does not hold")]
    Signature,
    /// What was given as the fingerprint is none.
    #[error("a fingerprint is 64 hexadecimal digits")]
    FingerprintText,
    /// It comes from another coordinator than the one whose fingerprint was told.
    #[error("the package's fingerprint is not the one told")]
    Fingerprint,
    /// Its certificate is for another key than the one on this machine.
    #[error("the package's certificate is for another key")]
    OtherKey,
    /// Its certificate names another site.
    #[error("the package's certificate is for another site")]
    OtherSite,
    /// Its roster entry is not what this site asked for.
    #[error("the package's roster entry is not what was requested")]
    RosterEntry,
    /// Its certificate is not one that the authority issued for use by a site.
    #[error("the package's certificate is not one of its authority for a site")]
    Certificate,
    /// The coordinator's address is not `https://HOST:PORT`.
    #[error("the package's coordinator address is not https with a port")]
    Url,
}

impl PackageError {
    /// Stable name of the error.
    pub fn code(self) -> &'static str {
        match self {
            Self::Format => "package_format",
            Self::Signature => "package_signature",
            Self::FingerprintText => "package_fingerprint_text",
            Self::Fingerprint => "package_fingerprint",
            Self::OtherKey => "package_other_key",
            Self::OtherSite => "package_other_site",
            Self::RosterEntry => "package_roster_entry",
            Self::Certificate => "package_certificate",
            Self::Url => "package_url",
        }
    }

    /// What to do next.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Format | Self::Signature => {
                "the file was changed on its way or is not a package: ask the coordinator to send it again"
            }
            Self::FingerprintText => "type the fingerprint as the coordinator's operator reads it out, all 16 groups",
            Self::Fingerprint => {
                "do not use this package; ask the coordinator's operator for the fingerprint by telephone"
            }
            Self::OtherKey | Self::OtherSite | Self::RosterEntry => {
                "this package answers another request: send this machine's request to the coordinator"
            }
            Self::Certificate | Self::Url => "ask the coordinator's operator for a new package",
        }
    }
}
