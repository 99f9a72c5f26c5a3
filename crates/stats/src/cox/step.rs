//! Second exchange of an iteration: log likelihood, score and information with one weight per row.

use crate::gram::{CHUNK, Chunk};
use crate::total::{BLOCK, Total};

use super::curves::Curves;
use super::events::{CoxRows, EventCells};
use super::step_len;

/// Adds a site's part of log likelihood, score and information at `beta` (p), the same `beta` as the sums behind
/// `curves`, in blocks of [`BLOCK`] rows.
///
/// With cumA the running sum of A and u = r \[cumA(exit) - cumA(entry) - d B\]: words sum d w x'b, sum (d w - u) x (p),
/// sum u x x' packed. The log likelihood and information become whole with [`Curves::correction`].
///
/// # Panics
/// When lengths do not agree.
pub fn step(rows: &CoxRows<'_>, events: &EventCells, curves: &Curves, beta: &[f64], total: &mut dyn Total) {
    step_shifted(rows, events, curves, beta, 0.0, total);
}

/// [`step`] with x'b - shift for x'b.
pub(super) fn step_shifted(
    rows: &CoxRows<'_>,
    events: &EventCells,
    curves: &Curves,
    beta: &[f64],
    shift: f64,
    total: &mut dyn Total,
) {
    rows.check();
    let positions = events.positions();
    let hazard = curves.cumulative_a();
    let exposure = |i: usize| {
        let before = rows.entry.map_or(0, |entry| positions.reached(entry[i]));
        hazard[positions.reached(rows.exit[i])] - hazard[before]
    };
    step_exposed(rows, events, curves, beta, shift, exposure, total);
}

/// [`step_shifted`] with the sum of A over the event cells at which row i is at risk given as `exposure(i)`.
#[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
pub(crate) fn step_exposed(
    rows: &CoxRows<'_>,
    events: &EventCells,
    curves: &Curves,
    beta: &[f64],
    shift: f64,
    exposure: impl Fn(usize) -> f64,
    total: &mut dyn Total,
) {
    rows.check();
    let (n, p) = (rows.len(), rows.x.columns());
    assert_eq!(beta.len(), p, "length of the coefficients");
    let positions = events.positions();
    let mut chunk = Chunk::new(p);
    let mut eta = [0.0; CHUNK];
    let mut block = vec![0.0; step_len(p)];
    for first in (0..n).step_by(BLOCK) {
        let end = n.min(first + BLOCK);
        block.fill(0.0);
        for start in (first..end).step_by(CHUNK) {
            let size = CHUNK.min(end - start);
            chunk.load(rows.x, start, size);
            chunk.predictor(beta, &mut eta);
            let (mut residual, mut spread) = ([0.0; CHUNK], [0.0; CHUNK]);
            for (r, i) in (start..start + size).enumerate() {
                let weight = rows.weight(i);
                if weight == 0.0 {
                    continue;
                }
                let eta = eta[r] - shift;
                let mut exposure = exposure(i);
                if rows.event[i] {
                    let cell = &curves.scalars[positions.reached(rows.exit[i]) - 1];
                    exposure -= cell.b / cell.s0;
                    residual[r] = weight;
                    block[0] += weight * eta;
                }
                // No exposure means no part in any risk set, however large the predictor.
                if exposure != 0.0 {
                    spread[r] = weight * eta.exp() * exposure;
                    residual[r] -= spread[r];
                }
            }
            let (score, information) = block[1..].split_at_mut(p);
            chunk.column_sums(&residual, score);
            chunk.gram(&spread, information);
        }
        total.add(0, &block);
    }
}
