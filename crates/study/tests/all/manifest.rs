//! Manifests and approvals: bytes, digests, signatures.

use secagg::canonical::CanonicalError;
use secagg::{Digest, SignatureError};
use study::manifest::{Approval, Manifest, ManifestError};
use study::plan::PLAN_VERSION;
use study::roster::{Roster, RosterError};

use crate::sample::{identity, manifest, member};

#[test]
fn bytes_round_trip_and_nothing_else_reads() {
    let manifest = manifest();
    let bytes = manifest.to_bytes();
    assert_eq!(Manifest::from_bytes(&bytes), Ok(manifest.clone()));
    assert_eq!(manifest.digest(), Digest::of(&bytes));
    for end in 0..bytes.len() {
        assert!(matches!(Manifest::from_bytes(&bytes[..end]), Err(ManifestError::Encoding(_))), "{end} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Manifest::from_bytes(&longer), Err(ManifestError::Encoding(CanonicalError::Trailing { left: 1 })));
}

#[test]
fn no_byte_of_a_manifest_can_change_without_its_digest() {
    let manifest = manifest();
    let bytes = manifest.to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        if let Ok(other) = Manifest::from_bytes(&changed) {
            assert_ne!(other.digest(), manifest.digest(), "byte {at}");
        }
    }
}

#[test]
fn a_manifest_of_another_plan_version_or_with_two_sites_is_not_read() {
    let mut other = manifest();
    other.plan_version = PLAN_VERSION + 1;
    let got = PLAN_VERSION + 1;
    assert_eq!(Manifest::from_bytes(&other.to_bytes()), Err(ManifestError::Version { got }));

    // The encoding of three sites with the same key: no constructor makes it, so bytes are changed.
    let bytes = manifest().to_bytes();
    let second = identity(2).public().0;
    let at = bytes.windows(32).position(|w| w == second).unwrap();
    let mut twice = bytes;
    twice[at..at + 32].copy_from_slice(&identity(1).public().0);
    assert!(matches!(
        Manifest::from_bytes(&twice),
        Err(ManifestError::Roster(RosterError::Member { reason: "has the identity key of another site", .. }))
    ));
}

#[test]
fn the_name_is_the_study_and_the_start_of_the_run() {
    assert_eq!(manifest().name(), "sample-abababab");
}

#[test]
fn only_the_named_coordinator_signs() {
    let manifest = manifest();
    assert_eq!(manifest.verify(&manifest.sign(&identity(9))), Ok(()));
    assert_eq!(manifest.verify(&manifest.sign(&identity(1))), Err(SignatureError));
    let mut later = manifest.clone();
    later.expires += 1;
    assert_eq!(later.verify(&manifest.sign(&identity(9))), Err(SignatureError));
}

#[test]
fn an_approval_is_of_one_site_manifest_policy_and_cohort() {
    let roster = manifest().roster;
    let (policy, cohort) = (Digest::of(b"policy"), Digest::of(b"cohort"));
    let approval = Approval::sign(&identity(2), 1, manifest().digest(), policy, cohort);
    assert_eq!(approval.verify(&roster), Ok(()));
    let changes: [fn(&mut Approval); 6] = [
        |a| a.site = 0,
        |a| a.site = 3,
        |a| a.manifest = Digest([1; 32]),
        |a| a.policy = Digest([1; 32]),
        |a| a.cohort = Digest([1; 32]),
        |a| a.signature.0[0] ^= 1,
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut changed = approval.clone();
        change(&mut changed);
        assert_eq!(changed.verify(&roster), Err(SignatureError), "change {i}");
    }
    let others = Roster::new(vec![member("A", 1), member("B", 4), member("C", 3)]).unwrap();
    assert_eq!(approval.verify(&others), Err(SignatureError));
}
