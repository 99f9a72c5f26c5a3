//! What the second round opens of an outcome with competing causes.

use stats::competing::{BadCauseTable, CauseTable};
use stats::survival::Who;

use super::failure::Failure;
use crate::protocol::Competing;
use crate::question::CAUSE_COUNTS;

/// Who leaves when and why, over all sites.
#[derive(Debug, Clone, PartialEq)]
pub struct Causes {
    /// Rows with missing time or status.
    pub missing: u64,
    /// Rows whose follow-up went beyond the horizon.
    pub beyond: u64,
    table: Result<CauseTable, BadCauseTable>,
}

impl Causes {
    pub(super) fn read(outcome: &Competing, sums: &[f64]) -> Causes {
        let (head, grid) = sums.split_at(CAUSE_COUNTS);
        let table = CauseTable::new(outcome.grid.cells(), outcome.count(), false, grid);
        Causes { missing: head[0] as u64, beyond: head[1] as u64, table }
    }

    /// Counts of leavers by cell, arm and cause, without the rows whose time or status is missing.
    pub fn table(&self) -> Result<&CauseTable, Failure> {
        self.table.as_ref().map_err(|bad| Failure::from(*bad))
    }

    /// Rows that leave by a cause (from 1), by arm (control, treated).
    pub fn events(&self, cause: u8) -> [u64; 2] {
        self.totals(|table, who| table.totals(who).causes[usize::from(cause) - 1].n)
    }

    /// Rows with time and status, by arm (control, treated).
    pub fn rows(&self) -> [u64; 2] {
        self.totals(|table, who| table.totals(who).all().n)
    }

    fn totals(&self, count: impl Fn(&CauseTable, Who) -> f64) -> [u64; 2] {
        let Ok(table) = &self.table else { return [0, 0] };
        [Who::Control, Who::Treated].map(|who| count(table, who) as u64)
    }

    /// Rows that leave in each cell, of both arms.
    pub(super) fn leavers(&self) -> Vec<f64> {
        self.table.iter().flat_map(|table| table.leavers(Who::All)).map(|leavers| leavers.all().n).collect()
    }

    /// Cells in which rows leave by a cause (from 1), ascending, and how many.
    pub(super) fn event_cells(&self, cause: u8) -> (Vec<u32>, Vec<f64>) {
        let leavers = self.table.iter().flat_map(|table| table.leavers(Who::All));
        let counts = leavers.map(|leavers| leavers.causes[usize::from(cause) - 1].n);
        let cells = counts.enumerate().filter(|(_, n)| *n > 0.0);
        cells.map(|(cell, n)| (cell as u32, n)).unzip()
    }
}
