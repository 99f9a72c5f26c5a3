//! What a Fine-Gray regression knows before its first question: event cells, and the weights of those who left otherwise.

use crate::cox::{EventCells, Ties};
use crate::survival::{Tally, Who};

use super::table::CauseTable;

/// Event cells of one cause and the distribution of censoring, from a table of causes.
///
/// A row that leaves by another cause stays in the later risk sets with the weight G(j-) / G(T-), the probability of not
/// being censored between its exit T and the cell j (Fine & Gray 1999). G is the Kaplan-Meier curve of censoring over rows,
/// whatever their weights; in a tied cell events come before censoring: G(j-) is the product over cells c < j of
/// 1 - q / (q + m), q censored in c and m leaving later. This is R's `finegray`.
#[derive(Debug, Clone, PartialEq)]
pub struct Subdistribution {
    cause: u8,
    events: EventCells,
    /// G(c-) per cell of the grid.
    uncensored: Vec<f64>,
    /// Indices of event cells between which and the event cell before somebody leaves by another cause.
    joined: Vec<usize>,
}

impl Subdistribution {
    /// Of `cause` (1 or more). A weighted table brings the weights of the events with it, so that the model is weighted.
    ///
    /// # Panics
    /// When the table does not know the cause.
    pub fn new(table: &CauseTable, cause: u8, ties: Ties) -> Self {
        assert!((1..=table.causes()).contains(&cause), "a cause of the table");
        let k = usize::from(cause) - 1;
        let leavers = table.leavers(Who::All);
        let tallies: Vec<Tally> = leavers.iter().map(|leavers| leavers.causes[k]).collect();
        let cells = (0..leavers.len() as u32).collect();
        let mut events = EventCells::new(cells, tallies.iter().map(|tally| tally.n).collect(), ties);
        events.weight = events.cells.iter().map(|&cell| tallies[cell as usize].w).collect();

        let mut later: f64 = leavers.iter().map(|leavers| leavers.all().n).sum();
        let mut uncensored = Vec::with_capacity(leavers.len());
        let mut running = 1.0;
        for leavers in &leavers {
            uncensored.push(running);
            later -= leavers.all().n;
            let censored = leavers.censored.n;
            if censored > 0.0 {
                running *= later / (later + censored);
            }
        }

        let positions = events.positions();
        let mut joined: Vec<usize> = leavers
            .iter()
            .enumerate()
            .filter(|(_, leavers)| leavers.events().n > leavers.causes[k].n)
            .map(|(cell, _)| positions.reached(cell as u32))
            .filter(|&next| next < events.cells.len())
            .collect();
        joined.dedup();
        Self { cause, events, uncensored, joined }
    }

    /// The same cells for a weighted model: `weights` holds the sum of the weights of the cause's events at each event cell.
    /// From a table of counts this is what [`Subdistribution::new`] makes of a weighted table of the same rows.
    ///
    /// # Panics
    /// When there are not as many weights as event cells.
    #[must_use]
    pub fn weighted(mut self, weights: Vec<f64>) -> Self {
        assert_eq!(weights.len(), self.events.cells.len(), "one sum of weights per event cell");
        self.events.weight = weights;
        self
    }

    /// The cause of interest.
    pub fn cause(&self) -> u8 {
        self.cause
    }

    /// The event cells of the cause, with the weights of their events.
    pub fn events(&self) -> &EventCells {
        &self.events
    }

    /// G(c-) per cell of the grid, between 0 and 1 and not rising. The smallest value at which a row leaves bounds the words
    /// of [`super::fine_gray_risk`]: no row adds more than its r divided by it.
    pub fn uncensored(&self) -> &[f64] {
        &self.uncensored
    }

    /// Indices of the event cells, ascending, whose risk sets some rows join as rows that have left by another cause.
    pub fn joined(&self) -> &[usize] {
        &self.joined
    }

    /// G(j-) of event cell j.
    pub(super) fn at_event(&self, j: usize) -> f64 {
        self.uncensored[self.events.cells[j] as usize]
    }
}
