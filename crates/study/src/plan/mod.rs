//! The plan: the whole analysis as one state machine that every party runs on the same sums.
//!
//! [`Plan::ask`] gives the questions of the next round, [`Plan::tell`] advances on the opened sums. All models that are
//! ready ask in the same round. The plan knows no network, clock, file or random source, so two parties that hold the
//! same protocol and the same sums hold the same plan.

mod baseline;
mod curve;
mod facts;
mod failure;
mod unit;

use std::collections::BTreeMap;
use std::sync::Arc;

use stats::fit::Fit;
use stats::survival::ArmTable;

pub use baseline::BaselineSums;
pub use curve::CurveKey;
pub use facts::{Events, Facts};
pub use failure::Failure;
pub use unit::{FitKey, FitOutcome};

use crate::protocol::{Analysis, AnalysisKind, Model, Protocol};
use crate::question::{FittedPropensity, Question, Weights};
use crate::term::Term;
use baseline::BaselineTask;
use curve::CurveTask;
use facts::FirstRound;
use unit::Unit;

/// Version of questions, arithmetic and order; parties with different versions never meet in one study.
pub const PLAN_VERSION: u32 = 2;

/// Where the plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Number of the next round, from 1.
    pub round: u32,
    /// Declared models, the propensity model included.
    pub models: usize,
    /// Models that are fitted.
    pub fitted: usize,
    /// Models that ended in a typed failure.
    pub failed: usize,
}

/// Sums of weights and the overlap histogram, opened once per weighting scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightSummary {
    /// Are these the stabilised weights?
    pub stabilized: bool,
    /// By arm (control, treated): rows, sum of weights, sum of squared weights.
    pub arms: [[f64; 3]; 2],
    /// By bin: rows and sum of weights of the control arm, the same of the treated arm. Empty for the second scheme.
    pub histogram: Vec<[f64; 4]>,
}

#[derive(Debug, Clone, PartialEq)]
enum Summary {
    Waiting { weights: Weights, bins: usize },
    Done(WeightSummary),
}

/// The replicated plan of one study.
#[derive(Debug, Clone)]
pub struct Plan {
    protocol: Arc<Protocol>,
    round: u32,
    first: FirstRound,
    facts: Option<Facts>,
    propensity: Option<Unit>,
    summaries: Vec<Summary>,
    baseline: Option<BaselineTask>,
    curves: Vec<CurveTask>,
    units: Vec<Unit>,
    questions: Arc<[Question]>,
    words: usize,
}

impl Plan {
    /// The plan of a protocol before its first round.
    pub fn new(protocol: Arc<Protocol>) -> Plan {
        let propensity = protocol.propensity.as_ref().map(|p| Unit::propensity(&protocol, p));
        let mut units = Vec::new();
        for analysis in &protocol.analyses {
            for outcome in &analysis.outcomes {
                units.extend(analysis.models.iter().map(|m| Unit::model(&protocol, analysis, outcome, *m)));
            }
        }
        let first = FirstRound::new(&protocol);
        let baseline = BaselineTask::new(&protocol);
        let curves = CurveTask::all(&protocol);
        let mut plan = Plan {
            protocol,
            round: 1,
            first,
            facts: None,
            propensity,
            summaries: Vec::new(),
            baseline,
            curves,
            units,
            questions: Arc::default(),
            words: 0,
        };
        plan.prepare();
        plan
    }

    /// The questions of the next round; empty when the plan is done.
    pub fn ask(&self) -> &Arc<[Question]> {
        &self.questions
    }

    /// Number of words of the next round.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Collects what is asked next.
    fn prepare(&mut self) {
        let questions = if self.facts.is_none() { self.first.questions.clone() } else { self.collect() };
        self.words = questions.iter().map(|q| q.words(&self.protocol)).sum();
        self.questions = questions.into();
    }

    fn collect(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        for summary in &self.summaries {
            if let Summary::Waiting { weights, bins } = summary {
                questions.push(Question::WeightSums { weights: weights.clone() });
                if *bins > 0 {
                    questions.push(Question::PropensityHistogram { weights: weights.clone(), bins: *bins });
                }
            }
        }
        questions.extend(self.baseline.iter().flat_map(BaselineTask::ask));
        questions.extend(self.curves.iter().filter_map(CurveTask::ask));
        questions.extend(self.running().filter_map(Unit::ask));
        questions
    }

    /// Advances on the opened sums of the round that [`Plan::ask`] asked.
    ///
    /// # Panics
    /// When the number of sums is not [`Plan::words`]: the caller checks lengths before.
    pub fn tell(&mut self, sums: &[f64]) {
        let questions = Arc::clone(&self.questions);
        let mut answers = Vec::with_capacity(questions.len());
        let mut rest = sums;
        for question in questions.iter() {
            let (answer, tail) = rest.split_at(question.words(&self.protocol));
            answers.push(answer);
            rest = tail;
        }
        assert!(rest.is_empty(), "the caller checks the number of words");
        self.advance(&answers);
        self.round += 1;
        self.prepare();
    }

    fn advance(&mut self, answers: &[&[f64]]) {
        if self.facts.is_none() {
            let facts = self.first.read(answers);
            self.start(facts);
            return;
        }
        let mut answers = answers.iter().copied();
        for summary in &mut self.summaries {
            if let Summary::Waiting { weights, bins } = summary {
                let done = read_summary(weights, *bins, &mut answers);
                *summary = Summary::Done(done);
            }
        }
        if let Some(baseline) = &mut self.baseline {
            baseline.tell(&mut answers);
        }
        for curve in self.curves.iter_mut().filter(|c| c.asks()) {
            curve.tell(&self.protocol, answers.next().unwrap_or_default());
        }
        let was_running = self.propensity.as_ref().is_some_and(Unit::running);
        for unit in self.propensity.iter_mut().chain(&mut self.units).filter(|u| u.running()) {
            unit.tell(answers.next().unwrap_or_default());
        }
        if was_running && !self.propensity.as_ref().is_some_and(Unit::running) {
            self.start_weighted();
        }
    }

    /// Is there nothing left to ask?
    pub fn done(&self) -> bool {
        self.facts.is_some() && self.questions.is_empty()
    }

    /// Where the plan stands.
    pub fn progress(&self) -> Progress {
        let all = || self.propensity.iter().chain(&self.units);
        Progress {
            round: self.round,
            models: all().count(),
            fitted: all().filter(|u| matches!(u.outcome(), Some(FitOutcome::Fitted(_)))).count(),
            failed: all().filter(|u| matches!(u.outcome(), Some(FitOutcome::Failed(_)))).count(),
        }
    }

    /// The protocol it was made from.
    pub fn protocol(&self) -> &Arc<Protocol> {
        &self.protocol
    }

    /// What the first round opened.
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
    }

    /// Every model with its outcome, the propensity model first; none where it still runs.
    pub fn fits(&self) -> impl Iterator<Item = (&FitKey, Option<FitOutcome<'_>>)> {
        self.propensity.iter().chain(&self.units).map(|u| (u.key(), u.outcome()))
    }

    /// Every survival curve with its table over all sites, or why there is none; none where it still runs.
    pub fn curves(&self) -> impl Iterator<Item = (&CurveKey, Option<Result<&ArmTable, &Failure>>)> {
        self.curves.iter().map(|c| (c.key(), c.outcome()))
    }

    /// The fitted propensity model.
    pub fn propensity(&self) -> Option<&Fit> {
        match self.propensity.as_ref()?.outcome()? {
            FitOutcome::Fitted(fit) => Some(fit),
            FitOutcome::Failed(_) => None,
        }
    }

    /// Weight summaries that are opened.
    pub fn weight_summaries(&self) -> impl Iterator<Item = &WeightSummary> {
        self.summaries.iter().filter_map(|s| match s {
            Summary::Done(done) => Some(done),
            Summary::Waiting { .. } => None,
        })
    }

    /// What is opened of each variable of the baseline table, in its order.
    pub fn baseline(&self) -> impl Iterator<Item = &BaselineSums> {
        self.baseline.iter().flat_map(BaselineTask::sums)
    }

    fn running(&self) -> impl Iterator<Item = &Unit> {
        self.propensity.iter().chain(&self.units).filter(|u| u.running())
    }

    /// After the first round: everything that needs no weights starts.
    fn start(&mut self, facts: Facts) {
        if let Some(unit) = &mut self.propensity {
            unit.start(&self.protocol, &facts, None);
        }
        for unit in self.units.iter_mut().filter(|u| !u.key().model.is_some_and(Model::weighted)) {
            unit.start(&self.protocol, &facts, None);
        }
        if let Some(baseline) = &mut self.baseline {
            baseline.start(&facts);
        }
        for curve in self.curves.iter_mut().filter(|c| !c.key().weighted) {
            curve.start(&self.protocol, &facts, None);
        }
        self.facts = Some(facts);
        if self.propensity.as_ref().is_some_and(|u| !u.running()) {
            self.start_weighted();
        }
    }

    /// When the propensity model has ended: the weighted models start, or end with its failure.
    fn start_weighted(&mut self) {
        let (Some(unit), Some(facts)) = (&self.propensity, &self.facts) else { return };
        let occupied: BTreeMap<usize, Arc<[u32]>> =
            self.curves.iter().filter_map(|c| Some((c.key().outcome, c.occupied()?))).collect();
        let weighted = self.units.iter_mut().filter(|u| u.key().model.is_some_and(Model::weighted));
        let curves = self.curves.iter_mut().filter(|c| c.key().weighted);
        match unit.outcome() {
            Some(FitOutcome::Failed(failure)) => {
                let failure = Failure::Propensity(Box::new(failure.clone()));
                weighted.for_each(|u| u.fail(failure.clone()));
                curves.for_each(|c| c.fail(failure.clone()));
            }
            Some(FitOutcome::Fitted(_)) => {
                let Some((columns, fit)) = unit.centred_fit() else { return };
                let propensity = Arc::new(FittedPropensity { columns: columns.clone(), alpha: fit.beta.clone() });
                let information = Arc::new(fit.information.clone());
                let share = facts.treated() as f64 / facts.analysed() as f64;
                let declared = self.protocol.propensity.as_ref();
                let (default, bins) = declared.map_or((true, 0), |p| (p.stabilized, p.bins));
                let weights = |stabilized: bool| Weights {
                    propensity: Arc::clone(&propensity),
                    stabilized: stabilized.then_some(share),
                };
                let mut schemes = vec![default];
                if let Some(baseline) = &mut self.baseline {
                    baseline.start_weighted(weights(default));
                }
                for unit in weighted {
                    let stabilized = unit.key().stabilized(default);
                    if !schemes.contains(&stabilized) {
                        schemes.push(stabilized);
                    }
                    unit.start(&self.protocol, facts, Some((weights(stabilized), &information)));
                }
                for curve in curves {
                    let cells = occupied.get(&curve.key().outcome).cloned();
                    curve.start(&self.protocol, facts, Some((weights(default), cells)));
                }
                for (i, stabilized) in schemes.into_iter().enumerate() {
                    let bins = if i == 0 { bins } else { 0 };
                    self.summaries.push(Summary::Waiting { weights: weights(stabilized), bins });
                }
            }
            None => {}
        }
    }
}

fn read_summary<'a>(weights: &Weights, bins: usize, answers: &mut impl Iterator<Item = &'a [f64]>) -> WeightSummary {
    let sums = answers.next().unwrap_or_default();
    let histogram = if bins > 0 { answers.next().unwrap_or_default() } else { &[] };
    WeightSummary {
        stabilized: weights.stabilized.is_some(),
        arms: [[sums[0], sums[1], sums[2]], [sums[3], sums[4], sums[5]]],
        histogram: histogram.chunks(4).map(|b| [b[0], b[1], b[2], b[3]]).collect(),
    }
}

/// Design columns of a model, in the order of its coefficients.
fn model_terms(protocol: &Protocol, analysis: &Analysis, model: Model) -> Vec<Term> {
    let mut terms = Vec::new();
    if analysis.kind == AnalysisKind::Logistic {
        terms.push(Term::Intercept);
    }
    terms.push(Term::Treatment);
    let adjusted = matches!(model, Model::Adjusted | Model::Stratified | Model::IptwAdjusted | Model::Interaction);
    if adjusted {
        terms.extend(analysis.covariates.iter().flat_map(|id| Term::of_variable(protocol, *id)));
    }
    if let (Model::Interaction, Some(modifier)) = (model, analysis.effect_modifier) {
        let levels = Term::of_variable(protocol, modifier);
        for level in &levels {
            if !terms.contains(level) {
                terms.push(level.clone());
            }
        }
        terms.extend(levels.into_iter().map(|l| Term::Product(Box::new(Term::Treatment), Box::new(l))));
    }
    terms
}
