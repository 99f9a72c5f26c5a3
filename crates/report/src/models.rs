//! The models of one outcome that a table of effects shows side by side, on a page and in the terminal.

use study::results::{EstimateRow, KAPLAN_MEIER, Results, Variance};

/// Its name in results.
const FINE_GRAY: &str = "fine_gray";

/// A column: a model's name and the variance of its intervals.
pub type Column = (&'static str, Variance);

/// Columns of the main tables, as far as the study has them: every declared variance of the weighted model, of the others
/// the one that stands for them.
pub const COLUMNS: [Column; 14] = [
    ("unadjusted", Variance::Naive),
    ("unadjusted", Variance::ClusterSite),
    ("unadjusted", Variance::Robust),
    ("unadjusted", Variance::Survey),
    ("iptw", Variance::Naive),
    ("iptw", Variance::ClusterSite),
    ("iptw", Variance::Robust),
    ("iptw", Variance::MEstimation),
    ("iptw", Variance::Bootstrap),
    ("iptw", Variance::Survey),
    ("adjusted", Variance::Naive),
    ("adjusted", Variance::ClusterSite),
    ("adjusted", Variance::Robust),
    ("adjusted", Variance::Survey),
];

/// Which of the rows of one term of a model stands for it where only one can: among the variances that the protocol
/// declares, of a weighted model the one that accounts for most, of another the naive one if it is named.
///
/// A row without a standard error stands for the model only where no declared variance has one.
pub fn preferred<'r>(rows: &[&'r EstimateRow]) -> Option<&'r EstimateRow> {
    let weighted = rows.first().is_some_and(|row| row.model.starts_with("iptw"));
    let robust = [Variance::ClusterSite, Variance::Robust, Variance::Survey];
    let order = if weighted {
        [&[Variance::MEstimation][..], &robust, &[Variance::Bootstrap, Variance::Naive]].concat()
    } else {
        [&[Variance::Naive][..], &robust, &[Variance::MEstimation, Variance::Bootstrap]].concat()
    };
    let declared = || rows.iter().copied().filter(|row| row.declared);
    let find = |rows: &[&'r EstimateRow]| {
        order.iter().find_map(|variance| rows.iter().find(|row| row.variance == *variance).copied())
    };
    let known: Vec<&EstimateRow> = declared().filter(|row| row.std_error.is_finite()).collect();
    find(&known).or_else(|| find(&declared().collect::<Vec<_>>())).or_else(|| find(rows))
}

/// Why the effect of a model has no E-value; nothing where it has one.
pub fn without_e_value(row: &EstimateRow) -> Option<&'static str> {
    match row {
        _ if row.e_value.is_some() => None,
        _ if row.analysis == FINE_GRAY => Some("a subdistribution hazard ratio is no risk ratio"),
        _ if !row.estimate.is_finite() => Some("no estimate"),
        _ if !(row.conf_low.is_finite() && row.conf_high.is_finite()) => Some("no confidence limit"),
        _ => Some("the ratio or a limit of it is no number that can be told"),
    }
}

/// Of each model and variance whose standard errors have a note, one row.
pub fn noted(results: &Results) -> Vec<&EstimateRow> {
    let mut rows: Vec<&EstimateRow> = Vec::new();
    for row in results.estimates.iter().filter(|row| row.note.is_some()) {
        let same = |other: &&EstimateRow| {
            (&other.analysis, &other.outcome, &other.cause, &other.model, &other.ties, &other.modifier, other.variance)
                == (&row.analysis, &row.outcome, &row.cause, &row.model, &row.ties, &row.modifier, row.variance)
                && other.note == row.note
        };
        if !rows.iter().any(same) {
            rows.push(row);
        }
    }
    rows
}

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
            let rows: Vec<&EstimateRow> = self.rows().filter(|row| row.model == *model).collect();
            let main = preferred(&rows).map(|row| row.variance);
            let declared = *model == "iptw" && rows.iter().any(|row| row.variance == *variance && row.declared);
            // of a weighted model the variances of old: the survey's stands in `estimates.csv`
            let listed = declared && *variance != Variance::Survey;
            listed || main == Some(*variance) || (*variance == Variance::Naive && self.failed(model))
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
