//! Client certificates: issued by the authority, current, for client use, of the right kind of client, not revoked.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use secagg::Digest;
use x509_parser::x509::X509Name;

use crate::enrol::check_site;
use crate::role::is_of_a_person;

/// rustls' verifier with our two rules after it.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) chain: Arc<dyn ClientCertVerifier>,
    pub(super) revoked: Arc<BTreeSet<Digest>>,
    /// Whether a certificate names one of the listener's audience.
    pub(super) known: fn(&CertificateDer<'_>) -> bool,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        if self.revoked.contains(&Digest::of(end_entity)) {
            return Err(CertificateError::Revoked.into());
        }
        if !(self.known)(end_entity) {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// The site that a certificate names: its one common name, if that is a site identifier.
pub(super) fn site_of(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    if is_of_a_person(certificate.subject()) {
        return None;
    }
    let name = common_name(certificate.subject())?;
    check_site(name).ok()?;
    Some(name.to_owned())
}

fn common_name<'a>(subject: &'a X509Name<'_>) -> Option<&'a str> {
    let mut names = subject.iter_common_name();
    let name = names.next()?.as_str().ok()?;
    names.next().is_none().then_some(name)
}
