//! Tests and intervals from estimates and covariances. Replicated code: `libm` only.
//!
//! Upper tails come from survival functions, never from 1 - cdf, so that a p value of 1e-78 keeps its relative digits.

use serde::{Deserialize, Serialize};

use crate::matrix::Matrix;
use crate::packed::{Factor, Singular, pack};

/// 97.5% quantile of the standard normal distribution, R's `qnorm(.975)`.
pub const NORMAL_975: f64 = 1.959_963_984_540_054;

/// A Wald test of one coefficient with its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wald {
    /// Estimate / standard error.
    pub statistic: f64,
    /// Two-sided normal p value.
    pub p_value: f64,
    /// Estimate - 1.96 standard errors.
    pub conf_low: f64,
    /// Estimate + 1.96 standard errors.
    pub conf_high: f64,
}

/// Wald test and interval of `estimate` with standard error `std_error`.
pub fn wald(estimate: f64, std_error: f64) -> Wald {
    let statistic = estimate / std_error;
    Wald {
        statistic,
        p_value: normal_two_sided(statistic),
        conf_low: estimate - NORMAL_975 * std_error,
        conf_high: estimate + NORMAL_975 * std_error,
    }
}

/// P(|Z| >= |z|) of a standard normal Z: erfc(|z| / sqrt 2).
pub fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// A chi-square test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChiSquare {
    /// Test statistic.
    pub statistic: f64,
    /// Degrees of freedom.
    pub df: usize,
    /// Upper tail.
    pub p_value: f64,
}

impl ChiSquare {
    /// A statistic with its upper tail.
    pub fn new(statistic: f64, df: usize) -> Self {
        Self { statistic, df, p_value: chi_square_upper(statistic, df) }
    }
}

/// P(X >= x) of a chi-square X with whole degrees of freedom `df`; 1 for x <= 0.
///
/// With h = x / 2, even df: exp(-h) sum h^k / k! for k < df / 2; odd df: erfc(sqrt h) + exp(-h) sum h^(k + 1/2) /
/// Gamma(k + 3/2) for k < (df - 1) / 2. All terms are positive, so the relative error stays at rounding.
pub fn chi_square_upper(x: f64, df: usize) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let h = x / 2.0;
    let density = libm::exp(-h);
    let odd = df % 2 == 1;
    let (mut tail, mut term, mut order) = if odd {
        // Gamma(3/2) = sqrt(pi) / 2.
        (libm::erfc(h.sqrt()), density * h.sqrt() * std::f64::consts::FRAC_2_SQRT_PI, 1.5)
    } else {
        (0.0, density, 1.0)
    };
    for _ in 0..df / 2 {
        tail += term;
        term *= h / order;
        order += 1.0;
    }
    tail
}

/// Wald test of the coefficients `terms` being 0 together: b' V^-1 b with V their part of `covariance`.
pub fn wald_test(beta: &[f64], covariance: &Matrix, terms: &[usize]) -> Result<ChiSquare, Singular> {
    let k = terms.len();
    let values = terms.iter().flat_map(|&i| terms.iter().map(move |&j| covariance[(i, j)])).collect();
    let b: Vec<f64> = terms.iter().map(|&i| beta[i]).collect();
    let solved = Factor::new(&pack(&Matrix::new(k, k, values)), k)?.solve(&b);
    let mut statistic = 0.0;
    for (b, s) in b.iter().zip(solved) {
        statistic += b * s;
    }
    Ok(ChiSquare::new(statistic, k))
}

/// Likelihood ratio test of a model with log likelihood `loglik` against a submodel with `df` terms fewer.
pub fn likelihood_ratio(loglik: f64, loglik_sub: f64, df: usize) -> ChiSquare {
    ChiSquare::new(2.0 * (loglik - loglik_sub), df)
}

/// Pearson's chi-square of a 2 x k table of counts, without a continuity correction. Levels that are empty in both arms
/// are left out; None when fewer than two levels or an empty arm remain.
///
/// # Panics
/// When the arms do not have the same number of levels.
pub fn pearson(control: &[f64], treated: &[f64]) -> Option<ChiSquare> {
    assert_eq!(control.len(), treated.len(), "the same levels in both arms");
    let (n0, n1) = (control.iter().sum::<f64>(), treated.iter().sum::<f64>());
    let levels: Vec<(f64, f64)> =
        control.iter().copied().zip(treated.iter().copied()).filter(|(c, t)| c + t > 0.0).collect();
    if levels.len() < 2 || n0 <= 0.0 || n1 <= 0.0 {
        return None;
    }
    let mut statistic = 0.0;
    for (c, t) in &levels {
        for (observed, arm) in [(c, n0), (t, n1)] {
            let expected = (c + t) * arm / (n0 + n1);
            statistic += (observed - expected) * (observed - expected) / expected;
        }
    }
    Some(ChiSquare::new(statistic, levels.len() - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
    }

    #[test]
    fn tails_keep_relative_digits() {
        // 2 pnorm(-x) and pchisq(x, df, lower = FALSE), 50-digit arithmetic.
        close(normal_two_sided(18.7), 4.950_471_690_285_017e-78);
        close(chi_square_upper(3.841_458_820_694_124, 1), 0.05);
        close(chi_square_upper(349.69, 1), 4.950_471_690_285_017e-78);
        close(chi_square_upper(5.0, 2), libm::exp(-2.5));
        close(chi_square_upper(10.0, 4), 6.0 * libm::exp(-5.0));
        close(chi_square_upper(10.0, 3), 0.018_566_135_463_043_233);
        close(chi_square_upper(600.0, 8), 2.340_011_961_912_955e-124);
        assert_eq!(chi_square_upper(0.0, 3), 1.0);
    }

    #[test]
    fn quantile_and_tail_agree() {
        close(normal_two_sided(NORMAL_975), 0.05);
        let w = wald(-1.0, 0.5);
        assert_eq!((w.statistic, w.conf_low), (-2.0, -1.0 - NORMAL_975 * 0.5));
    }

    #[test]
    fn wald_test_by_hand() {
        // V = [[2, 1], [1, 2]], V^-1 = [[2, -1], [-1, 2]] / 3; b = (1, 3): (2 + 18 - 6) / 3.
        let v = Matrix::new(3, 3, vec![2.0, 9.0, 1.0, 9.0, 9.0, 9.0, 1.0, 9.0, 2.0]);
        close(wald_test(&[1.0, 7.0, 3.0], &v, &[0, 2]).expect("regular").statistic, 14.0 / 3.0);
    }

    #[test]
    fn pearson_by_hand() {
        // 10 / 20 against 30 / 40: n (ad - bc)^2 / (row and column totals) = 100 (400 - 600)^2 / (30 x 70 x 40 x 60).
        let test = pearson(&[10.0, 20.0, 0.0], &[30.0, 40.0, 0.0]).expect("two levels");
        close(test.statistic, 100.0 * 200.0 * 200.0 / (30.0 * 70.0 * 40.0 * 60.0));
        assert_eq!(test.df, 1);
        assert_eq!(pearson(&[1.0, 0.0], &[1.0, 0.0]), None);
        assert_eq!(pearson(&[0.0, 0.0], &[1.0, 2.0]), None);
    }
}
