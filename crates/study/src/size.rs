//! How long the messages of a study get, from the protocol alone: what its author should know before sites are asked.

use std::sync::Arc;

use stats::logistic::step_len;

use crate::plan::{Branch, FitKey, Plan, ROUND_WORDS};
use crate::protocol::{AnalysisKind, Model, Protocol, Scenario};
use crate::question::Question;

/// Bytes of a word on the wire.
const WORD: usize = 16;

/// Bytes of key stream that one core makes in a second: measured in docs/architecture.md, rounded down.
const STREAM: f64 = 1.8e9;

/// The longest step of a run, at most: every model evaluates at once, in every replicate and imputation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Words of the first step.
    pub first: usize,
    /// Words of the longest step.
    pub longest: usize,
}

impl Size {
    /// Of a protocol; `events` of an outcome bound the cells that its risk-set sums have. Without, every cell of the grid
    /// counts.
    pub fn of(protocol: &Arc<Protocol>, events: &dyn Fn(&str) -> Option<u64>) -> Size {
        let plan = Plan::new(Arc::clone(protocol));
        let first = plan.step_words();
        let branch = |branch: &Branch| -> usize {
            let models = branch.fits().map(|(key, _)| evaluation(branch.protocol(), key, events));
            models.sum::<usize>() + tables(branch.protocol())
        };
        let alone = |protocol: &Arc<Protocol>| branch(Plan::new(Arc::clone(protocol)).main());
        let scenario = |scenario: &Scenario| match &scenario.imputation {
            Some(imputation) => alone(&scenario.protocol) * imputation.draws as usize,
            None => alone(&scenario.protocol),
        };
        let replicates = protocol.bootstrap.as_ref().map_or(0, |b| alone(&b.protocol) * b.replicates as usize);
        let models = branch(plan.main()) + protocol.scenarios.iter().map(scenario).sum::<usize>() + replicates;
        Size { first, longest: models.max(first) }
    }

    /// Rounds that the longest step takes.
    pub fn rounds(&self) -> usize {
        self.longest.div_ceil(ROUND_WORDS).max(1)
    }

    /// Bytes that a site sends in the longest step.
    pub fn bytes(&self) -> usize {
        self.longest * WORD
    }

    /// Seconds in which one core of a site makes the masks of the longest step: a stream for each peer, and the seal.
    pub fn mask_seconds(&self, sites: usize) -> f64 {
        self.bytes() as f64 * sites as f64 / STREAM
    }
}

/// Words of the values of the baseline table and of the curves, which are asked beside the models.
fn tables(protocol: &Protocol) -> usize {
    let values = protocol.baselines.iter().flat_map(|baseline| &baseline.variables);
    let values = values.map(|variable| Question::ValueHistogram { variable: *variable });
    let position = |name: &String| protocol.outcomes.iter().position(|outcome| outcome.name == *name);
    let curves = protocol.curves.iter().flat_map(|curve| &curve.outcomes).filter_map(position);
    let curves = curves.map(|outcome| Question::ArmTable { outcome, weighted: None });
    let incidences = protocol.incidences.iter().flat_map(|incidence| &incidence.outcomes).filter_map(position);
    let incidences = incidences.map(|outcome| Question::Causes { outcome });
    values.chain(curves).chain(incidences).map(|question| question.words(protocol)).sum()
}

/// Words of the longest exchange in which a model is evaluated once.
fn evaluation(protocol: &Protocol, key: &FitKey, events: &dyn Fn(&str) -> Option<u64>) -> usize {
    let columns = key.terms.len();
    let grid = protocol.outcome(&key.outcome).and_then(|outcome| outcome.kind.grid());
    let cells = grid.map_or(0, |grid| grid.cells());
    let cells = events(&key.outcome).map_or(cells, |events| cells.min(usize::try_from(events).unwrap_or(usize::MAX)));
    let risk = |per_cell: usize| ((1 + columns) * per_cell * cells).max(step_len(columns));
    match key.analysis {
        None | Some(AnalysisKind::Logistic) => step_len(columns),
        Some(AnalysisKind::Cox(_)) if key.model == Some(Model::Stratified) => step_len(columns),
        Some(AnalysisKind::Cox(_)) => risk(2),
        Some(AnalysisKind::FineGray(_)) => risk(3),
    }
}
