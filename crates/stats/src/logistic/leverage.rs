//! The part of Firth's score that needs leverages.

use crate::matrix::Matrix;
use crate::total::{BLOCK, Total};

use super::{LogisticRows, Point};

/// Adds sum h (1/2 - mu) x (q words) at `beta` (q), in blocks of [`BLOCK`] rows: half the gradient of log |I|.
///
/// h = w mu (1 - mu) x' I^-1 x is the leverage of a row, with `inverse` the inverse over all sites of the information
/// sum w mu (1 - mu) x x' at the same `beta`, so h lies in \[0, 1\] and a row adds at most |x| / 2
/// to a word. Rows of weight 0 have none. (Firth 1993; Heinze & Schemper 2002.)
///
/// # Panics
/// When lengths of the rows, of `beta` and of `inverse` do not agree.
pub fn leverage_score(rows: &LogisticRows<'_>, beta: &[f64], inverse: &Matrix, total: &mut dyn Total) {
    let (n, q) = (rows.x.rows(), rows.x.columns());
    assert_eq!((rows.y.len(), beta.len()), (n, q), "lengths of outcome and coefficients");
    assert_eq!((inverse.rows(), inverse.columns()), (q, q), "shape of the inverse information");
    assert!(rows.w.is_none_or(|w| w.len() == n), "length of the weights");
    let mut block = vec![0.0; q];
    for first in (0..n).step_by(BLOCK) {
        block.fill(0.0);
        for i in (first..n.min(first + BLOCK)).filter(|&i| rows.weight(i) > 0.0) {
            let x = rows.x.row(i);
            let eta: f64 = x.iter().zip(beta).map(|(x, b)| x * b).sum();
            // With 1/2 for the outcome the residual is 1/2 - mu.
            let point = Point::at(eta, 0.5);
            let leverage = rows.weight(i) * point.variance * quadratic(x, inverse);
            for (word, x) in block.iter_mut().zip(x) {
                *word += leverage * point.residual * x;
            }
        }
        total.add(0, &block);
    }
}

/// x' A x of a symmetric A.
fn quadratic(x: &[f64], a: &Matrix) -> f64 {
    let mut sum = 0.0;
    for (row, xi) in a.values().chunks_exact(x.len()).zip(x) {
        let mut product = 0.0;
        for (a, xj) in row.iter().zip(x) {
            product += a * xj;
        }
        sum += xi * product;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Design;
    use crate::total::Plain;

    #[test]
    fn intercept_alone_by_hand() {
        // b = log 3: mu = 3/4, variance 3/16. Weights 1 and 2 make I = 9/16, leverages 1/3 and 2/3: 1/2 - 3/4 = -1/4.
        let x = Design::new(2, 1, vec![1.0, 1.0]);
        let rows = LogisticRows { x: &x, y: &[1.0, 0.0], w: Some(&[1.0, 2.0]) };
        let mut total = Plain::zero(1);
        leverage_score(&rows, &[libm::log(3.0)], &Matrix::new(1, 1, vec![16.0 / 9.0]), &mut total);
        assert!((total.0[0] + 0.25).abs() < 1e-15);
    }

    #[test]
    fn weight_zero_has_no_leverage() {
        let x = Design::new(1, 1, vec![1e300]);
        let mut total = Plain::zero(1);
        let rows = LogisticRows { x: &x, y: &[1.0], w: Some(&[0.0]) };
        leverage_score(&rows, &[1.0], &Matrix::identity(1), &mut total);
        assert_eq!(total.0, [0.0]);
    }
}
