//! Scenarios trimmed by the propensity score: equal to pooled R (`tests/reference/golden_trim.R`), whatever the sites.

use std::path::Path;
use std::sync::Arc;

use entente_tests::federation::{Federation, bits, plain};
use serde_json::Value;
use study::plan::Plan;
use study::protocol::Protocol;
use study::results::{EstimateRow, Results, Variance};

use crate::agreement::assert_agree;
use crate::reference::{centre, cohorts, protocol_text, rows};

const TRIMMED: &str = r#"
[[scenario]]
name = "from-10-to-90"
trim = [0.1, 0.9]
models = ["unadjusted", "iptw"]
baseline = true
curves = true

[[scenario]]
name = "from-15-to-85"
trim = [0.15, 0.85]
models = ["unadjusted", "iptw", "iptw_truncated"]
"#;

/// The reference study with these scenarios in place of its own.
fn protocol(scenarios: &str) -> Arc<Protocol> {
    let text = protocol_text();
    let main = text.split("[[scenario]]").next().unwrap();
    Arc::new(Protocol::parse(&format!("{main}{scenarios}")).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)))
}

struct Comparison {
    compared: usize,
    worst: f64,
}

impl Comparison {
    fn number(&mut self, golden: &Value, got: f64) {
        let golden = golden.as_f64().expect("a golden number");
        let difference = (got - golden).abs() / golden.abs();
        assert!(difference <= 1e-8, "{got} is not R's {golden}");
        self.compared += 1;
        self.worst = self.worst.max(difference);
    }
}

fn effect<'r>(results: &'r Results, outcome: &str, model: &str, variance: Variance) -> &'r EstimateRow {
    let wanted = |row: &&EstimateRow| {
        (row.outcome.as_str(), &*row.model, row.variance) == (outcome, model, variance)
            && row.term == "regimen:IsaPd"
            && row.ties.as_deref() != Some("breslow")
    };
    results.estimates.iter().find(wanted).unwrap_or_else(|| panic!("{outcome} {model}"))
}

#[test]
fn trimmed_analyses_equal_pooled_r() {
    let protocol = protocol(TRIMMED);
    let plan = plain(&protocol, &cohorts(&protocol, &rows().split(45, centre))).unwrap();
    let results = Results::of(&plan);
    assert!(!results.any_failed(), "{:?}", results.fits);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/golden/trim.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut comparison = Comparison { compared: 0, worst: 0.0 };
    for (scenario, key) in results.scenarios.iter().zip(["from_10_to_90", "from_15_to_85"]) {
        let (results, golden) = (&scenario.results, &golden[key]);
        let [.., before, last] = &results.flow[..] else { panic!("a flow chart") };
        assert!(
            last.label.starts_with("Propensity score from 0.1")
                && before.n == Some(277)
                && last.excluded == last.n.map(|n| 277 - n)
        );
        let counts = [("n", last.n), ("control", last.control), ("treated", last.treated)];
        for (count, n) in counts {
            assert_eq!(golden[count].as_u64(), n, "{key} {count}");
        }
        let propensity: Vec<_> = results.estimates.iter().filter(|row| row.analysis == "propensity").collect();
        assert_eq!(propensity.len(), 10);
        for (i, row) in propensity.into_iter().enumerate() {
            comparison.number(&golden["propensity"]["estimate"][i], row.estimate);
            comparison.number(&golden["propensity"]["std_error"][i], row.std_error);
        }
        for (row, arm) in results.weights.iter().zip(["control", "treated"]) {
            comparison.number(&golden["ess"][arm], row.ess);
        }
        for (outcome, estimate, robust) in [
            ("response", "log_odds_ratio", "se_hc0"),
            ("pfs", "estimate", "se_robust"),
            ("os", "estimate", "se_robust"),
        ] {
            let golden = &golden[outcome];
            let iptw = |variance| effect(results, outcome, "iptw", variance);
            comparison.number(&golden["iptw"][estimate], iptw(Variance::Naive).estimate);
            comparison.number(&golden["iptw"]["se_naive"], iptw(Variance::Naive).std_error);
            comparison.number(&golden["iptw"][robust], iptw(Variance::Robust).std_error);
            comparison.number(&golden["iptw"]["se_m_estimation"], iptw(Variance::MEstimation).std_error);
            if outcome != "response" {
                let row = effect(results, outcome, "unadjusted", Variance::Naive);
                comparison.number(&golden["unadjusted"]["estimate"], row.estimate);
                comparison.number(&golden["unadjusted"]["std_error"], row.std_error);
                assert_eq!(golden["events"].as_u64(), row.events);
            }
        }
    }
    let Comparison { compared, worst } = comparison;
    println!("{compared} numbers after trimming equal R's, largest relative difference {worst:.1e}");
    println!("{} rounds", plan.progress().round - 1);
    assert!(results.scenarios[0].results.balance.len() > 20 && !results.scenarios[0].results.survival.is_empty());
}

#[test]
fn any_split_trims_the_same_patients() {
    let (protocol, rows) = (protocol(TRIMMED), rows());
    let results = |sites: &[_]| Results::of(&plain(&protocol, &cohorts(&protocol, sites)).unwrap());
    let pooled = results(std::slice::from_ref(&rows));
    for split in [results(&rows.split(7, |_, i| i % 7)), results(&rows.split(45, centre))] {
        assert_agree(&pooled, &split);
        for (pooled, split) in pooled.scenarios.iter().zip(&split.scenarios) {
            assert_agree(&pooled.results, &split.results);
        }
    }
}

#[test]
fn masks_and_threads_do_not_change_a_bit_of_a_trimmed_analysis() {
    let protocol = protocol(TRIMMED);
    let cohorts = cohorts(&protocol, &rows().split(4, |_, i| i % 4));
    let expected = bits(&plain(&protocol, &cohorts).unwrap());
    let mut run = Federation::new(Arc::clone(&protocol), cohorts, 7).threads(3);
    run.run();
    assert!(run.refusals.is_empty() && run.faults.is_empty(), "{:?} {:?}", run.refusals, run.faults);
    assert_eq!(run.bits(), expected);
}

/// What every failed model of a scenario says, once each.
fn failures(plan: &Plan) -> Vec<String> {
    let results = Results::of(plan);
    assert!(results.fits.iter().all(|fit| fit.outcome_of_fit.is_ok()), "the main analysis comes out");
    let fits = results.scenarios.iter().flat_map(|s| &s.results.fits);
    let mut all: Vec<String> =
        fits.filter_map(|fit| Some(fit.outcome_of_fit.as_ref().err()?.message.clone())).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn nobody_left_and_nobody_to_trim_end_in_failures_that_say_so() {
    let run = |scenario: &str| {
        let protocol = protocol(scenario);
        plain(&protocol, &cohorts(&protocol, &rows().split(5, |_, i| i % 5))).unwrap()
    };
    let nobody = run("[[scenario]]\nname = \"nobody\"\ntrim = [0.0, 0.001]\nmodels = [\"unadjusted\", \"iptw\"]\n");
    let empty = "no analysed patient in the EloPd arm";
    assert_eq!(failures(&nobody), [empty.to_owned(), format!("the propensity model failed: {empty}")]);
    let separated = "[[scenario]]\nname = \"parted\"\nrequire = \"(regimen = 'IsaPd') = (sex = 'F')\"\n\
                     trim = [0.1, 0.9]\nmodels = [\"iptw\"]\n";
    let plan = run(separated);
    let why = "separation: the treatment is predicted perfectly by (intercept), sex:F";
    assert_eq!(failures(&plan), [format!("the propensity model that trims failed: {why}")]);
    let results = Results::of(&plan);
    let scenario = &results.scenarios[0].results;
    assert!(scenario.estimates.is_empty() && scenario.weights.is_empty() && scenario.overlap.is_empty());
    assert_eq!(scenario.flow.last().unwrap().label, "Received one of the two treatments");
}
