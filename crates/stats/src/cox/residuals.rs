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
#[allow(clippy::disallowed_methods, reason = "a site's own rows; residuals never leave it")]
pub fn score_residuals(rows: &CoxRows<'_>, events: &EventCells, curves: &Curves, beta: &[f64]) -> Design {
    rows.check();
    let (n, p) = (rows.len(), rows.x.columns());
    assert_eq!(beta.len(), p, "length of the coefficients");
    let positions = events.positions();
    let cum_a = curves.cumulative_a();
    let means = Means::new(events, curves, p);
    let mut values = vec![0.0; n * p];
    for i in (0..n).filter(|&i| rows.weight(i) > 0.0) {
        let x = rows.x.row(i);
        let eta: f64 = x.iter().zip(beta).map(|(x, b)| x * b).sum();
        let hazard = eta.exp();
        let last = positions.reached(rows.exit[i]);
        let before = rows.entry.map_or(0, |entry| positions.reached(entry[i]));
        let exposure = cum_a[last] - cum_a[before];
        for (k, value) in values[i * p..(i + 1) * p].iter_mut().enumerate() {
            let moment = means.cum_m[last * p + k] - means.cum_m[before * p + k];
            *value = -hazard * (exposure * x[k] - moment);
            if rows.event[i] {
                let j = last - 1;
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
    /// One row more than event cells; row k sums the first k.
    cum_m: Vec<f64>,
}

impl Means {
    fn new(events: &EventCells, curves: &Curves, p: usize) -> Self {
        let cells = events.cells.len();
        let mut means = Self { xbar: vec![0.0; cells * p], n: vec![0.0; cells * p], cum_m: vec![0.0; (cells + 1) * p] };
        for (j, scalar) in curves.scalars.iter().enumerate() {
            for k in 0..p {
                let at = j * p + k;
                // In units of S0, like the scalars.
                let (s1, e1) = (curves.s1[at], curves.e1[at]);
                means.xbar[at] = (scalar.a * s1 - scalar.b * e1) / events.weight[j];
                means.n[at] = (scalar.q * s1 - scalar.r * e1) / scalar.s0;
                means.cum_m[at + p] = means.cum_m[at] + (scalar.p * s1 - scalar.q * e1) / scalar.s0;
            }
        }
        means
    }
}
