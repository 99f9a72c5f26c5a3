//! A site's request to take part: a small text that the site makes and the coordinator's operator approves.
//!
//! The identity key signs `"entente/v1/enrolment-request-signature" | digest`, where the digest is that of
//! `"entente/v1/enrolment-request" | site | legal name | identity key | certificate request (DER)`.

use rcgen::{CertificateSigningRequestParams, PKCS_ECDSA_P256_SHA256, PublicKey, PublicKeyData};
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject as _;
use secagg::{Canonical, Digest, PublicIdentity, Signature};
use serde::Deserialize;

use super::EnrolError;
use super::roster::{check_legal_name, check_site};

const FORMAT: &str = "entente enrolment request 1";

/// A request whose signatures hold: the sender owns both private keys.
#[derive(Debug)]
pub struct Request {
    site: String,
    legal_name: String,
    identity: PublicIdentity,
    key: PublicKey,
}

impl Request {
    /// Reads a request and checks that both keys signed it.
    pub fn parse(text: &str) -> Result<Self, EnrolError> {
        let RequestText { format, site, legal_name, identity, certificate_request, signature } =
            toml::from_str(text).map_err(|_| EnrolError::RequestFormat)?;
        if format != FORMAT {
            return Err(EnrolError::RequestFormat);
        }
        check_site(&site)?;
        check_legal_name(&legal_name)?;
        let identity: PublicIdentity = identity.parse().map_err(|_| EnrolError::RequestFormat)?;
        let signature: Signature = signature.parse().map_err(|_| EnrolError::RequestFormat)?;
        let csr = CertificateSigningRequestDer::from_pem_slice(certificate_request.as_bytes())
            .map_err(|_| EnrolError::RequestFormat)?;
        let body =
            Canonical::new("entente/v1/enrolment-request").str(&site).str(&legal_name).array(&identity.0).bytes(&csr);
        identity
            .verify("entente/v1/enrolment-request-signature", &body.digest(), &signature)
            .map_err(|_| EnrolError::RequestSignature)?;
        Ok(Self { site, legal_name, identity, key: public_key(&csr)? })
    }

    /// The site's identifier, as the site proposes it.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// The institution's legal name, as the site states it.
    pub fn legal_name(&self) -> &str {
        &self.legal_name
    }

    /// The key with which the site signs; its fingerprint is confirmed with the site by another channel.
    pub fn identity(&self) -> &PublicIdentity {
        &self.identity
    }

    /// The public key that the certificate will hold.
    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// SHA-256 of that key (`SubjectPublicKeyInfo`).
    pub(super) fn key_digest(&self) -> Digest {
        Digest::of(&self.key.subject_public_key_info())
    }
}

/// The public key of a certificate request that signed itself; everything else in it is ignored.
pub(crate) fn public_key(csr: &CertificateSigningRequestDer<'_>) -> Result<PublicKey, EnrolError> {
    let key = CertificateSigningRequestParams::from_der(csr).map_err(|_| EnrolError::CertificateRequest)?.public_key;
    // An uncompressed point of P-256: the signature algorithm alone does not fix the curve.
    let point = key.der_bytes();
    let p256 = PublicKeyData::algorithm(&key) == &PKCS_ECDSA_P256_SHA256 && point.len() == 65 && point[0] == 4;
    if p256 { Ok(key) } else { Err(EnrolError::KeyKind) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestText {
    format: String,
    site: String,
    legal_name: String,
    identity: String,
    certificate_request: String,
    signature: String,
}
