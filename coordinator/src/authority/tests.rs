use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;

fn authority(state: &Path) -> Authority {
    Authority::create(state, "Test study", &["localhost".into()], Timestamp::now()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_created_is_loaded() {
    let state = tempfile::tempdir().unwrap();
    let made = authority(state.path());
    let loaded = Authority::load(state.path()).unwrap();
    assert_eq!(loaded.fingerprint(), made.fingerprint());
    assert_eq!(loaded.name(), "Test study");
    assert_eq!(loaded.hosts(), ["localhost"]);
    assert_eq!(loaded.identity().public(), made.identity().public());
}

#[test]
fn only_the_owner_can_read() {
    let state = tempfile::tempdir().unwrap();
    authority(state.path());
    let directory = directory(state.path());
    assert_eq!(mode(state.path()), 0o700);
    assert_eq!(mode(&directory), 0o700);
    for file in [KEY, CERTIFICATE, SERVER, IDENTITY, SETTINGS] {
        assert_eq!(mode(&directory.join(file)), 0o600, "{file}");
    }

    fs::set_permissions(directory.join(KEY), Permissions::from_mode(0o640)).unwrap();
    let error = Authority::load(state.path()).unwrap_err();
    assert!(matches!(error, AuthorityError::State(StateError::Exposed { mode: 0o640, .. })));
    assert_eq!(error.hint(), "set the file's mode to 600");
}

#[test]
fn an_authority_is_never_overwritten() {
    let state = tempfile::tempdir().unwrap();
    let first = authority(state.path()).fingerprint();
    let again = Authority::create(state.path(), "x", &["localhost".into()], Timestamp::now());
    assert!(matches!(again, Err(AuthorityError::Exists)));
    assert_eq!(Authority::load(state.path()).unwrap().fingerprint(), first);
}

#[test]
fn an_interrupted_creation_leaves_nothing_in_the_way() {
    let state = tempfile::tempdir().unwrap();
    let partial = state.path().join("authority.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join(KEY), "half").unwrap();
    assert!(matches!(Authority::load(state.path()), Err(AuthorityError::Missing)));
    authority(state.path());
    Authority::load(state.path()).unwrap();
    assert!(!partial.exists());
}

#[test]
fn names_and_hosts_are_checked() {
    let state = tempfile::tempdir().unwrap();
    let create = |name: &str, hosts: &[&str]| {
        let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        Authority::create(state.path(), name, &hosts, Timestamp::now())
    };
    assert!(matches!(create("x", &[]), Err(AuthorityError::NoHost)));
    assert!(matches!(create("x", &["a b"]), Err(AuthorityError::Host(_))));
    assert!(matches!(create("  ", &["localhost"]), Err(AuthorityError::Name)));
    create("x", &["localhost", "127.0.0.1", "::1"]).unwrap();
}

#[test]
fn a_key_of_another_authority_is_noticed() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    authority(one.path());
    authority(other.path());
    fs::copy(directory(other.path()).join(KEY), directory(one.path()).join(KEY)).unwrap();
    assert!(matches!(Authority::load(one.path()), Err(AuthorityError::Damaged(CERTIFICATE))));
}

#[test]
fn fingerprints_are_read_as_people_type_them() {
    let state = tempfile::tempdir().unwrap();
    let fingerprint = authority(state.path()).fingerprint();
    let text = fingerprint.to_string();
    assert_eq!(text.len(), 16 * 4 + 15);
    assert_eq!(text.parse(), Ok(fingerprint));
    let typed = text.to_uppercase().replace('-', " : ");
    assert_eq!(typed.parse(), Ok(fingerprint));
    assert!("12-34".parse::<Fingerprint>().is_err());
}
