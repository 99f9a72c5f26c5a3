//! Quantiles of the weights over all rows, from counts on a declared grid, and how many rows truncation changes.
//!
//! A weight is rounded to the nearest multiple of the resolution. Weights beyond the grid share one open bin: an answer
//! that would come from it is refused.

use crate::descriptive::grid::{GridError, ValueGrid};
use crate::descriptive::quantile::{self, QuantileType};
use crate::total::{BLOCK, Total};

use super::{Bound, Scheme};

/// Multiples of a resolution from 0 to a declared end, and an open bin for whatever lies beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightGrid(ValueGrid);

impl WeightGrid {
    /// Multiples of `resolution` from 0 to the first that reaches `high`.
    pub fn new(high: f64, resolution: f64) -> Result<Self, GridError> {
        ValueGrid::new(0.0, high, resolution).map(Self)
    }

    /// Largest value of the grid.
    pub fn high(&self) -> f64 {
        self.0.value(self.0.bins() - 1)
    }

    /// Words of [`histogram`]: one per value, and one for the rows beyond.
    pub fn words(&self) -> usize {
        self.0.bins() + 1
    }
}

/// Adds the rows per value of `grid`, then the rows beyond it, in blocks of [`BLOCK`] rows. `w` (n) is at least 0; an
/// infinite weight, or one that is no number, lies beyond.
pub fn histogram(w: &[f64], grid: &WeightGrid, total: &mut dyn Total) {
    let beyond = grid.0.bins();
    let mut block = vec![0.0; grid.words()];
    for rows in w.chunks(BLOCK) {
        block.fill(0.0);
        for w in rows {
            block[grid.0.bin(*w).map_or(beyond, |bin| bin as usize)] += 1.0;
        }
        total.add(0, &block);
    }
}

/// Why a histogram has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistogramError {
    /// No rows.
    #[error("there are no weights")]
    NoRows,
    /// The answer comes from the open bin.
    #[error("the answer lies beyond the declared grid of weights")]
    Beyond,
}

/// The weights of all rows, rounded to a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightHistogram {
    grid: WeightGrid,
    /// Rows per value. The last one holds the rows beyond as well: whoever asks for one of them is refused before.
    counts: Vec<f64>,
    beyond: f64,
}

impl WeightHistogram {
    /// From the sums of [`histogram`] over all sites.
    ///
    /// # Panics
    /// When `sums` does not have the words of the grid.
    pub fn new(grid: WeightGrid, sums: &[f64]) -> Self {
        assert_eq!(sums.len(), grid.words(), "length of the histogram");
        let (last, on_grid) = sums.split_last().expect("a grid has values");
        let mut counts = on_grid.to_vec();
        *counts.last_mut().expect("a grid has values") += last;
        Self { grid, counts, beyond: *last }
    }

    /// All rows.
    pub fn rows(&self) -> f64 {
        quantile::rows(&self.counts)
    }

    /// Rows whose weight lies beyond the grid.
    pub fn beyond(&self) -> f64 {
        self.beyond
    }

    /// Quantile of probability `p` of the rounded weights: R's `quantile(round(w / resolution) * resolution, p, type)`.
    ///
    /// # Panics
    /// When `p` is not inside 0..=1.
    pub fn quantile(&self, p: f64, kind: QuantileType) -> Result<f64, HistogramError> {
        let indicator = ValueGrid::new(0.0, 1.0, 1.0).expect("0 and 1 are a grid");
        let sides = [self.rows() - self.beyond, self.beyond];
        // The same quantile of 0 for a row on the grid and 1 for a row beyond: above 0 when it takes part of such a row.
        match quantile::quantile(&indicator, &sides, p, kind) {
            None => Err(HistogramError::NoRows),
            Some(part) if part > 0.0 => Err(HistogramError::Beyond),
            Some(_) => quantile::quantile(&self.grid.0, &self.counts, p, kind).ok_or(HistogramError::NoRows),
        }
    }

    /// Largest rounded weight.
    pub fn largest(&self) -> Result<f64, HistogramError> {
        self.quantile(1.0, QuantileType::Linear)
    }
}

/// Words of [`truncated`].
pub const TRUNCATED_LEN: usize = 4;

/// Adds the rows of which `scheme` raises the weight to its lower bound and lowers it to its upper bound: two counts of the
/// control arm, then two of the treated.
///
/// # Panics
/// When the lengths of `e` and `treated` do not agree.
pub fn truncated(scheme: &Scheme, e: &[f64], treated: &[bool], total: &mut dyn Total) {
    assert_eq!(e.len(), treated.len(), "length of the arms");
    for (e, treated) in e.chunks(BLOCK).zip(treated.chunks(BLOCK)) {
        let mut block = [0.0; TRUNCATED_LEN];
        for (e, treated) in e.iter().zip(treated) {
            if let Some(bound) = scheme.clamped(*e, *treated) {
                block[2 * usize::from(*treated) + usize::from(bound == Bound::High)] += 1.0;
            }
        }
        total.add(0, &block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total::Plain;
    use crate::weights::Estimand;

    fn counted(w: &[f64]) -> WeightHistogram {
        let grid = WeightGrid::new(2.0, 0.5).expect("a grid");
        let mut total = Plain::zero(grid.words());
        histogram(w, &grid, &mut total);
        WeightHistogram::new(grid, &total.0)
    }

    #[test]
    fn rounded_to_the_nearest() {
        // 0, 0.5, 1, 1, 2.
        let weights = counted(&[0.1, 0.6, 1.2, 0.8, 2.2]);
        assert_eq!((weights.rows(), weights.beyond(), weights.largest()), (5.0, 0.0, Ok(2.0)));
        let linear = |p| weights.quantile(p, QuantileType::Linear);
        assert_eq!([linear(0.0), linear(0.125), linear(0.5), linear(1.0)], [Ok(0.0), Ok(0.25), Ok(1.0), Ok(2.0)]);
        assert_eq!(weights.quantile(0.3, QuantileType::Nearest), Ok(0.5));
    }

    #[test]
    fn nothing_is_said_of_the_open_bin() {
        // 0.5, 1, 2 and two beyond.
        let weights = counted(&[0.5, 1.0, 2.0, 2.3, f64::INFINITY]);
        assert_eq!((weights.rows(), weights.beyond(), weights.largest()), (5.0, 2.0, Err(HistogramError::Beyond)));
        let linear = |p| weights.quantile(p, QuantileType::Linear);
        // Between the third row (2) and the fourth (beyond).
        assert_eq!([linear(0.25), linear(0.5)], [Ok(1.0), Ok(2.0)]);
        assert_eq!([linear(0.51), linear(0.75)], [Err(HistogramError::Beyond); 2]);
        let nearest = |p| weights.quantile(p, QuantileType::Nearest);
        assert_eq!([nearest(0.6), nearest(0.8)], [Ok(2.0), Err(HistogramError::Beyond)]);
    }

    #[test]
    fn no_rows() {
        let weights = counted(&[]);
        assert_eq!(weights.quantile(0.5, QuantileType::Nearest), Err(HistogramError::NoRows));
        assert_eq!(weights.largest(), Err(HistogramError::NoRows));
    }

    #[test]
    fn rows_that_truncation_changes() {
        let scheme = Scheme::new(Estimand::Ate, None, Some((1.5, 4.0))).expect("a scheme");
        let mut total = Plain::zero(TRUNCATED_LEN);
        let e = [0.1, 0.5, 0.9, 0.1, 0.2, 0.25, 0.9];
        truncated(&scheme, &e, &[false, false, false, true, true, true, true], &mut total);
        // Controls 1.11 (raised), 2, 10 (lowered); treated 10 and 5 (lowered), 4 (on the bound), 1.11 (raised).
        assert_eq!(total.0, [1.0, 1.0, 1.0, 2.0]);
    }
}
