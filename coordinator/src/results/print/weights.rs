//! Weights and the overlap of the arms, with what to warn about under them.

use std::io::{self, Write};

use study::results::WarningRow;

use super::{Page, Texts, labels, labels::scheme, number, table};

/// Sums, effective sample sizes and largest weights; equipoise; warnings.
pub(super) fn tables(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let value = |x: Option<f64>| x.map_or_else(|| "–".into(), |x| format!("{x:.2}"));
    let rows = page.results.weights.iter().enumerate().map(|(i, w)| {
        let at_a_bound = w
            .truncated
            .map_or_else(|| "–".into(), |[low, high]| format!("{} and {}", number::count(low), number::count(high)));
        vec![
            w.bounds.map_or_else(
                || scheme(&w.scheme),
                |(low, high)| format!("{}: {low:.2} to {high:.2}", scheme(&w.scheme)),
            ),
            page.labels.arms()[i % 2].clone(),
            w.n.to_string(),
            format!("{:.1}", w.sum),
            format!("{:.1}", w.ess),
            value(w.counted.and_then(|counted| counted.max)),
            at_a_bound,
        ]
    });
    let header = ["Weights", "Arm", "patients", "sum", "ESS", "largest", "at a bound"].map(str::to_owned);
    table(out, page, "Weights (ESS: effective sample size)", Texts { wrap: 2, left: 2 }, &header, rows.collect())?;
    overlap(out, page)?;
    warnings(out, page)
}

fn overlap(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let Some(first) = page.results.overlap.first() else { return Ok(()) };
    let header = [
        "Arm".into(),
        "patients".into(),
        "in equipoise".into(),
        format!("below {}", first.bounds.0),
        format!("above {}", first.bounds.1),
    ];
    let rows = page.results.overlap.iter().zip(page.labels.arms()).map(|(row, arm)| {
        let share = |rows: u64| format!("{rows} ({:.1}%)", 100.0 * rows as f64 / row.n as f64);
        let equipoise = row.equipoise.map_or_else(|| number::HIDDEN.into(), share);
        vec![arm.clone(), row.n.to_string(), equipoise, number::count(row.below), number::count(row.above)]
    });
    table(out, page, "Propensity scores", Texts { wrap: 1, left: 1 }, &header, rows.collect())
}

/// Of the main analysis, then of the scenarios.
fn warnings(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let line = |scenario: Option<&str>, warning: &WarningRow| {
        let about = scheme(&warning.about);
        let about = scenario.map_or_else(|| about.clone(), |label| format!("{}: {about}", labels::plain(label)));
        vec![about, format!("{} ({})", labels::plain(&warning.text), warning.code)]
    };
    let mut rows: Vec<_> = page.results.warnings.iter().map(|warning| line(None, warning)).collect();
    for scenario in &page.results.scenarios {
        rows.extend(scenario.results.warnings.iter().map(|warning| line(Some(&scenario.label), warning)));
    }
    let header = ["", "Why its results need care"].map(str::to_owned);
    table(out, page, "Warnings", Texts { wrap: 2, left: 2 }, &header, rows)
}
