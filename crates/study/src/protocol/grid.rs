//! The declared time grid of an outcome.

/// Cells of `days` days each up to the horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeGrid {
    /// Width of a cell in days; cell of t days is the smallest integer not below t / `days`.
    pub days: f64,
    /// Follow-up beyond this day is censored there.
    pub horizon_days: u32,
}

impl TimeGrid {
    /// Number of cells: 0 (day 0) up to the cell of the horizon.
    pub fn cells(&self) -> usize {
        self.cell(self.horizon_days) as usize + 1
    }

    /// Cell of a day.
    pub fn cell(&self, days: u32) -> u32 {
        (f64::from(days) / self.days).ceil() as u32
    }

    /// Right end of a cell in days.
    pub fn end(&self, cell: u32) -> f64 {
        f64::from(cell) * self.days
    }
}
