//! The request of a site to take part, as text for the coordinator's operator.
//!
//! The identity key signs `"entente/v1/enrolment-request-signature" | digest`, where the digest is that of
//! `"entente/v1/enrolment-request" | site | legal name | identity key | certificate request (DER)`.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use secagg::{Canonical, SigningIdentity};
use serde::{Deserialize, Serialize};
use study::roster::Member;

const FORMAT: &str = "entente enrolment request 1";

/// The text of a request of `member`, signed with both keys.
pub(crate) fn request_text(member: &Member, key: &KeyPair, identity: &SigningIdentity) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, member.id.as_str());
    let csr = params.serialize_request(key)?;
    let body = Canonical::new("entente/v1/enrolment-request")
        .str(&member.id)
        .str(&member.legal_name)
        .array(&member.identity.0)
        .bytes(csr.der());
    let text = RequestText {
        format: FORMAT.to_owned(),
        site: member.id.clone(),
        legal_name: member.legal_name.clone(),
        identity: member.identity.to_string(),
        signature: identity.sign("entente/v1/enrolment-request-signature", &body.digest()).to_string(),
        certificate_request: csr.pem()?,
    };
    toml::to_string(&text).map_err(|_| rcgen::Error::CouldNotParseCertificationRequest)
}

/// Who a request of our own was made for; `None` if the text is not one.
pub(crate) fn member_of_request(text: &str) -> Option<Member> {
    let RequestText { format, site, legal_name, identity, certificate_request: _, signature: _ } =
        toml::from_str(text).ok()?;
    (format == FORMAT).then_some(())?;
    Some(Member { id: site, legal_name, identity: identity.parse().ok()? })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestText {
    format: String,
    site: String,
    legal_name: String,
    identity: String,
    signature: String,
    certificate_request: String,
}
