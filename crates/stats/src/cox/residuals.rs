//! Score residuals of a Cox model.

use crate::design::Design;

use super::curves::Curves;
use super::events::{CoxRows, EventCells};

/// Score residuals L at `beta` (p), n x p, R's `residuals(fit, type = "score")` without the weight (Lin & Wei 1989).
///
/// With M = P S1 - Q E1, N = Q S1 - R E1, xbar = (A S1 - B E1) / W, cum running sums over event cells:
/// L = d (x - xbar) - exp(x'b) \[cumA x - cumM\] + d exp(x'b) \[B x - N\]. Rows of weight 0 have L = 0.
///
/// # Panics
/// When lengths do not agree.
pub fn score_residuals(rows: &CoxRows<'_>, events: &EventCells, curves: &Curves, beta: &[f64]) -> Design {
    rows.check();
    let p = rows.x.columns();
    let positions = events.positions();
    let cum_a = curves.cumulative_a();
    let cum_m = curves.cumulative_m_times(|_| 1.0);
    let span = |i: usize| (rows.entry.map_or(0, |entry| positions.reached(entry[i])), positions.reached(rows.exit[i]));
    let exposure = |i: usize| {
        let (before, last) = span(i);
        cum_a[last] - cum_a[before]
    };
    let moment = |i: usize, k: usize| {
        let (before, last) = span(i);
        cum_m[last * p + k] - cum_m[before * p + k]
    };
    residuals_exposed(rows, events, curves, beta, exposure, moment)
}

/// [`score_residuals`] with the sums of A and of element k of M over the event cells at which row i is at risk given as
/// `exposure(i)` and `moment(i, k)`.
#[allow(clippy::disallowed_methods, reason = "a site's own rows; residuals never leave it")]
pub(crate) fn residuals_exposed(
    rows: &CoxRows<'_>,
    events: &EventCells,
    curves: &Curves,
    beta: &[f64],
    exposure: impl Fn(usize) -> f64,
    moment: impl Fn(usize, usize) -> f64,
) -> Design {
    rows.check();
    let (n, p) = (rows.len(), rows.x.columns());
    assert_eq!(beta.len(), p, "length of the coefficients");
    let positions = events.positions();
    let means = Means::new(events, curves, p);
    let mut values = vec![0.0; n * p];
    for i in (0..n).filter(|&i| rows.weight(i) > 0.0) {
        let x = rows.x.row(i);
        let eta: f64 = x.iter().zip(beta).map(|(x, b)| x * b).sum();
        let hazard = eta.exp();
        let exposure = exposure(i);
        for (k, value) in values[i * p..(i + 1) * p].iter_mut().enumerate() {
            *value = -hazard * (exposure * x[k] - moment(i, k));
            if rows.event[i] {
                let j = positions.reached(rows.exit[i]) - 1;
                *value += x[k] - means.xbar[j * p + k];
                *value += hazard * (curves.scalars[j].b / curves.scalars[j].s0 * x[k] - means.n[j * p + k]);
            }
        }
    }
    Design::new(n, p, values)
}

/// Vectors per event cell, row by row with p columns.
struct Means {
    xbar: Vec<f64>,
    n: Vec<f64>,
}

impl Means {
    fn new(events: &EventCells, curves: &Curves, p: usize) -> Self {
        let cells = events.cells.len();
        let mut means = Self { xbar: vec![0.0; cells * p], n: vec![0.0; cells * p] };
        for (j, scalar) in curves.scalars.iter().enumerate() {
            for at in j * p..(j + 1) * p {
                // In units of S0, like the scalars.
                let (s1, e1) = (curves.s1[at], curves.e1[at]);
                means.xbar[at] = (scalar.a * s1 - scalar.b * e1) / events.weight[j];
                means.n[at] = (scalar.q * s1 - scalar.r * e1) / scalar.s0;
            }
        }
        means
    }
}
