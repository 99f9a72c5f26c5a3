//! Rubin's rules: one result from the M completed analyses. Replicated code: `libm` only.

use crate::matrix::Matrix;
use crate::packed::{Factor, pack};
use crate::student::{f_upper, student_quantile, student_two_sided};

/// Least share of the missing data that degrees of freedom are computed from, as in mice: without variation between the
/// imputations they would be infinite, and 4e8 for five imputations are as good.
const LEAST_LAMBDA: f64 = 1e-4;

/// Least degrees of freedom of a p value and an interval: below, the tail of Student's t leaves f64. So few come of
/// nothing but a few complete degrees of freedom of which nearly all is missing; mice has 0.001 here.
const LEAST_DF: f64 = 0.1;

/// Why analyses cannot be pooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The variance between imputations needs two.
    #[error("{got} analyses cannot be pooled, two or more can")]
    TooFew {
        /// Analyses given.
        got: usize,
    },
    /// An estimate is not finite, or a variance is not finite and positive.
    #[error("analysis {analysis} has no finite estimate with a positive variance")]
    NoEstimate {
        /// Index of the first such analysis.
        analysis: usize,
    },
    /// The mean covariance has no inverse.
    #[error("the mean covariance is not positive definite")]
    Singular,
}

/// A pooled estimate, as `mice::pool` reports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pooled {
    /// Number of imputations M.
    pub imputations: usize,
    /// Mean of the estimates.
    pub estimate: f64,
    /// U, the mean of the variances.
    pub within: f64,
    /// B, the variance of the estimates, with M - 1.
    pub between: f64,
    /// T = U + (1 + 1/M) B.
    pub total: f64,
    /// r = (1 + 1/M) B / U, the relative increase in variance due to the missing data.
    pub relative_increase: f64,
    /// (1 + 1/M) B / T, the share of the variance due to the missing data.
    pub lambda: f64,
    /// Fraction of missing information, (r + 2 / (df + 3)) / (r + 1).
    pub fmi: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// sqrt T.
    pub std_error: f64,
    /// Estimate / standard error.
    pub statistic: f64,
    /// Two-sided p value by Student's t.
    pub p_value: f64,
    /// Lower end of the 95% interval by Student's t.
    pub conf_low: f64,
    /// Upper end of the 95% interval by Student's t.
    pub conf_high: f64,
}

impl Pooled {
    /// The mean of the estimates, where an analysis has no variance: everything else is not a number.
    #[must_use]
    pub fn without_variance(estimates: &[f64]) -> Self {
        let none = f64::NAN;
        Self {
            imputations: estimates.len(),
            estimate: mean(estimates),
            within: none,
            between: none,
            total: none,
            relative_increase: none,
            lambda: none,
            fmi: none,
            df: none,
            std_error: none,
            statistic: none,
            p_value: none,
            conf_low: none,
            conf_high: none,
        }
    }
}

/// Pools one coefficient: `estimates` and `variances` (squared standard errors) of M analyses, on the scale of the
/// coefficient.
///
/// `complete_df` are the degrees of freedom that the analysis would have without missing data: rows - coefficients of a
/// linear or logistic model, events - coefficients of a Cox model, as mice takes them. When infinite, the pooled
/// ones are Rubin's (1987) (M - 1) / lambda^2; else Barnard and Rubin's (1999): the harmonic combination of these with
/// (v + 1) / (v + 3) v (1 - lambda), v = `complete_df`.
///
/// # Panics
/// When the lengths differ or `complete_df` is not above 0.
pub fn pool(estimates: &[f64], variances: &[f64], complete_df: f64) -> Result<Pooled, PoolError> {
    let imputations = estimates.len();
    assert_eq!(variances.len(), imputations, "one variance per estimate");
    assert!(complete_df > 0.0, "degrees of freedom above zero");
    if imputations < 2 {
        return Err(PoolError::TooFew { got: imputations });
    }
    let missing = |(q, u): (&f64, &f64)| !(q.is_finite() && u.is_finite() && *u > 0.0);
    if let Some(analysis) = estimates.iter().zip(variances).position(missing) {
        return Err(PoolError::NoEstimate { analysis });
    }
    let m = imputations as f64;
    let (estimate, within) = (mean(estimates), mean(variances));
    let mut squares = 0.0;
    for q in estimates {
        squares += (q - estimate) * (q - estimate);
    }
    let between = squares / (m - 1.0);
    let added = (1.0 + 1.0 / m) * between;
    let total = within + added;
    let (relative_increase, lambda) = (added / within, added / total);
    let df = degrees_of_freedom(m, lambda.max(LEAST_LAMBDA), complete_df);
    let std_error = total.sqrt();
    let statistic = estimate / std_error;
    let tail_df = df.max(LEAST_DF);
    let half = student_quantile(0.05, tail_df) * std_error;
    Ok(Pooled {
        imputations,
        estimate,
        within,
        between,
        total,
        relative_increase,
        lambda,
        fmi: (relative_increase + 2.0 / (df + 3.0)) / (relative_increase + 1.0),
        df,
        std_error,
        statistic,
        p_value: student_two_sided(statistic, tail_df),
        conf_low: estimate - half,
        conf_high: estimate + half,
    })
}

fn degrees_of_freedom(m: f64, lambda: f64, complete: f64) -> f64 {
    let rubin = (m - 1.0) / (lambda * lambda);
    if complete == f64::INFINITY {
        return rubin;
    }
    let observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - lambda);
    rubin * observed / (rubin + observed)
}

/// A pooled test of several coefficients being 0 together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PooledTest {
    /// The F statistic D1.
    pub statistic: f64,
    /// Number of coefficients.
    pub df1: usize,
    /// Degrees of freedom of the denominator.
    pub df2: f64,
    /// Mean relative increase in variance due to the missing data, (1 + 1/M) tr(B U^-1) / k.
    pub relative_increase: f64,
    /// Upper tail.
    pub p_value: f64,
}

/// Wald test D1 of k coefficients (Li, Raghunathan and Rubin 1991) from the `estimates` (M of k) and their
/// `covariances` (M of k x k): D1 = b' U^-1 b / (k (1 + r)) with the mean estimates b, the mean covariance U and r the
/// mean relative increase. D1 has k and v degrees of freedom: with t = k (M - 1) above 4,
/// v = 4 + (t - 4) (1 + (1 - 2/t) / r)^2, else v = t (1 + 1/k) (1 + 1/r)^2 / 2. The complete data are taken to have
/// infinitely many.
///
/// # Panics
/// When the shapes do not agree or there are no coefficients.
pub fn pool_test(estimates: &[Vec<f64>], covariances: &[Matrix]) -> Result<PooledTest, PoolError> {
    let imputations = estimates.len();
    assert_eq!(covariances.len(), imputations, "one covariance per analysis");
    if imputations < 2 {
        return Err(PoolError::TooFew { got: imputations });
    }
    let k = estimates[0].len();
    assert!(k > 0, "at least one coefficient");
    for (analysis, (b, v)) in estimates.iter().zip(covariances).enumerate() {
        assert_eq!((b.len(), v.rows(), v.columns()), (k, k, k), "shapes of analysis and covariance");
        let finite = b.iter().chain(v.values()).all(|value| value.is_finite());
        if !(finite && v.diagonal().iter().all(|v| *v > 0.0)) {
            return Err(PoolError::NoEstimate { analysis });
        }
    }
    let m = imputations as f64;
    let column = |j: usize| estimates.iter().map(|b| b[j]).collect::<Vec<_>>();
    let centre: Vec<f64> = (0..k).map(|j| mean(&column(j))).collect();
    let sum = covariances[1..].iter().fold(covariances[0].clone(), |sum, v| sum.plus(v));
    let within = Matrix::new(k, k, sum.values().iter().map(|v| v / m).collect());
    let factor = Factor::new(&pack(&within), k).map_err(|_| PoolError::Singular)?;

    // tr(B U^-1) = sum over analyses of (b_m - b)' U^-1 (b_m - b) / (M - 1).
    let mut trace = 0.0;
    for b in estimates {
        let away: Vec<f64> = b.iter().zip(&centre).map(|(b, c)| b - c).collect();
        trace += dot(&away, &factor.solve(&away)) / (m - 1.0);
    }
    let terms = k as f64;
    let r = (1.0 + 1.0 / m) * trace / terms;
    let statistic = dot(&centre, &factor.solve(&centre)) / (terms * (1.0 + r));
    let df2 = test_df(terms, m, r);
    Ok(PooledTest { statistic, df1: k, df2, relative_increase: r, p_value: f_upper(statistic, k, df2) })
}

/// Without variation between the imputations (r = 0) they are infinite.
fn test_df(k: f64, m: f64, r: f64) -> f64 {
    let t = k * (m - 1.0);
    if t > 4.0 {
        let inner = 1.0 + (1.0 - 2.0 / t) / r;
        4.0 + (t - 4.0) * inner * inner
    } else {
        let inner = 1.0 + 1.0 / r;
        t * (1.0 + 1.0 / k) * inner * inner / 2.0
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (a, b) in a.iter().zip(b) {
        sum += a * b;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::NORMAL_975;

    #[test]
    fn two_analyses_by_hand() {
        // Estimates 1 and 3 with variances 1 and 2: U = 3/2, B = 2, T = 3/2 + 3, r = 2, lambda = 2/3, df = 9/4.
        let pooled = pool(&[1.0, 3.0], &[1.0, 2.0], f64::INFINITY).expect("two");
        assert_eq!((pooled.estimate, pooled.within, pooled.between, pooled.total), (2.0, 1.5, 2.0, 4.5));
        assert_eq!(pooled.relative_increase, 2.0);
        assert!((pooled.df - 2.25).abs() < 1e-14);
        assert!((pooled.fmi - (2.0 + 2.0 / 5.25) / 3.0).abs() < 1e-15);
        // 9 complete degrees of freedom: observed 10/12 x 9 x 1/3 = 5/2, combined 5.625 / 4.75.
        let few = pool(&[1.0, 3.0], &[1.0, 2.0], 9.0).expect("two");
        assert!((few.df - 5.625 / 4.75).abs() < 1e-14);
    }

    #[test]
    fn analyses_that_agree_are_one() {
        let pooled = pool(&[-1.0; 5], &[0.25; 5], f64::INFINITY).expect("five");
        assert_eq!((pooled.estimate, pooled.std_error, pooled.lambda), (-1.0, 0.5, 0.0));
        assert!((pooled.df / 4e8 - 1.0).abs() < 1e-14);
        assert!((pooled.conf_high - (-1.0 + 0.5 * NORMAL_975)).abs() < 1e-8);
        let v = Matrix::new(2, 2, vec![2.0, 1.0, 1.0, 2.0]);
        let test = pool_test(&vec![vec![1.0, 3.0]; 3], &vec![v; 3]).expect("three");
        assert!((test.statistic - 7.0 / 3.0).abs() < 1e-14);
        assert_eq!((test.df2, test.relative_increase), (f64::INFINITY, 0.0));
        assert!((test.p_value / libm::exp(-7.0 / 3.0) - 1.0).abs() < 1e-13);
    }

    #[test]
    fn order_and_unit_do_not_matter() {
        let (q, u) = ([0.5, 0.9, 0.2], [0.1, 0.12, 0.09]);
        let one = pool(&q, &u, 40.0).expect("three");
        let turned = pool(&[0.2, 0.5, 0.9], &[0.09, 0.1, 0.12], 40.0).expect("three");
        let scaled = pool(&q.map(|q| -8.0 * q), &u.map(|u| 64.0 * u), 40.0).expect("three");
        for other in [&turned, &scaled] {
            assert!((one.df / other.df - 1.0).abs() < 1e-13);
            assert!((one.fmi / other.fmi - 1.0).abs() < 1e-13);
            assert!((one.p_value / other.p_value - 1.0).abs() < 1e-12);
        }
        assert!((scaled.conf_low / (-8.0 * one.conf_high) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_coefficient_alone() {
        // D1 of one coefficient is the square of its statistic.
        let (q, u) = ([0.5, 0.9, 0.2, 0.6, 0.7, 0.3], [0.1, 0.12, 0.09, 0.1, 0.11, 0.1]);
        let pooled = pool(&q, &u, f64::INFINITY).expect("six");
        let matrices: Vec<Matrix> = u.iter().map(|u| Matrix::new(1, 1, vec![*u])).collect();
        let test = pool_test(&q.map(|q| vec![q]), &matrices).expect("six");
        assert!((test.statistic / (pooled.statistic * pooled.statistic) - 1.0).abs() < 1e-14);
        assert!((test.relative_increase / pooled.relative_increase - 1.0).abs() < 1e-14);
    }

    #[test]
    fn nothing_to_pool() {
        assert_eq!(pool(&[1.0], &[1.0], 5.0), Err(PoolError::TooFew { got: 1 }));
        for (q, u) in [([1.0, f64::NAN], [1.0, 1.0]), ([1.0, 1.0], [1.0, 0.0]), ([1.0, 1.0], [1.0, f64::INFINITY])] {
            assert_eq!(pool(&q, &u, 5.0), Err(PoolError::NoEstimate { analysis: 1 }));
        }
        let flat = Matrix::new(2, 2, vec![1.0; 4]);
        let two = vec![vec![1.0, 2.0], vec![1.0, 3.0]];
        assert_eq!(pool_test(&two, &[flat.clone(), flat]), Err(PoolError::Singular));
    }
}
