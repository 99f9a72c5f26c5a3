//! The same rows over different sites, in different orders, on different numbers of threads.

use std::sync::Arc;

use entente_tests::federation::{Federation, Rows, bits, plain};
use study::cohort::Cohort;
use study::protocol::Protocol;
use study::results::Results;

use crate::agreement::assert_agree;
use crate::reference::{centre, cohorts, protocol, rows};

fn split_results(protocol: &Arc<Protocol>, sites: &[Rows]) -> Results {
    let results = Results::of(&plain(protocol, &cohorts(protocol, sites)).unwrap());
    assert!(!results.any_failed(), "{:?}", results.fits);
    results
}

/// The rows at one place, in the order of the file.
fn pooled(protocol: &Arc<Protocol>, rows: &Rows) -> Results {
    split_results(protocol, std::slice::from_ref(rows))
}

#[test]
fn any_number_of_sites_gives_the_same_numbers() {
    let (protocol, rows) = (protocol(), rows());
    let pooled = pooled(&protocol, &rows);
    assert_agree(&pooled, &split_results(&protocol, &rows.split(3, |_, i| i % 3)));
    assert_agree(&pooled, &split_results(&protocol, &rows.split(7, |_, i| i % 7)));
    assert_agree(&pooled, &split_results(&protocol, &rows.split(45, centre)));
}

/// Sites that nobody would want to fit a model on alone.
fn odd_sites(rows: &Rows) -> Vec<Rows> {
    let eligible = |rows: &Rows, i: usize| !rows.get(i, "fish").is_empty();
    let (mut of_one, mut of_two) = (0, 0);
    let mut place = vec![0; rows.len()];
    for (i, place) in place.iter_mut().enumerate() {
        let column = |name| rows.get(i, name);
        *place = if !eligible(rows, i) && i % 5 == 0 {
            1
        } else if eligible(rows, i) && of_one < 1 {
            of_one += 1;
            2
        } else if eligible(rows, i) && of_two < 2 {
            of_two += 1;
            3
        } else if i % 4 == 0 && column("regimen") == "IsaPd" {
            4
        } else if i % 4 == 1 && column("regimen") == "EloPd" {
            5
        } else if column("sex") == "M" && column("ldh_high") == "0" && column("asct") == "1" {
            6
        } else {
            7
        };
    }
    rows.split(8, |_, i| place[i])
}

#[test]
fn odd_sites_change_nothing() {
    let (protocol, rows) = (protocol(), rows());
    let sites = odd_sites(&rows);
    let cohorts = cohorts(&protocol, &sites);
    let sizes: Vec<usize> = cohorts.iter().map(Cohort::rows).collect();
    assert!(sites[0].is_empty(), "an empty first site");
    assert!(!sites[1].is_empty(), "rows without an eligible one");
    assert_eq!(sizes[..4], [0, 0, 1, 2]);
    assert!(sizes[4] > 10 && cohorts[4].treated.iter().all(|t| *t), "one arm only");
    assert!(sizes[5] > 10 && !cohorts[5].treated.iter().any(|t| *t), "the other arm only");
    assert!(sizes[6] > 10, "three covariates constant");
    let plan = plain(&protocol, &cohorts).unwrap();
    let results = Results::of(&plan);
    assert!(!results.any_failed(), "{:?}", results.fits);
    assert_agree(&pooled(&protocol, &rows), &results);
}

#[test]
fn events_on_day_0_change_nothing() {
    let protocol = protocol();
    let set = |rows: &Rows, i: usize, column: &str, value: &str| {
        if i % 37 == 5 { value.to_owned() } else { rows.get(i, column).to_owned() }
    };
    let rows = rows()
        .with("pfs_days", |rows, i| set(rows, i, "pfs_days", "0"))
        .with("pfs_event", |rows, i| set(rows, i, "pfs_event", "1"))
        .with("os_days", |rows, i| set(rows, i, "os_days", "0"))
        .with("death", |rows, i| set(rows, i, "death", "1"));
    let sites = odd_sites(&rows);
    let plan = plain(&protocol, &cohorts(&protocol, &sites)).unwrap();
    for events in plan.main().facts().unwrap().events.values() {
        assert_eq!(events.cells[0], 0);
        assert!(events.deaths[0] >= 2.0, "ties on day 0");
    }
    let results = Results::of(&plan);
    assert!(!results.any_failed(), "{:?}", results.fits);
    assert_agree(&pooled(&protocol, &rows), &results);
    assert_agree(&results, &split_results(&protocol, &rows.split(45, centre)));
}

#[test]
fn message_order_threads_and_masks_do_not_change_a_bit() {
    let (protocol, rows) = (protocol(), rows());
    for (sites, seeds) in [(rows.split(3, |_, i| i % 3), [1, 2]), (odd_sites(&rows), [3, 4])] {
        let cohorts = cohorts(&protocol, &sites);
        let expected = bits(&plain(&protocol, &cohorts).unwrap());
        for (seed, threads) in seeds.into_iter().zip([1, 4]) {
            let mut run = Federation::new(Arc::clone(&protocol), cohorts.clone(), seed).threads(threads);
            run.run();
            assert!(run.refusals.is_empty() && run.faults.is_empty(), "{:?} {:?}", run.refusals, run.faults);
            assert_eq!(run.bits(), expected);
        }
    }
}

#[test]
fn forty_five_sites_under_masks_agree_with_their_plain_sums() {
    let (protocol, rows) = (protocol(), rows());
    let cohorts = cohorts(&protocol, &rows.split(45, centre));
    let expected = bits(&plain(&protocol, &cohorts).unwrap());
    let mut run = Federation::new(Arc::clone(&protocol), cohorts, 45);
    run.run();
    assert_eq!(run.bits(), expected);
}

#[test]
fn the_order_of_the_rows_in_a_file_does_not_change_a_bit() {
    let (protocol, rows) = (protocol(), rows());
    let sites = rows.split(3, |_, i| i % 3);
    let reversed: Vec<Rows> = sites.iter().map(Rows::reversed).collect();
    let ours = plain(&protocol, &cohorts(&protocol, &sites)).unwrap();
    let theirs = plain(&protocol, &cohorts(&protocol, &reversed)).unwrap();
    assert_eq!(bits(&ours), bits(&theirs));
}
