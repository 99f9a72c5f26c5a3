//! Releases: one string of bytes for one set of tables, and no harm from any other bytes; the keys of `[release]`.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::protocol::{Protocol, ReleaseOpening, ReleaseRules, ReleasedCurves};
use study::release::{LONGEST, Release, ReleaseError};
use study::word;

use crate::sample::{PROTOCOL, cohort};

const SCENARIO: &str = "\n[[scenario]]\nname = \"again\"\nlabel = \"The same again\"\nmodels = [\"unadjusted\"]\n";

/// The release of the sample's six patients: models fail, tables and a scenario stand.
fn release() -> Release {
    with_rules("")
}

fn with_rules(rules: &str) -> Release {
    let text = format!(
        "{rules}{PROTOCOL}\n[[analysis]]\nkind = \"baseline\"\nvariables = [\"age\", \"stage\", \"cured\"]\n{SCENARIO}"
    );
    let protocol = Arc::new(Protocol::parse(&text).unwrap());
    let mut cohort = cohort();
    cohort.scenarios = vec![study::cohort::Cohort { scenarios: Vec::new(), ..cohort.clone() }];
    let site = Evaluator::new(&protocol, &cohort, 1, true);
    let mut plan = Plan::new(Arc::clone(&protocol));
    while !plan.done() {
        let words: Vec<i128> = plan.ask().iter().flat_map(|q| site.answer(q).unwrap()).collect();
        plan.tell(&word::read(&words, 1));
    }
    Release::of(&plan)
}

#[test]
fn bytes_give_back_the_tables() {
    let release = release();
    assert_eq!(release.results().scenarios.len(), 1);
    assert!(!release.results().scenarios[0].results.flow.is_empty() && !release.results().balance.is_empty());
    let bytes = release.to_bytes();
    let read = Release::from_bytes(&bytes).unwrap();
    // rows may hold what is no number, so that bytes are compared
    assert_eq!(read.to_bytes(), bytes);
    let manifest = secagg::Digest([7; 32]);
    assert_eq!(read.digest(&manifest), Release::digest_of(&manifest, &bytes));
    assert_ne!(read.digest(&secagg::Digest([8; 32])), read.digest(&manifest));
}

#[test]
fn numbers_keep_their_bits() {
    // a floor hides means of so few
    let release = with_rules("[release]\nminimum_cell = 1\nminimum_leavers = 1\n");
    let spread = release.results().balance[0].control.spread.unwrap();
    let bytes = release.to_bytes();
    let places: Vec<usize> = (0..bytes.len() - 8).filter(|at| bytes[*at..at + 8] == spread.to_le_bytes()).collect();
    let [at] = places[..] else { panic!("one place: {places:?}") };
    let odd =
        [f64::NAN, f64::from_bits(0xfff8_0000_0000_0001), f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, 0.1 + 0.2];
    for number in odd {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        let read = Release::from_bytes(&bytes).unwrap();
        assert_eq!(read.results().balance[0].control.spread.map(f64::to_bits), Some(number.to_bits()));
        assert_eq!(read.to_bytes(), bytes);
    }
}

#[test]
fn other_bytes_are_refused() {
    let bytes = release().to_bytes();
    for end in 0..bytes.len() {
        assert!(Release::from_bytes(&bytes[..end]).is_err(), "{end} bytes of it");
    }
    assert_eq!(Release::from_bytes(&[&bytes[..], &[0]].concat()), Err(ReleaseError::Frame));
    assert_eq!(Release::from_bytes(&vec![0; LONGEST + 1]), Err(ReleaseError::Long { got: LONGEST + 1 }));
    let other = secagg::Canonical::new("entente/v1/manifest").bytes(&[0; 15]).finish();
    assert_eq!(Release::from_bytes(&other), Err(ReleaseError::Frame));
    let framed = |rows: &[u8]| secagg::Canonical::new("entente/v1/release").bytes(rows).finish();
    // 16 empty tables and no scenario; then a length that promises more rows than memory, and a 0 in two bytes.
    assert!(Release::from_bytes(&framed(&[0; 17])).is_ok());
    assert_eq!(Release::from_bytes(&framed(&[0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0])), Err(ReleaseError::Rows));
    assert_eq!(Release::from_bytes(&framed(&[&[0x80, 0][..], &[0; 16]].concat())), Err(ReleaseError::Encoding));
    assert_eq!(Release::from_bytes(&framed(&[0; 18])), Err(ReleaseError::Encoding));
}

proptest! {
    #[test]
    fn a_changed_byte_is_refused_or_another_release(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = release().to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(read) = Release::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }

    #[test]
    fn no_bytes_do_harm(rows in vec(any::<u8>(), 0..400)) {
        let framed = secagg::Canonical::new("entente/v1/release").bytes(&rows).finish();
        prop_assert!(Release::from_bytes(&rows).is_err());
        if let Ok(read) = Release::from_bytes(&framed) {
            prop_assert_eq!(read.to_bytes(), framed);
        }
    }
}

#[test]
fn the_table_release_and_its_defaults() {
    let rules = |table: &str| Protocol::parse(&format!("{PROTOCOL}{table}")).map(|p| p.release);
    let strict = ReleaseRules {
        opening: ReleaseOpening::Results,
        minimum_cell: 5,
        minimum_leavers: 5,
        curves: ReleasedCurves::Grid,
    };
    assert_eq!(rules(""), Ok(strict));
    assert_eq!(rules("\n[release]\n"), Ok(strict));
    let other = "\n[release]\nopening = \"totals\"\nminimum_cell = 3\nminimum_leavers = 7\ncurves = \"merged\"\n";
    let expected = ReleaseRules {
        opening: ReleaseOpening::Totals,
        minimum_cell: 3,
        minimum_leavers: 7,
        curves: ReleasedCurves::Merged,
    };
    assert_eq!(rules(other), Ok(expected));
    let protocol = Protocol::parse(&format!("{PROTOCOL}{other}{SCENARIO}")).unwrap();
    assert_eq!(protocol.scenarios[0].protocol.release, expected, "a scenario has the floors of the study");
    assert_ne!(protocol.digest, Protocol::parse(&format!("{PROTOCOL}{SCENARIO}")).unwrap().digest);
}

#[test]
fn mistakes_of_the_table_release() {
    let text = "\n[release]\nopening = \"totalls\"\ncurves = \"exact\"\nminimum_cell = 0\nminimum_leavers = 101\nminimum = 2\n";
    let mistakes = Protocol::parse(&format!("{PROTOCOL}{text}")).unwrap_err().0;
    let found: Vec<String> =
        mistakes.iter().map(|m| m.to_string().split_once(": ").expect("a line").1.to_owned()).collect();
    assert_eq!(
        found,
        [
            "release.opening: `totalls` is not known (known: totals, results); did you mean `totals`?",
            "release.curves: `exact` is not known (known: grid, merged); use one of these",
            "release.minimum_cell: expected 1 to 100 patients; such as 5",
            "release.minimum_leavers: expected 1 to 100 patients; such as 5",
            "release.minimum: is not a known key; known: curves, minimum_cell, minimum_leavers, opening",
        ]
    );
}
