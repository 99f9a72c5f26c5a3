//! Enrolment of sites: a request comes in, the operator approves it, a package goes out, the site is on the roster.

mod package;
mod request;
mod roster;

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::ServerName;
use secagg::Digest;
use tonic::transport::Uri;

use crate::authority::{Authority, AuthorityError, Blame, StateError};

pub use package::Package;
pub use request::Request;
pub(crate) use request::public_key;
pub use roster::{Enrolled, Issued, list, load, revoke};
pub(crate) use roster::{add_revoked, check_site, parse_revoked, revoked_path};

/// The longest validity of a site's certificate.
pub const MAX_VALID_DAYS: u32 = 1_826;

/// What the operator decides about a request.
#[derive(Debug, Clone, Copy)]
pub struct Approval<'a> {
    /// The site's identifier as the operator knows it; it must be the one in the request.
    pub site: &'a str,
    /// The institution's legal name as the operator knows it; it must be the one in the request.
    pub legal_name: &'a str,
    /// Where sites reach the coordinator: `https://HOST:PORT`, with a host of the authority.
    pub url: &'a str,
    /// Validity of the certificate in days, 1 to [`MAX_VALID_DAYS`].
    pub valid_days: u32,
}

/// Why a site could not be enrolled, read or revoked.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The text is not an enrolment request.
    #[error("not an enrolment request")]
    RequestFormat,
    /// The identity key did not sign this text.
    #[error("the request's signature does not hold")]
    RequestSignature,
    /// The certificate request cannot be read, or did not sign itself.
    #[error("the certificate request is not acceptable")]
    CertificateRequest,
    /// The key of the certificate request is not ECDSA P-256.
    #[error("the certificate request has another kind of key than ecdsa p-256")]
    KeyKind,
    /// A site identifier has characters that it may not have.
    #[error("a site identifier is 1 to 32 letters, digits or hyphens")]
    SiteName,
    /// A legal name is empty, too long, or has control characters.
    #[error("a legal name is 1 to 200 printable characters")]
    LegalName,
    /// The request comes from another site than the operator approves.
    #[error("the request is for site {got}, not {expected}")]
    OtherSite {
        /// What the operator approved.
        expected: String,
        /// What the request says.
        got: String,
    },
    /// The request states another legal name than the operator approves.
    #[error("the request states the legal name {got:?}, not {expected:?}")]
    OtherLegalName {
        /// What the operator approved.
        expected: String,
        /// What the request says.
        got: String,
    },
    /// The site is enrolled with another identity key, or its identifier differs from a site's by case only.
    #[error("site {0} is already enrolled with another identity")]
    Enrolled(String),
    /// A key of the request belongs to another site.
    #[error("a key of the request belongs to site {0}")]
    SharedKey(String),
    /// A key of the request was revoked.
    #[error("a key of the request was revoked")]
    RevokedKey,
    /// The validity is not in its range, or outlives the authority.
    #[error("the validity is not 1 to {MAX_VALID_DAYS} days within the authority's own")]
    Validity,
    /// The coordinator's address is not `https://HOST:PORT` with a host of the authority.
    #[error("the coordinator's address is not https with a host of its certificate")]
    Url,
    /// No such site is enrolled.
    #[error("no such site is enrolled")]
    UnknownSite,
    /// A record or the list of revoked certificates cannot be understood.
    #[error("a record of the roster is damaged")]
    Damaged,
    /// A package or record could not be written as text.
    #[error("cannot write the package")]
    Package,
    /// A file cannot be read or written.
    #[error(transparent)]
    State(StateError),
    /// The authority cannot make the certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl EnrolError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RequestFormat => "enrol_request_format",
            Self::RequestSignature => "enrol_request_signature",
            Self::CertificateRequest => "enrol_certificate_request",
            Self::KeyKind => "enrol_key_kind",
            Self::SiteName => "enrol_site_name",
            Self::LegalName => "enrol_legal_name",
            Self::OtherSite { .. } => "enrol_other_site",
            Self::OtherLegalName { .. } => "enrol_other_legal_name",
            Self::Enrolled(_) => "enrol_already",
            Self::SharedKey(_) => "enrol_shared_key",
            Self::RevokedKey => "enrol_revoked_key",
            Self::Validity => "enrol_validity",
            Self::Url => "enrol_url",
            Self::UnknownSite => "enrol_unknown_site",
            Self::Damaged => "enrol_damaged",
            Self::Package => "enrol_package",
            Self::State(_) => "enrol_state",
            Self::Authority(error) => error.code(),
        }
    }

    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::RequestFormat
            | Self::RequestSignature
            | Self::CertificateRequest
            | Self::KeyKind
            | Self::SharedKey(_)
            | Self::RevokedKey => Blame::Peer,
            Self::Package => Blame::Bug,
            Self::Authority(error) => error.blame(),
            _ => Blame::Operator,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::RequestFormat | Self::RequestSignature => {
                "the file was changed on its way or is not a request: ask the site to send it again"
            }
            Self::CertificateRequest | Self::KeyKind => "ask the site to make the request with site-agent",
            Self::SiteName | Self::LegalName => "correct the name",
            Self::OtherSite { .. } | Self::OtherLegalName { .. } => {
                "approve what the request says, or ask the site for a request with the right name"
            }
            Self::Enrolled(_) => "if the site has really made new keys, revoke it first and approve then",
            Self::SharedKey(_) | Self::RevokedKey => {
                "ask the site to make new keys; no key serves two sites or comes back after revocation"
            }
            Self::Validity => "choose fewer days",
            Self::Url => "use an address with a host that was given when the authority was made",
            Self::UnknownSite => "list the enrolled sites and check the identifier",
            Self::Damaged => "restore the state directory from a backup",
            Self::Package => "report this as a bug",
            Self::State(_) => "check the state directory's owner, permissions and free space",
            Self::Authority(error) => error.hint(),
        }
    }
}

/// Approves a request: checks it, certifies its key under our subject, usages and validity, puts the site on the roster
/// and makes the package. The same site with the same identity key again is a renewal.
pub fn approve(
    authority: &Authority,
    request_text: &str,
    approval: &Approval<'_>,
    now: Timestamp,
) -> Result<Package, EnrolError> {
    let request = Request::parse(request_text)?;
    check_names(&request, approval)?;
    let server_name = server_name(authority, approval.url)?;
    let not_after = end_of_validity(authority, approval.valid_days, now)?;
    let before = admit(authority, &request)?;

    let certificate = authority.certify(request.site(), request.key(), now, approval.valid_days)?;
    let issued = Issued { fingerprint: Digest::of(certificate.der()), key: request.key_digest(), not_after };
    let enrolled = enrolled(before, &request, issued, now);
    roster::write(authority.state_dir(), &enrolled)?;
    Package::sign(authority, &request, certificate, approval.url, &server_name)
}

fn check_names(request: &Request, approval: &Approval<'_>) -> Result<(), EnrolError> {
    if request.site() != approval.site {
        return Err(EnrolError::OtherSite { expected: approval.site.to_owned(), got: request.site().to_owned() });
    }
    if request.legal_name() != approval.legal_name {
        return Err(EnrolError::OtherLegalName {
            expected: approval.legal_name.to_owned(),
            got: request.legal_name().to_owned(),
        });
    }
    Ok(())
}

/// The host of an address, which the listener's certificate must hold.
fn server_name(authority: &Authority, url: &str) -> Result<String, EnrolError> {
    let uri: Uri = url.parse().map_err(|_| EnrolError::Url)?;
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let plain = uri.path() == "/" && uri.query().is_none();
    let known = authority.hosts().iter().any(|h| h.eq_ignore_ascii_case(host));
    let good = uri.scheme_str() == Some("https")
        && plain
        && known
        && uri.port_u16().is_some()
        && ServerName::try_from(host).is_ok();
    if good { Ok(host.to_owned()) } else { Err(EnrolError::Url) }
}

/// The end of a certificate of so many days, which must lie within the authority's own validity.
pub(crate) fn end_of_validity(authority: &Authority, days: u32, now: Timestamp) -> Result<Timestamp, EnrolError> {
    if !(1..=MAX_VALID_DAYS).contains(&days) {
        return Err(EnrolError::Validity);
    }
    let end = now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).map_err(|_| EnrolError::Validity)?;
    let authority_end = x509_parser::parse_x509_certificate(authority.certificate())
        .map(|(_, certificate)| certificate.validity().not_after.timestamp())
        .map_err(|_| AuthorityError::Damaged("ca.pem"))?;
    if end.as_second() <= authority_end { Ok(end) } else { Err(EnrolError::Validity) }
}

/// Whether the roster has room for the request: its record so far, or the reason against it.
fn admit(authority: &Authority, request: &Request) -> Result<Option<Enrolled>, EnrolError> {
    let key = request.key_digest();
    let revoked = roster::revoked(authority.state_dir())?;
    let mut before = None;
    for enrolled in list(authority.state_dir())? {
        let own = enrolled.site == request.site();
        let has_identity = enrolled.identity == *request.identity();
        let has_key = enrolled.certificates.iter().any(|c| c.key == key);
        let was_revoked = enrolled.retired.contains(request.identity())
            || enrolled.revoked_at.is_some() && has_identity
            || enrolled.certificates.iter().any(|c| c.key == key && revoked.contains(&c.fingerprint));
        if was_revoked {
            return Err(EnrolError::RevokedKey);
        }
        if !own && (has_identity || has_key) {
            return Err(EnrolError::SharedKey(enrolled.site));
        }
        let renewal = has_identity || enrolled.revoked_at.is_some();
        if own && renewal {
            before = Some(enrolled);
        } else if enrolled.site.eq_ignore_ascii_case(request.site()) {
            return Err(EnrolError::Enrolled(enrolled.site));
        }
    }
    Ok(before)
}

/// The record of the site with its new certificate.
fn enrolled(before: Option<Enrolled>, request: &Request, issued: Issued, now: Timestamp) -> Enrolled {
    let (mut certificates, mut retired, enrolled_at) = match before {
        None => (Vec::new(), Vec::new(), now),
        Some(b) if b.revoked_at.is_none() => (b.certificates, b.retired, b.enrolled_at),
        Some(mut b) => {
            b.retired.push(b.identity);
            (b.certificates, b.retired, now)
        }
    };
    certificates.push(issued);
    retired.sort();
    Enrolled {
        site: request.site().to_owned(),
        legal_name: request.legal_name().to_owned(),
        identity: *request.identity(),
        enrolled_at,
        revoked_at: None,
        certificates,
        retired,
    }
}

#[cfg(test)]
mod tests;
