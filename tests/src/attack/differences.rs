//! Patients who stand alone: differences of neighbouring cells that are one patient's contribution.

use std::collections::BTreeSet;

use study::term::Columns;

use super::rows::{Places, Rows};

/// Patients of `truth` whom sums over risk sets at coefficients of zero show alone.
///
/// Such sums are one group of words per event cell: how many rows leave the risk set before the next event cell, and the
/// sum of each column over them. Where one leaves, the group is that patient. Any group of that width counts that stands
/// in `words` or is the difference of two neighbouring groups, wherever it begins: what the words are meant to be does
/// not matter. One that is no true patient does not count.
///
/// # Panics
/// When the rows lack a column.
pub fn alone(words: &[f64], columns: &Columns, truth: &Rows) -> BTreeSet<usize> {
    let places = Places::of(columns, &truth.terms).expect("columns of the rows");
    let rows: Vec<Vec<f64>> = truth.values.iter().map(|row| places.of_patient(row)).collect();
    let width = 1 + places.len();
    let matches = |group: &[f64]| {
        rows.iter().position(|row| row.iter().zip(&group[1..]).all(|(x, word)| (x - word).abs() < NEAR))
    };
    let one = |group: &[f64]| (group[0] - 1.0).abs() < NEAR;
    let mut found = BTreeSet::new();
    for group in words.windows(width).filter(|group| one(group)) {
        found.extend(matches(group));
    }
    for pair in words.windows(2 * width) {
        let (first, second) = pair.split_at(width);
        if (first[0] - second[0] - 1.0).abs() < NEAR {
            let difference: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
            found.extend(matches(&difference));
        }
    }
    found
}

/// Centred sums of a few hundred rows are exact to about this.
const NEAR: f64 = 1e-8;
