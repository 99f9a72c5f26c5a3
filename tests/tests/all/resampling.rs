//! Bootstrap and multiple imputation against pooled R over 45 sites, given the same draws (`golden_bootstrap_study.R`,
//! `golden_imputation.R`).
//!
//! Draws never leave a site. These are made here from the keys of the harness, and written to fixtures that R reads; with
//! `WRITE_FIXTURES=1` in the environment the fixtures are written anew, else they must be what is drawn.

mod imputation;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use entente_tests::federation::{Rows, draw_key, plain};
use secagg::{Canonical, Draws};
use serde_json::Value;
use stats::cox::Ties;
use study::plan::Plan;
use study::protocol::{Model, Protocol};
use study::results::{EstimateRow, Results, Variance};

use crate::reference::{centre, cohorts, protocol_text, rows};

const REPLICATES: u32 = 25;
const BOOTSTRAP: &str = r#"
[bootstrap]
replicates = 25
seed = 4
outcomes = ["pfs", "os", "response"]
models = ["unadjusted", "iptw", "adjusted"]
"#;

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/golden").join(name)
}

fn golden(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden_path(name)).unwrap()).unwrap()
}

/// The fixture must hold what is drawn, to the last digit.
fn check_fixture(name: &str, text: &str) {
    if std::env::var_os("WRITE_FIXTURES").is_some() {
        std::fs::write(golden_path(name), text).unwrap();
    }
    assert!(std::fs::read_to_string(golden_path(name)).unwrap() == text, "{name} does not hold what is drawn");
}

/// The sites' patients as they stand in their cohorts: by patient, those that `keep` says.
fn patients(keep: impl Fn(&Rows, usize) -> bool) -> Vec<Vec<String>> {
    let sites = rows().split(45, centre);
    let of_site = |rows: &Rows| {
        let kept = (0..rows.len()).filter(|row| keep(rows, *row));
        let mut patients: Vec<String> = kept.map(|row| rows.get(row, "patient").to_owned()).collect();
        patients.sort();
        patients
    };
    sites.iter().map(of_site).collect()
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

fn run(text: &str) -> Plan {
    let protocol = Arc::new(Protocol::parse(text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0)));
    plain(&protocol, &cohorts(&protocol, &rows().split(45, centre))).unwrap()
}

/// The treatment's row of a model under one variance.
fn effect<'r>(results: &'r Results, outcome: &str, model: &str, variance: Variance) -> &'r EstimateRow {
    let same = |row: &&EstimateRow| {
        row.outcome == outcome
            && row.model == model
            && row.variance == variance
            && row.term == "regimen:IsaPd"
            && row.ties.as_deref() != Some("breslow")
    };
    results.estimates.iter().find(same).unwrap_or_else(|| panic!("no row of {outcome} {model}"))
}

#[test]
fn case_weights_are_those_of_the_fixture() {
    let mut text = String::from("patient");
    for number in 1..=REPLICATES {
        write!(text, ",b{number:02}").unwrap();
    }
    for (site, patients) in patients(|rows, row| !rows.get(row, "fish").is_empty()).iter().enumerate() {
        let key = draw_key(site as u16);
        let weights = |number: u32| {
            let label = Canonical::new("entente/v1/row draws").str("replicate").u32(4).u32(number);
            let mut draws = Draws::secret(&key, label);
            stats::resample::weights(patients.len(), || draws.word())
        };
        let replicates: Vec<Vec<f64>> = (0..REPLICATES).map(weights).collect();
        for (i, patient) in patients.iter().enumerate() {
            write!(text, "\n{patient}").unwrap();
            for weights in &replicates {
                write!(text, ",{}", weights[i]).unwrap();
            }
        }
    }
    check_fixture("bootstrap_study_weights.csv", &(text + "\n"));
}

#[test]
fn every_replicate_equals_pooled_r() {
    let plan = run(&(protocol_text() + BOOTSTRAP));
    let results = Results::of(&plan);
    let golden = golden("bootstrap_study.json");
    let mut worst = Worst::default();
    let bootstrap = plan.bootstrap().unwrap();
    assert_eq!(bootstrap.replicates().len(), REPLICATES as usize);
    for outcome in ["pfs", "os", "response"] {
        for model in [Model::Unadjusted, Model::Iptw, Model::Adjusted] {
            let at = format!("{outcome} {}", model.name());
            let golden = &golden[outcome][model.name()];
            let (key, _) = plan
                .main()
                .fits()
                .find(|(key, _)| {
                    key.outcome == outcome && key.model == Some(model) && key.ties() != Some(Ties::Breslow)
                })
                .unwrap();
            let term = usize::from(outcome == "response");
            let replicates = bootstrap.coefficients(key, &key.terms[term]);
            assert_eq!(replicates.len(), golden["replicates"].as_array().unwrap().len(), "{at}");
            for (i, estimate) in replicates.into_iter().enumerate() {
                worst.compare(&format!("{at} replicate {i}"), &golden["replicates"][i], estimate.unwrap());
            }
            for (variance, interval) in [(Variance::Bootstrap, "normal"), (Variance::BootstrapPercentile, "percentile")]
            {
                let row = effect(&results, outcome, model.name(), variance);
                worst.compare(&at, &golden["estimate"], row.estimate);
                worst.compare(&format!("{at} std_error"), &golden["std_error"], row.std_error);
                worst.compare(&format!("{at} {interval} low"), &golden[interval][0], row.conf_low);
                worst.compare(&format!("{at} {interval} high"), &golden[interval][1], row.conf_high);
                assert_eq!((row.replicates, row.failed_replicates), (Some(25), Some(0)));
            }
        }
    }
    println!(
        "{} numbers of replicates equal R's, largest relative difference {:.1e}",
        worst.compared, worst.difference
    );
}

#[test]
fn the_bootstrap_is_near_m_estimation_and_changes_nothing_else() {
    let bootstrap = "[bootstrap]\nseed = 1\nmodels = [\"iptw\"]\n";
    let text = protocol_text();
    let (with, without) = (run(&(text.clone() + bootstrap)), run(&text));
    // Replicates ask along; one that converges slowly may be the last.
    let rounds = [with.progress().round - 1, without.progress().round - 1];
    println!("{} rounds with 200 replicates, {} without", rounds[0], rounds[1]);
    assert!(rounds[0] <= rounds[1] + 6, "{rounds:?}");
    let results = Results::of(&with);
    for outcome in ["pfs", "os", "response", "neutropenia", "infection"] {
        let of = |variance| effect(&results, outcome, "iptw", variance).std_error;
        let (replicates, formula) = (of(Variance::Bootstrap), of(Variance::MEstimation));
        println!("{outcome}: standard error {replicates:.4} by 200 replicates, {formula:.4} by M-estimation");
        assert!((replicates / formula - 1.0).abs() < 0.2, "{outcome}");
    }
    let mut main = results.clone();
    main.estimates.retain(|row| row.replicates.is_none());
    assert_eq!(main, Results::of(&without));
}
