//! Patients and events by arm and level of the effect modifiers: counts that stand beside the effects within levels. Asked in
//! the second round, of the main analysis alone: a model of a scenario has its own patients, and its counts would tell by
//! their difference who they are.

use secagg::Canonical;

use super::FitKey;
use crate::dictionary::VariableId;
use crate::protocol::{OutcomeKind, Protocol};
use crate::question::{Question, events};

/// What is counted of one outcome by the levels of one effect modifier.
#[derive(Debug, Clone, PartialEq)]
pub struct SubgroupCounts {
    /// Index of the outcome in the protocol.
    pub outcome: usize,
    /// The effect modifier.
    pub variable: VariableId,
    /// The words of [`Question::Subgroups`].
    counts: Vec<f64>,
    levels: usize,
    events: usize,
}

impl SubgroupCounts {
    /// Number of levels.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// Patients of an arm (0 is the control arm) at a level.
    pub fn n(&self, arm: usize, level: usize) -> u64 {
        self.counts[self.place(arm, level)] as u64
    }

    /// Of them those with an event, or with each of the causes.
    pub fn events(&self, arm: usize, level: usize) -> Vec<u64> {
        let place = self.place(arm, level);
        self.counts[place + 1..=place + self.events].iter().map(|n| *n as u64).collect()
    }

    /// Into the digest of results.
    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        out.u32(self.outcome as u32).u32(self.variable.0 as u32).list(&self.counts, |out, n| out.f64(*n))
    }

    fn place(&self, arm: usize, level: usize) -> usize {
        (1 + self.events) * (arm * self.levels + level)
    }
}

/// The counts while the plan runs.
#[derive(Debug, Clone, Default)]
pub(super) struct SubgroupTask {
    asked: Vec<(usize, VariableId)>,
    asks: bool,
    counts: Vec<SubgroupCounts>,
}

impl SubgroupTask {
    /// Of every outcome with a model that has a categorical effect modifier, each pair once.
    pub(super) fn new<'k>(protocol: &Protocol, models: impl Iterator<Item = &'k FitKey>) -> SubgroupTask {
        let mut asked = Vec::new();
        for key in models {
            let Some(modifier) = &key.modifier else { continue };
            let is_level = !protocol.dictionary.variable(modifier.variable).levels().is_empty();
            let Some(outcome) = protocol.outcomes.iter().position(|o| o.name == key.outcome).filter(|_| is_level)
            else {
                continue;
            };
            // a binary outcome can be a modifier of another: of itself it has no effect
            let is_itself = matches!(protocol.outcomes[outcome].kind, OutcomeKind::Binary { variable } if variable == modifier.variable);
            let pair = (outcome, modifier.variable);
            if !is_itself && !asked.contains(&pair) {
                asked.push(pair);
            }
        }
        SubgroupTask { asked, ..SubgroupTask::default() }
    }

    /// After the first round.
    pub(super) fn start(&mut self) {
        self.asks = !self.asked.is_empty();
    }

    pub(super) fn ask(&self) -> impl Iterator<Item = Question> {
        let asked = self.asked.iter().filter(|_| self.asks);
        asked.map(|(outcome, variable)| Question::Subgroups { outcome: *outcome, variable: *variable })
    }

    /// Takes its answers off the round's, in the order of [`SubgroupTask::ask`].
    pub(super) fn tell<'a>(&mut self, protocol: &Protocol, answers: &mut impl Iterator<Item = &'a [f64]>) {
        if !std::mem::take(&mut self.asks) {
            return;
        }
        for (outcome, variable) in &self.asked {
            self.counts.push(SubgroupCounts {
                outcome: *outcome,
                variable: *variable,
                counts: answers.next().unwrap_or_default().to_vec(),
                levels: protocol.dictionary.variable(*variable).levels().len(),
                events: events(protocol, *outcome),
            });
        }
    }

    pub(super) fn counts(&self) -> &[SubgroupCounts] {
        &self.counts
    }
}
