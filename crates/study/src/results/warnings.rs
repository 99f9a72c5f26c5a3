//! The rows of `warnings.csv`: why a result needs care.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stats::weights::positivity::{self, ArmWeights, Positivity};
use stats::weights::quantiles::{HistogramError, WeightGrid, WeightHistogram};

use super::rows::{EstimateRow, Name, Variance, VarianceNote};
use super::tables::model_rows;
use super::weights::grid;
use crate::plan::{Branch, Facts, FitOutcome, WeightSummary};

/// A reason to doubt a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningRow {
    /// Stable code.
    pub code: Name,
    /// What it is about: `propensity`, the name of a weighting scheme, of an outcome, or of a variable.
    pub about: Name,
    /// One sentence.
    pub text: String,
}

/// All of them: values and columns that models leave out, then overlap and weights.
pub(super) fn rows(branch: &Branch, facts: &Facts) -> Vec<WarningRow> {
    let mut rows = missing_outcomes(branch, facts);
    rows.extend(left_out(branch));
    rows.extend(positivity(branch));
    rows
}

/// Outcomes that not every analysed patient has. The counts stand in `outcomes.csv`, under the floors.
fn missing_outcomes(branch: &Branch, facts: &Facts) -> Vec<WarningRow> {
    let mut rows: Vec<WarningRow> = Vec::new();
    let keys = branch.fits().map(|(key, _)| key).filter(|key| key.analysis.is_some());
    for key in keys.filter(|key| model_rows(branch.protocol(), facts, key) < facts.analysed()) {
        let text = "patients without a value are left out of its models and curves; the propensity model has them";
        let row =
            WarningRow { code: "model.missing_outcome".into(), about: key.outcome.clone().into(), text: text.into() };
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

/// Columns that fitted models do not have: a line once, about its variable, however many models say so.
fn left_out(branch: &Branch) -> Vec<WarningRow> {
    let draws = branch.imputation().map_or(&[][..], |imputation| imputation.draws()).iter();
    let mut rows: Vec<WarningRow> = Vec::new();
    for (key, outcome) in std::iter::once(branch).chain(draws).flat_map(Branch::fits) {
        let Some(FitOutcome::Fitted(_)) = outcome else { continue };
        for text in key.notes(branch.protocol()) {
            let about = if key.outcome.is_empty() { "propensity" } else { &key.outcome };
            if rows.iter().all(|row| row.text != text) {
                rows.push(WarningRow { code: "model.left_out".into(), about: about.to_owned().into(), text });
            }
        }
    }
    rows
}

/// Variances that some model was to have and has no number of: a line for each outcome, variance and cause.
pub(super) fn without_variance(estimates: &[EstimateRow]) -> Vec<WarningRow> {
    let mut found: Vec<(&str, Variance, VarianceNote, BTreeSet<&str>)> = Vec::new();
    for row in estimates {
        let Some(note @ (VarianceNote::TooFewClusters { .. } | VarianceNote::LowRank)) = row.note else { continue };
        let about = if row.outcome.is_empty() { "propensity" } else { &row.outcome };
        match found.iter_mut().find(|(of, variance, why, _)| (*of, *variance, *why) == (about, row.variance, note)) {
            Some((.., models)) => {
                models.insert(&row.model);
            }
            None => found.push((about, row.variance, note, BTreeSet::from([&*row.model]))),
        }
    }
    let row = |(about, variance, note, models): (&str, Variance, VarianceNote, BTreeSet<&str>)| WarningRow {
        code: "model.no_variance".into(),
        about: about.to_owned().into(),
        text: format!("{} of {}: {note}", variance.name(), models.into_iter().collect::<Vec<_>>().join(", ")),
    };
    found.into_iter().map(row).collect()
}

/// About the scores once, and about the weights of each scheme.
fn positivity(branch: &Branch) -> Vec<WarningRow> {
    let Some(scores) = branch.scores() else { return Vec::new() };
    let (overlap, grid) = (scores.overlap(), grid(branch));
    let mut rows: Vec<WarningRow> = Vec::new();
    for summary in branch.weight_summaries() {
        let [control, treated] = summary.arms.map(|[rows, sum, sum_squares]| ArmWeights { rows, sum, sum_squares });
        let largest = grid.as_ref().and_then(|grid| largest(summary, grid));
        for warning in positivity::positivity(&overlap, &control, &treated, largest) {
            let (code, of_scores) = named(warning);
            let about = if of_scores { "propensity" } else { summary.weighting.name() };
            let row = WarningRow { code: code.into(), about: about.into(), text: warning.to_string() };
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

/// Stable code, and whether it is about the scores rather than the weights.
fn named(warning: Positivity) -> (&'static str, bool) {
    match warning {
        Positivity::FewComparable(_) => ("positivity.few_comparable", true),
        Positivity::ExtremeScores(_) => ("positivity.extreme_scores", true),
        Positivity::FewEffective(_) => ("positivity.few_effective", false),
        Positivity::LargeWeight => ("positivity.large_weight", false),
    }
}

/// Largest weight of both arms, or the end of the grid when it lies beyond.
fn largest(summary: &WeightSummary, grid: &WeightGrid) -> Option<f64> {
    if summary.counts.len() != 2 * grid.words() {
        return summary.bounds.map(|(_, high)| high);
    }
    let (control, treated) = summary.counts.split_at(grid.words());
    let pooled: Vec<f64> = control.iter().zip(treated).map(|(c, t)| c + t).collect();
    match WeightHistogram::new(*grid, &pooled).largest() {
        Ok(largest) => Some(largest),
        Err(HistogramError::Beyond) => Some(grid.high()),
        Err(HistogramError::NoRows) => None,
    }
}
