//! What an approved site gets back: its certificate, the authority, where and who the coordinator is, and the site's
//! own roster entry. Nothing in it is secret; the coordinator's key signs all of it, and the fingerprint told by another
//! channel covers that key.

use rcgen::Certificate;
use rustls::pki_types::CertificateDer;
use secagg::Canonical;
use serde::Serialize;

use super::EnrolError;
use super::request::Request;
use crate::authority::Authority;

const FORMAT: &str = "entente enrolment package 1";

/// A signed package for one site.
#[derive(Debug)]
pub struct Package {
    site: String,
    certificate: CertificateDer<'static>,
    text: String,
}

impl Package {
    /// Signs the answer to `request`. The coordinator is reached at `url`, under `server_name` in its certificate.
    pub(super) fn sign(
        authority: &Authority,
        request: &Request,
        certificate: Certificate,
        url: &str,
        server_name: &str,
    ) -> Result<Self, EnrolError> {
        let coordinator = authority.identity().public();
        let body = Canonical::new("entente/v1/enrolment-package")
            .str(request.site())
            .str(request.legal_name())
            .array(&request.identity().0)
            .str(authority.name())
            .str(url)
            .str(server_name)
            .array(&coordinator.0)
            .bytes(certificate.der())
            .bytes(authority.certificate());
        let signature = authority.identity().sign("entente/v1/enrolment-package-signature", &body.digest());
        let text = PackageText {
            format: FORMAT,
            roster: RosterText {
                site: request.site(),
                legal_name: request.legal_name(),
                identity: request.identity().to_string(),
            },
            coordinator: CoordinatorText {
                name: authority.name(),
                url,
                server_name,
                identity: coordinator.to_string(),
            },
            certificate: certificate.pem(),
            authority: authority.certificate_pem(),
            signature: signature.to_string(),
        };
        let text = toml::to_string(&text).map_err(|_| EnrolError::Package)?;
        Ok(Self { site: request.site().to_owned(), certificate: certificate.into(), text })
    }

    /// The site that it is for.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// The site's certificate (DER).
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The file to send to the site.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[derive(Serialize)]
struct PackageText<'a> {
    format: &'static str,
    certificate: String,
    authority: &'a str,
    signature: String,
    roster: RosterText<'a>,
    coordinator: CoordinatorText<'a>,
}

#[derive(Serialize)]
struct RosterText<'a> {
    site: &'a str,
    legal_name: &'a str,
    identity: String,
}

#[derive(Serialize)]
struct CoordinatorText<'a> {
    name: &'a str,
    url: &'a str,
    server_name: &'a str,
    identity: String,
}
