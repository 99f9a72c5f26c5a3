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

    /// Last whole day of a cell.
    pub fn last_day(&self, cell: u32) -> u32 {
        let mut day = self.end(cell) as u32 + 1;
        while day > 0 && self.cell(day) > cell {
            day -= 1;
        }
        day
    }

    /// Fewest whole days that a cell is meant to have.
    pub fn width_days(&self) -> u32 {
        self.days as u32
    }

    /// Does a release tell the end of this cell? Where the horizon cuts the last cell, it is joined with the one before: at
    /// the end of that one it would tell of fewer days than a cell has.
    pub fn tells(&self, cell: u32) -> bool {
        let last = self.cell(self.horizon_days);
        cell >= last || cell == 0 || self.horizon_days - self.last_day(cell) >= self.width_days()
    }

    /// Days after which a release can tell who has left: ends of cells after day 0, and the horizon.
    pub fn told_days(&self) -> Vec<u32> {
        let cells = 1..self.cell(self.horizon_days);
        cells.filter(|cell| self.tells(*cell)).map(|cell| self.last_day(cell)).chain([self.horizon_days]).collect()
    }
}
