//! Answers for the checks of Cox models.

use stats::concordance::{self, PredictorGrid};
use stats::cox::{self, Curves, EventCells};

use super::{Rows, Sums};
use crate::question::CoxModel;

impl Rows<'_> {
    /// Rows that leave in each cell of the grid, by event or not.
    pub(super) fn leavers(&self, outcome: usize, sums: &mut Sums) {
        for exit in self.exits(outcome).0 {
            sums.count(exit as usize, 1);
        }
    }

    /// Score and information of coefficients that change along `g`; the first site adds the terms of the global curves.
    pub(super) fn trend(
        &self,
        model: &CoxModel,
        (events, curves): (&EventCells, &Curves),
        g: &[f64],
        beta: &[f64],
        sums: &mut Sums,
    ) {
        self.cox(model, |rows| cox::trend(rows, events, curves, g, beta, sums));
        if self.first {
            stats::total::Total::add(sums, 0, &curves.trend_correction(g));
        }
    }

    /// The same within the site.
    pub(super) fn stratified_trend(&self, model: &CoxModel, g: &[f64], beta: &[f64], cells: &[u32], sums: &mut Sums) {
        self.cox(model, |rows| cox::stratified_trend(rows, model.ties, cells, g, beta, sums));
    }

    /// Rows in each bin of the linear predictor.
    pub(super) fn predictor_histogram(&self, model: &CoxModel, grid: &PredictorGrid, beta: &[f64], sums: &mut Sums) {
        self.cox(model, |rows| concordance::counts(rows, grid, beta, sums));
    }

    /// Who leaves and who has the event, by event cell and bin of the linear predictor.
    pub(super) fn concordance_table(
        &self,
        model: &CoxModel,
        cells: &[u32],
        grid: &PredictorGrid,
        beta: &[f64],
        sums: &mut Sums,
    ) {
        self.cox(model, |rows| concordance::table(rows, cells, grid, beta, sums));
    }

    /// Pairs within the site.
    pub(super) fn stratified_concordance(&self, model: &CoxModel, beta: &[f64], sums: &mut Sums) {
        self.cox(model, |rows| concordance::stratified(rows, beta, sums));
    }
}
