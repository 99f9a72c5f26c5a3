//! `smd_cobalt` follows cobalt's rule for the estimand (`tests/reference/golden_cobalt.R`).

use serde_json::Value;
use study::results::Results;

use super::{results, sites, text};
use crate::reference::{centre, rows};
use crate::small::text_with;

const ESTIMANDS: [&str; 5] = ["ATE", "ATT", "ATC", "ATO", "ATM"];

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/golden/cobalt.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn compare(results: &Results, variable: &str, golden: &Value, what: &str) {
    for (weighted, key) in [(false, "before"), (true, "after")] {
        let mut rows = results.balance.iter();
        let row = rows.find(|row| row.variable == variable && row.weighted == weighted).unwrap();
        let (got, expected) = (row.smd_cobalt.unwrap(), golden[key].as_f64().unwrap());
        // 0 with overlap weights, and what is left of it
        assert!((got - expected).abs() <= 1e-11 * expected.abs().max(0.1), "{what} {variable} {key}: {got} {expected}");
    }
}

#[test]
fn every_estimand_has_its_own_spread() {
    let golden = golden();
    let models = r#"
[propensity]
covariates = ["age", "sex"]
estimand = "ESTIMAND"

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["iptw"]

[[analysis]]
kind = "baseline"
variables = ["age", "crcl"]
"#;
    let sites = rows().split(45, centre);
    for estimand in ESTIMANDS {
        let results = results(&text_with(&models.replace("ESTIMAND", estimand)), &sites);
        for variable in ["age", "crcl"] {
            compare(&results, variable, &golden["myeloma"][variable][estimand], estimand);
        }
    }
}

/// The study of the report: ages with standard deviations of 4.0 and 12.1.
#[test]
fn a_study_for_the_treated_divides_by_their_spread() {
    const CASE: &str = "29-cobalt-att";
    let golden = golden();
    let expected = [
        ("protocol-ate.toml", "ATE", 0.195_416, 0.081_923),
        ("protocol.toml", "ATT", 0.437_827, -0.188_574),
        ("protocol-atc.toml", "ATC", 0.145_623, 0.123_293),
        ("protocol-ato.toml", "ATO", 0.196_996, 0.0),
    ];
    for (protocol, estimand, before, after) in expected {
        let golden = &golden["case_29"]["age"][estimand];
        let six_places = |x: &Value, expected: f64| assert!((x.as_f64().unwrap() - expected).abs() < 1e-6);
        six_places(&golden["before"], before);
        six_places(&golden["after"], after);
        compare(&results(&text(CASE, protocol), &sites(CASE)), "age", golden, estimand);
    }
}
