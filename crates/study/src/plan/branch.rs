//! One analysis over one set of rows: the first round, the propensity model, everything that follows from it.
//!
//! The main analysis is a branch and so is every scenario; all of them ask in the same rounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use stats::competing::CauseTable;
use stats::fit::Fit;
use stats::survival::ArmTable;
use stats::weights::Scheme;

use super::baseline::{BaselineSums, BaselineTask};
use super::curve::{CurveKey, CurveTask};
use super::facts::FirstRound;
use super::incidence::{IncidenceKey, IncidenceTask};
use super::unit::Unit;
use super::{Facts, Failure, FitKey, FitOutcome};
use crate::protocol::{Model, Protocol};
use crate::question::{FittedPropensity, Question, Weights};
use crate::view::{Asked, View};

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

/// One analysis while it runs.
#[derive(Debug, Clone)]
pub struct Branch {
    protocol: Arc<Protocol>,
    view: Arc<View>,
    first: FirstRound,
    facts: Option<Facts>,
    propensity: Option<Unit>,
    summaries: Vec<Summary>,
    baseline: Option<BaselineTask>,
    curves: Vec<CurveTask>,
    incidences: Vec<IncidenceTask>,
    units: Vec<Unit>,
    questions: Vec<Question>,
}

impl Branch {
    /// The analysis of a protocol over the rows of a view, before its first round.
    pub(super) fn new(protocol: Arc<Protocol>, view: View) -> Branch {
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
        let incidences = IncidenceTask::all(&protocol);
        let questions = first.questions.clone();
        Branch {
            protocol,
            view: Arc::new(view),
            first,
            facts: None,
            propensity,
            summaries: Vec::new(),
            baseline,
            curves,
            incidences,
            units,
            questions,
        }
    }

    /// What it asks in the next round; nothing when it is done.
    pub(super) fn ask(&self) -> impl Iterator<Item = Asked> {
        self.questions.iter().map(|question| Asked { view: Arc::clone(&self.view), question: question.clone() })
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
        questions.extend(self.incidences.iter().filter_map(IncidenceTask::ask));
        questions.extend(self.running().filter_map(Unit::ask));
        questions
    }

    /// Takes the opened sums of what it asked from the front of those of the round.
    pub(super) fn tell<'s>(&mut self, mut sums: &'s [f64]) -> &'s [f64] {
        let mut answers = Vec::with_capacity(self.questions.len());
        for question in &self.questions {
            let (answer, rest) = sums.split_at(question.words(&self.protocol));
            answers.push(answer);
            sums = rest;
        }
        if !answers.is_empty() {
            self.advance(&answers);
            self.questions = self.collect();
        }
        sums
    }

    fn advance(&mut self, answers: &[&[f64]]) {
        if self.facts.is_none() {
            let facts = self.first.read(&self.protocol, answers);
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
        for incidence in self.incidences.iter_mut().filter(|i| i.asks()) {
            incidence.tell(&self.protocol, answers.next().unwrap_or_default());
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

    /// What is analysed: the protocol of the study, or that of the scenario.
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

    /// The incidences of every declared competing outcome with their table over all sites, or why there is none; none
    /// where it is still to come.
    pub fn incidences(&self) -> impl Iterator<Item = (&IncidenceKey, Option<Result<&CauseTable, &Failure>>)> {
        self.incidences.iter().map(|i| (i.key(), i.outcome()))
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
        for incidence in self.incidences.iter_mut().filter(|i| !i.key().weighted) {
            incidence.start(&self.protocol, &facts, None);
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
        let incidences = self.incidences.iter_mut().filter(|i| i.key().weighted);
        match unit.outcome() {
            Some(FitOutcome::Failed(failure)) => {
                let failure = Failure::Propensity(Box::new(failure.clone()));
                weighted.for_each(|u| u.fail(failure.clone()));
                curves.for_each(|c| c.fail(failure.clone()));
                incidences.for_each(|i| i.fail(failure.clone()));
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
                    scheme: Scheme::ate(stabilized.then_some(share)),
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
                for incidence in incidences {
                    incidence.start(&self.protocol, facts, Some(weights(default)));
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
        stabilized: weights.scheme.stabilised().is_some(),
        arms: [[sums[0], sums[1], sums[2]], [sums[3], sums[4], sums[5]]],
        histogram: histogram.chunks(4).map(|b| [b[0], b[1], b[2], b[3]]).collect(),
    }
}
