//! Hides small counts, and what they would follow from, in the tables of a run.
//!
//! A count is small from 1 to one less than the floor. Arms stand at the end of the flow chart in every study: they are
//! never hidden. What a model tells of its patients no floor of a table hides; a site's policy refuses such models.

mod balance;
mod flow;
mod outcomes;
mod scores;

use std::collections::BTreeMap;

use super::suppress::Table;
use crate::protocol::{Protocol, ReleaseRules};
use crate::results::{Boundaries, Results};

/// Analysed patients of the control and the treated arm.
type Arms = [u64; 2];

/// Hides in the tables of a run and of its scenarios.
pub(super) fn apply(results: &mut Results, protocol: &Protocol, boundaries: &Boundaries) {
    let ReleaseRules { minimum_cell, .. } = protocol.release;
    let minimum = u64::from(minimum_cell);
    flow::apply(results, minimum);
    let mut scenarios = std::mem::take(&mut results.scenarios);
    let mut analyses: Vec<(&Protocol, &mut Results)> = vec![(protocol, &mut *results)];
    analyses.extend(
        scenarios.iter_mut().zip(&protocol.scenarios).map(|(scenario, s)| (&*s.protocol, &mut scenario.results)),
    );
    let hidden =
        balance::apply(&mut analyses.iter_mut().map(|(_, results)| &mut **results).collect::<Vec<_>>(), minimum);
    for (index, ((protocol, results), hidden)) in analyses.into_iter().zip(&hidden).enumerate() {
        let arms = arms(results);
        outcomes::apply(results, protocol, arms, hidden, boundaries.of_analysis(index), minimum);
        scores::histogram(&mut results.histogram, &mut results.overlap, arms, minimum);
        scores::truncated(&mut results.weights, minimum);
    }
    results.scenarios = scenarios;
}

fn arms(results: &Results) -> Arms {
    let last = results.flow.last();
    last.map_or([0; 2], |last| [last.control, last.treated].map(Option::unwrap_or_default))
}

/// What is hidden of one variable: rows by arm of each level, and those without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HiddenLevels {
    levels: Vec<bool>,
    missing: bool,
    /// What is told of a number: so few have a value, in this analysis or more than in another, that it is theirs.
    values: bool,
}

impl HiddenLevels {
    fn any(&self) -> bool {
        self.missing || self.levels.contains(&true)
    }

    /// A table of levels by arm with both margins: `levels` and `missing` by arm, the arms themselves known. Where the
    /// first level is not shown, it hides the others for free.
    fn of(levels: &[[u64; 2]], missing: [u64; 2], first_is_shown: bool, minimum: u64) -> HiddenLevels {
        let mut table = Table::default();
        let cells = LevelCells::add(&mut table, levels, missing, first_is_shown, 0);
        table.suppress(minimum);
        cells.hidden(&table, first_is_shown)
    }
}

/// The cells of one variable in a table: by level, then those without a value, each by arm.
struct LevelCells(Vec<[usize; 2]>);

impl LevelCells {
    /// Groups count from `group`, one for each level and one for those without a value.
    fn add(
        table: &mut Table,
        levels: &[[u64; 2]],
        missing: [u64; 2],
        first_is_shown: bool,
        group: usize,
    ) -> LevelCells {
        let mut by_level = Vec::new();
        for (level, counts) in levels.iter().chain([&missing]).enumerate() {
            let implied = level == 0 && !first_is_shown;
            let group = group + level;
            let cells = counts.map(|n| if implied { table.implied(n, group) } else { table.shown(n, group) });
            if level < levels.len() && !implied {
                let all = table.shown(counts[0] + counts[1], group);
                table.known(vec![(cells[0], 1), (cells[1], 1), (all, -1)]);
            }
            by_level.push(cells);
        }
        for (arm, absent) in by_level[levels.len()].into_iter().enumerate() {
            table.known(by_level.iter().map(|cells| (cells[arm], 1)).collect());
            // Those with a value are the rest: a few are hidden with those without.
            let present = table.shown(levels.iter().map(|counts| counts[arm]).sum(), group + levels.len());
            table.known(vec![(present, 1), (absent, 1)]);
        }
        LevelCells(by_level)
    }

    fn hidden(&self, table: &Table, first_is_shown: bool) -> HiddenLevels {
        let mut hidden: Vec<bool> = self.0.iter().map(|cells| table.hides(cells[0])).collect();
        hidden[0] &= first_is_shown;
        let missing = hidden.pop().unwrap_or_default();
        HiddenLevels { levels: hidden, missing, values: false }
    }
}

/// What is hidden of the categorical variables of one analysis, by their names.
type HiddenVariables = BTreeMap<String, HiddenLevels>;

#[cfg(test)]
mod tests;
