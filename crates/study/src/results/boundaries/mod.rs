//! At which times the outcomes of a run are given out.
//!
//! Everything that counts on one time column is looked at together: curves and incidences, weighted or not, on several
//! grids and up to several horizons, single days of standardised survival, restricted means, and the same of every
//! scenario. Times that are given out lie as far apart as the floor of leavers wants, whoever of them shows which.

mod column;
mod leavers;
mod means;
mod weighted;

use std::collections::{BTreeMap, BTreeSet};

use crate::dictionary::VariableId;
use crate::nearness::{Analysed, Minimum, branches, near};
use crate::plan::{Branch, Facts, Plan};
use crate::protocol::{Protocol, TimeGrid};
use column::{Column, Earlier};

/// What is given out of the outcomes of all analyses of a run.
pub(crate) struct Boundaries(Vec<BTreeMap<usize, Shown>>);

/// What is given out of one outcome. Times are cells of its own grid, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shown {
    /// Nothing is: beside what is given out elsewhere its events would tell of a few patients, or it is known for a few.
    pub(crate) closed: bool,
    /// Times of its curves that the protocol declares.
    pub(crate) declared: Vec<u32>,
    /// Ends of merged cells.
    pub(crate) merged: Vec<u32>,
    /// Of both, those at which the number at risk is given out as well: it counts who leaves in the cell itself.
    pub(crate) at_risk: Vec<u32>,
    /// Are curves made of merged cells?
    pub(crate) merges: bool,
    /// All times that may be told.
    told: Told,
    /// Times of weighted curves among them, where of all causes.
    weighted: Told,
    /// The same of each cause.
    by_cause: Vec<Told>,
    /// Days up to which means over time may be told, likewise.
    means: Told,
    last: Last,
}

/// When an arm is at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Last {
    /// So many leave at least in the cell in which the last patient of an arm does, that it may be told which one it is.
    least: f64,
    /// The last cell of the grid, where patients were followed beyond it: that is nobody's day.
    cut: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Told {
    /// None.
    #[default]
    Nothing,
    /// Without a floor.
    Everything,
    /// These cells, and those from the second number on, where there is one: there the grid ends.
    Cells(BTreeSet<u32>, Option<u32>),
}

impl Told {
    fn has(&self, cell: u32) -> bool {
        match self {
            Told::Nothing => false,
            Told::Everything => true,
            Told::Cells(cells, last) => last.is_some_and(|last| cell >= last) || cells.contains(&cell),
        }
    }

    fn nothing(&self) -> bool {
        match self {
            Told::Nothing => true,
            Told::Everything => false,
            Told::Cells(cells, last) => cells.is_empty() && last.is_none(),
        }
    }

    /// Of days of a column those that are cells of a grid; a day of none is the end of the longest grid.
    fn days(grid: TimeGrid, days: &BTreeSet<Option<u32>>, longest: Option<u32>) -> Told {
        let last = grid.cell(grid.horizon_days);
        let is_told = |cell: &u32| days.contains(&Some(grid.last_day(*cell)));
        let end = Some(grid.horizon_days).filter(|horizon| Some(*horizon) != longest);
        Told::Cells((0..last).filter(is_told).collect(), days.contains(&end).then_some(last))
    }
}

impl Shown {
    /// May survival after this cell be told?
    pub(crate) fn tells(&self, cell: u32) -> bool {
        self.told.has(cell)
    }

    /// May the sum of weights of those who have left by the event, up to this cell, be told?
    pub(crate) fn tells_weights(&self, cell: u32) -> bool {
        self.weighted.has(cell)
    }

    /// May those at risk just before a time that is given out be told? Of merged cells they are those who remain after the
    /// cell before.
    pub(crate) fn tells_at_risk(&self, cell: f64) -> bool {
        self.merges || self.at_risk.iter().any(|told| f64::from(*told) == cell)
    }

    /// Ends of the cells that a curve is made of, where it is not made of those of the grid.
    pub(crate) fn ends(&self, weighted: bool) -> impl Fn(u32) -> bool {
        let told = if weighted { &self.weighted } else { &self.told };
        |cell| told.has(cell)
    }

    /// May the sum of weights of those who have left by a cause be told?
    pub(crate) fn tells_weights_of(&self, cause: usize, cell: u32) -> bool {
        // of merged cells all causes have the same
        let own = self.by_cause.get(cause).filter(|_| !self.merges);
        own.unwrap_or(&self.weighted).has(cell)
    }

    /// Is there no cell that a curve could be made of?
    pub(crate) fn lacks_cells(&self, weighted: bool) -> bool {
        self.merges && if weighted { &self.weighted } else { &self.told }.nothing()
    }

    /// May a mean up to this cell, or person-time, be told?
    pub(crate) fn tells_mean(&self, cell: u32) -> bool {
        self.told.has(cell) && self.means.has(cell)
    }

    /// Is nobody of an arm at risk any more in a cell? `last` is the cell in which the last ones leave, and how many they
    /// are. Under a floor a few who leave in the cell itself are as good as gone: it would be their day.
    pub(crate) fn is_over(&self, cell: f64, last: Option<(f64, f64)>) -> bool {
        let Some((end, leavers)) = last else { return true };
        cell > end || cell == end && leavers < self.last.least && self.last.cut != Some(cell)
    }
}

impl Boundaries {
    pub(crate) fn of(plan: &Plan) -> Boundaries {
        let mut shown: Vec<BTreeMap<usize, Shown>> = Vec::new();
        let mut begun: Vec<(usize, &Branch, &Facts)> = Vec::new();
        for (index, branch) in branches(plan) {
            let outcomes = used(branch.protocol());
            shown.push(outcomes.into_iter().map(|outcome| (outcome, Shown::default())).collect());
            begun.extend(branch.facts().map(|facts| (index, branch, facts)));
        }
        let analysed: Vec<Analysed<'_>> = begun
            .iter()
            .map(|(_, branch, facts)| Analysed {
                protocol: branch.protocol(),
                facts,
                outcomes: used(branch.protocol()),
            })
            .collect();
        let minimum = Minimum::of(plan.protocol().release);
        let few = analysed.iter().enumerate().flat_map(|(at, analysed)| {
            let has_few = move |outcome: &usize| few_have(analysed.protocol, analysed.facts, *outcome, minimum.events);
            used(analysed.protocol).into_iter().filter(has_few).map(move |outcome| (at, outcome))
        });
        for (at, outcome) in near(&analysed, minimum).into_iter().map(|(place, _)| place).chain(few) {
            shown[begun[at].0].entry(outcome).or_default().closed = true;
        }
        let mut earlier: BTreeMap<VariableId, Earlier> = BTreeMap::new();
        for (index, branch, facts) in &begun {
            for column in branch.protocol().time_columns() {
                let earlier = earlier.entry(column.time).or_default();
                Column::new(branch, facts, &column, &shown[*index]).choose(earlier, &mut shown[*index]);
            }
        }
        Boundaries(shown)
    }

    /// Of the main analysis (0) or of a scenario, by index of the outcome.
    pub(crate) fn of_analysis(&self, index: usize) -> &BTreeMap<usize, Shown> {
        &self.0[index]
    }
}

/// Has an arm so few patients with a value of an outcome that a curve is theirs?
fn few_have(protocol: &Protocol, facts: &Facts, outcome: usize, minimum: u64) -> bool {
    facts.arms_with(protocol, outcome).is_some_and(|arms| arms.iter().any(|n| (1..minimum).contains(n)))
}

fn used(protocol: &Protocol) -> Vec<usize> {
    let outcomes = protocol.outcomes.iter().enumerate();
    outcomes.filter(|(_, outcome)| protocol.is_used(&outcome.name)).map(|(index, _)| index).collect()
}
