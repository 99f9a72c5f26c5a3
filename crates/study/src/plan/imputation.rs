//! Multiple imputation of a scenario: its variables one after the other, then one branch per draw.
//!
//! Variables are imputed in the declared order. A model of one has the variables before it as imputed in the same draw, and
//! none of those after it. Each of the chains of a variable (one for all draws while nothing is imputed yet) is fitted in
//! rounds that all share.

use std::sync::Arc;

use secagg::{Canonical, Draws};
use stats::alias::aliased;
use stats::fit::{LogisticAsk, State};
use stats::impute::posterior::{LinearDraw, NotPositive, coefficients};
use stats::impute::rows::Stage;
use stats::impute::{StageFit, cumulative_hazard};
use stats::linear::{self, LinearError, LinearFit};
use stats::packed::Singular;
use stats::survival::ArmTable;

use super::{Branch, Facts, Failure, Predicted, design};
use crate::dictionary::{Kind, VariableId};
use crate::imputation::{Drawn, DrawnModel, Hazards, ImputationModel, Predictor};
use crate::protocol::{self, OutcomeKind, Protocol, Scenario};
use crate::question::{Question, time_to_event};
use crate::term::{Term, power_of_two};
use crate::view::{Asked, Draw, Imputed, View};

/// The imputation of one scenario.
#[derive(Debug, Clone)]
pub struct Imputation {
    scenario: usize,
    name: String,
    declared: protocol::Imputation,
    protocol: Arc<Protocol>,
    /// Outcomes whose cumulative hazards are predictors, in the order of [`Imputation::first_questions`].
    times: Vec<usize>,
    stage: Stages,
    /// Of every draw: the variables that are imputed already.
    drawn: Vec<Vec<Arc<DrawnModel>>>,
    augmented: Vec<(VariableId, usize)>,
}

#[derive(Debug, Clone)]
enum Stages {
    Waiting,
    /// Fitting the model of a variable (its place in the declaration), in one chain or in one per draw.
    Fitting {
        at: usize,
        chains: Vec<Chain>,
        known: Known,
    },
    Drawn(Vec<Branch>),
    Failed(Failure),
}

/// What the first round opened.
#[derive(Debug, Clone)]
struct Known {
    facts: Arc<Facts>,
    hazards: Arc<Hazards>,
    /// Mean and standard deviation of each hazard over all rows, in the order of the outcomes.
    moments: Vec<(f64, f64)>,
}

/// The model of one variable in one set of rows.
#[derive(Debug, Clone)]
struct Chain {
    view: Arc<View>,
    model: Arc<ImputationModel>,
    fit: ChainFit,
}

#[derive(Debug, Clone)]
enum ChainFit {
    Levels(Vec<LevelFit>),
    /// The value that the variable is centred at and what it is measured in, the SD of each column, and the fit with its
    /// columns when it is there.
    Number {
        centre: f64,
        unit: f64,
        scale: Vec<f64>,
        fit: Option<Result<(Vec<usize>, LinearFit), LinearError>>,
    },
}

#[derive(Debug, Clone)]
enum LevelFit {
    Never,
    Always,
    Model(Box<StageFit>),
}

impl Imputation {
    pub(super) fn new(index: usize, scenario: &Scenario) -> Option<Imputation> {
        let declared = scenario.imputation.clone()?;
        let protocol = Arc::clone(&scenario.protocol);
        let times = outcomes(&protocol).into_iter().filter(|index| is_time(&protocol, *index)).collect();
        let drawn = vec![Vec::new(); declared.draws as usize];
        let name = scenario.name.clone();
        Some(Imputation {
            scenario: index,
            name,
            declared,
            protocol,
            times,
            stage: Stages::Waiting,
            drawn,
            augmented: Vec::new(),
        })
    }

    /// What it asks beside the first round of its scenario.
    pub(super) fn first_questions(&self) -> impl Iterator<Item = Question> {
        self.times.iter().map(|outcome| Question::ArmTable { outcome: *outcome, weighted: None })
    }

    /// Begins with the first round's facts and the answers to [`Imputation::first_questions`].
    pub(super) fn begin(&mut self, facts: &Facts, tables: &[&[f64]]) {
        let imputed = &self.declared.variables;
        self.stage = match known(&self.protocol, facts, imputed, &self.times, tables) {
            Ok(known) => self.fitting(0, known),
            Err(failure) => Stages::Failed(failure),
        };
    }

    pub(super) fn begun(&self) -> bool {
        !matches!(self.stage, Stages::Waiting)
    }

    /// Fits the model of the variable at this place, or begins the analyses when there is none.
    fn fitting(&self, at: usize, known: Known) -> Stages {
        let Some(variable) = self.declared.variables.get(at) else {
            let branch =
                |number| Branch::drawn(Arc::clone(&self.protocol), self.view(number, true), Arc::clone(&known.facts));
            return Stages::Drawn((0..self.declared.draws).map(branch).collect());
        };
        // Before anything is imputed, the rows of all draws are the same.
        let views = if self.drawn.iter().all(Vec::is_empty) { 1 } else { self.declared.draws };
        let chains = (0..views).map(|number| self.chain(at, *variable, &known, Arc::new(self.view(number, false))));
        Stages::Fitting { at, chains: chains.collect(), known }
    }

    /// The rows of a draw as far as they are imputed; before that, the rows as they are, unless everything is imputed.
    fn view(&self, number: u32, complete: bool) -> View {
        let variables = &self.drawn[number as usize];
        let draw = if complete || !variables.is_empty() {
            Draw::Imputed(Imputed { number, variables: variables.clone() })
        } else {
            Draw::Nothing
        };
        View { scenario: Some(self.scenario), draw, ..View::default() }
    }

    fn chain(&self, at: usize, variable: VariableId, known: &Known, view: Arc<View>) -> Chain {
        let protocol = &*self.protocol;
        let later = &self.declared.variables[at..];
        let (mut columns, mut centre) = (Vec::new(), Vec::new());
        let (mut unit, mut scale) = (Vec::new(), Vec::new());
        for predictor in predictors(protocol, later) {
            let (mean, sd) = known.moments_of(protocol, &predictor, &self.times);
            // what does not vary predicts nothing, and the level that is the reference has no column
            let lacks = matches!(&predictor, Predictor::Term(term) if design::lacks(&known.facts, term));
            if predictor == Predictor::Term(Term::Intercept) || (sd > 0.0 && !lacks) {
                let one = power_of_two(sd);
                columns.push(predictor);
                centre.push(mean);
                unit.push(one);
                scale.push(sd / one);
            }
        }
        let hazards = Arc::clone(&known.hazards);
        let model = ImputationModel { variable, predictors: columns, centre, unit, hazards };
        let fit = match &protocol.dictionary.variable(variable).kind {
            Kind::Categorical { levels, .. } => {
                let counts = known.facts.level_counts(variable);
                ChainFit::Levels((0..levels.len() - 1).map(|level| level_fit(&counts, level, &scale)).collect())
            }
            Kind::Continuous { .. } | Kind::Days { .. } => {
                let term = Term::Number(variable);
                let (centre, unit) = (known.facts.centre(&term), known.facts.unit(&term));
                ChainFit::Number { centre, unit, scale, fit: None }
            }
        };
        Chain { view, model: Arc::new(model), fit }
    }

    pub(super) fn ask(&self) -> Vec<Asked> {
        match &self.stage {
            Stages::Fitting { chains, .. } => chains.iter().flat_map(Chain::ask).collect(),
            Stages::Drawn(branches) => branches.iter().flat_map(Branch::ask).collect(),
            Stages::Waiting | Stages::Failed(_) => Vec::new(),
        }
    }

    /// Takes the opened sums of what it asked from the front of those of the round.
    pub(super) fn tell<'s>(&mut self, sums: &'s [f64]) -> &'s [f64] {
        match &mut self.stage {
            Stages::Drawn(branches) => branches.iter_mut().fold(sums, |rest, branch| branch.tell(rest)),
            Stages::Fitting { chains, .. } => {
                let rest = chains.iter_mut().fold(sums, |rest, chain| chain.tell(&self.protocol, rest));
                if chains.iter().all(|chain| !chain.running()) {
                    self.draw();
                }
                rest
            }
            Stages::Waiting | Stages::Failed(_) => sums,
        }
    }

    /// Draws coefficients of the fitted models, and goes on to the next variable.
    fn draw(&mut self) {
        let Stages::Fitting { at, chains, known } = std::mem::replace(&mut self.stage, Stages::Waiting) else { return };
        let variable = self.declared.variables[at];
        let levels = chains.iter().flat_map(Chain::augmented);
        for level in levels {
            if !self.augmented.contains(&(variable, level)) {
                self.augmented.push((variable, level));
            }
        }
        let drawn: Result<Vec<Arc<DrawnModel>>, Failure> = (0..self.declared.draws)
            .map(|number| {
                let chain = &chains[if chains.len() == 1 { 0 } else { number as usize }];
                self.drawn_model(chain, number).map(Arc::new)
            })
            .collect();
        match drawn {
            Err(failure) => self.stage = Stages::Failed(self.failed(variable, failure)),
            Ok(models) => {
                self.drawn.iter_mut().zip(models).for_each(|(draw, model)| draw.push(model));
                self.stage = self.fitting(at + 1, known);
            }
        }
    }

    /// Public draws: every party makes the same ones, and a run with other analyses of the same study makes them again.
    fn drawn_model(&self, chain: &Chain, number: u32) -> Result<DrawnModel, Failure> {
        let protocol = &*self.protocol;
        let name = &protocol.dictionary.variable(chain.model.variable).name;
        let imputed = || Predicted::Variable(name.clone());
        let names = || chain.model.predictors.iter().map(|p| p.name(protocol)).collect::<Vec<_>>();
        let words = |level: usize| {
            let label = Canonical::new("entente/v1/imputation parameters")
                .str(&protocol.id)
                .str(&self.name)
                .u32(self.declared.seed)
                .u32(number)
                .str(name)
                .u32(level as u32);
            let mut draws = Draws::public(&label);
            move || draws.word()
        };
        let not_positive = |NotPositive { column }| Failure::Collinear { term: names().swap_remove(column) };
        let drawn = match &chain.fit {
            ChainFit::Levels(fits) => {
                let stage = |(level, fit): (usize, &LevelFit)| match fit {
                    LevelFit::Never => Ok(Stage::Never),
                    LevelFit::Always => Ok(Stage::Always),
                    LevelFit::Model(fit) => match fit.state() {
                        State::Done(fit) => {
                            coefficients(&fit.beta, &fit.naive, words(level)).map(Stage::Model).map_err(not_positive)
                        }
                        State::Failed(why) => Err(Failure::of(why, &names(), &imputed(), false)),
                        State::Ask(_) => Err(Failure::NotFinite),
                    },
                };
                Drawn::Levels(fits.iter().enumerate().map(stage).collect::<Result<_, _>>()?)
            }
            ChainFit::Number { centre, unit, fit, .. } => {
                let (columns, fit) = match fit {
                    Some(Ok(fit)) => fit,
                    Some(Err(why)) => return Err(linear_failure(why, &names())),
                    None => return Err(Failure::NotFinite),
                };
                let drawn = LinearDraw::new(fit, words(0))
                    .map_err(|NotPositive { column }| not_positive(NotPositive { column: columns[column] }))?;
                let mut beta = vec![0.0; chain.model.predictors.len()];
                columns.iter().zip(&drawn.beta).for_each(|(column, b)| beta[*column] = *b * unit);
                beta[0] += centre;
                Drawn::Number(LinearDraw { beta, sigma: drawn.sigma * unit })
            }
        };
        Ok(DrawnModel { model: Arc::clone(&chain.model), drawn })
    }

    fn failed(&self, variable: VariableId, cause: Failure) -> Failure {
        let variable = self.protocol.dictionary.variable(variable).name.clone();
        Failure::Imputation { variable, cause: Box::new(cause) }
    }

    /// Is there nothing left to ask?
    pub fn done(&self) -> bool {
        match &self.stage {
            Stages::Waiting | Stages::Fitting { .. } => false,
            Stages::Drawn(branches) => branches.iter().all(Branch::done),
            Stages::Failed(_) => true,
        }
    }

    /// Why nothing could be imputed.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.stage {
            Stages::Failed(failure) => Some(failure),
            Stages::Waiting | Stages::Fitting { .. } | Stages::Drawn(_) => None,
        }
    }

    /// Levels (variable and level) whose observed values are augmented, because the rows alone give their model no fit.
    pub fn augmented(&self) -> &[(VariableId, usize)] {
        &self.augmented
    }

    /// The analysis of every draw; none before everything is imputed.
    pub fn draws(&self) -> &[Branch] {
        match &self.stage {
            Stages::Drawn(branches) => branches,
            Stages::Waiting | Stages::Fitting { .. } | Stages::Failed(_) => &[],
        }
    }

    /// Of every draw, the models that its values are drawn from.
    pub fn models(&self) -> &[Vec<Arc<DrawnModel>>] {
        &self.drawn
    }
}

impl Chain {
    fn running(&self) -> bool {
        match &self.fit {
            ChainFit::Levels(fits) => fits.iter().any(LevelFit::running),
            ChainFit::Number { fit, .. } => fit.is_none(),
        }
    }

    /// Levels whose observed values are augmented.
    fn augmented(&self) -> Vec<usize> {
        let ChainFit::Levels(fits) = &self.fit else { return Vec::new() };
        let augmented = |fit: &LevelFit| matches!(fit, LevelFit::Model(fit) if fit.augmented());
        fits.iter().enumerate().filter(|(_, fit)| augmented(fit)).map(|(level, _)| level).collect()
    }

    fn ask(&self) -> Vec<Asked> {
        let model = || Arc::clone(&self.model);
        let asked = |question| Asked { view: Arc::clone(&self.view), question, of: None };
        match &self.fit {
            ChainFit::Levels(fits) => {
                let step = |(level, fit): (usize, &LevelFit)| {
                    let beta = fit.beta()?;
                    Some(asked(Question::ImputationStep { model: model(), level: level as u32, beta }))
                };
                fits.iter().enumerate().filter_map(step).collect()
            }
            ChainFit::Number { centre, unit, fit: None, .. } => {
                vec![asked(Question::ImputationEquations { model: model(), centre: *centre, unit: *unit })]
            }
            ChainFit::Number { fit: Some(_), .. } => Vec::new(),
        }
    }

    fn tell<'s>(&mut self, protocol: &Protocol, mut sums: &'s [f64]) -> &'s [f64] {
        for asked in self.ask() {
            let (answer, rest) = sums.split_at(asked.question.words(protocol));
            sums = rest;
            match (&mut self.fit, asked.question) {
                (ChainFit::Levels(fits), Question::ImputationStep { level, .. }) => {
                    if let LevelFit::Model(fit) = &mut fits[level as usize] {
                        fit.tell(answer);
                    }
                }
                (ChainFit::Number { scale, fit, .. }, _) => *fit = Some(linear_fit(scale, answer)),
                (ChainFit::Levels(_), _) => {}
            }
        }
        sums
    }
}

impl LevelFit {
    fn running(&self) -> bool {
        self.beta().is_some()
    }

    /// Coefficients whose sums are awaited.
    fn beta(&self) -> Option<Vec<f64>> {
        let LevelFit::Model(fit) = self else { return None };
        match fit.state() {
            State::Ask(LogisticAsk::Step { beta }) => Some(beta.to_vec()),
            State::Ask(LogisticAsk::Meat { .. }) | State::Done(_) | State::Failed(_) => None,
        }
    }
}

/// The model of one level against all later ones, where both are observed.
fn level_fit(counts: &[u64], level: usize, scale: &[f64]) -> LevelFit {
    match (counts[level], counts[level + 1..].iter().sum::<u64>()) {
        (0, _) => LevelFit::Never,
        (_, 0) => LevelFit::Always,
        _ => LevelFit::Model(Box::new(StageFit::new(scale.to_vec()))),
    }
}

/// The fit of a number, without the columns that those before them determine: R's `lm`, and mice, which removes them.
fn linear_fit(scale: &[f64], words: &[f64]) -> Result<(Vec<usize>, LinearFit), LinearError> {
    let q = scale.len();
    let all: Vec<usize> = (0..q).collect();
    match LinearFit::new(q, words) {
        Err(LinearError::Singular(_)) => {
            let aliased = aliased(linear::information(words, q), scale);
            let stay = |column: &usize| *column == 0 || aliased.iter().all(|alias| alias.column != *column);
            let columns: Vec<usize> = all.into_iter().filter(stay).collect();
            let fit = LinearFit::new(columns.len(), &linear::among(words, q, &columns))?;
            Ok((columns, fit))
        }
        fit => Ok((all, fit?)),
    }
}

impl Known {
    fn moments_of(&self, protocol: &Protocol, predictor: &Predictor, times: &[usize]) -> (f64, f64) {
        let n = self.facts.analysed() as f64;
        match predictor {
            Predictor::Term(term) => match self.facts.outcome_share(protocol, term) {
                Some(share) => of_share(share, n),
                None => (self.facts.centre(term), self.facts.scale(term)),
            },
            Predictor::Event(outcome) => {
                let events: u64 = self.facts.events[outcome].events.iter().sum();
                of_share(events as f64 / n, n)
            }
            Predictor::Hazard(outcome) => {
                let at = times.iter().position(|time| time == outcome);
                at.map_or((0.0, 0.0), |at| self.moments[at])
            }
        }
    }
}

/// Mean and standard deviation of n values of 0 and 1.
fn of_share(share: f64, n: f64) -> (f64, f64) {
    (share, (share * (1.0 - share) * n / (n - 1.0).max(1.0)).sqrt())
}

/// Checks what the imputation needs complete, and derives the cumulative hazards.
fn known(
    protocol: &Protocol,
    facts: &Facts,
    imputed: &[VariableId],
    times: &[usize],
    tables: &[&[f64]],
) -> Result<Known, Failure> {
    let facts = facts.completed(imputed);
    facts.check_arms(protocol)?;
    for index in outcomes(protocol) {
        facts.check_complete(protocol, index)?;
    }
    for id in covariates(protocol) {
        facts.check_missing(protocol, id)?;
    }
    let (mut hazards, mut moments) = (Hazards::new(), Vec::new());
    for (outcome, sums) in times.iter().zip(tables) {
        let table = ArmTable::new(time_to_event(protocol, *outcome).cells(), false, sums)?;
        let all = |cell: &[stats::survival::Leavers; 2]| cell[0].all().n + cell[1].all().n;
        let events: Vec<f64> = table.cells().iter().map(|cell| cell[0].events.n + cell[1].events.n).collect();
        let mut at_risk: Vec<f64> = table.cells().iter().map(all).collect();
        for cell in (1..at_risk.len()).rev() {
            at_risk[cell - 1] += at_risk[cell];
        }
        let hazard = cumulative_hazard(&events, &at_risk);
        let (mut sum, mut squares) = (0.0, 0.0);
        for (cell, h) in table.cells().iter().zip(&hazard) {
            sum += all(cell) * h;
            squares += all(cell) * h * h;
        }
        let n = facts.analysed() as f64;
        let mean = sum / n;
        moments.push((mean, ((squares - sum * mean) / (n - 1.0).max(1.0)).max(0.0).sqrt()));
        hazards.insert(*outcome, hazard);
    }
    Ok(Known { facts: Arc::new(facts), hazards: Arc::new(hazards), moments })
}

/// Intercept, treatment, every covariate that is not among `later`, every outcome.
fn predictors(protocol: &Protocol, later: &[VariableId]) -> Vec<Predictor> {
    let mut predictors = vec![Predictor::Term(Term::Intercept), Predictor::Term(Term::Treatment)];
    for id in covariates(protocol).into_iter().filter(|id| !later.contains(id)) {
        predictors.extend(Term::of_variable(protocol, id).into_iter().map(Predictor::Term));
    }
    for index in outcomes(protocol) {
        match &protocol.outcomes[index].kind {
            OutcomeKind::Binary { variable } => predictors.push(Predictor::Term(Term::Level(*variable, 1))),
            OutcomeKind::TimeToEvent(_) => predictors.extend([Predictor::Event(index), Predictor::Hazard(index)]),
            // a scenario with imputation has none
            OutcomeKind::Competing(_) => {}
        }
    }
    predictors
}

/// Covariates of all models of a protocol, each once.
pub(crate) fn covariates(protocol: &Protocol) -> Vec<VariableId> {
    let mut all: Vec<VariableId> = Vec::new();
    let propensity = protocol.propensity.iter().flat_map(|p| &p.covariates);
    let models = protocol
        .analyses
        .iter()
        .flat_map(|a| a.covariates.iter().chain(a.effect_modifiers.iter().map(|m| &m.variable)));
    for id in propensity.chain(models) {
        if !all.contains(id) {
            all.push(*id);
        }
    }
    all
}

/// Outcomes of all models of a protocol, in the order of their declaration.
fn outcomes(protocol: &Protocol) -> Vec<usize> {
    let named = |name: &String| protocol.analyses.iter().any(|analysis| analysis.outcomes.contains(name));
    (0..protocol.outcomes.len()).filter(|index| named(&protocol.outcomes[*index].name)).collect()
}

fn is_time(protocol: &Protocol, outcome: usize) -> bool {
    matches!(protocol.outcomes[outcome].kind, OutcomeKind::TimeToEvent(_))
}

fn linear_failure(why: &LinearError, names: &[String]) -> Failure {
    match why {
        LinearError::NoRows => Failure::NoRows,
        LinearError::NotFinite => Failure::NotFinite,
        LinearError::Singular(Singular::Zero { column }) => {
            Failure::Constant { term: names[*column].clone(), sites: false }
        }
        LinearError::Singular(Singular::Dependent { column }) => Failure::Collinear { term: names[*column].clone() },
    }
}
