//! Small dense matrices, row by row, for covariances.

use std::ops::{Index, IndexMut};

/// A dense matrix of `rows` x `columns` values. Sums run over the inner index in ascending order, so results have the
/// same bits everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// Takes the values row by row.
    ///
    /// # Panics
    /// When `values` does not hold exactly `rows * columns` numbers.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix needs rows x columns values");
        Self { rows, columns, values }
    }

    /// All zero.
    pub fn zero(rows: usize, columns: usize) -> Self {
        Self::new(rows, columns, vec![0.0; rows * columns])
    }

    /// The `n` x `n` identity.
    pub fn identity(n: usize) -> Self {
        let mut identity = Self::zero(n, n);
        for i in 0..n {
            identity[(i, i)] = 1.0;
        }
        identity
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The transpose.
    #[must_use]
    pub fn transpose(&self) -> Self {
        let mut transpose = Self::zero(self.columns, self.rows);
        for i in 0..self.rows {
            for j in 0..self.columns {
                transpose[(j, i)] = self[(i, j)];
            }
        }
        transpose
    }

    /// The product `self * other`.
    ///
    /// # Panics
    /// When `other` does not have as many rows as `self` has columns.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        assert_eq!(self.columns, other.rows, "inner dimensions of a product");
        let mut product = Self::zero(self.rows, other.columns);
        for i in 0..self.rows {
            for j in 0..other.columns {
                let mut sum = 0.0;
                for k in 0..self.columns {
                    sum += self[(i, k)] * other[(k, j)];
                }
                product[(i, j)] = sum;
            }
        }
        product
    }

    /// The sum `self + other`.
    ///
    /// # Panics
    /// When the shapes differ.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        assert_eq!((self.rows, self.columns), (other.rows, other.columns), "shapes of a sum");
        let values = self.values.iter().zip(&other.values).map(|(a, b)| a + b).collect();
        Self::new(self.rows, self.columns, values)
    }

    /// The congruence `self * inner * self'`.
    #[must_use]
    pub fn around(&self, inner: &Self) -> Self {
        self.times(inner).times(&self.transpose())
    }

    /// The diagonal of a square matrix.
    pub fn diagonal(&self) -> Vec<f64> {
        (0..self.rows).map(|i| self[(i, i)]).collect()
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;

    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.values[i * self.columns + j]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.values[i * self.columns + j]
    }
}
