//! Hides small counts, and what they would follow from, in the tables of a run.
//!
//! A count is small from 1 to one less than the floor. Arms stand at the end of the flow chart in every study: they are
//! never hidden. What a model tells of its patients no floor of a table hides; a site's policy refuses such models.

mod balance;
mod flow;
mod outcomes;
mod scores;

use super::suppress::Table;
use crate::protocol::{Protocol, ReleaseRules};
use crate::results::Results;

/// Analysed patients of the control and the treated arm.
type Arms = [u64; 2];

/// Hides in the tables of a run and of its scenarios.
pub(super) fn apply(results: &mut Results, protocol: &Protocol) {
    let ReleaseRules { minimum_cell, .. } = protocol.release;
    let minimum = u64::from(minimum_cell);
    flow::apply(results, minimum);
    tables(results, protocol, minimum);
    for (scenario, declared) in results.scenarios.iter_mut().zip(&protocol.scenarios) {
        tables(&mut scenario.results, &declared.protocol, minimum);
    }
}

/// All but the flow chart, which the scenarios share.
fn tables(results: &mut Results, protocol: &Protocol, minimum: u64) {
    let Some(last) = results.flow.last() else { return };
    let arms = [last.control, last.treated].map(Option::unwrap_or_default);
    let hidden = balance::apply(&mut results.balance, arms, minimum);
    outcomes::apply(results, protocol, arms, &hidden, minimum);
    scores::histogram(&mut results.histogram, &mut results.overlap, arms, minimum);
    scores::truncated(&mut results.weights, minimum);
}

/// What is hidden of one variable: rows by arm of each level, and those without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HiddenLevels {
    levels: Vec<bool>,
    missing: bool,
}

impl HiddenLevels {
    fn any(&self) -> bool {
        self.missing || self.levels.contains(&true)
    }

    /// A table of levels by arm with both margins: `levels` and `missing` by arm, the arms themselves known. Where the
    /// first level is not shown, it hides the others for free.
    fn of(levels: &[[u64; 2]], missing: [u64; 2], first_is_shown: bool, minimum: u64) -> HiddenLevels {
        let mut table = Table::default();
        let mut by_level = Vec::new();
        for (group, counts) in levels.iter().chain([&missing]).enumerate() {
            let implied = group == 0 && !first_is_shown;
            let cells = counts.map(|n| if implied { table.implied(n, group) } else { table.shown(n, group) });
            if group < levels.len() && !implied {
                let all = table.shown(counts[0] + counts[1], group);
                table.known(vec![(cells[0], 1), (cells[1], 1), (all, -1)]);
            }
            by_level.push(cells);
        }
        for arm in 0..2 {
            table.known(by_level.iter().map(|cells| (cells[arm], 1)).collect());
        }
        table.suppress(minimum);
        let mut hidden: Vec<bool> = by_level.iter().map(|cells| table.hides(cells[0])).collect();
        hidden[0] &= first_is_shown;
        let missing = hidden.pop().unwrap_or_default();
        HiddenLevels { levels: hidden, missing }
    }
}

#[cfg(test)]
mod tests;
