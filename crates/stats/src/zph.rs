//! Test of proportional hazards from sums, R's `cox.zph` (survival 3).
//!
//! The exchange after a Cox fit: [`leavers`] once (with [`crate::cox::deaths`], which the fit may already have opened);
//! everybody forms the transforms with [`transform`]; the risk sets are asked at the fitted coefficients
//! ([`crate::cox::risk`]); [`crate::cox::trend`] per transform; everybody forms the [`tests`]. A fit stratified by site
//! needs no risk sets: [`crate::cox::stratified_trend`] instead, with the same transform in every stratum.

use crate::cox::{CoxRows, EventCells, trend_len};
use crate::inference::ChiSquare;
use crate::matrix::Matrix;
use crate::packed::{Factor, pack, packed_len, unpack};
use crate::total::Total;

/// How time enters the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transform {
    /// 1 - S(t-), S the Kaplan-Meier curve of all rows without weights and strata: R's default.
    KaplanMeier,
    /// t itself.
    Identity,
    /// Mid-rank of t among the exits of all rows, censored ones included.
    Rank,
    /// log t.
    Log,
}

/// Why a transform cannot be formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untestable {
    /// All events fall into one cell, or there is none.
    #[error("the events do not spread over time")]
    NoSpread,
    /// Cell 0 has events and no logarithm.
    #[error("events at time 0 have no logarithm")]
    LogOfZero,
    /// The counts contradict each other: more events than rows at risk.
    #[error("the counts of exits do not fit the events")]
    Counts,
}

/// Words of [`leavers`] on a grid of `cells` cells.
pub const fn leavers_len(cells: usize, late_entry: bool) -> usize {
    if late_entry { 2 * cells } else { cells }
}

/// Adds the number of rows that leave in each cell 0..`cells` of the grid, by event or not; when rows enter late,
/// then the number whose entry cell it is. Rows of weight 0 are left out, all others count 1. `rows.entry` is present
/// at every site or at none, at a site without rows as well.
///
/// # Panics
/// When an exit lies at or beyond `cells`, or lengths do not agree.
pub fn leavers(rows: &CoxRows<'_>, cells: usize, total: &mut dyn Total) {
    rows.check();
    // Counts are whole numbers below 2^53: one block holds them exactly.
    let mut counts = vec![0.0; leavers_len(cells, rows.entry.is_some())];
    for i in (0..rows.len()).filter(|&i| rows.weight(i) > 0.0) {
        counts[rows.exit[i] as usize] += 1.0;
        if let Some(entry) = rows.entry {
            counts[cells + entry[i] as usize] += 1.0;
        }
    }
    total.add(0, &counts);
}

/// One value per event cell: the transform of its time, centred at the mean over all events (each counts 1) and divided
/// by the largest absolute value. `leavers` are the sums over all sites of [`leavers`] on `cells` cells.
///
/// The tests do not change when time or its transform is measured in another unit, so cells serve for days, and the
/// values lie in \[-1, 1\], which bounds the sums of [`crate::cox::trend`].
///
/// # Panics
/// When `leavers` has neither `cells` nor twice `cells` words, or an event cell lies beyond.
pub fn transform(kind: Transform, events: &EventCells, cells: usize, leavers: &[f64]) -> Result<Vec<f64>, Untestable> {
    let late_entry = leavers.len() != cells;
    assert_eq!(leavers.len(), leavers_len(cells, late_entry), "length of the counts of exits");
    let (exits, entries) = leavers.split_at(cells);
    let mut values = match kind {
        Transform::KaplanMeier => kaplan_meier(events, exits, entries)?,
        Transform::Identity => events.cells.iter().map(|cell| f64::from(*cell)).collect(),
        Transform::Rank => mid_ranks(events, exits),
        Transform::Log if events.cells.first() == Some(&0) => return Err(Untestable::LogOfZero),
        Transform::Log => events.cells.iter().map(|cell| libm::log(f64::from(*cell))).collect(),
    };
    let (mut sum, mut all) = (0.0, 0.0);
    for (value, d) in values.iter().zip(&events.deaths) {
        sum += d * value;
        all += d;
    }
    for value in &mut values {
        *value -= sum / all;
    }
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if values.len() < 2 || largest == 0.0 {
        return Err(Untestable::NoSpread);
    }
    for value in &mut values {
        *value /= largest;
    }
    Ok(values)
}

/// 1 - S just before each event cell.
fn kaplan_meier(events: &EventCells, exits: &[f64], entries: &[f64]) -> Result<Vec<f64>, Untestable> {
    let mut at_risk: Vec<f64> = vec![0.0; exits.len()];
    let mut running = 0.0;
    for cell in (0..exits.len()).rev() {
        running += exits[cell] - entries.get(cell).unwrap_or(&0.0);
        at_risk[cell] = running;
    }
    let mut survival = 1.0;
    let mut values = Vec::with_capacity(events.cells.len());
    for (cell, d) in events.cells.iter().zip(&events.deaths) {
        values.push(1.0 - survival);
        let n = at_risk[*cell as usize];
        if n.is_nan() || n < *d {
            return Err(Untestable::Counts);
        }
        survival *= (n - d) / n;
    }
    Ok(values)
}

fn mid_ranks(events: &EventCells, exits: &[f64]) -> Vec<f64> {
    let mut before = 0.0;
    let mut ranks = Vec::with_capacity(exits.len());
    for n in exits {
        ranks.push(before + (n + 1.0) / 2.0);
        before += n;
    }
    events.cells.iter().map(|cell| ranks[*cell as usize]).collect()
}

/// The [`crate::cox::trend`] words of an evaluation (with the correction) moved by `step` (p) to the maximum, to first
/// order: U2 - H12 step. A fit ends one Newton step after its last evaluation.
///
/// # Panics
/// When `sums` and `step` do not belong to the same number of columns.
#[must_use]
pub fn moved(sums: &[f64], step: &[f64]) -> Vec<f64> {
    let p = step.len();
    assert_eq!(sums.len(), trend_len(p), "length of the sums");
    let mixed = unpack(&sums[p..p + packed_len(p)], p);
    let mut words = sums.to_vec();
    for (i, word) in words[..p].iter_mut().enumerate() {
        for (j, step) in step.iter().enumerate() {
            *word -= mixed[(i, j)] * step;
        }
    }
    words
}

/// The tests of one transform. None where the data do not tell: the columns of the term vary in one event cell at most,
/// or a sum is not finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Tests {
    /// One per term, in the order given.
    pub terms: Vec<Option<ChiSquare>>,
    /// All columns together.
    pub global: Option<ChiSquare>,
}

/// Score tests that the coefficients of each term, a list of columns, do not change along the transform.
///
/// U2' (H22 - H12 I^-1 H12)^-1 U2, restricted to the columns of the term in U2, H22 and the second factor of H12,
/// with as many degrees of freedom as columns. `information` is I of the fit (packed p x p), `sums` the
/// [`crate::cox::trend`] words over all sites with the correction.
///
/// # Panics
/// When `information` and `sums` do not belong to the same number of columns, or a term names a column beyond.
pub fn tests(information: &[f64], sums: &[f64], p: usize, terms: &[Vec<usize>]) -> Tests {
    assert_eq!((information.len(), sums.len()), (packed_len(p), trend_len(p)), "lengths of information and sums");
    let (score, rest) = sums.split_at(p);
    let (mixed, own) = rest.split_at(packed_len(p));
    let (information, mixed, own) = (unpack(information, p), unpack(mixed, p), unpack(own, p));
    let test = |columns: &[usize]| -> Option<ChiSquare> {
        let k = columns.len();
        let mut both = Matrix::zero(p + k, p + k);
        for i in 0..p {
            for j in 0..p {
                both[(i, j)] = information[(i, j)];
            }
        }
        for (a, &column) in columns.iter().enumerate() {
            for i in 0..p {
                both[(i, p + a)] = mixed[(i, column)];
                both[(p + a, i)] = mixed[(i, column)];
            }
            for (b, &other) in columns.iter().enumerate() {
                both[(p + a, p + b)] = own[(column, other)];
            }
        }
        // The score of the coefficients themselves is zero at the maximum.
        let mut right = vec![0.0; p];
        right.extend(columns.iter().map(|&column| score[column]));
        let solved = Factor::new(&pack(&both), p + k).ok()?.solve(&right);
        let mut statistic = 0.0;
        for (u, s) in right.iter().zip(solved) {
            statistic += u * s;
        }
        statistic.is_finite().then(|| ChiSquare::new(statistic, k))
    };
    let all: Vec<usize> = (0..p).collect();
    Tests { terms: terms.iter().map(|columns| test(columns)).collect(), global: test(&all) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cox::Ties;

    /// Exits in cells 1 (one event), 2 (one event, one censored), 4 (one event), 5 (one censored).
    fn example() -> (EventCells, Vec<f64>) {
        (EventCells::new(vec![1, 2, 4], vec![1.0; 3], Ties::Efron), vec![0.0, 1.0, 2.0, 0.0, 1.0, 1.0])
    }

    fn assert_close(got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-15, "{got} {expected}");
        }
    }

    #[test]
    fn transforms_by_hand() {
        let (events, leavers) = example();
        let of = |kind| transform(kind, &events, 6, &leavers).expect("spread");
        // 1 - S(t-): 0, 1/5, 2/5; mean 1/5.
        assert_close(&of(Transform::KaplanMeier), &[-1.0, 0.0, 1.0]);
        // 1, 2, 4; mean 7/3; -4/3, -1/3, 5/3.
        assert_close(&of(Transform::Identity), &[-0.8, -0.2, 1.0]);
        // Ranks 1, 2.5, 4; mean 2.5.
        assert_close(&of(Transform::Rank), &[-1.0, 0.0, 1.0]);
        // log 1, log 2, 2 log 2.
        assert_close(&of(Transform::Log), &[-1.0, 0.0, 1.0]);
    }

    #[test]
    fn late_entry_leaves_the_risk_set_before() {
        let (events, mut leavers) = example();
        // Two of the five rows enter in cell 1: three at risk in cell 1, four in cell 2.
        leavers.extend([3.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        // 1 - S(t-): 0, 1/3, 1 - 2/3 x 3/4 = 1/2; mean 5/18: -5/18, 1/18, 4/18.
        let got = transform(Transform::KaplanMeier, &events, 6, &leavers).expect("spread");
        assert_close(&got, &[-1.0, 0.2, 0.8]);
    }

    #[test]
    fn what_cannot_be_tested_says_why() {
        let one = EventCells::new(vec![3], vec![4.0], Ties::Efron);
        assert_eq!(transform(Transform::Identity, &one, 4, &[0.0, 0.0, 0.0, 9.0]), Err(Untestable::NoSpread));
        let none = EventCells::new(vec![], vec![], Ties::Efron);
        assert_eq!(transform(Transform::KaplanMeier, &none, 1, &[3.0]), Err(Untestable::NoSpread));
        let first = EventCells::new(vec![0, 1], vec![1.0; 2], Ties::Efron);
        assert_eq!(transform(Transform::Log, &first, 2, &[1.0; 2]), Err(Untestable::LogOfZero));
        assert!(transform(Transform::Identity, &first, 2, &[1.0; 2]).is_ok());
        assert_eq!(transform(Transform::KaplanMeier, &first, 2, &[0.0; 2]), Err(Untestable::Counts));
    }

    #[test]
    fn a_step_moves_the_score() {
        // U2 = (1, 2), H12 = [3, 4; 4, 5], H22 untouched.
        let sums = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(moved(&sums, &[0.5, 0.25]), [-1.5, -1.25, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    }

    #[test]
    fn one_column_by_hand() {
        // I = 2, H12 = 1, H22 = 3: 3 - 1/2 = 5/2, U2 = 5: 25 / (5/2) = 10.
        let test = tests(&[2.0], &[5.0, 1.0, 3.0], 1, &[vec![0]]);
        let statistic = test.terms[0].expect("regular").statistic;
        assert!((statistic - 10.0).abs() < 1e-14);
        assert_eq!(test.terms[0], test.global);
        // All events of the column in one cell: g is one number and H22 = H12^2 / I.
        assert_eq!(tests(&[2.0], &[5.0, 2.0, 2.0], 1, &[vec![0]]).global, None);
    }
}
