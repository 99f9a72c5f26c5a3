//! Two studies and a handful of rows against pooled R.

use stats::competing::{Incidence, gray};
use stats::cox::Ties;
use stats::inference::wald_test;
use stats::survival::{IntervalKind, Who, difference, interval};

use crate::compare::{Comparison, errors};
use crate::myeloma::{Cohort, compare_iptw_cox};
use crate::sites::robust;
use crate::table::Golden;

use super::{MONTH, Rows, few, fine_gray, myeloma, rotterdam, table};

fn studies() -> Vec<(&'static str, Rows, Golden)> {
    let golden = Golden::read("golden/competing.json");
    let at = |study: &str, grid: &str| golden.at(study).at(grid);
    vec![
        ("rotterdam by day", rotterdam(1.0), at("rotterdam", "day")),
        ("rotterdam by month", rotterdam(MONTH), at("rotterdam", "month")),
        ("myeloma by day", myeloma(1.0), at("myeloma", "day")),
        ("myeloma by month", myeloma(MONTH), at("myeloma", "month")),
        ("few rows", few(&golden.at("small")), golden.at("small")),
    ]
}

/// Rows spread over five sites, of which the first has none.
fn spread(rows: &Rows) -> Vec<Rows> {
    rows.split(5, |i| 1 + i % 4)
}

fn compare_incidence(comparison: &mut Comparison, name: &str, curve: &Incidence, golden: &Golden) {
    let points = curve.at(&golden.list("times"));
    let mut list = |key: &str, values: Vec<f64>| {
        comparison.list(&format!("{name} {key}"), &values, &golden.list(key));
    };
    list("event_free", points.iter().map(|p| p.event_free.estimate).collect());
    list("event_free_se", points.iter().map(|p| p.event_free.std_error).collect());
    // R counts rows at risk, with weights too.
    list("risk", points.iter().map(|p| p.risk.n).collect());
    for k in 0..2 {
        list(&format!("cause{}", k + 1), points.iter().map(|p| p.causes[k].estimate).collect());
        list(&format!("cause{}_se", k + 1), points.iter().map(|p| p.causes[k].std_error).collect());
    }
    for k in 0..2 {
        let column = |end: &str| golden.options(&format!("cause{}_{end}", k + 1));
        for ((point, low), high) in points.iter().zip(column("low")).zip(column("high")) {
            let got = interval(point.causes[k].estimate, Some(point.causes[k].std_error), IntervalKind::Log);
            assert_eq!((got.is_some(), got.is_some()), (low.is_some(), high.is_some()), "{name} interval");
            if let (Some(got), Some(low), Some(high)) = (got, low, high) {
                comparison.list(&format!("{name} interval"), &[got.0, got.1], &[low, high]);
            }
        }
    }
}

#[test]
fn cumulative_incidence() {
    let mut comparison = Comparison::new();
    for (name, rows, golden) in studies() {
        for (key, rows) in [("incidence", rows.unweighted()), ("incidence_weighted", rows.clone())] {
            let table = table(&spread(&rows));
            for (arm, who) in [("all", Who::All), ("control", Who::Control), ("treated", Who::Treated)] {
                let curve = Incidence::aalen_johansen(&table, who);
                compare_incidence(&mut comparison, &format!("{name} {key} {arm}"), &curve, &golden.at(key).at(arm));
            }
        }
    }
    comparison.report("cumulative incidences");
}

#[test]
fn counts() {
    for (name, rows, golden) in studies() {
        let table = table(&spread(&rows));
        let expected = [golden.at("counts").list("control"), golden.at("counts").list("treated")];
        for (who, expected) in [Who::Control, Who::Treated].into_iter().zip(expected) {
            let totals = table.totals(who);
            assert_eq!([totals.censored.n, totals.causes[0].n, totals.causes[1].n], expected[..], "{name}");
        }
    }
}

#[test]
fn gray_test() {
    let mut comparison = Comparison::new();
    for (name, rows, golden) in studies() {
        let golden = golden.at("gray");
        for (cause, (statistic, p)) in (1..=2).zip(golden.list("statistic").into_iter().zip(golden.list("p_value"))) {
            // Weights change nothing.
            for rows in [rows.clone(), rows.unweighted()] {
                let test = gray(&table(&spread(&rows)), cause).expect("both arms at risk").test;
                comparison.number(&format!("{name} cause {cause}"), test.statistic, statistic);
                comparison.number(&format!("{name} cause {cause} p"), test.p_value, p);
            }
        }
    }
    comparison.report("Gray's test");
}

#[test]
fn differences() {
    let golden = Golden::read("golden/competing.json").at("rotterdam").at("month").at("incidence_weighted");
    let table = table(&spread(&rotterdam(MONTH)));
    let [control, treated] = [Who::Control, Who::Treated].map(|who| Incidence::aalen_johansen(&table, who).at(&[60.0]));
    let mut comparison = Comparison::new();
    for (k, cause) in ["cause1", "cause2"].into_iter().enumerate() {
        let got = difference(treated[0].causes[k], control[0].causes[k]);
        let at = |arm: &str, key: &str| golden.at(arm).list(key)[3];
        comparison.number(cause, got.estimate, at("treated", cause) - at("control", cause));
        let key = format!("{cause}_se");
        comparison.number(&key, got.std_error, at("treated", &key).hypot(at("control", &key)));
    }
    comparison.report("differences of incidences");
}

#[test]
fn regression() {
    let mut comparison = Comparison::new();
    for (name, rows, golden) in studies() {
        let (rows, scale) = rows.centred();
        for cause in 1..=2 {
            for (ties, key) in [(Ties::Efron, "efron"), (Ties::Breslow, "breslow")] {
                for (rows, key) in [(rows.unweighted(), key.to_owned()), (rows.clone(), format!("{key}_weighted"))] {
                    let golden = golden.at(&format!("fine_gray_{cause}")).at(&key);
                    let name = format!("{name} cause {cause} {key}");
                    let fit = fine_gray(&spread(&rows), &scale, cause, ties, robust()).expect("regular");
                    comparison.cox(&name, &fit, &golden);
                    let covariance = fit.robust.expect("asked for");
                    comparison.list(&format!("{name} robust"), &errors(&covariance), &golden.list("se_robust"));
                    let all: Vec<usize> = (0..scale.len()).collect();
                    let wald = wald_test(&fit.beta, &covariance, &all).expect("regular");
                    comparison.number(&format!("{name} wald"), wald.statistic, golden.number("wald_test_robust"));
                }
            }
        }
    }
    comparison.report("Fine-Gray");
}

/// Treatment alone, weighted by an estimated propensity score, with the variance that accounts for its estimation.
#[test]
fn weighted_by_propensity() {
    let cohort = Cohort::read();
    let golden = Golden::read("golden/competing.json").at("myeloma");
    let (w, propensity, request) = cohort.weights(true);
    let mut comparison = Comparison::new();
    for (grid, days) in [("day", 1.0), ("month", MONTH)] {
        for cause in 1..=2 {
            let rows = myeloma(days);
            let treatment = vec![rows.columns[0].clone()];
            let (w, propensity) = (Some(w.clone()), Some(propensity.clone()));
            let (rows, scale) = Rows { columns: treatment, w, propensity, ..rows }.centred();
            let fit = fine_gray(&spread(&rows), &scale, cause, Ties::Efron, request.clone()).expect("regular");
            let key = format!("iptw_{cause}");
            compare_iptw_cox(&mut comparison, &format!("{grid} {key}"), &fit, &golden.at(grid).at(&key));
        }
    }
    comparison.report("Fine-Gray weighted by propensity");
}
