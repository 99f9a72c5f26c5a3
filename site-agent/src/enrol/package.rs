//! The package that comes back from the coordinator's operator.
//!
//! Its signature, by the coordinator's identity key, covers everything in it:
//! `"entente/v1/enrolment-package" | site | legal name | identity key | coordinator's name | address | server name |
//! coordinator's identity key | certificate (DER) | authority (DER)`. The fingerprint that the operator tells by another
//! channel covers the authority's certificate and that identity key.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secagg::{Canonical, Digest, PublicIdentity, Signature};
use serde::Deserialize;
use study::roster::Member;

use super::PackageError;

const FORMAT: &str = "entente enrolment package 1";

/// The coordinator as a site knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinator {
    /// Its name, for people.
    pub name: String,
    /// Where it listens: `https://HOST:PORT`.
    pub url: String,
    /// The name or address that its certificate must hold.
    pub server_name: String,
    /// The key with which it signs every request and result.
    pub identity: PublicIdentity,
}

/// A package whose signature holds.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) roster: Member,
    pub(crate) coordinator: Coordinator,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) authority: CertificateDer<'static>,
}

impl Package {
    /// Reads a package and checks its signature with the key that it holds; whose key that is, the fingerprint says.
    pub(crate) fn parse(text: &str) -> Result<Self, PackageError> {
        let PackageText { format, certificate, authority, signature, roster, coordinator } =
            toml::from_str(text).map_err(|_| PackageError::Format)?;
        if format != FORMAT {
            return Err(PackageError::Format);
        }
        let package = Self {
            roster: Member { id: roster.site, legal_name: roster.legal_name, identity: identity(&roster.identity)? },
            coordinator: Coordinator {
                name: coordinator.name,
                url: coordinator.url,
                server_name: coordinator.server_name,
                identity: identity(&coordinator.identity)?,
            },
            certificate: der(&certificate)?,
            authority: der(&authority)?,
        };
        let signature: Signature = signature.parse().map_err(|_| PackageError::Format)?;
        package
            .coordinator
            .identity
            .verify("entente/v1/enrolment-package-signature", &package.digest(), &signature)
            .map_err(|_| PackageError::Signature)?;
        Ok(package)
    }

    /// What the operator of the coordinator tells by another channel, if this package is theirs: SHA-256 of
    /// `"entente/v1/coordinator-fingerprint" | authority (DER, length first) | coordinator's identity key`.
    pub(crate) fn fingerprint(&self) -> Digest {
        Canonical::new("entente/v1/coordinator-fingerprint")
            .bytes(&self.authority)
            .array(&self.coordinator.identity.0)
            .digest()
    }

    fn digest(&self) -> Digest {
        let Self { roster, coordinator, certificate, authority } = self;
        Canonical::new("entente/v1/enrolment-package")
            .str(&roster.id)
            .str(&roster.legal_name)
            .array(&roster.identity.0)
            .str(&coordinator.name)
            .str(&coordinator.url)
            .str(&coordinator.server_name)
            .array(&coordinator.identity.0)
            .bytes(certificate)
            .bytes(authority)
            .digest()
    }
}

/// Reads a fingerprint as people type it: with any grouping and in either case.
pub(crate) fn parse_fingerprint(text: &str) -> Result<Digest, PackageError> {
    let digits: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | ':'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    digits.parse().map_err(|_| PackageError::FingerprintText)
}

fn identity(text: &str) -> Result<PublicIdentity, PackageError> {
    text.parse().map_err(|_| PackageError::Format)
}

fn der(pem: &str) -> Result<CertificateDer<'static>, PackageError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| PackageError::Format)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackageText {
    format: String,
    certificate: String,
    authority: String,
    signature: String,
    roster: RosterText,
    coordinator: CoordinatorText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RosterText {
    site: String,
    legal_name: String,
    identity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoordinatorText {
    name: String,
    url: String,
    server_name: String,
    identity: String,
}
