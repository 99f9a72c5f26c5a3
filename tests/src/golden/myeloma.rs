//! `golden/relapsed-myeloma.json` against a run of `examples/relapsed-myeloma`.

use super::baseline;
use super::comparison::Comparison;
use super::curves;
use super::files::{Files, Row, Table};
use super::models::{self, Model};
use super::weights;

const BINARY: [&str; 4] = ["response", "neutropenia", "infection", "disc_ae"];
const SURVIVAL: [&str; 2] = ["pfs", "os"];
pub(super) const ARMS: [(&str, &str); 2] = [("control", "EloPd"), ("treated", "IsaPd")];

/// Name in results of R's term.
fn term(golden: &str) -> Option<String> {
    let name = match golden {
        "(Intercept)" => "(intercept)",
        "a" => "regimen:IsaPd",
        "female" => "sex:F",
        "iss" => "iss_stage",
        "issII" => "iss_stage:II",
        "issIII" => "iss_stage:III",
        "dara_no" => "dara_refr:0",
        "asct_no" => "asct:0",
        "fish_high" => "fish:high",
        "a:dara_no" => "regimen:IsaPd x dara_refr:0",
        same @ ("age" | "crcl" | "ldh_high") => same,
        _ => return None,
    };
    Some(name.to_owned())
}

pub(super) fn compare(comparison: &mut Comparison<'_>, files: &Files, section: &str) {
    flow(comparison, &files.flow);
    let propensity = Model { analysis: "propensity", outcome: "", name: "propensity", ties: "", term };
    models::logistic(comparison, files, &propensity, "/propensity");
    weights::compare(comparison, files, term);
    baseline::compare(comparison, files);
    for outcome in BINARY {
        binary(comparison, files, outcome);
    }
    for outcome in SURVIVAL {
        survival(comparison, files, section, outcome);
    }
}

fn flow(comparison: &mut Comparison<'_>, flow: &Table) {
    let rows: Vec<Row<'_>> = flow.rows().collect();
    let [all, with_fish, analysed] = rows[..] else {
        return comparison.missing(format!("flow.csv: {} steps instead of 3", rows.len()));
    };
    let entries = [
        ("eligible", all, "n"),
        ("eligible_control", all, "control"),
        ("eligible_treated", all, "treated"),
        ("without_fish", with_fish, "excluded"),
        ("analysed", analysed, "n"),
        ("control", analysed, "control"),
        ("treated", analysed, "treated"),
    ];
    for (name, row, column) in entries {
        comparison.number(&format!("/flow/{name}"), row.number(column));
    }
}

fn events(files: &Files, outcome: &str, arm: &str) -> Result<f64, String> {
    files.outcomes.row(&[("outcome", outcome), ("arm", arm)])?.number("events")
}

fn binary(comparison: &mut Comparison<'_>, files: &Files, outcome: &str) {
    let at = format!("/binary/{outcome}");
    for (arm, level) in ARMS {
        comparison.number(&format!("{at}/{arm}_events"), events(files, outcome, level));
    }
    let chi_square = files.tests.row(&[("name", "chi_square"), ("outcome", outcome)]);
    comparison.number(&format!("{at}/chi_square_p"), chi_square.and_then(|row| row.number("p_value")));
    let model = |name| Model { analysis: "logistic", outcome, name, ties: "", term };
    for name in ["unadjusted", "adjusted", "interaction"] {
        let at = format!("{at}/{name}");
        if comparison.has(&at) {
            models::logistic(comparison, files, &model(name), &at);
        }
    }
    let names = ["log_odds_ratio", "odds_ratio"];
    models::weighted_treatment(comparison, files, &model("iptw"), &format!("{at}/iptw_stabilized"), names);
    let plain = model("iptw_unstabilized");
    models::weighted_treatment(comparison, files, &plain, &format!("{at}/iptw_unstabilized"), names);
}

fn survival(comparison: &mut Comparison<'_>, files: &Files, section: &str, outcome: &str) {
    let at = format!("/{section}/{outcome}");
    let both = ARMS.map(|(_, level)| events(files, outcome, level));
    let total = both.into_iter().sum::<Result<f64, String>>();
    comparison.number(&format!("{at}/events"), total);
    let model = |name, ties| Model { analysis: "cox", outcome, name, ties, term };
    let cox = [
        ("unadjusted", model("unadjusted", "efron")),
        ("unadjusted_breslow", model("unadjusted", "breslow")),
        ("adjusted", model("adjusted", "efron")),
        ("adjusted_breslow", model("adjusted", "breslow")),
        ("adjusted_stratified_by_site", model("stratified", "efron")),
    ];
    for (name, model) in cox {
        models::cox(comparison, files, &model, &format!("{at}/{name}"));
    }
    let names = ["estimate", "hazard_ratio"];
    let iptw =
        [("iptw_stabilized", "iptw"), ("iptw_unstabilized", "iptw_unstabilized"), ("iptw_overlap", "iptw_overlap")];
    for (golden, name) in iptw {
        models::weighted_treatment(comparison, files, &model(name, "efron"), &format!("{at}/{golden}"), names);
    }
    models::coefficients(comparison, files, &model("interaction", "efron"), &format!("{at}/interaction"));
    curves::compare(comparison, files, &at, outcome, if section == "survival_day" { 1.0 } else { 30.4375 });
    for (golden, name) in [("interaction_wald_p", "interaction_wald"), ("interaction_lrt_p", "interaction_lr")] {
        let row = files.tests.row(&[("name", name), ("outcome", outcome), ("ties", "efron")]);
        comparison.number(&format!("{at}/{golden}"), row.and_then(|row| row.number("p_value")));
    }
}
