//! Answers about propensity scores and weights.

use stats::total::{BLOCK, Plain, Total};
use stats::weights::positivity;
use stats::weights::quantiles::{self, WeightGrid};

use super::{Rows, Sums};
use crate::question::{FittedPropensity, Weights};

impl Rows<'_> {
    /// Rows, weights and their squares by arm.
    pub(super) fn weight_sums(&self, weights: &Weights, sums: &mut Sums) {
        let w = self.weights(weights, &self.propensity(&weights.propensity));
        for (treated, w) in self.cohort.treated.chunks(BLOCK).zip(w.chunks(BLOCK)) {
            let mut block = [0.0; 6];
            for (treated, w) in treated.iter().zip(w) {
                let at = 3 * usize::from(*treated);
                block[at] += 1.0;
                block[at + 1] += w;
                block[at + 2] += w * w;
            }
            sums.add(0, &block);
        }
    }

    /// Rows and weights by bin of the propensity score and arm.
    pub(super) fn histogram(&self, weights: &Weights, bins: usize, sums: &mut Sums) {
        let e = self.propensity(&weights.propensity);
        let w = self.weights(weights, &e);
        for (i, treated) in self.cohort.treated.iter().enumerate() {
            let bin = ((e[i] * bins as f64) as usize).min(bins - 1);
            let at = 4 * bin + 2 * usize::from(*treated);
            sums.count(at, 1);
            sums.add(at + 1, &[w[i]]);
        }
    }

    /// Rows in equipoise and near 0 or 1, by arm.
    pub(super) fn overlap(&self, fitted: &FittedPropensity, share: f64, bounds: (f64, f64), sums: &mut Sums) {
        positivity::overlap(&self.propensity(fitted), &self.cohort.treated, share, bounds, sums);
    }

    /// Rows by arm and value of the weight.
    pub(super) fn weight_histogram(&self, weights: &Weights, grid: &WeightGrid, sums: &mut Sums) {
        let w = self.weights(weights, &self.propensity(&weights.propensity));
        for arm in [false, true] {
            let rows = w.iter().zip(&self.cohort.treated).filter(|(_, treated)| **treated == arm);
            let of_arm: Vec<f64> = rows.map(|(w, _)| *w).collect();
            let mut counts = Plain::zero(grid.words());
            quantiles::histogram(&of_arm, grid, &mut counts);
            sums.add(usize::from(arm) * grid.words(), &counts.0);
        }
    }

    /// Rows whose weight a bound replaces, by arm.
    pub(super) fn truncated(&self, weights: &Weights, sums: &mut Sums) {
        let e = self.propensity(&weights.propensity);
        quantiles::truncated(&weights.scheme, &e, &self.cohort.treated, sums);
    }
}
