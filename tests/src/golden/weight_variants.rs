//! Weights that the example's protocol does not declare, against `golden/weights.json`: Cox models under every estimand,
//! and truncation at quantiles of both types, with and without stabilisation.

use serde_json::Value;
use study::results::{EstimateRow, Results, Variance};

use super::pooled;

/// Results of the example with other keys in `[propensity]` and all weighted models of response and PFS.
fn results(stabilized: bool, truncate_type: u32) -> Results {
    let text = std::fs::read_to_string(pooled::path("examples/relapsed-myeloma/protocol.toml")).unwrap();
    let (head, _) = text.split_once("[propensity]").unwrap();
    let models = "models = [\"iptw_att\", \"iptw_atc\", \"iptw_overlap\", \"iptw_matching\", \"iptw_truncated\"]\n\
                  variance = [\"robust\", \"m_estimation\"]\n";
    let text = format!(
        "{head}[propensity]\n\
         covariates = [\"age\", \"sex\", \"crcl\", \"iss_stage\", \"ldh_high\", \"dara_refr\", \"asct\", \"fish\"]\n\
         stabilized = {stabilized}\ntruncate = [0.01, 0.99]\ntruncate_type = {truncate_type}\n\
         [[analysis]]\nkind = \"logistic\"\noutcome = \"response\"\n{models}\
         [[analysis]]\nkind = \"cox\"\noutcome = \"pfs\"\n{models}"
    );
    // Counts at the bounds of truncated weights are small: they are compared as well.
    let text = text.replace("minimum_cell = 3", "minimum_cell = 1");
    let dir = tempfile::tempdir().unwrap();
    let protocol = dir.path().join("protocol.toml");
    std::fs::write(&protocol, text).unwrap();
    let rows = "tests/reference/relapsed-myeloma-596.csv";
    pooled::results(protocol.to_str().unwrap(), rows, Some("fish")).1
}

/// Largest relative difference of a model's effect and its errors under three variances.
fn difference(results: &Results, outcome: &str, model: &str, golden: &Value) -> f64 {
    let row = |variance| -> &EstimateRow {
        let of = |r: &&EstimateRow| {
            r.outcome == outcome && r.model == model && r.term == "regimen:IsaPd" && r.variance == variance
        };
        results.estimates.iter().find(of).unwrap_or_else(|| panic!("{outcome} {model}: no {variance:?}"))
    };
    let pairs = [
        (row(Variance::Naive).estimate, "estimate"),
        (row(Variance::Naive).std_error, "se_naive"),
        (row(Variance::Robust).std_error, "se_robust"),
        (row(Variance::MEstimation).std_error, "se_m_estimation"),
    ];
    let relative = |(got, name): (f64, &str)| (got / golden[name].as_f64().unwrap() - 1.0).abs();
    pairs.into_iter().map(relative).fold(0.0, f64::max)
}

#[test]
fn every_estimand_and_truncation_is_that_of_r() {
    let text = std::fs::read_to_string(pooled::path("tests/reference/golden/weights.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let schemes = &golden["schemes"];
    let mut worst: f64 = 0.0;
    for (stabilized, kind) in [(true, 3), (true, 7), (false, 3), (false, 7)] {
        let results = results(stabilized, kind);
        assert!(!results.any_failed(), "{:?}", results.fits);
        let ate = if stabilized { "ate_stabilised" } else { "ate" };
        let truncated = format!("{ate}_truncated_type{kind}");
        let models = [
            ("iptw_att", "att"),
            ("iptw_atc", "atc"),
            ("iptw_overlap", "ato"),
            ("iptw_matching", "atm"),
            ("iptw_truncated", truncated.as_str()),
        ];
        for (model, name) in models {
            for (outcome, entry) in [("response", "response"), ("pfs", "pfs_day")] {
                let difference = difference(&results, outcome, model, &schemes[name][entry]);
                assert!(difference < 1e-8, "{name} {outcome}: {difference:.1e}");
                worst = worst.max(difference);
            }
        }
        let scheme = if stabilized { "ate_stabilized_truncated" } else { "ate_truncated" };
        let expected = &schemes[&truncated]["truncation"];
        let rows = results.weights.iter().filter(|w| w.scheme == scheme);
        for (row, arm) in rows.zip(["control", "treated"]) {
            let (low, high) = row.bounds.unwrap();
            for (bound, i) in [(low, 0), (high, 1)] {
                // R's quantile has its own order of the same operations
                let difference = (bound / expected["bounds"][i].as_f64().unwrap() - 1.0).abs();
                assert!(difference < 1e-14, "{truncated}: {difference:.1e}");
            }
            let counts = row.truncated.unwrap();
            assert_eq!(counts, ["below", "above"].map(|side| expected[arm][side].as_u64()), "{truncated} {arm}");
        }
    }
    println!("weighted models under four estimands and four truncations: largest relative difference {worst:.1e}");
}
