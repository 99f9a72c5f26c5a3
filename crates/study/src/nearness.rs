//! Counts of events that tell of a few patients by their difference.
//!
//! Events of two outcomes on the same column, or of one outcome in two analyses of a run, count nearly the same patients.
//! Where one set holds the other, a small difference counts those in between. Which set holds which is not known to
//! everybody, so that every small difference between related counts is taken for such.

use crate::dictionary::VariableId;
use crate::plan::{Branch, Facts, Plan};
use crate::protocol::{OutcomeKind, Protocol, ReleaseRules};

/// Fewest patients by whom two related counts may differ, but for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minimum {
    /// Of events.
    pub(crate) events: u64,
    /// Of events between two horizons: those leave between two days.
    pub(crate) between_horizons: u64,
}

impl Minimum {
    pub(crate) fn new(cell: u32, leavers: u32) -> Minimum {
        Minimum { events: u64::from(cell), between_horizons: u64::from(cell.max(leavers)) }
    }

    pub(crate) fn of(rules: ReleaseRules) -> Minimum {
        Minimum::new(rules.minimum_cell, rules.minimum_leavers)
    }
}

/// One count of events by arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    /// Index of the outcome.
    pub(crate) outcome: usize,
    /// Number of the cause; 0 counts the events of all of them, and those of an outcome without causes.
    cause: u8,
    event: VariableId,
    time: Option<(VariableId, u32)>,
    events: [u64; 2],
    n: [u64; 2],
}

impl Count {
    /// Counts of an outcome of an analysis; none before they are opened.
    fn of(protocol: &Protocol, facts: &Facts, outcome: usize) -> Vec<Count> {
        let kind = &protocol.outcomes[outcome].kind;
        let count = |cause, events, n| Count {
            outcome,
            cause,
            event: kind.event(),
            time: kind.time().zip(kind.grid().map(|grid| grid.horizon_days)),
            events,
            n,
        };
        match kind {
            OutcomeKind::Binary { variable } => {
                let Some(arms) = facts.levels.get(variable) else { return Vec::new() };
                vec![count(0, [arms[0][1], arms[1][1]], [arms[0][0] + arms[0][1], arms[1][0] + arms[1][1]])]
            }
            OutcomeKind::TimeToEvent(_) => {
                let Some(events) = facts.events.get(&outcome) else { return Vec::new() };
                let n = [0, 1].map(|arm| events.events[arm] + events.censored[arm]);
                vec![count(0, events.events, n)]
            }
            OutcomeKind::Competing(competing) => {
                let Some(causes) = facts.causes.get(&outcome) else { return Vec::new() };
                let each = (1..=competing.count()).map(|cause| count(cause, causes.events(cause), causes.rows()));
                let each: Vec<Count> = each.collect();
                let all = [0, 1].map(|arm| each.iter().map(|count| count.events[arm]).sum());
                [&[count(0, all, causes.rows())][..], &each].concat()
            }
        }
    }

    /// Do the two differ by a few patients of an arm? `same` says whether both are of one analysis.
    fn near(&self, other: &Count, same: bool, minimum: Minimum) -> bool {
        let time = |count: &Count| count.time.map(|(time, _)| time);
        let related = if self.outcome == other.outcome {
            !same && self.cause == other.cause
        } else {
            self.event == other.event || self.time.is_some() && time(self) == time(other)
        };
        let cut = time(self) == time(other) && self.time != other.time;
        let least = if same && cut { minimum.between_horizons } else { minimum.events };
        let without = |count: &Count, arm: usize| count.n[arm].saturating_sub(count.events[arm]);
        let small = |a: u64, b: u64, least: u64| (1..least).contains(&a.abs_diff(b));
        related
            && (0..2).any(|arm| {
                small(self.events[arm], other.events[arm], least)
                    || small(without(self, arm), without(other, arm), minimum.events)
            })
    }
}

/// An analysis of a run with the outcomes whose events it tells.
pub(crate) struct Analysed<'p> {
    pub(crate) protocol: &'p Protocol,
    pub(crate) facts: &'p Facts,
    pub(crate) outcomes: Vec<usize>,
}

/// An outcome of one of the analyses, by their indices.
pub(crate) type Place = (usize, usize);

/// Outcomes with a count near one of an earlier place, which stands beside; in the order of analyses and outcomes. Those
/// that are found are not compared with later ones: they are not told.
pub(crate) fn near(analyses: &[Analysed<'_>], minimum: Minimum) -> Vec<(Place, Place)> {
    let mut told: Vec<(usize, Count)> = Vec::new();
    let mut found = Vec::new();
    for (index, analysed) in analyses.iter().enumerate() {
        for outcome in &analysed.outcomes {
            let counts = Count::of(analysed.protocol, analysed.facts, *outcome);
            let beside = told
                .iter()
                .find(|(other, earlier)| counts.iter().any(|count| count.near(earlier, *other == index, minimum)));
            match beside {
                Some((other, earlier)) => found.push(((index, *outcome), (*other, earlier.outcome))),
                None => told.extend(counts.into_iter().map(|count| (index, count))),
            }
        }
    }
    found
}

/// All analyses of a plan that have begun, with the index of each: 0 is the main analysis, then come the scenarios.
pub(crate) fn branches(plan: &Plan) -> impl Iterator<Item = (usize, &Branch)> {
    std::iter::once(plan.main()).chain(plan.scenarios().map(|(_, branch)| branch)).enumerate()
}
