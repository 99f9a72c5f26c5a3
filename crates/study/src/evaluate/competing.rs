//! Answers about outcomes with competing causes.

use stats::competing::{CauseRows, FineGrayRows, cause_table};

use super::{Rows, Sums};
use crate::cohort::{Column, MISSING_DAYS, MISSING_LEVEL};
use crate::protocol::Competing;
use crate::question::{CAUSE_COUNTS, CoxModel, Weights, competing};

impl Rows<'_> {
    /// Rows with missing time or status, rows beyond the horizon, leavers by cell, arm and cause.
    pub(super) fn causes(&self, outcome: usize, sums: &mut Sums) {
        let spec = competing(self.protocol, outcome);
        let (days, status) = self.time_and_status(spec);
        let groups = usize::from(spec.count()) + 1;
        for ((treated, days), level) in self.cohort.treated.iter().zip(days).zip(status) {
            if *days == MISSING_DAYS || *level == MISSING_LEVEL {
                sums.count(0, 1);
                continue;
            }
            let (cell, cause) = leave(spec, *days, *level);
            sums.count(1, u64::from(*days > spec.grid.horizon_days));
            let arm = 2 * cell as usize + usize::from(*treated);
            sums.count(CAUSE_COUNTS + arm * groups + usize::from(cause), 1);
        }
    }

    /// The same leavers with weights, in the given cells.
    pub(super) fn cause_table(&self, outcome: usize, weights: &Weights, cells: &[u32], sums: &mut Sums) {
        let (mut exit, cause) = self.exits_by_cause(outcome);
        for exit in &mut exit {
            // every site's counts are in the table that named the cells: a row outside them is another cohort's
            let Ok(slot) = cells.binary_search(exit) else { return sums.refuse() };
            *exit = slot as u32;
        }
        let w = self.weights(weights, &self.propensity(&weights.propensity));
        let rows = CauseRows { exit: &exit, cause: &cause, treated: &self.cohort.treated, w: Some(&w) };
        cause_table(&rows, cells.len(), competing(self.protocol, outcome).count(), sums);
    }

    pub(super) fn fine_gray(&self, model: &CoxModel, body: impl FnOnce(&FineGrayRows<'_>)) {
        let x = self.design(&model.columns);
        let (exit, cause) = self.exits_by_cause(model.outcome);
        let w = model.weights.as_ref().map(|w| self.weights(w, &self.propensity(&w.propensity)));
        body(&FineGrayRows { x: &x, exit: &exit, cause: &cause, w: w.as_deref() });
    }

    /// The cell in which each row leaves, and by which cause; rows without time or status are none of an outcome's.
    pub(super) fn exits_by_cause(&self, outcome: usize) -> (Vec<u32>, Vec<u8>) {
        let spec = competing(self.protocol, outcome);
        let (days, status) = self.time_and_status(spec);
        days.iter().zip(status).map(|(days, level)| leave(spec, *days, *level)).unzip()
    }

    fn time_and_status(&self, spec: &Competing) -> (&[u32], &[u8]) {
        let (Column::Days(days), Column::Levels(status)) =
            (self.cohort.column(spec.time), self.cohort.column(spec.status))
        else {
            unreachable!("the protocol's times are days and its causes levels")
        };
        (days, status)
    }
}

/// Cell and cause of a row; 0 is censored, as is what happens beyond the horizon.
fn leave(spec: &Competing, days: u32, level: u8) -> (u32, u8) {
    let horizon = spec.grid.horizon_days;
    let cause = if days > horizon { 0 } else { spec.of_level(level) };
    (spec.grid.cell(days.min(horizon)), cause)
}
