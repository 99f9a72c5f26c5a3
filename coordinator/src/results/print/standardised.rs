//! Standardised outcomes: what they would be with everybody in one arm and with everybody in the other.
//!
//! Of each outcome the first model is shown, the adjusted one where it is declared; of augmented weighting the interval by
//! M-estimation. The others stand in `effects.csv`.

use report::standardised::{place, risk, same};
use std::io::{self, Write};

use study::results::EffectRow;

use super::number::{self, Digits};
use super::{Page, Texts, labels, table};

/// A line per outcome, and below it one per method or time: both arms, their difference and their ratio.
pub(super) fn absolute(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let mut rows = Vec::new();
    for outcome in &page.protocol.outcomes {
        let all = page.results.effects.iter().filter(|row| row.outcome == outcome.name && place(row).is_some());
        let Some(first) = all.clone().next() else { continue };
        let model = |row: &EffectRow| (row.model.clone(), row.ties.clone(), row.modifier.clone());
        let shown: Vec<&EffectRow> = all.filter(|row| row.variance != "simple" && model(row) == model(first)).collect();
        let mut groups: Vec<Vec<&EffectRow>> = Vec::new();
        for row in &shown {
            match groups.iter_mut().find(|group| same(group[0], row)) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        let name = labels::plain(&outcome.label);
        let name = if first.model == "adjusted" { name } else { format!("{name} ({})", labels::model(&first.model)) };
        rows.push([vec![name], vec![String::new(); 4]].concat());
        rows.extend(groups.into_iter().map(|group| {
            let cell = |at: usize| group.iter().find(|row| place(row) == Some(at)).map(|row| value(page, row));
            [vec![label(page, group[0])], [0, 1, 2, 3].map(|at| cell(at).unwrap_or_default()).into()].concat()
        }));
    }
    let [control, treated] = page.labels.arms().clone();
    let header = ["% or months".into(), control, treated, "Difference (95% CI)".into(), "Ratio (95% CI)".into()];
    let heading = "Absolute risks (variance: influence function; AIPW: M-estimation)";
    table(out, page, heading, Texts { wrap: 1, left: 1 }, &header, rows)
}

/// Method, or time.
fn label(page: &Page<'_>, row: &EffectRow) -> String {
    let months = row.at_days.map(|days| format!("{:.1}", days / page.protocol.month_days));
    match (&*row.method, months) {
        ("g_formula", _) => "- g-formula".into(),
        ("aipw", _) => "- AIPW".into(),
        (_, Some(months)) if risk(row) => format!("- risk at {months}"),
        (_, Some(months)) => format!("- mean to {months}"),
        (method, None) => format!("- {method}"),
    }
}

/// Percent or months with one decimal, contrasts with their interval.
fn value(page: &Page<'_>, row: &EffectRow) -> String {
    let (Some(estimate), Some(low), Some(high)) = (row.estimate, row.conf_low, row.conf_high) else {
        return "–".into();
    };
    let unit = if risk(row) { 0.01 } else { page.protocol.month_days };
    match place(row) {
        Some(3) => number::ratio_with_interval(estimate.ln(), low.ln(), high.ln(), Digits::Contrast),
        Some(2) => {
            let to = if low < 0.0 { " to " } else { "–" };
            format!("{:.1} ({:.1}{to}{:.1})", estimate / unit, low / unit, high / unit)
        }
        _ => format!("{:.1}", estimate / unit),
    }
}
