use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType,
};
use rustls::pki_types::CertificateDer;
use secagg::{Canonical, PublicIdentity, SigningIdentity};
use x509_parser::prelude::{ParsedExtension, X509Certificate};

use super::*;

const URL: &str = "https://localhost:7443";

/// A site that asks, with keys that are easy to repeat.
struct Asker {
    identity: SigningIdentity,
    key: KeyPair,
    params: CertificateParams,
}

impl Asker {
    fn new(seed: u8) -> Self {
        Self {
            identity: SigningIdentity::from_bytes(&[seed; 32]),
            key: KeyPair::generate().unwrap(),
            params: CertificateParams::default(),
        }
    }

    fn request(&self, site: &str, legal_name: &str) -> String {
        let csr = self.params.serialize_request(&self.key).unwrap();
        let identity = self.identity.public();
        let body = Canonical::new("entente/v1/enrolment-request")
            .str(site)
            .str(legal_name)
            .array(&identity.0)
            .bytes(csr.der());
        let signature = self.identity.sign("entente/v1/enrolment-request-signature", &body.digest());
        format!(
            "format = \"entente enrolment request 1\"\nsite = \"{site}\"\nlegal_name = \"{legal_name}\"\n\
             identity = \"{identity}\"\nsignature = \"{signature}\"\ncertificate_request = \"\"\"\n{}\"\"\"\n",
            csr.pem().unwrap()
        )
    }
}

fn authority(state: &Path) -> Authority {
    Authority::create(state, "Test study", &["localhost".into()], Timestamp::now()).unwrap()
}

fn approval(site: &str) -> Approval<'_> {
    Approval { site, legal_name: "General Hospital", url: URL, valid_days: 30 }
}

fn enrol(authority: &Authority, asker: &Asker, site: &str) -> Result<Package, EnrolError> {
    let request = asker.request(site, "General Hospital");
    approve(authority, &request, &approval(site), Timestamp::now())
}

fn parsed<'a>(certificate: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    x509_parser::parse_x509_certificate(certificate).unwrap().1
}

#[test]
fn an_approved_site_is_on_the_roster() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let asker = Asker::new(1);
    let package = enrol(&authority, &asker, "S01").unwrap();
    assert_eq!(package.site(), "S01");

    let roster = list(state.path()).unwrap();
    assert_eq!(roster.len(), 1);
    let enrolled = &roster[0];
    assert_eq!(enrolled.site, "S01");
    assert_eq!(enrolled.legal_name, "General Hospital");
    assert_eq!(enrolled.identity, asker.identity.public());
    assert_eq!(enrolled.revoked_at, None);
    let [issued] = enrolled.certificates.as_slice() else {
        panic!("one certificate");
    };
    assert_eq!(issued.fingerprint, Digest::of(package.certificate()));
    let certificate = parsed(package.certificate());
    assert_eq!(certificate.validity().not_after.timestamp(), issued.not_after.as_second());
    assert_eq!(load(state.path(), "S01").unwrap().as_ref(), Some(enrolled));
    assert_eq!(load(state.path(), "S02").unwrap(), None);
}

#[test]
fn only_the_public_key_is_taken_from_a_certificate_request() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let mut asker = Asker::new(1);
    let greedy = &mut asker.params;
    greedy.distinguished_name.push(DnType::CommonName, "S02");
    greedy.distinguished_name.push(DnType::OrganizationName, "Coordinator");
    greedy.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    greedy.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    greedy.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    greedy.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];

    let package = enrol(&authority, &asker, "S01").unwrap();
    let certificate = parsed(package.certificate());
    assert_eq!(certificate.subject().to_string(), "CN=S01");
    assert!(!certificate.is_ca());
    assert!(certificate.subject_alternative_name().unwrap().is_none());
    let usage = certificate.key_usage().unwrap().unwrap().value;
    assert!(usage.digital_signature() && !usage.key_cert_sign());
    let extended = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.client_auth && !extended.server_auth && !extended.any);
    let unknown = certificate
        .extensions()
        .iter()
        .filter(|e| matches!(e.parsed_extension(), ParsedExtension::UnsupportedExtension { .. }));
    assert_eq!(unknown.count(), 0);
    assert_eq!(certificate.public_key().raw, rcgen::PublicKeyData::subject_public_key_info(&asker.key));
}

#[test]
fn a_changed_request_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let asker = Asker::new(1);
    let good = asker.request("S01", "General Hospital");
    let other = Asker::new(2);
    let replace = |from: &str, to: &str| {
        assert!(good.contains(from));
        good.replace(from, to)
    };
    let key = |a: &Asker| a.identity.public().to_string();
    let pem = |a: &Asker| a.params.serialize_request(&a.key).unwrap().pem().unwrap();
    let with_other_csr = {
        let start = good.find("-----BEGIN").unwrap();
        format!("{}{}\"\"\"\n", &good[..start], pem(&other))
    };
    for tampered in [
        replace("\"S01\"", "\"S02\""),
        replace("General", "Generous"),
        replace(&key(&asker), &key(&other)),
        with_other_csr,
    ] {
        let error = Request::parse(&tampered).unwrap_err();
        assert!(matches!(error, EnrolError::RequestSignature), "{error}");
        assert_eq!(error.blame(), Blame::Peer);
    }
    for garbled in
        [replace("request 1", "request 2"), replace("site =", "place ="), format!("extra = 1\n{good}"), String::new()]
    {
        let error = Request::parse(&garbled).unwrap_err();
        assert!(matches!(error, EnrolError::RequestFormat), "{error}");
    }
    assert!(approve(&authority, &good, &approval("S01"), Timestamp::now()).is_ok());
}

#[test]
fn line_ends_of_mail_do_no_harm() {
    let request = Asker::new(1).request("S01", "General Hospital");
    Request::parse(&request.replace('\n', "\r\n")).unwrap();
}

#[test]
fn the_operator_approves_what_the_request_says() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let now = Timestamp::now();
    let request = Asker::new(1).request("S01", "General Hospital");
    let error = approve(&authority, &request, &approval("S02"), now).unwrap_err();
    assert!(matches!(error, EnrolError::OtherSite { .. }));
    let other_name = Approval { legal_name: "Another", ..approval("S01") };
    let error = approve(&authority, &request, &other_name, now).unwrap_err();
    assert!(matches!(error, EnrolError::OtherLegalName { .. }));
    for valid_days in [0, MAX_VALID_DAYS + 1] {
        let days = Approval { valid_days, ..approval("S01") };
        let error = approve(&authority, &request, &days, now).unwrap_err();
        assert!(matches!(error, EnrolError::Validity));
    }
    for url in [
        "http://localhost:7443",
        "https://localhost",
        "https://example.org:7443",
        "https://localhost:7443/path",
        "localhost:7443",
        "",
    ] {
        let url = Approval { url, ..approval("S01") };
        let error = approve(&authority, &request, &url, now).unwrap_err();
        assert!(matches!(error, EnrolError::Url), "{url:?}");
    }
    assert!(list(state.path()).unwrap().is_empty());
}

#[test]
fn a_certificate_does_not_outlive_the_authority() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let request = Asker::new(1).request("S01", "General Hospital");
    let late = Timestamp::now() + SignedDuration::from_hours(24 * 3_640);
    let error = approve(&authority, &request, &approval("S01"), late).unwrap_err();
    assert!(matches!(error, EnrolError::Validity));
}

#[test]
fn other_kinds_of_keys_are_refused() {
    let mut asker = Asker::new(1);
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        asker.key = KeyPair::generate_for(algorithm).unwrap();
        let error = Request::parse(&asker.request("S01", "x")).unwrap_err();
        assert!(matches!(error, EnrolError::KeyKind));
    }
}

#[test]
fn names_that_are_no_names_are_refused() {
    let asker = Asker::new(1);
    for site in ["", "../S01", "S 01", "-S01", "é", &"s".repeat(33)] {
        let error = Request::parse(&asker.request(site, "x")).unwrap_err();
        assert!(matches!(error, EnrolError::SiteName), "{site:?}");
    }
    for name in ["", " x", "x\\ny", &"x".repeat(201)] {
        let error = Request::parse(&asker.request("S01", name)).unwrap_err();
        assert!(matches!(error, EnrolError::LegalName), "{name:?}");
    }
}

#[test]
fn the_same_identity_again_is_a_renewal() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let mut asker = Asker::new(1);
    enrol(&authority, &asker, "S01").unwrap();
    enrol(&authority, &asker, "S01").unwrap();
    asker.key = KeyPair::generate().unwrap();
    enrol(&authority, &asker, "S01").unwrap();
    let enrolled = load(state.path(), "S01").unwrap().unwrap();
    assert_eq!(enrolled.certificates.len(), 3);
}

#[test]
fn keys_serve_one_site() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let asker = Asker::new(1);
    enrol(&authority, &asker, "S01").unwrap();
    let same_identity = Asker::new(1);
    let same_key = Asker { key: KeyPair::from_pem(&asker.key.serialize_pem()).unwrap(), ..Asker::new(2) };
    for copy in [&same_identity, &same_key] {
        let error = enrol(&authority, copy, "S02").unwrap_err();
        assert!(matches!(error, EnrolError::SharedKey(_)), "{error}");
    }
    for site in ["S01", "s01"] {
        let error = enrol(&authority, &Asker::new(3), site).unwrap_err();
        assert!(matches!(error, EnrolError::Enrolled(_)), "{error}");
    }
}

#[test]
fn revoked_keys_do_not_come_back() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let old = Asker::new(1);
    let package = enrol(&authority, &old, "S01").unwrap();
    let now = Timestamp::now();
    let unknown = revoke(state.path(), "S02", now);
    assert!(matches!(unknown, Err(EnrolError::UnknownSite)));
    let revoked = revoke(state.path(), "S01", now).unwrap();
    assert_eq!(revoked.revoked_at, Some(now));
    assert_eq!(revoke(state.path(), "S01", now).unwrap(), revoked);
    let list = roster::revoked(state.path()).unwrap();
    assert!(list.contains(&Digest::of(package.certificate())) && list.len() == 1);

    let refused = |asker: &Asker, site| {
        let error = enrol(&authority, asker, site).unwrap_err();
        assert!(matches!(error, EnrolError::RevokedKey), "{error}");
    };
    refused(&old, "S01");
    refused(&old, "S02");
    let new = Asker::new(2);
    enrol(&authority, &new, "S01").unwrap();
    refused(&old, "S01");
    let old_key = Asker { key: KeyPair::from_pem(&old.key.serialize_pem()).unwrap(), ..Asker::new(2) };
    refused(&old_key, "S01");
    let enrolled = load(state.path(), "S01").unwrap().unwrap();
    assert_eq!(enrolled.identity, new.identity.public());
    assert_eq!(enrolled.retired, [old.identity.public()]);
    assert_eq!(enrolled.revoked_at, None);
}

#[test]
fn lists_of_revoked_certificates_are_read_strictly() {
    let digest = Digest::of(b"x");
    let text = format!("# comment\n\n  {digest}  # S01\n");
    assert_eq!(parse_revoked(&text), Some([digest].into()));
    assert_eq!(parse_revoked(""), Some([].into()));
    assert_eq!(parse_revoked("S01"), None);
    assert_eq!(parse_revoked(&digest.to_string()[..63]), None);
}

#[test]
fn every_site_of_a_large_study_is_enrolled_quickly() {
    let state = tempfile::tempdir().unwrap();
    let authority = authority(state.path());
    let started = std::time::Instant::now();
    let keys: Vec<PublicIdentity> = (1..=45)
        .map(|i| {
            let asker = Asker::new(i);
            enrol(&authority, &asker, &format!("S{i:02}")).unwrap();
            asker.identity.public()
        })
        .collect();
    println!("45 sites enrolled in {:?}", started.elapsed());
    let roster: Vec<_> = list(state.path()).unwrap().iter().map(|e| e.identity).collect();
    assert_eq!(roster, keys);
}
