//! The baseline hazard of a Cox model, and how each row moves it.

use super::curves::{Curves, Scalars};
use super::events::EventCells;

/// The cumulative baseline hazard at the origin of the columns, and its derivatives: R's `basehaz` with
/// `centered = FALSE` when the columns are not centred.
///
/// Its step at an event cell is A: Breslow's W / S0, or Efron's wbar sum 1 / phi, as in the fit. The coefficients move the
/// hazard by -cumM, M = P S1 - Q E1. A unit more of weight on a row without weight, at fixed coefficients, moves the step
/// at its own event cell by d (A / W + Q exp(x'b)), and every step up to its exit by -P exp(x'b). Over all rows of the
/// study these sum to zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    p: usize,
    cells: Vec<u32>,
    /// One element more than event cells; element k sums the first k.
    hazard: Vec<f64>,
    /// Rows of p, one more than event cells.
    cum_m: Vec<f64>,
    /// A / W, P and Q, by event cell.
    moves: Vec<[f64; 3]>,
}

impl Baseline {
    /// From the curves at the coefficients of the fit.
    pub fn new(events: &EventCells, curves: &Curves) -> Self {
        let moves = |(scalar, weight): (&Scalars, &f64)| {
            // In units of S0, like the scalars.
            [scalar.a / weight, scalar.p / scalar.s0, scalar.q / scalar.s0].map(|value| value / scalar.s0)
        };
        Self {
            p: curves.columns(),
            cells: events.cells.clone(),
            hazard: curves.cumulative_a(),
            cum_m: curves.cumulative_m_times(|_| 1.0),
            moves: curves.scalars.iter().zip(&events.weight).map(moves).collect(),
        }
    }

    /// The event cells, ascending.
    pub fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// Number of event cells at or before `cell`.
    pub fn reached(&self, cell: u32) -> usize {
        self.cells.partition_point(|event| *event <= cell)
    }

    /// The hazard after the first `steps` event cells.
    ///
    /// # Panics
    /// When there are fewer event cells.
    pub fn hazard(&self, steps: usize) -> f64 {
        self.hazard[steps]
    }

    /// Minus the derivative of [`Baseline::hazard`] in the coefficients (p).
    pub(crate) fn cumulative_m(&self, steps: usize) -> &[f64] {
        &self.cum_m[steps * self.p..(steps + 1) * self.p]
    }

    /// How rows move the sum over event cells of `by` times the hazard's step. Cells past the end of `by` count 0.
    pub(crate) fn moved(&self, by: &[f64]) -> Moved {
        let mut running = 0.0;
        let mut moved = Moved { death: Vec::new(), tied: Vec::new(), at_risk: vec![0.0] };
        for ([per_death, p, q], by) in self.moves.iter().zip(by) {
            running += by * p;
            moved.death.push(by * per_death);
            moved.tied.push(by * q);
            moved.at_risk.push(running);
        }
        moved
    }
}

/// How a row moves a weighted sum of the hazard's steps at fixed coefficients.
pub(crate) struct Moved {
    death: Vec<f64>,
    tied: Vec<f64>,
    at_risk: Vec<f64>,
}

impl Moved {
    /// For a row that leaves after `reached` event cells, in the last of them if by the event, with `hazard` = exp(x'b).
    pub(crate) fn by(&self, reached: usize, event: bool, hazard: f64) -> f64 {
        let mut sum = -hazard * self.at_risk[reached.min(self.death.len())];
        if event && reached <= self.death.len() {
            sum += self.death[reached - 1] + hazard * self.tied[reached - 1];
        }
        sum
    }
}
