//! Draws of an imputation model's coefficients from their approximate posterior. Replicated code: `libm` only.
//!
//! beta* = beta + L z with L the lower Cholesky factor of the covariance in the order of the columns, L L' = V, and z
//! standard normal: R's `beta + t(chol(V)) %*% z`, as in `mice.impute.logreg` and `mice.impute.norm`. Which beta*
//! belongs to a z depends on the parametrisation (centring, order of the columns); its distribution does not.

use crate::linear::LinearFit;
use crate::matrix::Matrix;
use crate::random::{chi_square, normal};

/// A pivot of the unit-diagonal covariance below this is lost in rounding: the columns are as good as dependent.
const PIVOT: f64 = 1e-13;

/// The covariance of the coefficients is not positive definite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the covariance of the coefficients is not positive definite at column {column}")]
pub struct NotPositive {
    /// Index of the first column that depends on those before it.
    pub column: usize,
}

/// beta + L z for given normal variates `z`, one per coefficient. A logistic model's covariance is its inverse
/// information, [`crate::fit::Fit::naive`].
///
/// # Panics
/// When the lengths of `beta`, `covariance` and `z` do not agree.
pub fn around(beta: &[f64], covariance: &Matrix, z: &[f64]) -> Result<Vec<f64>, NotPositive> {
    let q = beta.len();
    assert_eq!((covariance.rows(), covariance.columns(), z.len()), (q, q, q), "lengths of a draw");
    let lower = cholesky(covariance)?;
    Ok((0..q)
        .map(|i| {
            let mut sum = 0.0;
            for j in 0..=i {
                sum += lower[(i, j)] * z[j];
            }
            beta[i] + sum
        })
        .collect())
}

/// [`around`] with z from the next words, one per coefficient.
///
/// # Panics
/// When `covariance` does not have one row per coefficient.
pub fn coefficients(
    beta: &[f64],
    covariance: &Matrix,
    mut words: impl FnMut() -> u64,
) -> Result<Vec<f64>, NotPositive> {
    let z: Vec<f64> = beta.iter().map(|_| normal(words())).collect();
    around(beta, covariance, &z)
}

/// A draw of a normal linear model.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearDraw {
    /// Coefficients (q).
    pub beta: Vec<f64>,
    /// Residual standard deviation.
    pub sigma: f64,
}

impl LinearDraw {
    /// sigma* = sqrt(RSS / `chi_square`), beta* = beta + sigma* L z with L L' = (X'X)^-1: mice's `norm` given its
    /// variates.
    ///
    /// # Panics
    /// When `z` does not have one variate per coefficient.
    pub fn given(fit: &LinearFit, chi_square: f64, z: &[f64]) -> Result<Self, NotPositive> {
        let sigma = (fit.residual_sum / chi_square).sqrt();
        let scaled: Vec<f64> = z.iter().map(|z| sigma * z).collect();
        Ok(Self { beta: around(&fit.beta, &fit.inverse, &scaled)?, sigma })
    }

    /// [`LinearDraw::given`] with a chi-square variate of max(n - q, 1) degrees of freedom from the next words, then z.
    pub fn new(fit: &LinearFit, mut words: impl FnMut() -> u64) -> Result<Self, NotPositive> {
        let chi_square = chi_square(fit.df().max(1.0) as usize, &mut words);
        let z: Vec<f64> = fit.beta.iter().map(|_| normal(words())).collect();
        Self::given(fit, chi_square, &z)
    }
}

/// The lower triangular L with L L' = `v`.
fn cholesky(v: &Matrix) -> Result<Matrix, NotPositive> {
    let q = v.rows();
    let mut lower = Matrix::zero(q, q);
    for j in 0..q {
        for i in j..q {
            let mut rest = v[(i, j)];
            for k in 0..j {
                rest -= lower[(i, k)] * lower[(j, k)];
            }
            if i > j {
                lower[(i, j)] = rest / lower[(j, j)];
            } else if rest > PIVOT * v[(j, j)] && rest.is_finite() {
                lower[(j, j)] = rest.sqrt();
            } else {
                return Err(NotPositive { column: j });
            }
        }
    }
    Ok(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_by_hand() {
        // [[4, 2], [2, 5]] = L L' with L = [[2, 0], [1, 2]].
        let v = Matrix::new(2, 2, vec![4.0, 2.0, 2.0, 5.0]);
        assert_eq!(around(&[1.0, -1.0], &v, &[3.0, 0.5]), Ok(vec![7.0, 3.0]));
        let dependent = Matrix::new(2, 2, vec![4.0, 2.0, 2.0, 1.0]);
        assert_eq!(around(&[0.0; 2], &dependent, &[0.0; 2]), Err(NotPositive { column: 1 }));
        assert_eq!(around(&[], &Matrix::zero(0, 0), &[]), Ok(vec![]));
    }

    #[test]
    fn linear_draw_by_hand() {
        // RSS 8 over 2: sigma 2; (X'X)^-1 = 1/4, L = 1/2: beta 3 + 2 x 1/2 x -1.
        let fit = LinearFit { n: 5.0, beta: vec![3.0], inverse: Matrix::new(1, 1, vec![0.25]), residual_sum: 8.0 };
        assert_eq!(LinearDraw::given(&fit, 2.0, &[-1.0]), Ok(LinearDraw { beta: vec![2.0], sigma: 2.0 }));
        // As many rows as columns: one degree of freedom, and the line itself.
        let exact = LinearFit { n: 1.0, residual_sum: 0.0, ..fit };
        assert_eq!(LinearDraw::new(&exact, || 7), Ok(LinearDraw { beta: vec![3.0], sigma: 0.0 }));
    }
}
