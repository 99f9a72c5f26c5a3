//! The g-formula for a binary outcome: predictions of a fitted logistic model, averaged over all rows.
//!
//! mu_a = (1/n) sum m_a with m_a = 1 / (1 + exp(-x(a)'b)) (Robins 1986; marginal standardisation). The influence of a row
//! is m_a - mu_a + g_a' I^-1 (y - m) x with g_a = sum m_a (1 - m_a) x(a) and I the information of the fit.

use crate::fit::Why;
use crate::matrix::Matrix;
use crate::packed::{packed_len, unpack};
use crate::total::{BLOCK, Total};

use super::moments::{add, add_outer, apply, means, moments_len};
use super::{Counterfactual, Means, expit, predictor};

/// Words of [`answer`] with `q` columns.
pub const fn answer_len(q: usize) -> usize {
    1 + packed_len(q) + moments_len(q)
}

/// Adds a site's sums at the coefficients `beta` (q), in blocks of [`BLOCK`] rows. `y` is the outcome, n, 0 or 1.
///
/// Words, with L = (y - m) x: n; sum L L' packed; sum m_1, m_0, m_1^2, m_1 m_0, m_0^2; g_1, g_0 (q each);
/// sum m_1 L, sum m_0 L (q each).
///
/// # Panics
/// When lengths do not agree.
pub fn answer(columns: &Counterfactual<'_>, y: &[f64], beta: &[f64], total: &mut dyn Total) {
    let (n, q) = (columns.len(), beta.len());
    columns.check(q);
    assert_eq!(y.len(), n, "length of the outcome");
    let mut block = vec![0.0; answer_len(q)];
    let [mut l, mut by_treated, mut by_control] = [(); 3].map(|()| vec![0.0; q]);
    for first in (0..n).step_by(BLOCK) {
        block.fill(0.0);
        for i in first..n.min(first + BLOCK) {
            let (m_1, m_0) = prediction(columns, beta, i, [&mut by_treated, &mut by_control]);
            score(columns, y, beta, i, &mut l);
            block[0] += 1.0;
            let (outer, moments) = block[1..].split_at_mut(packed_len(q));
            add_outer(outer, &l);
            add(moments, [m_1, m_0], [&by_treated, &by_control], &l);
        }
        total.add(0, &block);
    }
}

/// The two means from the sums over all sites; `naive` is the inverse information of the fit (q x q).
///
/// [`Why::NoRows`] without rows, [`Why::NotFinite`] when a sum overflowed.
///
/// # Panics
/// When lengths do not agree.
pub fn finish(naive: &Matrix, sums: &[f64]) -> Result<Means, Why> {
    let q = naive.rows();
    assert_eq!(sums.len(), answer_len(q), "length of the standardised sums");
    let (outer, moments) = sums[1..].split_at(packed_len(q));
    means(sums[0], moments, &unpack(outer, q), |gradient| apply(naive, gradient))
}

/// m_1 and m_0 of row `i`, with m (1 - m) x(a) written to `gradients`.
pub(super) fn prediction(
    columns: &Counterfactual<'_>,
    beta: &[f64],
    i: usize,
    gradients: [&mut Vec<f64>; 2],
) -> (f64, f64) {
    let mut means = [0.0; 2];
    for ((mean, x), gradient) in
        means.iter_mut().zip([columns.if_treated.row(i), columns.if_control.row(i)]).zip(gradients)
    {
        let (m, rest) = expit(predictor(x, beta));
        *mean = m;
        for (slope, x) in gradient.iter_mut().zip(x) {
            *slope = m * rest * x;
        }
    }
    (means[0], means[1])
}

/// Writes (y - m) x of row `i` to `l`.
pub(super) fn score(columns: &Counterfactual<'_>, y: &[f64], beta: &[f64], i: usize, l: &mut [f64]) {
    let x = columns.observed(i);
    let (m, rest) = expit(predictor(x, beta));
    let residual = y[i] * rest - (1.0 - y[i]) * m;
    for (l, x) in l.iter_mut().zip(x) {
        *l = residual * x;
    }
}
