//! The closed vocabulary of questions: each is a pure function of a cohort, with a known shape.
//!
//! A question carries every parameter it needs (coefficients as f64 bits), so that two parties who hold the same
//! question compute the same thing. What a question derives from earlier sums (risk-set curves) is not encoded again:
//! the request digest chains the digest of the sums before it.

use std::sync::Arc;

use secagg::Canonical;
use stats::competing::{Subdistribution, cause_table_len, fine_gray_risk_len};
use stats::concordance::{self, PredictorGrid};
use stats::cox::{self, Curves, EventCells, Ties};
use stats::descriptive::categorical::counts_len;
use stats::descriptive::moments::MOMENTS_LEN;
use stats::influence::{MeatKind, meat_len};
use stats::linear::normal_equations_len;
use stats::logistic;
use stats::matrix::Matrix;
use stats::standardise::cox::Fitted;
use stats::standardise::rmst::Profile;
use stats::standardise::{self, aipw, rmst};
use stats::survival::{arm_table_len, treatment_sums_len};
use stats::weights::positivity::OVERLAP_LEN;
use stats::weights::quantiles::{TRUNCATED_LEN, WeightGrid};
use stats::weights::{Estimand, Scheme};
use stats::zph::{Transform, leavers_len};

use crate::dictionary::VariableId;
use crate::imputation::ImputationModel;
use crate::protocol::{Competing, OutcomeKind, Protocol, TimeToEvent};
use crate::term::{Columns, Term};

/// A fitted propensity model: from it every site computes its own patients' propensity score.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPropensity {
    /// Design columns with intercept.
    pub columns: Columns,
    /// Coefficients for those (centred) columns.
    pub alpha: Vec<f64>,
}

/// Weights made of a propensity score. They never leave the site.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The propensity model.
    pub propensity: Arc<FittedPropensity>,
    /// How they are made of the score.
    pub scheme: Scheme,
}

/// Response of a logistic regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// The treatment: propensity model.
    Treatment,
    /// A binary variable.
    Binary(VariableId),
}

/// A logistic regression over the cohort.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticModel {
    /// Response.
    pub response: Response,
    /// Design columns.
    pub columns: Columns,
    /// Weights; none means 1.
    pub weights: Option<Weights>,
}

/// A Cox or Fine-Gray regression over the cohort.
#[derive(Debug, Clone, PartialEq)]
pub struct CoxModel {
    /// Index of the outcome in the protocol.
    pub outcome: usize,
    /// Number of the cause that is the event, where causes compete; in a Cox regression the others are censored.
    pub cause: Option<u8>,
    /// Design columns, no intercept.
    pub columns: Columns,
    /// Weights; none means 1.
    pub weights: Option<Weights>,
    /// Handling of tied events.
    pub ties: Ties,
}

/// A fitted Cox model without weights: from it every site computes its own patients' survival in either arm.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedCox {
    /// The model.
    pub model: Arc<CoxModel>,
    /// Event cells.
    pub events: Arc<EventCells>,
    /// Curves at the coefficients.
    pub curves: Arc<Curves>,
    /// Coefficients of the last evaluation, less than 1e-10 standard errors from the maximum.
    pub beta: Arc<Vec<f64>>,
}

impl FittedCox {
    /// As the standardisation reads it.
    pub fn fitted(&self) -> Fitted<'_> {
        Fitted { events: &self.events, curves: &self.curves, beta: &self.beta }
    }
}

/// What is asked of every site in a round. Word counts are in [`Question::words`].
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Flow chart: rows of the file, after each criterion, in the two arms, after trimming; by arm and neither.
    Flow,
    /// Counts of a categorical variable by arm (control, treated) and level, missing last.
    Levels {
        /// The variable.
        variable: VariableId,
    },
    /// Rows of each arm (control, treated) in which a variable is missing.
    Missingness {
        /// The variable.
        variable: VariableId,
    },
    /// Per column: sum and sum of squares over the rows where it is not missing.
    Moments {
        /// The columns.
        terms: Vec<Term>,
    },
    /// Of a time-to-event outcome: rows by arm and status (control censored, control event, treated censored, treated
    /// event), rows with missing time or status, rows beyond the horizon, events per cell of the grid.
    Events {
        /// Index of the outcome in the protocol.
        outcome: usize,
    },
    /// Of a time-to-event outcome: who leaves in each cell, by arm and status; counts over the whole grid, or counts,
    /// sums of weights and sums of their squares in the cells where the counts showed somebody.
    ArmTable {
        /// Index of the outcome in the protocol.
        outcome: usize,
        /// Weights and the cells in which somebody leaves, ascending; none means counts over the whole grid.
        weighted: Option<(Weights, Arc<[u32]>)>,
    },
    /// Of a competing outcome: rows with missing time or status, rows beyond the horizon, who leaves in each cell of the
    /// grid, by arm and cause (`stats::competing`).
    Causes {
        /// Index of the outcome in the protocol.
        outcome: usize,
    },
    /// The same leavers with sums of weights and of their squares, in the cells where the counts showed somebody.
    CauseTable {
        /// Index of the outcome in the protocol.
        outcome: usize,
        /// The weights.
        weights: Weights,
        /// Cells in which somebody leaves, ascending.
        cells: Arc<[u32]>,
    },
    /// Log likelihood, score, information of a logistic regression.
    LogisticStep {
        /// The model.
        model: Arc<LogisticModel>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Sandwich sums of a logistic regression.
    LogisticMeat {
        /// The model.
        model: Arc<LogisticModel>,
        /// Coefficients.
        beta: Vec<f64>,
        /// Which sums.
        kind: MeatKind,
    },
    /// Leverage score of Firth's logistic regression.
    LeverageScore {
        /// The model.
        model: Arc<LogisticModel>,
        /// Coefficients.
        beta: Vec<f64>,
        /// Inverse information at these coefficients, from the step of the round before.
        inverse: Arc<Matrix>,
    },
    /// Sum of death weights at each event cell.
    DeathWeights {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells.
        cells: Vec<u32>,
    },
    /// Risk-set sums at the event cells, and over the deaths at tied cells.
    CoxRisk {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells.
        events: Arc<EventCells>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Log likelihood, score, information of a Cox regression; the first site adds the terms of the global curves.
    CoxStep {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells.
        events: Arc<EventCells>,
        /// Curves from the risk sums of the round before.
        curves: Arc<Curves>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Sandwich sums of a Cox regression.
    CoxMeat {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells.
        events: Arc<EventCells>,
        /// Curves at these coefficients.
        curves: Arc<Curves>,
        /// Coefficients.
        beta: Vec<f64>,
        /// Which sums.
        kind: MeatKind,
    },
    /// Of a time-to-event outcome: sums of weights at the event cells by arm, from which a Cox regression on treatment
    /// alone follows (`stats::survival::treatment_sums`).
    TreatmentSums {
        /// Index of the outcome in the protocol.
        outcome: usize,
        /// Weights; none means 1.
        weights: Option<Weights>,
        /// Event cells, ascending.
        cells: Arc<[u32]>,
    },
    /// Log likelihood, score, information of one stage of an imputation model: whether an observed value has this level,
    /// over the rows with this level or a later one.
    ImputationStep {
        /// The model.
        model: Arc<ImputationModel>,
        /// The level.
        level: u32,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Normal equations of an imputation model of a number, over the rows in which it is observed.
    ImputationEquations {
        /// The model.
        model: Arc<ImputationModel>,
        /// Subtracted from the number.
        centre: f64,
    },
    /// Risk-set sums of a Fine-Gray regression: those of a Cox regression, and of the rows that left by another cause.
    FineGrayRisk {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells and censoring.
        cells: Arc<Subdistribution>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Log likelihood, score, information of a Fine-Gray regression; the first site adds the terms of the global curves.
    FineGrayStep {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells and censoring.
        cells: Arc<Subdistribution>,
        /// Curves from the risk sums of the round before.
        curves: Arc<Curves>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Sandwich sums of a Fine-Gray regression.
    FineGrayMeat {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells and censoring.
        cells: Arc<Subdistribution>,
        /// Curves at these coefficients.
        curves: Arc<Curves>,
        /// Coefficients.
        beta: Vec<f64>,
        /// Which sums.
        kind: MeatKind,
    },
    /// Log likelihood, score, information of a Cox regression stratified by site.
    StratifiedCoxStep {
        /// The model.
        model: Arc<CoxModel>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Of a time-to-event outcome: rows that leave in each cell of the grid, by event or not.
    Leavers {
        /// Index of the outcome in the protocol.
        outcome: usize,
    },
    /// Score and information of coefficients that change along a transform of time; the first site adds the terms of the
    /// global curves.
    CoxTrend {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells.
        events: Arc<EventCells>,
        /// Curves at these coefficients.
        curves: Arc<Curves>,
        /// The transform.
        transform: Transform,
        /// Its value at each event cell.
        g: Arc<[f64]>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// The same for a Cox regression stratified by site.
    StratifiedCoxTrend {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells over all sites.
        events: Arc<EventCells>,
        /// The transform.
        transform: Transform,
        /// Its value at each event cell.
        g: Arc<[f64]>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Rows in each bin of a Cox model's linear predictor.
    PredictorHistogram {
        /// The model.
        model: Arc<CoxModel>,
        /// The bins.
        grid: Arc<PredictorGrid>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// By event cell and bin of the linear predictor: sums of weights of the rows whose last event cell at risk it is,
    /// and of those with the event there.
    ConcordanceTable {
        /// The model.
        model: Arc<CoxModel>,
        /// Event cells.
        events: Arc<EventCells>,
        /// The bins.
        grid: Arc<PredictorGrid>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Pairs within the sites: concordant, discordant, tied.
    StratifiedConcordance {
        /// The model.
        model: Arc<CoxModel>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Sums of the g-formula: predictions with everybody treated and with everybody untreated.
    GFormula {
        /// The model.
        model: Arc<LogisticModel>,
        /// Coefficients.
        beta: Vec<f64>,
    },
    /// Sums of the predictions corrected by the propensity score.
    Aipw {
        /// The outcome model.
        model: Arc<LogisticModel>,
        /// Its coefficients.
        beta: Vec<f64>,
        /// The propensity model.
        propensity: Arc<FittedPropensity>,
    },
    /// Sums of survival after each of these cells with everybody treated and with everybody untreated.
    StandardisedSurvival {
        /// The model.
        cox: Arc<FittedCox>,
        /// Cells, ascending.
        cells: Arc<[u32]>,
    },
    /// Sums of the areas under these curves and of their derivatives.
    RestrictedMean {
        /// The model.
        cox: Arc<FittedCox>,
        /// Cell up to which means are restricted.
        horizon: u32,
    },
    /// Sums of squares of the rows' influences on the two restricted means.
    RestrictedMeanSpread {
        /// The model.
        cox: Arc<FittedCox>,
        /// Cell up to which means are restricted.
        horizon: u32,
        /// What the round before opened of them.
        profile: Arc<Profile>,
    },
    /// Per arm (control, treated): number of rows, sum of weights, sum of squared weights.
    WeightSums {
        /// The weights.
        weights: Weights,
    },
    /// Propensity score on equal bins of [0, 1], per bin and arm (control, treated): rows, sum of weights.
    PropensityHistogram {
        /// The weights.
        weights: Weights,
        /// Number of bins.
        bins: usize,
    },
    /// Per arm (control, treated): rows, rows in equipoise, rows with a propensity score below and above the bounds
    /// (`stats::weights::positivity`).
    Overlap {
        /// The propensity model.
        propensity: Arc<FittedPropensity>,
        /// Share of the treated.
        share: f64,
        /// Bounds of the propensity score.
        bounds: (f64, f64),
    },
    /// Rows per value of a grid of weights, and beyond it; control arm before treated (`stats::weights::quantiles`).
    WeightHistogram {
        /// The weights.
        weights: Weights,
        /// The grid.
        grid: WeightGrid,
    },
    /// Rows whose weight truncation raises and lowers, by arm (control, treated) (`stats::weights::quantiles`).
    Truncated {
        /// The weights.
        weights: Weights,
    },
    /// Rows at each value of a continuous variable's grid, control arm before treated.
    ValueHistogram {
        /// The variable.
        variable: VariableId,
    },
    /// Moments of a continuous variable by arm (`stats::descriptive::moments`).
    ArmMoments {
        /// The variable.
        variable: VariableId,
        /// Value that they are about.
        centre: f64,
        /// The weights; none means 1.
        weights: Option<Weights>,
    },
    /// Rows and sums of weights by arm and level of a categorical variable, without missing ones
    /// (`stats::descriptive::categorical`).
    WeightedLevels {
        /// The variable.
        variable: VariableId,
        /// The weights.
        weights: Weights,
    },
}

impl Question {
    /// Number of words of its answer.
    pub fn words(&self, protocol: &Protocol) -> usize {
        match self {
            Question::Flow => 3 * (protocol.eligibility.len() + 2 + usize::from(protocol.trimming.is_some())),
            Question::Levels { variable } => 2 * (protocol.dictionary.variable(*variable).levels().len() + 1),
            Question::Missingness { .. } => 2,
            Question::Moments { terms } => 2 * terms.len(),
            Question::Events { outcome } => EVENT_COUNTS + time_to_event(protocol, *outcome).cells(),
            Question::ArmTable { weighted: Some((_, cells)), .. } => arm_table_len(cells.len(), true),
            Question::ArmTable { outcome, weighted: None } => {
                arm_table_len(time_to_event(protocol, *outcome).cells(), false)
            }
            Question::Causes { outcome } => {
                let outcome = competing(protocol, *outcome);
                CAUSE_COUNTS + cause_table_len(outcome.grid.cells(), outcome.count(), false)
            }
            Question::CauseTable { outcome, cells, .. } => {
                cause_table_len(cells.len(), competing(protocol, *outcome).count(), true)
            }
            Question::LogisticStep { beta, .. } | Question::ImputationStep { beta, .. } => {
                logistic::step_len(beta.len())
            }
            Question::ImputationEquations { model, .. } => normal_equations_len(model.predictors.len()),
            Question::LogisticMeat { beta, kind, .. }
            | Question::CoxMeat { beta, kind, .. }
            | Question::FineGrayMeat { beta, kind, .. } => meat_len(beta.len(), kind),
            Question::LeverageScore { beta, .. } => beta.len(),
            Question::DeathWeights { cells, .. } => cells.len(),
            Question::CoxRisk { beta, events, .. } => cox::risk_len(beta.len(), events),
            Question::FineGrayRisk { beta, cells, .. } => fine_gray_risk_len(beta.len(), cells),
            Question::CoxStep { beta, .. }
            | Question::FineGrayStep { beta, .. }
            | Question::StratifiedCoxStep { beta, .. } => cox::step_len(beta.len()),
            Question::TreatmentSums { cells, .. } => treatment_sums_len(cells.len()),
            Question::Leavers { outcome } => leavers_len(time_to_event(protocol, *outcome).cells(), false),
            Question::CoxTrend { beta, .. } | Question::StratifiedCoxTrend { beta, .. } => cox::trend_len(beta.len()),
            Question::PredictorHistogram { grid, .. } => grid.bins(),
            Question::ConcordanceTable { events, grid, .. } => concordance::table_len(events.cells.len(), grid),
            Question::StratifiedConcordance { .. } => 3,
            Question::GFormula { beta, .. } => standardise::logistic::answer_len(beta.len()),
            Question::Aipw { beta, propensity, .. } => aipw::answer_len(beta.len(), propensity.alpha.len()),
            Question::StandardisedSurvival { cox, cells } => standardise::cox::answer_len(cox.beta.len(), cells.len()),
            Question::RestrictedMean { cox, horizon } => rmst::profile_len(&cox.fitted(), *horizon),
            Question::RestrictedMeanSpread { .. } => rmst::SPREAD_LEN,
            Question::WeightSums { .. } => 6,
            Question::PropensityHistogram { bins, .. } => 4 * bins,
            Question::Overlap { .. } => OVERLAP_LEN,
            Question::WeightHistogram { grid, .. } => 2 * grid.words(),
            Question::Truncated { .. } => TRUNCATED_LEN,
            Question::ValueHistogram { variable } => {
                2 * protocol.dictionary.variable(*variable).grid().and_then(Result::ok).map_or(0, |grid| grid.bins())
            }
            Question::ArmMoments { .. } => MOMENTS_LEN,
            Question::WeightedLevels { variable, .. } => {
                counts_len(protocol.dictionary.variable(*variable).levels().len(), true)
            }
        }
    }

    /// Name of its kind, for progress, journals and documents.
    pub fn kind(&self) -> &'static str {
        match self {
            Question::Flow => "Attrition",
            Question::Levels { .. } => "Levels",
            Question::Missingness { .. } => "Missingness",
            Question::Moments { .. } => "Moments",
            Question::Events { .. } => "CoxSetup",
            Question::ArmTable { .. } => "ArmTable",
            Question::Causes { .. } => "CauseSetup",
            Question::CauseTable { .. } => "CauseTable",
            Question::LogisticStep { .. } => "LogisticStep",
            Question::LogisticMeat { .. } => "LogisticMeat",
            Question::LeverageScore { .. } => "LeverageScore",
            Question::DeathWeights { .. } => "DeathWeights",
            Question::CoxRisk { .. } => "CoxRisk",
            Question::CoxStep { .. } => "CoxStep",
            Question::CoxMeat { .. } => "CoxMeat",
            Question::FineGrayRisk { .. } => "FineGrayRisk",
            Question::FineGrayStep { .. } => "FineGrayStep",
            Question::FineGrayMeat { .. } => "FineGrayMeat",
            Question::StratifiedCoxStep { .. } => "StratifiedCoxStep",
            Question::TreatmentSums { .. } => "TreatmentSums",
            Question::ImputationStep { .. } => "ImputationStep",
            Question::ImputationEquations { .. } => "ImputationEquations",
            Question::Leavers { .. } => "Leavers",
            Question::CoxTrend { .. } => "CoxTrend",
            Question::StratifiedCoxTrend { .. } => "StratifiedCoxTrend",
            Question::PredictorHistogram { .. } => "PredictorHistogram",
            Question::ConcordanceTable { .. } => "ConcordanceTable",
            Question::StratifiedConcordance { .. } => "StratifiedConcordance",
            Question::GFormula { .. } => "GFormula",
            Question::Aipw { .. } => "Aipw",
            Question::StandardisedSurvival { .. } => "StandardisedSurvival",
            Question::RestrictedMean { .. } => "RestrictedMean",
            Question::RestrictedMeanSpread { .. } => "RestrictedMeanSpread",
            Question::WeightSums { .. } => "WeightSums",
            Question::PropensityHistogram { .. } => "Histogram",
            Question::Overlap { .. } => "Overlap",
            Question::WeightHistogram { .. } => "WeightHistogram",
            Question::Truncated { .. } => "Truncated",
            Question::ValueHistogram { .. } => "ValueHistogram",
            Question::ArmMoments { .. } => "ArmMoments",
            Question::WeightedLevels { .. } => "WeightedLevels",
        }
    }

    /// Does an estimator ask it, which can shorten its step when there is no sum, or a check or standardisation, which ends
    /// without one?
    pub(crate) fn is_of_a_fit(&self) -> bool {
        match self {
            Question::Flow
            | Question::Levels { .. }
            | Question::Missingness { .. }
            | Question::Moments { .. }
            | Question::Events { .. }
            | Question::ArmTable { .. }
            | Question::Causes { .. }
            | Question::CauseTable { .. }
            | Question::Leavers { .. }
            | Question::WeightSums { .. }
            | Question::PropensityHistogram { .. }
            | Question::Overlap { .. }
            | Question::WeightHistogram { .. }
            | Question::Truncated { .. }
            | Question::ValueHistogram { .. }
            | Question::ArmMoments { .. }
            | Question::WeightedLevels { .. } => false,
            Question::LogisticStep { .. }
            | Question::LogisticMeat { .. }
            | Question::LeverageScore { .. }
            | Question::DeathWeights { .. }
            | Question::CoxRisk { .. }
            | Question::CoxStep { .. }
            | Question::CoxMeat { .. }
            | Question::FineGrayRisk { .. }
            | Question::FineGrayStep { .. }
            | Question::FineGrayMeat { .. }
            | Question::TreatmentSums { .. }
            | Question::ImputationStep { .. }
            | Question::ImputationEquations { .. }
            | Question::StratifiedCoxStep { .. }
            | Question::CoxTrend { .. }
            | Question::StratifiedCoxTrend { .. }
            | Question::PredictorHistogram { .. }
            | Question::ConcordanceTable { .. }
            | Question::StratifiedConcordance { .. }
            | Question::GFormula { .. }
            | Question::Aipw { .. }
            | Question::StandardisedSurvival { .. }
            | Question::RestrictedMean { .. }
            | Question::RestrictedMeanSpread { .. } => true,
        }
    }

    /// Is its answer multiplied by the case weights of a bootstrap replicate? The others are not asked of one.
    pub(crate) fn takes_case_weights(&self) -> bool {
        matches!(
            self,
            Question::LogisticStep { .. }
                | Question::DeathWeights { .. }
                | Question::CoxRisk { .. }
                | Question::CoxStep { .. }
                | Question::TreatmentSums { .. }
                | Question::StratifiedCoxStep { .. }
        )
    }

    /// Canonical encoding into a request digest.
    pub fn write(&self, out: Canonical) -> Canonical {
        let out = out.str(self.kind());
        match self {
            Question::Flow => out,
            Question::Levels { variable }
            | Question::Missingness { variable }
            | Question::ValueHistogram { variable } => out.u32(variable.0 as u32),
            Question::Moments { terms } => out.list(terms, |out, t| t.write(out)),
            Question::Events { outcome } | Question::Leavers { outcome } | Question::Causes { outcome } => {
                out.u32(*outcome as u32)
            }
            Question::CauseTable { outcome, weights, cells } => {
                weights.write(out.u32(*outcome as u32)).list(&**cells, |out, c| out.u32(*c))
            }
            Question::ArmTable { outcome, weighted } => out
                .u32(*outcome as u32)
                .option(weighted.as_ref(), |out, (w, cells)| w.write(out).list(&**cells, |out, c| out.u32(*c))),
            Question::LogisticStep { model, beta } | Question::GFormula { model, beta } => {
                write_numbers(model.write(out), beta)
            }
            Question::LeverageScore { model, beta, inverse } => {
                write_numbers(write_numbers(model.write(out), beta), inverse.values())
            }
            Question::LogisticMeat { model, beta, kind } => write_meat(write_numbers(model.write(out), beta), kind),
            Question::DeathWeights { model, cells } => model.write(out).list(cells, |out, c| out.u32(*c)),
            Question::CoxRisk { model, beta, .. }
            | Question::CoxStep { model, beta, .. }
            | Question::FineGrayRisk { model, beta, .. }
            | Question::FineGrayStep { model, beta, .. }
            | Question::StratifiedCoxStep { model, beta }
            | Question::StratifiedConcordance { model, beta } => write_numbers(model.write(out), beta),
            Question::CoxTrend { model, transform, beta, .. }
            | Question::StratifiedCoxTrend { model, transform, beta, .. } => {
                write_numbers(model.write(out), beta).u8(transform_code(*transform))
            }
            Question::PredictorHistogram { model, grid, beta }
            | Question::ConcordanceTable { model, grid, beta, .. } => {
                write_numbers(write_numbers(model.write(out), beta), &grid.edges())
            }
            Question::CoxMeat { model, beta, kind, .. } | Question::FineGrayMeat { model, beta, kind, .. } => {
                write_meat(write_numbers(model.write(out), beta), kind)
            }
            Question::TreatmentSums { outcome, weights, cells } => out
                .u32(*outcome as u32)
                .option(weights.as_ref(), |out, w| w.write(out))
                .list(&**cells, |out, c| out.u32(*c)),
            Question::ImputationStep { model, level, beta } => write_numbers(model.write(out).u32(*level), beta),
            Question::ImputationEquations { model, centre } => model.write(out).f64(*centre),
            Question::Aipw { model, beta, propensity } => propensity.write(write_numbers(model.write(out), beta)),
            Question::StandardisedSurvival { cox, cells } => cox.write(out).list(&**cells, |out, c| out.u32(*c)),
            Question::RestrictedMean { cox, horizon } | Question::RestrictedMeanSpread { cox, horizon, .. } => {
                cox.write(out).u32(*horizon)
            }
            Question::WeightSums { weights } | Question::Truncated { weights } => weights.write(out),
            Question::Overlap { propensity, share, bounds } => {
                propensity.write(out).f64(*share).f64(bounds.0).f64(bounds.1)
            }
            Question::WeightHistogram { weights, grid } => weights.write(out).f64(grid.high()).u32(grid.words() as u32),
            Question::PropensityHistogram { weights, bins } => weights.write(out).u32(*bins as u32),
            Question::ArmMoments { variable, centre, weights } => {
                out.u32(variable.0 as u32).f64(*centre).option(weights.as_ref(), |out, w| w.write(out))
            }
            Question::WeightedLevels { variable, weights } => weights.write(out.u32(variable.0 as u32)),
        }
    }
}

/// Words before the grid in [`Question::Events`].
pub(crate) const EVENT_COUNTS: usize = 6;

/// The time-to-event outcome of an index that the plan made.
pub(crate) fn time_to_event(protocol: &Protocol, outcome: usize) -> &TimeToEvent {
    match &protocol.outcomes[outcome].kind {
        OutcomeKind::TimeToEvent(t) => t,
        OutcomeKind::Binary { .. } | OutcomeKind::Competing(_) => {
            unreachable!("the plan asks questions of a single event of time-to-event outcomes only")
        }
    }
}

/// Words before the table in [`Question::Causes`].
pub(crate) const CAUSE_COUNTS: usize = 2;

/// The competing outcome of an index that the plan made.
pub(crate) fn competing(protocol: &Protocol, outcome: usize) -> &Competing {
    match &protocol.outcomes[outcome].kind {
        OutcomeKind::Competing(competing) => competing,
        OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => {
            unreachable!("the plan asks questions of causes of competing outcomes only")
        }
    }
}

fn write_numbers(out: Canonical, values: &[f64]) -> Canonical {
    out.list(values, |out, x| out.f64(*x))
}

pub(crate) fn transform_code(transform: Transform) -> u8 {
    match transform {
        Transform::KaplanMeier => 0,
        Transform::Identity => 1,
        Transform::Rank => 2,
        Transform::Log => 3,
    }
}

fn write_meat(out: Canonical, kind: &MeatKind) -> Canonical {
    out.bool(kind.robust)
        .bool(kind.cluster)
        .option(kind.m_estimation.as_ref(), |out, m| out.u32(m.q as u32).bool(m.stabilised))
}

impl FittedPropensity {
    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        write_numbers(self.columns.write(out), &self.alpha)
    }
}

impl FittedCox {
    fn write(&self, out: Canonical) -> Canonical {
        write_numbers(self.model.write(out), &self.beta)
    }
}

impl Weights {
    fn write(&self, out: Canonical) -> Canonical {
        let estimand = match self.scheme.estimand() {
            Estimand::Ate => 0,
            Estimand::Att => 1,
            Estimand::Atc => 2,
            Estimand::Ato => 3,
            Estimand::Atm => 4,
        };
        self.propensity
            .write(out)
            .u8(estimand)
            .option(self.scheme.stabilised(), Canonical::f64)
            .option(self.scheme.truncation(), |out, (low, high)| out.f64(low).f64(high))
    }
}

impl LogisticModel {
    fn write(&self, out: Canonical) -> Canonical {
        let out = match self.response {
            Response::Treatment => out.u8(0),
            Response::Binary(id) => out.u8(1).u32(id.0 as u32),
        };
        self.columns.write(out).option(self.weights.as_ref(), |out, w| w.write(out))
    }
}

impl CoxModel {
    fn write(&self, out: Canonical) -> Canonical {
        let ties = match self.ties {
            Ties::Efron => 0,
            Ties::Breslow => 1,
        };
        let out = out.u32(self.outcome as u32).option(self.cause, Canonical::u8).u8(ties);
        let out = self.columns.write(out);
        out.option(self.weights.as_ref(), |out, w| w.write(out))
    }
}
