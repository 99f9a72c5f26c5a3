//! One analysis over one set of rows: the first round, the propensity model, everything that follows from it.
//!
//! The main analysis is a branch and so is every scenario; all of them ask in the same rounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use stats::competing::CauseTable;
use stats::fit::Fit;
use stats::survival::ArmTable;

use super::baseline::{BaselineSums, BaselineTask};
use super::causes::Causes;
use super::check::{CheckSums, ModelChecks};
use super::curve::{CurveKey, CurveTask};
use super::facts::FirstRound;
use super::imputation::Imputation;
use super::incidence::{IncidenceKey, IncidenceTask};
use super::standardise::{Contrast, StandardiseTask, Target};
use super::subgroups::{SubgroupCounts, SubgroupTask};
use super::trimming::Trimming;
use super::unit::Unit;
use super::weighting::{Scores, WeightSummary, WeightTask};
use super::{Facts, Failure, FitKey, FitOutcome};
use crate::protocol::{Model, Protocol, Scenario};
use crate::question::{FittedPropensity, Question, competing};
use crate::view::{Asked, Draw, OfModel, View};

/// One analysis while it runs.
#[derive(Debug, Clone)]
pub struct Branch {
    protocol: Arc<Protocol>,
    view: Arc<View>,
    trimming: Option<Trimming>,
    first: FirstRound,
    facts: Option<Arc<Facts>>,
    propensity: Option<Unit>,
    /// Of a replicate: the share of the treated among its case weights.
    share: Option<f64>,
    weights: Option<WeightTask>,
    baseline: Option<BaselineTask>,
    curves: Vec<CurveTask>,
    incidences: Vec<IncidenceTask>,
    /// Competing outcomes whose leavers are asked in this round.
    counting: Vec<usize>,
    units: Vec<Unit>,
    /// In the place of propensity model and units, where missing values are imputed.
    imputation: Option<Box<Imputation>>,
    checks: ModelChecks,
    standardised: Vec<StandardiseTask>,
    /// Of the main analysis.
    subgroups: SubgroupTask,
    /// Number of its first model among those of the plan; none where its rows are drawn.
    first_model: Option<u32>,
    questions: Vec<Posed>,
}

/// A question with the model that it is of, where its sums alone give the fit again.
type Posed = (Question, Option<OfModel>);

fn of_no_model(question: Question) -> Posed {
    (question, None)
}

impl Branch {
    /// The analysis of a protocol over the rows of a view, before its first round.
    ///
    /// `untrimmed` is the protocol of the rows before trimming, where they are trimmed.
    pub(super) fn new(protocol: Arc<Protocol>, untrimmed: Option<&Arc<Protocol>>, view: View) -> Branch {
        let propensity = protocol.propensity.as_ref().map(|p| Unit::propensity(&protocol, p));
        let (mut units, mut standardised) = (Vec::new(), Vec::new());
        for analysis in &protocol.analyses {
            for outcome in &analysis.outcomes {
                let fits = analysis.fits().into_iter();
                for (model, modifier) in fits {
                    let unit = Unit::model(&protocol, analysis, outcome, model, modifier);
                    let wanted = &analysis.standardised;
                    standardised.extend(StandardiseTask::of(&protocol, wanted, units.len(), unit.key()));
                    units.push(unit);
                }
            }
        }
        let is_main = view == View::default();
        let subgroups = SubgroupTask::new(&protocol, units.iter().map(Unit::key).filter(|_| is_main));
        let first = FirstRound::new(&protocol);
        let baseline = BaselineTask::new(&protocol);
        let curves = CurveTask::all(&protocol);
        let incidences = IncidenceTask::all(&protocol);
        let checks = ModelChecks::new(&protocol, &curves);
        let bounds = untrimmed.zip(protocol.trimming);
        let trimming = bounds.and_then(|(untrimmed, bounds)| Trimming::new(untrimmed, bounds));
        let questions = trimming.as_ref().map_or_else(|| first.questions.clone(), Trimming::ask);
        let questions = questions.into_iter().map(of_no_model).collect();
        Branch {
            protocol,
            view: Arc::new(view),
            trimming,
            first,
            facts: None,
            propensity,
            share: None,
            weights: None,
            baseline,
            curves,
            incidences,
            counting: Vec::new(),
            units,
            imputation: None,
            checks,
            standardised,
            subgroups,
            first_model: None,
            questions,
        }
    }

    /// Counts its models from `first` on; gives the number of the next branch's first.
    pub(super) fn number(&mut self, first: u32) -> u32 {
        self.first_model = Some(first);
        first + self.fits().count() as u32
    }

    /// The analysis of a scenario: its models over its rows, or over several draws of what is missing in them.
    pub(super) fn of_scenario(index: usize, scenario: &Scenario) -> Branch {
        let view = View { scenario: Some(index), ..View::default() };
        let mut branch = Branch::new(Arc::clone(&scenario.protocol), scenario.untrimmed.as_ref(), view);
        if let Some(imputation) = Imputation::new(index, scenario) {
            branch.propensity = None;
            branch.units.clear();
            branch.questions.extend(imputation.first_questions().map(of_no_model));
            branch.imputation = Some(Box::new(imputation));
        }
        branch
    }

    /// The models of a protocol over drawn rows, from the second round on: `facts` stand for what a first round would
    /// open. Nothing is opened of their weights.
    pub(super) fn drawn(protocol: Arc<Protocol>, view: View, facts: Arc<Facts>) -> Branch {
        let mut branch = Branch::new(protocol, None, view);
        branch.curves.retain(|curve| !curve.key().is_counted());
        if branch.is_replicate() {
            branch.propensity.iter_mut().chain(&mut branch.units).for_each(Unit::take_case_weights);
        }
        branch.start(facts);
        branch.questions = branch.collect();
        branch
    }

    fn is_replicate(&self) -> bool {
        matches!(self.view.draw, Draw::Replicate(_))
    }

    /// What it asks in the next round; nothing when it is done.
    pub(super) fn ask(&self) -> impl Iterator<Item = Asked> {
        let own = self.questions.iter().map(|(question, of)| Asked {
            view: Arc::clone(&self.view),
            question: question.clone(),
            of: of.clone(),
        });
        own.chain(self.imputation.iter().flat_map(|imputation| imputation.ask()))
    }

    fn collect(&self) -> Vec<Posed> {
        let mut questions: Vec<Posed> = Vec::new();
        questions.extend(self.weights.iter().flat_map(WeightTask::ask).map(of_no_model));
        questions.extend(self.baseline.iter().flat_map(BaselineTask::ask).map(of_no_model));
        questions.extend(self.curves.iter().filter_map(CurveTask::ask).map(of_no_model));
        questions.extend(self.incidences.iter().filter_map(IncidenceTask::ask).map(of_no_model));
        let all = self.propensity.iter().chain(&self.units).enumerate().filter(|(_, unit)| unit.running());
        questions.extend(all.filter_map(|(at, unit)| Some((unit.ask()?, self.of_unit(at, unit)))));
        let propensity = usize::from(self.propensity.is_some());
        questions.extend(self.checks.ask().into_iter().map(|(question, unit)| {
            let of = question.transform().zip(unit).and_then(|(transform, unit)| {
                let of = self.of_unit(propensity + unit, &self.units[unit])?;
                Some(OfModel { transform: Some(transform), shortened: None, ..of })
            });
            (question, of)
        }));
        questions.extend(self.counting.iter().map(|outcome| of_no_model(Question::Causes { outcome: *outcome })));
        questions.extend(self.standardised.iter().filter_map(StandardiseTask::ask).map(of_no_model));
        questions.extend(self.subgroups.ask().map(of_no_model));
        questions
    }

    /// What the sums of a unit are labelled with; `at` is its place among the models of this branch.
    fn of_unit(&self, at: usize, unit: &Unit) -> Option<OfModel> {
        let first = self.first_model.filter(|_| unit.follows_from_steps())?;
        let columns = unit.declared_columns(self.facts.as_deref()?);
        Some(OfModel { model: first + at as u32, columns, transform: None, shortened: unit.shortened() })
    }

    /// Takes the opened sums of what it asked from the front of those of the round.
    pub(super) fn tell<'s>(&mut self, mut sums: &'s [f64]) -> &'s [f64] {
        if let Some(imputation) = self.imputation.as_mut().filter(|imputation| imputation.begun()) {
            return imputation.tell(sums);
        }
        let mut answers = Vec::with_capacity(self.questions.len());
        let under_way = self.trimming.as_ref().filter(|trimming| trimming.ended().is_none());
        let protocol = under_way.map_or(&*self.protocol, Trimming::protocol);
        for (question, _) in &self.questions {
            let (answer, rest) = sums.split_at(question.words(protocol));
            answers.push(answer);
            sums = rest;
        }
        if under_way.is_some() {
            self.questions = self.trim(&answers).into_iter().map(of_no_model).collect();
        } else if !answers.is_empty() {
            self.advance(&answers);
            self.questions = self.collect();
        }
        sums
    }

    /// Advances the propensity model that trims, and begins the analysis of the rows that stay when it has ended.
    fn trim(&mut self, answers: &[&[f64]]) -> Vec<Question> {
        let Some(trimming) = &mut self.trimming else { return Vec::new() };
        trimming.tell(answers);
        match trimming.ended() {
            None => trimming.ask(),
            Some(Ok(trim)) => {
                self.view = Arc::new(View { trim: Some(trim), ..(*self.view).clone() });
                self.first.questions.clone()
            }
            Some(Err(failure)) => {
                // the flow chart up to the trimming is all that there is
                self.facts = trimming.facts().cloned().map(Arc::new);
                self.baseline = None;
                self.propensity.iter_mut().chain(&mut self.units).for_each(|u| u.fail(failure.clone()));
                self.curves.iter_mut().for_each(|c| c.fail(failure.clone()));
                self.incidences.iter_mut().for_each(|i| i.fail(failure.clone()));
                Vec::new()
            }
        }
    }

    fn advance(&mut self, answers: &[&[f64]]) {
        if self.facts.is_none() {
            let facts = self.first.read(answers);
            if let Some(imputation) = &mut self.imputation {
                imputation.begin(&facts, &answers[self.first.questions.len()..]);
            }
            self.start(Arc::new(facts));
            return;
        }
        let mut answers = answers.iter().copied();
        if let Some(weights) = &mut self.weights {
            weights.tell(&mut answers);
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
        if self.is_replicate() && self.share.is_none() {
            let first = answers.clone().next().zip(self.propensity.as_ref().filter(|unit| unit.running()));
            self.share = first.map(|(sums, unit)| treated_share(unit.key().terms.len(), sums));
        }
        let was_running = self.propensity.as_ref().is_some_and(Unit::running);
        if let Some(facts) = &self.facts {
            for unit in self.propensity.iter_mut().chain(&mut self.units).filter(|u| u.running()) {
                unit.tell(&self.protocol, facts, answers.next().unwrap_or_default());
            }
        }
        self.checks.tell(&mut answers);
        self.count(&mut answers);
        self.checks.follow(&self.protocol, &self.units, &self.curves);
        for task in &mut self.standardised {
            task.tell(&self.units, self.propensity.as_ref(), &mut answers);
            task.follow(&self.units, self.propensity.as_ref());
        }
        self.subgroups.tell(&self.protocol, &mut answers);
        if was_running && !self.propensity.as_ref().is_some_and(Unit::running) {
            self.start_weighted();
        } else {
            self.start_ready();
        }
    }

    /// Takes the leavers of competing outcomes; what needs no weights of these outcomes starts.
    fn count<'a>(&mut self, answers: &mut impl Iterator<Item = &'a [f64]>) {
        let (Some(facts), false) = (&mut self.facts, self.counting.is_empty()) else { return };
        let facts = Arc::make_mut(facts);
        for outcome in std::mem::take(&mut self.counting) {
            let spec = competing(&self.protocol, outcome);
            let causes = Causes::read(spec, answers.next().unwrap_or_default());
            self.checks.know(outcome, causes.leavers());
            facts.causes.insert(outcome, causes);
            for incidence in self.incidences.iter_mut().filter(|i| i.key().outcome == outcome && !i.key().weighted) {
                incidence.start(&self.protocol, facts, None);
            }
        }
        let plain = |unit: &&mut Unit| !unit.key().model.is_some_and(Model::weighted);
        for unit in self.units.iter_mut().filter(|u| u.waiting() && u.key().cause.is_some()).filter(plain) {
            unit.start(&self.protocol, facts, None);
        }
    }

    /// Is there nothing left to ask?
    pub fn done(&self) -> bool {
        let imputed = self.imputation.as_ref().is_none_or(|imputation| imputation.done());
        self.facts.is_some() && self.questions.is_empty() && imputed
    }

    /// What is analysed: the protocol of the study, or that of the scenario.
    pub fn protocol(&self) -> &Arc<Protocol> {
        &self.protocol
    }

    /// What the first round opened.
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_deref()
    }

    pub(super) fn shared_facts(&self) -> Option<&Arc<Facts>> {
        self.facts.as_ref()
    }

    /// Every model with its outcome, the propensity model first; none where it still runs.
    pub fn fits(&self) -> impl Iterator<Item = (&FitKey, Option<FitOutcome<'_>>)> {
        self.propensity.iter().chain(&self.units).map(|u| (u.key(), u.outcome()))
    }

    /// What is opened for the checks of the model of a key, when all of it is.
    pub fn checks(&self, key: &FitKey) -> Option<&CheckSums> {
        self.checks.sums(self.units.iter().position(|unit| unit.key() == key)?)
    }

    /// The fit of a key as its sums are formed: of centred columns in their units.
    pub fn centred_fit(&self, key: &FitKey) -> Option<&Fit> {
        Some(self.units.iter().find(|unit| unit.key() == key)?.centred_fit()?.1)
    }

    /// What is standardised over every fitted model, with the means or why there are none; none where it still runs.
    pub fn standardised(&self) -> impl Iterator<Item = (&FitKey, &Target, Option<Result<&[Contrast], &Failure>>)> {
        let fitted = |task: &&StandardiseTask| self.units[task.unit()].centred_fit().is_some();
        let tasks = self.standardised.iter().filter(fitted);
        tasks.map(|task| (self.units[task.unit()].key(), task.target(), task.outcome()))
    }

    /// Every survival curve with its table over all sites, or why there is none; none where it still runs.
    pub fn curves(&self) -> impl Iterator<Item = (&CurveKey, Option<Result<&ArmTable, &Failure>>)> {
        self.curves.iter().filter(|c| !c.key().is_counted()).map(|c| (c.key(), c.outcome()))
    }

    /// The tables of leavers that are there: those of the curves, and those that are asked for without one.
    pub fn leavers(&self) -> impl Iterator<Item = (usize, &ArmTable)> {
        self.curves.iter().filter_map(|c| Some((c.key().outcome, c.outcome()?.ok()?)))
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

    /// Weight summaries that are opened, that of the study's own weights first.
    pub fn weight_summaries(&self) -> impl Iterator<Item = &WeightSummary> {
        self.weights.iter().flat_map(WeightTask::summaries)
    }

    /// What is opened of the propensity scores.
    pub fn scores(&self) -> Option<&Scores> {
        self.weights.as_ref()?.scores()
    }

    /// The propensity model that trims, where one does.
    pub fn trimming(&self) -> Option<&Trimming> {
        self.trimming.as_ref()
    }

    /// What is opened of each variable of the baseline table, in its order.
    pub fn baseline(&self) -> impl Iterator<Item = &BaselineSums> {
        self.baseline.iter().flat_map(BaselineTask::sums)
    }

    /// Patients and events by the levels of effect modifiers, of the main analysis.
    pub fn subgroups(&self) -> &[SubgroupCounts] {
        self.subgroups.counts()
    }

    /// What is imputed, and the analysis of every draw.
    pub fn imputation(&self) -> Option<&Imputation> {
        self.imputation.as_deref()
    }

    /// After the first round: everything that needs no weights starts.
    fn start(&mut self, facts: Arc<Facts>) {
        if let Some(unit) = &mut self.propensity {
            unit.start(&self.protocol, &facts, None);
        }
        let plain = |unit: &&mut Unit| !unit.key().model.is_some_and(Model::weighted) && unit.key().cause.is_none();
        for unit in self.units.iter_mut().filter(plain) {
            unit.start(&self.protocol, &facts, None);
        }
        self.counting.clone_from(&self.first.competing);
        if let Some(baseline) = &mut self.baseline {
            baseline.start(&facts);
        }
        for curve in self.curves.iter_mut().filter(|c| !c.key().weighted) {
            curve.start(&self.protocol, &facts, None);
        }
        self.checks.start(&self.protocol, &facts);
        self.standardised.iter_mut().for_each(|task| task.check(&self.protocol, &facts));
        self.subgroups.start();
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
                let Some(declared) = &self.protocol.propensity else { return };
                let propensity = Arc::new(FittedPropensity { columns: columns.clone(), alpha: fit.beta.clone() });
                let share = self.share.unwrap_or(facts.treated() as f64 / facts.analysed() as f64);
                let quiet = self.view.draw != Draw::Nothing;
                let task = WeightTask::new(&self.protocol, declared, propensity, share, quiet);
                match task.own() {
                    Some(Ok(weights)) => {
                        if let Some(baseline) = &mut self.baseline {
                            baseline.start_weighted(weights.clone());
                        }
                        for curve in curves {
                            let cells = occupied.get(&curve.key().outcome).cloned();
                            curve.start(&self.protocol, facts, Some((weights.clone(), cells)));
                        }
                        for incidence in incidences {
                            incidence.start(&self.protocol, facts, Some(weights.clone()));
                        }
                    }
                    Some(Err(failure)) => {
                        curves.for_each(|c| c.fail(failure.clone()));
                        incidences.for_each(|i| i.fail(failure.clone()));
                    }
                    None => {}
                }
                self.weights = Some(task);
                self.start_ready();
            }
            None => {}
        }
    }

    /// Starts the weighted models whose weights are known now; truncated ones wait for their bounds.
    fn start_ready(&mut self) {
        let (Some(task), Some(facts)) = (&self.weights, &self.facts) else { return };
        let (Some(declared), Some(propensity)) = (&self.protocol.propensity, &self.propensity) else { return };
        let Some((_, fit)) = propensity.centred_fit() else { return };
        let information = Arc::new(fit.information.clone());
        for unit in self.units.iter_mut().filter(|u| u.waiting()) {
            let weighting = unit.key().model.and_then(|model| model.weighting(declared));
            match weighting.and_then(|weighting| task.weights(weighting)) {
                None => {}
                Some(Ok(weights)) => unit.start(&self.protocol, facts, Some((weights, &information))),
                Some(Err(failure)) => unit.fail(failure),
            }
        }
    }
}

/// The weighted share of the treated from the first sums of the propensity model, at coefficients 0 and with `q` columns:
/// the intercept's score is sum b (a - 1/2), its information sum b / 4.
fn treated_share(q: usize, sums: &[f64]) -> f64 {
    let (score, all) = (sums[1], 4.0 * sums[1 + q]);
    (score + 0.5 * all) / all
}
