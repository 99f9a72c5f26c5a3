//! Bootstrap by random weights: each replicate weighs every row by its own exponential variate (Rubin's Bayesian
//! bootstrap without the common divisor; Newton and Raftery 1994), and everything from the propensity score on is
//! estimated again.
//!
//! Rows draw independently, so every site draws for its own, and neither rows nor weights leave it. No weight is 0: a
//! replicate has every level and every event of the data, and separates only where the data nearly do. A model that is
//! given a further weight takes the product. Estimates must not depend on the sum of the weights; shares of an arm
//! are sum b a / sum b.

use crate::inference::NORMAL_975;
use crate::random::exponential;

/// Fewest replicates of an interval: with fewer, less than one of them is expected outside 95%.
pub const FEWEST_REPLICATES: usize = 20;

/// The weights of one replicate for a site's `rows`, one word each in the order of the rows: [`exponential`].
pub fn weights(rows: usize, mut words: impl FnMut() -> u64) -> Vec<f64> {
    (0..rows).map(|_| exponential(words())).collect()
}

/// What the replicates of one estimate gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replicates {
    /// Estimates of the replicates that have one.
    pub values: Vec<f64>,
    /// Replicates without a finite estimate. They are left out, and their number belongs beside the result.
    pub failed: usize,
}

impl Replicates {
    /// Takes the estimate of one more replicate; None, infinite or NaN counts as failed.
    pub fn push(&mut self, estimate: Option<f64>) {
        match estimate {
            Some(value) if value.is_finite() => self.values.push(value),
            _ => self.failed += 1,
        }
    }

    /// Standard error, bias and intervals around the `estimate` of the data themselves.
    pub fn summary(&self, estimate: f64) -> Result<Bootstrap, TooFewReplicates> {
        let got = self.values.len();
        if got < FEWEST_REPLICATES {
            return Err(TooFewReplicates { got, failed: self.failed });
        }
        let count = got as f64;
        let mean = self.values.iter().sum::<f64>() / count;
        let squares: f64 = self.values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let std_error = (squares / (count - 1.0)).sqrt();
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        Ok(Bootstrap {
            estimate,
            std_error,
            bias: mean - estimate,
            normal: [estimate - NORMAL_975 * std_error, estimate + NORMAL_975 * std_error],
            percentile: [quantile_of_sorted(&sorted, 0.025), quantile_of_sorted(&sorted, 0.975)],
            replicates: got,
            failed: self.failed,
        })
    }
}

/// There are too few replicates with an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{got} replicates have an estimate, {failed} have none; an interval needs {FEWEST_REPLICATES}")]
pub struct TooFewReplicates {
    /// Replicates with an estimate.
    pub got: usize,
    /// Replicates without.
    pub failed: usize,
}

/// A bootstrapped estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The estimate from the data themselves.
    pub estimate: f64,
    /// Standard deviation of the replicates, with n - 1.
    pub std_error: f64,
    /// Mean of the replicates minus the estimate.
    pub bias: f64,
    /// Estimate -+ 1.96 standard errors.
    pub normal: [f64; 2],
    /// 2.5% and 97.5% quantiles of the replicates, R's type 7.
    pub percentile: [f64; 2],
    /// Replicates with an estimate.
    pub replicates: usize,
    /// Replicates without.
    pub failed: usize,
}

/// R's `quantile(x, p, type = 7)` of ascending values, with R 4.2's arithmetic: (1 - h) low + h high.
fn quantile_of_sorted(sorted: &[f64], p: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * p;
    let (below, above) = (place.floor(), place.ceil());
    let (low, high) = (sorted[below as usize], sorted[above as usize]);
    if low == high {
        return low;
    }
    // R counts from 1, and its share carries the rounding of that.
    let share = (1.0 + place) - (1.0 + place).floor();
    (1.0 - share) * low + share * high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_one_values_by_hand() {
        // 0..=40 in any order: mean 20, variance 41 x 42 / 12 = 143.5; places 1 and 39 are whole.
        let mut replicates = Replicates::default();
        for k in 0..41_u32 {
            replicates.push(Some(f64::from(k * 16 % 41)));
        }
        for failed in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            replicates.push(failed);
        }
        let summary = replicates.summary(19.0).expect("enough");
        assert_eq!((summary.replicates, summary.failed, summary.bias), (41, 3, 1.0));
        assert!((summary.std_error - 143.5_f64.sqrt()).abs() < 1e-14);
        assert_eq!(summary.percentile, [1.0, 39.0]);
        assert_eq!(summary.normal[1], 19.0 + NORMAL_975 * summary.std_error);
    }

    #[test]
    fn too_few() {
        let replicates = Replicates { values: vec![1.0; FEWEST_REPLICATES - 1], failed: 30 };
        assert_eq!(replicates.summary(1.0), Err(TooFewReplicates { got: 19, failed: 30 }));
        let constant = Replicates { values: vec![1.0; FEWEST_REPLICATES], failed: 0 };
        assert_eq!(constant.summary(1.0).map(|b| (b.std_error, b.percentile)), Ok((0.0, [1.0, 1.0])));
    }
}
