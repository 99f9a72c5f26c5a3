//! The paper's Table 2: one row per term, one column per model and variance.

use std::io::{self, Write};

use report::models::{COLUMNS, Column, Models};
use study::protocol::{Outcome, OutcomeKind};
use study::results::EstimateRow;

use super::{Page, Texts, labels, number, table};

/// The models of an outcome, for the terminal.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    page: &'a Page<'a>,
    models: Models<'a>,
}

impl<'a> Group<'a> {
    /// The first declared analysis of an outcome; none when there is no model for it.
    pub(super) fn first(page: &'a Page<'a>, outcome: &'a str) -> Option<Self> {
        Some(Group { page, models: Models::first(page.results, outcome)? })
    }

    pub(super) fn holds(&self, row: &EstimateRow) -> bool {
        self.models.holds(row)
    }

    fn columns(self) -> Vec<Column> {
        self.models.columns()
    }

    /// Ratio with interval, and p value; none where the model does not have the term.
    fn effect(self, term: &str, column: Column) -> Option<[String; 2]> {
        let page = self.page;
        if term == page.labels.treatment() && self.models.failed(column.0) {
            return Some(["failed, see below".into(), String::new()]);
        }
        Some(effect(page, self.models.row(term, column)?))
    }

    fn terms(self) -> Vec<&'a str> {
        self.models.terms(self.page.labels.treatment())
    }
}

/// "0.55 (0.41–0.75)" and "p < 0.001".
pub(super) fn effect(page: &Page<'_>, row: &EstimateRow) -> [String; 2] {
    let (_, digits) = page.labels.term(&row.term);
    [number::ratio_with_interval(row.estimate, row.conf_low, row.conf_high, digits), number::p_value(row.p_value)]
}

/// Hazard ratios of one time-to-event outcome: treatment and covariates.
pub(super) fn hazard_ratios(out: &mut impl Write, page: &Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let Some(group) = Group::first(page, &outcome.name) else { return Ok(()) };
    let terms = group.terms().into_iter();
    let lines = terms.map(|term| Line { label: vec![page.labels.term(term).0], group, term }).collect();
    let ties = group.models.ties().map_or_else(String::new, |t| format!("; ties: {}", labels::ties(t)));
    let events = events(page, &outcome.name).join(", ");
    let heading = format!("{}\nEvents: {events}{ties}", labels::plain(&outcome.label));
    effects(out, page, &heading, ["Hazard ratio (95% CI)", "HR (95% CI)"], lines)
}

/// Odds ratios of the treatment in every binary outcome. Covariates stand in `estimates.csv`.
pub(super) fn odds_ratios(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let binary = page.protocol.outcomes.iter().filter(|o| matches!(o.kind, OutcomeKind::Binary { .. }));
    let lines = binary.filter_map(|outcome| {
        let group = Group::first(page, &outcome.name)?;
        let label = [vec![labels::plain(&outcome.label)], events(page, &outcome.name)].concat();
        Some(Line { label, group, term: page.labels.treatment() })
    });
    let (treatment, _) = page.labels.term(page.labels.treatment());
    effects(
        out,
        page,
        &format!("Binary outcomes: {treatment}"),
        ["Odds ratio (95% CI)", "OR (95% CI)"],
        lines.collect(),
    )
}

/// One term of one outcome.
struct Line<'a> {
    label: Vec<String>,
    group: Group<'a>,
    term: &'a str,
}

/// From this width on, models stand side by side.
const WIDE: u16 = 120;

/// `ratio` is the header of the ratio, in words and short.
fn effects(
    out: &mut impl Write,
    page: &Page<'_>,
    heading: &str,
    ratio: [&str; 2],
    lines: Vec<Line<'_>>,
) -> io::Result<()> {
    if page.width >= WIDE {
        side_by_side(out, page, heading, ratio[0], lines)
    } else {
        long(out, page, heading, ratio[1], lines)
    }
}

/// One column per model and variance, as in a paper.
fn side_by_side(
    out: &mut impl Write,
    page: &Page<'_>,
    heading: &str,
    ratio: &str,
    lines: Vec<Line<'_>>,
) -> io::Result<()> {
    let there = |column: &Column| lines.iter().any(|line| line.group.columns().contains(column));
    let columns: Vec<Column> = COLUMNS.into_iter().filter(there).collect();
    let mut header = vec![format!("{ratio}\nvariance")];
    header.extend(columns.iter().map(|(m, v)| format!("{}\n{}", labels::model(m), labels::variance(*v))));
    let row = |line: Line<'_>| {
        let mut row = vec![line.label.join("\n")];
        row.extend(columns.iter().map(|column| line.group.effect(line.term, *column).unwrap_or_default().join("\n")));
        row
    };
    table(out, page, heading, Texts { wrap: 1, left: 1 }, &header, lines.into_iter().map(row).collect())
}

/// One row per model and variance, where the terminal is too narrow to set them side by side.
fn long(out: &mut impl Write, page: &Page<'_>, heading: &str, ratio: &str, lines: Vec<Line<'_>>) -> io::Result<()> {
    let mut rows = Vec::new();
    for line in lines {
        let mut label = line.label.into_iter();
        for column in line.group.columns() {
            let Some(effect) = line.group.effect(line.term, column) else { continue };
            let (model, variance) = column;
            let names = [labels::model(model), labels::variance(variance)].map(str::to_owned);
            rows.push([vec![label.next().unwrap_or_default()], names.into(), effect.into()].concat());
        }
        rows.extend(label.map(|rest| vec![rest]));
    }
    let header = ["", "Model", "Variance", ratio, ""].map(str::to_owned);
    table(out, page, heading, Texts { wrap: 1, left: 3 }, &header, rows)
}

/// Events and rows of each arm: "`EloPd` 92/130 (70.8%)".
fn events(page: &Page<'_>, outcome: &str) -> Vec<String> {
    let counts = page.results.outcomes.iter().filter(|o| o.outcome == outcome);
    counts.zip(page.labels.arms()).map(|(c, arm)| format!("{arm} {}", number::share(c.events, c.n))).collect()
}
