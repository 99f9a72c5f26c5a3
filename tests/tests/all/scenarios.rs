//! Scenarios against pooled R (`tests/reference/golden_scenarios.R`), over 45 sites.

use std::path::Path;
use std::sync::Arc;

use entente_tests::federation::plain;
use serde_json::Value;
use study::protocol::Protocol;
use study::results::{EstimateRow, Results, Variance};

use crate::reference::{centre, cohorts, protocol_text, rows};

const SCENARIOS: &str = r#"
[[scenario]]
name = "test-fish-as-level"
without = ["FISH available"]
missing_as_level = ["fish"]
models = ["iptw", "adjusted"]

[[scenario]]
name = "test-without-fish"
without = ["FISH available"]
covariates = ["age", "sex", "crcl", "iss_stage", "ldh_high", "dara_refr", "asct"]
models = ["iptw", "adjusted"]

[[scenario]]
name = "test-under-75"
label = "Younger than 75 years"
require = "age < 75"
models = ["iptw", "adjusted"]
curves = true
baseline = true
"#;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/golden/scenarios.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Largest relative difference to golden numbers, as they are compared.
#[derive(Default)]
struct Worst {
    compared: usize,
    difference: f64,
}

impl Worst {
    fn compare(&mut self, name: &str, golden: &Value, got: f64) {
        let golden = golden.as_f64().unwrap_or_else(|| panic!("{name}: no golden number"));
        let difference = (got - golden).abs() / golden.abs();
        assert!(difference <= 1e-8, "{name}: {got} is not R's {golden}");
        self.compared += 1;
        self.difference = self.difference.max(difference);
    }
}

/// Rows of a model under one variance, in the order of its terms.
fn estimates<'r>(results: &'r Results, outcome: &str, model: &str, variance: Variance) -> Vec<&'r EstimateRow> {
    let of_model = |row: &&EstimateRow| {
        row.outcome == outcome
            && row.model == model
            && row.variance == variance
            && row.ties.as_deref() != Some("breslow")
    };
    results.estimates.iter().filter(of_model).collect()
}

fn coefficients(worst: &mut Worst, name: &str, golden: &Value, rows: &[&EstimateRow]) {
    let numbers = |column: &str| golden[column].as_array().unwrap_or_else(|| panic!("{name}: no {column}")).clone();
    assert_eq!(rows.len(), numbers("estimate").len(), "{name}");
    for ((row, estimate), std_error) in rows.iter().zip(numbers("estimate")).zip(numbers("std_error")) {
        worst.compare(&format!("{name} {}", row.term), &estimate, row.estimate);
        worst.compare(&format!("{name} {} std_error", row.term), &std_error, row.std_error);
    }
}

#[test]
fn scenarios_equal_pooled_r() {
    let protocol = Arc::new(Protocol::parse(&(protocol_text() + SCENARIOS)).unwrap());
    let plan = plain(&protocol, &cohorts(&protocol, &rows().split(45, centre))).unwrap();
    let results = Results::of(&plan);
    assert!(!results.any_failed());
    let golden = golden();
    let mut worst = Worst::default();
    let names =
        [("test-fish-as-level", "fish_as_level"), ("test-without-fish", "without_fish"), ("test-under-75", "under_75")];
    for (name, key) in names {
        let scenario = results.scenarios.iter().find(|s| s.name == name).unwrap();
        let (results, golden) = (&scenario.results, &golden[key]);
        let last = results.flow.last().unwrap();
        for (count, n) in [("n", last.n), ("control", last.control), ("treated", last.treated)] {
            assert_eq!(golden[count].as_u64(), n, "{name} {count}");
        }
        let propensity = estimates(results, "", "propensity", Variance::Naive);
        coefficients(&mut worst, &format!("{name} propensity"), &golden["propensity"], &propensity);
        for outcome in ["response", "pfs", "os"] {
            let (at, golden) = (format!("{name} {outcome}"), &golden[outcome]);
            let adjusted = estimates(results, outcome, "adjusted", Variance::Naive);
            coefficients(&mut worst, &at, &golden["adjusted"], &adjusted);
            let (estimate, robust) =
                if outcome == "response" { ("log_odds_ratio", "se_hc0") } else { ("estimate", "se_robust") };
            let iptw =
                [(Variance::Naive, "se_naive"), (Variance::Robust, robust), (Variance::MEstimation, "se_m_estimation")];
            for (variance, column) in iptw {
                let rows = estimates(results, outcome, "iptw", variance);
                let row = rows.last().unwrap();
                worst.compare(&format!("{at} iptw"), &golden["iptw"][estimate], row.estimate);
                worst.compare(&format!("{at} iptw {column}"), &golden["iptw"][column], row.std_error);
            }
        }
    }
    println!("{} numbers of scenarios equal R's, largest relative difference {:.1e}", worst.compared, worst.difference);
}

#[test]
fn a_scenario_changes_nothing_of_the_main_analysis() {
    let text = protocol_text();
    let results = |text: &str| {
        let protocol = Arc::new(Protocol::parse(text).unwrap());
        Results::of(&plain(&protocol, &cohorts(&protocol, &rows().split(3, |_, i| i % 3))).unwrap())
    };
    let alone = results(&text);
    let mut beside = results(&(text.clone() + SCENARIOS));
    let younger = beside.scenarios.pop().unwrap();
    assert_eq!(younger.label, "Younger than 75 years");
    assert_eq!(younger.results.flow.last().unwrap().label, "Received one of the two treatments");
    assert_eq!(younger.results.flow[2].label, "Younger than 75 years");
    assert!(!younger.results.survival.is_empty() && !younger.results.balance.is_empty());
    assert!(beside.scenarios.iter().all(|s| s.results.survival.is_empty() && s.results.balance.is_empty()));
    beside.scenarios = alone.scenarios.clone();
    assert_eq!(beside, alone);
}
