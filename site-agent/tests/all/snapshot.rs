//! The frozen cohort survives a round trip bit by bit; damage of any kind is found and named.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use secagg::digest::Digest;
use site_agent::snapshot::{SnapshotError, read, write};
use study::cohort::Cohort;

use crate::study_files::{protocol, rows};

fn cohort() -> Cohort {
    rows(&["P1,old,63.25,I,0,10", "P2,new,,,1,", "P3,new,18,III,,4000"]).unwrap().cohort
}

#[test]
fn round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study/cohort.snapshot");
    let (cohort, protocol) = (cohort(), protocol(""));
    let digest = write(&path, &cohort, &protocol).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(Digest::of(&bytes), digest);
    let mode = |p: &std::path::Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));

    let again = read(&path, &digest, &protocol).unwrap();
    // NaN differs from itself, so the bits are compared: written again they give the same digest.
    assert_eq!(again.rows(), 3);
    assert_eq!(write(&path, &again, &protocol).unwrap(), digest);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn an_unfinished_file_of_a_crash_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cohort.snapshot");
    let unfinished = folder.path().join("cohort.snapshot.unfinished");
    fs::write(&unfinished, "half").unwrap();
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o644)).unwrap();
    let digest = write(&path, &cohort(), &protocol("")).unwrap();
    assert!(read(&path, &digest, &protocol("")).is_ok());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn zero_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cohort.snapshot");
    let empty = rows(&[]).unwrap().cohort;
    let digest = write(&path, &empty, &protocol("")).unwrap();
    assert!(read(&path, &digest, &protocol("")).unwrap() == empty);
}

#[test]
fn every_damaged_byte_and_every_length_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cohort.snapshot");
    let protocol = protocol("");
    let digest = write(&path, &cohort(), &protocol).unwrap();
    let bytes = fs::read(&path).unwrap();
    let damaged = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        read(&path, &digest, &protocol).unwrap_err()
    };
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        damaged(&changed);
    }
    for length in 0..bytes.len() {
        let error = damaged(&bytes[..length]);
        assert!(matches!(error, SnapshotError::Truncated | SnapshotError::Foreign), "{length}: {error}");
    }
    let last = bytes.len() - 1;
    let changed: Vec<u8> = bytes[..last].iter().copied().chain([bytes[last] ^ 0x80]).collect();
    assert_eq!(damaged(&changed), SnapshotError::Altered);
    assert_eq!(damaged(&bytes[..last]), SnapshotError::Truncated);
    assert_eq!(damaged(&[&bytes[..], b"xy"].concat()), SnapshotError::Trailing(2));
    assert_eq!(damaged(b"patient,age\n"), SnapshotError::Foreign);
    fs::remove_file(&path).unwrap();
    assert_eq!(read(&path, &digest, &protocol).unwrap_err(), SnapshotError::Absent);
}

#[test]
fn another_protocol_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cohort.snapshot");
    let digest = write(&path, &cohort(), &protocol("")).unwrap();
    let other = protocol("[[eligibility]]\nlabel = \"adult\"\nrequire = \"age >= 18\"");
    assert_eq!(read(&path, &digest, &other).unwrap_err(), SnapshotError::OtherProtocol);
    let code = SnapshotError::OtherProtocol.code();
    assert_eq!(code, "snapshot.other_protocol");
}
