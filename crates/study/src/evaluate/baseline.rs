//! Answers for the baseline table. Rows without a value of the variable are left out.

use stats::descriptive::categorical::{self, CategoryRows};
use stats::descriptive::moments::{self, MomentRows};

use super::{Rows, Sums};
use crate::cohort::{Column, MISSING_LEVEL};
use crate::dictionary::VariableId;
use crate::question::Weights;

impl Rows<'_> {
    /// Rows per value of the declared grid, control arm before treated.
    pub(super) fn value_histogram(&self, variable: VariableId, sums: &mut Sums) {
        let (Some(Ok(grid)), Column::Numbers(column)) =
            (self.protocol.dictionary.variable(variable).grid(), self.cohort.column(variable))
        else {
            return sums.refuse();
        };
        for (treated, x) in self.cohort.treated.iter().zip(column).filter(|(_, x)| !x.is_nan()) {
            match grid.bin(*x) {
                Some(bin) => sums.count(usize::from(*treated) * grid.bins() + bin as usize, 1),
                None => return sums.refuse(),
            }
        }
    }

    /// Moments of both arms about a centre, in a unit.
    pub(super) fn arm_moments(
        &self,
        variable: VariableId,
        (centre, unit): (f64, f64),
        weights: Option<&Weights>,
        sums: &mut Sums,
    ) {
        let Column::Numbers(column) = self.cohort.column(variable) else { return sums.refuse() };
        let present: Vec<bool> = column.iter().map(|x| !x.is_nan()).collect();
        let x: Vec<f64> = kept(column, &present).into_iter().map(|x| x / unit).collect();
        let treated = kept(&self.cohort.treated, &present);
        let w = weights.map(|w| kept(&self.weights(w, &self.propensity(&w.propensity)), &present));
        moments::moments(&MomentRows { x: &x, treated: &treated, w: w.as_deref() }, centre / unit, sums);
    }

    /// Rows and weights per level and arm.
    pub(super) fn weighted_levels(&self, variable: VariableId, weights: &Weights, sums: &mut Sums) {
        let levels = self.protocol.dictionary.variable(variable).levels().len();
        let Column::Levels(column) = self.cohort.column(variable) else { return sums.refuse() };
        let present: Vec<bool> = column.iter().map(|level| *level != MISSING_LEVEL).collect();
        let level: Vec<u32> = kept(column, &present).into_iter().map(u32::from).collect();
        let treated = kept(&self.cohort.treated, &present);
        let w = kept(&self.weights(weights, &self.propensity(&weights.propensity)), &present);
        categorical::counts(&CategoryRows { level: &level, treated: &treated, w: Some(&w) }, levels, sums);
    }
}

fn kept<T: Copy>(values: &[T], present: &[bool]) -> Vec<T> {
    values.iter().zip(present).filter(|(_, present)| **present).map(|(value, _)| *value).collect()
}
