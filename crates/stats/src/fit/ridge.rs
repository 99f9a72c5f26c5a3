//! Ridge regression: log likelihood - sum lambda b^2 / 2, for logistic and Cox models.
//!
//! The penalty is known to everybody, so a ridge fit asks exactly what the fit without it asks, and everybody adds the
//! penalty to the opened sums: -lambda b^2 / 2, -lambda b, lambda.

use crate::cox::Ties;
use crate::matrix::Matrix;
use crate::packed::packed_at;

use super::{CoxAsk, CoxFit, Fit, LogisticAsk, LogisticFit, MeatRequest, Penalised, State};

/// One lambda per column.
#[derive(Debug, Clone, PartialEq)]
pub struct Penalty(Vec<f64>);

impl Penalty {
    /// The same `lambda` for each of `columns` columns on their raw scale, R's `ridge(scale = FALSE)`; column `free`,
    /// the intercept, is not penalised.
    ///
    /// # Panics
    /// When `lambda` is negative or not finite.
    pub fn raw(lambda: f64, columns: usize, free: Option<usize>) -> Self {
        Self::standardised(lambda, &vec![1.0; columns], free)
    }

    /// `lambda` for the coefficient of the standardised column: lambda variance_j per column, R's `ridge(scale = TRUE)`
    /// when `variances` are sample variances with n - 1; column `free`, the intercept, is not penalised.
    ///
    /// # Panics
    /// When `lambda` or a variance is negative or not finite.
    pub fn standardised(lambda: f64, variances: &[f64], free: Option<usize>) -> Self {
        let each: Vec<f64> =
            variances.iter().enumerate().map(|(j, v)| if free == Some(j) { 0.0 } else { lambda * v }).collect();
        assert!(each.iter().all(|l| l.is_finite() && *l >= 0.0), "a penalty is finite and not negative");
        Self(each)
    }

    /// Lambda per column.
    pub fn lambda(&self) -> &[f64] {
        &self.0
    }

    /// Covariance of the estimate around its own mean: V - V Lambda V, V = (I + Lambda)^-1 the `naive` covariance of a
    /// ridge fit (R's `var2` beside `var`).
    ///
    /// # Panics
    /// When `naive` does not have one column per lambda.
    pub fn sampling(&self, naive: &Matrix) -> Matrix {
        let p = self.0.len();
        assert_eq!((naive.rows(), naive.columns()), (p, p), "one lambda per column");
        let mut lambda = Matrix::zero(p, p);
        for (j, l) in self.0.iter().enumerate() {
            lambda[(j, j)] = -l;
        }
        naive.plus(&naive.around(&lambda))
    }

    /// Effective degrees of freedom, trace I (I + Lambda)^-1, a free intercept included: p - sum lambda V.
    ///
    /// # Panics
    /// When `naive` does not have one column per lambda.
    pub fn degrees_of_freedom(&self, naive: &Matrix) -> f64 {
        assert_eq!(naive.rows(), self.0.len(), "one lambda per column");
        let mut df = self.0.len() as f64;
        for (l, v) in self.0.iter().zip(naive.diagonal()) {
            df -= l * v;
        }
        df
    }

    /// sum lambda b^2 / 2.
    pub fn at(&self, beta: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (l, b) in self.0.iter().zip(beta) {
            sum += l * b * b / 2.0;
        }
        sum
    }

    /// Log likelihood, score and packed information of the penalised model.
    fn added_to(&self, sums: &[f64], beta: &[f64]) -> Vec<f64> {
        let p = self.0.len();
        let mut words = sums.to_vec();
        words[0] -= self.at(beta);
        for (j, l) in self.0.iter().enumerate() {
            words[1 + j] -= l * beta[j];
            words[1 + p + packed_at(j, j, p)] += l;
        }
        words
    }

    /// The result of a fit on penalised sums, whose last point is within rounding of `fit.beta`.
    fn result(&self, fit: &Fit) -> Fit {
        let penalised = Penalised { loglik: fit.loglik, df: Some(self.degrees_of_freedom(&fit.naive)) };
        // A score test with a penalised information tests nothing.
        let loglik = fit.loglik + self.at(&fit.beta);
        Fit { loglik, score_test: None, penalised: Some(penalised), ..fit.clone() }
    }
}

/// Ridge logistic regression with a free intercept in column 0.
///
/// Of its [`Fit`], `information` is I + Lambda and `naive` its inverse, robust covariances have that bread, `loglik` is
/// the log likelihood without the penalty.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeLogisticFit {
    inner: LogisticFit,
    penalty: Penalty,
    done: Option<Box<Fit>>,
}

impl RidgeLogisticFit {
    /// As [`LogisticFit::new`].
    ///
    /// # Panics
    /// When `scale` and `penalty` do not have one element per column, or the intercept has a penalty.
    pub fn new(q: usize, scale: Vec<f64>, penalty: Penalty, meat: MeatRequest) -> Self {
        assert_eq!(penalty.0.len(), q, "one lambda per column");
        assert!(penalty.0.first().is_none_or(|l| *l == 0.0), "the intercept is free");
        Self { inner: LogisticFit::new(q, scale, meat), penalty, done: None }
    }

    /// What is needed next, or how it ended.
    pub fn state(&self) -> State<'_, LogisticAsk<'_>> {
        self.done.as_ref().map_or_else(|| self.inner.state(), |fit| State::Done(fit))
    }

    /// Takes the sums over all sites of what [`RidgeLogisticFit::state`] asked. Nothing changes after the end.
    ///
    /// # Panics
    /// When `sums` does not have the length of the answer.
    pub fn tell(&mut self, sums: &[f64]) {
        match self.inner.state() {
            State::Ask(LogisticAsk::Step { beta }) => {
                let words = self.penalty.added_to(sums, beta);
                self.inner.tell(&words);
            }
            State::Ask(LogisticAsk::Meat { .. }) => self.inner.tell(sums),
            State::Done(_) | State::Failed(_) => return,
        }
        if let State::Done(fit) = self.inner.state() {
            self.done = Some(Box::new(self.penalty.result(fit)));
        }
    }
}

/// Ridge Cox regression over pooled risk sets.
///
/// Of its [`Fit`], `information` is I + Lambda and `naive` its inverse, robust covariances have that bread, `loglik` is
/// the log likelihood without the penalty, and there is no score test.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeCoxFit {
    inner: CoxFit,
    penalty: Penalty,
    done: Option<Box<Fit>>,
}

impl RidgeCoxFit {
    /// As [`CoxFit::new`], with as many columns as the penalty.
    ///
    /// # Panics
    /// When lengths do not agree or the cells do not ascend.
    pub fn new(
        scale: Vec<f64>,
        cells: Vec<u32>,
        deaths: Vec<f64>,
        ties: Ties,
        weighted: bool,
        penalty: Penalty,
        meat: MeatRequest,
    ) -> Self {
        let inner = CoxFit::new(penalty.0.len(), scale, cells, deaths, ties, weighted, meat);
        Self { inner, penalty, done: None }
    }

    /// What is needed next, or how it ended.
    pub fn state(&self) -> State<'_, CoxAsk<'_>> {
        self.done.as_ref().map_or_else(|| self.inner.state(), |fit| State::Done(fit))
    }

    /// Takes the sums over all sites of what [`RidgeCoxFit::state`] asked. Nothing changes after the end.
    ///
    /// # Panics
    /// When `sums` does not have the length of the answer.
    pub fn tell(&mut self, sums: &[f64]) {
        match self.inner.state() {
            State::Ask(CoxAsk::Step { beta, .. }) => {
                let words = self.penalty.added_to(sums, beta);
                self.inner.tell(&words);
            }
            State::Ask(_) => self.inner.tell(sums),
            State::Done(_) | State::Failed(_) => return,
        }
        if let State::Done(fit) = self.inner.state() {
            self.done = Some(Box::new(self.penalty.result(fit)));
        }
    }
}
