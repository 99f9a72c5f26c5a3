//! A person's certificate opens no site's connection.

use jiff::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose};
use rustls::AlertDescription;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use coordinator::role::{Person, Role, UNIT, create_key, issue};

use super::federation::Coordinator;
use super::log::Log;
use super::raw::{Client, rogue};

#[tokio::test]
async fn a_person_is_not_a_site() {
    let log = Log::capture();
    let coordinator = Coordinator::new();
    let listener = coordinator.listen().await;
    for role in Role::ALL {
        // The name is one that a site may have.
        let person = Person::new("S01", role).unwrap();
        let path = coordinator.state.path().join(role.name());
        let request = create_key(&path).unwrap();
        let certificate = issue(&coordinator.authority, &person, &request, 30, Timestamp::now()).unwrap();
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_file(&path).unwrap();
        let attempt = Client::with_certificate(&coordinator, certificate, key).attempt(listener.address).await;
        assert_eq!(attempt.alert(), AlertDescription::AccessDenied);
        let peer = attempt.local.to_string();
        assert!(log.line(&peer).await.ends_with("reason=\"not_a_site\""));
    }
}

#[tokio::test]
async fn the_unit_alone_shuts_out() {
    let coordinator = Coordinator::new();
    let listener = coordinator.listen().await;
    for (unit, refused) in [(UNIT, true), ("ENTENTE PERSON", true), ("Department of statistics", false)] {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationalUnitName, unit);
        params.distinguished_name.push(DnType::CommonName, "S01");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = rogue(&coordinator, &params);
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let attempt = Client::with_certificate(&coordinator, certificate.into(), key).attempt(listener.address).await;
        assert_eq!(attempt.outcome.is_err(), refused, "{unit}");
    }
}
