//! Standardised outcomes: what they would be with everybody in one arm and with everybody in the other.

use crate::standardised::{place, risk, same};
use study::results::EffectRow;

use super::Block;
use crate::labels;
use crate::page::{EFFECTS, Page};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut rows = Vec::new();
    for outcome in &page.protocol.outcomes {
        let all = page.results.effects.iter().filter(|row| row.outcome == outcome.name && place(row).is_some());
        let Some(first) = all.clone().next() else { continue };
        let model = |row: &EffectRow| (row.model.clone(), row.ties.clone(), row.modifier.clone());
        let shown: Vec<&EffectRow> = all.filter(|row| row.variance != "simple" && model(row) == model(first)).collect();
        let mut groups: Vec<Vec<&EffectRow>> = Vec::new();
        for row in shown {
            match groups.iter_mut().find(|group| same(group[0], row)) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        let name = labels::plain(&outcome.label);
        let adjusted = first.model == "adjusted";
        rows.push(Row::Heading(if adjusted { name } else { format!("{name} ({})", labels::model(&first.model)) }));
        for group in groups {
            let cell = |at: usize| group.iter().find(|row| place(row) == Some(at)).map(|row| value(page, row));
            let cells = [0, 1, 2, 3].map(|at| cell(at).unwrap_or_default());
            rows.push(Row::indented(label(page, group[0]), cells.into()));
        }
    }
    if rows.is_empty() {
        return vec![Block::words("The protocol declares no standardised outcome.")];
    }
    let [control, treated] = page.arms().clone();
    vec![
        Block::words(
            "Ratios do not say how many patients are concerned. These are the outcomes that the models predict with \
             everybody in one arm and with everybody in the other, averaged over the analysed patients.",
        ),
        Block::Table(Table {
            caption: "Standardised risks and means, their differences and ratios (95% CI)".into(),
            header: vec!["% or months".into(), control, treated, "Difference".into(), "Ratio".into()],
            rows,
            texts: 1,
            notes: vec![
                "Standardised over the adjusted models. Variance: influence function; AIPW (augmented inverse probability \
                 weighting): M-estimation. Differences are treated minus control: of risks in percentage points, of means \
                 in months. Marginal odds ratios are in effects.csv."
                    .into(),
            ],
            ..Table::default()
        }),
    ]
}

/// Method, or time.
fn label(page: &Page<'_>, row: &EffectRow) -> String {
    let months = row.at_days.map(|days| format!("{:.1}", page.in_months(days)));
    match (&*row.method, months) {
        ("g_formula", _) => "Risk, g-formula (%)".into(),
        ("aipw", _) => "Risk, AIPW (%)".into(),
        (_, Some(months)) if risk(row) => format!("Risk at month {months} (%)"),
        (_, Some(months)) => format!("Mean to month {months} (months)"),
        (method, None) => method.into(),
    }
}

/// Percent or months with one decimal, ratios with two; everything with its interval.
fn value(page: &Page<'_>, row: &EffectRow) -> Cell {
    if row.after_end {
        return Cell::none();
    }
    let part = |x: Option<f64>, column| match x.filter(|x| x.is_finite()) {
        None => Cell::none(),
        Some(x) if place(row) == Some(3) => page.decimals(x, 2, &EFFECTS, row, column),
        Some(x) if risk(row) => page.percent(x, &EFFECTS, row, column),
        Some(x) => page.months(x, &EFFECTS, row, column),
    };
    let to = if row.conf_low.is_some_and(|x| x < 0.0) { " to " } else { "–" };
    part(row.estimate, "estimate")
        .and_text(" (")
        .and(part(row.conf_low, "conf_low"))
        .and_text(to)
        .and(part(row.conf_high, "conf_high"))
        .and_text(")")
}
