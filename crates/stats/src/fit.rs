//! Estimators as ask/tell machines: sums over all sites in, the next question out.
//!
//! A machine is created with what is known before the fit, says with `state()` what it needs, and advances when it is
//! told the sums. It knows no network, clock or random source, and every party that is told the same sums goes through
//! the same states, bit by bit.

mod cox;
mod fine_gray;
mod firth;
mod followed;
mod logistic;
mod newton;
mod ridge;
mod sandwich;
mod stratified;

pub use cox::{CoxAsk, CoxFit, CoxSolution};
pub use fine_gray::{FineGrayAsk, FineGrayFit};
pub use firth::{FirthAsk, FirthFit};
pub use followed::{HazardAsk, HazardFit};
pub use logistic::{LogisticAsk, LogisticFit};
pub use newton::Tolerances;
pub use ridge::{Penalty, RidgeCoxFit, RidgeLogisticFit};
pub use stratified::{StratifiedCoxAsk, StratifiedCoxFit};

use serde::{Deserialize, Serialize};

use crate::influence::MeatKind;
use crate::matrix::Matrix;
use crate::packed::{pack, packed_at, unpack};

/// Why a fit has no result. Columns are indices of the design.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A column does not vary among the rows that carry information.
    #[error("column {column} is constant")]
    Constant {
        /// Index of the column.
        column: usize,
    },
    /// A column is a linear combination of the others.
    #[error("column {column} is a linear combination of the others")]
    Collinear {
        /// Index of the column.
        column: usize,
    },
    /// The likelihood keeps rising while these coefficients go to infinity: the columns predict the outcome perfectly
    /// for some rows, or a level has no events.
    #[error("the coefficients of columns {columns:?} have no finite maximum")]
    Separation {
        /// Indices of the columns, ascending.
        columns: Vec<usize>,
    },
    /// There is no row, or none with a weight.
    #[error("there are no rows")]
    NoRows,
    /// No row has the event.
    #[error("there are no events")]
    NoEvents,
    /// Every row has the event, so a logistic model has nothing to tell apart.
    #[error("every row has the event")]
    OnlyEvents,
    /// The iterations ran out and no cause could be named.
    #[error("not converged after {iterations} evaluations")]
    NotConverged {
        /// Evaluations made.
        iterations: usize,
    },
    /// A sum is infinite or NaN, also with shorter steps.
    #[error("a sum is not finite")]
    NotFinite,
}

/// Where an estimator stands.
#[derive(Debug, Clone, PartialEq)]
pub enum State<'a, A> {
    /// It needs the sums of this question over all sites.
    Ask(A),
    /// It has converged.
    Done(&'a Fit),
    /// There is no result.
    Failed(&'a Why),
}

/// What an estimator does after convergence.
#[derive(Debug, Clone, PartialEq)]
pub struct MeatRequest {
    /// Sums to ask for; nothing is asked when all are off.
    pub kind: MeatKind,
    /// Information of the propensity model (packed q x q), unscaled, as its [`Fit`] reports it. M-estimation needs it.
    pub propensity_information: Option<Vec<f64>>,
    /// Analysed rows: the denominator of the treated share in stabilised weights.
    pub n: f64,
}

impl MeatRequest {
    /// No variance but the naive one.
    pub fn none() -> Self {
        let kind = MeatKind { robust: false, cluster: false, m_estimation: None };
        Self { kind, propensity_information: None, n: 0.0 }
    }
}

/// A converged fit. Covariances are p x p in the order of the design's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Coefficients (p).
    pub beta: Vec<f64>,
    /// Information at the maximum, packed.
    pub information: Vec<f64>,
    /// Inverse information.
    pub naive: Matrix,
    /// HC0; Lin-Wei for Cox.
    pub robust: Option<Matrix>,
    /// Clustered by site, without a small-sample factor. Here and in the other two, not numbers where the rank is less than
    /// p.
    pub cluster: Option<Matrix>,
    /// Sites behind it.
    pub clusters: Option<f64>,
    /// Accounts for the estimated propensity.
    pub m_estimation: Option<Matrix>,
    /// Log likelihood of the model without terms: all coefficients 0 for Cox, the intercept alone for logistic.
    pub loglik_null: f64,
    /// Log likelihood at the maximum.
    pub loglik: f64,
    /// U' I^-1 U at 0, Cox only: a score test at 0 of a logistic model would test the intercept as well.
    pub score_test: Option<f64>,
    /// Wald statistic of all terms (the intercept of a logistic model excepted), with the naive covariance.
    pub wald_test: f64,
    /// Evaluations of score and information.
    pub iterations: usize,
    /// Largest |U| / sqrt(I) over columns at the last evaluation: how far, in standard errors, the last step went.
    pub max_score: f64,
    /// What a penalised fit has beside: none of the others.
    pub penalised: Option<Penalised>,
}

/// What only a penalised fit (Firth, ridge) has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Penalised {
    /// Log likelihood with its penalty at the maximum. Firth: l + log |I| / 2, I of the columns as they were given (a
    /// shift of columns does not change it). Ridge: l - sum lambda b^2 / 2.
    pub loglik: f64,
    /// Ridge: effective degrees of freedom, trace I (I + Lambda)^-1, a free intercept included.
    pub df: Option<f64>,
}

impl Fit {
    /// -2 log likelihood of a logistic fit.
    pub fn deviance(&self) -> f64 {
        -2.0 * self.loglik
    }

    /// -2 log likelihood of a logistic fit with the intercept alone.
    pub fn null_deviance(&self) -> f64 {
        -2.0 * self.loglik_null
    }

    /// The fit for the columns themselves, when the estimator saw column j divided by `unit[j]` (1 where it was not).
    ///
    /// b / u, V / (u u'), I u u'; powers of two change no digit. log |I| of Firth's penalty is that of the columns as they
    /// are, 2 sum log u more; all other numbers stay.
    ///
    /// # Panics
    /// When `unit` does not have one element per column.
    #[must_use]
    pub fn rescale(&self, unit: &[f64]) -> Self {
        let p = self.beta.len();
        assert_eq!(unit.len(), p, "one unit per column");
        let covariance = |v: &Matrix| {
            let mut scaled = v.clone();
            for i in 0..p {
                for j in 0..p {
                    scaled[(i, j)] /= unit[i];
                    scaled[(i, j)] /= unit[j];
                }
            }
            scaled
        };
        let mut information = self.information.clone();
        for i in 0..p {
            for j in i..p {
                information[packed_at(i, j, p)] *= unit[i] * unit[j];
            }
        }
        let logs: f64 = unit.iter().map(|unit| libm::log(*unit)).sum();
        let jeffreys = |penalised: Penalised| match penalised.df {
            None => Penalised { loglik: penalised.loglik + logs, ..penalised },
            Some(_) => penalised,
        };
        Self {
            beta: self.beta.iter().zip(unit).map(|(b, unit)| b / unit).collect(),
            information,
            naive: covariance(&self.naive),
            robust: self.robust.as_ref().map(covariance),
            cluster: self.cluster.as_ref().map(covariance),
            m_estimation: self.m_estimation.as_ref().map(covariance),
            penalised: self.penalised.map(jeffreys),
            ..self.clone()
        }
    }

    /// The fit on the user's scale, when column j was centred at `centre[j]` (0 where it was not).
    ///
    /// Coefficients stay, but for an intercept: b0 - sum b c. Covariances become T V T' with T the identity but for
    /// -c in the row of the intercept, and the information changes with them.
    ///
    /// # Panics
    /// When `centre` does not have one element per column.
    #[must_use]
    pub fn uncentre(&self, centre: &[f64], intercept: Option<usize>) -> Self {
        let p = self.beta.len();
        assert_eq!(centre.len(), p, "one centre per column");
        let Some(intercept) = intercept else { return self.clone() };
        let (mut forth, mut back) = (Matrix::identity(p), Matrix::identity(p));
        let mut beta = self.beta.clone();
        for j in (0..p).filter(|&j| j != intercept) {
            forth[(intercept, j)] = -centre[j];
            back[(intercept, j)] = centre[j];
            beta[intercept] -= self.beta[j] * centre[j];
        }
        let information = pack(&back.transpose().around(&unpack(&self.information, p)));
        let turn = |covariance: &Option<Matrix>| covariance.as_ref().map(|v| forth.around(v));
        Self {
            beta,
            information,
            naive: forth.around(&self.naive),
            robust: turn(&self.robust),
            cluster: turn(&self.cluster),
            m_estimation: turn(&self.m_estimation),
            ..self.clone()
        }
    }
}
