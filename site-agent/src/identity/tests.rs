use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use secagg::PublicIdentity;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn private_keys_stay_private() {
    let state = tempfile::tempdir().unwrap();
    let made = create(state.path(), "S01", "General Hospital").unwrap();
    let directory = directory(state.path());
    assert_eq!(mode(state.path()), 0o700);
    assert_eq!(mode(&directory), 0o700);
    for file in [KEY, IDENTITY, REQUEST] {
        assert_eq!(mode(&directory.join(file)), 0o600, "{file}");
    }
    assert!(!made.text.contains("PRIVATE"));
    let secret = fs::read(directory.join(IDENTITY)).unwrap();
    let as_text = PublicIdentity(secret.try_into().unwrap()).to_string();
    assert!(!made.text.contains(&as_text));
    assert_eq!(request(state.path()).unwrap(), made);
}

#[test]
fn keys_are_never_overwritten() {
    let state = tempfile::tempdir().unwrap();
    let first = create(state.path(), "S01", "General Hospital").unwrap();
    let again = create(state.path(), "S01", "General Hospital");
    assert!(matches!(again, Err(IdentityError::Exists)));
    assert_eq!(request(state.path()).unwrap(), first);
}

#[test]
fn each_step_that_is_missing_is_named() {
    let state = tempfile::tempdir().unwrap();
    let now = Timestamp::now();
    let missing = load(state.path(), now).unwrap_err();
    assert!(matches!(missing, IdentityError::Missing));
    create(state.path(), "S01", "General Hospital").unwrap();
    let waiting = load(state.path(), now).unwrap_err();
    assert!(matches!(waiting, IdentityError::NotEnrolled));
    assert_eq!(waiting.blame(), Blame::Operator);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let state = tempfile::tempdir().unwrap();
    create(state.path(), "S01", "General Hospital").unwrap();
    let key = directory(state.path()).join(IDENTITY);
    fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    let error = load(state.path(), Timestamp::now()).unwrap_err();
    assert!(matches!(error, IdentityError::State(StateError::Exposed { mode: 0o644, .. })));
}

#[test]
fn names_are_checked_before_anything_is_written() {
    let state = tempfile::tempdir().unwrap();
    for site in ["", "../x", "a b", "-a", "é"] {
        let error = create(state.path(), site, "x").unwrap_err();
        assert!(matches!(error, IdentityError::SiteName), "{site:?}");
    }
    for name in ["", " x", "x\ny"] {
        let error = create(state.path(), "S01", name).unwrap_err();
        assert!(matches!(error, IdentityError::LegalName), "{name:?}");
    }
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
}
