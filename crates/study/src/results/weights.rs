//! Rows about propensity scores and weights: sums, extremes and quantiles and overlap of the arms.

use serde::{Deserialize, Serialize};
use stats::descriptive::quantile::QuantileType;
use stats::weights::positivity::ArmOverlap;
use stats::weights::quantiles::{WeightGrid, WeightHistogram};

use super::rows::Name;
use super::tables::arm_names;
use crate::plan::{Branch, WeightSummary};

/// Weights of one arm under one scheme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightRow {
    /// Name of the scheme ([`crate::protocol::Weighting::name`]).
    pub scheme: Name,
    /// Level of the arm.
    pub arm: String,
    /// Rows.
    pub n: u64,
    /// Sum of weights.
    pub sum: f64,
    /// Effective sample size, (sum w)^2 / sum w^2.
    pub ess: f64,
    /// What the counts of the weights say; none where they are not opened.
    pub counted: Option<CountedWeights>,
    /// Bounds of a truncated scheme.
    pub bounds: Option<(f64, f64)>,
    /// Rows of the arm whose weight the lower and the upper bound replace, none when hidden; none without truncation.
    pub truncated: Option<[Option<u64>; 2]>,
}

/// Weights on the declared grid: the value nearest to each. None is beyond the grid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CountedWeights {
    /// Largest of the arm.
    pub max: Option<f64>,
    /// Quantiles of both arms together: 0.01 and 0.99 by type 3, the same by type 7.
    pub quantiles: [Option<f64>; 4],
}

/// One bin of the propensity score in one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistogramRow {
    /// Lower edge.
    pub low: f64,
    /// Upper edge.
    pub high: f64,
    /// Level of the arm.
    pub arm: String,
    /// Rows; none when hidden.
    pub n: Option<u64>,
    /// Sum of weights; none when hidden.
    pub weighted: Option<f64>,
}

/// How well one arm overlaps with the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverlapRow {
    /// Level of the arm.
    pub arm: String,
    /// Rows.
    pub n: u64,
    /// Rows with a preference score from 0.3 to 0.7; none when hidden, as below.
    pub equipoise: Option<u64>,
    /// Rows with a propensity score below the lower bound.
    pub below: Option<u64>,
    /// Rows with a propensity score above the upper bound.
    pub above: Option<u64>,
    /// The bounds.
    pub bounds: (f64, f64),
}

/// Two rows per scheme, the study's own weights first.
pub(super) fn weights(branch: &Branch) -> Vec<WeightRow> {
    let grid = grid(branch);
    let mut rows = Vec::new();
    for summary in branch.weight_summaries() {
        let counted = grid.as_ref().and_then(|grid| counted(summary, grid));
        for (i, arm) in arm_names(branch.protocol()).into_iter().enumerate() {
            let [n, sum, squares] = summary.arms[i];
            rows.push(WeightRow {
                scheme: summary.weighting.name().into(),
                arm,
                n: n as u64,
                sum,
                ess: sum * sum / squares,
                counted: counted.map(|arms| arms[i]),
                bounds: summary.bounds,
                truncated: summary
                    .truncated
                    .chunks(2)
                    .nth(i)
                    .map(|counts| [Some(counts[0] as u64), Some(counts[1] as u64)]),
            });
        }
    }
    rows
}

pub(super) fn grid(branch: &Branch) -> Option<WeightGrid> {
    branch.protocol().propensity.as_ref()?.detail.map(|detail| detail.grid)
}

/// Control arm and treated.
fn counted(summary: &WeightSummary, grid: &WeightGrid) -> Option<[CountedWeights; 2]> {
    if summary.counts.len() != 2 * grid.words() {
        return None;
    }
    let (control, treated) = summary.counts.split_at(grid.words());
    let pooled: Vec<f64> = control.iter().zip(treated).map(|(c, t)| c + t).collect();
    let pooled = WeightHistogram::new(*grid, &pooled);
    let quantile = |p, kind| pooled.quantile(p, kind).ok();
    let quantiles = [
        quantile(0.01, QuantileType::Nearest),
        quantile(0.99, QuantileType::Nearest),
        quantile(0.01, QuantileType::Linear),
        quantile(0.99, QuantileType::Linear),
    ];
    let of_arm = |counts: &[f64]| {
        let max = WeightHistogram::new(*grid, counts).largest().ok();
        CountedWeights { max, quantiles }
    };
    Some([of_arm(control), of_arm(treated)])
}

/// Two rows per bin.
pub(super) fn histogram(branch: &Branch) -> Vec<HistogramRow> {
    let Some(scores) = branch.scores() else { return Vec::new() };
    let width = scores.histogram.len() as f64;
    let mut rows = Vec::new();
    for (i, bin) in scores.histogram.iter().enumerate() {
        for (pair, arm) in bin.chunks(2).zip(arm_names(branch.protocol())) {
            rows.push(HistogramRow {
                low: i as f64 / width,
                high: (i + 1) as f64 / width,
                arm,
                n: Some(pair[0] as u64),
                weighted: Some(pair[1]),
            });
        }
    }
    rows
}

/// Control arm and treated.
pub(super) fn overlap(branch: &Branch) -> Vec<OverlapRow> {
    let (Some(scores), Some(declared)) = (branch.scores(), &branch.protocol().propensity) else { return Vec::new() };
    let overlap = scores.overlap();
    let row = |(counts, arm): (ArmOverlap, String)| OverlapRow {
        arm,
        n: counts.rows as u64,
        equipoise: Some(counts.equipoise as u64),
        below: Some(counts.below as u64),
        above: Some(counts.above as u64),
        bounds: declared.score_bounds,
    };
    [overlap.control, overlap.treated].into_iter().zip(arm_names(branch.protocol())).map(row).collect()
}
