//! Why a model has no result: always the cause and the column, never a number.

use stats::competing::BadCauseTable;
use stats::fit::Why;
use stats::impute::pool::PoolError;
use stats::resample::TooFewReplicates;
use stats::survival::BadTable;
use stats::weights::SchemeError;
use stats::weights::quantiles::HistogramError;

/// Cause of a failed model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Analysed patients lack a value that the model needs.
    #[error("`{variable}` is missing for {rows} analysed patients")]
    Missing {
        /// Name of the variable.
        variable: String,
        /// Over all sites.
        rows: u64,
    },
    /// A level or a whole column has the same value everywhere.
    #[error("`{term}` has the same value for every analysed patient")]
    Constant {
        /// Name of the term.
        term: String,
    },
    /// The spread of a column is lost in the width of its declared range.
    #[error("`{term}` varies by less than a millionth of its declared range")]
    Unresolved {
        /// Name of the term.
        term: String,
    },
    /// A column is a combination of others.
    #[error("`{term}` is a linear combination of the other columns")]
    Collinear {
        /// Name of the term.
        term: String,
    },
    /// A coefficient runs to infinity.
    #[error("separation: the outcome is predicted perfectly by {}", terms.join(", "))]
    Separation {
        /// Names of the terms.
        terms: Vec<String>,
    },
    /// An arm has no patients.
    #[error("no analysed patient in the {arm} arm")]
    EmptyArm {
        /// Label of the arm.
        arm: String,
    },
    /// No event, or none in one arm.
    #[error("no event of `{outcome}` in {place}")]
    NoEvents {
        /// Name of the outcome.
        outcome: String,
        /// "any arm" or the arm's label.
        place: String,
    },
    /// Every patient of an arm has the event.
    #[error("every patient in the {arm} arm has the event `{outcome}`")]
    AllEvents {
        /// Name of the outcome.
        outcome: String,
        /// Label of the arm.
        arm: String,
    },
    /// The optimiser stopped without reaching its tolerance.
    #[error("not converged after {iterations} iterations")]
    NotConverged {
        /// Number of evaluations.
        iterations: usize,
    },
    /// Sums left the range of numbers.
    #[error("the sums are not finite")]
    NotFinite,
    /// The opened sums of a survival curve are no table of leavers.
    #[error(transparent)]
    Table(#[from] BadTable),
    /// Missing values of a covariate could not be drawn.
    #[error("`{variable}` cannot be imputed: {cause}")]
    Imputation {
        /// Name of the variable.
        variable: String,
        /// Why its model failed.
        cause: Box<Failure>,
    },
    /// Too few replicates of a bootstrap have an estimate.
    #[error(transparent)]
    Replicates(#[from] TooFewReplicates),
    /// The fits of the imputed data cannot be pooled.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The opened sums of competing causes are no table of leavers.
    #[error(transparent)]
    CauseTable(#[from] BadCauseTable),
    /// A weighted model whose propensity model failed.
    #[error("the propensity model failed: {0}")]
    Propensity(Box<Failure>),
    /// An analysis whose rows a propensity model should have trimmed.
    #[error("the propensity model that trims failed: {0}")]
    Trimming(Box<Failure>),
    /// Truncated weights whose bounds are not known.
    #[error("bounds of the weights: {0}")]
    Quantiles(#[from] HistogramError),
    /// There are no such weights.
    #[error(transparent)]
    Weights(#[from] SchemeError),
}

impl Failure {
    /// Stable code for logs, exit codes and the documentation.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::Missing { .. } => "fit.missing",
            Failure::Constant { .. } => "fit.constant",
            Failure::Unresolved { .. } => "fit.unresolved",
            Failure::Collinear { .. } => "fit.collinear",
            Failure::Separation { .. } => "fit.separation",
            Failure::EmptyArm { .. } => "fit.empty_arm",
            Failure::NoEvents { .. } => "fit.no_events",
            Failure::AllEvents { .. } => "fit.all_events",
            Failure::NotConverged { .. } => "fit.not_converged",
            Failure::NotFinite => "fit.not_finite",
            Failure::Table(_) | Failure::CauseTable(_) => "fit.table",
            Failure::Imputation { .. } => "fit.imputation",
            Failure::Replicates(_) => "fit.replicates",
            Failure::Pool(_) => "fit.pool",
            Failure::Propensity(_) => "fit.propensity",
            Failure::Trimming(_) => "fit.trimming",
            Failure::Quantiles(_) => "fit.quantiles",
            Failure::Weights(_) => "fit.weights",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Failure::Missing { .. } => "add an [[eligibility]] line that requires the variable, or leave it out",
            Failure::Constant { .. } => "leave the variable out, or merge the empty level with another",
            Failure::Unresolved { .. } => "declare the `range` that the values really have",
            Failure::Collinear { .. } => "leave one of the columns out",
            Failure::Separation { .. } => {
                "merge levels, leave the variable out of this model, or declare the model `firth` (logistic) or a `ridge`"
            }
            Failure::EmptyArm { .. } => "check the treatment's levels and the eligibility criteria",
            Failure::NoEvents { .. } | Failure::AllEvents { .. } => {
                "the contrast has no finite estimate; report counts, or declare the model `firth` (logistic) or a `ridge`"
            }
            Failure::NotConverged { .. } | Failure::NotFinite => "check the ranges and the scale of the covariates",
            Failure::Imputation { .. } => "fewer covariates or levels make its model simpler",
            Failure::Replicates(_) | Failure::Pool(_) => {
                "the model nearly fails on the data themselves; declare fewer levels or covariates"
            }
            Failure::Table(_) | Failure::CauseTable(_) => {
                "the sums do not come from this software; look at the coordinator's log"
            }
            Failure::Propensity(_) | Failure::Trimming(_) => "mend the propensity model first",
            Failure::Quantiles(_) => "raise `weight_max` in [propensity]",
            Failure::Weights(_) => "truncate at other quantiles of the weights",
        }
    }

    /// Names the columns of an estimator's failure.
    pub(crate) fn of(why: &Why, names: &[String], outcome: &str) -> Failure {
        match why {
            Why::Constant { column } => Failure::Constant { term: names[*column].clone() },
            Why::Collinear { column } => Failure::Collinear { term: names[*column].clone() },
            Why::Separation { columns } => {
                Failure::Separation { terms: columns.iter().map(|c| names[*c].clone()).collect() }
            }
            Why::NoRows => Failure::EmptyArm { arm: "any".into() },
            Why::OnlyEvents => Failure::AllEvents { outcome: outcome.into(), arm: "any".into() },
            Why::NoEvents => Failure::NoEvents { outcome: outcome.into(), place: "any arm".into() },
            Why::NotConverged { iterations } => Failure::NotConverged { iterations: *iterations },
            Why::NotFinite => Failure::NotFinite,
        }
    }
}
