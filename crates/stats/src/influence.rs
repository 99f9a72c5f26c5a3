//! Sums behind robust variances, from score residuals L (n x p) of any model.
//!
//! The estimated propensity enters by d w / d alpha = d w / d eta z, the share of the treated in stabilised weights by
//! d w / d p; a [`Scheme`] gives both. Truncation bounds count as given numbers: that they are quantiles of the same weights
//! does not enter.

use crate::design::Design;
use crate::packed::packed_len;
use crate::total::{BLOCK, Total};
use crate::weights::Scheme;

/// The rows of the propensity model, in the order of the rows of the outcome model.
#[derive(Clone, Copy)]
pub struct PropensityRows<'a> {
    /// Its design, n x q, with intercept, in the parametrisation whose information the estimator holds.
    pub z: &'a Design,
    /// Treatment, n.
    pub treated: &'a [bool],
    /// Fitted propensity scores, n, inside (0, 1).
    pub e: &'a [f64],
    /// How the weights are made of the scores.
    pub scheme: Scheme,
}

/// Which sums a meat holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeatKind {
    /// HC0 (Lin-Wei for Cox).
    pub robust: bool,
    /// Clustered by site.
    pub cluster: bool,
    /// M-estimation that accounts for the estimated propensity.
    pub m_estimation: Option<MEstimation>,
}

impl MeatKind {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        !self.robust && !self.cluster && self.m_estimation.is_none()
    }

    /// M-estimation starts from the robust sum, so it is there for both.
    pub(crate) fn outer(&self) -> bool {
        self.robust || self.m_estimation.is_some()
    }
}

/// Shape of the propensity model behind the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MEstimation {
    /// Columns of the propensity model.
    pub q: usize,
    /// Whether the weights are stabilised.
    pub stabilised: bool,
}

/// Words of [`meat`] with `p` columns.
pub fn meat_len(p: usize, kind: &MeatKind) -> usize {
    Layout::new(p, kind).len
}

/// Where the parts of a meat begin. Parts that were not asked for are empty.
pub(crate) struct Layout {
    /// sum w^2 L L', packed.
    pub(crate) outer: usize,
    /// sum over sites of (sum w L)(sum w L)', packed.
    pub(crate) cluster: usize,
    /// Sites among whose rows a weighted residual is not 0.
    pub(crate) clusters: usize,
    /// sum w L s' (p x q), s = (a - e) z.
    pub(crate) cross: usize,
    /// sum s s', packed (q).
    pub(crate) scores: usize,
    /// G = sum L (d w / d alpha)' (p x q).
    pub(crate) gradient: usize,
    /// Stabilised weights only, with t = a - p: `G_p` = sum L d w / d p (p), sum w L t (p), sum s t (q), sum t^2 (1).
    pub(crate) share: usize,
    pub(crate) len: usize,
}

impl Layout {
    pub(crate) fn new(p: usize, kind: &MeatKind) -> Self {
        let (q, stabilised) = kind.m_estimation.map_or((0, false), |m| (m.q, m.stabilised));
        let outer = 0;
        let cluster = outer + if kind.outer() { packed_len(p) } else { 0 };
        let clusters = cluster + if kind.cluster { packed_len(p) } else { 0 };
        let cross = clusters + usize::from(kind.cluster);
        let scores = cross + p * q;
        let gradient = scores + packed_len(q);
        let share = gradient + p * q;
        let len = share + if stabilised { 2 * p + q + 1 } else { 0 };
        Self { outer, cluster, clusters, cross, scores, gradient, share, len }
    }
}

/// Adds the sums of `kind` over a site's rows, in blocks of [`BLOCK`] rows; the cluster sum in one.
///
/// Words, in this order, each part only if asked for:
/// 1. robust or M-estimation: sum w^2 L L' packed;
/// 2. cluster: (sum w L)(sum w L)' packed, formed at the site, and 1 from a site with a residual that is not 0;
/// 3. M-estimation: sum w L s' (p x q, row by row), sum s s' packed, G (p x q);
/// 4. M-estimation with stabilised weights: `G_p` (p), sum w L t (p), sum s t (q), sum t^2 (1).
///
/// s = (a - e) z, G = sum L (d w / d alpha)', `G_p` = sum L d w / d p, t = a - p with p the share of the treated.
///
/// # Panics
/// When lengths do not agree, or M-estimation is asked for without matching propensity rows.
pub fn meat(l: &Design, w: Option<&[f64]>, kind: &MeatKind, ps: Option<&PropensityRows<'_>>, total: &mut dyn Total) {
    let (n, p) = (l.rows(), l.columns());
    assert!(w.is_none_or(|w| w.len() == n), "length of the weights");
    let ps = kind.m_estimation.map(|m| {
        let ps = ps.expect("M-estimation needs the propensity rows");
        assert_eq!((ps.z.rows(), ps.treated.len(), ps.e.len()), (n, n, n), "lengths of the propensity rows");
        assert_eq!(
            (ps.z.columns(), ps.scheme.stabilised().is_some()),
            (m.q, m.stabilised),
            "shape of the propensity model"
        );
        ps
    });
    let layout = Layout::new(p, kind);
    let (mut sum, mut some) = (vec![0.0; p], false);
    for first in (0..n).step_by(BLOCK) {
        let end = n.min(first + BLOCK);
        let mut block = vec![0.0; layout.len];
        let mut block_sum = vec![0.0; p];
        for i in first..end {
            let weight = w.map_or(1.0, |w| w[i]);
            let residual: Vec<f64> = l.row(i).iter().map(|l| weight * l).collect();
            some |= residual.iter().any(|l| *l != 0.0);
            if kind.outer() {
                add_outer(&mut block[layout.outer..], &residual);
            }
            add_scaled(&mut block_sum, 1.0, &residual);
            if let Some(ps) = ps {
                add_propensity(&mut block, &layout, l.row(i), &residual, ps, i);
            }
        }
        add_scaled(&mut sum, 1.0, &block_sum);
        total.add(0, &block);
    }
    if kind.cluster {
        let mut outer = vec![0.0; packed_len(p)];
        add_outer(&mut outer, &sum);
        total.add(layout.cluster, &outer);
        total.add(layout.clusters, &[f64::from(u8::from(some))]);
    }
}

/// Row `i` with its score residual `l` and the same times its weight.
fn add_propensity(words: &mut [f64], layout: &Layout, l: &[f64], wl: &[f64], ps: &PropensityRows<'_>, i: usize) {
    let (z, e, treated) = (ps.z.row(i), ps.e[i], ps.treated[i]);
    let q = z.len();
    let slope = ps.scheme.gradient(e, treated);
    let error = if treated { 1.0 - e } else { -e };
    let s: Vec<f64> = z.iter().map(|z| error * z).collect();
    for k in 0..l.len() {
        add_scaled(&mut words[layout.cross + k * q..][..q], wl[k], &s);
        add_scaled(&mut words[layout.gradient + k * q..][..q], l[k] * slope, z);
    }
    add_outer(&mut words[layout.scores..], &s);
    if let Some(share) = ps.scheme.stabilised() {
        let t = f64::from(u8::from(treated)) - share;
        let (gradient, rest) = words[layout.share..].split_at_mut(l.len());
        let (residuals, rest) = rest.split_at_mut(l.len());
        let (scores, square) = rest.split_at_mut(q);
        add_scaled(gradient, ps.scheme.share_gradient(e, treated), l);
        add_scaled(residuals, t, wl);
        add_scaled(scores, t, &s);
        square[0] += t * t;
    }
}

/// `packed` += v v'.
fn add_outer(packed: &mut [f64], v: &[f64]) {
    let mut at = 0;
    for i in 0..v.len() {
        add_scaled(&mut packed[at..at + v.len() - i], v[i], &v[i..]);
        at += v.len() - i;
    }
}

/// `sums` += factor v.
fn add_scaled(sums: &mut [f64], factor: f64, v: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(v) {
        *sum += factor * value;
    }
}
