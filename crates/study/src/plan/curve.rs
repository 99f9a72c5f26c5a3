//! One survival curve of the plan: asks for its two-arm table once.

use stats::survival::ArmTable;

use super::Facts;
use super::failure::Failure;
use crate::protocol::{CurveAnalysis, Protocol};
use crate::question::{Question, Weights, time_to_event};

/// Which curve a table belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveKey {
    /// Index of the outcome in the protocol.
    pub outcome: usize,
    /// With the study's weights?
    pub weighted: bool,
    /// Index of its analysis in [`Protocol::curves`].
    analysis: usize,
}

impl CurveKey {
    /// What the protocol wants of the curve.
    pub fn analysis<'p>(&self, protocol: &'p Protocol) -> &'p CurveAnalysis {
        &protocol.curves[self.analysis]
    }

    /// `unadjusted` or `iptw`, as models are called.
    pub fn model_name(&self) -> &'static str {
        if self.weighted { "iptw" } else { "unadjusted" }
    }
}

#[derive(Debug, Clone)]
enum Stage {
    Waiting,
    Asking(Option<Weights>),
    Ended(Result<ArmTable, Failure>),
}

/// A curve under way.
#[derive(Debug, Clone)]
pub(super) struct CurveTask {
    key: CurveKey,
    stage: Stage,
}

impl CurveTask {
    /// Every declared curve, in file order.
    pub(super) fn all(protocol: &Protocol) -> Vec<CurveTask> {
        let mut tasks = Vec::new();
        for (analysis, curve) in protocol.curves.iter().enumerate() {
            for name in &curve.outcomes {
                let Some(outcome) = protocol.outcomes.iter().position(|o| o.name == *name) else { continue };
                tasks.extend(curve.weighted.iter().map(|weighted| CurveTask {
                    key: CurveKey { outcome, weighted: *weighted, analysis },
                    stage: Stage::Waiting,
                }));
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
            Stage::Waiting | Stage::Asking(_) => None,
        }
    }

    /// Asks from now on, or ends with what the first round already shows.
    pub(super) fn start(&mut self, protocol: &Protocol, facts: &Facts, weights: Option<Weights>) {
        let outcome = self.key.outcome;
        self.stage = match facts.check_times(protocol, outcome, &protocol.outcomes[outcome].name) {
            Ok(()) => Stage::Asking(weights),
            Err(failure) => Stage::Ended(Err(failure)),
        };
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.stage = Stage::Ended(Err(failure));
    }

    pub(super) fn asks(&self) -> bool {
        matches!(self.stage, Stage::Asking(_))
    }

    pub(super) fn ask(&self) -> Option<Question> {
        match &self.stage {
            Stage::Asking(weights) => Some(Question::ArmTable { outcome: self.key.outcome, weights: weights.clone() }),
            Stage::Waiting | Stage::Ended(_) => None,
        }
    }

    pub(super) fn tell(&mut self, protocol: &Protocol, sums: &[f64]) {
        let cells = time_to_event(protocol, self.key.outcome).cells();
        self.stage = Stage::Ended(ArmTable::new(cells, self.key.weighted, sums).map_err(Failure::from));
    }
}
