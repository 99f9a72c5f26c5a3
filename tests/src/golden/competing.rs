//! `golden/competing.json` against a run of a study with two competing causes, on one of its time grids.

use super::comparison::Comparison;
use super::files::Files;
use super::models::{self, Model};

/// What the golden entries are called in the files of a run.
struct Names {
    outcome: &'static str,
    causes: [&'static str; 2],
    arms: [&'static str; 2],
}

const MYELOMA: Names = Names { outcome: "first_event", causes: ["progression", "death"], arms: ["EloPd", "IsaPd"] };
const ROTTERDAM: Names = Names { outcome: "first_event", causes: ["relapse", "death"], arms: ["0", "1"] };

/// Name in results of R's term.
fn term(golden: &str) -> Option<String> {
    let name = match golden {
        "a" | "regimen" => "regimen:IsaPd",
        "chemo" => "chemo:1",
        "mid" => "size_c:20-50",
        "large" => "size_c:>50",
        same @ ("age" | "meno" | "hormon") => same,
        _ => return None,
    };
    Some(name.to_owned())
}

pub(super) fn compare(comparison: &mut Comparison<'_>, files: &Files, section: &str) {
    let names = if section.starts_with("myeloma") { MYELOMA } else { ROTTERDAM };
    let grid = if section.ends_with("day") { 1.0 } else { 30.4375 };
    comparison.leave_out("small", "of the tests of the estimators");
    let made_up = "weights that no propensity model gives";
    comparison.leave_out(&format!("{section}/incidence_weighted"), made_up);
    let by_cause = names.causes.map(|cause| files.clone().of_cause(cause));
    counts(comparison, &by_cause, &names, section);
    for (golden, weighted) in [("incidence", "FALSE"), ("incidence_iptw", "TRUE")] {
        let at = format!("/{section}/{golden}");
        if comparison.has(&at) {
            for (arm, name) in ["all", "control", "treated"].into_iter().zip(["all", names.arms[0], names.arms[1]]) {
                incidences(comparison, &by_cause, &format!("{at}/{arm}"), name, weighted, grid);
            }
        }
    }
    for (k, files) in by_cause.iter().enumerate() {
        let gray = files.tests.row(&[("name", "gray"), ("outcome", names.outcome)]);
        for column in ["statistic", "p_value"] {
            let got = gray.as_ref().map_err(Clone::clone).and_then(|row| row.number(column));
            comparison.number(&format!("/{section}/gray/{column}/{k}"), got);
        }
        let model = |analysis, name, ties| Model { analysis, outcome: names.outcome, name, ties, term };
        let number = k + 1;
        for ties in ["efron", "breslow"] {
            let entry = format!("{section}/fine_gray_{number}/{ties}");
            comparison.leave_out(&format!("{entry}_weighted"), made_up);
            comparison.leave_out(&format!("{entry}/rows"), "rows of R's expanded table");
            models::fine_gray(comparison, files, &model("fine_gray", "adjusted", ties), &format!("/{entry}"));
        }
        let (iptw, cox) = (format!("/{section}/iptw_{number}"), format!("/{section}/cox_{number}"));
        if comparison.has(&iptw) {
            let ratio = ["estimate", "hazard_ratio"];
            models::weighted_treatment(comparison, files, &model("fine_gray", "iptw", "efron"), &iptw, ratio);
        }
        if comparison.has(&cox) {
            models::cox(comparison, files, &model("cox", "adjusted", "efron"), &cox);
        }
    }
}

/// Censored rows, and events of either cause, in each arm.
fn counts(comparison: &mut Comparison<'_>, by_cause: &[Files; 2], names: &Names, section: &str) {
    for (golden, arm) in ["control", "treated"].into_iter().zip(names.arms) {
        let count = |files: &Files, column| {
            files.outcomes.row(&[("outcome", names.outcome), ("arm", arm)]).and_then(|row| row.number(column))
        };
        let events = by_cause.each_ref().map(|files| count(files, "events"));
        let censored = match (count(&by_cause[0], "n"), &events) {
            (Ok(n), [Ok(first), Ok(second)]) => Ok(n - first - second),
            _ => Err(format!("outcomes.csv: no counts of {arm}")),
        };
        for (i, got) in std::iter::once(censored).chain(events).enumerate() {
            comparison.exact(&format!("/{section}/counts/{golden}/{i}"), got);
        }
    }
}

/// Incidences of both causes in one arm at the declared times.
fn incidences(comparison: &mut Comparison<'_>, by_cause: &[Files; 2], at: &str, arm: &str, weighted: &str, grid: f64) {
    let mut i = 0;
    while comparison.has(&format!("{at}/times/{i}")) {
        let days = format!("{:?}", comparison.peek(&format!("{at}/times/{i}")) * grid);
        let wanted = [("arm", arm), ("weighted", weighted), ("at", "declared"), ("time_days", &days)];
        for (k, files) in by_cause.iter().enumerate() {
            let row = files.incidence.row(&wanted);
            let cell = |column| row.as_ref().map_err(Clone::clone).and_then(|row| row.number(column));
            let cause = format!("{at}/cause{}", k + 1);
            if k == 0 {
                comparison.number(&format!("{at}/times/{i}"), cell("time_days").map(|days| days / grid));
                for (golden, column) in
                    [("risk", "n_risk"), ("event_free", "event_free"), ("event_free_se", "event_free_std_error")]
                {
                    comparison.number(&format!("{at}/{golden}/{i}"), cell(column));
                }
            }
            comparison.number(&format!("{cause}/{i}"), cell("incidence"));
            comparison.number(&format!("{cause}_se/{i}"), cell("std_error"));
            for (golden, column) in [("low", "conf_low"), ("high", "conf_high")] {
                let text = row.as_ref().map(|row| row.text(column)).map_err(Clone::clone);
                comparison.number_or_none(&format!("{cause}_{golden}/{i}"), text, cell(column));
            }
        }
        i += 1;
    }
}
