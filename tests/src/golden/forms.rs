//! Forms of models that the example's protocol does not ask for: more effect modifiers, weighted interactions, Firth,
//! ridge; and what a hazard ratio from a table must be equal to.

use serde_json::Value;
use study::protocol::ReleaseRules;
use study::results::{EstimateRow, FitRow, KAPLAN_MEIER, Results, Variance};

use super::tests::{judge, provenance};
use super::{Study, pooled};

const ROWS: &str = "tests/reference/relapsed-myeloma-596.csv";
const MODIFIER: &str = "effect_modifier = \"dara_refr\"";

fn example(name: &str) -> String {
    std::fs::read_to_string(pooled::path(&format!("examples/relapsed-myeloma/{name}"))).unwrap()
}

fn results(protocol: &str) -> (Results, usize) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("protocol.toml");
    std::fs::write(&path, protocol).unwrap();
    let (_, results, sites) = pooled::results(path.to_str().unwrap(), ROWS, Some("fish"));
    (results, sites)
}

#[test]
fn more_effect_modifiers_and_weighted_interactions_are_equal_to_r() {
    let text = example("protocol.toml");
    assert_eq!(text.matches(MODIFIER).count(), 2);
    let models = "\"iptw_unstabilized\", \"adjusted\"";
    assert_eq!(text.matches(models).count(), 2);
    let text = text
        .replace(MODIFIER, "effect_modifiers = [\"iss_stage\", \"lines\"]\neffect_at = [1, 2, 3]")
        .replace(models, &format!("{models}, \"iptw_interaction\""));
    let age = |kind: &str, outcome: &str| {
        format!(
            "\n[[analysis]]\nkind = \"{kind}\"\noutcome = \"{outcome}\"\neffect_modifier = \"age\"\n\
             effect_at = [55, 65.5, 75]\n"
        )
    };
    let (results, sites) = results(&(text + &age("logistic", "response") + &age("cox", "pfs")));
    let dir = tempfile::tempdir().unwrap();
    coordinator::results::write(dir.path(), &results, &provenance(sites, ReleaseRules::default())).unwrap();
    let report = judge(dir.path(), Study::Modification, "further");
    println!("{report}");
    assert!(report.passed() && report.compared > 150, "{report}");
}

fn close(name: &str, worst: &mut f64, got: f64, expected: f64) {
    let difference = (got / expected - 1.0).abs();
    *worst = worst.max(difference);
    assert!(difference < 1e-8, "{name}: {got:e} instead of {expected:e}");
}

/// Name in results of R's term in `golden/checking.json`.
fn term(golden: &str) -> String {
    let name = match golden {
        "(Intercept)" => "(intercept)",
        "a" => "regimen:IsaPd",
        "female" => "sex:F",
        "issII" => "iss_stage:II",
        "issIII" => "iss_stage:III",
        "dara_no" => "dara_refr:0",
        "asct_no" => "asct:0",
        "fish_high" => "fish:high",
        same => same,
    };
    name.to_owned()
}

/// Coefficients, likelihoods and degrees of freedom of one penalised model.
fn penalised(results: &Results, golden: &Value, outcome: &str, model: &str, worst: &mut f64) {
    let number = |value: &Value| value.as_f64().unwrap();
    for (i, name) in golden["term"].as_array().unwrap().iter().enumerate() {
        let term = term(name.as_str().unwrap());
        let of = |row: &&EstimateRow| row.outcome == outcome && row.model == model && row.term == term;
        let rows: Vec<&EstimateRow> = results.estimates.iter().filter(of).collect();
        let [row] = rows[..] else { panic!("{outcome} {model} {term}: {} rows", rows.len()) };
        assert_eq!((row.variance, row.e_value.is_some()), (Variance::Naive, term == "regimen:IsaPd"));
        for (column, got) in [
            ("estimate", row.estimate),
            ("std_error", row.std_error),
            ("p_value", row.p_value),
            ("conf_low", row.conf_low),
            ("conf_high", row.conf_high),
        ] {
            close(&format!("{outcome} {model} {term} {column}"), worst, got, number(&golden[column][i]));
        }
    }
    let fit: &FitRow = results.fits.iter().find(|f| f.outcome == outcome && f.model == model).unwrap();
    let numbers = fit.outcome_of_fit.as_ref().unwrap();
    let penalised = numbers.penalised.unwrap();
    assert_eq!(numbers.likelihood_ratio, None);
    close("loglik", worst, numbers.loglik, number(&golden["loglik"]));
    close("penalised loglik", worst, penalised.loglik, number(&golden["penalised_loglik"]));
    assert_eq!(penalised.df.is_some(), model == "ridge");
    if let Some(df) = penalised.df {
        // R counts the free intercept as well.
        close("df", worst, df, number(&golden["df"]));
    }
}

fn checking(entry: &str) -> Value {
    let text = std::fs::read_to_string(pooled::path("tests/reference/golden/checking.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[entry].take()
}

/// The example on the monthly grid with nothing but these analyses.
fn alone(analyses: &str) -> Results {
    let text = example("protocol-month.toml");
    let head = text.split("[[analysis]]").next().unwrap();
    results(&format!("{head}{analyses}")).0
}

#[test]
fn firth_is_equal_to_direct_maximisation_in_r() {
    let results =
        alone("[[analysis]]\nkind = \"logistic\"\noutcomes = [\"disc_ae\", \"response\"]\nmodels = [\"firth\"]\n");
    let (golden, mut worst) = (checking("firth"), 0.0);
    for outcome in ["disc_ae", "response"] {
        penalised(&results, &golden[outcome], outcome, "firth", &mut worst);
    }
    println!("firth: largest relative difference {worst:.1e}");
}

#[test]
fn ridge_is_equal_to_direct_maximisation_in_r() {
    let analysis = |kind: &str, outcome: &str, lambda: f64, scale: &str| {
        format!("[[analysis]]\nkind = \"{kind}\"\noutcome = \"{outcome}\"\nridge = {lambda}\n{scale}\n")
    };
    let raw = "ridge_scale = \"raw\"";
    let (golden, mut worst) = (checking("ridge"), 0.0);
    for analyses in [
        [
            ("response_raw", analysis("logistic", "response", 2.0, raw), "response"),
            ("disc_ae_standardised", analysis("logistic", "disc_ae", 0.5, ""), "disc_ae"),
            ("pfs_raw", analysis("cox", "pfs", 2.0, raw), "pfs"),
        ]
        .to_vec(),
        vec![
            ("response_standardised", analysis("logistic", "response", 5.0, ""), "response"),
            ("pfs_standardised", analysis("cox", "pfs", 5.0, "ridge_scale = \"standardised\""), "pfs"),
        ],
    ] {
        let text: String = analyses.iter().map(|(_, text, _)| text.as_str()).collect();
        let results = alone(&text);
        for (entry, _, outcome) in &analyses {
            penalised(&results, &golden[entry], outcome, "ridge", &mut worst);
        }
    }
    println!("ridge: largest relative difference {worst:.1e}");
}

#[test]
fn the_hazard_ratio_of_a_table_is_that_of_the_cox_model() {
    let (results, _) = results(&example("protocol.toml"));
    let from_table: Vec<&EstimateRow> = results.estimates.iter().filter(|r| r.analysis == KAPLAN_MEIER).collect();
    // Two outcomes, two models, two variances.
    assert_eq!(from_table.len(), 8);
    let mut worst = 0.0_f64;
    for row in from_table {
        let same = |r: &&EstimateRow| {
            r.analysis == "cox"
                && r.outcome == row.outcome
                && r.model == row.model
                && r.ties == row.ties
                && r.variance == row.variance
                && r.term == row.term
        };
        let cox = results.estimates.iter().find(same).unwrap();
        for (a, b) in [(row.estimate, cox.estimate), (row.std_error, cox.std_error), (row.p_value, cox.p_value)] {
            worst = worst.max((a / b - 1.0).abs());
        }
        assert_eq!((row.n, row.events, row.e_value.is_some()), (cox.n, cox.events, true));
    }
    println!("table against Cox model: largest relative difference {worst:.1e}");
    assert!(worst < 1e-10, "{worst:e}");
    for fit in results.fits.iter().filter(|f| f.analysis == KAPLAN_MEIER) {
        let cox = results
            .fits
            .iter()
            .find(|f| f.analysis == "cox" && (&f.outcome, &f.model, &f.ties) == (&fit.outcome, &fit.model, &fit.ties));
        let (table, cox) = (fit.outcome_of_fit.as_ref().unwrap(), cox.unwrap().outcome_of_fit.as_ref().unwrap());
        for (a, b) in [
            (table.loglik, cox.loglik),
            (table.loglik_null, cox.loglik_null),
            (table.wald, cox.wald),
            (table.score.unwrap(), cox.score.unwrap()),
        ] {
            assert!((a / b - 1.0).abs() < 1e-10, "{} {}: {a:e} {b:e}", fit.outcome, fit.model);
        }
    }
}
