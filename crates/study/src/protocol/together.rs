//! What the outcomes of one time column tell together.
//!
//! Who has left by the end of a cell of one outcome and by the end of a cell of another one differ by those who leave
//! between the two: a promise about the width of cells holds for all ends together.

use super::{OutcomeKind, Protocol, ReleaseRules, TimeGrid};
use crate::dictionary::VariableId;

/// A time column, and the outcomes on it that anything is computed of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeColumn {
    /// Days variable.
    pub time: VariableId,
    /// Indices of the outcomes.
    pub outcomes: Vec<usize>,
}

/// Two days near each other that can be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Narrow<T> {
    /// The earlier day, and whose cell ends there.
    pub from: (u32, T),
    /// The later one.
    pub to: (u32, T),
}

impl<T> Narrow<T> {
    /// Days between them.
    pub fn days(&self) -> u32 {
        self.to.0 - self.from.0
    }
}

impl ReleaseRules {
    /// Is anything hidden at all?
    pub fn any_floor(&self) -> bool {
        self.minimum_cell > 1 || self.minimum_leavers > 1
    }
}

impl Protocol {
    /// Names of outcomes of models, curves and incidences.
    pub(crate) fn is_used(&self, outcome: &str) -> bool {
        let models = self.analyses.iter().flat_map(|analysis| &analysis.outcomes);
        let curves = self.curves.iter().flat_map(|curve| &curve.outcomes);
        let incidences = self.incidences.iter().flat_map(|incidence| &incidence.outcomes);
        models.chain(curves).chain(incidences).any(|name| name == outcome)
    }

    /// Every time column with the outcomes in use.
    pub fn time_columns(&self) -> Vec<TimeColumn> {
        let mut columns: Vec<TimeColumn> = Vec::new();
        for (index, outcome) in self.outcomes.iter().enumerate().filter(|(_, outcome)| self.is_used(&outcome.name)) {
            let Some(time) = outcome.kind.time() else { continue };
            match columns.iter_mut().find(|column| column.time == time) {
                Some(column) => column.outcomes.push(index),
                None => columns.push(TimeColumn { time, outcomes: vec![index] }),
            }
        }
        columns
    }

    /// The grids of a time column, with the outcomes.
    pub fn grids_of(&self, column: &TimeColumn) -> Vec<(usize, TimeGrid)> {
        let grid = |index: &usize| Some((*index, self.outcomes[*index].kind.grid()?));
        column.outcomes.iter().filter_map(grid).collect()
    }
}

/// The two nearest days at which cells end, where they are nearer than `width` days. Within one grid of such a width they
/// never are.
pub fn narrowest<T: Copy>(grids: &[(T, TimeGrid)], width: u32) -> Option<Narrow<T>> {
    let mut ends: Vec<(u32, T)> = Vec::new();
    for (whose, grid) in grids {
        ends.extend(grid.told_days().into_iter().map(|day| (day, *whose)));
    }
    ends.sort_by_key(|(day, _)| *day);
    ends.dedup_by_key(|(day, _)| *day);
    let near = ends.windows(2).map(|pair| Narrow { from: pair[0], to: pair[1] });
    near.filter(|near| near.days() < width).min_by_key(Narrow::days)
}

impl OutcomeKind {
    /// The variable that says whether, or by which cause, somebody leaves; of a binary outcome the outcome itself.
    pub(crate) fn event(&self) -> VariableId {
        match self {
            OutcomeKind::Binary { variable } => *variable,
            OutcomeKind::TimeToEvent(t) => t.event,
            OutcomeKind::Competing(c) => c.status,
        }
    }
}
