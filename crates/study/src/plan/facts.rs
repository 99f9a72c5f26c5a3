//! What the first round opens: flow, counts, missing values, moments, events per cell.

use std::collections::{BTreeMap, BTreeSet};

use super::causes::Causes;
use super::failure::{Arms, Failure};
use crate::cohort::FlowCount;
use crate::dictionary::{Kind, VariableId};
use crate::protocol::{Model, OutcomeKind, Protocol};
use crate::question::{EVENT_COUNTS, Question};
use crate::term::{Columns, Span, Term, power_of_two};

/// Everything the models need to know before they start.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Flow chart over all sites.
    pub flow: Vec<FlowCount>,
    /// Counts by arm and level (missing last) of each categorical variable in use.
    pub levels: BTreeMap<VariableId, [Vec<u64>; 2]>,
    /// Missing values by arm of each continuous variable in use.
    pub missing: BTreeMap<VariableId, [u64; 2]>,
    /// Rows in which both columns are 1, for each pair of levels of two covariates that stand together in a model.
    pub pairs: BTreeMap<(Term, Term), u64>,
    /// Of each column in use, over the rows that have a value.
    moments: BTreeMap<Term, ColumnMoments>,
    /// By index of the outcome.
    pub events: BTreeMap<usize, Events>,
    /// By index of the competing outcome; the round after the first opens them.
    pub causes: BTreeMap<usize, Causes>,
}

/// Events of one time-to-event outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// Rows without event, by arm.
    pub censored: [u64; 2],
    /// Events, by arm.
    pub events: [u64; 2],
    /// Rows with missing time or status.
    pub missing: u64,
    /// Rows whose follow-up went beyond the horizon.
    pub beyond: u64,
    /// Cells with events, ascending.
    pub cells: Vec<u32>,
    /// Events in each of those cells.
    pub deaths: Vec<f64>,
}

/// The first round's questions and how to read their answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FirstRound {
    pub(super) questions: Vec<Question>,
    /// Competing outcomes in use. Who leaves by which cause is asked in the next round, when sites have seen how many
    /// patients there are.
    pub(super) competing: Vec<usize>,
    /// How each column is measured, in the order of its terms in [`Question::Moments`].
    spans: Vec<Span>,
}

/// Mean and spread of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ColumnMoments {
    mean: f64,
    /// 0 where the sums do not tell a spread from rounding.
    sd: f64,
    /// Then: is there more than rounding?
    lost: bool,
}

impl FirstRound {
    pub(super) fn new(protocol: &Protocol) -> FirstRound {
        let terms = terms_in_use(protocol);
        let mut variables: BTreeSet<VariableId> = terms.iter().flat_map(Term::variables).collect();
        variables.extend(protocol.baselines.iter().flat_map(|b| &b.variables));
        let (mut times, mut causes) = (BTreeSet::new(), BTreeSet::new());
        let regressions = protocol.analyses.iter().flat_map(|analysis| &analysis.outcomes);
        let curves = protocol.curves.iter().flat_map(|curve| &curve.outcomes);
        let incidences = protocol.incidences.iter().flat_map(|incidence| &incidence.outcomes);
        for name in regressions.chain(curves).chain(incidences) {
            let index = protocol.outcomes.iter().position(|o| &o.name == name);
            let Some(index) = index else { continue };
            match &protocol.outcomes[index].kind {
                OutcomeKind::Binary { variable } => {
                    variables.insert(*variable);
                }
                OutcomeKind::TimeToEvent(_) => {
                    times.insert(index);
                }
                OutcomeKind::Competing(_) => {
                    causes.insert(index);
                }
            }
        }
        let mut questions = vec![Question::Flow];
        for variable in variables {
            questions.push(match protocol.dictionary.variable(variable).kind {
                Kind::Categorical { .. } => Question::Levels { variable },
                Kind::Continuous { .. } | Kind::Days { .. } => Question::Missingness { variable },
            });
        }
        let spans = terms.iter().map(|term| Span::of(term, protocol)).collect();
        questions.push(Question::Moments { terms: terms.into_iter().collect() });
        let pairs: Vec<(Term, Term)> = pairs_in_use(protocol).into_iter().collect();
        if !pairs.is_empty() {
            questions.push(Question::Pairs { pairs });
        }
        questions.extend(times.into_iter().map(|outcome| Question::Events { outcome }));
        FirstRound { questions, competing: causes.into_iter().collect(), spans }
    }

    /// Reads the opened sums, one slice per question.
    pub(super) fn read(&self, answers: &[&[f64]]) -> Facts {
        let mut facts = Facts {
            flow: Vec::new(),
            levels: BTreeMap::new(),
            missing: BTreeMap::new(),
            pairs: BTreeMap::new(),
            moments: BTreeMap::new(),
            events: BTreeMap::new(),
            causes: BTreeMap::new(),
        };
        for (question, sums) in self.questions.iter().zip(answers) {
            match question {
                Question::Flow => facts.flow = sums.chunks(3).map(flow_count).collect(),
                Question::Levels { variable } => {
                    let (control, treated) = sums.split_at(sums.len() / 2);
                    facts.levels.insert(*variable, [counts(control), counts(treated)]);
                }
                Question::Missingness { variable } => {
                    facts.missing.insert(*variable, [sums[0] as u64, sums[1] as u64]);
                }
                Question::Moments { terms } => {
                    for ((term, span), pair) in terms.iter().zip(&self.spans).zip(sums.chunks(2)) {
                        // the counts of missing values stand before
                        let missing = match term.variables().as_slice() {
                            [id] => facts.rows_missing(*id),
                            _ => 0,
                        };
                        let n = facts.analysed().saturating_sub(missing) as f64;
                        facts.moments.insert(term.clone(), moments(n, pair[0], pair[1], *span));
                    }
                }
                Question::Pairs { pairs } => {
                    facts.pairs = pairs.iter().cloned().zip(counts(sums)).collect();
                }
                Question::Events { outcome } => {
                    facts.events.insert(*outcome, events(sums));
                }
                _ => unreachable!("the first round asks counts and moments only"),
            }
        }
        facts
    }
}

impl Facts {
    /// Analysed rows.
    pub fn analysed(&self) -> u64 {
        self.flow.last().map_or(0, |f| f.control + f.treated)
    }

    /// Analysed rows of the treated arm.
    pub fn treated(&self) -> u64 {
        self.flow.last().map_or(0, |f| f.treated)
    }

    /// Mean of a column (0 for the intercept, which is not centred).
    pub(super) fn centre(&self, term: &Term) -> f64 {
        self.moments.get(term).map_or(0.0, |m| m.mean)
    }

    /// Standard deviation of a column (1 for the intercept).
    pub(super) fn scale(&self, term: &Term) -> f64 {
        self.moments.get(term).map_or(1.0, |m| m.sd)
    }

    /// What a column is measured in: a power of two near its standard deviation, 1 for columns of 0 and 1.
    pub(super) fn unit(&self, term: &Term) -> f64 {
        if term.is_number() { power_of_two(self.scale(term)) } else { 1.0 }
    }

    /// Standard deviations of columns in their units.
    pub(super) fn scales(&self, terms: &[Term]) -> Vec<f64> {
        terms.iter().map(|term| self.scale(term) / self.unit(term)).collect()
    }

    /// Columns about their means, in their units.
    pub(super) fn columns(&self, terms: &[Term]) -> Columns {
        let centre = terms.iter().map(|term| self.centre(term)).collect();
        Columns { terms: terms.to_vec(), centre, unit: terms.iter().map(|term| self.unit(term)).collect() }
    }

    /// Arms with patients, and a value of every column for all of them: what a model needs before it starts.
    pub(super) fn check(&self, protocol: &Protocol, terms: &[Term]) -> Result<(), Failure> {
        self.check_arms(protocol)?;
        for term in terms {
            for id in term.variables() {
                self.check_missing(protocol, id)?;
            }
        }
        let lost = |term: &&Term| self.moments.get(*term).is_some_and(|moments| moments.lost);
        if let Some(term) = terms.iter().find(lost) {
            return Err(Failure::Unresolved { term: term.name(protocol) });
        }
        Ok(())
    }

    /// The facts of rows in which nothing is missing in these variables: moments are those of the observed values.
    pub(super) fn completed(&self, variables: &[VariableId]) -> Facts {
        let mut facts = self.clone();
        for id in variables {
            for counts in facts.levels.get_mut(id).into_iter().flatten() {
                counts.last_mut().into_iter().for_each(|missing| *missing = 0);
            }
            facts.missing.remove(id);
        }
        facts
    }

    /// Rows of each level of a categorical variable, without missing ones.
    pub(super) fn level_counts(&self, id: VariableId) -> Vec<u64> {
        let Some([control, treated]) = self.levels.get(&id) else { return Vec::new() };
        let all = control.iter().zip(treated).map(|(c, t)| c + t);
        all.take(control.len().saturating_sub(1)).collect()
    }

    /// The level that is the reference of the models: the first that somebody has.
    pub(crate) fn reference(&self, id: VariableId) -> Option<usize> {
        self.level_counts(id).iter().position(|n| *n > 0)
    }

    /// Of a binary outcome's level 1, which is no column of the declared models: its share.
    pub(super) fn outcome_share(&self, protocol: &Protocol, term: &Term) -> Option<f64> {
        let Term::Level(id, 1) = term else { return None };
        let is_outcome = |kind: &OutcomeKind| matches!(kind, OutcomeKind::Binary { variable } if variable == id);
        let outcome = protocol.outcomes.iter().any(|outcome| is_outcome(&outcome.kind));
        let counts = self.level_counts(*id);
        outcome.then(|| counts.get(1).map(|events| *events as f64 / self.analysed() as f64))?
    }

    fn rows_missing(&self, id: VariableId) -> u64 {
        let levels = self.levels.get(&id).map(|[c, t]| c.last().unwrap_or(&0) + t.last().unwrap_or(&0));
        levels.or_else(|| self.missing.get(&id).map(|[c, t]| c + t)).unwrap_or(0)
    }

    pub(super) fn check_arms(&self, protocol: &Protocol) -> Result<(), Failure> {
        let last = self.flow.last().copied().unwrap_or_default();
        let arms = &protocol.treatment;
        for (n, level) in [(last.control, arms.control), (last.treated, arms.treated)] {
            if n == 0 {
                return Err(Failure::EmptyArm { arm: arm_label(protocol, level) });
            }
        }
        Ok(())
    }

    pub(super) fn check_missing(&self, protocol: &Protocol, id: VariableId) -> Result<(), Failure> {
        match self.rows_missing(id) {
            0 => Ok(()),
            rows => Err(Failure::Missing { variable: protocol.dictionary.variable(id).name.clone(), rows }),
        }
    }

    /// Patients of both arms have a value of a binary outcome.
    fn check_values(&self, protocol: &Protocol, id: VariableId, outcome: &str) -> Result<(), Failure> {
        self.check_arms(protocol)?;
        let rows = [0, 1].map(|arm| self.levels[&id][arm][..2].iter().sum());
        check_rows(protocol, outcome, rows)
    }

    /// What a penalised model of a binary outcome needs.
    pub(super) fn check_penalised(
        &self,
        protocol: &Protocol,
        id: VariableId,
        outcome: &str,
        model: Option<Model>,
    ) -> Result<(), Failure> {
        self.check_values(protocol, id, outcome)?;
        // the penalty of a ridge leaves the intercept free, which has no maximum without events
        if model == Some(Model::Ridge) { self.check_any_binary(id, outcome) } else { Ok(()) }
    }

    /// A binary outcome must occur, and not always, in one arm at least.
    fn check_any_binary(&self, id: VariableId, outcome: &str) -> Result<(), Failure> {
        let counts = self.level_counts(id);
        match (counts[0], counts[1]) {
            (_, 0) => Err(Failure::NoEvents { outcome: outcome.into(), arms: Arms::Both }),
            (0, _) => Err(Failure::AllEvents { outcome: outcome.into(), arms: Arms::Both }),
            _ => Ok(()),
        }
    }

    /// A binary outcome must occur, and not always, in both arms.
    pub(super) fn check_binary(&self, protocol: &Protocol, id: VariableId, outcome: &str) -> Result<(), Failure> {
        self.check_values(protocol, id, outcome)?;
        self.check_any_binary(id, outcome)?;
        let arms = [protocol.treatment.control, protocol.treatment.treated];
        for (counts, level) in self.levels[&id].iter().zip(arms) {
            let (outcome, arms) = (outcome.to_owned(), Arms::One(arm_label(protocol, level)));
            if counts[1] == 0 {
                return Err(Failure::NoEvents { outcome, arms });
            }
            if counts[0] == 0 {
                return Err(Failure::AllEvents { outcome, arms });
            }
        }
        Ok(())
    }

    /// Patients of both arms have a time and status of an outcome.
    pub(super) fn check_times(&self, protocol: &Protocol, index: usize, outcome: &str) -> Result<(), Failure> {
        self.check_arms(protocol)?;
        check_rows(protocol, outcome, self.arms_with(protocol, index).unwrap_or_default())
    }

    /// Rows with a value of an outcome, by arm; none where nothing has counted them yet.
    pub(crate) fn arms_with(&self, protocol: &Protocol, index: usize) -> Option<[u64; 2]> {
        match &protocol.outcomes[index].kind {
            OutcomeKind::Binary { variable } => {
                let arms = self.levels.get(variable)?;
                Some([0, 1].map(|arm| arms[arm][..2].iter().sum()))
            }
            OutcomeKind::TimeToEvent(_) => {
                let events = self.events.get(&index)?;
                Some([0, 1].map(|arm| events.censored[arm] + events.events[arm]))
            }
            OutcomeKind::Competing(_) => Some(self.causes.get(&index)?.rows()),
        }
    }

    /// Rows with a value of an outcome: those of its models and curves.
    pub(crate) fn rows_with(&self, protocol: &Protocol, index: usize) -> u64 {
        self.arms_with(protocol, index).map_or(0, |arms| arms.iter().sum())
    }

    /// Nobody lacks a value of an outcome: what an imputation needs, whose predictors it is among.
    pub(super) fn check_complete(&self, protocol: &Protocol, index: usize) -> Result<(), Failure> {
        match self.analysed().saturating_sub(self.rows_with(protocol, index)) {
            0 => Ok(()),
            rows => Err(Failure::Missing { variable: protocol.outcomes[index].name.clone(), rows }),
        }
    }

    /// Cells with events, ascending, and how many; of a cause where several compete.
    pub(super) fn event_cells(&self, index: usize, cause: Option<u8>) -> (Vec<u32>, Vec<f64>) {
        match (self.causes.get(&index), cause) {
            (Some(causes), Some(cause)) => causes.event_cells(cause),
            _ => (self.events[&index].cells.clone(), self.events[&index].deaths.clone()),
        }
    }

    /// A regression of a time to event, or to one cause of several, needs events in both arms.
    pub(crate) fn check_events(
        &self,
        protocol: &Protocol,
        index: usize,
        outcome: &str,
        cause: Option<u8>,
    ) -> Result<(), Failure> {
        self.check_times(protocol, index, &protocol.outcomes[index].name)?;
        let counts = match (self.causes.get(&index), cause) {
            (Some(causes), Some(cause)) => {
                causes.table()?;
                causes.events(cause)
            }
            _ => self.events[&index].events,
        };
        if counts == [0, 0] {
            return Err(Failure::NoEvents { outcome: outcome.into(), arms: Arms::Both });
        }
        for (n, level) in counts.iter().zip([protocol.treatment.control, protocol.treatment.treated]) {
            if *n == 0 {
                let arms = Arms::One(arm_label(protocol, level));
                return Err(Failure::NoEvents { outcome: outcome.into(), arms });
            }
        }
        Ok(())
    }
}

/// More events than this are no study of ours.
const MOST_EVENTS: f64 = 1e7;

/// Every column of every model.
fn terms_in_use(protocol: &Protocol) -> BTreeSet<Term> {
    let mut terms = BTreeSet::from([Term::Treatment]);
    if let Some(propensity) = &protocol.propensity {
        terms.extend(propensity.covariates.iter().flat_map(|id| Term::of_variable(protocol, *id)));
    }
    for id in protocol.baselines.iter().flat_map(|b| &b.variables) {
        if protocol.dictionary.variable(*id).grid().is_some() {
            terms.insert(Term::Number(*id));
        }
    }
    for analysis in &protocol.analyses {
        for (model, modifier) in analysis.fits() {
            terms.extend(super::model_terms(protocol, analysis, model, modifier));
        }
    }
    terms.remove(&Term::Intercept);
    terms
}

/// Levels of two covariates that stand together in a model.
fn pairs_in_use(protocol: &Protocol) -> BTreeSet<(Term, Term)> {
    let propensity = protocol.propensity.iter();
    let mut models: Vec<Vec<Term>> =
        propensity.map(|p| p.covariates.iter().flat_map(|id| Term::of_variable(protocol, *id)).collect()).collect();
    for analysis in &protocol.analyses {
        let fits = analysis.fits();
        models
            .extend(fits.into_iter().map(|(model, modifier)| super::model_terms(protocol, analysis, model, modifier)));
    }
    let mut pairs = BTreeSet::new();
    for mut terms in models {
        terms.retain(|term| matches!(term, Term::Level(..)));
        terms.sort();
        for (i, a) in terms.iter().enumerate() {
            let others = terms[i + 1..].iter().filter(|b| b.variables() != a.variables());
            pairs.extend(others.map(|b| (a.clone(), b.clone())));
        }
    }
    pairs
}

fn check_rows(protocol: &Protocol, outcome: &str, rows: [u64; 2]) -> Result<(), Failure> {
    for (n, level) in rows.into_iter().zip([protocol.treatment.control, protocol.treatment.treated]) {
        if n == 0 {
            return Err(Failure::NoValues { outcome: outcome.into(), arm: arm_label(protocol, level) });
        }
    }
    Ok(())
}

fn arm_label(protocol: &Protocol, level: usize) -> String {
    protocol.dictionary.variable(protocol.treatment.variable).levels()[level].clone()
}

fn flow_count(sums: &[f64]) -> FlowCount {
    FlowCount { control: sums[0] as u64, treated: sums[1] as u64, neither: sums[2] as u64 }
}

fn counts(sums: &[f64]) -> Vec<u64> {
    sums.iter().map(|x| *x as u64).collect()
}

/// Mean and standard deviation of sums of a column and its squares, measured in its span; a spread that is rounding alone
/// counts as none.
fn moments(n: f64, sum: f64, squares: f64, span: Span) -> ColumnMoments {
    /// The sum of squares has a relative rounding error of a few 1e-16: a variance above this share of the mean square has
    /// four digits, and one above [`ROUNDING`] of it is more than rounding.
    const DIGITS: f64 = 1e-12;
    const ROUNDING: f64 = 4e-15;
    /// A word has 2^-64; a variance of this size has six digits left.
    const WORD: f64 = 1e-13;
    let mean = if n > 0.0 { sum / n } else { 0.0 };
    let variance = if n > 1.0 { (squares - sum * mean) / (n - 1.0) } else { 0.0 };
    let square = squares / n.max(1.0);
    let told = variance > (DIGITS * square).max(WORD);
    let lost = !told && variance > (ROUNDING * square).max(2f64.powi(-63));
    let sd = if told { variance.sqrt() * span.unit } else { 0.0 };
    ColumnMoments { mean: span.middle + mean * span.unit, sd, lost }
}

fn events(sums: &[f64]) -> Events {
    let (head, grid) = sums.split_at(EVENT_COUNTS);
    let mut head = counts(head);
    let (mut cells, mut deaths) = (Vec::new(), Vec::new());
    // A site can answer anything. What cannot be counts of these events counts as none, and the models end without any:
    // ties are summed one death at a time.
    let whole = grid.iter().all(|d| *d >= 0.0 && d.fract() == 0.0);
    let all: f64 = grid.iter().sum();
    let plausible = whole && all <= MOST_EVENTS && all <= (head[1] + head[3]) as f64;
    if !plausible {
        (head[1], head[3]) = (0, 0);
    }
    for (cell, d) in grid.iter().enumerate().filter(|(_, d)| plausible && **d > 0.0) {
        cells.push(cell as u32);
        deaths.push(*d);
    }
    Events {
        censored: [head[0], head[2]],
        events: [head[1], head[3]],
        missing: head[4],
        beyond: head[5],
        cells,
        deaths,
    }
}
