//! Standardised outcomes against pooled R (`tests/reference/golden_standardise.R`), over 45 sites.

use std::path::Path;
use std::sync::Arc;

use entente_tests::federation::plain;
use serde_json::Value;
use study::protocol::Protocol;
use study::results::{EffectQuantity, EffectRow, Results};

use crate::reference::{centre, cohorts, protocol_text, rows};
use crate::small;

/// What the month protocol calls a month.
const MONTH: f64 = 30.4375;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/golden/standardise.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The study of a protocol over 45 sites.
fn results(text: &str) -> Results {
    let protocol = Arc::new(Protocol::parse(text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)));
    Results::of(&plain(&protocol, &cohorts(&protocol, &rows().split(45, centre))).unwrap())
}

/// Rows of one run, each to be compared with R once.
struct Comparison<'r> {
    open: Vec<&'r EffectRow>,
    compared: usize,
    worst: (f64, String),
}

impl<'r> Comparison<'r> {
    fn new(results: &'r Results) -> Self {
        Comparison { open: results.effects.iter().collect(), compared: 0, worst: (0.0, String::new()) }
    }

    fn number(&mut self, name: &str, got: f64, golden: f64) {
        let difference = if golden == 0.0 { got.abs() } else { (got - golden).abs() / golden.abs() };
        assert!(difference <= 1e-8, "{name}: {got} is not R's {golden}");
        self.compared += 1;
        if difference > self.worst.0 {
            self.worst = (difference, name.to_owned());
        }
    }

    /// Takes the rows of one quantity, the control arm's first.
    fn take(&mut self, of: &Of<'_>, quantity: EffectQuantity) -> Vec<&'r EffectRow> {
        let same = |row: &&EffectRow| {
            (row.outcome.as_str(), &*row.model, row.ties.as_deref()) == (of.outcome, of.model, of.ties)
                && (&*row.method, &*row.variance, row.at_days) == (of.method, of.variance, of.at_days)
                && row.quantity == quantity
        };
        let (found, open) = self.open.iter().partition(|row| same(row));
        self.open = open;
        found
    }

    /// Estimate and standard error of a row, `scale` times R's; ratios are logarithms in R.
    fn pair(&mut self, of: &Of<'_>, row: &EffectRow, golden: &Value, scale: f64, ratio: bool) {
        let name = format!("{of:?} {} {}", row.quantity.name(), row.arm);
        let golden = |i: usize| golden[i].as_f64().unwrap_or_else(|| panic!("{name}: no golden number"));
        let estimate = row.estimate.unwrap();
        let got = if ratio { estimate.ln() } else { estimate };
        self.number(&name, got, scale * golden(0));
        self.number(&format!("{name} std_error"), row.std_error.unwrap(), scale.abs() * golden(1));
        // 1.959963984540054 standard errors to either side.
        let half = 1.959_963_984_540_054 * row.std_error.unwrap();
        for (limit, expected) in [(row.conf_low, got - half), (row.conf_high, got + half)] {
            let limit = limit.unwrap();
            let limit = if ratio { limit.ln() } else { limit };
            assert!((limit - expected).abs() <= 1e-12 * (got.abs() + half), "{name}: {limit} is not {expected}");
        }
    }

    fn arms(&mut self, of: &Of<'_>, quantity: EffectQuantity, golden: &Value, scale: f64) {
        let rows = self.take(of, quantity);
        let [control, treated] = rows[..] else { panic!("{of:?} {quantity:?}: {} rows", rows.len()) };
        assert_eq!((control.arm.as_str(), treated.arm.as_str()), ("EloPd", "IsaPd"));
        self.pair(of, control, &golden["control"], scale, false);
        self.pair(of, treated, &golden["treated"], scale, false);
    }

    fn contrast(&mut self, of: &Of<'_>, quantity: EffectQuantity, golden: &Value, scale: f64, ratio: bool) {
        let rows = self.take(of, quantity);
        let [row] = rows[..] else { panic!("{of:?} {quantity:?}: {} rows", rows.len()) };
        assert_eq!((row.arm.as_str(), row.n), ("regimen:IsaPd", Some(277)));
        self.pair(of, row, golden, scale, ratio);
    }

    fn finish(self, name: &str) {
        assert!(self.open.is_empty(), "not compared: {:?}", self.open);
        let (difference, at) = self.worst;
        println!("{name}: {} numbers equal R's, largest relative difference {difference:.1e} ({at})", self.compared);
    }
}

/// Which rows.
#[derive(Debug, Clone, Copy)]
struct Of<'a> {
    outcome: &'a str,
    model: &'a str,
    ties: Option<&'a str>,
    method: &'a str,
    variance: &'a str,
    at_days: Option<f64>,
}

fn binary(comparison: &mut Comparison<'_>, of: &Of<'_>, golden: &Value) {
    comparison.arms(of, EffectQuantity::Risk, golden, 1.0);
    comparison.contrast(of, EffectQuantity::RiskDifference, &golden["difference"], 1.0, false);
    comparison.contrast(of, EffectQuantity::RiskRatio, &golden["log_ratio"], 1.0, true);
    comparison.contrast(of, EffectQuantity::OddsRatio, &golden["log_odds_ratio"], 1.0, true);
}

/// `cell` is the width of a cell in days, `times` and `horizon` are cells.
fn survival(comparison: &mut Comparison<'_>, of: &Of<'_>, golden: &Value, cell: f64, times: &[u32], horizon: u32) {
    for time in times {
        let of = Of { at_days: Some(f64::from(*time) * cell), ..*of };
        let at = &golden["survival"][&time.to_string()];
        comparison.arms(&of, EffectQuantity::SurvivalAt, at, 1.0);
        // Risks are what is left of 1: their standard errors, and their difference with the other sign.
        for row in comparison.take(&of, EffectQuantity::Risk) {
            let golden = &at[if row.treated { "treated" } else { "control" }];
            comparison.number(&format!("{of:?} risk"), row.estimate.unwrap(), 1.0 - golden[0].as_f64().unwrap());
            comparison.number(&format!("{of:?} risk std_error"), row.std_error.unwrap(), golden[1].as_f64().unwrap());
        }
        comparison.contrast(&of, EffectQuantity::RiskDifference, &at["difference"], -1.0, false);
        comparison.contrast(&of, EffectQuantity::RiskRatio, &golden["log_risk_ratio"][&time.to_string()], 1.0, true);
    }
    let of = Of { at_days: Some(f64::from(horizon) * cell), ..*of };
    assert_eq!(golden["horizon"].as_u64(), Some(u64::from(horizon)));
    let golden = &golden["rmst"];
    comparison.arms(&of, EffectQuantity::RestrictedMean, golden, cell);
    comparison.contrast(&of, EffectQuantity::RestrictedMeanDifference, &golden["difference"], cell, false);
    comparison.contrast(&of, EffectQuantity::RestrictedMeanRatio, &golden["log_ratio"], 1.0, true);
}

/// The example's protocol, also with Breslow's ties, on the grid that it declares.
fn compare(text: &str, section: &str, cell: f64, times: &[u32], horizon: u32) {
    let breslow = "models = [\"unadjusted\", \"adjusted\"]\nties = \"breslow\"\n";
    assert!(text.contains(breslow));
    let days = "standardise_days = [365, 730]\nstandardise_rmst_days = 730\neffect_modifier = \"dara_refr\"\n";
    let results = results(&text.replace(breslow, &format!("{breslow}{days}")));
    assert!(!results.any_failed());
    let golden = golden();
    let mut comparison = Comparison::new(&results);
    for (model, modifier) in [("adjusted", ""), ("interaction", "dara_refr")] {
        assert!(results.effects.iter().filter(|row| row.model == model).all(|row| row.modifier == modifier));
        for outcome in ["response", "neutropenia", "infection"] {
            let golden = &golden["binary"][outcome][model];
            let of = Of { outcome, model, ties: None, method: "g_formula", variance: "influence", at_days: None };
            binary(&mut comparison, &of, &golden["g_formula"]);
            for variance in ["simple", "m_estimation"] {
                binary(&mut comparison, &Of { method: "aipw", variance, ..of }, &golden["aipw"][variance]);
            }
        }
        for (outcome, ties) in [("pfs", "efron"), ("pfs", "breslow"), ("os", "efron"), ("os", "breslow")] {
            let golden = &golden[section][outcome][model][ties];
            let ties = Some(ties);
            let of = Of { outcome, model, ties, method: "standardised", variance: "influence", at_days: None };
            survival(&mut comparison, &of, golden, cell, times, horizon);
        }
    }
    comparison.finish(section);
}

#[test]
fn standardised_outcomes_equal_pooled_r() {
    compare(&protocol_text(), "survival_day", 1.0, &[365, 730], 730);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/relapsed-myeloma/protocol-month.toml");
    compare(&std::fs::read_to_string(path).unwrap(), "survival_month", MONTH, &[12, 24], 24);
}

/// Adjusted models alone, with everything that is standardised over them.
const MODELS: &str = r#"
[propensity]
covariates = ["age", "sex"]

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["adjusted"]
covariates = ["age", "iss_stage"]
marginal = ["aipw", "g_formula"]

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["adjusted"]
covariates = ["age", "iss_stage"]
standardise_days = [360, 1500]
standardise_rmst_days = 900
"#;

fn small_results(rows: &entente_tests::federation::Rows) -> Results {
    results_under("", rows)
}

fn results_under(release: &str, rows: &entente_tests::federation::Rows) -> Results {
    let protocol = small::protocol_with(&format!("{release}{MODELS}"));
    Results::of(&plain(&protocol, &cohorts(&protocol, &rows.split(5, |_, i| i % 5))).unwrap())
}

/// Method, code and message of what failed.
fn failures(results: &Results) -> Vec<(&str, &str, String)> {
    let failed = results.fits.iter().filter_map(|f| Some((&*f.analysis, f.outcome_of_fit.as_ref().err()?)));
    failed.map(|(analysis, problem)| (analysis, &*problem.code, problem.message.clone())).collect()
}

#[test]
fn a_failed_propensity_model_takes_the_augmented_risks_alone() {
    let sex = |rows: &entente_tests::federation::Rows, i: usize| {
        if rows.get(i, "regimen") == "IsaPd" { "F" } else { "M" }.to_owned()
    };
    let results = small_results(&small::rows(240).with("sex", sex));
    let why = "separation: the treatment is predicted perfectly by (intercept), sex:F";
    let expected = [
        ("propensity", "fit.separation", why.to_owned()),
        ("aipw", "fit.propensity", format!("the propensity model failed: {why}")),
    ];
    assert_eq!(failures(&results), expected);
    let methods = |method: &str| results.effects.iter().filter(|row| row.method == method).count();
    assert_eq!((methods("g_formula"), methods("aipw"), methods("standardised")), (5, 0, 2 * 6 + 4));
    assert!(results.estimates.iter().any(|row| row.analysis == "logistic" && row.model == "adjusted"));
}

#[test]
fn nothing_is_standardised_over_a_model_that_failed() {
    // Nobody at stage III has either event.
    let none = |rows: &entente_tests::federation::Rows, i: usize, column: &str| {
        if rows.get(i, "iss_stage") == "III" { "0" } else { rows.get(i, column) }.to_owned()
    };
    let rows = small::rows(240)
        .with("response", |rows, i| none(rows, i, "response"))
        .with("pfs_event", |rows, i| none(rows, i, "pfs_event"));
    let results = small_results(&rows);
    assert!(results.effects.is_empty());
    let failed: Vec<_> = failures(&results).into_iter().map(|(analysis, ..)| analysis).collect();
    assert_eq!(failed, ["logistic", "cox"], "the models' own rows say why");
}

#[test]
fn a_time_after_the_last_event_says_so() {
    let early = |rows: &entente_tests::federation::Rows, i: usize| {
        let days: u32 = rows.get(i, "pfs_days").parse().unwrap();
        if days > 700 { "0" } else { rows.get(i, "pfs_event") }.to_owned()
    };
    // a floor would hide the means at a time that is not told
    let open = "\n[release]\nminimum_cell = 1\nminimum_leavers = 1\n";
    let results = results_under(open, &small::rows(240).with("pfs_event", early));
    assert_eq!(failures(&results), []);
    for row in results.effects.iter().filter(|row| row.outcome == "pfs") {
        assert_eq!(row.after_last_event, row.at_days > Some(720.0), "{row:?}");
    }
}
