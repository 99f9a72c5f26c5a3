//! The paper's Table 2: one row per term, one column per model and variance.

use std::io::{self, Write};

use study::protocol::{Outcome, OutcomeKind};
use study::results::{EstimateRow, KAPLAN_MEIER, Variance};

use super::{Page, Texts, labels, number, table};

/// A column: a model's name and the variance of its intervals.
pub(super) type Column = (&'static str, Variance);

/// Columns of the main tables, as far as the study has them.
pub(super) const COLUMNS: [Column; 6] = [
    ("unadjusted", Variance::Naive),
    ("iptw", Variance::Naive),
    ("iptw", Variance::Robust),
    ("iptw", Variance::MEstimation),
    ("iptw", Variance::Bootstrap),
    ("adjusted", Variance::Naive),
];

/// One outcome's models with one handling of ties: those of the analysis that the protocol declares first.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    page: &'a Page<'a>,
    analysis: &'a str,
    outcome: &'a str,
    ties: Option<&'a str>,
}

impl<'a> Group<'a> {
    /// The first declared analysis of an outcome; none when there is no model for it.
    pub(super) fn first(page: &'a Page<'a>, outcome: &'a str) -> Option<Self> {
        let fit = page.results.fits.iter().find(|f| f.outcome == outcome && f.analysis != KAPLAN_MEIER)?;
        Some(Group { page, analysis: &fit.analysis, outcome, ties: fit.ties.as_deref() })
    }

    pub(super) fn holds(&self, row: &EstimateRow) -> bool {
        row.analysis == self.analysis && row.outcome == self.outcome && row.ties.as_deref() == self.ties
    }

    fn rows(self) -> impl Iterator<Item = &'a EstimateRow> {
        self.page.results.estimates.iter().filter(move |row| self.holds(row))
    }

    fn columns(self) -> Vec<Column> {
        let failed = |model| self.failed(model);
        let there = |(model, variance): &Column| {
            self.rows().any(|r| r.model == *model && r.variance == *variance)
                || (*variance == Variance::Naive && failed(model))
        };
        COLUMNS.into_iter().filter(there).collect()
    }

    fn failed(&self, model: &str) -> bool {
        self.page.results.fits.iter().any(|f| {
            f.analysis == self.analysis
                && f.outcome == self.outcome
                && f.ties.as_deref() == self.ties
                && f.model == model
                && f.outcome_of_fit.is_err()
        })
    }

    /// Ratio with interval, and p value; none where the model does not have the term.
    fn effect(self, term: &str, (model, variance): Column) -> Option<[String; 2]> {
        let page = self.page;
        if term == page.labels.treatment() && self.failed(model) {
            return Some(["failed, see below".into(), String::new()]);
        }
        let row = self.rows().find(|r| r.term == term && r.model == model && r.variance == variance)?;
        Some(effect(page, row))
    }

    /// Treatment first, then the adjusted model's covariates.
    fn terms(self) -> Vec<&'a str> {
        let treatment = self.page.labels.treatment();
        let mut terms = vec![treatment];
        for row in self.rows().filter(|r| r.model == "adjusted" && r.term != "(intercept)") {
            if !terms.contains(&row.term.as_str()) {
                terms.push(&row.term);
            }
        }
        terms
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
    let ties = group.ties.map_or_else(String::new, |t| format!("; ties: {}", labels::ties(t)));
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
