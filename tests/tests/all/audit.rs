//! Ledgers of a whole federation: exported, verified, changed.

use std::sync::Arc;

use entente_tests::federation::{Federation, bits};
use study::audit::{Bundle, Party, Report, verify};
use study::release::Release;

use crate::small;

/// A run that has ended, and its bundles: three sites, then the coordinator.
fn federation() -> Federation {
    let protocol = small::protocol();
    let cohorts = small::three_sites(&protocol, &small::rows(60));
    let mut run = Federation::new(Arc::clone(&protocol), cohorts, 5);
    run.run();
    assert!(run.finished(), "{:?} {:?}", run.refusals, run.faults);
    run
}

fn bundles(run: &Federation) -> Vec<Bundle> {
    let parties = (0..3).map(Party::Site).chain([Party::Coordinator]);
    parties.map(|party| run.bundle(party, &small::text())).collect()
}

fn places(report: &Report) -> Vec<String> {
    report.findings.iter().map(|f| format!("{:?} {}: {}", f.party, f.place, f.what)).collect()
}

#[test]
fn every_bundle_of_an_honest_run_holds_and_leads_to_its_release() {
    let run = federation();
    let bundles = bundles(&run);
    let released = Release::of(run.plan()).digest(&run.manifest().digest());
    for bundle in &bundles {
        let report = verify(std::slice::from_ref(bundle));
        assert!(report.holds(), "{:?}", places(&report));
        assert_eq!(report.release.unwrap().digest(&run.manifest().digest()), released);
        assert_eq!(report.recomputed, bundle.party != Party::Coordinator);
        let [summary] = report.bundles.as_slice() else { panic!("one bundle, one summary") };
        assert!(summary.closed && summary.rounds > 5 && summary.signatures > 50, "{summary:?}");
    }
    let report = verify(&bundles);
    assert!(report.holds(), "{:?}", places(&report));
    let coordinator = &report.bundles[3];
    let (follow, all) = coordinator.fits.unwrap();
    assert_eq!((follow, all > 0), (all, true), "fits that stand in what the coordinator opened");
    assert!(coordinator.sealed > 0 && coordinator.opened > 0);
    let page = report.page(|seconds| seconds.to_string());
    println!("{page}");
    assert!(page.contains("Everything holds.") && page.contains("computed again from the sums"), "{page}");
    assert_eq!(run.bits(), bits(run.plan()));
}

/// The file with one change must not verify, and somebody must be told where.
fn assert_found(bytes: &[u8], what: &str) -> Vec<String> {
    match Bundle::from_bytes(bytes) {
        Err(place) => vec![place.to_string()],
        Ok(bundle) => {
            let report = verify(&[bundle]);
            assert!(!report.holds(), "{what}: nothing was found");
            places(&report)
        }
    }
}

#[test]
fn any_flipped_byte_is_found() {
    let run = federation();
    for bundle in bundles(&run) {
        let bytes = bundle.to_bytes();
        // every byte of the beginning, the end and some entries; through the rest in steps that are no multiple of a word
        let dense = 600.min(bytes.len());
        let places = (0..dense).chain((dense..bytes.len() - 200).step_by(397)).chain(bytes.len() - 200..bytes.len());
        for at in places {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert_found(&changed, &format!("{:?}, byte {at}", bundle.party));
        }
    }
}

#[test]
fn entries_that_are_dropped_reordered_or_cut_off_are_found_where_they_stood() {
    let run = federation();
    for bundle in bundles(&run) {
        for number in 1..=bundle.entries.len() {
            let mut dropped = bundle.clone();
            dropped.entries.remove(number - 1);
            let found = assert_found(&dropped.to_bytes(), &format!("{:?} without entry {number}", bundle.party));
            assert!(found.iter().any(|place| place.contains(&format!("entry {number}"))), "{number}: {found:?}");
            let mut cut = bundle.clone();
            cut.entries.truncate(number - 1);
            let found = assert_found(&cut.to_bytes(), &format!("{:?} cut before entry {number}", bundle.party));
            assert!(found.iter().any(|place| place.contains(&format!("entry {number}"))), "{number}: {found:?}");
        }
        for number in 1..bundle.entries.len() {
            let mut exchanged = bundle.clone();
            exchanged.entries.swap(number - 1, number);
            let found = assert_found(&exchanged.to_bytes(), &format!("{:?}, entries from {number}", bundle.party));
            assert!(found.iter().any(|place| place.contains(&format!("entry {number}"))), "{number}: {found:?}");
        }
        let bytes = bundle.to_bytes();
        for cut in (1..bytes.len()).step_by(1009) {
            assert_found(&bytes[..bytes.len() - cut], "cut off");
        }
        assert_found(&[&bytes[..], &[0]].concat(), "one byte more");
    }
}

/// A party that writes its ledger anew, with keys and all, and signs it.
fn rewritten(run: &Federation, party: Party, change: impl Fn(&mut Vec<Vec<u8>>)) -> Bundle {
    let mut bundle = run.bundle(party, &small::text());
    change(&mut bundle.entries);
    run.sign(bundle)
}

#[test]
fn a_ledger_that_its_own_party_wrote_anew_is_caught_by_its_witnesses() {
    use study::ledger::{Chain, Entry};
    use study::machine::coordinator::CoordinatorRecord;
    use study::machine::site::SiteRecord;

    let run = federation();
    let manifest = run.manifest().digest();
    // site 1 hides that a request was refused, or that somebody else approved: another actor in the first entry
    let forked = rewritten(&run, Party::Site(1), |entries| {
        let (mut old, mut new) = (Chain::new(manifest), Chain::new(manifest));
        for entry in entries {
            let Entry { time, record, .. } = old.next::<SiteRecord>(entry).unwrap();
            let actor = if new.entries() == 0 { "Somebody else" } else { "site-agent" };
            *entry = new.append(time, actor, &record);
        }
    });
    // alone: the heads that it signed before stand in the requests, which the coordinator and the others signed
    let report = verify(std::slice::from_ref(&forked));
    assert!(
        places(&report).iter().any(|p| p.contains("lacks the entry that its party signed")),
        "{:?}",
        places(&report)
    );
    let others = [forked, run.bundle(Party::Site(2), &small::text())];
    let report = verify(&others);
    let named = report.findings.iter().find(|f| f.place == study::audit::Place::Between(Party::Site(2)));
    assert_eq!(named.map(|finding| finding.party), Some(Party::Site(1)), "{:?}", places(&report));

    // the coordinator drops its last request and everything after it, and signs what is left
    let shortened = rewritten(&run, Party::Coordinator, |entries| {
        let mut chain = Chain::new(manifest);
        let is_request = |entry: &[u8]| {
            let record = chain.next::<CoordinatorRecord>(entry).unwrap().record;
            matches!(record, CoordinatorRecord::Requested { .. })
        };
        let requests: Vec<bool> = entries.iter().map(Vec::as_slice).map(is_request).collect();
        entries.truncate(requests.iter().rposition(|r| *r).unwrap());
    });
    assert!(verify(std::slice::from_ref(&shortened)).holds(), "an older export is no lie by itself");
    let report = verify(&[shortened, run.bundle(Party::Site(0), &small::text())]);
    let named = report.findings.iter().find(|f| f.place == study::audit::Place::Between(Party::Site(0)));
    assert_eq!(named.map(|finding| finding.party), Some(Party::Coordinator), "{:?}", places(&report));
}

#[test]
fn a_policy_that_was_exchanged_is_found() {
    let run = federation();
    let mut bundle = run.bundle(Party::Site(0), &small::text());
    bundle.policy = "minimum_sites = 3\n".into();
    let report = verify(&[run.sign(bundle)]);
    assert!(places(&report).iter().any(|p| p.contains("policy")), "{:?}", places(&report));
}

#[test]
fn bundles_of_two_runs_do_not_verify_together() {
    let run = federation();
    let protocol = small::protocol();
    let cohorts = small::three_sites(&protocol, &small::rows(60));
    let mut other = Federation::new(protocol, cohorts, 6);
    other.run();
    let report = verify(&[run.bundle(Party::Site(0), &small::text()), other.bundle(Party::Site(1), &small::text())]);
    assert!(places(&report).iter().any(|p| p.contains("different runs")), "{:?}", places(&report));
}

#[test]
fn crashes_leave_ledgers_that_hold() {
    let protocol = small::protocol();
    let cohorts = small::three_sites(&protocol, &small::rows(60));
    for seed in 0..12 {
        let mut run = Federation::new(Arc::clone(&protocol), cohorts.clone(), seed).crash_every(12, 10);
        run.run();
        assert!(run.finished());
        let report = verify(&bundles(&run));
        assert!(report.holds(), "seed {seed}: {:?}", places(&report));
    }
}
