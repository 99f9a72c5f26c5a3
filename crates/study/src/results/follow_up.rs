//! Person-time and rates of the outcomes of which a curve is declared.

use std::collections::BTreeMap;

use stats::rate::rate;

use super::boundaries::Shown;
use super::rows::FollowUp;
use super::tables::{Results, arm_names};
use crate::plan::Branch;

/// Days of a year of person-time.
const YEAR: f64 = 365.25;

/// Adds them to the rows of the outcomes, of every cause that the follow-up is the same for.
pub(super) fn add(results: &mut Results, branch: &Branch, shown: &BTreeMap<usize, Shown>) {
    let protocol = branch.protocol();
    let arms = arm_names(protocol);
    for (outcome, declared) in protocol.outcomes.iter().enumerate() {
        let Some(grid) = declared.kind.grid() else { continue };
        let Some(leavers) = shown.get(&outcome).and_then(|shown| leavers(branch, outcome, shown)) else { continue };
        if !shown[&outcome].tells_mean(grid.cell(grid.horizon_days)) {
            let of_outcome = results.outcomes.iter_mut().filter(|row| row.outcome == declared.name);
            of_outcome.for_each(|row| row.follow_up_hidden = true);
            continue;
        }
        let days = |arm: usize| {
            let cells = leavers.iter().enumerate();
            grid.days * cells.fold(0.0, |sum, (cell, leavers)| sum + cell as f64 * leavers[arm])
        };
        let person_days = [days(0), days(1)];
        for row in results.outcomes.iter_mut().filter(|row| row.outcome == declared.name) {
            let arm = usize::from(row.arm == arms[1]);
            let (Some(events), time) = (row.events, person_days[arm]) else { continue };
            if time > 0.0 {
                let rate = rate(events, time / (100.0 * YEAR));
                row.follow_up = Some(FollowUp { person_days: time, rate: rate.rate, low: rate.low, high: rate.high });
            }
        }
    }
}

/// Rows of each arm that leave in each cell of the grid.
fn leavers(branch: &Branch, outcome: usize, shown: &Shown) -> Option<Vec<[f64; 2]>> {
    let mut tables = branch.leavers().filter(|(of, table)| *of == outcome && !table.is_weighted());
    if let Some((_, table)) = tables.next() {
        let merged = shown.merges.then(|| table.merged(shown.ends(false)));
        let cells = merged.as_ref().unwrap_or(table).cells();
        return Some(cells.iter().map(|arms| arms.map(|leavers| leavers.all().n)).collect());
    }
    let tables = branch.incidences().filter(|(key, _)| key.outcome == outcome);
    let mut tables = tables.filter_map(|(_, table)| table?.ok()).filter(|table| !table.is_weighted());
    let table = tables.next()?;
    let merged = shown.merges.then(|| table.merged(shown.ends(false)));
    let cells = merged.as_ref().unwrap_or(table).cells();
    Some(cells.iter().map(|arms| arms.each_ref().map(|leavers| leavers.all().n)).collect())
}
