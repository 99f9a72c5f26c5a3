//! Standardised survival from a Cox model: predicted curves averaged over all rows, at declared times.
//!
//! mu_a(t) = (1/n) sum S_a, S_a = exp(-H0(t) exp(x(a)'b)), with H0 the [`Baseline`] of the fit. With h_a = exp(x(a)'b),
//! G_a = sum dS_a/db = -H0 sum S_a h_a x(a) and F_a = sum dS_a/dH0 = -sum S_a h_a, the influence of a row on n mu_a is
//! S_a - mu_a + (G_a - F_a cumM(t))' I^-1 L + F_a k(t): L is its score residual, I the information, cumM minus the
//! derivative of H0 in b, and k(t) what the row adds to H0 at fixed b. One round after the fit gives mean and variance.

use crate::cox::{Baseline, CoxRows, Curves, EventCells, score_residuals};
use crate::design::Design;
use crate::fit::Why;
use crate::matrix::Matrix;
use crate::packed::{packed_len, unpack};
use crate::total::{BLOCK, Total};

use super::moments::{add, add_outer, apply, means, moments_len};
use super::{Counterfactual, Means, predictor};

/// The rows of one Cox model at a site, at risk from the start, without weights.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Columns of the model, p, centred as in the fit.
    pub columns: Counterfactual<'a>,
    /// Cell in which a row leaves, n.
    pub exit: &'a [u32],
    /// Whether it leaves by the event, n.
    pub event: &'a [bool],
}

/// What every party holds after the fit.
#[derive(Clone, Copy)]
pub struct Fitted<'a> {
    /// Event cells of the fit.
    pub events: &'a EventCells,
    /// Curves at `beta`.
    pub curves: &'a Curves,
    /// Coefficients (p).
    pub beta: &'a [f64],
}

/// Words of [`answer`] with `p` columns at `times` times.
pub const fn answer_len(p: usize, times: usize) -> usize {
    1 + packed_len(p) + times * time_len(p)
}

/// Words of one time.
const fn time_len(p: usize) -> usize {
    moments_len(p + 1) + p + 1
}

/// Adds a site's sums for survival after each of `times` (cells: deaths in the cell of a time count), in blocks of
/// [`BLOCK`] rows. After the last event cell survival stays as it is, also where nobody is observed any more.
///
/// Words: n; sum L L' packed; then for each time sum S_1, S_0, S_1^2, S_1 S_0, S_0^2; (G_1, F_1), (G_0, F_0),
/// sum S_1 (L, k), sum S_0 (L, k) (p + 1 each); sum k L (p); sum k^2.
///
/// # Panics
/// When lengths do not agree.
#[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
pub fn answer(rows: &Rows<'_>, fitted: &Fitted<'_>, times: &[u32], total: &mut dyn Total) {
    let (n, p) = (rows.columns.len(), fitted.beta.len());
    let residuals = residuals(rows, fitted);
    let baseline = Baseline::new(fitted.events, fitted.curves);
    let points: Vec<_> = times
        .iter()
        .map(|&time| {
            let steps = baseline.reached(time);
            (baseline.hazard(steps), baseline.moved(&vec![1.0; steps]))
        })
        .collect();
    let mut block = vec![0.0; answer_len(p, times.len())];
    let mut v = vec![0.0; p + 1];
    let mut gradients = [vec![0.0; p + 1], vec![0.0; p + 1]];
    for first in (0..n).step_by(BLOCK) {
        block.fill(0.0);
        for i in first..n.min(first + BLOCK) {
            let x = [rows.columns.if_treated.row(i), rows.columns.if_control.row(i)];
            let hazards = x.map(|x| predictor(x, fitted.beta).exp());
            let own = hazards[usize::from(!rows.columns.treated[i])];
            let reached = baseline.reached(rows.exit[i]);
            v[..p].copy_from_slice(residuals.row(i));
            block[0] += 1.0;
            let (outer, by_time) = block[1..].split_at_mut(packed_len(p));
            add_outer(outer, &v[..p]);
            for (words, (hazard, moved)) in by_time.chunks_exact_mut(time_len(p)).zip(&points) {
                let survival = hazards.map(|h| (-hazard * h).exp());
                for a in 0..2 {
                    let slope = -survival[a] * hazards[a];
                    for (gradient, x) in gradients[a].iter_mut().zip(x[a]) {
                        *gradient = hazard * slope * x;
                    }
                    gradients[a][p] = slope;
                }
                v[p] = moved.by(reached, rows.event[i], own);
                let (moments, products) = words.split_at_mut(moments_len(p + 1));
                add(moments, survival, [&gradients[0], &gradients[1]], &v);
                for (product, other) in products.iter_mut().zip(&v) {
                    *product += v[p] * other;
                }
            }
        }
        total.add(0, &block);
    }
}

/// Survival after each of `times` with everybody treated and untreated, from the sums over all sites. `naive` is the
/// inverse information of the fit (p x p). [`Means::complement`] turns survival into risk.
///
/// [`Why::NoRows`] without rows, [`Why::NotFinite`] when a sum overflowed.
///
/// # Panics
/// When lengths do not agree.
pub fn finish(fitted: &Fitted<'_>, naive: &Matrix, times: &[u32], sums: &[f64]) -> Result<Vec<Means>, Why> {
    let p = naive.rows();
    assert_eq!(sums.len(), answer_len(p, times.len()), "length of the standardised sums");
    let baseline = Baseline::new(fitted.events, fitted.curves);
    let (outer, by_time) = sums[1..].split_at(packed_len(p));
    let residuals = unpack(outer, p);
    let at = |(&time, words): (&u32, &[f64])| {
        let (moments, products) = words.split_at(moments_len(p + 1));
        let mut scores = Matrix::zero(p + 1, p + 1);
        for i in 0..=p {
            for j in 0..p {
                scores[(i, j)] = if i < p { residuals[(i, j)] } else { products[j] };
            }
            scores[(i, p)] = products[i];
        }
        let cumulative = baseline.cumulative_m(baseline.reached(time));
        means(sums[0], moments, &scores, |gradient| through_hazard(naive, &gradient[..p], gradient[p], cumulative))
    };
    times.iter().zip(by_time.chunks_exact(time_len(p))).map(at).collect()
}

/// I^-1 (G - F cumM) and F.
fn through_hazard(naive: &Matrix, by_beta: &[f64], by_hazard: f64, cumulative: &[f64]) -> Vec<f64> {
    let whole: Vec<f64> = by_beta.iter().zip(cumulative).map(|(g, m)| g - by_hazard * m).collect();
    let mut u = apply(naive, &whole);
    u.push(by_hazard);
    u
}

/// Score residuals L of the observed rows, n x p.
pub(super) fn residuals(rows: &Rows<'_>, fitted: &Fitted<'_>) -> Design {
    let (n, p) = (rows.columns.len(), fitted.beta.len());
    rows.columns.check(p);
    let observed = Design::new(n, p, (0..n).flat_map(|i| rows.columns.observed(i).iter().copied()).collect());
    let rows = CoxRows { x: &observed, exit: rows.exit, event: rows.event, w: None, entry: None };
    score_residuals(&rows, fitted.events, fitted.curves, fitted.beta)
}
