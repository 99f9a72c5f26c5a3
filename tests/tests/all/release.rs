//! The release of the reference study: bytes that give back every number of it.

use entente_tests::federation::plain;
use study::release::Release;

use crate::reference::{cohorts, protocol, rows};

#[test]
fn the_reference_study_comes_back_from_its_bytes() {
    let protocol = protocol();
    let plan = plain(&protocol, &cohorts(&protocol, &[rows()])).unwrap();
    let release = Release::of(&plan);
    let bytes = release.to_bytes();
    let read = Release::from_bytes(&bytes).unwrap();
    assert_eq!(read, release);
    assert_eq!(read.to_bytes(), bytes);
    assert!(read.results().estimates.len() > 100 && read.results().survival.len() > 10, "a study with all tables");
    assert_eq!(Release::of(&plan).digest(&protocol.digest), read.digest(&protocol.digest));
}
