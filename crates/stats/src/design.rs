//! Design matrices: one row per patient, one column per term.

use std::fmt;

/// A dense matrix of `rows` x `columns` values, row by row.
#[derive(Clone, PartialEq)]
pub struct Design {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Design {
    /// Takes the values row by row.
    ///
    /// # Panics
    /// When `values` does not hold exactly `rows * columns` numbers.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * columns, "a design needs rows x columns values");
        Self { rows, columns, values }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The `columns` values of row `i`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

// Rows are patients: a debug line shows the shape and nothing else.
impl fmt::Debug for Design {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Design({} x {})", self.rows, self.columns)
    }
}
