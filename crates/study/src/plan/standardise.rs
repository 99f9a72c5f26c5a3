//! Outcomes standardised over a fitted model: what they would be on average with everybody treated and with everybody
//! untreated.
//!
//! Survival starts when its model has converged, in the round in which the model asks for the sums of its variances;
//! risks of a binary outcome when the model is fitted, those corrected by the propensity score when that model is, too.
//! Each takes one exchange, a restricted mean two. One that fails leaves its model as it is.

use std::sync::Arc;

use stats::fit::Why;
use stats::matrix::Matrix;
use stats::standardise::rmst::Profile;
use stats::standardise::{Means, aipw, cox, logistic};

use super::Facts;
use super::check::CoxPoint;
use super::failure::Failure;
use super::unit::{FitKey, FitOutcome, Unit};
use crate::dictionary::VariableId;
use crate::protocol::{Marginal, Model, OutcomeKind, Protocol, Standardised};
use crate::question::{FittedCox, FittedPropensity, LogisticModel, Question, Response};

/// What is standardised.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The risk of a binary outcome.
    Risk {
        /// The outcome.
        variable: VariableId,
        /// How it is standardised.
        marginal: Marginal,
    },
    /// Survival after each of these cells.
    Survival(Arc<[u32]>),
    /// The mean restricted to this cell.
    RestrictedMean(u32),
}

impl Target {
    /// `g_formula`, `aipw` or `standardised`.
    pub fn method(&self) -> &'static str {
        match self {
            Target::Risk { marginal, .. } => marginal.name(),
            Target::Survival(_) | Target::RestrictedMean(_) => "standardised",
        }
    }
}

/// Two means with a covariance of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Cell that a time to event is looked at.
    pub cell: Option<u32>,
    /// How the covariance came about.
    pub variance: MeansVariance,
    /// The means, of restricted means in cells.
    pub means: Means,
}

/// Covariance of standardised means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeansVariance {
    /// Full influence function: accounts for the estimated outcome model.
    Influence,
    /// Augmented means alone: both models taken as known.
    Simple,
    /// Augmented means and both models as one set of estimating equations.
    MEstimation,
}

impl MeansVariance {
    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            MeansVariance::Influence => "influence",
            MeansVariance::Simple => "simple",
            MeansVariance::MEstimation => "m_estimation",
        }
    }
}

#[derive(Debug, Clone)]
enum Stage {
    Waiting,
    /// Asks at the coefficients of the outcome model.
    GFormula(Arc<LogisticModel>, Vec<f64>),
    /// Asks at the coefficients of both models.
    Aipw(Arc<LogisticModel>, Vec<f64>, Arc<FittedPropensity>),
    Survival(Arc<FittedCox>, Arc<[u32]>),
    /// Asks for means up to this cell and their derivatives.
    Mean(Arc<FittedCox>, u32),
    /// Asks for the squares of the influences that follow from these.
    Spread(Arc<FittedCox>, u32, Arc<Profile>),
    Ended(Result<Vec<Contrast>, Failure>),
}

/// One target of one model.
#[derive(Debug, Clone)]
pub(super) struct StandardiseTask {
    /// Index among the units of the branch.
    unit: usize,
    target: Target,
    stage: Stage,
}

impl StandardiseTask {
    /// What an analysis asks of its model `unit`.
    pub(super) fn of(protocol: &Protocol, wanted: &Standardised, unit: usize, key: &FitKey) -> Vec<StandardiseTask> {
        let index = protocol.outcomes.iter().position(|o| o.name == key.outcome);
        let standardises = key.model.is_some_and(Model::standardises);
        let Some(outcome) = index.filter(|_| standardises) else { return Vec::new() };
        let targets = targets(protocol, outcome, wanted).into_iter();
        targets.map(|target| StandardiseTask { unit, target, stage: Stage::Waiting }).collect()
    }

    /// Index of its model among the units.
    pub(super) fn unit(&self) -> usize {
        self.unit
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn outcome(&self) -> Option<Result<&[Contrast], &Failure>> {
        match &self.stage {
            Stage::Ended(ended) => Some(ended.as_ref().map(Vec::as_slice)),
            _ => None,
        }
    }

    /// Means that are corrected by the propensity score need the outcome of every patient of the propensity model.
    pub(super) fn check(&mut self, protocol: &Protocol, facts: &Facts) {
        if let Target::Risk { variable, marginal: Marginal::Aipw } = &self.target
            && let Err(failure) = facts.check_missing(protocol, *variable)
        {
            self.stage = Stage::Ended(Err(failure));
        }
    }

    /// Starts when what it needs is there.
    pub(super) fn follow(&mut self, units: &[Unit], propensity: Option<&Unit>) {
        if !matches!(self.stage, Stage::Waiting) {
            return;
        }
        let unit = &units[self.unit];
        let cox = || fitted_cox(unit);
        let next = match &self.target {
            Target::Risk { variable, marginal: Marginal::GFormula } => {
                logistic_fit(unit, *variable).map(|(model, beta)| Stage::GFormula(model, beta))
            }
            Target::Risk { variable, marginal: Marginal::Aipw } => {
                logistic_fit(unit, *variable).zip(propensity).and_then(|(fit, propensity)| augmented(fit, propensity))
            }
            Target::Survival(cells) => cox().map(|cox| Stage::Survival(cox, Arc::clone(cells))),
            Target::RestrictedMean(horizon) => cox().map(|cox| Stage::Mean(cox, *horizon)),
        };
        if let Some(next) = next {
            self.stage = next;
        }
    }

    pub(super) fn ask(&self) -> Option<Question> {
        Some(match &self.stage {
            Stage::Waiting | Stage::Ended(_) => return None,
            Stage::GFormula(model, beta) => Question::GFormula { model: Arc::clone(model), beta: beta.clone() },
            Stage::Aipw(model, beta, propensity) => {
                let (model, propensity) = (Arc::clone(model), Arc::clone(propensity));
                Question::Aipw { model, beta: beta.clone(), propensity }
            }
            Stage::Survival(cox, cells) => {
                Question::StandardisedSurvival { cox: Arc::clone(cox), cells: Arc::clone(cells) }
            }
            Stage::Mean(cox, horizon) => Question::RestrictedMean { cox: Arc::clone(cox), horizon: *horizon },
            Stage::Spread(cox, horizon, profile) => {
                let (cox, profile) = (Arc::clone(cox), Arc::clone(profile));
                Question::RestrictedMeanSpread { cox, horizon: *horizon, profile }
            }
        })
    }

    /// Takes its answer off the round's; the models have taken theirs.
    pub(super) fn tell<'a>(
        &mut self,
        units: &[Unit],
        propensity: Option<&Unit>,
        answers: &mut impl Iterator<Item = &'a [f64]>,
    ) {
        if matches!(self.stage, Stage::Waiting | Stage::Ended(_)) {
            return;
        }
        let sums = answers.next().unwrap_or_default();
        // Without a fit, the sums of its variances were not finite.
        let fit = units[self.unit].centred_fit().ok_or(Why::NotFinite);
        let naive = propensity.and_then(Unit::centred_fit).map(|(_, fit)| &fit.naive);
        let next = fit.and_then(|(_, fit)| self.advance(&fit.naive, naive, sums));
        // There are rows where a model is fitted, and no column has a part in it: sums overflowed.
        self.stage = next.unwrap_or(Stage::Ended(Err(Failure::NotFinite)));
    }

    /// `naive` and `propensity` are the inverse informations of both models.
    fn advance(&self, naive: &Matrix, propensity: Option<&Matrix>, sums: &[f64]) -> Result<Stage, Why> {
        let influence = |cell, means| Contrast { cell, variance: MeansVariance::Influence, means };
        let ended = match &self.stage {
            Stage::Waiting | Stage::Ended(_) => Vec::new(),
            Stage::GFormula(..) => vec![influence(None, logistic::finish(naive, sums)?)],
            Stage::Aipw(..) => {
                let both = aipw::finish(naive, propensity.ok_or(Why::NotFinite)?, sums)?;
                [(MeansVariance::Simple, both.simple), (MeansVariance::MEstimation, both.m_estimation)]
                    .map(|(variance, means)| Contrast { cell: None, variance, means })
                    .into()
            }
            Stage::Survival(fitted, cells) => {
                let means = cox::finish(&fitted.fitted(), naive, cells, sums)?;
                cells.iter().zip(means).map(|(cell, means)| influence(Some(*cell), means)).collect()
            }
            Stage::Mean(fitted, horizon) => {
                let profile = Profile::new(&fitted.fitted(), naive, *horizon, sums)?;
                return Ok(Stage::Spread(Arc::clone(fitted), *horizon, Arc::new(profile)));
            }
            Stage::Spread(_, horizon, profile) => vec![influence(Some(*horizon), profile.finish(sums)?)],
        };
        Ok(Stage::Ended(Ok(ended)))
    }
}

/// The targets of an outcome.
fn targets(protocol: &Protocol, outcome: usize, wanted: &Standardised) -> Vec<Target> {
    match &protocol.outcomes[outcome].kind {
        OutcomeKind::Binary { variable } => {
            wanted.marginal.iter().map(|marginal| Target::Risk { variable: *variable, marginal: *marginal }).collect()
        }
        OutcomeKind::TimeToEvent(grid) => {
            let cells: Arc<[u32]> = wanted.times_days.iter().map(|day| grid.cell(*day)).collect();
            let survival = (!cells.is_empty()).then_some(Target::Survival(cells));
            let mean = wanted.rmst_days.map(|day| Target::RestrictedMean(grid.cell(day)));
            survival.into_iter().chain(mean).collect()
        }
        // nothing is declared for a cause
        OutcomeKind::Competing(_) => Vec::new(),
    }
}

/// A logistic model without weights that is fitted, and its coefficients for the centred columns.
fn logistic_fit(unit: &Unit, outcome: VariableId) -> Option<(Arc<LogisticModel>, Vec<f64>)> {
    let (columns, fit) = unit.centred_fit()?;
    let model = LogisticModel { response: Response::Binary(outcome), columns: columns.clone(), weights: None };
    Some((Arc::new(model), fit.beta.clone()))
}

/// A Cox model over pooled risk sets that has converged, be it that it still asks for the sums of its variances.
fn fitted_cox(unit: &Unit) -> Option<Arc<FittedCox>> {
    let CoxPoint { model, events, curves, beta } = unit.point()?;
    Some(Arc::new(FittedCox { model, events, curves: curves?, beta }))
}

/// Starts when the propensity model has ended, or ends with its failure.
fn augmented((model, beta): (Arc<LogisticModel>, Vec<f64>), propensity: &Unit) -> Option<Stage> {
    match propensity.outcome()? {
        FitOutcome::Failed(failure) => Some(Stage::Ended(Err(Failure::Propensity(Box::new(failure.clone()))))),
        FitOutcome::Fitted(_) => {
            let (columns, fit) = propensity.centred_fit()?;
            let propensity = FittedPropensity { columns: columns.clone(), alpha: fit.beta.clone() };
            Some(Stage::Aipw(model, beta, Arc::new(propensity)))
        }
    }
}
