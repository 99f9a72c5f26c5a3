//! First exchange of an iteration: sums over risk sets and over tied deaths.

use crate::gram::{CHUNK, Chunk};
use crate::total::Total;

use super::events::{Buckets, CoxRows, EventCells};

/// Words of [`risk`] with `p` columns: (1 + p) for each event cell and for each tied cell.
pub fn risk_len(p: usize, events: &EventCells) -> usize {
    (1 + p) * (events.cells.len() + events.tied().len())
}

/// Adds the increments of the risk-set sums at `beta` (p).
///
/// Words: for each event cell j, \[sum r, sum r x (p)\] over the rows whose last event cell at risk is j, so that S0 and
/// S1 are sums over the cells from j on; a row with entry is subtracted at the last event cell at or before its entry.
/// Then for each tied cell \[E0, E1 (p)\], its deaths alone. r = w exp(x'b). O(n p) in one pass.
///
/// # Panics
/// When lengths do not agree.
pub fn risk(rows: &CoxRows<'_>, events: &EventCells, beta: &[f64], total: &mut dyn Total) {
    risk_shifted(rows, events, beta, 0.0, total);
}

/// [`risk`] with r = w exp(x'b - shift).
#[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
pub(super) fn risk_shifted(rows: &CoxRows<'_>, events: &EventCells, beta: &[f64], shift: f64, total: &mut dyn Total) {
    rows.check();
    let (n, p) = (rows.len(), rows.x.columns());
    assert_eq!(beta.len(), p, "length of the coefficients");
    let positions = events.positions();
    let tied = events.tied();
    let mut tied_at = vec![None; events.cells.len()];
    for (t, &j) in tied.iter().enumerate() {
        tied_at[j] = Some(t);
    }
    let at_deaths = events.cells.len() * (1 + p);
    let mut risk = Buckets::new(events.cells.len(), 1 + p);
    let mut deaths = Buckets::new(tied.len(), 1 + p);
    let mut chunk = Chunk::new(p);
    let mut eta = [0.0; CHUNK];
    for start in (0..n).step_by(CHUNK) {
        let size = CHUNK.min(n - start);
        chunk.load(rows.x, start, size);
        chunk.predictor(beta, &mut eta);
        for (r, i) in (start..start + size).enumerate() {
            let weight = rows.weight(i);
            let last = positions.reached(rows.exit[i]);
            if weight == 0.0 || last == 0 {
                continue;
            }
            let hazard = weight * (eta[r] - shift).exp();
            let x = rows.x.row(i);
            add_row(risk.sum(last - 1, 0, total), hazard, x);
            if let Some(entry) = rows.entry {
                let before = positions.reached(entry[i]);
                if before > 0 {
                    add_row(risk.sum(before - 1, 0, total), -hazard, x);
                }
            }
            if rows.event[i]
                && let Some(t) = tied_at[last - 1]
            {
                add_row(deaths.sum(t, at_deaths, total), hazard, x);
            }
        }
    }
    risk.finish(0, total);
    deaths.finish(at_deaths, total);
}

#[inline]
fn add_row(words: &mut [f64], hazard: f64, x: &[f64]) {
    words[0] += hazard;
    for (word, value) in words[1..].iter_mut().zip(x) {
        *word += hazard * value;
    }
}
