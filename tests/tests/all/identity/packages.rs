//! From a request to an accepted package.

use jiff::Timestamp;
use site_agent::enrol::PackageError;
use site_agent::identity::{self, Blame, IdentityError};

use super::federation::{Coordinator, Site, days_ago};

fn refused(result: Result<identity::Identity, IdentityError>) -> PackageError {
    match result.unwrap_err() {
        IdentityError::Package(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn both_ends_agree_on_who_is_who() {
    let coordinator = Coordinator::new();
    let identity = coordinator.enrol("S01");
    let roster = coordinator::enrol::list(coordinator.state.path()).unwrap();
    assert_eq!(roster.len(), 1);
    assert_eq!(&roster[0].member(), identity.member());
    assert_eq!(identity.signing().public(), identity.member().identity);
    assert_eq!(identity.coordinator().identity, coordinator.authority.identity().public());
    assert_eq!(identity.coordinator().name, "Test study");
    assert_eq!(identity.coordinator().url, "https://localhost:7443");
    assert_eq!(roster[0].certificates[0].fingerprint, secagg::Digest::of(identity.certificate()));
    assert_eq!(roster[0].certificates[0].not_after.as_second(), identity.not_after().as_second());
}

#[test]
fn an_accepted_package_is_there_after_a_restart() {
    let (coordinator, site) = (Coordinator::new(), Site::new("S01"));
    let package = coordinator.approve(&site, Timestamp::now());
    let now = Timestamp::now();
    let accepted = identity::accept(site.path(), package.text(), &coordinator.fingerprint(), now).unwrap();
    let loaded = identity::load(site.path(), now).unwrap();
    assert_eq!(loaded.member(), accepted.member());
    assert_eq!(loaded.coordinator(), accepted.coordinator());
    assert_eq!(loaded.certificate(), accepted.certificate());
}

#[test]
fn a_wrong_fingerprint_is_refused() {
    let (coordinator, other, site) = (Coordinator::new(), Coordinator::new(), Site::new("S01"));
    let package = coordinator.approve(&site, Timestamp::now());
    let accept = |told: &str| identity::accept(site.path(), package.text(), told, Timestamp::now());
    let error = accept(&other.fingerprint()).unwrap_err();
    assert_eq!(error.to_string(), "the package's fingerprint is not the one told");
    assert_eq!(error.code(), "package_fingerprint");
    assert_eq!(error.blame(), Blame::Peer);
    assert_eq!(refused(accept("12-34")), PackageError::FingerprintText);
    assert!(matches!(identity::load(site.path(), Timestamp::now()), Err(IdentityError::NotEnrolled)));
    accept(&coordinator.fingerprint().to_uppercase().replace('-', " ")).unwrap();
}

#[test]
fn a_changed_package_is_refused() {
    let (coordinator, site) = (Coordinator::new(), Site::new("S01"));
    let package = coordinator.approve(&site, Timestamp::now());
    let accept = |text: &str| identity::accept(site.path(), text, &coordinator.fingerprint(), Timestamp::now());
    let replace = |from: &str, to: &str| {
        assert!(package.text().contains(from), "{from}");
        package.text().replace(from, to)
    };
    for changed in [
        replace("https://localhost:7443", "https://elsewhere:7443"),
        replace("\"localhost\"", "\"elsewhere\""),
        replace("General Hospital", "Generous Hospital"),
        replace("\"S01\"", "\"S02\""),
        replace("Test study", "Best study"),
    ] {
        assert_eq!(refused(accept(&changed)), PackageError::Signature);
    }
    // Whoever puts in a signing key of their own can sign, and is caught by the fingerprint.
    let mallory = Coordinator::new();
    let theirs = mallory.approve(&site, Timestamp::now());
    assert_eq!(refused(accept(theirs.text())), PackageError::Fingerprint);
    for garbled in [replace("package 1", "package 2"), replace("[roster]", "[rooster]"), String::new()] {
        assert_eq!(refused(accept(&garbled)), PackageError::Format);
    }
    accept(&package.text().replace('\n', "\r\n")).unwrap();
}

#[test]
fn a_package_for_other_keys_is_refused() {
    let coordinator = Coordinator::new();
    let (one, two) = (Site::new("S01"), Site::new("S02"));
    let package = coordinator.approve(&two, Timestamp::now());
    let result = identity::accept(one.path(), package.text(), &coordinator.fingerprint(), Timestamp::now());
    assert_eq!(refused(result), PackageError::RosterEntry);
}

#[test]
fn an_expired_certificate_says_when_and_what_to_do() {
    let (coordinator, site) = (Coordinator::new(), Site::new("S01"));
    let package = coordinator.approve(&site, days_ago(60));
    let fingerprint = coordinator.fingerprint();
    identity::accept(site.path(), package.text(), &fingerprint, days_ago(59)).unwrap();

    let error = identity::load(site.path(), Timestamp::now()).unwrap_err();
    let IdentityError::Expired(at) = error else { panic!("{error}") };
    assert_eq!(error.to_string(), format!("this site's certificate expired at {at}"));
    assert!(error.hint().contains("send the request file"));
    let early = identity::load(site.path(), days_ago(90)).unwrap_err();
    assert!(matches!(early, IdentityError::NotYetValid(_)));

    let renewed = coordinator.approve(&site, Timestamp::now());
    identity::accept(site.path(), renewed.text(), &fingerprint, Timestamp::now()).unwrap();
    identity::load(site.path(), Timestamp::now()).unwrap();
}

#[test]
fn a_renewal_is_announced_in_time() {
    let (coordinator, site) = (Coordinator::new(), Site::new("S01"));
    let package = coordinator.approve(&site, days_ago(0));
    let identity = identity::accept(site.path(), package.text(), &coordinator.fingerprint(), Timestamp::now()).unwrap();
    assert!(!identity.renewal_due(days_ago(1)));
    assert!(identity.renewal_due(days_ago(-1)));
}
