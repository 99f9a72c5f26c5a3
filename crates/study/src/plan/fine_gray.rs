//! A Fine-Gray regression of the plan.
//!
//! Event cells and the distribution of censoring follow from the counts of the second round; a weighted model asks for the
//! sums of its events' weights before its first evaluation.

use std::sync::Arc;

use stats::competing::Subdistribution;
use stats::fit::{FineGrayAsk, FineGrayFit, Fit, MeatRequest, State, Why};

use crate::question::{CoxModel, Question};

/// What the estimator is made of when the weights of the events are known.
#[derive(Debug, Clone)]
struct Parts {
    cells: Subdistribution,
    scale: Vec<f64>,
    meat: MeatRequest,
}

#[derive(Debug, Clone)]
enum Stage {
    /// Asks for the weights of the events.
    Weights(Box<Parts>),
    Fit(Box<FineGrayFit>),
}

/// One Fine-Gray regression under way.
#[derive(Debug, Clone)]
pub(super) struct FineGrayTask {
    model: Arc<CoxModel>,
    stage: Stage,
}

impl FineGrayTask {
    pub(super) fn new(model: CoxModel, cells: Subdistribution, scale: Vec<f64>, meat: MeatRequest) -> FineGrayTask {
        let stage = if model.weights.is_some() {
            Stage::Weights(Box::new(Parts { cells, scale, meat }))
        } else {
            Stage::Fit(Box::new(FineGrayFit::new(scale, cells, meat)))
        };
        FineGrayTask { model: Arc::new(model), stage }
    }

    pub(super) fn model(&self) -> &CoxModel {
        &self.model
    }

    pub(super) fn ask(&self) -> Option<Question> {
        let model = Arc::clone(&self.model);
        let fit = match &self.stage {
            Stage::Weights(parts) => {
                return Some(Question::DeathWeights { model, cells: parts.cells.events().cells.clone() });
            }
            Stage::Fit(fit) => fit,
        };
        let State::Ask(ask) = fit.state() else { return None };
        Some(match ask {
            FineGrayAsk::Risk { cells, beta } => {
                Question::FineGrayRisk { model, cells: Arc::new(cells.clone()), beta: beta.to_vec() }
            }
            FineGrayAsk::Step { cells, curves, beta } => Question::FineGrayStep {
                model,
                cells: Arc::new(cells.clone()),
                curves: Arc::new(curves.clone()),
                beta: beta.to_vec(),
            },
            FineGrayAsk::Meat { cells, curves, beta, kind } => Question::FineGrayMeat {
                model,
                cells: Arc::new(cells.clone()),
                curves: Arc::new(curves.clone()),
                beta: beta.to_vec(),
                kind: kind.clone(),
            },
        })
    }

    pub(super) fn tell(&mut self, sums: &[f64]) {
        match &mut self.stage {
            Stage::Fit(fit) => fit.tell(sums),
            Stage::Weights(parts) => {
                let Parts { cells, scale, meat } = (**parts).clone();
                let cells = cells.weighted(sums.to_vec());
                self.stage = Stage::Fit(Box::new(FineGrayFit::new(scale, cells, meat)));
            }
        }
    }

    /// Factor by which the step to the coefficients that it asks about was shortened for its length.
    pub(super) fn shortened(&self) -> Option<f64> {
        match &self.stage {
            Stage::Weights(_) => None,
            Stage::Fit(fit) => fit.shortened(),
        }
    }

    /// The fit for the centred columns, or why there is none; none while it runs.
    pub(super) fn ended(&self) -> Option<Result<&Fit, &Why>> {
        match &self.stage {
            Stage::Weights(_) => None,
            Stage::Fit(fit) => match fit.state() {
                State::Ask(_) => None,
                State::Done(fit) => Some(Ok(fit)),
                State::Failed(why) => Some(Err(why)),
            },
        }
    }
}
