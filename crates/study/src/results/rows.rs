//! The rows of `estimates.csv`, `fits.csv`, `flow.csv`, `outcomes.csv` and `tests.csv`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use stats::evalue::EValue;
use stats::fit::Penalised;
use stats::inference::ChiSquare;

use super::checks::{CheckProblem, Concordance};
use crate::plan::{Failure, Family};

/// A name that this code gives: borrowed where rows are made, owned where they are read from a release.
pub type Name = Cow<'static, str>;

/// How a standard error was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variance {
    /// Inverse information.
    Naive,
    /// HC0; Lin-Wei for Cox.
    Robust,
    /// HC0 x n/(n-1), R's svyglm.
    Survey,
    /// Clustered by site.
    ClusterSite,
    /// Accounts for the estimated propensity.
    MEstimation,
    /// Standard deviation of the replicates, and the normal interval of it.
    Bootstrap,
    /// The same, and the interval between percentiles of the replicates.
    BootstrapPercentile,
}

impl Variance {
    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            Variance::Naive => "naive",
            Variance::Robust => "robust",
            Variance::Survey => "survey",
            Variance::ClusterSite => "cluster_site",
            Variance::MEstimation => "m_estimation",
            Variance::Bootstrap => "bootstrap",
            Variance::BootstrapPercentile => "bootstrap_percentile",
        }
    }
}

/// What a reader must know of a standard error, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum VarianceNote {
    /// The sums of the clusters have fewer dimensions than there are coefficients.
    #[error("no standard error: {}, and {} more than {coefficients}", with_patients(*clusters), need(*coefficients))]
    TooFewClusters {
        /// Sites with analysed rows.
        clusters: u64,
        /// Columns of the model.
        coefficients: u64,
    },
    /// Errors clustered by so few sites are too small on average.
    #[error("clustered by {clusters} sites: with fewer than 40 the standard error is too small on average")]
    FewClusters {
        /// Sites with analysed rows.
        clusters: u64,
    },
    /// Any other variance of too low rank.
    #[error("no standard error: too few patients carry the variance (its rank is below the number of coefficients)")]
    LowRank,
}

fn with_patients(sites: u64) -> String {
    match sites {
        0 => "no site has patients of this model".into(),
        1 => "one site has patients of this model".into(),
        sites => format!("{sites} sites have patients of this model"),
    }
}

fn need(coefficients: u64) -> String {
    match coefficients {
        1 => "one coefficient needs".into(),
        coefficients => format!("{coefficients} coefficients need"),
    }
}

/// One term of one model under one variance; log scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EstimateRow {
    /// propensity, logistic, cox, `fine_gray`; `kaplan_meier` for a hazard ratio from the table of a curve.
    pub analysis: Name,
    /// Name of the outcome, empty for the propensity model.
    pub outcome: String,
    /// Cause that the model is about; empty where no causes compete.
    pub cause: String,
    /// Name of the model.
    pub model: Name,
    /// Handling of ties (Cox).
    pub ties: Option<Name>,
    /// Name of the effect modifier; empty for models without.
    pub modifier: String,
    /// Name of the term.
    pub term: String,
    /// Kind of standard error.
    pub variance: Variance,
    /// Does the protocol ask for this variance? The naive one is there always, and is not what was asked for where others
    /// are named and it is not.
    pub declared: bool,
    /// What a reader must know of the standard error.
    pub note: Option<VarianceNote>,
    /// Coefficient.
    pub estimate: f64,
    /// Standard error; not a number, like everything made of it, where there is none.
    pub std_error: f64,
    /// estimate / std_error.
    pub statistic: f64,
    /// Two-sided, normal.
    pub p_value: f64,
    /// Lower limit, 95%.
    pub conf_low: f64,
    /// Upper limit, 95%.
    pub conf_high: f64,
    /// Analysed rows with a value of the outcome; none when hidden.
    pub n: Option<u64>,
    /// Events; none when hidden.
    pub events: Option<u64>,
    /// Evaluations.
    pub iterations: usize,
    /// E-values of estimate and interval, where the term is an effect of the treatment.
    pub e_value: Option<EValue>,
    /// Degrees of freedom of Student's t, of a pooled row; none is normal.
    pub df: Option<f64>,
    /// Fraction of missing information, of a pooled row.
    pub fmi: Option<f64>,
    /// Replicates with an estimate, of a bootstrapped row.
    pub replicates: Option<usize>,
    /// Replicates without.
    pub failed_replicates: Option<usize>,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitRow {
    /// propensity, logistic, cox, `fine_gray`; `kaplan_meier` for a hazard ratio from the table of a curve, or a curve that
    /// failed; `cumulative_incidence` for incidences that failed; the method of a standardisation that failed; `bootstrap`
    /// for one without enough replicates, `imputation` for one that failed.
    pub analysis: Name,
    /// Name of the outcome.
    pub outcome: String,
    /// Cause that the model is about; empty where no causes compete.
    pub cause: String,
    /// Name of the model.
    pub model: Name,
    /// Name of the effect modifier; empty for models without.
    pub modifier: String,
    /// Handling of ties (Cox).
    pub ties: Option<Name>,
    /// Analysed rows with a value of the outcome; none when hidden.
    pub n: Option<u64>,
    /// Events; none when hidden.
    pub events: Option<u64>,
    /// Imputations that the estimates are pooled over; the numbers of such a fit are not numbers, but for the iterations.
    pub imputations: Option<usize>,
    /// The numbers of a fit, or why there are none.
    pub outcome_of_fit: Result<FitNumbers, FitProblem>,
}

/// Log likelihoods and tests of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitNumbers {
    /// Of the empty model.
    pub loglik_null: f64,
    /// At the maximum.
    pub loglik: f64,
    /// Is it a logistic model, which has deviances?
    pub logistic: bool,
    /// Likelihood ratio against the empty model; none for weighted, Fine-Gray and penalised models, where it is none.
    pub likelihood_ratio: Option<ChiSquare>,
    /// Score test at 0 (Cox, Fine-Gray).
    pub score: Option<f64>,
    /// Wald test of all terms; with the robust variance where the model is weighted or Fine-Gray and it is there.
    pub wald: f64,
    /// Evaluations.
    pub iterations: usize,
    /// Largest standardised score at the end.
    pub max_score: f64,
    /// Of a penalised model (Firth, ridge).
    pub penalised: Option<Penalised>,
    /// Where the protocol asks for it.
    pub concordance: Option<Concordance>,
    /// Declared checks without a number.
    pub unchecked: Vec<CheckProblem>,
    /// What the model leaves out, and how its values were imputed.
    pub notes: Vec<String>,
}

/// Why a model has no numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitProblem {
    /// Stable code.
    pub code: Name,
    /// Cause, naming columns.
    pub message: String,
    /// What to do next.
    pub hint: Name,
}

impl FitProblem {
    pub(super) fn of(failure: &Failure, family: Family) -> FitProblem {
        FitProblem { code: failure.code().into(), message: failure.to_string(), hint: failure.hint(family).into() }
    }
}

/// One step of the flow chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRow {
    /// From 0.
    pub step: usize,
    /// What a person reads.
    pub label: String,
    /// Rows left in the control arm; none when hidden, as below.
    pub control: Option<u64>,
    /// Rows left in the treated arm.
    pub treated: Option<u64>,
    /// All rows left.
    pub n: Option<u64>,
    /// Rows left out since the last step that is shown.
    pub excluded: Option<u64>,
}

/// Counts of one outcome in one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeRow {
    /// Name of the outcome.
    pub outcome: String,
    /// Cause whose events are counted; empty where no causes compete.
    pub cause: String,
    /// Level of the arm.
    pub arm: String,
    /// Rows with a value; none when hidden.
    pub n: Option<u64>,
    /// Events; none when hidden.
    pub events: Option<u64>,
    /// Analysed rows without a value, which no model and no curve of the outcome has; none when hidden.
    pub missing: Option<u64>,
    /// Follow-up of the rows with a value, where a curve of the outcome tells it and the counts are shown.
    pub follow_up: Option<FollowUp>,
    /// Is there such a curve, and a floor hides the follow-up?
    pub follow_up_hidden: bool,
}

/// Person-time, and events by it with the exact Poisson interval of 95%.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    /// Days until the event, censoring or the horizon, each at the end of its cell of the grid; summed over the rows.
    pub person_days: f64,
    /// Events per 100 person-years.
    pub rate: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestRow {
    /// interaction_wald, interaction_lr, chi_square, log_rank, gray; zph_ and a transform of time.
    pub name: Name,
    /// Name of the outcome.
    pub outcome: String,
    /// Cause that it is about; empty where no causes compete.
    pub cause: String,
    /// Name of the model.
    pub model: Name,
    /// Name of the effect modifier; empty for models without.
    pub modifier: String,
    /// Handling of ties (Cox).
    pub ties: Option<Name>,
    /// Terms under test.
    pub term: String,
    /// The test.
    pub test: ChiSquare,
}
