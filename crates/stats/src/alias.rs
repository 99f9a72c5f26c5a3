//! Columns of a model that those before them determine, in the order of the columns, as R leaves them out.
//!
//! R's `glm` (`dqrdc2`) and `coxph` (`cholesky2`) go through the columns in order and give NA to one that the columns
//! kept so far determine; the others are fitted as if it were not there. Here the same is read off the information matrix
//! at coefficients of 0, whose null space is that of the design over the rows that carry information.

use crate::packed::{Factor, PIVOT, packed_at, packed_len};

/// A column that is left out, as a combination of those that stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Aliased {
    /// Index of the column.
    pub column: usize,
    /// Its coefficients on all columns; 0 for those that are left out, all 0 for a column without information.
    pub combination: Vec<f64>,
}

/// Information per variance below this share of the largest one is none.
const NONE: f64 = 1e-12;

/// The columns that are determined by those before them, ascending; empty where the matrix has full rank.
///
/// `information` is packed, `scale` holds the SD of each column. A column is left out when 1 - R² on the columns before it
/// is at most [`PIVOT`], or when it carries no information.
///
/// # Panics
/// When lengths do not agree.
pub fn aliased(information: &[f64], scale: &[f64]) -> Vec<Aliased> {
    let p = scale.len();
    assert_eq!(information.len(), packed_len(p), "length of a packed matrix");
    let at = |i: usize, j: usize| information[packed_at(i.min(j), i.max(j), p)];
    let per_variance: Vec<f64> = (0..p).map(|j| at(j, j) / (scale[j] * scale[j])).collect();
    let floor = NONE * per_variance.iter().copied().fold(0.0, f64::max);
    let (mut kept, mut found): (Vec<usize>, Vec<Aliased>) = (Vec::new(), Vec::new());
    for column in 0..p {
        let mut combination = vec![0.0; p];
        if per_variance[column].is_nan() || per_variance[column] <= floor {
            found.push(Aliased { column, combination });
            continue;
        }
        // None where rounding alone keeps them apart: the columns that stay always have a factor.
        let cross: Vec<f64> = kept.iter().map(|j| at(*j, column)).collect();
        let weights = factor(&at, &kept).map_or_else(|| vec![0.0; kept.len()], |factor| factor.solve(&cross));
        let explained: f64 = weights.iter().zip(&cross).map(|(w, c)| w * c).sum();
        kept.push(column);
        if 1.0 - explained / at(column, column) <= PIVOT || factor(&at, &kept).is_none() {
            kept.pop();
            kept.iter().zip(&weights).for_each(|(j, w)| combination[*j] = *w);
            found.push(Aliased { column, combination });
        }
    }
    found
}

/// The factor of the matrix of some columns.
fn factor(at: &impl Fn(usize, usize) -> f64, columns: &[usize]) -> Option<Factor> {
    let packed: Vec<f64> =
        columns.iter().enumerate().flat_map(|(i, a)| columns[i..].iter().map(|b| at(*a, *b))).collect();
    Factor::new(&packed, columns.len()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// X'X of columns given as lists, packed.
    fn gram(columns: &[&[f64]]) -> Vec<f64> {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        (0..columns.len()).flat_map(|i| (i..columns.len()).map(move |j| product(columns[i], columns[j]))).collect()
    }

    #[test]
    fn the_later_column_of_a_dependent_set_is_left_out() {
        let (one, a, b) = ([1.0; 5], [0.0, 1.0, 0.0, 1.0, 1.0], [2.0, 0.5, 1.0, -3.0, 0.0]);
        let both: Vec<f64> = (0..5).map(|i| 2.0 * a[i] - 3.0 * b[i] + 1.0).collect();
        let c = [1.0, 0.0, 0.0, 0.0, 2.0];
        let found = aliased(&gram(&[&one, &a, &b, &both, &c]), &[1.0; 5]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].column, 3);
        for (got, expected) in found[0].combination.iter().zip([1.0, 2.0, -3.0, 0.0, 0.0]) {
            assert!((got - expected).abs() < 1e-12, "{:?}", found[0]);
        }
    }

    #[test]
    fn a_column_without_information_has_no_combination() {
        let found = aliased(&gram(&[&[1.0, 2.0], &[0.0, 0.0], &[1.0, 1.0]]), &[1.0; 3]);
        assert_eq!(found, [Aliased { column: 1, combination: vec![0.0; 3] }]);
    }

    #[test]
    fn full_rank_leaves_nothing_out_however_it_is_scaled() {
        let (a, b) = ([1e-9, 2e-9, 5e-9], [3e9, 1e9, 1e9]);
        assert!(aliased(&gram(&[&a, &b]), &[1e-9, 1e9]).is_empty());
        // two copies and a sum
        let c = [4e9, 2e9, 7e9];
        let sum: Vec<f64> = b.iter().zip(c).map(|(b, c)| b + c).collect();
        let columns: Vec<usize> = aliased(&gram(&[&b, &b, &c, &sum]), &[1e9; 4]).iter().map(|a| a.column).collect();
        assert_eq!(columns, [1, 3]);
    }
}
