//! The inner loops of every Newton pass: predictor, weighted column sums and weighted Gram matrix of a few rows.
//!
//! Rows are turned into columns of [`CHUNK`] values, so that every loop runs over rows, two at a time, in tiles of 3 x 3
//! sums that fit the sixteen vector registers of a baseline machine. Two lanes everywhere: a faster machine gives the
//! same bits.

use crate::design::Design;
use crate::packed::packed_at;

/// Rows that are turned at once. 128 rows of some tens of columns stay in the first-level cache.
pub(crate) const CHUNK: usize = 128;

/// One value per row of a chunk.
pub(crate) type PerRow = [f64; CHUNK];

/// Distance of columns; one cache line more than a chunk, so that columns do not fall on the same cache set.
const STRIDE: usize = CHUNK + 8;
const LANES: usize = 2;
const TILE: usize = 3;

/// A few rows of a design, column by column.
pub(crate) struct Chunk {
    columns: usize,
    rows: usize,
    values: Vec<f64>,
}

impl Chunk {
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns, rows: 0, values: vec![0.0; columns.next_multiple_of(TILE) * STRIDE] }
    }

    /// Takes at most [`CHUNK`] rows of `x` from row `first`.
    pub(crate) fn load(&mut self, x: &Design, first: usize, rows: usize) {
        self.rows = rows;
        for r in 0..rows {
            for (j, &value) in x.row(first + r).iter().enumerate() {
                self.values[j * STRIDE + r] = value;
            }
        }
        // An odd number of rows leaves one lane: it must hold a number, its weight is zero.
        if rows < CHUNK {
            for j in 0..self.columns {
                self.values[j * STRIDE + rows] = 0.0;
            }
        }
    }

    fn lanes(&self) -> usize {
        self.rows.next_multiple_of(LANES)
    }

    fn column(&self, j: usize) -> &[f64] {
        &self.values[j * STRIDE..j * STRIDE + self.lanes()]
    }

    /// `eta[r]` = sum over columns of x\[r\]\[j\] beta\[j\].
    pub(crate) fn predictor(&self, beta: &[f64], eta: &mut PerRow) {
        eta.fill(0.0);
        for (j, b) in beta.iter().enumerate() {
            for (sum, value) in eta.iter_mut().zip(self.column(j)) {
                *sum += b * value;
            }
        }
    }

    /// `sums[j]` += sum over rows of weight\[r\] x\[r\]\[j\]. Weights past the last row must be zero.
    pub(crate) fn column_sums(&self, weight: &PerRow, sums: &mut [f64]) {
        let weight = weight[..self.lanes()].as_chunks::<4>();
        for (j, sum) in sums.iter_mut().enumerate() {
            let column = self.column(j).as_chunks::<4>();
            let mut lanes = [0.0; 4];
            for (w, x) in weight.0.iter().zip(column.0) {
                for l in 0..4 {
                    lanes[l] += w[l] * x[l];
                }
            }
            for (w, x) in weight.1.iter().zip(column.1) {
                lanes[0] += w * x;
            }
            *sum += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
        }
    }

    /// `packed` += sum over rows of weight\[r\] x\[r\] x\[r\]'. Weights past the last row must be zero.
    pub(crate) fn gram(&self, weight: &PerRow, packed: &mut [f64]) {
        let p = self.columns;
        let lanes = self.lanes();
        let mut weighted = [[0.0; CHUNK]; TILE];
        for i0 in (0..p).step_by(TILE) {
            for (t, row) in weighted.iter_mut().enumerate() {
                for ((value, w), x) in row.iter_mut().zip(&weight[..lanes]).zip(self.column(i0 + t)) {
                    *value = w * x;
                }
            }
            let left = [&weighted[0][..lanes], &weighted[1][..lanes], &weighted[2][..lanes]];
            for j0 in (i0..p).step_by(TILE) {
                let sums = tile(left, [self.column(j0), self.column(j0 + 1), self.column(j0 + 2)]);
                for (i, row) in (i0..p).zip(sums) {
                    for (j, sum) in (j0..p).zip(row) {
                        if i <= j {
                            packed[packed_at(i, j, p)] += sum;
                        }
                    }
                }
            }
        }
    }
}

/// The nine inner products of three columns with three columns.
#[inline]
fn tile(a: [&[f64]; TILE], b: [&[f64]; TILE]) -> [[f64; TILE]; TILE] {
    let [a0, a1, a2] = a.map(|column| column.as_chunks::<LANES>().0);
    let [b0, b1, b2] = b.map(|column| column.as_chunks::<LANES>().0);
    let mut sums = [[[0.0; LANES]; TILE]; TILE];
    for (((((a0, a1), a2), b0), b1), b2) in a0.iter().zip(a1).zip(a2).zip(b0).zip(b1).zip(b2) {
        for (row, a) in sums.iter_mut().zip([a0, a1, a2]) {
            for (sum, b) in row.iter_mut().zip([b0, b1, b2]) {
                for l in 0..LANES {
                    sum[l] += a[l] * b[l];
                }
            }
        }
    }
    sums.map(|row| row.map(|[even, odd]| even + odd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::packed_len;

    /// Small integers: every sum is exact, so any order of additions must give it.
    #[test]
    fn equals_the_definition_for_any_shape() {
        for p in 0..9 {
            for n in [0, 1, 2, 3, 5, 127, 128] {
                let values: Vec<f64> = (0..n * p).map(|k| f64::from((k * 7 % 11) as u32) - 5.0).collect();
                let x = Design::new(n, p, values);
                let beta: Vec<f64> = (0..p).map(|j| f64::from(j as u32) - 1.0).collect();
                let mut weight = [0.0; CHUNK];
                for (r, w) in weight.iter_mut().take(n).enumerate() {
                    *w = f64::from((r % 5) as u32);
                }
                let mut chunk = Chunk::new(p);
                // Rows of an earlier, longer chunk must leave no trace.
                chunk.load(&Design::new(CHUNK, p, vec![1e300; CHUNK * p]), 0, CHUNK);
                chunk.load(&x, 0, n);

                let mut eta = [0.0; CHUNK];
                chunk.predictor(&beta, &mut eta);
                let mut sums = vec![0.0; p];
                chunk.column_sums(&weight, &mut sums);
                let mut packed = vec![0.0; packed_len(p)];
                chunk.gram(&weight, &mut packed);

                for r in 0..n {
                    let expected: f64 = x.row(r).iter().zip(&beta).map(|(x, b)| x * b).sum();
                    assert_eq!(eta[r], expected);
                }
                for i in 0..p {
                    assert_eq!(sums[i], (0..n).map(|r| weight[r] * x.row(r)[i]).sum::<f64>());
                    for j in i..p {
                        let expected: f64 = (0..n).map(|r| weight[r] * x.row(r)[i] * x.row(r)[j]).sum();
                        assert_eq!(packed[packed_at(i, j, p)], expected);
                    }
                }
            }
        }
    }
}
