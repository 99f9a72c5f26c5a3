//! For whom a listener is: what a client must show, and what is known of it then.

use rustls::pki_types::CertificateDer;
use secagg::Digest;

use super::connection::PeerIdentity;
use super::refusal::Refusal;
use super::verifier::site_of;
use crate::role::{Person, person_of};

/// A kind of clients.
pub trait Audience: Clone + Send + Sync + 'static {
    /// Who is at the other end of a connection.
    type Peer: Clone + Send + Sync + Unpin + 'static;
    /// Application protocols, the preferred one first.
    const PROTOCOLS: &'static [&'static [u8]];
    /// Why a certificate that is good, but of another kind of client, is refused.
    const FOREIGN: Refusal;
    /// Whoever shows no certificate, if such clients are accepted.
    const STRANGER: Option<Self::Peer>;

    /// Whom a certificate names; `None` if it is not one of this audience.
    fn peer(certificate: &CertificateDer<'_>) -> Option<Self::Peer>;
}

/// The agents of sites: always with a certificate, over HTTP/2.
#[derive(Debug, Clone, Copy)]
pub struct Sites;

impl Audience for Sites {
    type Peer = PeerIdentity;
    const PROTOCOLS: &'static [&'static [u8]] = &[b"h2"];
    const FOREIGN: Refusal = Refusal::NotASite;
    const STRANGER: Option<PeerIdentity> = None;

    fn peer(certificate: &CertificateDer<'_>) -> Option<PeerIdentity> {
        Some(PeerIdentity { site: site_of(certificate)?, fingerprint: Digest::of(certificate).0 })
    }
}

/// People with browsers: with a certificate that names person and role, or with none, and then a login comes first.
#[derive(Debug, Clone, Copy)]
pub struct People;

/// A person whose certificate the listener has verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonIdentity {
    /// Name and role in the certificate.
    pub person: Person,
    /// SHA-256 of the certificate (DER).
    pub fingerprint: Digest,
}

impl Audience for People {
    type Peer = Option<PersonIdentity>;
    const PROTOCOLS: &'static [&'static [u8]] = &[b"h2", b"http/1.1"];
    const FOREIGN: Refusal = Refusal::NotAPerson;
    const STRANGER: Option<Option<PersonIdentity>> = Some(None);

    fn peer(certificate: &CertificateDer<'_>) -> Option<Option<PersonIdentity>> {
        let person = person_of(certificate)?;
        Some(Some(PersonIdentity { person, fingerprint: Digest::of(certificate) }))
    }
}
