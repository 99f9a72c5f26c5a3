//! Linear regression at a site: the normal equations of its rows in one pass, and the fit from their sums over all
//! sites.
//!
//! b = (X'WX)^-1 X'Wy; residual sum of squares y'Wy - b'X'Wy; R's `lm(y ~ x, weights = w)`. The last difference keeps
//! its digits when y and the columns are centred near their means, as everywhere in this crate.

use crate::design::Design;
use crate::gram::{CHUNK, Chunk};
use crate::matrix::Matrix;
use crate::packed::{Factor, Singular, packed_at, packed_len};
use crate::total::{BLOCK, Total};

/// The rows of one linear model at a site, in any fixed order.
#[derive(Clone, Copy)]
pub struct LinearRows<'a> {
    /// Terms, n x q, with the intercept among them if the model has one.
    pub x: &'a Design,
    /// Outcome, n, centred at one value for the whole study.
    pub y: &'a [f64],
    /// Weights, n, at least 0; all 1 when absent. A row of weight 0 is left out.
    pub w: Option<&'a [f64]>,
}

/// Words of [`normal_equations`] with `q` columns: n, y'Wy, X'Wy (q), X'WX packed (q (q + 1) / 2).
pub const fn normal_equations_len(q: usize) -> usize {
    2 + q + packed_len(q)
}

/// Adds n, y'Wy, X'Wy and X'WX packed to `total`, in blocks of [`BLOCK`] rows; n counts the rows with a weight.
///
/// # Panics
/// When lengths of the rows do not agree.
pub fn normal_equations(rows: &LinearRows<'_>, total: &mut dyn Total) {
    let (n, q) = (rows.x.rows(), rows.x.columns());
    assert_eq!(rows.y.len(), n, "length of the outcome");
    assert!(rows.w.is_none_or(|w| w.len() == n), "length of the weights");
    let mut chunk = Chunk::new(q);
    let mut block = vec![0.0; normal_equations_len(q)];
    for first in (0..n).step_by(BLOCK) {
        let end = n.min(first + BLOCK);
        block.fill(0.0);
        for start in (first..end).step_by(CHUNK) {
            let size = CHUNK.min(end - start);
            chunk.load(rows.x, start, size);
            let (mut weight, mut weighted) = ([0.0; CHUNK], [0.0; CHUNK]);
            for (r, i) in (start..start + size).enumerate() {
                let w = rows.w.map_or(1.0, |w| w[i]);
                if w > 0.0 {
                    weight[r] = w;
                    weighted[r] = w * rows.y[i];
                    block[0] += 1.0;
                    block[1] += weighted[r] * rows.y[i];
                }
            }
            let (moments, gram) = block[2..].split_at_mut(q);
            chunk.column_sums(&weighted, moments);
            chunk.gram(&weight, gram);
        }
        total.add(0, &block);
    }
}

/// The words of the model with these columns alone (ascending), from those of [`normal_equations`] with `q`.
///
/// # Panics
/// When `words` does not have the length of the answer, or a column does not exist.
pub fn among(words: &[f64], q: usize, columns: &[usize]) -> Vec<f64> {
    assert_eq!(words.len(), normal_equations_len(q), "length of the normal equations");
    let (moments, gram) = words[2..].split_at(q);
    let mut kept = vec![words[0], words[1]];
    kept.extend(columns.iter().map(|j| moments[*j]));
    for (i, a) in columns.iter().enumerate() {
        kept.extend(columns[i..].iter().map(|b| gram[packed_at(*a, *b, q)]));
    }
    kept
}

/// The information of the model, packed: X'WX of the words of [`normal_equations`] with `q` columns.
pub fn information(words: &[f64], q: usize) -> &[f64] {
    &words[2 + q..]
}

/// Why there is no linear fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinearError {
    /// There is no row, or none with a weight.
    #[error("there are no rows")]
    NoRows,
    /// A sum is infinite or NaN.
    #[error("a sum is not finite")]
    NotFinite,
    /// A column is zero or a linear combination of the others.
    #[error("the columns are not independent")]
    Singular(#[source] Singular),
}

/// A least-squares fit.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearFit {
    /// Rows with a weight.
    pub n: f64,
    /// Coefficients (q).
    pub beta: Vec<f64>,
    /// (X'WX)^-1, q x q, the covariance of the coefficients for a residual variance of 1.
    pub inverse: Matrix,
    /// Weighted residual sum of squares, at least 0.
    pub residual_sum: f64,
}

impl LinearFit {
    /// The fit of `q` columns from the words of [`normal_equations`] over all sites.
    ///
    /// # Panics
    /// When `words` does not have the length of the answer.
    pub fn new(q: usize, words: &[f64]) -> Result<Self, LinearError> {
        assert_eq!(words.len(), normal_equations_len(q), "length of the normal equations");
        if !words.iter().all(|word| word.is_finite()) {
            return Err(LinearError::NotFinite);
        }
        let (n, square) = (words[0], words[1]);
        if n < 1.0 {
            return Err(LinearError::NoRows);
        }
        let (moments, gram) = words[2..].split_at(q);
        let factor = Factor::new(gram, q).map_err(LinearError::Singular)?;
        let beta = factor.solve(moments);
        let mut explained = 0.0;
        for (b, moment) in beta.iter().zip(moments) {
            explained += b * moment;
        }
        Ok(Self { n, beta, inverse: factor.inverse(), residual_sum: (square - explained).max(0.0) })
    }

    /// Residual degrees of freedom, n - q; 0 when every row has its own column.
    pub fn df(&self) -> f64 {
        (self.n - self.beta.len() as f64).max(0.0)
    }

    /// Residual sum of squares / degrees of freedom; None without degrees of freedom.
    pub fn residual_variance(&self) -> Option<f64> {
        (self.df() > 0.0).then(|| self.residual_sum / self.df())
    }

    /// Covariance of the coefficients, q x q; None without degrees of freedom.
    pub fn covariance(&self) -> Option<Matrix> {
        let q = self.beta.len();
        let variance = self.residual_variance()?;
        Some(Matrix::new(q, q, self.inverse.values().iter().map(|v| variance * v).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total::Plain;

    fn fit(x: &Design, y: &[f64], w: Option<&[f64]>) -> Result<LinearFit, LinearError> {
        let q = x.columns();
        let mut total = Plain::zero(normal_equations_len(q));
        normal_equations(&LinearRows { x, y, w }, &mut total);
        LinearFit::new(q, &total.0)
    }

    #[test]
    fn line_by_hand() {
        // y = 1, 2, 6 at x = -1, 0, 1: slope 5/2, intercept 3, residuals 1/2, -1, 1/2.
        let x = Design::new(3, 2, vec![1.0, -1.0, 1.0, 0.0, 1.0, 1.0]);
        let line = fit(&x, &[1.0, 2.0, 6.0], None).expect("regular");
        assert!((line.beta[0] - 3.0).abs() < 1e-15 && (line.beta[1] - 2.5).abs() < 1e-15);
        assert!((line.residual_sum - 1.5).abs() < 1e-14);
        assert_eq!(line.df(), 1.0);
        let covariance = line.covariance().expect("one degree of freedom");
        assert!((covariance[(0, 0)] - 0.5).abs() < 1e-14 && (covariance[(1, 1)] - 0.75).abs() < 1e-14);
    }

    #[test]
    fn a_row_of_weight_zero_is_left_out() {
        let x = Design::new(3, 1, vec![1.0, 1.0, 1.0]);
        let mean = fit(&x, &[1.0, 4.0, 1e300], Some(&[1.0, 2.0, 0.0])).expect("regular");
        assert_eq!((mean.n, mean.df()), (2.0, 1.0));
        assert!((mean.beta[0] - 3.0).abs() < 1e-15 && (mean.residual_sum - 6.0).abs() < 1e-14);
    }

    #[test]
    fn some_columns_of_a_model_are_a_model() {
        let x = Design::new(4, 3, vec![1.0, -1.0, 3.0, 1.0, 0.0, 1.0, 1.0, 1.0, 5.0, 1.0, 2.0, 2.0]);
        let two = Design::new(4, 2, vec![1.0, 3.0, 1.0, 1.0, 1.0, 5.0, 1.0, 2.0]);
        let sums = |x: &Design| {
            let mut total = Plain::zero(normal_equations_len(x.columns()));
            normal_equations(&LinearRows { x, y: &[1.0, 2.0, 6.0, 0.5], w: None }, &mut total);
            total.0
        };
        assert_eq!(among(&sums(&x), 3, &[0, 2]), sums(&two));
    }

    #[test]
    fn no_fit() {
        let none = Design::new(0, 1, vec![]);
        assert_eq!(fit(&none, &[], None), Err(LinearError::NoRows));
        let twice = Design::new(2, 2, vec![1.0, 1.0, 2.0, 2.0]);
        assert_eq!(fit(&twice, &[1.0, 2.0], None), Err(LinearError::Singular(Singular::Dependent { column: 1 })));
        let one = Design::new(1, 1, vec![1.0]);
        assert_eq!(fit(&one, &[f64::INFINITY], None), Err(LinearError::NotFinite));
        let exact = fit(&one, &[3.0], None).expect("as many rows as columns");
        assert_eq!((exact.residual_variance(), exact.covariance()), (None, None));
    }
}
