//! Competing causes: incidences at the declared times with Gray's test, and the treatment's effect on each cause.

use std::io::{self, Write};

use study::protocol::{Cause, Competing, Outcome};
use study::results::{At, EstimateRow, IncidenceRow, Variance};

use super::effects::effect;
use super::{Page, Texts, labels, number, table};

/// One table per weighting, with the first declared kind of interval.
pub(super) fn incidences(
    out: &mut impl Write,
    page: &Page<'_>,
    outcome: &Outcome,
    competing: &Competing,
) -> io::Result<()> {
    for weighted in [false, true] {
        let declared =
            |row: &&IncidenceRow| row.outcome == outcome.name && row.weighted == weighted && row.at == At::Declared;
        let all: Vec<&IncidenceRow> = page.results.incidences.iter().filter(declared).collect();
        let Some(first) = all.first() else { continue };
        let mut rows = Vec::new();
        for cause in &competing.causes {
            let shown = |row: &&IncidenceRow| {
                row.cause == cause.name && (row.arm == page.labels.treatment() || row.conf_type == first.conf_type)
            };
            rows.extend(by_time(page, cause, &all.iter().copied().filter(shown).collect::<Vec<_>>()));
            let mut tests = page.results.tests.iter().filter(|_| !weighted);
            let test = tests.find(|t| t.name == "gray" && t.outcome == outcome.name && t.cause == cause.name);
            rows.extend(test.map(|test| {
                let mut row = vec![String::new(); 5];
                row[0] = "Gray's test".into();
                row[4] = number::p_value(test.test.p_value);
                row
            }));
        }
        let [control, treated] = page.labels.arms();
        let header = ["% at month".into(), "all".into(), control.clone(), treated.clone(), "difference".into()];
        let kind = if weighted { "cumulative incidence, weighted" } else { "cumulative incidence" };
        let heading = format!("{}: {kind} (95% CI: {})", labels::plain(&outcome.label), first.conf_type);
        table(out, page, &heading, Texts { wrap: 1, left: 1 }, &header, rows)?;
        if all.iter().any(|row| row.after_end) {
            writeln!(out, "{}: nobody of the arm was followed so long", number::NONE)?;
        }
    }
    Ok(())
}

/// A row per time with the arms side by side; the cause stands above.
fn by_time(page: &Page<'_>, cause: &Cause, shown: &[&IncidenceRow]) -> Vec<Vec<String>> {
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    for row in shown {
        let days = row.time_days.to_bits();
        let at = rows.iter().position(|(other, _)| *other == days).unwrap_or_else(|| {
            rows.push((days, vec![format!("{:.1}", row.time_days / page.protocol.month_days)]));
            rows.len() - 1
        });
        rows[at].1.push(percent(row));
    }
    let name = vec![labels::plain(&cause.label)];
    std::iter::once(name).chain(rows.into_iter().map(|(_, row)| row)).collect()
}

fn percent(row: &IncidenceRow) -> String {
    let show = |x: f64| format!("{:.1}", 100.0 * x);
    let Some(incidence) = row.incidence else {
        return if row.after_end { number::NONE } else { number::HIDDEN }.into();
    };
    match row.interval {
        None => show(incidence),
        Some((low, high)) => {
            let to = if low < 0.0 { " to " } else { "–" };
            format!("{}\n({}{to}{})", show(incidence), show(low), show(high))
        }
    }
}

/// One table per cause, one row per model and variance: subdistribution hazard ratios of Fine-Gray models, cause-specific
/// ones of Cox models. Covariates stand in `estimates.csv`.
pub(super) fn hazard_ratios(
    out: &mut impl Write,
    page: &Page<'_>,
    outcome: &Outcome,
    competing: &Competing,
) -> io::Result<()> {
    for cause in &competing.causes {
        let of_cause = |row: &&EstimateRow| {
            let treatment = row.term == page.labels.treatment();
            row.outcome == outcome.name && row.cause == cause.name && treatment && shown(row)
        };
        let (mut rows, mut before) = (Vec::new(), "");
        for row in page.results.estimates.iter().filter(of_cause) {
            let hazard = if row.analysis == before { "" } else { hazard(row) };
            before = &row.analysis;
            let ties = row.ties.as_deref().filter(|ties| *ties != "efron");
            let ties = ties.map_or_else(String::new, |ties| format!("; {}", labels::ties(ties)));
            let model = format!("{}{ties}", labels::model(&row.model));
            let names = [hazard.to_owned(), model, labels::variance(row.variance).to_owned()];
            rows.push([names.to_vec(), effect(page, row).into()].concat());
        }
        let (treatment, _) = page.labels.term(page.labels.treatment());
        let header = ["Hazard", "Model", "Variance", "HR (95% CI)", ""].map(str::to_owned);
        let names = [labels::plain(&outcome.label), labels::plain(&cause.label)].join(": ");
        let heading = format!("{names}, {treatment}\nEvents: {}", events(page, outcome, cause).join(", "));
        table(out, page, &heading, Texts { wrap: 2, left: 3 }, &header, rows)?;
    }
    Ok(())
}

fn hazard(row: &EstimateRow) -> &'static str {
    if row.analysis == "fine_gray" { "subdistribution" } else { "cause-specific" }
}

/// The naive variance of a Fine-Gray model takes falling weights for counts.
fn shown(row: &EstimateRow) -> bool {
    row.analysis != "fine_gray" || row.variance != Variance::Naive
}

/// Events of the cause and rows of each arm.
fn events(page: &Page<'_>, outcome: &Outcome, cause: &Cause) -> Vec<String> {
    let counts = page.results.outcomes.iter().filter(|o| o.outcome == outcome.name && o.cause == cause.name);
    counts.zip(page.labels.arms()).map(|(c, arm)| format!("{arm} {}", number::share(c.events, c.n))).collect()
}
