//! Standardised outcomes: what they would be with everybody in one arm and with everybody in the other.
//!
//! Of augmented weighting the interval by M-estimation is shown; the other stands in `effects.csv`.

use std::io::{self, Write};

use study::results::{EffectQuantity, EffectRow};

use super::number::{self, Digits};
use super::{Page, Texts, labels, table};

/// One row per outcome, time, model and method: both arms, their difference and their ratio.
pub(super) fn absolute(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let mut groups: Vec<Vec<&EffectRow>> = Vec::new();
    for row in page.results.effects.iter().filter(|row| row.variance != "simple" && place(row).is_some()) {
        match groups.iter_mut().find(|group| same(group[0], row)) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let mut before = String::new();
    let rows = groups.into_iter().map(|group| {
        let of = what(page, group[0]);
        let head = if of == before { String::new() } else { of.clone() };
        before = of;
        let mut cells = vec![head, method(page, group[0])];
        cells.extend([0, 1, 2, 3].map(|at| {
            let row = group.iter().find(|row| place(row) == Some(at));
            row.map_or_else(String::new, |row| value(page, row))
        }));
        cells
    });
    let [control, treated] = page.labels.arms();
    let contrasts = ["Difference (95% CI)".to_owned(), "Ratio (95% CI)".into()];
    let arms = [String::new(), "Standardised over".into(), control.clone(), treated.clone()];
    let header: Vec<String> = arms.into_iter().chain(contrasts).collect();
    let heading = "Absolute risks (variance: influence function; AIPW: M-estimation)";
    table(out, page, heading, Texts { wrap: 2, left: 2 }, &header, rows.collect())
}

/// Column of a quantity that is shown.
fn place(row: &EffectRow) -> Option<usize> {
    match row.quantity {
        EffectQuantity::Risk | EffectQuantity::RestrictedMean => {
            // The control arm stands first.
            Some(usize::from(row.treated))
        }
        EffectQuantity::RiskDifference | EffectQuantity::RestrictedMeanDifference => Some(2),
        EffectQuantity::RiskRatio | EffectQuantity::RestrictedMeanRatio => Some(3),
        EffectQuantity::OddsRatio | EffectQuantity::SurvivalAt => None,
    }
}

/// Is it a probability, or a ratio of two?
fn risk(row: &EffectRow) -> bool {
    matches!(row.quantity, EffectQuantity::Risk | EffectQuantity::RiskDifference | EffectQuantity::RiskRatio)
}

fn same(a: &EffectRow, b: &EffectRow) -> bool {
    let key =
        |row: &EffectRow| (row.model, row.ties, row.method, row.variance, row.at_days.map(f64::to_bits), risk(row));
    key(a) == key(b) && (&a.outcome, &a.modifier) == (&b.outcome, &b.modifier)
}

fn what(page: &Page<'_>, row: &EffectRow) -> String {
    let outcome = labels::outcome(page.protocol, &row.outcome);
    let months = row.at_days.map(|days| format!("{:.1} months", days / page.protocol.month_days));
    match months {
        None => format!("{outcome}, %"),
        Some(months) if risk(row) => format!("{outcome}: % with the event by {months}"),
        Some(months) => format!("{outcome}: mean months up to {months}"),
    }
}

fn method(page: &Page<'_>, row: &EffectRow) -> String {
    let mut text = labels::model(row.model).to_owned();
    if let Some(variable) = page.protocol.dictionary.variables().iter().find(|v| v.name == row.modifier) {
        text = format!("{text} with {}", labels::plain(&variable.label));
    }
    if let Some(ties) = row.ties {
        text = format!("{text}; {}", labels::ties(ties));
    }
    match row.method {
        "g_formula" => format!("{text}; g-formula"),
        "aipw" => format!("{text}; AIPW"),
        _ => text,
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
