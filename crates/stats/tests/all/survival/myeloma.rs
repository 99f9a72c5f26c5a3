//! The relapsed myeloma cohort against pooled R, from tables summed over its centres.

use stats::cox::Ties;
use stats::fit::Fit;
use stats::survival::{
    ArmTable, Curve, Estimate, IntervalKind, Who, difference, log_rank, restricted_mean, treatment_cox,
};

use crate::compare::{Comparison, errors};
use crate::myeloma::Cohort;
use crate::table::Golden;

use super::{TwoArms, compare_km, compare_median};

const GRIDS: [(&str, f64, f64); 2] = [("day", 1.0, 730.0), ("month", 30.4375, 24.0)];
const OUTCOMES: [(&str, &str, &str); 2] = [("pfs", "pfs_days", "pfs_event"), ("os", "os_days", "death")];

/// The table of one outcome, summed over centres.
fn table(cohort: &Cohort, days: f64, time: &str, event: &str, w: Option<&[f64]>) -> ArmTable {
    let rows = cohort.survival(time, event, days);
    let treated = cohort.treated.iter().map(|a| *a == 1.0).collect();
    let sites: Vec<usize> = cohort.table.text("site").iter().map(|s| s[1..].parse().expect("number")).collect();
    TwoArms { exit: rows.exit, event: rows.event, treated, w: w.map(<[f64]>::to_vec) }.table(46, |i| sites[i])
}

fn compare_weighted_cox(comparison: &mut Comparison, name: &str, fit: &Fit, golden: &Golden) {
    let mut number = |key: &str, got: f64| {
        if golden.has(key) {
            comparison.number(&format!("{name} {key}"), got, golden.number(key));
        }
    };
    number("estimate", fit.beta[0]);
    number("hazard_ratio", libm::exp(fit.beta[0]));
    number("se_naive", errors(&fit.naive)[0]);
    number("se_robust", errors(fit.robust.as_ref().expect("always"))[0]);
    if golden.has("loglik") {
        comparison.list(&format!("{name} loglik"), &[fit.loglik_null, fit.loglik], &golden.list("loglik"));
    }
}

fn compare_rmst(comparison: &mut Comparison, name: &str, got: Estimate, golden: &Golden, key: &str) {
    comparison.list(name, &[got.estimate, got.std_error], &golden.list(key));
}

#[test]
fn unweighted() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/relapsed-myeloma.json");
    let mut comparison = Comparison::new();
    for (grid, days, horizon) in GRIDS {
        for (outcome, time, event) in OUTCOMES {
            let golden = golden.at(&format!("survival_{grid}")).at(outcome);
            let name = |what: &str| format!("{outcome} by {grid} {what}");
            let table = table(&cohort, days, time, event, None);
            for (key, who) in [("km_all", Who::All), ("km_control", Who::Control), ("km_treated", Who::Treated)] {
                compare_km(&mut comparison, &name(key), &Curve::kaplan_meier(&table, who), &golden.at(key));
            }
            let follow_up = Curve::kaplan_meier(&table.flipped(), Who::All);
            compare_median(&name("follow-up"), &follow_up, IntervalKind::Log, &golden.at("follow_up"));
            let test = log_rank(&table).expect("events in both").test;
            comparison.number(&name("log-rank"), test.statistic, golden.number("log_rank_chisq"));
            comparison.number(&name("log-rank p"), test.p_value, golden.number("log_rank_p"));
            for (key, who) in [("control", Who::Control), ("treated", Who::Treated)] {
                let got = restricted_mean(&Curve::kaplan_meier(&table, who), horizon).expect("above 0");
                compare_rmst(&mut comparison, &name("rmst"), got, &golden.at("rmst"), key);
            }
            for (key, ties) in [("unadjusted", Ties::Efron), ("unadjusted_breslow", Ties::Breslow)] {
                comparison.cox(&name(key), &treatment_cox(&table, ties).expect("regular"), &golden.at(key));
            }
        }
    }
    comparison.report("myeloma tables, unweighted");
}

#[test]
fn weighted() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/relapsed-myeloma.json");
    let more = Golden::read("golden/survival.json").at("cohort");
    let (stabilised, propensity, _) = cohort.weights(true);
    let (unstabilised, ..) = cohort.weights(false);
    let overlap: Vec<f64> =
        propensity.e.iter().zip(&propensity.treated).map(|(e, treated)| if *treated { 1.0 - e } else { *e }).collect();
    let mut comparison = Comparison::new();
    for (grid, days, horizon) in GRIDS {
        for (outcome, time, event) in OUTCOMES {
            let golden = golden.at(&format!("survival_{grid}")).at(outcome);
            let more = more.at(grid).at(outcome);
            let name = |what: &str| format!("{outcome} by {grid} {what}");
            let by = |w: &[f64]| table(&cohort, days, time, event, Some(w));
            let stable = by(&stabilised);
            for (key, who) in [("km_control_weighted", Who::Control), ("km_treated_weighted", Who::Treated)] {
                compare_km(&mut comparison, &name(key), &Curve::kaplan_meier(&stable, who), &golden.at(key));
            }
            for (key, who) in [("control", Who::Control), ("treated", Who::Treated)] {
                let got = restricted_mean(&Curve::kaplan_meier(&stable, who), horizon).expect("above 0");
                compare_rmst(&mut comparison, &name("weighted rmst"), got, &more.at("rmst_weighted"), key);
            }
            let test = log_rank(&stable).expect("events in both");
            let expected = more.at("log_rank_weighted");
            let moved = test.observed[1] - test.expected[1];
            comparison.number(&name("weighted log-rank"), moved, expected.number("difference"));
            comparison.number(&name("weighted log-rank"), test.variance, expected.number("variance"));
            comparison.number(&name("weighted log-rank"), test.test.p_value, expected.number("p"));
            for (golden, key, table, ties) in [
                (&golden, "iptw_stabilized", &stable, Ties::Efron),
                (&golden, "iptw_unstabilized", &by(&unstabilised), Ties::Efron),
                (&golden, "iptw_overlap", &by(&overlap), Ties::Efron),
                (&more, "cox_breslow_weighted", &stable, Ties::Breslow),
            ] {
                let fit = treatment_cox(table, ties).expect("regular");
                compare_weighted_cox(&mut comparison, &name(key), &fit, &golden.at(key));
            }
        }
    }
    comparison.report("myeloma tables, weighted");
}

/// The unweighted answers of a weighted table are those of an unweighted one.
#[test]
fn a_weighted_table_holds_the_unweighted_one() {
    let cohort = Cohort::read();
    let (w, ..) = cohort.weights(true);
    for (outcome, days) in [(OUTCOMES[0], 1.0), (OUTCOMES[1], 30.4375)] {
        let (_, time, event) = outcome;
        let weighted = table(&cohort, days, time, event, Some(&w));
        assert_eq!(weighted.unweighted(), table(&cohort, days, time, event, None));
    }
}

/// Differences between the arms: golden estimates of the arms, subtracted by hand.
#[test]
fn differences() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/relapsed-myeloma.json").at("survival_day").at("pfs");
    let table = table(&cohort, 1.0, "pfs_days", "pfs_event", None);
    let [control, treated] = [Who::Control, Who::Treated].map(|who| Curve::kaplan_meier(&table, who));
    let mut comparison = Comparison::new();

    let rmst = golden.at("rmst");
    let (c, t) = (rmst.list("control"), rmst.list("treated"));
    let means = [&treated, &control].map(|curve| restricted_mean(curve, 730.0).expect("above 0"));
    let got = difference(means[0], means[1]);
    comparison.number("rmst", got.estimate, t[0] - c[0]);
    comparison.number("rmst error", got.std_error, (t[1] * t[1] + c[1] * c[1]).sqrt());
    let half = 1.959_963_984_540_054 * got.std_error;
    comparison.number("rmst lower end", got.wald().conf_low, t[0] - c[0] - half);

    let at = |curve: &Curve| curve.at(&[365.0])[0].estimate().expect("above 0");
    let got = difference(at(&treated), at(&control));
    let list = |arm: &str, key: &str| golden.at(arm).at("log").list(key)[2];
    let (survival, error) = ("survival", "std_err_survival");
    comparison.number("survival", got.estimate, list("km_treated", survival) - list("km_control", survival));
    let variance = list("km_treated", error).powi(2) + list("km_control", error).powi(2);
    comparison.number("survival error", got.std_error, variance.sqrt());
    comparison.report("myeloma differences");
}
