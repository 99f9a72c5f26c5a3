//! `golden/rotterdam.json` against a run of `examples/rotterdam` on one of its time grids.

use super::comparison::Comparison;
use super::files::Files;
use super::models::{self, Model};

const OUTCOME: &str = "rfs";

/// Name in results of R's term.
fn term(golden: &str) -> Option<String> {
    let name = match golden {
        "(Intercept)" => "(intercept)",
        "a" | "chemo" => "chemo:1",
        "size_f" => "size_c",
        "size_f20-50" => "size_c:20-50",
        "size_f>50" => "size_c:>50",
        same @ ("age" | "meno" | "nodes" | "grade" | "hormon") => same,
        _ => return None,
    };
    Some(name.to_owned())
}

pub(super) fn compare(comparison: &mut Comparison<'_>, files: &Files, section: &str) {
    let propensity = Model { analysis: "propensity", outcome: "", name: "propensity", ties: "", term };
    models::coefficients(comparison, files, &propensity, "/propensity");
    let model = |name, ties| Model { analysis: "cox", outcome: OUTCOME, name, ties, term };
    let cox = [
        ("efron", model("adjusted", "efron")),
        ("breslow", model("adjusted", "breslow")),
        ("efron_weighted", model("iptw_adjusted", "efron")),
        ("breslow_weighted", model("iptw_adjusted", "breslow")),
        ("stratified_by_site", model("stratified", "efron")),
    ];
    for (name, model) in cox {
        models::cox(comparison, files, &model, &format!("/{section}/{name}"));
    }
    let names = ["estimate", "hazard_ratio"];
    models::weighted_treatment(comparison, files, &model("iptw", "efron"), &format!("/{section}/iptw"), names);
    // Two of the fourteen sites have patients: clustered by them, eight coefficients have errors of rank one. R gives numbers;
    // the results have none, and say why. The tests of `stats` hold the sums behind them against the same list.
    let weighted = model("iptw_adjusted", "efron");
    for golden in comparison.texts(&format!("/{section}/efron_weighted/term")) {
        let row = weighted.estimate(files, &term(golden).unwrap_or_default(), "cluster_site");
        let said = row.map(|row| (row.text("std_error").to_owned(), row.text("notes").contains("2 sites")));
        if said != Ok((String::new(), true)) {
            comparison.missing(format!("/{section}/cluster_site_se: {golden} has no reason for having no error"));
        }
    }
    comparison.leave_out(&format!("{section}/cluster_site_se"), "R's errors of two clusters, of rank one");
}
