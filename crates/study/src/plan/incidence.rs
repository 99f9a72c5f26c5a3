//! Cumulative incidences of the plan: the counts are those of the second round, a weighted table takes one exchange.

use std::sync::Arc;

use stats::competing::{CauseTable, cause_table_len};
use stats::survival::Who;

use super::Facts;
use super::failure::Failure;
use crate::protocol::{IncidenceAnalysis, Protocol};
use crate::question::{Question, Weights, competing};

/// Which incidences a table belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidenceKey {
    /// Index of the outcome in the protocol.
    pub outcome: usize,
    /// With the study's weights?
    pub weighted: bool,
    /// Index of its analysis in [`Protocol::incidences`].
    analysis: usize,
}

impl IncidenceKey {
    /// What the protocol wants of them.
    pub fn analysis<'p>(&self, protocol: &'p Protocol) -> &'p IncidenceAnalysis {
        &protocol.incidences[self.analysis]
    }

    /// `unadjusted` or `iptw`, as models are called.
    pub fn model_name(&self) -> &'static str {
        if self.weighted { "iptw" } else { "unadjusted" }
    }
}

#[derive(Debug, Clone)]
enum Stage {
    Waiting,
    /// Asks the weighted table in these cells.
    Weighted(Weights, Arc<[u32]>),
    Ended(Result<CauseTable, Failure>),
}

/// Incidences under way.
#[derive(Debug, Clone)]
pub(super) struct IncidenceTask {
    key: IncidenceKey,
    stage: Stage,
}

impl IncidenceTask {
    /// All that are declared, in file order.
    pub(super) fn all(protocol: &Protocol) -> Vec<IncidenceTask> {
        let mut tasks = Vec::new();
        for (analysis, incidence) in protocol.incidences.iter().enumerate() {
            for name in &incidence.outcomes {
                let Some(outcome) = protocol.outcomes.iter().position(|o| o.name == *name) else { continue };
                tasks.extend(incidence.weighted.iter().map(|weighted| IncidenceTask {
                    key: IncidenceKey { outcome, weighted: *weighted, analysis },
                    stage: Stage::Waiting,
                }));
            }
        }
        tasks
    }

    pub(super) fn key(&self) -> &IncidenceKey {
        &self.key
    }

    pub(super) fn outcome(&self) -> Option<Result<&CauseTable, &Failure>> {
        match &self.stage {
            Stage::Ended(ended) => Some(ended.as_ref()),
            _ => None,
        }
    }

    /// Ends with the counts of the second round, or asks for the same leavers with weights.
    pub(super) fn start(&mut self, protocol: &Protocol, facts: &Facts, weights: Option<Weights>) {
        let outcome = self.key.outcome;
        let counts = facts
            .check_times(protocol, outcome, &protocol.outcomes[outcome].name)
            .and_then(|()| facts.causes[&outcome].table());
        self.stage = match (counts, weights) {
            (Err(failure), _) => Stage::Ended(Err(failure)),
            (Ok(counts), None) => Stage::Ended(Ok(counts.clone())),
            (Ok(counts), Some(weights)) => Stage::Weighted(weights, occupied(counts)),
        };
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.stage = Stage::Ended(Err(failure));
    }

    pub(super) fn asks(&self) -> bool {
        matches!(self.stage, Stage::Weighted(..))
    }

    pub(super) fn ask(&self) -> Option<Question> {
        let Stage::Weighted(weights, cells) = &self.stage else { return None };
        Some(Question::CauseTable { outcome: self.key.outcome, weights: weights.clone(), cells: Arc::clone(cells) })
    }

    pub(super) fn tell(&mut self, protocol: &Protocol, sums: &[f64]) {
        let Stage::Weighted(_, occupied) = &self.stage else { return };
        let outcome = competing(protocol, self.key.outcome);
        let (cells, causes) = (outcome.grid.cells(), outcome.count());
        let width = cause_table_len(1, causes, true);
        // nobody leaves in the other cells
        let mut whole = vec![0.0; cause_table_len(cells, causes, true)];
        for (cell, words) in occupied.iter().zip(sums.chunks(width)) {
            whole[width * *cell as usize..][..width].copy_from_slice(words);
        }
        self.stage = Stage::Ended(CauseTable::new(cells, causes, true, &whole).map_err(Failure::from));
    }
}

/// Cells of a table in which somebody leaves, ascending.
fn occupied(table: &CauseTable) -> Arc<[u32]> {
    let leavers = table.leavers(Who::All).into_iter().map(|leavers| leavers.all().n);
    leavers.enumerate().filter(|(_, n)| *n > 0.0).map(|(cell, _)| cell as u32).collect()
}
