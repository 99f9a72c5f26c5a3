//! Who leaves in each cell of the grid of an outcome, as the floors of times look at it.

use crate::plan::{Branch, Facts};
use crate::protocol::{TimeColumn, TimeGrid};

/// One outcome with who leaves in each cell of its grid.
pub(super) struct Leavers {
    pub(super) outcome: usize,
    pub(super) grid: TimeGrid,
    /// By cell and arm.
    pub(super) cells: Vec<[f64; 2]>,
    /// Of them by the event, or by each of the causes.
    pub(super) events: Vec<Vec<[f64; 2]>>,
    /// Censored in the last cell because they were followed beyond it, or perhaps so.
    pub(super) staying: [f64; 2],
}

impl Leavers {
    /// Of every outcome of a column that was counted.
    pub(super) fn all(branch: &Branch, facts: &Facts, column: &TimeColumn) -> Vec<Leavers> {
        let grids = branch.protocol().grids_of(column);
        let of = |(outcome, grid): (usize, TimeGrid)| {
            let (cells, events, beyond) = if let Some(causes) = facts.causes.get(&outcome) {
                let cells = causes.table().ok()?.cells();
                let count = cells.first()?[0].causes.len();
                let of_cause = |k: usize| cells.iter().map(move |arms| arms.each_ref().map(|l| l.causes[k].n));
                let all = cells.iter().map(|arms| arms.each_ref().map(|leavers| leavers.all().n));
                (all.collect(), (0..count).map(|k| of_cause(k).collect()).collect(), causes.beyond)
            } else {
                let (_, table) = branch.leavers().find(|(index, _)| *index == outcome)?;
                let all: Vec<[f64; 2]> = table.cells().iter().map(|arms| arms.map(|leavers| leavers.all().n)).collect();
                let events = table.cells().iter().map(|arms| arms.map(|leavers| leavers.events.n));
                (all, vec![events.collect()], facts.events.get(&outcome)?.beyond)
            };
            let events: Vec<Vec<[f64; 2]>> = events;
            let last = cells.last()?;
            let by_event =
                |arm: usize| events.iter().filter_map(|cells| cells.last()).map(|arms| arms[arm]).sum::<f64>();
            let staying = [0, 1].map(|arm| if beyond > 0 { last[arm] - by_event(arm) } else { 0.0 });
            Some(Leavers { outcome, grid, cells, events, staying })
        };
        grids.into_iter().filter_map(of).collect()
    }
}
