//! Checks of Cox models: proportional hazards and concordance.
//!
//! A check starts when its model has converged, in the round in which the model asks for the sums of its variances. Tests
//! take one exchange. Concordance takes two, the second for the table of time and predictor in the bins that the first
//! found occupied; one is enough for the treatment alone, whose predictor has two values, and for a model stratified by
//! site. A check that fails leaves its model as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use stats::concordance::{self, Pairs, PredictorGrid};
use stats::cox::{Curves, EventCells};
use stats::survival::ArmTable;
use stats::zph::{self, Transform, Untestable};

use super::Facts;
use super::curve::CurveTask;
use super::unit::Unit;
use crate::protocol::{AnalysisKind, Checks, OutcomeKind, Protocol};
use crate::question::{CoxModel, Question};
use crate::term::Term;

/// Most words of one table of time and predictor, 2 MiB: with many event cells, bins of the predictor are joined.
const TABLE_WORDS: usize = 1 << 17;

/// Bins cover so much of the linear predictor to either side of its mean. What lies beyond, e^8 times the mean's hazard,
/// counts in the end bins.
const HALF_RANGE: f64 = 8.0;

/// Where a Cox model is checked: at the last evaluation of its fit, or the maximum of one that is stratified by site.
#[derive(Debug, Clone)]
pub(super) struct CoxPoint {
    pub model: Arc<CoxModel>,
    /// Event cells over all sites.
    pub events: Arc<EventCells>,
    /// Curves over all sites; none when stratified by site.
    pub curves: Option<Arc<Curves>>,
    pub beta: Arc<Vec<f64>>,
}

/// What is opened for the checks of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckSums {
    /// Coefficients at which the sums were formed.
    pub beta: Arc<Vec<f64>>,
    /// Per declared transform the sums of its tests, `stats::cox::trend`, or why it has none.
    pub trends: Vec<(Transform, Result<Vec<f64>, Untestable>)>,
    /// Pairs for the concordance, where it is wanted.
    pub pairs: Option<Pairs>,
    /// Are they counted exactly, not on a grid of the predictor?
    pub exact: bool,
}

#[derive(Debug, Clone)]
enum Stage {
    Waiting,
    /// Asks for tests and for pairs, or for the rows per bin of the predictor.
    Evaluate(CoxPoint, Vec<Option<Arc<[f64]>>>),
    /// Asks for the pairs on this grid.
    Count(CoxPoint, Arc<PredictorGrid>),
    Ended,
}

/// The checks of one model.
#[derive(Debug, Clone)]
struct CheckTask {
    /// Index among the units of the branch.
    unit: usize,
    outcome: usize,
    wanted: Checks,
    stage: Stage,
    sums: Option<CheckSums>,
}

/// Who leaves in each cell, which the transforms need.
#[derive(Debug, Clone)]
enum Leavers {
    /// Those of an unweighted curve.
    Curve,
    Waiting,
    Asked,
    Known(Vec<f64>),
}

/// All checks of a branch.
#[derive(Debug, Clone, Default)]
pub(super) struct ModelChecks {
    leavers: BTreeMap<usize, Leavers>,
    tasks: Vec<CheckTask>,
}

impl ModelChecks {
    /// The declared checks of the units, which stand in the order of the analyses.
    pub(super) fn new(protocol: &Protocol, curves: &[CurveTask]) -> ModelChecks {
        let (mut checks, mut unit) = (ModelChecks::default(), 0);
        for analysis in &protocol.analyses {
            for name in &analysis.outcomes {
                let index = protocol.outcomes.iter().position(|o| o.name == *name);
                for _ in analysis.fits() {
                    if let (Some(outcome), AnalysisKind::Cox(_), false) =
                        (index, analysis.kind, analysis.checks.is_empty())
                    {
                        checks.add(unit, outcome, &analysis.checks, curves);
                    }
                    unit += 1;
                }
            }
        }
        checks
    }

    fn add(&mut self, unit: usize, outcome: usize, wanted: &Checks, curves: &[CurveTask]) {
        self.tasks.push(CheckTask { unit, outcome, wanted: wanted.clone(), stage: Stage::Waiting, sums: None });
        if wanted.zph.iter().any(|kind| counts_leavers(*kind)) {
            let drawn = curves.iter().any(|curve| curve.key().outcome == outcome && !curve.key().weighted);
            self.leavers.insert(outcome, if drawn { Leavers::Curve } else { Leavers::Waiting });
        }
    }

    /// After the first round.
    pub(super) fn start(&mut self, protocol: &Protocol, facts: &Facts) {
        // of competing causes, the second round opens them
        let single = |outcome: &usize| matches!(protocol.outcomes[*outcome].kind, OutcomeKind::TimeToEvent(_));
        for (outcome, leavers) in self.leavers.iter_mut().filter(|(outcome, _)| single(outcome)) {
            let usable = facts.check_times(protocol, *outcome, &protocol.outcomes[*outcome].name).is_ok();
            if matches!(leavers, Leavers::Waiting) && usable {
                *leavers = Leavers::Asked;
            }
        }
    }

    /// Who leaves in each cell, of an outcome that something else has counted.
    pub(super) fn know(&mut self, outcome: usize, exits: Vec<f64>) {
        self.leavers.entry(outcome).and_modify(|leavers| *leavers = Leavers::Known(exits));
    }

    /// What it asks, each with the unit that it checks.
    pub(super) fn ask(&self) -> Vec<(Question, Option<usize>)> {
        let asked = self.leavers.iter().filter(|(_, leavers)| matches!(leavers, Leavers::Asked));
        let leavers = asked.map(|(outcome, _)| (Question::Leavers { outcome: *outcome }, None));
        let checks = self.tasks.iter().flat_map(|task| task.ask().into_iter().map(|q| (q, Some(task.unit))));
        leavers.chain(checks).collect()
    }

    /// Takes its answers off the round's, in the order of [`ModelChecks::ask`].
    pub(super) fn tell<'a>(&mut self, answers: &mut impl Iterator<Item = &'a [f64]>) {
        for leavers in self.leavers.values_mut().filter(|leavers| matches!(leavers, Leavers::Asked)) {
            *leavers = Leavers::Known(answers.next().unwrap_or_default().to_vec());
        }
        for task in &mut self.tasks {
            task.tell(answers);
        }
    }

    /// Starts the checks of models that have converged.
    pub(super) fn follow(&mut self, protocol: &Protocol, units: &[Unit], curves: &[CurveTask]) {
        for task in self.tasks.iter_mut().filter(|task| matches!(task.stage, Stage::Waiting)) {
            let Some(point) = units[task.unit].point() else { continue };
            let leavers = match self.leavers.get(&task.outcome) {
                Some(Leavers::Known(exits)) => Some(exits.clone()),
                Some(Leavers::Curve) => {
                    let drawn = curves.iter().find(|c| c.key().outcome == task.outcome && !c.key().weighted);
                    drawn.and_then(CurveTask::outcome).and_then(Result::ok).map(exits)
                }
                Some(Leavers::Waiting | Leavers::Asked) | None => None,
            };
            task.start(protocol, point, leavers.as_deref());
        }
    }

    /// What is opened for the checks of a unit.
    pub(super) fn sums(&self, unit: usize) -> Option<&CheckSums> {
        let task = self.tasks.iter().find(|task| task.unit == unit)?;
        task.sums.as_ref().filter(|_| matches!(task.stage, Stage::Ended))
    }
}

/// Does the transform count everybody who leaves, not events alone?
fn counts_leavers(kind: Transform) -> bool {
    matches!(kind, Transform::KaplanMeier | Transform::Rank)
}

/// Rows that leave in each cell, of both arms.
fn exits(table: &ArmTable) -> Vec<f64> {
    table.cells().iter().map(|[control, treated]| control.all().n + treated.all().n).collect()
}

impl CheckTask {
    fn start(&mut self, protocol: &Protocol, point: CoxPoint, leavers: Option<&[f64]>) {
        let cells = protocol.outcomes[self.outcome].kind.grid().map_or(0, |grid| grid.cells());
        let transform = |kind: Transform| {
            let leavers = match leavers {
                Some(exits) => exits,
                None if counts_leavers(kind) => return Err(Untestable::Counts),
                None => &vec![0.0; cells],
            };
            zph::transform(kind, &point.events, cells, leavers)
        };
        let transforms: Vec<_> = self.wanted.zph.iter().map(|kind| (*kind, transform(*kind))).collect();
        let asked = transforms.iter().map(|(_, g)| g.as_ref().ok().map(|g| Arc::from(&g[..]))).collect();
        let trends = transforms.into_iter().map(|(kind, g)| (kind, g.map(|_| Vec::new()))).collect();
        let exact = point.curves.is_none() || two_values(&point).is_some();
        self.sums = Some(CheckSums { beta: Arc::clone(&point.beta), trends, pairs: None, exact });
        self.stage = Stage::Evaluate(point, asked);
        if self.ask().is_empty() {
            self.stage = Stage::Ended;
        }
    }

    fn ask(&self) -> Vec<Question> {
        match &self.stage {
            Stage::Waiting | Stage::Ended => Vec::new(),
            Stage::Evaluate(point, transforms) => {
                let kinds = self.wanted.zph.iter().zip(transforms);
                let mut questions: Vec<Question> =
                    kinds.filter_map(|(kind, g)| Some(trend(point, *kind, g.as_ref()?))).collect();
                questions.extend(self.wanted.concordance.map(|width| first_of_concordance(point, width)));
                questions
            }
            Stage::Count(point, grid) => {
                vec![table(point, Arc::clone(grid))]
            }
        }
    }

    fn tell<'a>(&mut self, answers: &mut impl Iterator<Item = &'a [f64]>) {
        let Some(sums) = &mut self.sums else { return };
        let mut next = || answers.next().unwrap_or_default();
        self.stage = match std::mem::replace(&mut self.stage, Stage::Waiting) {
            ended @ (Stage::Waiting | Stage::Ended) => ended,
            Stage::Evaluate(point, _) => {
                for (_, trend) in &mut sums.trends {
                    if let Ok(words) = trend {
                        *words = next().to_vec();
                    }
                }
                match self.wanted.concordance {
                    None => Stage::Ended,
                    Some(width) => {
                        let (pairs, stage) = after_first(point, width, next());
                        sums.pairs = pairs;
                        stage
                    }
                }
            }
            Stage::Count(point, grid) => {
                sums.pairs = Some(concordance::pairs(next(), point.events.cells.len(), &grid));
                Stage::Ended
            }
        };
    }
}

fn trend(point: &CoxPoint, transform: Transform, g: &Arc<[f64]>) -> Question {
    let (model, g, beta) = (Arc::clone(&point.model), Arc::clone(g), point.beta.to_vec());
    let events = Arc::clone(&point.events);
    match &point.curves {
        Some(curves) => Question::CoxTrend { model, events, curves: Arc::clone(curves), transform, g, beta },
        None => Question::StratifiedCoxTrend { model, events, transform, g, beta },
    }
}

fn table(point: &CoxPoint, grid: Arc<PredictorGrid>) -> Question {
    let (model, events) = (Arc::clone(&point.model), Arc::clone(&point.events));
    Question::ConcordanceTable { model, events, grid, beta: point.beta.to_vec() }
}

/// The pairs themselves where one exchange gives them, the rows per bin of the predictor otherwise.
fn first_of_concordance(point: &CoxPoint, width: f64) -> Question {
    let (model, beta) = (Arc::clone(&point.model), point.beta.to_vec());
    match (&point.curves, two_values(point)) {
        (None, _) => Question::StratifiedConcordance { model, beta },
        (Some(_), Some(grid)) => table(point, Arc::new(grid)),
        (Some(_), None) => Question::PredictorHistogram { model, grid: Arc::new(whole_grid(width)), beta },
    }
}

fn after_first(point: CoxPoint, width: f64, sums: &[f64]) -> (Option<Pairs>, Stage) {
    if point.curves.is_none() {
        let pairs = sums.as_array().map_or([f64::NAN; 3], |words| *words);
        return (Some(concordance::stratified_pairs(pairs)), Stage::Ended);
    }
    let cells = point.events.cells.len();
    if let Some(grid) = two_values(&point) {
        return (Some(concordance::pairs(sums, cells, &grid)), Stage::Ended);
    }
    let most = (TABLE_WORDS / (2 * cells)).max(2);
    let grid = Arc::new(whole_grid(width).joined(sums, most));
    (None, Stage::Count(point, grid))
}

/// Equal bins around the mean of the linear predictor, which is 0: the columns are centred.
fn whole_grid(width: f64) -> PredictorGrid {
    let half = (HALF_RANGE / width).ceil();
    PredictorGrid::new(-half * width, width, 2 * half as usize).expect("the protocol's widths are positive")
}

/// The grid of a predictor that is the treatment's alone.
fn two_values(point: &CoxPoint) -> Option<PredictorGrid> {
    let columns = &point.model.columns;
    let ([Term::Treatment], [centre], [beta]) = (&columns.terms[..], &columns.centre[..], &point.beta[..]) else {
        return None;
    };
    Some(PredictorGrid::of_two_values((0.0 - centre) * beta, (1.0 - centre) * beta))
}
