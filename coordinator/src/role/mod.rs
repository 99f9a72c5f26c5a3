//! People with a role at the coordinator, and the client certificates by which its pages know them.
//!
//! A person's key stays with the person, who sends a certificate request. The built-in authority certifies its public
//! key under a subject that no site's certificate can have: the organizational unit [`UNIT`], and a common name
//! `NAME (ROLE)`, whose blank and brackets are in no site identifier. Beside that, a certificate counts only while its
//! record stands in `STATE/people/`.

mod error;
mod record;
mod request;
mod subject;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rcgen::PublicKeyData as _;
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject as _;
use secagg::Digest;

use crate::authority::Authority;
use crate::enrol::{self, EnrolError};

pub use error::RoleError;
pub use record::{Holder, holder, list, revoke};
pub use request::create_key;
pub(crate) use subject::is_of_a_person;
pub use subject::{UNIT, person_of};

/// What a person may do on the coordinator's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks after sites and runs, and may revoke a site.
    Operator,
    /// Reads runs and their results.
    Analyst,
    /// Reads runs, results and what was opened; changes nothing.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 3] = [Role::Operator, Role::Analyst, Role::Auditor];

    /// As written on the command line and in certificates.
    pub fn name(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Analyst => "analyst",
            Role::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Role, RoleError> {
        Role::ALL.into_iter().find(|role| role.name() == text).ok_or(RoleError::Role)
    }
}

/// A person with a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    name: String,
    role: Role,
}

impl Person {
    /// A name is 1 to 48 bytes without control characters and without space at its ends: with the role it fits into the
    /// 64 of a common name.
    pub fn new(name: &str, role: Role) -> Result<Person, RoleError> {
        let good = (1..=48).contains(&name.len()) && name.trim() == name && !name.chars().any(char::is_control);
        if good { Ok(Person { name: name.to_owned(), role }) } else { Err(RoleError::Name) }
    }

    /// What the person is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the person may do.
    pub fn role(&self) -> Role {
        self.role
    }
}

/// Certifies the key of a certificate request for a person and records it; the certificate as PEM text.
pub fn issue(
    authority: &Authority,
    person: &Person,
    request_pem: &str,
    valid_days: u32,
    now: Timestamp,
) -> Result<String, RoleError> {
    let request =
        CertificateSigningRequestDer::from_pem_slice(request_pem.as_bytes()).map_err(|_| RoleError::Request)?;
    let key = enrol::public_key(&request).map_err(|error| match error {
        EnrolError::KeyKind => RoleError::KeyKind,
        _ => RoleError::Request,
    })?;
    let key_digest = Digest::of(&key.subject_public_key_info());
    let state = authority.state_dir();
    record::check_key(state, &key_digest, person)?;
    let not_after = enrol::end_of_validity(authority, valid_days, now).map_err(|_| RoleError::Validity)?;
    let certificate = authority.certify_person(&subject::of(person), &key, now, valid_days)?;
    record::write(
        state,
        &Holder {
            person: person.clone(),
            fingerprint: Digest::of(certificate.der()),
            key: key_digest,
            issued_at: now,
            not_after,
            revoked_at: None,
        },
    )?;
    Ok(certificate.pem())
}
