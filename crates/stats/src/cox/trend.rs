//! Sums behind tests of coefficients that change with time: the model b + theta g(t) at theta = 0.
//!
//! With V the contribution of an event cell to the information, and g one value per event cell: the score of theta is
//! U2 = sum g (d w x - A S1 + B E1), the mixed information H12 = sum g V, that of theta H22 = sum g^2 V (Grambsch &
//! Therneau 1994 in the form of R's `cox.zph`, survival 3).

use crate::design::Design;
use crate::gram::{CHUNK, Chunk};
use crate::packed::{packed_at, packed_len};
use crate::total::{BLOCK, Plain, Total};

use super::curves::Curves;
use super::events::{CoxRows, EventCells, Ties};
use super::risk::{risk_len, risk_shifted};
use super::strata::{from_first_row, largest_predictor, local_events};

/// Words of one [`trend`] with `p` columns: U2 (p), H12 packed, H22 packed.
pub const fn trend_len(p: usize) -> usize {
    p + 2 * packed_len(p)
}

/// Adds a site's part of U2, H12 and H22 at `beta` (p) for one transform `g` (one value per event cell), in blocks of
/// [`BLOCK`] rows. `curves` belong to the same `beta`.
///
/// With cumA_k the running sum of g^k A and u_k = r \[cumA_k(exit) - cumA_k(entry) - d g^k B\]: words
/// sum (d w g - u_1) x (p), sum u_1 x x' packed, sum u_2 x x' packed. H12 and H22 become whole with
/// [`Curves::trend_correction`]. With |g| at most 1, |u_1| and |u_2| are at most the u of [`super::step`].
///
/// # Panics
/// When lengths do not agree.
pub fn trend(rows: &CoxRows<'_>, events: &EventCells, curves: &Curves, g: &[f64], beta: &[f64], total: &mut dyn Total) {
    trend_shifted(rows, events, curves, g, beta, 0.0, total);
}

/// [`trend`] with x'b - shift for x'b.
#[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
fn trend_shifted(
    rows: &CoxRows<'_>,
    events: &EventCells,
    curves: &Curves,
    g: &[f64],
    beta: &[f64],
    shift: f64,
    total: &mut dyn Total,
) {
    rows.check();
    let (n, p) = (rows.len(), rows.x.columns());
    assert_eq!((beta.len(), g.len()), (p, events.cells.len()), "lengths of coefficients and transform");
    let positions = events.positions();
    let hazard = curves.weighted_hazards(g);
    let mut chunk = Chunk::new(p);
    let mut eta = [0.0; CHUNK];
    let mut block = vec![0.0; trend_len(p)];
    for first in (0..n).step_by(BLOCK) {
        let end = n.min(first + BLOCK);
        block.fill(0.0);
        for start in (first..end).step_by(CHUNK) {
            let size = CHUNK.min(end - start);
            chunk.load(rows.x, start, size);
            chunk.predictor(beta, &mut eta);
            let (mut residual, mut once, mut twice) = ([0.0; CHUNK], [0.0; CHUNK], [0.0; CHUNK]);
            for (r, i) in (start..start + size).enumerate() {
                let weight = rows.weight(i);
                let last = positions.reached(rows.exit[i]);
                if weight == 0.0 || last == 0 {
                    continue;
                }
                let before = rows.entry.map_or(0, |entry| positions.reached(entry[i]));
                let mut exposure = [hazard[last][0] - hazard[before][0], hazard[last][1] - hazard[before][1]];
                if rows.event[i] {
                    let (cell, at) = (&curves.scalars[last - 1], g[last - 1]);
                    let own = at * (cell.b / cell.s0);
                    exposure = [exposure[0] - own, exposure[1] - at * own];
                    residual[r] = weight * at;
                }
                // No exposure means no part in any risk set, however large the predictor.
                if exposure != [0.0; 2] {
                    let share = weight * (eta[r] - shift).exp();
                    (once[r], twice[r]) = (share * exposure[0], share * exposure[1]);
                    residual[r] -= once[r];
                }
            }
            let (score, rest) = block.split_at_mut(p);
            let (mixed, own) = rest.split_at_mut(packed_len(p));
            chunk.column_sums(&residual, score);
            chunk.gram(&once, mixed);
            chunk.gram(&twice, own);
        }
        total.add(0, &block);
    }
}

/// Adds U2, H12 and H22 of the site's own stratum at `beta` (p): [`trend_len`] words in one block, with nothing to
/// correct. `cells` and `g` are the event cells of the whole study and the one transform that all strata share.
///
/// Where the site has an event in a cell that is not in `cells`, there is no sum.
///
/// # Panics
/// When lengths do not agree.
pub fn stratified_trend(rows: &CoxRows<'_>, ties: Ties, cells: &[u32], g: &[f64], beta: &[f64], total: &mut dyn Total) {
    rows.check();
    assert_eq!(cells.len(), g.len(), "one value of the transform per event cell");
    let p = rows.x.columns();
    let local: Design = from_first_row(rows);
    let rows = CoxRows { x: &local, ..*rows };
    let events = local_events(&rows, ties);
    if events.cells.is_empty() {
        return;
    }
    let own = events.cells.iter().map(|cell| cells.binary_search(cell).ok().map(|at| g[at]));
    let Some(own) = own.collect::<Option<Vec<f64>>>() else {
        // Another site's answer took the cell away: the sum must not pass for a number.
        total.add(0, &vec![f64::NAN; trend_len(p)]);
        return;
    };
    let shift = largest_predictor(&rows, beta);
    let mut risk = Plain::zero(risk_len(p, &events));
    risk_shifted(&rows, &events, beta, shift, &mut risk);
    let mut sums = Plain::zero(trend_len(p));
    match Curves::derive(&events, p, &risk.0) {
        Ok(curves) => {
            trend_shifted(&rows, &events, &curves, &own, beta, shift, &mut sums);
            sums.add(0, &curves.trend_correction(&own));
        }
        // A risk set that underflows here has stopped the fit already; the sum must not pass for a number.
        Err(_) => sums.0.fill(f64::NAN),
    }
    total.add(0, &sums.0);
}

impl Curves {
    /// The terms of one [`trend`] that need the curves of the whole study, as [`trend_len`] words: zeros for U2, then
    /// -sum g^k \[P S1 S1' - Q (S1 E1' + E1 S1') + R E1 E1'\] for H12 (k = 1) and H22 (k = 2). The first site of the
    /// roster adds them, once, whether it has rows or not.
    ///
    /// # Panics
    /// When `g` does not have one value per event cell.
    pub fn trend_correction(&self, g: &[f64]) -> Vec<f64> {
        assert_eq!(g.len(), self.scalars.len(), "one value of the transform per event cell");
        let p = self.columns();
        let mut words = vec![0.0; trend_len(p)];
        let (mixed, own) = words[p..].split_at_mut(packed_len(p));
        for (j, (scalar, at)) in self.scalars.iter().zip(g).enumerate() {
            let (s1, e1) = (&self.s1[j * p..(j + 1) * p], &self.e1[j * p..(j + 1) * p]);
            for i in 0..p {
                // P S1 - Q E1 and Q S1 - R E1, element i.
                let by_s = scalar.p * s1[i] - scalar.q * e1[i];
                let by_e = scalar.q * s1[i] - scalar.r * e1[i];
                for k in i..p {
                    let term = at * (by_s * s1[k] - by_e * e1[k]);
                    mixed[packed_at(i, k, p)] -= term;
                    own[packed_at(i, k, p)] -= at * term;
                }
            }
        }
        words
    }

    /// Running sums of g A and g^2 A: element k sums over the first k event cells (D + 1 elements).
    fn weighted_hazards(&self, g: &[f64]) -> Vec<[f64; 2]> {
        let mut running = [0.0; 2];
        let mut sums = vec![running];
        for (scalar, at) in self.scalars.iter().zip(g) {
            let step = at * (scalar.a / scalar.s0);
            running = [running[0] + step, running[1] + at * step];
            sums.push(running);
        }
        sums
    }
}
