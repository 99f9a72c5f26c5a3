//! The same rows however they are spread, copied or scaled; and rows against the table.

use proptest::prelude::*;
use stats::cox::Ties;
use stats::fit::Fit;
use stats::survival::{ArmTable, Curve, IntervalKind, Who, log_rank, median, restricted_mean, treatment_cox};

use crate::myeloma::Cohort;
use crate::sites::{Rows, centred, fit_cox, robust};

use super::TwoArms;

fn rows(cohort: &Cohort, days: f64, weighted: bool) -> TwoArms {
    let Rows { exit, event, .. } = cohort.survival("pfs_days", "pfs_event", days);
    let treated = cohort.treated.iter().map(|a| *a == 1.0).collect();
    TwoArms { exit, event, treated, w: weighted.then(|| cohort.weights(true).0) }
}

/// Numbers that follow from a table, and the medians.
fn answers(table: &ArmTable) -> (Vec<f64>, Vec<Option<f64>>) {
    let (mut numbers, mut medians) = (Vec::new(), Vec::new());
    for who in [Who::All, Who::Control, Who::Treated] {
        for curve in [table, &table.flipped()].map(|table| Curve::kaplan_meier(table, who)) {
            numbers.extend(curve.points().iter().map(|p| p.survival));
            numbers.extend(curve.points().iter().filter_map(|p| p.std_error));
            let area = restricted_mean(&curve, 17.3).expect("above 0");
            numbers.extend([area.estimate, area.std_error]);
            for kind in [IntervalKind::Log, IntervalKind::LogLog, IntervalKind::Plain] {
                let median = median(&curve, kind);
                medians.extend([median.estimate, median.conf_low, median.conf_high]);
            }
        }
    }
    numbers.push(log_rank(table).expect("events in both").test.statistic);
    for ties in [Ties::Efron, Ties::Breslow] {
        let fit = treatment_cox(table, ties).expect("regular");
        numbers.extend([fit.beta[0], fit.naive[(0, 0)], robust_variance(&fit), fit.loglik]);
    }
    (numbers, medians)
}

fn robust_variance(fit: &Fit) -> f64 {
    fit.robust.as_ref().expect("always")[(0, 0)]
}

fn same(a: &ArmTable, b: &ArmTable) {
    let ((a, medians), (b, others)) = (answers(a), answers(b));
    assert_eq!((a.len(), medians), (b.len(), others));
    for (a, b) in a.iter().zip(&b) {
        close(*a, *b);
    }
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-11 * b.abs(), "{a:e} and {b:e}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_equals_pooled(sites in 1usize..=40, assignment in prop::collection::vec(0usize..10_000, 277)) {
        let rows = rows(&Cohort::read(), 30.4375, true);
        // Site 0 has no rows, site 1 one.
        let split = rows.table(sites + 2, |i| if i == 0 { 1 } else { 2 + assignment[i] % sites });
        same(&split, &rows.pooled());
    }
}

#[test]
fn order_of_rows_does_not_matter() {
    let rows = rows(&Cohort::read(), 1.0, true);
    let order: Vec<usize> = (0..277).map(|i| (i * 100 + 3) % 277).collect();
    same(&rows.pick(&order).pooled(), &rows.pooled());
}

/// With weights of 1 the jackknife is Greenwood, for survival and restricted mean, and Xie & Liu's test is the log-rank.
#[test]
fn weights_of_one_change_nothing() {
    for days in [1.0, 30.4375] {
        let rows = rows(&Cohort::read(), days, false);
        let ones = TwoArms { w: Some(vec![1.0; rows.len()]), ..rows.clone() };
        let (plain, weighted) = (rows.pooled(), ones.pooled());
        assert_eq!(weighted.unweighted(), plain);
        for who in [Who::All, Who::Control, Who::Treated] {
            let [plain, weighted] = [&plain, &weighted].map(|table| Curve::kaplan_meier(table, who));
            for (plain, weighted) in plain.points().iter().zip(weighted.points()) {
                assert_eq!(plain.survival, weighted.survival);
                if let (Some(plain), Some(weighted)) = (plain.std_error, weighted.std_error) {
                    close(weighted, plain);
                }
            }
            let [plain, weighted] = [plain, weighted].map(|curve| restricted_mean(&curve, 20.5).expect("above 0"));
            close(weighted.std_error, plain.std_error);
        }
        assert_eq!(log_rank(&plain), log_rank(&weighted));
    }
}

/// Weights are known up to a factor: only the naive variance of Cox takes them for counts.
#[test]
fn the_scale_of_weights_does_not_matter() {
    let rows = rows(&Cohort::read(), 30.4375, true);
    let scaled = TwoArms { w: rows.w.as_ref().map(|w| w.iter().map(|w| 7.3 * w).collect()), ..rows.clone() };
    let (one, other) = (rows.pooled(), scaled.pooled());
    for who in [Who::All, Who::Control, Who::Treated] {
        let [one, other] = [&one, &other].map(|table| Curve::kaplan_meier(table, who));
        for (one, other) in one.points().iter().zip(other.points()) {
            close(other.survival, one.survival);
            close(other.std_error.expect("jackknife"), one.std_error.expect("jackknife"));
        }
    }
    close(log_rank(&other).expect("events").test.statistic, log_rank(&one).expect("events").test.statistic);
    let [one, other] = [one, other].map(|table| treatment_cox(&table, Ties::Efron).expect("regular"));
    close(other.beta[0], one.beta[0]);
    close(robust_variance(&other), robust_variance(&one));
    close(other.naive[(0, 0)] * 7.3, one.naive[(0, 0)]);
}

/// Copies of every row leave curves where they are and divide variances.
#[test]
fn copies_of_rows() {
    let rows = rows(&Cohort::read(), 30.4375, false);
    let copies = rows.pick(&(0..4 * rows.len()).map(|i| i % rows.len()).collect::<Vec<_>>());
    let [one, four] = [rows.pooled(), copies.pooled()].map(|table| Curve::kaplan_meier(&table, Who::Treated));
    for (one, four) in one.points().iter().zip(four.points()) {
        assert_eq!(one.survival, four.survival);
        close(2.0 * four.std_error.expect("above 0"), one.std_error.expect("above 0"));
    }
    let [one, four] = [one, four].map(|curve| restricted_mean(&curve, 20.0).expect("above 0"));
    close(2.0 * four.std_error, one.std_error);
}

#[test]
fn swapping_the_arms_turns_the_sign() {
    let rows = rows(&Cohort::read(), 30.4375, true);
    let swapped = TwoArms { treated: rows.treated.iter().map(|a| !a).collect(), ..rows.clone() };
    let [one, other] = [&rows, &swapped].map(|rows| treatment_cox(&rows.pooled(), Ties::Efron).expect("regular"));
    close(-other.beta[0], one.beta[0]);
    close(robust_variance(&other), robust_variance(&one));
    let [one, other] = [rows, swapped].map(|rows| log_rank(&rows.pooled()).expect("events"));
    close(other.test.statistic, one.test.statistic);
}

/// The table gives what the rows give.
#[test]
fn cox_from_rows() {
    let cohort = Cohort::read();
    for (days, weighted, ties) in [
        (1.0, true, Ties::Efron),
        (30.4375, true, Ties::Efron),
        (91.3125, true, Ties::Breslow),
        (91.3125, false, Ties::Efron),
    ] {
        let rows = rows(&cohort, days, weighted);
        let (columns, _, scale) = centred(std::slice::from_ref(&cohort.treated));
        let w = rows.w.clone();
        let pooled = Rows { columns, exit: rows.exit.clone(), event: rows.event.clone(), w, ..Rows::default() };
        let expected = fit_cox(&[pooled], &scale, ties, robust()).expect("regular");
        let fit = treatment_cox(&rows.pooled(), ties).expect("regular");
        for (a, b) in [
            (fit.beta[0], expected.beta[0]),
            (fit.naive[(0, 0)], expected.naive[(0, 0)]),
            (robust_variance(&fit), robust_variance(&expected)),
            (fit.loglik_null, expected.loglik_null),
            (fit.loglik, expected.loglik),
        ] {
            close(a, b);
        }
    }
}
