//! Augmented inverse probability weighting for a binary outcome: doubly robust means.
//!
//! With m_a the prediction of a logistic outcome model, e the propensity score of a second logistic model, and a the
//! treatment: phi_1 = a / e (y - m_1) + m_1, phi_0 = (1 - a) / (1 - e) (y - m_0) + m_0, mu_a = (1/n) sum phi_a
//! (Robins, Rotnitzky & Zhao 1994). The means are consistent when either model is right.

use crate::design::Design;
use crate::fit::Why;
use crate::matrix::Matrix;
use crate::packed::{packed_len, unpack};
use crate::total::{BLOCK, Total};

use super::logistic::{prediction, score};
use super::moments::{add, add_outer, apply, means, moments_len};
use super::{Counterfactual, Means, expit, predictor};

/// The rows of both models at a site.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Columns of the outcome model, q, with an intercept.
    pub columns: Counterfactual<'a>,
    /// Outcome, n, 0 or 1.
    pub y: &'a [f64],
    /// Design of the propensity model, n x r, with an intercept.
    pub z: &'a Design,
}

/// Both variances of the same means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aipw {
    /// From phi_a - mu_a alone, divided by n^2: right when both models are right (then their estimation adds nothing to
    /// first order).
    pub simple: Means,
    /// From the stacked estimating equations of the means and both models: right when either model is right.
    pub m_estimation: Means,
}

/// Words of [`answer`] with `q` columns of the outcome model and `r` of the propensity model.
pub const fn answer_len(q: usize, r: usize) -> usize {
    1 + packed_len(q + r) + moments_len(q + r)
}

/// Adds a site's sums at the coefficients `beta` (q) of the outcome model and `alpha` (r) of the propensity model, in
/// blocks of [`BLOCK`] rows.
///
/// Words, with v = ((y - m) x, (a - e) z) and k = q + r: n; sum v v' packed; sum phi_1, phi_0, phi_1^2, phi_1 phi_0,
/// phi_0^2; sums of the derivatives of phi_1 and phi_0 in (beta, alpha) (k each); sum phi_1 v, sum phi_0 v (k each). The
/// derivatives are (1 - a / e) m_1 (1 - m_1) x(1) and -a (1 - e) / e (y - m_1) z of phi_1, and
/// (1 - (1 - a) / (1 - e)) m_0 (1 - m_0) x(0) and (1 - a) e / (1 - e) (y - m_0) z of phi_0.
///
/// # Panics
/// When lengths do not agree.
pub fn answer(rows: &Rows<'_>, beta: &[f64], alpha: &[f64], total: &mut dyn Total) {
    let (n, q, r) = (rows.columns.len(), beta.len(), alpha.len());
    rows.columns.check(q);
    assert_eq!((rows.y.len(), rows.z.rows(), rows.z.columns()), (n, n, r), "lengths of outcome and propensity model");
    let mut block = vec![0.0; answer_len(q, r)];
    let mut v = vec![0.0; q + r];
    let [mut by_treated, mut by_control] = [(); 2].map(|()| vec![0.0; q]);
    for first in (0..n).step_by(BLOCK) {
        block.fill(0.0);
        for i in first..n.min(first + BLOCK) {
            let (m_1, m_0) = prediction(&rows.columns, beta, i, [&mut by_treated, &mut by_control]);
            score(&rows.columns, rows.y, beta, i, &mut v[..q]);
            let (y, z) = (rows.y[i], rows.z.row(i));
            let (e, rest) = expit(predictor(z, alpha));
            // Weights of the own arm, and what is left of the prediction's own weight of 1.
            let (w_1, w_0, error) = if rows.columns.treated[i] { (1.0 / e, 0.0, rest) } else { (0.0, 1.0 / rest, -e) };
            for (v, z) in v[q..].iter_mut().zip(z) {
                *v = error * z;
            }
            let gradient = |slopes: &[f64], weight: f64, slope: f64| -> Vec<f64> {
                slopes.iter().map(|s| (1.0 - weight) * s).chain(z.iter().map(|z| slope * z)).collect()
            };
            let gradients =
                [gradient(&by_treated, w_1, -w_1 * rest * (y - m_1)), gradient(&by_control, w_0, w_0 * e * (y - m_0))];
            block[0] += 1.0;
            let (outer, moments) = block[1..].split_at_mut(packed_len(q + r));
            add_outer(outer, &v);
            let phi = [w_1 * (y - m_1) + m_1, w_0 * (y - m_0) + m_0];
            add(moments, phi, [&gradients[0], &gradients[1]], &v);
        }
        total.add(0, &block);
    }
}

/// The two means from the sums over all sites; `outcome` (q x q) and `propensity` (r x r) are the inverse informations of
/// the two fits.
///
/// [`Why::NoRows`] without rows, [`Why::NotFinite`] when a sum overflowed, as with a propensity score of 0 or 1.
///
/// # Panics
/// When lengths do not agree.
pub fn finish(outcome: &Matrix, propensity: &Matrix, sums: &[f64]) -> Result<Aipw, Why> {
    let (q, r) = (outcome.rows(), propensity.rows());
    assert_eq!(sums.len(), answer_len(q, r), "length of the augmented sums");
    let (outer, moments) = sums[1..].split_at(packed_len(q + r));
    let scores = unpack(outer, q + r);
    let both = |gradient: &[f64]| {
        let mut u = apply(outcome, &gradient[..q]);
        u.extend(apply(propensity, &gradient[q..]));
        u
    };
    Ok(Aipw {
        simple: means(sums[0], moments, &scores, |gradient| vec![0.0; gradient.len()])?,
        m_estimation: means(sums[0], moments, &scores, both)?,
    })
}
