//! Survival curves and medians; follow-up, restricted means and log-rank tests of the myeloma study. R counts in cells of
//! the grid, the files in days.

use super::comparison::Comparison;
use super::files::{Files, Row};
use super::myeloma::ARMS;

/// Golden name of the interval, and ours.
const KINDS: [(&str, &str); 3] = [("log", "log"), ("log_log", "log-log"), ("plain", "plain")];

/// `grid` is the days of a cell.
pub(super) fn compare(comparison: &mut Comparison<'_>, files: &Files, at: &str, outcome: &str, grid: f64) {
    let [control, treated] = ARMS.map(|(_, level)| level);
    let curves = [
        ("km_all", "all", "FALSE"),
        ("km_control", control, "FALSE"),
        ("km_treated", treated, "FALSE"),
        ("km_control_weighted", control, "TRUE"),
        ("km_treated_weighted", treated, "TRUE"),
    ];
    for (golden, arm, weighted) in curves {
        let of = [("outcome", outcome), ("arm", arm), ("weighted", weighted)];
        kaplan_meier(comparison, files, &format!("{at}/{golden}"), &of, grid);
    }
    let all = [("outcome", outcome), ("arm", "all"), ("weighted", "FALSE"), ("conf_type", "log")];
    median(comparison, files, &format!("{at}/follow_up"), "follow_up", &all, grid);
    let log_rank = files.tests.row(&[("name", "log_rank"), ("outcome", outcome), ("model", "unadjusted")]);
    for (golden, column) in [("log_rank_chisq", "statistic"), ("log_rank_p", "p_value")] {
        comparison.number(&format!("{at}/{golden}"), cell(&log_rank, column));
    }
    for (arm, level) in ARMS {
        let of = [("outcome", outcome), ("arm", level), ("weighted", "FALSE"), ("quantity", "rmst")];
        let row = files.medians.row(&of);
        for (i, column) in ["value_days", "std_error"].into_iter().enumerate() {
            comparison.number(&format!("{at}/rmst/{arm}/{i}"), cell(&row, column).map(|days| days / grid));
        }
    }
}

/// One arm's curve and median under every kind of interval, and its events.
pub(super) fn kaplan_meier(comparison: &mut Comparison<'_>, files: &Files, at: &str, of: &[(&str, &str)], grid: f64) {
    for (kind, conf_type) in KINDS {
        let at = format!("{at}/{kind}");
        let of = [of, &[("conf_type", conf_type)]].concat();
        median(comparison, files, &at, "median", &of, grid);
        curve(comparison, files, &at, &of, grid);
    }
    if of.contains(&("weighted", "TRUE")) {
        let why = "a release has no sums of weights of events, which may be one patient's";
        return comparison.leave_out(format!("{at}/events").trim_start_matches('/'), why);
    }
    let whole = [of, &[("conf_type", "log"), ("at", "merged_cell")]].concat();
    let events = files.survival.rows().filter(|row| row.is(&whole)).map(|row| row.number("n_event"));
    comparison.number(&format!("{at}/events"), events.sum());
}

/// A median and its interval.
fn median(comparison: &mut Comparison<'_>, files: &Files, at: &str, quantity: &str, of: &[(&str, &str)], grid: f64) {
    let row = files.medians.row(&[of, &[("quantity", quantity)]].concat());
    for (golden, column) in [("median", "value_days"), ("conf_low", "conf_low"), ("conf_high", "conf_high")] {
        let text = row.as_ref().map(|row| row.text(column)).map_err(Clone::clone);
        let days = cell(&row, column);
        comparison.number_or_none(&format!("{at}/{golden}"), text, days.map(|days| days / grid));
    }
}

/// The curve at every declared time.
fn curve(comparison: &mut Comparison<'_>, files: &Files, at: &str, of: &[(&str, &str)], grid: f64) {
    let mut i = 0;
    while comparison.has(&format!("{at}/times/{i}")) {
        let days = format!("{:?}", comparison.peek(&format!("{at}/times/{i}")) * grid);
        let row = files.survival.row(&[of, &[("at", "declared"), ("time_days", &days)]].concat());
        comparison.number(&format!("{at}/times/{i}"), cell(&row, "time_days").map(|days| days / grid));
        let entries = [
            ("survival", "survival"),
            ("std_err_survival", "std_error"),
            ("lower", "conf_low"),
            ("upper", "conf_high"),
            ("n_risk", "n_risk"),
        ];
        for (golden, column) in entries {
            comparison.number(&format!("{at}/{golden}/{i}"), cell(&row, column));
        }
        i += 1;
    }
}

fn cell(row: &Result<Row<'_>, String>, column: &str) -> Result<f64, String> {
    row.as_ref().map_err(Clone::clone)?.number(column)
}
