//! Survival of the arms: medians, survival at the declared times, restricted means, follow-up, log-rank test.

use std::io::{self, Write};

use study::protocol::Outcome;
use study::results::{KAPLAN_MEIER, MedianRow, Quantity, Variance};

use super::effects::effect;
use super::{Page, Texts, labels, number, table};

/// One table per outcome and weighting, with the first declared kind of interval.
pub(super) fn curves(out: &mut impl Write, page: &Page<'_>, outcome: &Outcome) -> io::Result<()> {
    for weighted in [false, true] {
        let all: Vec<&MedianRow> =
            page.results.medians.iter().filter(|r| r.outcome == outcome.name && r.weighted == weighted).collect();
        let Some(first) = all.first() else { continue };
        let symmetric = [Quantity::SurvivalDifferenceAt, Quantity::RestrictedMean, Quantity::RestrictedMeanDifference];
        let shown = all.iter().filter(|r| r.quantity != Quantity::RiskDifferenceAt);
        let shown = shown.filter(|r| symmetric.contains(&r.quantity) || r.conf_type == first.conf_type);
        let shown: Vec<&MedianRow> = shown.copied().collect();
        let mut rows = rows(page, outcome, &shown);
        let model = if weighted { "iptw" } else { "unadjusted" };
        let mut tests = page.results.tests.iter();
        if let Some(test) = tests.find(|t| t.name == "log_rank" && t.outcome == outcome.name && t.model == model) {
            rows.push(vec!["log-rank test".into(), String::new(), String::new(), number::p_value(test.test.p_value)]);
        }
        rows.extend(hazard_ratio(page, outcome, model));
        let [control, treated] = page.labels.arms();
        let header = ["months or %".into(), "all".into(), control.clone(), treated.clone()];
        let kind = if weighted { "Kaplan-Meier, weighted" } else { "Kaplan-Meier" };
        let heading = format!("{}: {kind} (95% CI: {})", labels::plain(&outcome.label), first.conf_type);
        table(out, page, &heading, Texts { wrap: 1, left: 1 }, &header, rows)?;
        if shown.iter().any(|row| row.after_end) {
            writeln!(out, "{}: nobody of the arm was followed so long", number::NONE)?;
        }
    }
    Ok(())
}

/// The hazard ratio from the table of the curves: naive variance, robust where they are weighted.
fn hazard_ratio(page: &Page<'_>, outcome: &Outcome, model: &str) -> Option<Vec<String>> {
    let variance = if model == "iptw" { Variance::Robust } else { Variance::Naive };
    let row = page.results.estimates.iter().find(|r| {
        r.analysis == KAPLAN_MEIER
            && (r.outcome.as_str(), &*r.model, r.variance) == (outcome.name.as_str(), model, variance)
    })?;
    let [ratio, _] = effect(page, row);
    Some(vec![format!("HR ({})", labels::variance(variance)), String::new(), String::new(), ratio])
}

/// One row per quantity and time; the arms side by side, a difference under the treated arm.
fn rows(page: &Page<'_>, outcome: &Outcome, medians: &[&MedianRow]) -> Vec<Vec<String>> {
    let mut seen: Vec<(Quantity, Option<u64>)> = Vec::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in medians {
        let key = (row.quantity, row.at_days.map(f64::to_bits));
        let at = seen.iter().position(|other| *other == key).unwrap_or_else(|| {
            seen.push(key);
            rows.push(vec![label(page, outcome, row)]);
            rows.len() - 1
        });
        let difference = matches!(row.quantity, Quantity::SurvivalDifferenceAt | Quantity::RestrictedMeanDifference);
        if difference {
            rows[at].extend([String::new(), String::new()]);
        }
        rows[at].push(value(page, row));
    }
    rows
}

fn label(page: &Page<'_>, outcome: &Outcome, row: &MedianRow) -> String {
    let months = row.at_days.map_or_else(String::new, |days| format!("{:.1}", days / page.protocol.month_days));
    match row.quantity {
        Quantity::Median => "median".into(),
        Quantity::FollowUp => "follow-up".into(),
        Quantity::RestrictedMean => format!("mean to {months}"),
        Quantity::RestrictedMeanDifference => format!("diff. to {months}"),
        Quantity::SurvivalAt => {
            let percent = match &outcome.event_free {
                Some(words) => format!("% {}", labels::plain(words)),
                None if labels::names_survival(&outcome.label) => "%".into(),
                None => "% event-free".into(),
            };
            format!("{percent} at {months}")
        }
        Quantity::RiskDifferenceAt => format!("risk diff. {months}"),
        Quantity::SurvivalDifferenceAt => format!("diff. at {months}"),
    }
}

/// Months with one decimal, probabilities in percent; n.r. where a median or its limit is not reached.
fn value(page: &Page<'_>, row: &MedianRow) -> String {
    if row.after_end {
        return number::NONE.into();
    }
    if row.value.is_none() && !matches!(row.quantity, Quantity::Median | Quantity::FollowUp) {
        return number::HIDDEN.into();
    }
    let percent = matches!(row.quantity, Quantity::SurvivalAt | Quantity::SurvivalDifferenceAt);
    let show = |x: Option<f64>| match x {
        None => "n.r.".to_owned(),
        Some(x) if percent => format!("{:.1}", 100.0 * x),
        Some(x) => format!("{:.1}", x / page.protocol.month_days),
    };
    let to = if row.conf_low.is_some_and(|x| x < 0.0) { " to " } else { "–" };
    format!("{} ({}{to}{})", show(row.value), show(row.conf_low), show(row.conf_high))
}
