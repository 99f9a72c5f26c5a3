//! The models of one outcome that a table of effects shows side by side, on a page and in the terminal.

use study::results::{EstimateRow, KAPLAN_MEIER, Results, Variance};

/// A column: a model's name and the variance of its intervals.
pub type Column = (&'static str, Variance);

/// Columns of the main tables, as far as the study has them.
pub const COLUMNS: [Column; 6] = [
    ("unadjusted", Variance::Naive),
    ("iptw", Variance::Naive),
    ("iptw", Variance::Robust),
    ("iptw", Variance::MEstimation),
    ("iptw", Variance::Bootstrap),
    ("adjusted", Variance::Naive),
];

/// One outcome's models with one handling of ties: those of the analysis that the protocol declares first.
#[derive(Debug, Clone, Copy)]
pub struct Models<'a> {
    results: &'a Results,
    analysis: &'a str,
    outcome: &'a str,
    ties: Option<&'a str>,
}

impl<'a> Models<'a> {
    /// The first declared analysis of an outcome; none when there is no model for it.
    pub fn first(results: &'a Results, outcome: &'a str) -> Option<Self> {
        let fit = results.fits.iter().find(|f| f.outcome == outcome && f.analysis != KAPLAN_MEIER)?;
        Some(Models { results, analysis: &fit.analysis, outcome, ties: fit.ties.as_deref() })
    }

    /// Handling of ties of a Cox model.
    pub fn ties(&self) -> Option<&'a str> {
        self.ties
    }

    /// Is it a row of one of these models?
    pub fn holds(&self, row: &EstimateRow) -> bool {
        row.analysis == self.analysis && row.outcome == self.outcome && row.ties.as_deref() == self.ties
    }

    /// Their rows.
    pub fn rows(self) -> impl Iterator<Item = &'a EstimateRow> {
        self.results.estimates.iter().filter(move |row| self.holds(row))
    }

    /// The row of a term in a column.
    pub fn row(self, term: &str, (model, variance): Column) -> Option<&'a EstimateRow> {
        self.rows().find(|r| r.term == term && r.model == model && r.variance == variance)
    }

    /// Has a model ended without numbers?
    pub fn failed(&self, model: &str) -> bool {
        self.results.fits.iter().any(|f| {
            f.analysis == self.analysis
                && f.outcome == self.outcome
                && f.ties.as_deref() == self.ties
                && f.model == model
                && f.outcome_of_fit.is_err()
        })
    }

    /// The columns that some model fills.
    pub fn columns(self) -> Vec<Column> {
        let there = |(model, variance): &Column| {
            self.rows().any(|r| r.model == *model && r.variance == *variance)
                || (*variance == Variance::Naive && self.failed(model))
        };
        COLUMNS.into_iter().filter(there).collect()
    }

    /// The treatment's term first, then the adjusted model's covariates.
    pub fn terms(self, treatment: &'a str) -> Vec<&'a str> {
        let mut terms = vec![treatment];
        for row in self.rows().filter(|r| r.model == "adjusted" && r.term != "(intercept)") {
            if !terms.contains(&row.term.as_str()) {
                terms.push(&row.term);
            }
        }
        terms
    }
}
