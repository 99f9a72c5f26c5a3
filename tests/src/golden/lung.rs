//! `golden/lung.json` against a run of `examples/lung`: curves of all 228 patients, or the Cox model of the 227 whose
//! performance status is known.

use super::comparison::Comparison;
use super::curves;
use super::files::Files;
use super::models::{self, Model};

const OUTCOME: &str = "os";

/// Golden entries of the run with curves: three curves and a test.
pub(super) const CURVES: [&str; 4] = ["km_all", "km_male", "km_female", "log_rank_chisq"];

/// Name in results of R's term.
fn term(golden: &str) -> Option<String> {
    let name = match golden {
        "sex" => "sex:1",
        same @ ("age" | "ecog") => same,
        _ => return None,
    };
    Some(name.to_owned())
}

pub(super) fn compare(comparison: &mut Comparison<'_>, files: &Files, section: &str) {
    if section == "cox" {
        let model = Model { analysis: "cox", outcome: OUTCOME, name: "adjusted", ties: "efron", term };
        return models::cox(comparison, files, &model, "/cox");
    }
    let [all, male, female, log_rank] = CURVES;
    for (golden, arm) in [(all, "all"), (male, "0"), (female, "1")] {
        let of = [("outcome", OUTCOME), ("arm", arm), ("weighted", "FALSE")];
        curves::kaplan_meier(comparison, files, &format!("/{golden}"), &of, 1.0);
    }
    let row = files.tests.row(&[("name", "log_rank"), ("outcome", OUTCOME), ("model", "unadjusted")]);
    comparison.number(&format!("/{log_rank}"), row.and_then(|row| row.number("statistic")));
}
