//! One model of the plan: from waiting over its estimator's rounds to a fit or a typed failure.

use std::sync::Arc;

use stats::alias::aliased;
use stats::competing::Subdistribution;
use stats::cox::{EventCells, Ties};
use stats::fit::{
    CoxAsk, CoxFit, FirthAsk, FirthFit, Fit, LogisticAsk, LogisticFit, MeatRequest, RidgeCoxFit, RidgeLogisticFit,
    State, StratifiedCoxAsk, StratifiedCoxFit, Why,
};
use stats::influence::{MEstimation, MeatKind};
use stats::logistic::step_len;
use stats::survival::treatment_cox_of_sums;

use super::check::CoxPoint;
use super::design::{self, LeftOut};
use super::failure::{Failure, Predicted};
use super::fine_gray::FineGrayTask;
use super::hint::Family;
use super::{Facts, model_terms};
use crate::protocol::{
    Analysis, AnalysisKind, EffectModifier, Model, OutcomeKind, Propensity, Protocol, Ridge, Variances,
};
use crate::question::{CoxModel, LogisticModel, Question, Response, Weights};
use crate::term::{Columns, Term};
use crate::view::Column;

/// Which model a result belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct FitKey {
    /// Regression, or none for the propensity model.
    pub analysis: Option<AnalysisKind>,
    /// Name of the outcome; empty for the propensity model.
    pub outcome: String,
    /// Cause that the regression is about, where causes compete.
    pub cause: Option<String>,
    /// Model, or none for the propensity model.
    pub model: Option<Model>,
    /// Design columns in the order of the coefficients: those declared, and from its start on those that it has.
    pub terms: Vec<Term>,
    /// Declared columns that it does not have.
    pub left_out: Vec<LeftOut>,
    /// Variances asked for.
    pub variances: Variances,
    /// Effect modifier of an interaction.
    pub modifier: Option<EffectModifier>,
}

impl FitKey {
    /// `propensity`, `logistic`, `cox` or `fine_gray`.
    pub fn analysis_name(&self) -> &'static str {
        match self.analysis {
            None => "propensity",
            Some(AnalysisKind::Logistic) => "logistic",
            Some(AnalysisKind::Cox(_)) => "cox",
            Some(AnalysisKind::FineGray(_)) => "fine_gray",
        }
    }

    /// Name of the effect modifier; empty for models without.
    pub fn modifier_name(&self, protocol: &Protocol) -> String {
        let name = self.modifier.as_ref().map(|m| protocol.dictionary.variable(m.variable).name.clone());
        name.unwrap_or_default()
    }

    /// "the model `adjusted` of `pfs`", with what tells it from others of the same name.
    pub(crate) fn in_words(&self, protocol: &Protocol) -> String {
        let Some(kind) = self.analysis else { return "the propensity model".into() };
        let mut more: Vec<String> = Vec::new();
        match kind {
            AnalysisKind::FineGray(_) => more.push("Fine-Gray".into()),
            AnalysisKind::Cox(_) if self.cause.is_some() => more.push("Cox".into()),
            AnalysisKind::Cox(_) | AnalysisKind::Logistic => {}
        }
        more.extend(self.cause.iter().map(|cause| format!("cause `{cause}`")));
        if self.ties() == Some(Ties::Breslow) {
            more.push("Breslow ties".into());
        }
        more.extend(self.modifier.iter().map(|_| format!("by `{}`", self.modifier_name(protocol))));
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
        format!("the model `{}` of `{}`{more}", self.model_name(), self.outcome)
    }

    /// What kind of model it is.
    pub fn family(&self) -> Family {
        Family::of(self.analysis, self.model)
    }

    /// Does it compare patients within sites alone?
    pub(crate) fn within_sites(&self) -> bool {
        self.family() == Family::Stratified
    }

    /// Name of the model.
    pub fn model_name(&self) -> &'static str {
        self.model.map_or("propensity", Model::name)
    }

    /// Which sandwich sums the model opens after it has converged. Of the weights of a weighted model: the columns of the
    /// propensity model, whether the weights are stabilised, and the information at its maximum. `n` are the analysed rows.
    pub(crate) fn meat(&self, weights: Option<(usize, bool, &[f64])>, n: f64) -> MeatRequest {
        let variances = self.variances;
        let weights = weights.filter(|_| variances.m_estimation);
        let kind = MeatKind {
            robust: variances.robust || variances.survey,
            cluster: variances.cluster_site,
            m_estimation: weights.map(|(q, stabilised, _)| MEstimation { q, stabilised }),
        };
        MeatRequest { kind, propensity_information: weights.map(|(.., information)| information.to_vec()), n }
    }

    /// Handling of ties, for Cox and Fine-Gray models.
    pub fn ties(&self) -> Option<Ties> {
        match self.analysis {
            Some(AnalysisKind::Cox(ties) | AnalysisKind::FineGray(ties)) => Some(ties),
            _ => None,
        }
    }
}

/// How a model ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FitOutcome<'a> {
    /// Coefficients and covariances on the user's scale.
    Fitted(&'a Fit),
    /// Cause.
    Failed(&'a Failure),
}

#[derive(Debug, Clone)]
enum Stage {
    Waiting,
    Logistic(Arc<LogisticModel>, LogisticFit),
    Cox(Arc<CoxModel>, Box<CoxFit>),
    Stratified(Arc<CoxModel>, StratifiedCoxFit, Arc<EventCells>),
    FineGray(Box<FineGrayTask>),
    Firth(Arc<LogisticModel>, Box<FirthFit>),
    RidgeLogistic(Arc<LogisticModel>, RidgeLogisticFit),
    RidgeCox(Arc<CoxModel>, Box<RidgeCoxFit>),
    /// Cox regression on treatment alone from sums that are asked once: cells, deaths in them, SD of the treatment.
    Treatment {
        model: Arc<CoxModel>,
        cells: Arc<[u32]>,
        deaths: Vec<f64>,
        scale: f64,
    },
    /// How such a fit ended.
    Solved(Arc<CoxModel>, Result<Box<Fit>, Why>),
    Fitted {
        columns: Columns,
        centred: Box<Fit>,
        fit: Box<Fit>,
        point: Option<CoxPoint>,
    },
    Failed(Failure),
}

/// One model of the plan.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    key: FitKey,
    /// Columns before any is left out.
    declared: Vec<Term>,
    names: Vec<String>,
    /// Penalty of the model `ridge`.
    ridge: Option<Ridge>,
    case_weights: bool,
    /// What it was started with: a model that leaves a column out starts again.
    weights: Option<(Weights, Arc<Vec<f64>>)>,
    stage: Stage,
}

impl Unit {
    pub(super) fn propensity(protocol: &Protocol, propensity: &Propensity) -> Unit {
        let mut terms = vec![Term::Intercept];
        terms.extend(propensity.covariates.iter().flat_map(|id| Term::of_variable(protocol, *id)));
        let key = FitKey {
            analysis: None,
            outcome: String::new(),
            cause: None,
            model: None,
            terms,
            left_out: Vec::new(),
            variances: Variances::default(),
            modifier: None,
        };
        Unit::new(protocol, key, None)
    }

    pub(super) fn model(
        protocol: &Protocol,
        analysis: &Analysis,
        outcome: &str,
        model: Model,
        modifier: Option<&EffectModifier>,
    ) -> Unit {
        let key = FitKey {
            analysis: Some(analysis.kind),
            outcome: outcome.into(),
            cause: analysis.cause.clone(),
            model: Some(model),
            terms: model_terms(protocol, analysis, model, modifier),
            left_out: Vec::new(),
            variances: analysis.variances,
            modifier: modifier.cloned(),
        };
        Unit::new(protocol, key, analysis.ridge.filter(|_| model == Model::Ridge))
    }

    fn new(protocol: &Protocol, key: FitKey, ridge: Option<Ridge>) -> Unit {
        let names = key.terms.iter().map(|t| t.name(protocol)).collect();
        let declared = key.terms.clone();
        Unit { key, declared, names, ridge, case_weights: false, weights: None, stage: Stage::Waiting }
    }

    /// Its rows have case weights: a Cox regression is weighted, and one on treatment alone asks its sums at once.
    pub(super) fn take_case_weights(&mut self) {
        self.case_weights = true;
    }

    pub(super) fn key(&self) -> &FitKey {
        &self.key
    }

    /// Has it started and not ended? Then it asks something this round.
    pub(super) fn running(&self) -> bool {
        !matches!(self.stage, Stage::Waiting | Stage::Solved(..) | Stage::Fitted { .. } | Stage::Failed(_))
    }

    /// Has it not started?
    pub(super) fn waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting)
    }

    pub(super) fn outcome(&self) -> Option<FitOutcome<'_>> {
        match &self.stage {
            Stage::Fitted { fit, .. } => Some(FitOutcome::Fitted(fit)),
            Stage::Failed(failure) => Some(FitOutcome::Failed(failure)),
            _ => None,
        }
    }

    /// The fit for the centred columns in their units, as sites evaluate it.
    pub(super) fn centred_fit(&self) -> Option<(&Columns, &Fit)> {
        match &self.stage {
            Stage::Fitted { columns, centred, .. } => Some((columns, centred)),
            _ => None,
        }
    }

    /// Where a Cox model is checked, once it has converged.
    pub(super) fn point(&self) -> Option<CoxPoint> {
        match &self.stage {
            Stage::Cox(model, fit) => {
                let solution = fit.solution()?;
                Some(CoxPoint {
                    model: Arc::clone(model),
                    events: Arc::new(solution.events.clone()),
                    curves: Some(Arc::new(solution.curves.clone())),
                    beta: Arc::new(solution.beta.to_vec()),
                })
            }
            Stage::Stratified(model, fit, events) => {
                let State::Done(fit) = fit.state() else { return None };
                let (model, events, beta) = (Arc::clone(model), Arc::clone(events), Arc::new(fit.beta.clone()));
                Some(CoxPoint { model, events, curves: None, beta })
            }
            Stage::Fitted { point, .. } => point.clone(),
            // A check of a penalised model is not declared.
            Stage::Waiting
            | Stage::Logistic(..)
            | Stage::Firth(..)
            | Stage::RidgeLogistic(..)
            | Stage::RidgeCox(..)
            | Stage::Treatment { .. }
            | Stage::Solved(..)
            | Stage::FineGray(_)
            | Stage::Failed(_) => None,
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.stage = Stage::Failed(failure);
    }

    /// Starts the estimator, or ends with what the first round already shows.
    pub(super) fn start(&mut self, protocol: &Protocol, facts: &Facts, weights: Option<(Weights, &Arc<Vec<f64>>)>) {
        self.weights = weights.map(|(weights, information)| (weights, Arc::clone(information)));
        let checked = self.check(protocol, facts).and_then(|()| self.choose_columns(protocol, facts));
        let begun = checked.and_then(|()| self.begin(protocol, facts));
        self.stage = begun.unwrap_or_else(Stage::Failed);
        self.settle();
    }

    /// Index of its outcome, and the number of its cause where several compete.
    fn outcome_and_cause(&self, protocol: &Protocol) -> (Option<usize>, Option<u8>) {
        let index = protocol.outcomes.iter().position(|o| o.name == self.key.outcome);
        let cause = match (index.map(|i| &protocol.outcomes[i].kind), &self.key.cause) {
            (Some(OutcomeKind::Competing(competing)), Some(name)) => competing.cause(name),
            _ => None,
        };
        (index, cause)
    }

    /// Arms, values and events that the model needs.
    fn check(&self, protocol: &Protocol, facts: &Facts) -> Result<(), Failure> {
        let (index, cause) = self.outcome_and_cause(protocol);
        // A penalty keeps the effect finite where an arm has no events, or nothing else.
        let penalised = self.key.model.is_some_and(Model::penalised);
        match index.map(|index| (index, &protocol.outcomes[index].kind)) {
            Some((_, OutcomeKind::Binary { variable })) if penalised => {
                facts.check_penalised(protocol, *variable, &self.key.outcome, self.key.model)?;
            }
            Some((_, OutcomeKind::Binary { variable })) => {
                facts.check_binary(protocol, *variable, &self.key.outcome)?;
            }
            Some((index, OutcomeKind::TimeToEvent(_) | OutcomeKind::Competing(_))) if penalised => {
                facts.check_times(protocol, index, &self.key.outcome)?;
            }
            Some((index, OutcomeKind::TimeToEvent(_) | OutcomeKind::Competing(_))) => {
                facts.check_events(protocol, index, &self.event_name(), cause)?;
            }
            None => {}
        }
        facts.check(protocol, &self.key.terms)
    }

    /// Leaves out what the counts of the first round show.
    fn choose_columns(&mut self, protocol: &Protocol, facts: &Facts) -> Result<(), Failure> {
        let (terms, left_out) = design::columns(facts, &self.key.terms);
        if let (None, Some(first), [Term::Intercept]) = (self.key.analysis, left_out.first(), &terms[..]) {
            return Err(Failure::Constant { term: first.term.name(protocol), sites: false });
        }
        self.take(protocol, terms, left_out);
        Ok(())
    }

    fn take(&mut self, protocol: &Protocol, terms: Vec<Term>, left_out: Vec<LeftOut>) {
        self.names = terms.iter().map(|term| term.name(protocol)).collect();
        self.key.terms = terms;
        self.key.left_out.extend(left_out);
    }

    /// After sums that show columns without information of their own: leaves those out that R would, and starts again;
    /// fails where the treatment is among them, or cannot be told from them.
    fn start_without(&mut self, protocol: &Protocol, facts: &Facts, sums: &[f64], why: &Why) {
        let failure = Failure::of(why, &self.names, &self.predicted(), self.key.within_sites());
        let terms = &self.key.terms;
        let scale = facts.scales(terms);
        let aliased = match sums.get(1 + terms.len()..) {
            Some(information) if sums.len() == step_len(terms.len()) => aliased(information, &scale),
            _ => Vec::new(),
        };
        let lost = |column: usize| aliased.iter().any(|alias| alias.column == column);
        let needed = |term: &Term| matches!(term, Term::Intercept | Term::Treatment);
        if aliased.is_empty() || (0..terms.len()).any(|column| lost(column) && needed(&terms[column])) {
            self.stage = Stage::Failed(failure);
            return;
        }
        let left_out = design::aliases(facts, terms, &scale, &aliased);
        let stay: Vec<Term> = (0..terms.len()).filter(|j| !lost(*j)).map(|j| terms[j].clone()).collect();
        self.take(protocol, stay, left_out);
        let begun = match self.key.inseparable(protocol) {
            Some(terms) => Err(Failure::Inseparable { terms }),
            None if self.key.analysis.is_none() && self.key.terms.len() == 1 => Err(failure),
            None => self.begin(protocol, facts),
        };
        self.stage = begun.unwrap_or_else(Stage::Failed);
        self.settle();
    }

    fn begin(&self, protocol: &Protocol, facts: &Facts) -> Result<Stage, Failure> {
        let terms = &self.key.terms;
        let (index, cause) = self.outcome_and_cause(protocol);
        let kind = index.map(|i| &protocol.outcomes[i].kind);
        let columns = facts.columns(terms);
        // what the estimator sees are the columns in their units
        let scale = facts.scales(terms);
        let of_weights = self.weights.as_ref();
        let of_weights = of_weights.map(|(w, i)| (w.propensity.alpha.len(), w.scheme.stabilised().is_some(), &i[..]));
        let meat = self.key.meat(of_weights, facts.analysed() as f64);
        let weights = self.weights.as_ref().map(|(weights, _)| weights.clone());
        match (self.key.analysis, index, kind) {
            (Some(AnalysisKind::Cox(ties)), Some(outcome), _) => {
                let model = CoxModel { outcome, cause, columns, weights, ties };
                Ok(self.begin_cox(facts, model, scale, meat))
            }
            (Some(AnalysisKind::FineGray(ties)), Some(outcome), _) => {
                let cells = Subdistribution::new(facts.causes[&outcome].table()?, cause.unwrap_or(1), ties);
                let model = CoxModel { outcome, cause, columns, weights, ties };
                Ok(Stage::FineGray(Box::new(FineGrayTask::new(model, cells, scale, meat))))
            }
            (_, _, kind) => {
                let response = match kind {
                    Some(OutcomeKind::Binary { variable }) => Response::Binary(*variable),
                    _ => Response::Treatment,
                };
                let (q, model) = (terms.len(), Arc::new(LogisticModel { response, columns, weights }));
                Ok(match (self.key.model, self.ridge) {
                    (Some(Model::Firth), _) => Stage::Firth(model, Box::new(FirthFit::new(q, scale))),
                    (_, Some(ridge)) => {
                        let penalty = ridge.penalty(&scale, &model.columns.unit, Some(0));
                        Stage::RidgeLogistic(model, RidgeLogisticFit::new(q, scale, penalty, meat))
                    }
                    (_, None) => Stage::Logistic(model, LogisticFit::new(q, scale, meat)),
                })
            }
        }
    }

    fn begin_cox(&self, facts: &Facts, model: CoxModel, scale: Vec<f64>, meat: MeatRequest) -> Stage {
        let (p, ties, weighted) = (model.columns.terms.len(), model.ties, model.weights.is_some() || self.case_weights);
        let (cells, deaths) = facts.event_cells(model.outcome, model.cause);
        let model = Arc::new(model);
        if self.case_weights && model.columns.terms == [Term::Treatment] {
            return Stage::Treatment { model, cells: cells.into(), deaths, scale: scale[0] };
        }
        if self.key.model == Some(Model::Stratified) {
            let events = EventCells::new(cells, deaths, ties);
            return Stage::Stratified(model, StratifiedCoxFit::new(p, scale), Arc::new(events));
        }
        if let Some(ridge) = self.ridge {
            let penalty = ridge.penalty(&scale, &model.columns.unit, None);
            let fit = RidgeCoxFit::new(scale, cells, deaths, ties, weighted, penalty, meat);
            return Stage::RidgeCox(model, Box::new(fit));
        }
        let fit = CoxFit::new(p, scale, cells, deaths, ties, weighted, meat);
        Stage::Cox(model, Box::new(fit))
    }

    fn predicted(&self) -> Predicted {
        if self.key.analysis.is_none() { Predicted::Treatment } else { Predicted::Outcome(self.event_name()) }
    }

    /// The outcome, with the cause where several compete.
    fn event_name(&self) -> String {
        match &self.key.cause {
            None => self.key.outcome.clone(),
            Some(cause) => format!("{}: {cause}", self.key.outcome),
        }
    }

    /// Does its fit follow from the sums of its steps? That of a ridge needs its penalties as well, which are made of
    /// the spread of the columns.
    pub(super) fn follows_from_steps(&self) -> bool {
        self.ridge.is_none()
    }

    /// What became of its declared columns, once it has started.
    pub(super) fn declared_columns(&self, facts: &Facts) -> Arc<[Column]> {
        let left_out = |term: &Term| self.key.left_out.iter().find(|left| left.term == *term);
        let column = |term| match left_out(term) {
            None => Column::Kept { unit: facts.unit(term) },
            Some(left) => Column::LeftOut(left.why),
        };
        self.declared.iter().map(column).collect()
    }

    /// Factor by which the step to the coefficients that it asks about was shortened for its length.
    pub(super) fn shortened(&self) -> Option<f64> {
        match &self.stage {
            Stage::Logistic(_, fit) => fit.shortened(),
            Stage::Cox(_, fit) => fit.shortened(),
            Stage::Stratified(_, fit, _) => fit.shortened(),
            Stage::FineGray(task) => task.shortened(),
            Stage::Firth(_, fit) => fit.shortened(),
            Stage::RidgeLogistic(..)
            | Stage::RidgeCox(..)
            | Stage::Treatment { .. }
            | Stage::Waiting
            | Stage::Solved(..)
            | Stage::Fitted { .. }
            | Stage::Failed(_) => None,
        }
    }

    pub(super) fn ask(&self) -> Option<Question> {
        match &self.stage {
            Stage::Logistic(model, fit) => asked(fit.state()).map(|ask| logistic_question(model, ask)),
            Stage::RidgeLogistic(model, fit) => asked(fit.state()).map(|ask| logistic_question(model, ask)),
            Stage::Firth(model, fit) => asked(fit.state()).map(|ask| firth_question(model, ask)),
            Stage::Cox(model, fit) => asked(fit.state()).map(|ask| cox_question(model, &ask)),
            Stage::RidgeCox(model, fit) => asked(fit.state()).map(|ask| cox_question(model, &ask)),
            Stage::Stratified(model, fit, _) => match fit.state() {
                State::Ask(StratifiedCoxAsk::Step { beta }) => {
                    Some(Question::StratifiedCoxStep { model: Arc::clone(model), beta: beta.to_vec() })
                }
                State::Done(_) | State::Failed(_) => None,
            },
            Stage::FineGray(task) => task.ask(),
            Stage::Treatment { model, cells, .. } => Some(Question::TreatmentSums {
                outcome: model.outcome,
                weights: model.weights.clone(),
                cells: Arc::clone(cells),
            }),
            Stage::Waiting | Stage::Solved(..) | Stage::Fitted { .. } | Stage::Failed(_) => None,
        }
    }

    pub(super) fn tell(&mut self, protocol: &Protocol, facts: &Facts, sums: &[f64]) {
        match &mut self.stage {
            Stage::Logistic(_, fit) => fit.tell(sums),
            Stage::Cox(_, fit) => fit.tell(sums),
            Stage::Stratified(_, fit, _) => fit.tell(sums),
            Stage::FineGray(task) => task.tell(sums),
            Stage::Firth(_, fit) => fit.tell(sums),
            Stage::RidgeLogistic(_, fit) => fit.tell(sums),
            Stage::RidgeCox(_, fit) => fit.tell(sums),
            Stage::Treatment { model, cells, deaths, scale } => {
                let fit = treatment_cox_of_sums(cells, deaths, sums, *scale, model.ties);
                self.stage = Stage::Solved(Arc::clone(model), fit.map(Box::new));
            }
            Stage::Waiting | Stage::Solved(..) | Stage::Fitted { .. } | Stage::Failed(_) => {}
        }
        match self.ended() {
            Some((_, Err(why @ (Why::Constant { .. } | Why::Collinear { .. })))) => {
                let why = why.clone();
                self.start_without(protocol, facts, sums, &why);
            }
            _ => self.settle(),
        }
    }

    /// How its estimator ended, with the columns; none while it runs, and after its result is taken.
    fn ended(&self) -> Option<(&Columns, Result<&Fit, &Why>)> {
        let (columns, ended) = match &self.stage {
            Stage::Logistic(model, fit) => (&model.columns, ended(&fit.state())),
            Stage::Cox(model, fit) => (&model.columns, ended(&fit.state())),
            Stage::Stratified(model, fit, _) => (&model.columns, ended(&fit.state())),
            Stage::FineGray(task) => (&task.model().columns, task.ended()),
            Stage::Firth(model, fit) => (&model.columns, ended(&fit.state())),
            Stage::RidgeLogistic(model, fit) => (&model.columns, ended(&fit.state())),
            Stage::RidgeCox(model, fit) => (&model.columns, ended(&fit.state())),
            Stage::Solved(model, fit) => (&model.columns, Some(fit.as_deref())),
            Stage::Treatment { .. } | Stage::Waiting | Stage::Fitted { .. } | Stage::Failed(_) => return None,
        };
        Some((columns, ended?))
    }

    /// Turns an estimator that has ended into its fit on the user's scale, or into a failure that names terms.
    fn settle(&mut self) {
        let next = match self.ended() {
            None => return,
            Some((columns, Ok(fit))) => {
                let intercept = columns.terms.iter().position(|t| *t == Term::Intercept);
                let (columns, centred) = (columns.clone(), Box::new(fit.clone()));
                let fit = Box::new(fit.rescale(&columns.unit).uncentre(&columns.centre, intercept));
                // nothing of a replicate is checked
                let point = if self.case_weights { None } else { self.point() };
                Stage::Fitted { columns, centred, fit, point }
            }
            Some((_, Err(why))) => {
                Stage::Failed(Failure::of(why, &self.names, &self.predicted(), self.key.within_sites()))
            }
        };
        self.stage = next;
    }
}

fn asked<A>(state: State<'_, A>) -> Option<A> {
    match state {
        State::Ask(ask) => Some(ask),
        State::Done(_) | State::Failed(_) => None,
    }
}

fn ended<'s, A>(state: &State<'s, A>) -> Option<Result<&'s Fit, &'s Why>> {
    match state {
        State::Ask(_) => None,
        State::Done(fit) => Some(Ok(fit)),
        State::Failed(why) => Some(Err(why)),
    }
}

fn logistic_question(model: &Arc<LogisticModel>, ask: LogisticAsk<'_>) -> Question {
    let model = Arc::clone(model);
    match ask {
        LogisticAsk::Step { beta } => Question::LogisticStep { model, beta: beta.to_vec() },
        LogisticAsk::Meat { beta, kind } => Question::LogisticMeat { model, beta: beta.to_vec(), kind: kind.clone() },
    }
}

fn firth_question(model: &Arc<LogisticModel>, ask: FirthAsk<'_>) -> Question {
    let model = Arc::clone(model);
    match ask {
        FirthAsk::Step { beta } => Question::LogisticStep { model, beta: beta.to_vec() },
        FirthAsk::Leverage { beta, inverse } => {
            Question::LeverageScore { model, beta: beta.to_vec(), inverse: Arc::new(inverse.clone()) }
        }
    }
}

fn cox_question(model: &Arc<CoxModel>, ask: &CoxAsk<'_>) -> Question {
    let model = Arc::clone(model);
    match ask {
        CoxAsk::DeathWeights { cells } => Question::DeathWeights { model, cells: cells.to_vec() },
        CoxAsk::Risk { events, beta } => {
            Question::CoxRisk { model, events: Arc::new((*events).clone()), beta: beta.to_vec() }
        }
        CoxAsk::Step { events, curves, beta } => Question::CoxStep {
            model,
            events: Arc::new((*events).clone()),
            curves: Arc::new((*curves).clone()),
            beta: beta.to_vec(),
        },
        CoxAsk::Meat { events, curves, beta, kind } => Question::CoxMeat {
            model,
            events: Arc::new((*events).clone()),
            curves: Arc::new((*curves).clone()),
            beta: beta.to_vec(),
            kind: (*kind).clone(),
        },
    }
}
