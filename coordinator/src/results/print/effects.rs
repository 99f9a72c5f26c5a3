//! The paper's Table 2: one row per term, one column per model and variance.

use std::io::{self, Write};

use study::protocol::{Outcome, OutcomeKind};
use study::results::{EstimateRow, Variance};

use super::{Page, labels, number, table};

/// A column: a model's name and the variance of its intervals.
pub(super) type Column = (&'static str, Variance);

/// Columns of the main tables, as far as the study has them.
pub(super) const COLUMNS: [Column; 5] = [
    ("unadjusted", Variance::Naive),
    ("iptw", Variance::Naive),
    ("iptw", Variance::Robust),
    ("iptw", Variance::MEstimation),
    ("adjusted", Variance::Naive),
];

/// One outcome's models with one handling of ties: those of the analysis that the protocol declares first.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    page: &'a Page<'a>,
    analysis: &'static str,
    outcome: &'a str,
    ties: Option<&'static str>,
}

impl<'a> Group<'a> {
    /// The first declared analysis of an outcome; none when there is no model for it.
    pub(super) fn first(page: &'a Page<'a>, outcome: &'a str) -> Option<Self> {
        let fit = page.results.fits.iter().find(|f| f.outcome == outcome)?;
        Some(Group { page, analysis: fit.analysis, outcome, ties: fit.ties })
    }

    pub(super) fn holds(&self, row: &EstimateRow) -> bool {
        row.analysis == self.analysis && row.outcome == self.outcome && row.ties == self.ties
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
                && f.ties == self.ties
                && f.model == model
                && f.outcome_of_fit.is_err()
        })
    }

    /// "0.55 (0.41–0.75)" over "p < 0.001"; empty where the model does not have the term.
    fn cell(self, term: &str, (model, variance): Column) -> String {
        if self.failed(model) {
            return if term == self.page.labels.treatment() { "failed".into() } else { String::new() };
        }
        let row = self.rows().find(|r| r.term == term && r.model == model && r.variance == variance);
        row.map_or_else(String::new, |r| cell(self.page, r))
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

fn cell(page: &Page<'_>, row: &EstimateRow) -> String {
    let (_, digits) = page.labels.term(&row.term);
    let ratio = number::ratio_with_interval(row.estimate, row.conf_low, row.conf_high, digits);
    format!("{ratio}\n{}", number::p_value(row.p_value))
}

fn heading((model, variance): Column) -> String {
    format!("{}\n{}", labels::model(model), labels::variance(variance))
}

/// Hazard ratios of one time-to-event outcome: treatment and covariates.
pub(super) fn hazard_ratios(out: &mut impl Write, page: &Page<'_>, outcome: &Outcome) -> io::Result<()> {
    let Some(group) = Group::first(page, &outcome.name) else { return Ok(()) };
    let columns = group.columns();
    let mut rows = Vec::new();
    for term in group.terms() {
        let mut row = vec![page.labels.term(term).0];
        row.extend(columns.iter().map(|column| group.cell(term, *column)));
        rows.push(row);
    }
    let mut header = vec!["Hazard ratio (95% CI)\nvariance".to_owned()];
    header.extend(columns.into_iter().map(heading));
    let ties = group.ties.map_or_else(String::new, |t| format!("; ties: {}", labels::ties(t)));
    let heading = format!("{}: {}{ties}", labels::plain(&outcome.label), events(page, &outcome.name));
    table(out, page, &heading, 1, &header, rows)
}

/// Odds ratios of the treatment: a row per binary outcome. Covariates stand in `estimates.csv`.
pub(super) fn odds_ratios(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let binary = page.protocol.outcomes.iter().filter(|o| matches!(o.kind, OutcomeKind::Binary { .. }));
    let groups: Vec<(&Outcome, Group<'_>)> =
        binary.filter_map(|o| Group::first(page, &o.name).map(|g| (o, g))).collect();
    let columns: Vec<Column> =
        COLUMNS.into_iter().filter(|c| groups.iter().any(|(_, g)| g.columns().contains(c))).collect();
    let mut rows = Vec::new();
    for (outcome, group) in &groups {
        let label = format!("{}\n{}", labels::plain(&outcome.label), events(page, &outcome.name).replace("; ", "\n"));
        let mut row = vec![label];
        row.extend(columns.iter().map(|column| group.cell(page.labels.treatment(), *column)));
        rows.push(row);
    }
    let mut header = vec!["Odds ratio (95% CI)\nvariance".to_owned()];
    header.extend(columns.into_iter().map(heading));
    let (treatment, _) = page.labels.term(page.labels.treatment());
    table(out, page, &format!("Binary outcomes: {treatment}"), 1, &header, rows)
}

/// "EloPd 97/130 (74.6%); IsaPd 71/147 (48.3%)".
fn events(page: &Page<'_>, outcome: &str) -> String {
    let counts = page.results.outcomes.iter().filter(|o| o.outcome == outcome);
    let shares: Vec<String> = counts
        .zip(page.labels.arms())
        .map(|(count, arm)| format!("{arm} {}", number::share(count.events, count.n)))
        .collect();
    shares.join("; ")
}
