//! Rows about which a site draws: case weights of bootstrap replicates, missing values.
//!
//! Draws come from a key that never leaves the site. If others knew them, the weighted sums of many replicates would be
//! equations for the rows.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use secagg::{Canonical, DrawKey, Draws};
use stats::impute::rows;
use stats::random::{normal, uniform};
use stats::resample;

use super::Rows;
use crate::cohort::{Cohort, Column, MISSING_LEVEL};
use crate::imputation::{Drawn, DrawnModel};
use crate::protocol::{Bootstrap, Scenario};
use crate::view::{Asked, Draw, Imputed, View};

const LABEL: &str = "entente/v1/row draws";

/// Exponential case weights of a replicate, one per row in the order of the cohort: the same for the same key, seed and
/// rows, in every run.
pub(super) fn case_weights(key: &DrawKey, bootstrap: &Bootstrap, number: u32, rows: usize) -> Vec<f64> {
    let label = Canonical::new(LABEL).str("replicate").u32(bootstrap.seed).u32(number);
    let mut draws = Draws::secret(key, label);
    resample::weights(rows, || draws.word())
}

/// The rows of a scenario with the missing values of these variables drawn, one word per row and variable whether its
/// value is missing or not.
pub(super) fn completed(rows: &Rows<'_>, key: &DrawKey, scenario: &Scenario, imputed: &Imputed) -> Cohort {
    let seed = scenario.imputation.as_ref().map_or(0, |imputation| imputation.seed);
    let mut rows = Rows {
        protocol: rows.protocol,
        cohort: Cow::Borrowed(&rows.cohort),
        first: rows.first,
        case: None,
        whole: None,
    };
    for drawn in &imputed.variables {
        let name = &rows.protocol.dictionary.variable(drawn.model.variable).name;
        let label = Canonical::new(LABEL).str("imputation").u32(seed).str(&scenario.name).u32(imputed.number).str(name);
        let column = complete(&rows, drawn, &mut Draws::secret(key, label));
        rows.cohort.to_mut().columns[drawn.model.variable.0] = column;
    }
    rows.cohort.into_owned()
}

/// The column of a variable with its missing values drawn. A value that cannot be drawn stays missing, and the sums that
/// need it are refused.
fn complete(rows: &Rows<'_>, DrawnModel { model, drawn }: &DrawnModel, draws: &mut Draws) -> Column {
    let x = rows.predictors(model);
    let mut column = rows.cohort.column(model.variable).clone();
    match (&mut column, drawn) {
        (Column::Levels(levels), Drawn::Levels(stages)) => {
            for (i, level) in levels.iter_mut().enumerate() {
                let u = uniform(draws.word());
                if *level == MISSING_LEVEL {
                    *level = rows::level(x.row(i), stages, u) as u8;
                }
            }
        }
        (Column::Numbers(numbers), Drawn::Number(model_draw)) => {
            let Some(Ok(grid)) = rows.protocol.dictionary.variable(model.variable).grid() else { return column };
            for (i, number) in numbers.iter_mut().enumerate() {
                let z = normal(draws.word());
                if number.is_nan()
                    && let Some(bin) = rows::number(x.row(i), model_draw, &grid, z)
                {
                    *number = grid.value(bin as usize);
                }
            }
        }
        (Column::Levels(_) | Column::Numbers(_) | Column::Days(_), _) => {}
    }
    column
}

/// What is drawn for the views of a round. Each is drawn by the first question about it, on whichever thread that is.
#[derive(Debug, Clone, Default)]
pub(super) struct DrawnViews(Vec<DrawnView>);

#[derive(Debug, Clone)]
struct DrawnView {
    view: Arc<View>,
    case_weights: OnceLock<Vec<f64>>,
    completed: OnceLock<Cohort>,
}

impl DrawnViews {
    pub(super) fn of(questions: &[Asked]) -> DrawnViews {
        let mut views: Vec<DrawnView> = Vec::new();
        for asked in questions.iter().filter(|asked| asked.view.draw != Draw::Nothing) {
            // questions about the same rows stand together
            if views.last().is_none_or(|last| !Arc::ptr_eq(&last.view, &asked.view)) {
                let view = Arc::clone(&asked.view);
                views.push(DrawnView { view, case_weights: OnceLock::new(), completed: OnceLock::new() });
            }
        }
        DrawnViews(views)
    }

    fn find(&self, view: &Arc<View>) -> Option<&DrawnView> {
        self.0.iter().find(|drawn| Arc::ptr_eq(&drawn.view, view))
    }

    /// The case weights of a view; `make` draws them the first time.
    pub(super) fn case_weights(&self, view: &Arc<View>, make: impl FnOnce() -> Vec<f64>) -> Cow<'_, [f64]> {
        match self.find(view) {
            Some(drawn) => Cow::Borrowed(drawn.case_weights.get_or_init(make)),
            None => Cow::Owned(make()),
        }
    }

    /// The completed rows of a view; `make` draws them the first time.
    pub(super) fn completed(&self, view: &Arc<View>, make: impl FnOnce() -> Cohort) -> Cow<'_, Cohort> {
        match self.find(view) {
            Some(drawn) => Cow::Borrowed(drawn.completed.get_or_init(make)),
            None => Cow::Owned(make()),
        }
    }
}
