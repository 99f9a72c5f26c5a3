//! Logistic regression at a site: log likelihood, score and information of its rows in one pass.
//!
//! mu = 1 / (1 + exp(-x'b)); log likelihood sum w [y log mu + (1 - y) log(1 - mu)]; score sum w (y - mu) x;
//! information sum w mu (1 - mu) x x'.

mod leverage;

pub use leverage::leverage_score;

use crate::design::Design;
use crate::gram::{CHUNK, Chunk};
use crate::packed::packed_len;
use crate::total::{BLOCK, Total};

/// The rows of one logistic model at a site, in any fixed order.
#[derive(Clone, Copy)]
pub struct LogisticRows<'a> {
    /// Terms, n x q, with the intercept in column 0 if the model has one.
    pub x: &'a Design,
    /// Outcome, n, 0 or 1.
    pub y: &'a [f64],
    /// Weights, n, at least 0; all 1 when absent. A row of weight 0 is left out.
    pub w: Option<&'a [f64]>,
}

impl LogisticRows<'_> {
    fn weight(&self, i: usize) -> f64 {
        self.w.map_or(1.0, |w| w[i])
    }
}

/// Words of one [`step`] with `q` columns: log likelihood, score (q), information packed (q (q + 1) / 2).
pub const fn step_len(q: usize) -> usize {
    1 + q + packed_len(q)
}

/// Adds log likelihood, score and information at `beta` (q) to `total`, in blocks of [`BLOCK`] rows.
///
/// # Panics
/// When lengths of the rows and of `beta` do not agree.
pub fn step(rows: &LogisticRows<'_>, beta: &[f64], total: &mut dyn Total) {
    let (n, q) = (rows.x.rows(), rows.x.columns());
    assert_eq!((rows.y.len(), beta.len()), (n, q), "lengths of outcome and coefficients");
    assert!(rows.w.is_none_or(|w| w.len() == n), "length of the weights");
    let mut chunk = Chunk::new(q);
    let mut eta = [0.0; CHUNK];
    let mut block = vec![0.0; step_len(q)];
    for first in (0..n).step_by(BLOCK) {
        let end = n.min(first + BLOCK);
        block.fill(0.0);
        for start in (first..end).step_by(CHUNK) {
            let size = CHUNK.min(end - start);
            chunk.load(rows.x, start, size);
            chunk.predictor(beta, &mut eta);
            let (mut residual, mut variance) = ([0.0; CHUNK], [0.0; CHUNK]);
            for r in 0..size {
                let w = rows.weight(start + r);
                if w > 0.0 {
                    let point = Point::at(eta[r], rows.y[start + r]);
                    block[0] += w * point.loglik;
                    residual[r] = w * point.residual;
                    variance[r] = w * point.variance;
                }
            }
            let (score, information) = block[1..].split_at_mut(q);
            chunk.column_sums(&residual, score);
            chunk.gram(&variance, information);
        }
        total.add(0, &block);
    }
}

/// Score residuals L = (y - mu) x at `beta` (q), n x q, without the weight.
///
/// # Panics
/// When lengths of the rows and of `beta` do not agree.
pub fn logistic_residuals(rows: &LogisticRows<'_>, beta: &[f64]) -> Design {
    let (n, q) = (rows.x.rows(), rows.x.columns());
    assert_eq!((rows.y.len(), beta.len()), (n, q), "lengths of outcome and coefficients");
    let mut values = Vec::with_capacity(n * q);
    for i in 0..n {
        let x = rows.x.row(i);
        let eta: f64 = x.iter().zip(beta).map(|(x, b)| x * b).sum();
        let residual = Point::at(eta, rows.y[i]).residual;
        values.extend(x.iter().map(|x| residual * x));
    }
    Design::new(n, q, values)
}

/// One row of weight 1.
struct Point {
    loglik: f64,
    residual: f64,
    variance: f64,
}

impl Point {
    /// Works with exp(-|eta|) only, so nothing overflows and both tails keep their digits.
    #[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
    #[inline]
    fn at(eta: f64, y: f64) -> Self {
        let small = (-eta.abs()).exp();
        let (minor, major) = (small / (1.0 + small), 1.0 / (1.0 + small));
        let (mu, rest) = if eta >= 0.0 { (major, minor) } else { (minor, major) };
        Self {
            loglik: y * eta - eta.max(0.0) - small.ln_1p(),
            residual: y * rest - (1.0 - y) * mu,
            variance: mu * rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total::Plain;

    #[test]
    fn two_rows_by_hand() {
        // Intercept only, y = 1, 0 with weights 1, 2, b = log 3, mu = 3/4:
        // log likelihood log(3/4) + 2 log(1/4), score 1/4 - 2 x 3/4, information 3 x 3/16.
        let x = Design::new(2, 1, vec![1.0, 1.0]);
        let rows = LogisticRows { x: &x, y: &[1.0, 0.0], w: Some(&[1.0, 2.0]) };
        let mut total = Plain::zero(step_len(1));
        step(&rows, &[libm::log(3.0)], &mut total);
        let expected = [libm::log(0.75) + 2.0 * libm::log(0.25), -1.25, 9.0 / 16.0];
        for (sum, expected) in total.0.iter().zip(expected) {
            assert!((sum - expected).abs() < 1e-15, "{sum} {expected}");
        }
    }

    #[test]
    fn a_row_of_weight_zero_is_left_out_even_when_it_overflows() {
        let x = Design::new(2, 1, vec![1.0, 1e300]);
        let with = LogisticRows { x: &x, y: &[1.0, 0.0], w: Some(&[1.0, 0.0]) };
        let mut total = Plain::zero(step_len(1));
        step(&with, &[0.5], &mut total);
        let alone = Design::new(1, 1, vec![1.0]);
        let mut expected = Plain::zero(step_len(1));
        step(&LogisticRows { x: &alone, y: &[1.0], w: None }, &[0.5], &mut expected);
        assert_eq!(total, expected);
    }

    #[test]
    fn far_tails_stay_finite() {
        let x = Design::new(2, 1, vec![1.0, -1.0]);
        let mut total = Plain::zero(step_len(1));
        step(&LogisticRows { x: &x, y: &[0.0, 0.0], w: None }, &[900.0], &mut total);
        assert_eq!(total.0, [-900.0, -1.0, 0.0]);
    }
}
