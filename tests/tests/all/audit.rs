//! Ledgers of a whole federation: exported, verified, changed.

use std::sync::Arc;

use entente_tests::federation::{Federation, bits};
use secagg::Digest;
use study::audit::{Bundle, Party, Report, verify};
use study::ledger::{Chain, Entry, Recorded};
use study::machine::coordinator::CoordinatorRecord;
use study::machine::site::SiteRecord;
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
        assert_eq!(report.outcome.unwrap().release.digest(&run.manifest().digest()), released);
        assert_eq!(report.recomputed, bundle.party != Party::Coordinator);
        let [summary] = report.bundles.as_slice() else { panic!("one bundle, one summary") };
        assert!(summary.closed && summary.rounds > 5 && summary.signatures > 50, "{summary:?}");
    }
    let report = verify(&bundles);
    assert!(report.holds(), "{:?}", places(&report));
    let coordinator = &report.bundles[3];
    let compared = coordinator.fits.expect("a comparison");
    assert_eq!((compared.same, compared.not_compared()), (4, 0), "fits that the coordinator makes as well");
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

/// A party's ledger written anew from its records, each of which `change` may replace, and more behind them.
pub fn rewrite<R: Recorded + Clone>(
    run: &Federation,
    party: Party,
    change: impl Fn(&R) -> Vec<R>,
    behind: impl Fn(&[R]) -> Vec<R>,
) -> Bundle {
    let manifest = run.manifest().digest();
    rewritten(run, party, |entries| {
        let (mut old, mut new) = (Chain::new(manifest), Chain::new(manifest));
        let all: Vec<Entry<R>> = entries.iter().map(|entry| old.next(entry).unwrap()).collect();
        let records: Vec<R> = all.iter().map(|entry| entry.record.clone()).collect();
        let changed = records.iter().flat_map(&change).collect::<Vec<_>>();
        let more = behind(&records);
        *entries = changed.iter().chain(&more).map(|record| new.append(1000, "Reviewer", record)).collect();
    })
}

fn found(bundle: Bundle, what: &str) -> Report {
    let report = verify(&[bundle]);
    assert!(places(&report).iter().any(|place| place.contains(what)), "{what}: {:?}", places(&report));
    report
}

#[test]
fn a_release_that_nobody_signed_is_none() {
    let run = federation();
    let forged = |records: &[CoordinatorRecord]| {
        let release = records.iter().find(|r| matches!(r, CoordinatorRecord::Released { .. })).unwrap();
        vec![release.clone()]
    };
    let report = found(rewrite(&run, Party::Coordinator, |r| vec![r.clone()], forged), "after its end");
    assert!(!report.holds());
    let unsigned = |record: &CoordinatorRecord| match record {
        CoordinatorRecord::Closed { .. } => Vec::new(),
        other => vec![other.clone()],
    };
    let bundle = rewrite(&run, Party::Coordinator, unsigned, |_| Vec::new());
    let report = verify(&[bundle]);
    assert!(report.outcome.is_none(), "without the sites' signatures there is no release");
}

#[test]
fn last_sums_that_a_site_invents_lead_to_no_release() {
    let run = federation();
    let last = run.site_journal(1).iter().filter(|r| matches!(r, SiteRecord::Accepted { .. })).count() as u32;
    let invented = |record: &SiteRecord| match record {
        SiteRecord::Accepted { q0, proof, opened } if proof.round == last => {
            let mut opened = opened.clone();
            opened.words[0] += 1 << 64;
            vec![SiteRecord::Accepted { q0: *q0, proof: proof.clone(), opened }]
        }
        SiteRecord::Finished { .. } | SiteRecord::Closed { .. } => Vec::new(),
        other => vec![other.clone()],
    };
    let report = verify(&[rewrite(&run, Party::Site(1), invented, |_| Vec::new())]);
    assert!(report.outcome.is_none() && !report.recomputed);
    let kept = |record: &SiteRecord| match record {
        SiteRecord::Accepted { .. } => invented(record),
        other => vec![other.clone()],
    };
    found(rewrite(&run, Party::Site(1), kept, |_| Vec::new()), "the sums do not lead to the results");
}

#[test]
fn two_answers_under_one_mask_and_what_follows_the_end_are_found() {
    let run = federation();
    let twice = |record: &SiteRecord| match record {
        SiteRecord::Answered { round: 3, q0, q, masked: _ } => {
            let other = SiteRecord::Answered { round: 3, q0: *q0, q: *q, masked: Digest::of(b"other words") };
            vec![other, record.clone()]
        }
        other => vec![other.clone()],
    };
    found(rewrite(&run, Party::Site(1), twice, |_| Vec::new()), "two answers under one mask");
    let again = |records: &[SiteRecord]| {
        records.iter().filter(|r| matches!(r, SiteRecord::Answered { .. })).take(1).cloned().collect()
    };
    found(rewrite(&run, Party::Site(1), |r: &SiteRecord| vec![r.clone()], again), "after its end");
}

#[test]
fn approvals_are_held_against_the_policy_and_the_announced_cohort() {
    let run = federation();
    let unapproved = |record: &SiteRecord| match record {
        SiteRecord::Approved { .. } => vec![SiteRecord::Consented],
        other => vec![other.clone()],
    };
    found(rewrite(&run, Party::Site(1), unapproved, |_| Vec::new()), "before the site has approved");
    let exchanged = |record: &SiteRecord| match record {
        SiteRecord::Approved { policy, .. } => {
            vec![SiteRecord::Approved { policy: *policy, cohort: Digest::of(b"another cohort") }]
        }
        other => vec![other.clone()],
    };
    found(rewrite(&run, Party::Site(1), exchanged, |_| Vec::new()), "another cohort than it approved");
}

#[test]
fn two_ledgers_of_one_party_are_found() {
    let run = federation();
    let honest = run.bundle(Party::Coordinator, &small::text());
    let refused = CoordinatorRecord::Refused { site: 1, rule: "run.sum".into() };
    let keep = |record: &CoordinatorRecord| vec![record.clone()];
    let longer = {
        let mut bundle = honest.clone();
        let mut chain = Chain::new(run.manifest().digest());
        bundle.entries.iter().for_each(|entry| _ = chain.next::<CoordinatorRecord>(entry).unwrap());
        bundle.entries.push(chain.append(2000, "coordinator", &refused));
        run.sign(bundle)
    };
    assert!(verify(&[honest, longer]).holds(), "a later export of the same ledger is no other one");
    let both = [1, 2].map(|site| {
        let refused = CoordinatorRecord::Refused { site, rule: "run.sum".into() };
        rewrite(&run, Party::Coordinator, keep, |_| vec![refused.clone()])
    });
    assert!(places(&verify(&both)).iter().any(|place| place.contains("two ledgers")));
}
