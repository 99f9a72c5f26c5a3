//! One survival curve of the plan: asks for its two-arm table.
//!
//! A weighted table is asked only in the cells in which the table of counts shows somebody: on a fine grid a small part of
//! all. Where the protocol declares no unweighted curve of the outcome, the counts are asked first.

use std::sync::Arc;

use stats::survival::{ArmTable, arm_table_len};

use super::Facts;
use super::failure::Failure;
use crate::protocol::{Analysis, CurveAnalysis, Protocol};
use crate::question::{Question, Weights, time_to_event};

/// Which curve a table belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveKey {
    /// Index of the outcome in the protocol.
    pub outcome: usize,
    /// With the study's weights?
    pub weighted: bool,
    /// Index of its analysis in [`Protocol::curves`]; none where only the leavers are counted.
    analysis: Option<usize>,
}

impl CurveKey {
    /// What the protocol wants of the curve; nothing where its table only says who leaves when.
    pub fn analysis<'p>(&self, protocol: &'p Protocol) -> Option<&'p CurveAnalysis> {
        Some(&protocol.curves[self.analysis?])
    }

    pub(super) fn is_counted(&self) -> bool {
        self.analysis.is_none()
    }

    /// `unadjusted` or `iptw`, as models are called.
    pub fn model_name(&self) -> &'static str {
        if self.weighted { "iptw" } else { "unadjusted" }
    }
}

#[derive(Debug, Clone)]
enum Stage {
    Waiting,
    /// Asks the counts that a weighted table needs.
    Counting(Weights),
    /// Asks the counts that are the table.
    Unweighted,
    /// Asks the weighted table in these cells.
    Weighted(Weights, Arc<[u32]>),
    Ended(Result<ArmTable, Failure>),
}

/// A curve under way.
#[derive(Debug, Clone)]
pub(super) struct CurveTask {
    key: CurveKey,
    stage: Stage,
}

impl CurveTask {
    /// Every declared curve, in file order; then the outcomes whose leavers are counted without a curve.
    pub(super) fn all(protocol: &Protocol) -> Vec<CurveTask> {
        let mut tasks = Vec::new();
        for (analysis, curve) in protocol.curves.iter().enumerate() {
            for name in &curve.outcomes {
                let Some(outcome) = protocol.outcomes.iter().position(|o| o.name == *name) else { continue };
                tasks.extend(curve.weighted.iter().map(|weighted| CurveTask {
                    key: CurveKey { outcome, weighted: *weighted, analysis: Some(analysis) },
                    stage: Stage::Waiting,
                }));
            }
        }
        let drawn = |outcome: usize, tasks: &[CurveTask]| tasks.iter().any(|task| task.key.outcome == outcome);
        for outcome in counted(protocol) {
            if !drawn(outcome, &tasks) {
                let key = CurveKey { outcome, weighted: false, analysis: None };
                tasks.push(CurveTask { key, stage: Stage::Waiting });
            }
        }
        tasks
    }

    pub(super) fn key(&self) -> &CurveKey {
        &self.key
    }

    pub(super) fn outcome(&self) -> Option<Result<&ArmTable, &Failure>> {
        match &self.stage {
            Stage::Ended(ended) => Some(ended.as_ref()),
            _ => None,
        }
    }

    /// Cells in which somebody leaves, once the counts are there.
    pub(super) fn occupied(&self) -> Option<Arc<[u32]>> {
        match &self.stage {
            Stage::Ended(Ok(table)) if !self.key.weighted => Some(occupied(table)),
            _ => None,
        }
    }

    /// Asks from now on, or ends with what the first round already shows. A weighted curve comes with the cells in which
    /// somebody leaves, where they are known.
    pub(super) fn start(&mut self, protocol: &Protocol, facts: &Facts, weights: Option<(Weights, Option<Arc<[u32]>>)>) {
        let outcome = self.key.outcome;
        self.stage = match facts.check_times(protocol, outcome, &protocol.outcomes[outcome].name) {
            Ok(()) => match weights {
                None => Stage::Unweighted,
                Some((weights, None)) => Stage::Counting(weights),
                Some((weights, Some(cells))) => Stage::Weighted(weights, cells),
            },
            Err(failure) => Stage::Ended(Err(failure)),
        };
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.stage = Stage::Ended(Err(failure));
    }

    pub(super) fn asks(&self) -> bool {
        matches!(self.stage, Stage::Counting(_) | Stage::Unweighted | Stage::Weighted(..))
    }

    pub(super) fn ask(&self) -> Option<Question> {
        let weighted = match &self.stage {
            Stage::Counting(_) | Stage::Unweighted => None,
            Stage::Weighted(weights, cells) => Some((weights.clone(), Arc::clone(cells))),
            Stage::Waiting | Stage::Ended(_) => return None,
        };
        Some(Question::ArmTable { outcome: self.key.outcome, weighted })
    }

    pub(super) fn tell(&mut self, protocol: &Protocol, sums: &[f64]) {
        let cells = time_to_event(protocol, self.key.outcome).cells();
        let table = match &self.stage {
            Stage::Weighted(_, occupied) => ArmTable::new(cells, true, &spread(cells, occupied, sums)),
            _ => ArmTable::new(cells, false, sums),
        };
        self.stage = match (std::mem::replace(&mut self.stage, Stage::Waiting), table) {
            (Stage::Counting(weights), Ok(counts)) => Stage::Weighted(weights, occupied(&counts)),
            (_, table) => Stage::Ended(table.map_err(Failure::from)),
        };
    }
}

/// Outcomes standardised at single days: under a floor, who leaves between those days has to be known.
fn counted(protocol: &Protocol) -> impl Iterator<Item = usize> {
    let floor = protocol.release.minimum_leavers > 1;
    let asked = move |analysis: &&Analysis| floor && analysis.standardises_times();
    let names = protocol.analyses.iter().filter(asked).flat_map(|analysis| &analysis.outcomes);
    names.filter_map(|name| protocol.outcomes.iter().position(|o| o.name == *name))
}

/// Cells of a table in which somebody leaves, ascending.
fn occupied(table: &ArmTable) -> Arc<[u32]> {
    let leavers = table.cells().iter().map(|[control, treated]| control.all().n + treated.all().n);
    leavers.enumerate().filter(|(_, n)| *n > 0.0).map(|(cell, _)| cell as u32).collect()
}

/// The words of a whole grid from those of some of its cells; nobody leaves in the others.
fn spread(cells: usize, occupied: &[u32], sums: &[f64]) -> Vec<f64> {
    let width = arm_table_len(1, true);
    let mut whole = vec![0.0; arm_table_len(cells, true)];
    for (cell, words) in occupied.iter().zip(sums.chunks(width)) {
        whole[width * *cell as usize..][..width].copy_from_slice(words);
    }
    whole
}
