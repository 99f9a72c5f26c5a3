//! Rows of a Cox model and what is known of its event cells before a fit.

use crate::design::Design;
use crate::total::{BLOCK, Total};

/// The rows of one Cox model at a site, in any fixed order. Times are cells of the declared grid.
#[derive(Clone, Copy)]
pub struct CoxRows<'a> {
    /// Terms, n x p, without an intercept, centred at one value per column for the whole study.
    pub x: &'a Design,
    /// Cell in which a row leaves, n.
    pub exit: &'a [u32],
    /// Whether it leaves by the event, n.
    pub event: &'a [bool],
    /// Weights, n, at least 0; all 1 when absent. A row of weight 0 is left out.
    pub w: Option<&'a [f64]>,
    /// Cell after which a row is at risk, n: (entry, exit\]. Absent means at risk from the start, cell 0 included.
    pub entry: Option<&'a [u32]>,
}

impl CoxRows<'_> {
    pub(crate) fn len(&self) -> usize {
        self.x.rows()
    }

    pub(crate) fn weight(&self, i: usize) -> f64 {
        self.w.map_or(1.0, |w| w[i])
    }

    pub(crate) fn check(&self) {
        let n = self.len();
        assert_eq!((self.exit.len(), self.event.len()), (n, n), "lengths of exit cells and events");
        assert!(self.w.is_none_or(|w| w.len() == n), "length of the weights");
        assert!(self.entry.is_none_or(|entry| entry.len() == n), "length of the entry cells");
    }
}

/// How deaths in the same cell share their risk set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// Efron's approximation, R's default.
    Efron,
    /// Breslow's approximation.
    Breslow,
}

/// The cells with events, before a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct EventCells {
    /// Cells with at least one death, ascending.
    pub cells: Vec<u32>,
    /// d: number of deaths per event cell, rows of weight 0 left out.
    pub deaths: Vec<f64>,
    /// W: sum of the weights of the deaths per event cell; d when the model is unweighted.
    pub weight: Vec<f64>,
    /// Handling of ties.
    pub ties: Ties,
}

impl EventCells {
    /// Keeps the cells with d > 0 and takes W = d.
    ///
    /// # Panics
    /// When the lengths differ or the cells do not ascend.
    pub fn new(cells: Vec<u32>, deaths: Vec<f64>, ties: Ties) -> Self {
        assert_eq!(cells.len(), deaths.len(), "one count of deaths per cell");
        assert!(cells.is_sorted_by(|a, b| a < b), "cells ascend");
        let (cells, deaths): (Vec<u32>, Vec<f64>) = cells.into_iter().zip(deaths).filter(|(_, d)| *d > 0.0).unzip();
        Self { cells, weight: deaths.clone(), deaths, ties }
    }

    /// Indices of the event cells with two or more deaths, ascending; none under Breslow, which needs nothing of them.
    pub fn tied(&self) -> Vec<usize> {
        match self.ties {
            Ties::Efron => (0..self.cells.len()).filter(|&j| self.deaths[j] >= 2.0).collect(),
            Ties::Breslow => Vec::new(),
        }
    }

    /// For every grid cell up to the last event cell, the number of event cells at or before it.
    pub(crate) fn positions(&self) -> Positions {
        let mut counts = vec![0; self.cells.last().map_or(0, |&last| last as usize + 1)];
        for &cell in &self.cells {
            counts[cell as usize] = 1;
        }
        let mut running = 0;
        for count in &mut counts {
            running += *count;
            *count = running;
        }
        Positions { counts, all: running }
    }
}

/// Finds event cells by grid cell.
pub(crate) struct Positions {
    counts: Vec<u32>,
    all: u32,
}

impl Positions {
    /// Number of event cells at or before `cell`; the last of them has this number minus one as its index.
    pub(crate) fn reached(&self, cell: u32) -> usize {
        *self.counts.get(cell as usize).unwrap_or(&self.all) as usize
    }
}

/// Adds the number of deaths in each cell 0..`cells` of the grid: words d (`cells`). Rows of weight 0 are left out.
///
/// # Panics
/// When an event lies at or beyond `cells`, or lengths do not agree.
pub fn deaths(rows: &CoxRows<'_>, cells: usize, total: &mut dyn Total) {
    rows.check();
    // Counts are whole numbers below 2^53: one block holds them exactly.
    let mut counts = vec![0.0; cells];
    for i in (0..rows.len()).filter(|&i| rows.event[i] && rows.weight(i) > 0.0) {
        counts[rows.exit[i] as usize] += 1.0;
    }
    total.add(0, &counts);
}

/// Adds the weights of the deaths at the event cells `cells` (ascending): words W (one per cell). A death in any other
/// cell is not counted.
///
/// # Panics
/// When lengths do not agree.
pub fn death_weights(rows: &CoxRows<'_>, cells: &[u32], total: &mut dyn Total) {
    rows.check();
    let mut buckets = Buckets::new(cells.len(), 1);
    for i in (0..rows.len()).filter(|&i| rows.event[i]) {
        if let Ok(j) = cells.binary_search(&rows.exit[i]) {
            buckets.sum(j, 0, total)[0] += rows.weight(i);
        }
    }
    buckets.finish(0, total);
}

/// Running sums per event cell in one pass over rows in any order. A cell's sum is handed over after every
/// [`BLOCK`] rows of that cell, so the sums are those of rows sorted by cell and cut into blocks.
pub(crate) struct Buckets {
    width: usize,
    sums: Vec<f64>,
    rows: Vec<usize>,
}

impl Buckets {
    pub(crate) fn new(cells: usize, width: usize) -> Self {
        Self { width, sums: vec![0.0; cells * width], rows: vec![0; cells] }
    }

    /// The words of `cell`, ready to take one more row. Word 0 of cell 0 has its place at `at` in the total.
    #[inline]
    pub(crate) fn sum(&mut self, cell: usize, at: usize, total: &mut dyn Total) -> &mut [f64] {
        let words = &mut self.sums[cell * self.width..(cell + 1) * self.width];
        if self.rows[cell] == BLOCK {
            total.add(at + cell * self.width, words);
            words.fill(0.0);
            self.rows[cell] = 0;
        }
        self.rows[cell] += 1;
        words
    }

    /// Hands over what is left of every cell.
    pub(crate) fn finish(self, at: usize, total: &mut dyn Total) {
        total.add(at, &self.sums);
    }
}
