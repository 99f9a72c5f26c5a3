//! Symmetric matrices packed as the upper triangle by rows, and their factor.
//!
//! Order of the words for p = 3: (0,0) (0,1) (0,2) (1,1) (1,2) (2,2).

use crate::matrix::Matrix;

/// Pivots of the unit-diagonal matrix below this are zero. A pivot is 1 - R^2 of a column on those before it; rounding
/// of centred sums leaves about 1e-15, and a column with 1 - R^2 of 1e-11 has lost its standard error's digits anyway.
pub const PIVOT: f64 = 1e-11;

/// Number of words of a packed `p` x `p` matrix: p (p + 1) / 2.
pub const fn packed_len(p: usize) -> usize {
    p * (p + 1) / 2
}

/// Place of element (i, j), i <= j, of a packed `p` x `p` matrix.
pub const fn packed_at(i: usize, j: usize, p: usize) -> usize {
    i * (2 * p - i + 1) / 2 + (j - i)
}

/// The full symmetric matrix of a packed one.
///
/// # Panics
/// When `packed` does not hold p (p + 1) / 2 words.
pub fn unpack(packed: &[f64], p: usize) -> Matrix {
    assert_eq!(packed.len(), packed_len(p), "length of a packed matrix");
    let mut full = Matrix::zero(p, p);
    for i in 0..p {
        for j in i..p {
            full[(i, j)] = packed[packed_at(i, j, p)];
            full[(j, i)] = full[(i, j)];
        }
    }
    full
}

/// The upper triangle of a symmetric matrix.
pub fn pack(full: &Matrix) -> Vec<f64> {
    let p = full.rows();
    (0..p).flat_map(|i| (i..p).map(move |j| full[(i, j)])).collect()
}

/// Why a symmetric matrix has no factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Singular {
    /// The diagonal element is not positive: the column carries no information.
    #[error("column {column} carries no information")]
    Zero {
        /// Index of the column.
        column: usize,
    },
    /// The column is a combination of the columns that were pivoted before it.
    #[error("column {column} is a linear combination of the others")]
    Dependent {
        /// Index of the column.
        column: usize,
    },
}

/// L D L' of a positive definite matrix, scaled to unit diagonal, with symmetric pivoting.
///
/// The largest remaining pivot goes next, the lower index first among equals, so an intercept in column 0 stays first and
/// the column named as dependent is the last one that makes the matrix singular.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// Row k of the factor belongs to column order[k].
    order: Vec<usize>,
    /// Unit lower triangle, in pivot order.
    lower: Matrix,
    /// Pivots, in pivot order.
    pivots: Vec<f64>,
    /// 1 / sqrt of each diagonal element, by column.
    scale: Vec<f64>,
}

impl Factor {
    /// Factors a packed `p` x `p` matrix.
    ///
    /// # Panics
    /// When `packed` does not hold p (p + 1) / 2 words.
    pub fn new(packed: &[f64], p: usize) -> Result<Self, Singular> {
        let mut rest = unpack(packed, p);
        let mut scale = Vec::with_capacity(p);
        for column in 0..p {
            let diagonal = rest[(column, column)];
            if !(diagonal > 0.0 && diagonal.is_finite()) {
                return Err(Singular::Zero { column });
            }
            scale.push(1.0 / diagonal.sqrt());
        }
        for i in 0..p {
            for j in 0..p {
                rest[(i, j)] *= scale[i] * scale[j];
            }
            rest[(i, i)] = 1.0;
        }
        let mut order: Vec<usize> = (0..p).collect();
        let mut lower = Matrix::identity(p);
        let mut pivots = Vec::with_capacity(p);
        for k in 0..p {
            let largest = (k + 1..p).fold(k, |best, i| {
                let (a, b) = (rest[(order[i], order[i])], rest[(order[best], order[best])]);
                if a > b || (a == b && order[i] < order[best]) { i } else { best }
            });
            order.swap(k, largest);
            for earlier in 0..k {
                let swapped = lower[(k, earlier)];
                lower[(k, earlier)] = lower[(largest, earlier)];
                lower[(largest, earlier)] = swapped;
            }
            let column = order[k];
            let pivot = rest[(column, column)];
            if pivot.is_nan() || pivot <= PIVOT {
                return Err(Singular::Dependent { column });
            }
            pivots.push(pivot);
            for i in k + 1..p {
                lower[(i, k)] = rest[(order[i], column)] / pivot;
            }
            for i in k + 1..p {
                for j in k + 1..p {
                    rest[(order[i], order[j])] -= lower[(i, k)] * lower[(j, k)] * pivot;
                }
            }
        }
        Ok(Self { order, lower, pivots, scale })
    }

    /// The solution x of A x = b.
    ///
    /// # Panics
    /// When `b` does not have one element per column.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let p = self.pivots.len();
        assert_eq!(b.len(), p, "length of a right-hand side");
        let mut y: Vec<f64> = self.order.iter().map(|&column| b[column] * self.scale[column]).collect();
        for i in 0..p {
            for k in 0..i {
                y[i] -= self.lower[(i, k)] * y[k];
            }
        }
        for i in 0..p {
            y[i] /= self.pivots[i];
        }
        for i in (0..p).rev() {
            for k in i + 1..p {
                y[i] -= self.lower[(k, i)] * y[k];
            }
        }
        let mut x = vec![0.0; p];
        for (&column, value) in self.order.iter().zip(y) {
            x[column] = value * self.scale[column];
        }
        x
    }

    /// The logarithm of the determinant.
    pub fn log_determinant(&self) -> f64 {
        let mut sum = 0.0;
        for (pivot, scale) in self.pivots.iter().zip(&self.scale) {
            sum += libm::log(*pivot) - 2.0 * libm::log(*scale);
        }
        sum
    }

    /// The inverse, exactly symmetric.
    pub fn inverse(&self) -> Matrix {
        let p = self.pivots.len();
        let mut inverse = Matrix::zero(p, p);
        let mut unit = vec![0.0; p];
        for j in 0..p {
            unit[j] = 1.0;
            let column = self.solve(&unit);
            unit[j] = 0.0;
            for i in 0..=j {
                inverse[(i, j)] = column[i];
                inverse[(j, i)] = column[i];
            }
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_words() {
        assert_eq!(packed_len(3), 6);
        let places: Vec<usize> = (0..3).flat_map(|i| (i..3).map(move |j| packed_at(i, j, 3))).collect();
        assert_eq!(places, [0, 1, 2, 3, 4, 5]);
        let full = unpack(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3);
        assert_eq!(full.values(), [1.0, 2.0, 3.0, 2.0, 4.0, 5.0, 3.0, 5.0, 6.0]);
        assert_eq!(pack(&full), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn solves_and_inverts_badly_scaled_matrix() {
        // [[4, 2e6], [2e6, 9e12]] has determinant 32e12.
        let factor = Factor::new(&[4.0, 2e6, 9e12], 2).expect("positive definite");
        let inverse = factor.inverse();
        assert!((inverse[(0, 0)] - 9.0 / 32.0).abs() < 1e-15);
        assert!((inverse[(0, 1)] * 32e6 + 2.0).abs() < 1e-14);
        assert!((inverse[(1, 1)] * 32e12 - 4.0).abs() < 1e-14);
        let x = factor.solve(&[8.0, 4e6]);
        assert!((x[0] - 2.0).abs() < 1e-14 && x[1].abs() < 1e-19);
    }

    #[test]
    fn log_determinant_by_hand() {
        let factor = Factor::new(&[4.0, 2e6, 9e12], 2).expect("positive definite");
        assert!((factor.log_determinant() - libm::log(32e12)).abs() < 1e-14);
    }

    #[test]
    fn inverse_times_matrix_is_identity_when_pivots_move() {
        let packed = [2.0, 1.9, 0.3, 0.1, 2.0, 0.5, 0.2, 5.0, 1.0, 3.0];
        let inverse = Factor::new(&packed, 4).expect("positive definite").inverse();
        let product = unpack(&packed, 4).times(&inverse);
        for i in 0..4 {
            for j in 0..4 {
                assert!((product[(i, j)] - f64::from(u8::from(i == j))).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn names_the_column() {
        assert_eq!(Factor::new(&[1.0, 0.0, 0.0], 2), Err(Singular::Zero { column: 1 }));
        // Third column is the sum of the first two.
        let columns = [[1.0, 0.0, 2.0, 1.0], [0.0, 1.0, 1.0, -1.0], [1.0, 1.0, 3.0, 0.0]];
        let mut packed = vec![0.0; 6];
        for i in 0..3 {
            for j in i..3 {
                packed[packed_at(i, j, 3)] = (0..4).map(|r| columns[i][r] * columns[j][r]).sum();
            }
        }
        assert!(matches!(Factor::new(&packed, 3), Err(Singular::Dependent { .. })));
        // A copy of column 0 is named, not column 0.
        assert_eq!(Factor::new(&[2.0, 2.0, 2.0], 2), Err(Singular::Dependent { column: 1 }));
    }

    #[test]
    fn no_columns_is_no_problem() {
        let factor = Factor::new(&[], 0).expect("nothing to invert");
        assert!(factor.solve(&[]).is_empty());
    }
}
