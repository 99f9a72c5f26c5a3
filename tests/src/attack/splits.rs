//! Who leaves in which cell of the grid between two times of a curve, from all digits of the curve: whole numbers of events
//! and censored patients are tried until survival and its error come out.

use study::protocol::Protocol;
use study::results::{At, Results, SurvivalRow};

/// A merged cell of an unweighted curve of one arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Outcome, arm, first and last cell of the grid.
    pub place: (String, String, u32, u32),
    /// Events and censored of each cell of the grid, all that fit.
    pub found: Vec<Vec<[u64; 2]>>,
}

/// Merged cells of at most three cells of the grid, with every way to spread their leavers that the digits allow.
pub fn splits(results: &Results, protocol: &Protocol) -> Vec<Split> {
    let mut found = Vec::new();
    let is_curve = |row: &&SurvivalRow| row.at == At::MergedCell && !row.weighted && row.arm != "all";
    let first_kind = results.survival.iter().find(is_curve).map(|row| row.conf_type.clone());
    let rows: Vec<&SurvivalRow> =
        results.survival.iter().filter(is_curve).filter(|row| Some(&row.conf_type) == first_kind.as_ref()).collect();
    for pair in rows.windows(2) {
        let [before, after] = pair else { continue };
        if (&before.outcome, &before.arm) != (&after.outcome, &after.arm) {
            continue;
        }
        let grid = protocol.outcome(&after.outcome).and_then(|outcome| outcome.kind.grid()).expect("a grid");
        let cell = |row: &SurvivalRow| (row.time_days / grid.days).round() as u32;
        let (start, end) = (cell(before) + 1, cell(after));
        let told = before.n_after.zip(after.n_event).zip(after.n_censor);
        let curve = before.survival.zip(before.std_error).zip(after.survival.zip(after.std_error));
        let (Some(((at_risk, events), censored)), Some((from, to))) = (told, curve) else { continue };
        if !(1..=2).contains(&(end - start)) {
            continue;
        }
        let counts = [events as u64, censored as u64];
        let mut fitting = Vec::new();
        for split in spread(counts, (end - start + 1) as usize) {
            if fits(at_risk as u64, &split, from, to) {
                fitting.push(split);
            }
        }
        found.push(Split { place: (after.outcome.clone(), after.arm.clone(), start, end), found: fitting });
    }
    found
}

/// All ways to spread events and censored patients over cells.
fn spread([events, censored]: [u64; 2], cells: usize) -> Vec<Vec<[u64; 2]>> {
    if cells == 1 {
        return vec![vec![[events, censored]]];
    }
    let mut all = Vec::new();
    for first in (0..=events).flat_map(|e| (0..=censored).map(move |c| [e, c])) {
        for rest in spread([events - first[0], censored - first[1]], cells - 1) {
            all.push([&[first][..], &rest].concat());
        }
    }
    all
}

/// Kaplan-Meier and Greenwood over the cells, against the digits that are given out.
fn fits(mut at_risk: u64, split: &[[u64; 2]], from: (f64, f64), to: (f64, f64)) -> bool {
    let (mut survival, mut variance) = (from.0, (from.1 / from.0).powi(2));
    for [events, censored] in split {
        let (n, d) = (at_risk as f64, *events as f64);
        if *events > 0 {
            survival *= (n - d) / n;
            variance += d / (n * (n - d));
        }
        at_risk -= events + censored;
    }
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs();
    close(survival, to.0) && close(survival * variance.sqrt(), to.1)
}
