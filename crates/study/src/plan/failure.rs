//! Why a model has no result: always the cause and the column, never a number.

use stats::competing::BadCauseTable;
use stats::fit::Why;
use stats::impute::pool::PoolError;
use stats::resample::TooFewReplicates;
use stats::survival::BadTable;
use stats::weights::SchemeError;
use stats::weights::quantiles::HistogramError;

/// What a model predicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicted {
    /// A propensity model.
    Treatment,
    /// An outcome by its name, with the cause where several compete.
    Outcome(String),
    /// An imputed variable.
    Variable(String),
}

impl std::fmt::Display for Predicted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Predicted::Treatment => f.write_str("the treatment"),
            Predicted::Outcome(name) | Predicted::Variable(name) => write!(f, "`{name}`"),
        }
    }
}

/// Where something is missing, or true of everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arms {
    /// In both arms.
    Both,
    /// In the arm with this label.
    One(String),
}

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
    /// The one column that the model is about has the same value everywhere.
    #[error("`{term}` has the same value for every {}", if *sites { "patient of each site" } else { "analysed patient" })]
    Constant {
        /// Name of the term.
        term: String,
        /// Within each site, in a model that compares patients within sites alone.
        sites: bool,
    },
    /// The treatment is a combination of other columns.
    #[error("the treatment cannot be told from {}", terms.join(", "))]
    Inseparable {
        /// Names of the terms.
        terms: Vec<String>,
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
    #[error("separation: {predicted} is predicted perfectly by {}", terms.join(", "))]
    Separation {
        /// What the model predicts.
        predicted: Predicted,
        /// Names of the terms.
        terms: Vec<String>,
    },
    /// An arm has no patients.
    #[error("no analysed patient in the {arm} arm")]
    EmptyArm {
        /// Label of the arm.
        arm: String,
    },
    /// An arm has no patient with a value of the outcome.
    #[error("no patient in the {arm} arm has a value of `{outcome}`")]
    NoValues {
        /// Name of the outcome.
        outcome: String,
        /// Label of the arm.
        arm: String,
    },
    /// Nobody is left for the model.
    #[error("no patient is left for the model")]
    NoRows,
    /// No event, or none in one arm.
    #[error("no event of `{outcome}` in {}", place(arms))]
    NoEvents {
        /// Name of the outcome.
        outcome: String,
        /// Where.
        arms: Arms,
    },
    /// No event of a model that compares patients within sites has a second patient of its site at risk.
    #[error("no event of `{outcome}` happened while another patient of the same site was at risk")]
    NoComparison {
        /// Name of the outcome.
        outcome: String,
    },
    /// Every patient of an arm has the event.
    #[error("{} the event `{outcome}`", all_of(arms))]
    AllEvents {
        /// Name of the outcome.
        outcome: String,
        /// Where.
        arms: Arms,
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

fn place(arms: &Arms) -> String {
    match arms {
        Arms::Both => "either arm".into(),
        Arms::One(arm) => format!("the {arm} arm"),
    }
}

fn all_of(arms: &Arms) -> String {
    match arms {
        Arms::Both => "every analysed patient has".into(),
        Arms::One(arm) => format!("every patient in the {arm} arm has"),
    }
}

impl Failure {
    /// Stable code for logs, exit codes and the documentation.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::Missing { .. } => "fit.missing",
            Failure::Constant { .. } => "fit.constant",
            Failure::Unresolved { .. } => "fit.unresolved",
            Failure::Collinear { .. } | Failure::Inseparable { .. } => "fit.collinear",
            Failure::Separation { .. } => "fit.separation",
            Failure::EmptyArm { .. } | Failure::NoValues { .. } | Failure::NoRows => "fit.empty_arm",
            Failure::NoEvents { .. } | Failure::NoComparison { .. } => "fit.no_events",
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

    /// Names the columns of an estimator's failure. `within_sites`: the model compares patients of one site with each
    /// other alone.
    pub(crate) fn of(why: &Why, names: &[String], predicted: &Predicted, within_sites: bool) -> Failure {
        let outcome = || match predicted {
            Predicted::Treatment => "treatment".to_owned(),
            Predicted::Outcome(name) | Predicted::Variable(name) => name.clone(),
        };
        match why {
            Why::Constant { column } => Failure::Constant { term: names[*column].clone(), sites: within_sites },
            Why::Collinear { column } => Failure::Collinear { term: names[*column].clone() },
            Why::Separation { columns } => {
                let terms = columns.iter().map(|c| names[*c].clone()).collect();
                Failure::Separation { predicted: predicted.clone(), terms }
            }
            Why::NoRows => Failure::NoRows,
            Why::OnlyEvents => Failure::AllEvents { outcome: outcome(), arms: Arms::Both },
            Why::NoEvents if within_sites => Failure::NoComparison { outcome: outcome() },
            Why::NoEvents => Failure::NoEvents { outcome: outcome(), arms: Arms::Both },
            Why::NotConverged { iterations } => Failure::NotConverged { iterations: *iterations },
            Why::NotFinite => Failure::NotFinite,
        }
    }
}
