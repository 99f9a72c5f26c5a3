//! The weights of one analysis: which schemes there are, where they are truncated, and what is opened of each.
//!
//! Sums and counts of untruncated weights go along with the first round after the propensity model. Truncated weights
//! have their bounds from these counts, and start one round later.

use std::sync::Arc;

use stats::weights::Scheme;
use stats::weights::positivity::Overlap;
use stats::weights::quantiles::{HistogramError, WeightHistogram};

use super::Failure;
use crate::protocol::{Model, Propensity, Protocol, WeightDetail, Weighting};
use crate::question::{FittedPropensity, Question, Weights};

/// Sums and counts of the weights, opened once per weighting scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightSummary {
    /// Which scheme.
    pub weighting: Weighting,
    /// Bounds of a truncated one.
    pub bounds: Option<(f64, f64)>,
    /// By arm (control, treated): rows, sum of weights, sum of squared weights.
    pub arms: [[f64; 3]; 2],
    /// Rows per value of the declared grid and beyond it, control arm before treated; empty for a truncated scheme, and
    /// where no grid is declared.
    pub counts: Vec<f64>,
    /// Rows at the lower and the upper bound, control arm before treated; empty without truncation.
    pub truncated: Vec<f64>,
}

/// What is opened of the propensity scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// By bin: rows and sum of weights of the control arm, the same of the treated arm.
    pub histogram: Vec<[f64; 4]>,
    /// Rows in equipoise and near 0 or 1: the words of `stats::weights::positivity::overlap`.
    pub overlap: Vec<f64>,
}

impl Scores {
    /// Rows in equipoise and near 0 or 1.
    pub fn overlap(&self) -> Overlap {
        Overlap::new(&self.overlap)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    /// The untruncated weights are being counted.
    Counting,
    Asking(Weights),
    Done(Weights, WeightSummary),
    Failed(Failure),
}

/// The weights of one analysis from the fitted propensity model on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WeightTask {
    propensity: Arc<FittedPropensity>,
    share: f64,
    own: Weighting,
    bins: usize,
    score_bounds: (f64, f64),
    detail: Option<WeightDetail>,
    scores: Option<Scores>,
    schemes: Vec<(Weighting, Stage)>,
    /// Opens nothing, but gives the weights.
    quiet: bool,
}

impl WeightTask {
    /// The weights that the protocol declares, the study's own first. `share` is that of the treated. Of `quiet` weights
    /// nothing is opened; none of them is truncated.
    pub(super) fn new(
        protocol: &Protocol,
        declared: &Propensity,
        propensity: Arc<FittedPropensity>,
        share: f64,
        quiet: bool,
    ) -> WeightTask {
        let own = declared.weighting();
        let mut all = vec![own];
        let mut add = |weighting: Weighting| {
            if !all.contains(&weighting) {
                all.push(weighting);
            }
        };
        let models = protocol.analyses.iter().flat_map(|analysis| &analysis.models);
        for weighting in models.filter_map(|model: &Model| model.weighting(declared)) {
            add(weighting.untruncated());
            add(weighting);
        }
        declared.summaries.iter().for_each(|estimand| add(Weighting::plain(*estimand)));
        let mut task = WeightTask {
            propensity,
            share,
            own,
            bins: declared.bins,
            score_bounds: declared.score_bounds,
            detail: declared.detail,
            scores: None,
            schemes: Vec::new(),
            quiet,
        };
        task.schemes = all.into_iter().map(|weighting| (weighting, task.begin(weighting))).collect();
        task
    }

    fn begin(&self, weighting: Weighting) -> Stage {
        if weighting.truncated { Stage::Counting } else { self.with_bounds(weighting, None) }
    }

    fn with_bounds(&self, weighting: Weighting, bounds: Option<(f64, f64)>) -> Stage {
        match Scheme::new(weighting.estimand, weighting.stabilized.then_some(self.share), bounds) {
            Ok(scheme) => Stage::Asking(Weights { propensity: Arc::clone(&self.propensity), scheme }),
            Err(why) => Stage::Failed(Failure::Weights(why)),
        }
    }

    /// The study's own weights.
    pub(super) fn own(&self) -> Option<Result<Weights, Failure>> {
        self.weights(self.own)
    }

    /// Weights that are known, or why there are none; nothing while their bounds are counted.
    pub(super) fn weights(&self, weighting: Weighting) -> Option<Result<Weights, Failure>> {
        let (_, stage) = self.schemes.iter().find(|(known, _)| *known == weighting)?;
        match stage {
            Stage::Counting => None,
            Stage::Asking(weights) | Stage::Done(weights, _) => Some(Ok(weights.clone())),
            Stage::Failed(failure) => Some(Err(failure.clone())),
        }
    }

    pub(super) fn ask(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        if self.quiet {
            return questions;
        }
        if let (None, Some(Ok(weights))) = (&self.scores, self.own()) {
            let propensity = Arc::clone(&self.propensity);
            questions.push(Question::PropensityHistogram { weights, bins: self.bins });
            questions.push(Question::Overlap { propensity, share: self.share, bounds: self.score_bounds });
        }
        for (weighting, stage) in &self.schemes {
            let Stage::Asking(weights) = stage else { continue };
            let weights = || weights.clone();
            questions.push(Question::WeightSums { weights: weights() });
            match (weighting.truncated, self.detail) {
                (true, _) => questions.push(Question::Truncated { weights: weights() }),
                (false, Some(WeightDetail { grid, .. })) => {
                    questions.push(Question::WeightHistogram { weights: weights(), grid });
                }
                (false, None) => {}
            }
        }
        questions
    }

    /// Takes its answers off the round's, in the order of [`WeightTask::ask`].
    pub(super) fn tell<'a>(&mut self, answers: &mut impl Iterator<Item = &'a [f64]>) {
        if self.quiet {
            return;
        }
        let mut next = || answers.next().unwrap_or_default();
        if self.scores.is_none() && matches!(self.own(), Some(Ok(_))) {
            let histogram = next().chunks(4).map(|b| [b[0], b[1], b[2], b[3]]).collect();
            self.scores = Some(Scores { histogram, overlap: next().to_vec() });
        }
        for (weighting, stage) in &mut self.schemes {
            let Stage::Asking(weights) = stage else { continue };
            let sums = next();
            let more = if weighting.truncated || self.detail.is_some() { next().to_vec() } else { Vec::new() };
            let (counts, truncated) = if weighting.truncated { (Vec::new(), more) } else { (more, Vec::new()) };
            let summary = WeightSummary {
                weighting: *weighting,
                bounds: weights.scheme.truncation(),
                arms: [[sums[0], sums[1], sums[2]], [sums[3], sums[4], sums[5]]],
                counts,
                truncated,
            };
            *stage = Stage::Done(weights.clone(), summary);
        }
        for at in 0..self.schemes.len() {
            if let (weighting, Stage::Counting) = &self.schemes[at] {
                let stage = match self.bounds(*weighting) {
                    Ok(bounds) => self.with_bounds(*weighting, Some(bounds)),
                    Err(why) => Stage::Failed(Failure::Quantiles(why)),
                };
                self.schemes[at].1 = stage;
            }
        }
    }

    /// The declared quantiles of the untruncated weights.
    fn bounds(&self, weighting: Weighting) -> Result<(f64, f64), HistogramError> {
        let counts = self.summaries().find(|s| s.weighting == weighting.untruncated());
        let detail = self.detail.and_then(|detail| Some((detail.grid, detail.truncation?)));
        let (Some(summary), Some((grid, truncation))) = (counts, detail) else { return Err(HistogramError::NoRows) };
        let (control, treated) = summary.counts.split_at(grid.words());
        let pooled: Vec<f64> = control.iter().zip(treated).map(|(c, t)| c + t).collect();
        let histogram = WeightHistogram::new(grid, &pooled);
        let quantile = |p| histogram.quantile(p, truncation.kind);
        Ok((quantile(truncation.low)?, quantile(truncation.high)?))
    }

    pub(super) fn scores(&self) -> Option<&Scores> {
        self.scores.as_ref()
    }

    /// What is opened already.
    pub(super) fn summaries(&self) -> impl Iterator<Item = &WeightSummary> {
        self.schemes.iter().filter_map(|(_, stage)| match stage {
            Stage::Done(_, summary) => Some(summary),
            Stage::Counting | Stage::Asking(_) | Stage::Failed(_) => None,
        })
    }
}
