//! Restricted mean survival time standardised over all rows, from a Cox model.
//!
//! mu_a = (1/n) sum R_a, R_a the area under S_a(t) = exp(-H0(t) h_a) from 0 to a horizon, h_a = exp(x(a)'b). S_a is a step
//! function: after the first k event cells it holds for the width w_k up to the next event cell or the horizon. The
//! variance needs the derivative in the hazard of every step, which differs from step to step; so there are two rounds:
//! [`profile`] for means and derivatives, then [`spread`] for the squares of the influences themselves.

use crate::cox::Baseline;
use crate::fit::Why;
use crate::matrix::Matrix;
use crate::total::{BLOCK, Total};

use super::cox::{Fitted, Rows, residuals};
use super::moments::{apply, dot};
use super::{Means, predictor};

/// Words of [`spread`]: sums of the squared influence on mu_1, of the product, of the squared influence on mu_0.
pub const SPREAD_LEN: usize = 3;

/// Words of [`profile`] up to `horizon`: n, then for either arm one area, p derivatives and one for each step.
pub fn profile_len(fitted: &Fitted<'_>, horizon: u32) -> usize {
    1 + 2 * (1 + fitted.beta.len() + steps(fitted, horizon))
}

/// Event cells before the horizon.
fn steps(fitted: &Fitted<'_>, horizon: u32) -> usize {
    fitted.events.cells.partition_point(|cell| *cell < horizon)
}

/// Adds a site's sums of the areas from 0 to `horizon` (cells) and of their derivatives, in blocks of [`BLOCK`] rows. Each
/// row visits every event cell before the horizon. After the last event cell survival stays as it is.
///
/// Words: n; then for treated and for control: sum R; -sum over steps of w_k H0_k sum S h x (p); -w_k sum S h for each
/// event cell before the horizon.
///
/// # Panics
/// When lengths do not agree.
pub fn profile(rows: &Rows<'_>, fitted: &Fitted<'_>, horizon: u32, total: &mut dyn Total) {
    let (n, p) = (rows.columns.len(), fitted.beta.len());
    rows.columns.check(p);
    let area = Area::new(fitted, horizon);
    let half = 1 + p + area.steps.len();
    let mut block = vec![0.0; 1 + 2 * half];
    for first in (0..n).step_by(BLOCK) {
        block.fill(0.0);
        for i in first..n.min(first + BLOCK) {
            block[0] += 1.0;
            let x = [rows.columns.if_treated.row(i), rows.columns.if_control.row(i)];
            for (words, x) in block[1..].chunks_exact_mut(half).zip(x) {
                let (own, by_step) = words.split_at_mut(1 + p);
                let (under, slope) = area.under(predictor(x, fitted.beta), by_step);
                own[0] += under;
                for (word, x) in own[1..].iter_mut().zip(x) {
                    *word += slope * x;
                }
            }
        }
        total.add(0, &block);
    }
}

/// The means, and what turns a row into its influence on them. Every party derives it from the opened [`profile`].
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    horizon: u32,
    n: f64,
    mu: [f64; 2],
    /// I^-1 times the derivative in the coefficients, the way through the hazard included; by arm.
    by_score: [Vec<f64>; 2],
    /// Derivative in the hazard's step at each event cell, by arm.
    by_cell: [Vec<f64>; 2],
}

impl Profile {
    /// From the sums over all sites of [`profile`]; `naive` is the inverse information of the fit (p x p).
    ///
    /// [`Why::NoRows`] without rows, [`Why::NotFinite`] when a sum overflowed.
    ///
    /// # Panics
    /// When lengths do not agree.
    pub fn new(fitted: &Fitted<'_>, naive: &Matrix, horizon: u32, sums: &[f64]) -> Result<Self, Why> {
        assert_eq!(sums.len(), profile_len(fitted, horizon), "length of the profile");
        let n = sums[0];
        if n == 0.0 {
            return Err(Why::NoRows);
        }
        if !sums.iter().all(|sum| sum.is_finite()) {
            return Err(Why::NotFinite);
        }
        let p = naive.rows();
        let baseline = Baseline::new(fitted.events, fitted.curves);
        let (treated, control) = sums[1..].split_at((sums.len() - 1) / 2);
        let arm = |words: &[f64]| {
            let mut by_beta = words[1..=p].to_vec();
            let mut by_cell = words[1 + p..].to_vec();
            for (k, by_hazard) in by_cell.iter().enumerate() {
                for (by, m) in by_beta.iter_mut().zip(baseline.cumulative_m(k + 1)) {
                    *by -= by_hazard * m;
                }
            }
            // A step of the hazard stays in all later values.
            for k in (1..by_cell.len()).rev() {
                by_cell[k - 1] += by_cell[k];
            }
            (words[0] / n, apply(naive, &by_beta), by_cell)
        };
        let ((mu_1, score_1, cell_1), (mu_0, score_0, cell_0)) = (arm(treated), arm(control));
        Ok(Self { horizon, n, mu: [mu_1, mu_0], by_score: [score_1, score_0], by_cell: [cell_1, cell_0] })
    }

    /// The restricted means in cells with their covariance, from the sums over all sites of [`spread`].
    ///
    /// [`Why::NotFinite`] when a sum overflowed.
    ///
    /// # Panics
    /// When `sums` does not have [`SPREAD_LEN`] words.
    pub fn finish(&self, sums: &[f64]) -> Result<Means, Why> {
        assert_eq!(sums.len(), SPREAD_LEN, "length of the spread");
        let square = self.n * self.n;
        Means::new(self.mu[0], self.mu[1], [sums[0] / square, sums[1] / square, sums[2] / square])
    }
}

/// Adds a site's sums of products of the influences psi_a = R_a - mu_a + c_a'L + k_a on n mu_a, in blocks of [`BLOCK`]
/// rows, with c_a and the weights of the steps in k_a from `profile`. Words: sum psi_1^2, psi_1 psi_0, psi_0^2.
///
/// # Panics
/// When lengths do not agree.
#[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
pub fn spread(rows: &Rows<'_>, fitted: &Fitted<'_>, profile: &Profile, total: &mut dyn Total) {
    let n = rows.columns.len();
    let residuals = residuals(rows, fitted);
    let baseline = Baseline::new(fitted.events, fitted.curves);
    let area = Area::new(fitted, profile.horizon);
    let moved = [0, 1].map(|a| baseline.moved(&profile.by_cell[a]));
    let mut unused = vec![0.0; area.steps.len()];
    for first in (0..n).step_by(BLOCK) {
        let mut block = [0.0; SPREAD_LEN];
        for i in first..n.min(first + BLOCK) {
            let x = [rows.columns.if_treated.row(i), rows.columns.if_control.row(i)];
            let reached = baseline.reached(rows.exit[i]);
            let own = predictor(rows.columns.observed(i), fitted.beta).exp();
            let psi = [0, 1].map(|a| {
                let (under, _) = area.under(predictor(x[a], fitted.beta), &mut unused);
                let by_score = dot(&profile.by_score[a], residuals.row(i));
                under - profile.mu[a] + by_score + moved[a].by(reached, rows.event[i], own)
            });
            for (word, (a, b)) in block.iter_mut().zip([(0, 0), (0, 1), (1, 1)]) {
                *word += psi[a] * psi[b];
            }
        }
        total.add(0, &block);
    }
}

/// The steps of the baseline hazard before a horizon.
struct Area {
    /// Time before the first step.
    before: f64,
    /// Hazard after each step, and for how long it holds.
    steps: Vec<(f64, f64)>,
}

impl Area {
    fn new(fitted: &Fitted<'_>, horizon: u32) -> Self {
        let baseline = Baseline::new(fitted.events, fitted.curves);
        let cells = &baseline.cells()[..steps(fitted, horizon)];
        let end = |k: usize| f64::from(*cells.get(k).unwrap_or(&horizon));
        let steps = (0..cells.len()).map(|k| (baseline.hazard(k + 1), end(k + 1) - end(k))).collect();
        Self { before: end(0), steps }
    }

    /// The area under a row's curve and the sum over steps of H0 times its derivative; adds the derivatives themselves,
    /// -w S h, to `by_step`.
    #[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
    fn under(&self, eta: f64, by_step: &mut [f64]) -> (f64, f64) {
        let h = eta.exp();
        let (mut area, mut slope) = (self.before, 0.0);
        for ((hazard, width), by) in self.steps.iter().zip(by_step) {
            let part = width * (-hazard * h).exp();
            area += part;
            slope -= hazard * h * part;
            *by -= h * part;
        }
        (area, slope)
    }
}
