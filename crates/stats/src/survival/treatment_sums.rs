//! Cox regression on treatment alone from the sums at its event cells: four words per event cell, asked once.
//!
//! It gives the coefficient with its naive variance, for weights that stand for rows (those of a bootstrap replicate);
//! a robust variance needs the whole table of [`super::treatment_cox`].

use crate::cox::{Buckets, Ties};
use crate::fit::{Fit, MeatRequest, Why};
use crate::total::Total;

use super::TableRows;
use super::two_arm_cox::RiskSets;

/// Sums of weights of an event cell: last at risk there, control and treated; dead there, control and treated.
const WIDTH: usize = 4;

/// Words of [`treatment_sums`] with this number of event cells.
pub const fn treatment_sums_len(cells: usize) -> usize {
    WIDTH * cells
}

/// Adds, for every event cell (`cells`, ascending): the weights of the rows for which it is the last event cell at risk,
/// control and treated, and those of the deaths in it, control and treated. Rows that leave before the first event cell
/// are in no risk set and add nothing; a death in any other cell is not counted. Sums run over blocks of
/// [`crate::total::BLOCK`] rows of the same word.
///
/// # Panics
/// When lengths do not agree.
pub fn treatment_sums(rows: &TableRows<'_>, cells: &[u32], total: &mut dyn Total) {
    let n = rows.exit.len();
    assert_eq!((rows.event.len(), rows.treated.len()), (n, n), "lengths of events and arms");
    assert!(rows.w.is_none_or(|w| w.len() == n), "length of the weights");
    let mut buckets = Buckets::new(WIDTH * cells.len(), 1);
    for i in 0..n {
        let (weight, arm) = (rows.w.map_or(1.0, |w| w[i]), usize::from(rows.treated[i]));
        let reached = cells.partition_point(|&cell| cell <= rows.exit[i]);
        if let Some(last) = reached.checked_sub(1) {
            buckets.sum(WIDTH * last + arm, 0, total)[0] += weight;
            if rows.event[i] && cells[last] == rows.exit[i] {
                buckets.sum(WIDTH * last + 2 + arm, 0, total)[0] += weight;
            }
        }
    }
    buckets.finish(0, total);
}

/// The log hazard ratio of treated to control from the words of [`treatment_sums`] over all sites, R's
/// `coxph(Surv(time, event) ~ treated, weights = w)`. `deaths` counts the rows that die in each of `cells`, whatever they
/// weigh; `scale` is the SD of the treatment.
///
/// # Panics
/// When lengths do not agree.
pub fn treatment_cox_of_sums(cells: &[u32], deaths: &[f64], sums: &[f64], scale: f64, ties: Ties) -> Result<Fit, Why> {
    assert_eq!((deaths.len(), sums.len()), (cells.len(), treatment_sums_len(cells.len())), "words per event cell");
    RiskSets::of_sums(cells, deaths, sums).fit(scale, ties, MeatRequest::none(), |_| f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::{ArmTable, arm_table, arm_table_len, treatment_cox};
    use crate::total::Plain;

    #[test]
    fn equals_the_whole_table() {
        const CELLS: usize = 9;
        let n = 60_u32;
        let exit: Vec<u32> = (0..n).map(|i| i * 7 % 9).collect();
        // No event in cells 0 and 8: rows that leave there are in no risk set, or in the last one only.
        let event: Vec<bool> = (0..n).map(|i| i % 3 != 0 && ![0, 8].contains(&(i * 7 % 9))).collect();
        let treated: Vec<bool> = (0..n).map(|i| i % 5 < 2).collect();
        let w: Vec<f64> = (0..n).map(|i| 0.25 + f64::from(i % 11) / 8.0).collect();
        let rows = TableRows { exit: &exit, event: &event, treated: &treated, w: Some(&w) };
        let mut table = Plain::zero(arm_table_len(CELLS, true));
        arm_table(&rows, CELLS, &mut table);
        let table = ArmTable::new(CELLS, true, &table.0).unwrap();
        let mut deaths = [0.0; CELLS];
        exit.iter().zip(&event).filter(|(_, event)| **event).for_each(|(cell, _)| deaths[*cell as usize] += 1.0);
        let (cells, deaths): (Vec<u32>, Vec<f64>) =
            deaths.iter().enumerate().filter(|(_, d)| **d > 0.0).map(|(cell, d)| (cell as u32, *d)).unzip();
        let mut sums = Plain::zero(treatment_sums_len(cells.len()));
        treatment_sums(&rows, &cells, &mut sums);
        for ties in [Ties::Efron, Ties::Breslow] {
            let whole = treatment_cox(&table, ties).unwrap();
            let fit = treatment_cox_of_sums(&cells, &deaths, &sums.0, 0.49, ties).unwrap();
            assert!((fit.beta[0] / whole.beta[0] - 1.0).abs() < 1e-13, "{ties:?}");
            assert!((fit.naive[(0, 0)] / whole.naive[(0, 0)] - 1.0).abs() < 1e-13, "{ties:?}");
            assert_eq!(fit.robust, None);
        }
    }

    #[test]
    fn any_split_of_the_rows_gives_the_same_sums() {
        // Weights in eighths: every sum is exact.
        let exit: Vec<u32> = (0..40).map(|i| i * 5 % 7).collect();
        let event: Vec<bool> = (0..40).map(|i| i % 3 == 0).collect();
        let treated: Vec<bool> = (0..40).map(|i| i % 4 == 1).collect();
        let w: Vec<f64> = (1..=40).map(|i| f64::from(i) / 8.0).collect();
        let cells = [1, 2, 4, 6];
        let part = |from: usize, to: usize, sums: &mut Plain| {
            let rows = TableRows {
                exit: &exit[from..to],
                event: &event[from..to],
                treated: &treated[from..to],
                w: Some(&w[from..to]),
            };
            treatment_sums(&rows, &cells, sums);
        };
        let mut whole = Plain::zero(treatment_sums_len(cells.len()));
        part(0, 40, &mut whole);
        for split in [0, 1, 17, 40] {
            let mut parts = Plain::zero(treatment_sums_len(cells.len()));
            part(0, split, &mut parts);
            part(split, 40, &mut parts);
            assert_eq!(parts, whole);
        }
    }

    #[test]
    fn no_cells() {
        assert_eq!(treatment_cox_of_sums(&[], &[], &[], 0.5, Ties::Efron), Err(Why::NoEvents));
        let rows = TableRows { exit: &[3], event: &[false], treated: &[true], w: None };
        let mut sums = Plain::zero(0);
        treatment_sums(&rows, &[], &mut sums);
    }
}
