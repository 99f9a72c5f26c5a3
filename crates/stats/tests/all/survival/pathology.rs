//! Tables that have no answer, and merged ones.

use stats::cox::Ties;
use stats::fit::Why;
use stats::survival::{
    Curve, IntervalKind, Leaving, Median, Who, log_rank, median, released, restricted_mean, treatment_cox,
};

use crate::myeloma::Cohort;

use super::TwoArms;

fn rows(exit: &[u32], event: &[bool], treated: &[bool]) -> TwoArms {
    TwoArms { exit: exit.to_vec(), event: event.to_vec(), treated: treated.to_vec(), w: None }
}

#[test]
fn nobody() {
    let table = rows(&[], &[], &[]).pooled();
    let curve = Curve::kaplan_meier(&table, Who::All);
    assert!(curve.points().is_empty());
    assert_eq!(curve.at(&[0.0, 3.0]).iter().map(|p| p.survival).collect::<Vec<_>>(), [1.0, 1.0]);
    let none = Median { estimate: None, conf_low: None, conf_high: None };
    assert_eq!(median(&curve, IntervalKind::Plain), none);
    assert_eq!(restricted_mean(&curve, 4.0).map(|mean| (mean.estimate, mean.std_error)), Some((4.0, 0.0)));
    assert_eq!(log_rank(&table), None);
    assert_eq!(treatment_cox(&table, Ties::Efron), Err(Why::NoEvents));
}

#[test]
fn one_arm() {
    let table = rows(&[1, 2, 3], &[true, true, false], &[true; 3]).pooled();
    assert_eq!(log_rank(&table), None);
    assert_eq!(treatment_cox(&table, Ties::Efron), Err(Why::Constant { column: 0 }));
}

#[test]
fn no_events() {
    let table = rows(&[1, 2, 3], &[false; 3], &[true, false, true]).pooled();
    assert_eq!(log_rank(&table), None);
    assert_eq!(treatment_cox(&table, Ties::Breslow), Err(Why::NoEvents));
}

#[test]
fn no_events_in_one_arm() {
    for event in [[true, true, false, false], [false, false, true, true]] {
        let table = rows(&[1, 2, 3, 4], &event, &[true, true, false, false]).pooled();
        for ties in [Ties::Efron, Ties::Breslow] {
            let why = treatment_cox(&table, ties).expect_err("no finite maximum");
            // Where the arm with events is at risk alone, nothing tells the arms apart.
            let alone = event[2];
            let expected = if alone { Why::Constant { column: 0 } } else { Why::Separation { columns: vec![0] } };
            assert_eq!(why, expected);
        }
        assert_eq!(log_rank(&table).is_none(), event[2]);
    }
}

/// All events on day 0, and all at once.
#[test]
fn one_cell() {
    let table = rows(&[0, 0, 0, 0], &[true, true, true, false], &[true, false, true, false]).pooled();
    let curve = Curve::kaplan_meier(&table, Who::All);
    assert_eq!(curve.points().len(), 1);
    assert_eq!((curve.points()[0].time, curve.points()[0].survival), (0.0, 0.25));
    assert_eq!(median(&curve, IntervalKind::Log).estimate, Some(0.0));
    assert!(treatment_cox(&table, Ties::Breslow).is_ok());
}

/// On a merged grid the curve has its exact values at the ends, and every arm enough leavers in between.
#[test]
fn merged_grid() {
    let cohort = Cohort::read();
    let survival = cohort.survival("os_days", "death", 1.0);
    let treated: Vec<bool> = cohort.treated.iter().map(|a| *a == 1.0).collect();
    let table = rows(&survival.exit, &survival.event, &treated).pooled();
    let leavers: Vec<Vec<f64>> =
        table.cells().iter().map(|arms| arms.map(|leavers| leavers.all().n).to_vec()).collect();
    let of = |minimum: f64| released(&Leaving::new(&leavers, &[0.0; 2], minimum), &[], |_| true);
    for minimum in [1.0, 2.0, 5.0, 20.0, 100.0] {
        let ends: Vec<f64> = of(minimum).merged.into_iter().map(f64::from).collect();
        assert_eq!(ends.last(), Some(&((table.cells().len() - 1) as f64)));
        for who in [Who::Control, Who::Treated] {
            let curve = Curve::kaplan_meier(&table, who);
            let points = curve.at(&ends);
            let mut left = 0.0;
            for point in &points {
                let leavers = point.events.n + point.censored.n;
                assert!(leavers == 0.0 || leavers >= minimum);
                left += leavers;
                let exact = curve.points().iter().rfind(|exact| exact.time <= point.time);
                assert_eq!(exact.map_or(1.0, |exact| exact.survival), point.survival);
            }
            assert_eq!(left, curve.points()[0].risk.n);
        }
    }
    assert!(of(150.0).merged.is_empty());
}
