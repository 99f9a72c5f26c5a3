//! Weights and propensity scores of the myeloma cohort: the section `weights` of its golden file, and `golden/weights.json`
//! where it is compared, too.

use super::comparison::Comparison;
use super::files::{Files, Row};
use super::models::{self, Model};
use super::myeloma::ARMS;

/// Name under which the numbers of `golden/weights.json` stand beside those of the study.
const FURTHER: &str = "weights.json";

/// Step of the grid of weights that the study declares.
const RESOLUTION: f64 = 0.01;

/// Golden name of a scheme in `weights.json`, name in results, and the model that has its weights.
const SCHEMES: [(&str, &str, &str); 7] = [
    ("ate", "ate", "iptw_unstabilized"),
    ("ate_stabilised", "ate_stabilized", "iptw"),
    ("att", "att", "iptw_att"),
    ("atc", "atc", "iptw_atc"),
    ("ato", "ato", "iptw_overlap"),
    ("atm", "atm", "iptw_matching"),
    ("ate_stabilised_truncated_type7", "ate_stabilized_truncated", "iptw_truncated"),
];

/// Schemes of `weights.json` that the study does not declare.
const OTHERS: [&str; 3] = ["ate_truncated_type3", "ate_truncated_type7", "ate_stabilised_truncated_type3"];

type Found<'a> = Result<Row<'a>, String>;

fn cell(row: &Found<'_>, column: &str) -> Result<f64, String> {
    row.as_ref().map_err(Clone::clone).and_then(|row| row.number(column))
}

pub(super) fn compare(comparison: &mut Comparison<'_>, files: &Files, term: fn(&str) -> Option<String>) {
    let golden = ["unstabilized", "stabilized", "att", "atc", "ato", "atm"];
    for (golden, scheme) in golden.into_iter().zip(["ate", "ate_stabilized", "att", "atc", "ato", "atm"]) {
        sums(comparison, files, golden, scheme);
    }
    for (arm, level) in ARMS {
        range(comparison, files, arm, level);
    }
    if comparison.has(&format!("/{FURTHER}")) {
        further(comparison, files, term);
    }
}

fn row<'f>(files: &'f Files, scheme: &str, level: &str) -> Found<'f> {
    files.weights.row(&[("scheme", scheme), ("arm", level)])
}

fn sums(comparison: &mut Comparison<'_>, files: &Files, golden: &str, scheme: &str) {
    let mut largest: Result<f64, String> = Ok(0.0);
    for (arm, level) in ARMS {
        let row = row(files, scheme, level);
        let sum = format!("/weights/{golden}/sum_{arm}");
        let mean = comparison.peek(&sum) / comparison.peek(&format!("/flow/{arm}"));
        comparison.number(&sum, cell(&row, "sum"));
        comparison.number(&format!("/weights/{golden}/ess_{arm}"), cell(&row, "ess"));
        comparison.derived(&format!("weights {scheme} {level} mean"), mean, cell(&row, "mean"));
        largest = largest.and_then(|largest| Ok(largest.max(cell(&row, "max")?)));
        for column in ["q01_type3", "q99_type3", "q99_type7"].into_iter().filter(|_| arm == "treated") {
            comparison.on_grid(&format!("/weights/{golden}/{column}"), cell(&row, column), RESOLUTION / 2.0);
        }
    }
    comparison.on_grid(&format!("/weights/{golden}/max"), largest, RESOLUTION / 2.0);
}

/// Smallest and largest score of an arm lie in the first and last bin that somebody of it is in.
fn range(comparison: &mut Comparison<'_>, files: &Files, arm: &str, level: &str) {
    // A bin that is hidden may have somebody.
    let occupied = |row: &Row<'_>| row.is(&[("arm", level)]) && row.number("n") != Ok(0.0);
    let rows: Vec<Row<'_>> = files.histogram.rows().filter(occupied).collect();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return comparison.missing(format!("propensity_histogram.csv: nobody of arm {level}"));
    };
    for (i, row) in [first, last].into_iter().enumerate() {
        let edges = row.number("n").and_then(|_| row.number("low")).and_then(|low| Ok((low, row.number("high")?)));
        let half = edges.as_ref().map_or(0.0, |(low, high)| (high - low) / 2.0);
        let middle = edges.map(|(low, high)| f64::midpoint(low, high));
        comparison.on_grid(&format!("/propensity/range_{arm}/{i}"), middle, half);
    }
}

fn further(comparison: &mut Comparison<'_>, files: &Files, term: fn(&str) -> Option<String>) {
    for scheme in OTHERS {
        let entry = format!("{FURTHER}/schemes/{scheme}");
        comparison.leave_out_below("*_truncated_type*", &entry, "the protocol declares another truncation");
    }
    for (arm, level) in ARMS {
        let row = files.overlap.row(&[("arm", level)]);
        let at = format!("/{FURTHER}/overlap/{arm}");
        for (golden, column) in [("rows", "n"), ("equipoise", "equipoise"), ("below", "below"), ("above", "above")] {
            comparison.exact(&format!("{at}/{golden}"), cell(&row, column));
        }
        comparison.number(&format!("{at}/equipoise_share"), cell(&row, "equipoise_share"));
    }
    for (golden, scheme, model) in SCHEMES {
        let at = format!("{FURTHER}/schemes/{golden}");
        for (arm, level) in ARMS {
            let row = row(files, scheme, level);
            let sum = comparison.peek(&format!("/{at}/sum/{arm}"));
            comparison.number(&format!("/{at}/sum/{arm}"), cell(&row, "sum"));
            comparison.number(&format!("/{at}/ess/{arm}"), cell(&row, "ess"));
            let squares = cell(&row, "ess").map(|ess| sum * sum / ess);
            comparison.number(&format!("/{at}/sum_squares/{arm}"), squares);
        }
        let rows = ARMS.map(|(_, level)| row(files, scheme, level));
        if golden.contains("truncated") {
            truncation(comparison, &at, &rows);
        } else {
            quantiles(comparison, &at, &rows);
        }
        for kind in ["type3", "type7"] {
            comparison.leave_out_below(kind, &format!("{at}/{kind}"), "further quantiles of weights are not published");
        }
        let weighted = |analysis, outcome, ties| Model { analysis, outcome, name: model, ties, term };
        let names = ["estimate", "ratio"];
        let response = weighted("logistic", "response", "");
        models::weighted_treatment(comparison, files, &response, &format!("/{at}/response"), names);
        let pfs = weighted("cox", "pfs", "efron");
        let at = format!("{at}/pfs_day");
        if pfs.estimate(files, &(term)("a").unwrap_or_default(), "naive").is_ok() {
            models::weighted_treatment(comparison, files, &pfs, &format!("/{at}"), names);
        } else {
            comparison.leave_out_below("pfs_day", &at, "the protocol declares no Cox model with these weights");
        }
    }
}

/// Published are the first and last of the quantiles, and the largest value of the grid.
fn quantiles(comparison: &mut Comparison<'_>, at: &str, rows: &[Found<'_>; 2]) {
    for kind in ["type3", "type7"] {
        for (i, name) in [(0, "q01"), (6, "q99")] {
            comparison.exact(&format!("/{at}/{kind}/{i}"), cell(&rows[0], &format!("{name}_{kind}")));
        }
    }
    let largest = cell(&rows[0], "max").and_then(|max| Ok(max.max(cell(&rows[1], "max")?)));
    comparison.exact(&format!("/{at}/largest"), largest);
}

fn truncation(comparison: &mut Comparison<'_>, at: &str, rows: &[Found<'_>; 2]) {
    for (i, column) in ["truncated_at_low", "truncated_at_high"].into_iter().enumerate() {
        comparison.exact(&format!("/{at}/truncation/bounds/{i}"), cell(&rows[0], column));
    }
    for ((arm, _), row) in ARMS.into_iter().zip(rows) {
        comparison.exact(&format!("/{at}/truncation/{arm}/below"), cell(row, "n_truncated_low"));
        comparison.exact(&format!("/{at}/truncation/{arm}/above"), cell(row, "n_truncated_high"));
    }
    comparison.leave_out_below("largest", &format!("{at}/largest"), "the largest of truncated weights is their bound");
}
