//! The baseline table: levels in both arms, and whatever would tell them.

use std::collections::BTreeMap;

use super::{Arms, HiddenLevels};
use crate::results::{BalanceCells, BalanceRow};

/// What is hidden of each categorical variable of the table, by its name.
pub(super) fn apply(rows: &mut [BalanceRow], arms: Arms, minimum: u64) -> BTreeMap<String, HiddenLevels> {
    let mut all = BTreeMap::new();
    let unweighted = |row: &&BalanceRow| !row.weighted;
    for row in rows.iter().filter(unweighted).filter(|row| row.level.is_none()) {
        let missing = row.missing.map(Option::unwrap_or_default);
        let levels = rows.iter().filter(unweighted).filter(|r| r.variable == row.variable && r.level.is_some());
        let counts: Vec<[u64; 2]> = levels.map(|r| [count(&r.control), count(&r.treated)]).collect();
        let hidden = if counts.is_empty() {
            let small = missing.iter().any(|n| (1..minimum).contains(n));
            HiddenLevels { levels: Vec::new(), missing: small }
        } else {
            debug_assert!((0..2).all(|arm| counts.iter().map(|n| n[arm]).sum::<u64>() + missing[arm] == arms[arm]));
            HiddenLevels::of(&counts, missing, true, minimum)
        };
        if hidden.any() {
            all.insert(row.variable.clone(), hidden);
        }
    }
    let mut level = 0;
    for row in rows {
        level = if row.level.is_none() { 0 } else { level + 1 };
        if let Some(hidden) = all.get(&row.variable) {
            hide(row, level, hidden);
        }
    }
    all
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
