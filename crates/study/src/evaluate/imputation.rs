//! Answers for imputation models: rows in which the variable is observed.

use stats::design::Design;
use stats::linear::{LinearRows, normal_equations};
use stats::logistic::{self, LogisticRows};

use super::{Rows, Sums};
use crate::cohort::{Column, MISSING_LEVEL};
use crate::imputation::{ImputationModel, Predictor};

impl Rows<'_> {
    /// One stage of a category: the rows with this level or a later one.
    pub(super) fn imputation_step(&self, model: &ImputationModel, level: u32, beta: &[f64], sums: &mut Sums) {
        let Column::Levels(column) = self.cohort.column(model.variable) else { return sums.refuse() };
        let observed = column.iter().map(|l| (*l != MISSING_LEVEL).then_some(u32::from(*l)));
        let (rows, y) = stats::impute::rows::stage_rows(&observed.collect::<Vec<_>>(), level);
        let x = picked(&self.predictors(model), &rows);
        logistic::step(&LogisticRows { x: &x, y: &y, w: None }, beta, sums);
    }

    /// Normal equations of a number about a centre, in a unit.
    pub(super) fn imputation_equations(&self, model: &ImputationModel, (centre, unit): (f64, f64), sums: &mut Sums) {
        let Column::Numbers(column) = self.cohort.column(model.variable) else { return sums.refuse() };
        let rows: Vec<usize> = (0..column.len()).filter(|i| !column[*i].is_nan()).collect();
        let y: Vec<f64> = rows.iter().map(|i| (column[*i] - centre) / unit).collect();
        let x = picked(&self.predictors(model), &rows);
        normal_equations(&LinearRows { x: &x, y: &y, w: None }, sums);
    }

    /// The columns of an imputation model for every row.
    pub(super) fn predictors(&self, model: &ImputationModel) -> Design {
        let (n, q) = (self.cohort.rows(), model.predictors.len());
        let mut values = vec![0.0; n * q];
        for (j, predictor) in model.predictors.iter().enumerate() {
            for (i, x) in self.predictor(model, predictor).into_iter().enumerate() {
                values[i * q + j] = (x - model.centre[j]) / model.unit[j];
            }
        }
        Design::new(n, q, values)
    }

    fn predictor(&self, model: &ImputationModel, predictor: &Predictor) -> Vec<f64> {
        match predictor {
            Predictor::Term(term) => self.values(term),
            Predictor::Event(outcome) => {
                self.exits(*outcome).1.into_iter().map(|event| f64::from(u8::from(event))).collect()
            }
            Predictor::Hazard(outcome) => {
                // a cell outside the grid is no row of this study: its sum is refused
                let hazard = model.hazards.get(outcome);
                let at = |cell: u32| hazard.and_then(|h| h.get(cell as usize)).copied().unwrap_or(f64::NAN);
                self.exits(*outcome).0.into_iter().map(at).collect()
            }
        }
    }
}

fn picked(x: &Design, rows: &[usize]) -> Design {
    let values = rows.iter().flat_map(|row| x.row(*row)).copied().collect();
    Design::new(rows.len(), x.columns(), values)
}
