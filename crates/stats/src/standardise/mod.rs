//! Standardisation: what the outcome would be on average with everybody treated and with everybody untreated.
//!
//! Three estimators for the two means mu_1 and mu_0 over the rows of all sites: predictions of a logistic model
//! ([`logistic`], the g-formula), predictions corrected by the propensity score ([`aipw`]), and survival at declared
//! times or restricted mean survival time from a Cox model ([`cox`], [`rmst`]). Every variance is the sum of squares of
//! the full influence function over n^2: the rows are a sample, and every model behind the means is estimated on them.
//!
//! All models are fitted by maximum likelihood without weights, penalties or strata: the variances rely on scores that
//! sum to zero. Rows come with the model's columns twice, see [`Counterfactual`].

pub mod aipw;
pub mod cox;
pub mod logistic;
mod moments;
pub mod rmst;

use crate::design::Design;
use crate::fit::Why;
use crate::survival::Estimate;

/// The columns of a fitted model for the same rows in either arm, in the parametrisation of its coefficients.
///
/// Columns that are products with the treatment change with it, so the two designs are all that a kernel needs.
#[derive(Clone, Copy)]
pub struct Counterfactual<'a> {
    /// The columns with everybody treated, n x p.
    pub if_treated: &'a Design,
    /// The columns with everybody untreated, n x p.
    pub if_control: &'a Design,
    /// Whether a row was treated, n.
    pub treated: &'a [bool],
}

impl Counterfactual<'_> {
    fn len(&self) -> usize {
        self.treated.len()
    }

    /// The columns as they were observed.
    fn observed(&self, i: usize) -> &[f64] {
        if self.treated[i] { self.if_treated.row(i) } else { self.if_control.row(i) }
    }

    fn check(&self, columns: usize) {
        for design in [self.if_treated, self.if_control] {
            assert_eq!((design.rows(), design.columns()), (self.len(), columns), "shape of a design");
        }
    }
}

/// The mean with everybody treated and the mean with everybody untreated, and how they vary together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// mu_1.
    pub treated: f64,
    /// mu_0.
    pub control: f64,
    /// Variance of mu_1, covariance, variance of mu_0.
    pub covariance: [f64; 3],
}

impl Means {
    /// [`Why::NotFinite`] when a number is infinite or NaN.
    fn new(treated: f64, control: f64, covariance: [f64; 3]) -> Result<Self, Why> {
        let finite = covariance.iter().chain([&treated, &control]).all(|value| value.is_finite());
        if finite { Ok(Self { treated, control, covariance }) } else { Err(Why::NotFinite) }
    }

    /// mu_1 with its standard error.
    pub fn treated_estimate(&self) -> Estimate {
        self.combine(self.treated, 1.0, 0.0)
    }

    /// mu_0 with its standard error.
    pub fn control_estimate(&self) -> Estimate {
        self.combine(self.control, 0.0, 1.0)
    }

    /// mu_1 - mu_0.
    pub fn difference(&self) -> Estimate {
        self.combine(self.treated - self.control, 1.0, -1.0)
    }

    /// log(mu_1 / mu_0), by the delta method; None unless both means are above 0.
    pub fn log_ratio(&self) -> Option<Estimate> {
        let positive = self.treated > 0.0 && self.control > 0.0;
        positive.then(|| self.combine(libm::log(self.treated / self.control), 1.0 / self.treated, -1.0 / self.control))
    }

    /// The log of the marginal odds ratio, by the delta method; None unless both means are between 0 and 1.
    pub fn log_odds_ratio(&self) -> Option<Estimate> {
        let odds = |mean: f64| (mean > 0.0 && mean < 1.0).then(|| (mean / (1.0 - mean), 1.0 / (mean * (1.0 - mean))));
        let ((odds_1, slope_1), (odds_0, slope_0)) = (odds(self.treated)?, odds(self.control)?);
        Some(self.combine(libm::log(odds_1 / odds_0), slope_1, -slope_0))
    }

    /// 1 - mu_1 and 1 - mu_0: risks from survival.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self { treated: 1.0 - self.treated, control: 1.0 - self.control, ..*self }
    }

    /// An estimate whose derivatives in mu_1 and mu_0 are `by_treated` and `by_control`.
    fn combine(&self, estimate: f64, by_treated: f64, by_control: f64) -> Estimate {
        let [v11, v10, v00] = self.covariance;
        let variance =
            by_treated * by_treated * v11 + 2.0 * by_treated * by_control * v10 + by_control * by_control * v00;
        // Rounding must not turn a variance of 0 (survival before the first event) into NaN.
        Estimate { estimate, std_error: variance.max(0.0).sqrt() }
    }
}

/// 1 / (1 + exp(-eta)) and its complement, both with all their digits.
#[allow(clippy::disallowed_methods, reason = "a site's own rows; the sum is broadcast, not recomputed elsewhere")]
fn expit(eta: f64) -> (f64, f64) {
    let small = (-eta.abs()).exp();
    let (minor, major) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if eta >= 0.0 { (major, minor) } else { (minor, major) }
}

/// x'b.
fn predictor(x: &[f64], beta: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (x, b) in x.iter().zip(beta) {
        sum += x * b;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrasts_by_hand() {
        let means = Means { treated: 0.5, control: 0.2, covariance: [0.04, 0.01, 0.01] };
        assert!((means.difference().estimate - 0.3).abs() < 1e-15);
        assert!((means.difference().std_error - libm::sqrt(0.03)).abs() < 1e-15);
        // Slopes 2 and -5: 4 x .04 - 20 x .01 + 25 x .01.
        let ratio = means.log_ratio().expect("positive");
        assert!((ratio.estimate - libm::log(2.5)).abs() < 1e-15);
        assert!((ratio.std_error - libm::sqrt(0.21)).abs() < 1e-15);
        // Slopes 4 and -6.25: 16 x .04 - 50 x .01 + 39.0625 x .01.
        let odds = means.log_odds_ratio().expect("inside");
        assert!((odds.estimate - libm::log(4.0)).abs() < 1e-15);
        assert!((odds.std_error - libm::sqrt(0.530_625)).abs() < 1e-15);
        assert_eq!(means.complement().treated_estimate().estimate, 0.5);
        assert_eq!(means.complement().control_estimate().std_error, means.control_estimate().std_error);
    }

    #[test]
    fn ratios_of_impossible_means() {
        let means = Means { treated: 1.0, control: 0.0, covariance: [0.0; 3] };
        assert_eq!((means.log_ratio(), means.log_odds_ratio()), (None, None));
        assert_eq!(Means::new(f64::NAN, 0.0, [0.0; 3]), Err(Why::NotFinite));
    }
}
