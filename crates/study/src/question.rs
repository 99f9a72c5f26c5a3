//! The closed vocabulary of questions: each is a pure function of a cohort, with a known shape.
//!
//! A question carries every parameter it needs (coefficients as f64 bits), so that two parties who hold the same
//! question compute the same thing. What a question derives from earlier sums (risk-set curves) is not encoded again:
//! the request digest chains the digest of the sums before it.

mod encoding;
mod kind;
mod outcome;
mod purpose;
mod shape;

use std::sync::Arc;

use stats::competing::Subdistribution;
use stats::concordance::PredictorGrid;
use stats::cox::{Curves, EventCells, Ties};
use stats::influence::MeatKind;
use stats::matrix::Matrix;
use stats::standardise::cox::Fitted;
use stats::standardise::rmst::Profile;
use stats::weights::Scheme;
use stats::weights::quantiles::WeightGrid;
use stats::zph::Transform;

use crate::dictionary::VariableId;
use crate::imputation::ImputationModel;
use crate::term::{Columns, Term};
pub use encoding::{transform_code, transform_of};
pub(crate) use outcome::OutcomeOf;
pub use purpose::Opening;
pub(crate) use shape::{CAUSE_COUNTS, EVENT_COUNTS, competing, events, time_to_event};

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
    /// For each pair of 0/1 columns that stand together in a model: rows in which both are 1. Information at coefficients
    /// of zero shows these counts, so sites hold them against their floor before a model starts.
    Pairs {
        /// The pairs.
        pairs: Vec<(Term, Term)>,
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
        /// Divides the difference; a power of two.
        unit: f64,
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
        /// What they are measured in; a power of two.
        unit: f64,
        /// The weights; none means 1.
        weights: Option<Weights>,
    },
    /// Rows with a value of an outcome, and its events, by arm (control, treated) and level of an effect modifier: per level
    /// the rows, then those with the event, or with each cause.
    Subgroups {
        /// Index of the outcome in the protocol.
        outcome: usize,
        /// The effect modifier, a categorical variable.
        variable: VariableId,
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
