//! What every party derives from the opened risk-set sums: replicated code, plain loops.

use crate::fit::Why;
use crate::packed::packed_at;

use super::events::{EventCells, Ties};
use super::risk::risk_len;
use super::step_len;

/// Risk-set curves at one coefficient vector, one entry per event cell (D).
///
/// With phi = S0 - c E0, c = l / d for l = 0..d-1: A = wbar sum 1/phi, B = wbar sum c/phi, P = wbar sum 1/phi^2,
/// Q = wbar sum c/phi^2, R = wbar sum c^2/phi^2. Breslow: A = W/S0, P = W/S0^2, the others 0.
/// All are kept in units of S0, so that no square under- or overflows where S0 itself does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    p: usize,
    /// S1 / S0 and E1 / S0, D x p. E1 is zero where no two deaths are tied.
    pub(super) s1: Vec<f64>,
    pub(super) e1: Vec<f64>,
    pub(super) scalars: Vec<Scalars>,
    /// sum over event cells of wbar sum log phi.
    log_sum: f64,
}

/// The scalars of one event cell: S0, and A S0, B S0, P S0^2, Q S0^2, R S0^2.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalars {
    pub(super) s0: f64,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) p: f64,
    pub(super) q: f64,
    pub(super) r: f64,
    /// wbar sum log phi.
    log: f64,
}

impl Curves {
    /// From the sums over all sites of [`super::risk`] with `p` columns.
    ///
    /// [`Why::NotFinite`] when a risk set is empty or a sum overflowed.
    ///
    /// # Panics
    /// When `sums` does not have [`risk_len`] words.
    pub fn derive(events: &EventCells, p: usize, sums: &[f64]) -> Result<Self, Why> {
        Self::of_sets(events, p, RiskSets::new(events, p, sums))
    }

    /// From whole risk sets instead of their increments.
    pub(crate) fn of_sets(events: &EventCells, p: usize, sets: RiskSets) -> Result<Self, Why> {
        let RiskSets { s0, mut s1, e0, mut e1 } = sets;
        let d = events.cells.len();
        let mut scalars = Vec::with_capacity(d);
        let mut log_sum = 0.0;
        for j in 0..d {
            let scalar = Scalars::new(events, j, s0[j], e0[j]).ok_or(Why::NotFinite)?;
            log_sum += scalar.log;
            scalars.push(scalar);
            for value in s1[j * p..(j + 1) * p].iter_mut().chain(&mut e1[j * p..(j + 1) * p]) {
                *value /= s0[j];
            }
        }
        if s1.iter().chain(&e1).all(|word| word.is_finite()) {
            Ok(Self { p, s1, e1, scalars, log_sum })
        } else {
            Err(Why::NotFinite)
        }
    }

    /// The terms of one [`super::step`] that need the curves of the whole study, as [`step_len`] words:
    /// -sum wbar log phi in word 0, zeros for the score, -sum \[P S1 S1' - Q (S1 E1' + E1 S1') + R E1 E1'\] for the
    /// information. The first site of the roster adds them, once, whether it has rows or not.
    pub fn correction(&self) -> Vec<f64> {
        let p = self.p;
        let mut words = vec![0.0; step_len(p)];
        words[0] = -self.log_sum;
        let information = &mut words[1 + p..];
        for (j, scalar) in self.scalars.iter().enumerate() {
            let (s1, e1) = (&self.s1[j * p..(j + 1) * p], &self.e1[j * p..(j + 1) * p]);
            for i in 0..p {
                // P S1 - Q E1 and Q S1 - R E1, element i.
                let by_s = scalar.p * s1[i] - scalar.q * e1[i];
                let by_e = scalar.q * s1[i] - scalar.r * e1[i];
                let row = packed_at(i, i, p);
                for (k, word) in information[row..row + p - i].iter_mut().enumerate() {
                    *word -= by_s * s1[i + k] - by_e * e1[i + k];
                }
            }
        }
        words
    }

    /// Number of columns.
    pub(super) fn columns(&self) -> usize {
        self.p
    }

    /// Running sums of A: element k is the sum over the first k event cells (D + 1 elements).
    pub(super) fn cumulative_a(&self) -> Vec<f64> {
        self.cumulative_a_times(|_| 1.0)
    }

    /// [`Curves::cumulative_a`] with A times a factor of each event cell.
    pub(crate) fn cumulative_a_times(&self, factor: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut running = 0.0;
        let mut sums = vec![0.0];
        for (j, scalar) in self.scalars.iter().enumerate() {
            running += factor(j) * (scalar.a / scalar.s0);
            sums.push(running);
        }
        sums
    }

    /// Running sums of M = P S1 - Q E1 times a factor of each event cell: row k sums the first k ((D + 1) x p).
    pub(crate) fn cumulative_m_times(&self, factor: impl Fn(usize) -> f64) -> Vec<f64> {
        let p = self.p;
        let mut sums = vec![0.0; (self.scalars.len() + 1) * p];
        for (j, scalar) in self.scalars.iter().enumerate() {
            for at in j * p..(j + 1) * p {
                // In units of S0, like the scalars.
                let moment = (scalar.p * self.s1[at] - scalar.q * self.e1[at]) / scalar.s0;
                sums[at + p] = sums[at] + factor(j) * moment;
            }
        }
        sums
    }
}

/// Sums over the risk set and over the tied deaths of every event cell (D): S0, S1 (D x p), E0, E1 (D x p). E0 and E1 are
/// zero where no two deaths are tied.
pub(crate) struct RiskSets {
    pub(crate) s0: Vec<f64>,
    pub(crate) s1: Vec<f64>,
    e0: Vec<f64>,
    e1: Vec<f64>,
}

impl RiskSets {
    /// From the sums over all sites of [`super::risk`] with `p` columns.
    ///
    /// # Panics
    /// When `sums` does not have [`risk_len`] words.
    pub(crate) fn new(events: &EventCells, p: usize, sums: &[f64]) -> Self {
        assert_eq!(sums.len(), risk_len(p, events), "length of the risk-set sums");
        let (d, width) = (events.cells.len(), 1 + p);
        let mut sets = Self { s0: vec![0.0; d], s1: vec![0.0; d * p], e0: vec![0.0; d], e1: vec![0.0; d * p] };
        let mut running = vec![0.0; width];
        for j in (0..d).rev() {
            for (sum, increment) in running.iter_mut().zip(&sums[j * width..(j + 1) * width]) {
                *sum += increment;
            }
            sets.s0[j] = running[0];
            sets.s1[j * p..(j + 1) * p].copy_from_slice(&running[1..]);
        }
        for (words, j) in sums[d * width..].chunks_exact(width).zip(events.tied()) {
            sets.e0[j] = words[0];
            sets.e1[j * p..(j + 1) * p].copy_from_slice(&words[1..]);
        }
        sets
    }
}

impl Scalars {
    /// None unless every phi is positive and every sum finite.
    fn new(events: &EventCells, j: usize, s0: f64, e0: f64) -> Option<Self> {
        let (d, weight) = (events.deaths[j], events.weight[j]);
        // Without ties all deaths of the cell share one denominator: one term that counts d times.
        let (terms, step, each) = match events.ties {
            Ties::Efron => (d as usize, 1.0 / d, weight / d),
            Ties::Breslow => (1, 0.0, weight),
        };
        let mut sums = Self { s0, a: 0.0, b: 0.0, p: 0.0, q: 0.0, r: 0.0, log: 0.0 };
        for l in 0..terms {
            let c = l as f64 * step;
            let phi = s0 - c * e0;
            if !(phi > 0.0 && phi.is_finite()) {
                return None;
            }
            let share = phi / s0;
            let inverse = each / share;
            let square = inverse / share;
            sums.a += inverse;
            sums.b += c * inverse;
            sums.p += square;
            sums.q += c * square;
            sums.r += c * c * square;
            sums.log += each * libm::log(phi);
        }
        (sums.p.is_finite() && sums.log.is_finite()).then_some(sums)
    }
}
