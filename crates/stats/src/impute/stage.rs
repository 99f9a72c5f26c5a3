//! The fit of one stage of a category, which has an answer also where a column predicts a level perfectly.
//!
//! Where the likelihood has no finite maximum, or a column does not vary among the observed rows, the rows are augmented as
//! in White, Daniel and Royston (Computational Statistics and Data Analysis 2010;54:2267-2275, doi
//! 10.1016/j.csda.2010.04.005; mice's `augment`): for each of the p predictors two rows half a standard deviation below and
//! above its mean, the others at their means, once with either value of the outcome. Each of these 4 p rows weighs
//! (p + 1) / (4 p), p + 1 rows in all. They are made of means and standard deviations that everybody holds, so every party
//! adds them to the opened sums, once over all sites. mice cuts the values at the range of the column, which nobody knows
//! here: a column of 0 and 1 may have pseudo-values beyond them.

use crate::fit::{LogisticAsk, LogisticFit, MeatRequest, State, Why};
use crate::logistic::step_len;
use crate::packed::packed_at;

/// Logistic regression of a level against all later ones, with the intercept in column 0 and all other columns centred.
#[derive(Debug, Clone, PartialEq)]
pub struct StageFit {
    fit: LogisticFit,
    scale: Vec<f64>,
    augmented: bool,
}

impl StageFit {
    /// `scale` holds the SD of each column, 1 for the intercept.
    pub fn new(scale: Vec<f64>) -> Self {
        Self { fit: logistic(&scale), scale, augmented: false }
    }

    /// What is needed next, or how it ended.
    pub fn state(&self) -> State<'_, LogisticAsk<'_>> {
        self.fit.state()
    }

    /// Are the pseudo-rows among its rows?
    pub fn augmented(&self) -> bool {
        self.augmented
    }

    /// Takes the sums over all sites of what [`StageFit::state`] asked. Where the rows alone give no fit, it begins again
    /// with the pseudo-rows.
    ///
    /// # Panics
    /// When `sums` does not have the length of the answer.
    pub fn tell(&mut self, sums: &[f64]) {
        match self.fit.state() {
            State::Ask(LogisticAsk::Step { beta }) if self.augmented => {
                let words = augmented(sums, beta, &self.scale);
                self.fit.tell(&words);
            }
            _ => self.fit.tell(sums),
        }
        let lost = matches!(
            self.fit.state(),
            State::Failed(
                Why::Separation { .. } | Why::Constant { .. } | Why::Collinear { .. } | Why::NotConverged { .. }
            )
        );
        if lost && !self.augmented && self.scale.len() > 1 {
            self.augmented = true;
            self.fit = logistic(&self.scale);
        }
    }
}

fn logistic(scale: &[f64]) -> LogisticFit {
    LogisticFit::new(scale.len(), scale.to_vec(), MeatRequest::none())
}

/// The sums with those of the pseudo-rows at the same coefficients.
fn augmented(sums: &[f64], beta: &[f64], scale: &[f64]) -> Vec<f64> {
    let q = scale.len();
    assert_eq!(sums.len(), step_len(q), "length of log likelihood, score and information");
    let p = (q - 1) as f64;
    let weight = (p + 1.0) / (4.0 * p);
    let mut words = sums.to_vec();
    for j in 1..q {
        for x in [-0.5 * scale[j], 0.5 * scale[j]] {
            let eta = beta[0] + x * beta[j];
            // log (1 + e^|eta|) without overflow
            let (tail, size) = (libm::log1p(libm::exp(-eta.abs())), eta.abs());
            let mu = 1.0 / (1.0 + libm::exp(-eta));
            // once with the level and once without
            words[0] -= weight * (2.0 * tail + size);
            let (score, information) = (weight * (1.0 - 2.0 * mu), 2.0 * weight * mu * (1.0 - mu));
            words[1] += score;
            words[1 + j] += score * x;
            words[1 + q + packed_at(0, 0, q)] += information;
            words[1 + q + packed_at(0, j, q)] += information * x;
            words[1 + q + packed_at(j, j, q)] += information * x * x;
        }
    }
    words
}
