use super::*;

fn authority() -> (tempfile::TempDir, Authority) {
    let state = tempfile::tempdir().unwrap();
    let authority = Authority::create(state.path(), "Test study", &["localhost".into()], Timestamp::now()).unwrap();
    (state, authority)
}

fn request(folder: &tempfile::TempDir, file: &str) -> String {
    create_key(&folder.path().join(file)).unwrap()
}

fn der(pem: &str) -> rustls::pki_types::CertificateDer<'static> {
    rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

#[test]
fn a_certificate_names_person_and_role() {
    let (state, authority) = authority();
    for role in Role::ALL {
        let person = Person::new("First (of two) \u{202e}persons", role).unwrap();
        let text = issue(&authority, &person, &request(&state, role.name()), 30, Timestamp::now()).unwrap();
        assert_eq!(person_of(&der(&text)), Some(person.clone()));
        let holder = holder(state.path(), &Digest::of(&der(&text))).unwrap().unwrap();
        assert_eq!(holder.person, person);
        let (_, certificate) = x509_parser::parse_x509_certificate(&der(&text))
            .map(|(r, c)| (r.len(), c.validity().not_after.timestamp()))
            .unwrap();
        assert_eq!(certificate, holder.not_after.as_second());
    }
    assert_eq!(list(state.path()).unwrap().len(), 3);
}

#[test]
fn names_are_checked() {
    for bad in ["", " a", "a ", "a\nb", &"x".repeat(49)] {
        assert!(matches!(Person::new(bad, Role::Auditor), Err(RoleError::Name)), "{bad:?}");
    }
    Person::new(&"x".repeat(48), Role::Operator).unwrap();
    assert!("Auditor".parse::<Role>().is_err());
}

#[test]
fn revoked_is_revoked_and_the_key_does_not_come_back() {
    let (state, authority) = authority();
    let now = Timestamp::now();
    let (one, two) = (request(&state, "1"), request(&state, "2"));
    let auditor = Person::new("First Auditor", Role::Auditor).unwrap();
    let analyst = Person::new("First Analyst", Role::Analyst).unwrap();
    let first = Digest::of(&der(&issue(&authority, &auditor, &one, 30, now).unwrap()));
    let second = Digest::of(&der(&issue(&authority, &analyst, &two, 30, now).unwrap()));

    assert!(matches!(issue(&authority, &analyst, &one, 30, now), Err(RoleError::Key)), "a key of somebody else");
    issue(&authority, &auditor, &one, 30, now).expect("a renewal");
    assert_eq!(revoke(state.path(), "First Auditor", now).unwrap().len(), 2);
    assert!(holder(state.path(), &first).unwrap().is_none());
    assert!(holder(state.path(), &second).unwrap().is_some());
    assert!(matches!(issue(&authority, &auditor, &one, 30, now), Err(RoleError::Key)), "revoked");
    assert_eq!(revoke(state.path(), &second.to_string()[..8], now).unwrap().len(), 1);
    assert!(matches!(revoke(state.path(), &second.to_string()[..7], now), Err(RoleError::Unknown)));
    let listed = std::fs::read_to_string(state.path().join("revoked")).unwrap();
    assert_eq!(listed.lines().count(), 1 + 3, "{listed}");
    assert!(listed.contains(&first.to_string()) && listed.contains(&second.to_string()));
}

#[test]
fn only_requests_are_certified() {
    let (state, authority) = authority();
    let person = Person::new("First Auditor", Role::Auditor).unwrap();
    let issue = |text: &str, days| issue(&authority, &person, text, days, Timestamp::now());
    let good = request(&state, "key");
    assert!(matches!(issue("", 30), Err(RoleError::Request)));
    assert!(matches!(issue(authority.certificate_pem(), 30), Err(RoleError::Request)));
    assert!(matches!(issue(&good, 0), Err(RoleError::Validity)));
    assert!(matches!(issue(&good, 5_000), Err(RoleError::Validity)));
    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let other = rcgen::CertificateParams::default().serialize_request(&other).unwrap().pem().unwrap();
    assert!(matches!(issue(&other, 30), Err(RoleError::KeyKind)));
    assert!(matches!(create_key(&state.path().join("key")), Err(RoleError::State(_))), "a key is never overwritten");
}
