//! The baseline tables of a run: levels in both arms, and whatever would tell them.
//!
//! Two analyses of nearly the same patients have nearly the same counts. Where those of a level differ by a few, the
//! difference stands in the same table as the counts: it is a small count that would follow from two large ones.

use super::super::suppress::Table;
use super::{HiddenLevels, HiddenVariables, LevelCells, arms};
use crate::results::{BalanceCells, BalanceRow, Results};

/// Hides in the tables of all analyses, that of the main one first; what is hidden in each.
pub(super) fn apply(analyses: &mut [&mut Results], minimum: u64) -> Vec<HiddenVariables> {
    let mut all: Vec<HiddenVariables> = analyses.iter().map(|_| HiddenVariables::new()).collect();
    let mut names: Vec<String> = Vec::new();
    for row in analyses.iter().flat_map(|results| &results.balance) {
        if !names.contains(&row.variable) {
            names.push(row.variable.clone());
        }
    }
    for name in names {
        let found = variable(analyses, &name, minimum);
        for (hidden, all) in found.into_iter().zip(&mut all) {
            all.extend(hidden.filter(HiddenLevels::any).map(|hidden| (name.clone(), hidden)));
        }
    }
    for (results, hidden) in analyses.iter_mut().zip(&all) {
        let mut level = 0;
        for row in &mut results.balance {
            level = if row.level.is_none() { 0 } else { level + 1 };
            if let Some(hidden) = hidden.get(&row.variable) {
                hide(row, level, hidden);
            }
        }
    }
    all
}

/// The counts of one variable in one analysis.
struct Counts {
    levels: Vec<(String, [u64; 2])>,
    missing: [u64; 2],
    arms: [u64; 2],
}

impl Counts {
    fn of(results: &Results, name: &str) -> Option<Counts> {
        // several tables may have the variable, with the same counts
        let table = &results.balance.iter().find(|row| row.variable == name)?.table;
        let of_table = |row: &&BalanceRow| !row.weighted && row.variable == name && row.table == *table;
        let rows = || results.balance.iter().filter(of_table);
        let whole = rows().find(|row| row.level.is_none())?;
        let levels = rows().filter_map(|r| Some((r.level.clone()?, [count(&r.control), count(&r.treated)])));
        let counts = Counts {
            levels: levels.collect(),
            missing: whole.missing.map(Option::unwrap_or_default),
            arms: arms(results),
        };
        debug_assert!(counts.levels.is_empty() || (0..2).all(|arm| counts.sum(arm) == counts.arms[arm]));
        Some(counts)
    }

    fn sum(&self, arm: usize) -> u64 {
        self.levels.iter().map(|(_, counts)| counts[arm]).sum::<u64>() + self.missing[arm]
    }

    /// Those with a value.
    fn present(&self, arm: usize) -> u64 {
        self.arms[arm].saturating_sub(self.missing[arm])
    }

    /// Number of a level by its name; those without a value are the last, as a level of their own, too.
    fn place(&self, level: &str) -> Option<usize> {
        self.levels.iter().position(|(name, _)| name == level)
    }

    fn counts(&self, place: usize) -> [u64; 2] {
        self.levels.get(place).map_or(self.missing, |(_, counts)| *counts)
    }
}

/// What is hidden of one variable in each analysis; none where it has no levels there that are hidden.
fn variable(analyses: &[&mut Results], name: &str, minimum: u64) -> Vec<Option<HiddenLevels>> {
    let counts: Vec<Option<Counts>> = analyses.iter().map(|results| Counts::of(results, name)).collect();
    let small = |n: u64| (1..minimum).contains(&n);
    let mut table = Table::default();
    let mut group = 0;
    let mut cells: Vec<Analysed<'_>> = Vec::new();
    let mut places = Vec::new();
    for (index, counts) in counts.iter().enumerate() {
        let Some(counts) = counts else { continue };
        let levels: Vec<[u64; 2]> = counts.levels.iter().map(|(_, counts)| *counts).collect();
        let own = (!levels.is_empty()).then(|| LevelCells::add(&mut table, &levels, counts.missing, true, group));
        group += levels.len() + 1;
        cells.push((counts, own));
        places.push(index);
    }
    for (at, one) in cells.iter().enumerate() {
        for other in &cells[..at] {
            compare(&mut table, one, other, minimum, &mut group);
        }
    }
    // The scenarios' counts go first.
    table.spare(counts.first().and_then(Option::as_ref).map_or(0, |main| main.levels.len() + 1));
    table.suppress(minimum);
    let mut found: Vec<Option<HiddenLevels>> = counts.iter().map(|_| None).collect();
    for (index, (counts, own)) in places.into_iter().zip(&cells) {
        // Those without a value of a number stand alone.
        let near =
            |(other, _): &Analysed<'_>| (0..2).any(|arm| small(counts.missing[arm].abs_diff(other.missing[arm])));
        let near_values =
            |(other, _): &Analysed<'_>| (0..2).any(|arm| small(counts.present(arm).abs_diff(other.present(arm))));
        let mut earlier = cells.iter().take_while(|(other, _)| !std::ptr::eq(*other, *counts));
        found[index] = Some(if let Some(own) = own {
            own.hidden(&table, true)
        } else {
            let values = (0..2).any(|arm| small(counts.present(arm))) || earlier.clone().any(near_values);
            let missing = values || counts.missing.into_iter().any(small) || earlier.any(near);
            HiddenLevels { levels: Vec::new(), missing, values }
        });
    }
    found
}

/// The counts of a variable in one analysis, with their cells where it has levels.
type Analysed<'c> = (&'c Counts, Option<LevelCells>);

/// Adds what is known between two analyses: differences that are small, and that there are none between the same patients.
fn compare(table: &mut Table, one: &Analysed<'_>, other: &Analysed<'_>, minimum: u64, group: &mut usize) {
    let ((one, Some(own)), (other, Some(others))) = (one, other) else { return };
    let places = one.levels.iter().enumerate().filter_map(|(place, (name, _))| Some((place, other.place(name)?)));
    for (place, beside) in places.chain([(one.levels.len(), other.levels.len())]) {
        for arm in 0..2 {
            let (a, b) = (one.counts(place)[arm], other.counts(beside)[arm]);
            let (x, y) = (own.0[place][arm], others.0[beside][arm]);
            let mut parts = if a < b { vec![(y, 1), (x, -1)] } else { vec![(x, 1), (y, -1)] };
            if (1..minimum).contains(&a.abs_diff(b)) {
                parts.push((table.implied(a.abs_diff(b), *group), -1));
                *group += 1;
            } else if a != b || one.arms != other.arms {
                continue;
            }
            table.known(parts);
        }
    }
}

fn count(cells: &BalanceCells) -> u64 {
    cells.value.unwrap_or_default() as u64
}

/// `level` counts from 1; 0 is the row of the variable as a whole.
fn hide(row: &mut BalanceRow, level: usize, hidden: &HiddenLevels) {
    row.floored = true;
    if hidden.missing {
        row.missing = [None; 2];
    }
    if hidden.levels.is_empty() {
        // Mean and spread of two values are the values.
        if hidden.values {
            (row.control, row.treated, row.all) = Default::default();
            (row.statistic, row.p_value, row.smd, row.smd_cobalt) = (None, None, None, None);
            row.separated = false;
        }
        return;
    }
    let of_level = level.checked_sub(1).map(|level| hidden.levels.get(level).copied().unwrap_or_default());
    for cells in [&mut row.control, &mut row.treated, &mut row.all] {
        // A share tells the number of those with a value, and that number those without.
        if hidden.missing {
            cells.spread = None;
        }
        if of_level.unwrap_or(hidden.missing) {
            *cells = BalanceCells::default();
        }
    }
    if of_level.is_none() && !row.weighted {
        (row.statistic, row.p_value, row.smd) = (None, None, None);
        row.separated = false;
    }
    if of_level == Some(true) || hidden.missing {
        row.smd_cobalt = None;
    }
}
