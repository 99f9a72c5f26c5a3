//! What a protocol will ask, before any site has answered: the plan is run on invented patients.
//!
//! The patients follow from the data dictionary alone, every value equally likely and none missing, so a forecast shows
//! each kind of question and its shape; how often a fit asks depends on the real sums. Of replicates and imputations, which
//! all ask alike, two are run and stand for the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secagg::DrawKey;

use crate::cohort::{Cohort, Column, FlowCount};
use crate::dictionary::{Kind, VariableId};
use crate::evaluate::{EvaluateError, Evaluator};
use crate::layout::is_sealed;
use crate::plan::Plan;
use crate::protocol::Protocol;
use crate::view::{Asked, Draw};
use crate::word;

/// Enough for every level of every covariate to meet both arms.
const PATIENTS: usize = 400;
/// As many replicates and imputations are run; more would ask the same again.
const RUN: u32 = 2;
/// What is drawn about invented patients is nobody's secret.
const DRAWS: [u8; 32] = [0; 32];

/// One kind of question that a protocol leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// Its name.
    pub kind: &'static str,
    /// What its sum tells, for the people who approve.
    pub sentence: &'static str,
    /// Is it repeated until a model has converged?
    pub repeated: bool,
    /// First round in which it was asked.
    pub round: u32,
    /// How many were asked in all rounds.
    pub questions: usize,
    /// Fewest and most numbers of one answer.
    pub words: (usize, usize),
    /// Numbers of all answers.
    pub numbers: usize,
    /// As many of them the coordinator opens, too.
    pub opened: usize,
}

/// A whole run on invented patients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Kinds in the order in which they are first asked.
    pub kinds: Vec<Foreseen>,
    /// Rounds that it took.
    pub rounds: u32,
    /// The round with the most numbers, and how many it has.
    pub largest: (u32, usize),
    /// Numbers of all rounds that are about rows with something drawn: replicates, imputations.
    pub drawn: usize,
    /// Kinds of questions whose answer about the invented patients fits no word: a range of the dictionary is too wide.
    pub beyond: BTreeSet<&'static str>,
}

impl Forecast {
    /// Runs the plan of a protocol to its end.
    pub fn of(protocol: &Protocol) -> Forecast {
        let declared = protocol;
        let protocol = &Arc::new(with_few_draws(declared));
        let cohort = invented(protocol);
        let key = DrawKey::from_bytes(&DRAWS);
        let mut plan = Plan::new(Arc::clone(protocol));
        let mut kinds: BTreeMap<&'static str, Foreseen> = BTreeMap::new();
        let (mut largest, mut drawn, mut beyond) = ((0, 0), 0, BTreeSet::new());
        while !plan.done() {
            let evaluator = Evaluator::new(protocol, &cohort, 1, true).drawing(&key, plan.ask());
            let (round, mut numbers) = (plan.progress().round, 0);
            let mut sums = Vec::with_capacity(plan.words());
            for asked in plan.ask().iter() {
                let (question, words) = (&asked.question, asked.words(protocol));
                let foreseen = kinds.entry(question.kind()).or_insert_with(|| Foreseen {
                    kind: question.kind(),
                    sentence: question.sentence(),
                    repeated: question.is_of_a_fit(),
                    round,
                    questions: 0,
                    words: (words, words),
                    numbers: 0,
                    opened: 0,
                });
                let alike = alike(asked, declared);
                foreseen.questions += alike;
                foreseen.numbers += alike * words;
                foreseen.opened += if is_sealed(asked, protocol) { 0 } else { alike * words };
                foreseen.words = (foreseen.words.0.min(words), foreseen.words.1.max(words));
                numbers += alike * words;
                drawn += if asked.view.draw == Draw::Nothing { 0 } else { alike * words };
                match evaluator.answer(asked) {
                    Ok(answer) => sums.extend(answer),
                    Err(EvaluateError::OutOfBound | EvaluateError::NoKey) => {
                        beyond.insert(question.kind());
                        sums.extend(std::iter::repeat_n(word::mark(1), words));
                    }
                }
            }
            if numbers > largest.1 {
                largest = (round, numbers);
            }
            plan.tell(&word::read(&sums, 1));
        }
        let mut kinds: Vec<Foreseen> = kinds.into_values().collect();
        kinds.sort_by_key(|foreseen| (foreseen.round, foreseen.kind));
        Forecast { kinds, rounds: plan.progress().round - 1, largest, drawn, beyond }
    }

    /// Numbers of all rounds.
    pub fn numbers(&self) -> usize {
        self.kinds.iter().map(|foreseen| foreseen.numbers).sum()
    }
}
/// The protocol with no more replicates and imputations than are run.
fn with_few_draws(declared: &Protocol) -> Protocol {
    let mut protocol = declared.clone();
    if let Some(bootstrap) = &mut protocol.bootstrap {
        bootstrap.replicates = bootstrap.replicates.min(RUN);
    }
    for imputation in protocol.scenarios.iter_mut().filter_map(|scenario| scenario.imputation.as_mut()) {
        imputation.draws = imputation.draws.min(RUN);
    }
    protocol
}

/// For how many questions of the declared protocol a question stands: the last replicate or imputation that is run for all
/// that are not.
fn alike(asked: &Asked, declared: &Protocol) -> usize {
    let imputation = asked.view.scenario.and_then(|index| declared.scenarios[index].imputation.as_ref());
    let (number, all) = match (&asked.view.draw, &declared.bootstrap, imputation) {
        (Draw::Replicate(number), Some(bootstrap), _) => (*number, bootstrap.replicates),
        (Draw::Imputed(imputed), _, Some(imputation)) => (imputed.number, imputation.draws),
        (Draw::Nothing | Draw::Replicate(_) | Draw::Imputed(_), _, _) => return 1,
    };
    if number + 1 == RUN { (all - number) as usize } else { 1 }
}

/// Patients of nobody, for the main analysis and for every scenario.
fn invented(protocol: &Protocol) -> Cohort {
    let mut cohort = rows(protocol);
    cohort.scenarios = protocol.scenarios.iter().map(|scenario| rows(&scenario.protocol)).collect();
    cohort
}

fn rows(protocol: &Protocol) -> Cohort {
    let mut state = 0x0045_4e54_454e_5445;
    let treated: Vec<bool> = (0..PATIENTS).map(|_| below(&mut state, 2) == 1).collect();
    let arms = &protocol.treatment;
    let columns = protocol.dictionary.variables().iter().enumerate().map(|(index, variable)| match &variable.kind {
        Kind::Continuous { low, high, resolution, .. } => {
            let declared = resolution.map_or(0.0, |resolution| ((high - low) / resolution).floor().max(0.0));
            // without a resolution, or with one that belongs to another unit, which would make the column constant
            let fine = (1000.0, (high - low) / 1000.0);
            let (steps, step) = resolution.filter(|_| declared >= 10.0).map_or(fine, |step| (declared, step));
            let value = |at: u64| low + at as f64 * step;
            Column::Numbers(treated.iter().map(|_| value(below(&mut state, steps as u64 + 1)).min(*high)).collect())
        }
        Kind::Categorical { .. } if VariableId(index) == arms.variable => {
            Column::Levels(treated.iter().map(|t| if *t { arms.treated } else { arms.control } as u8).collect())
        }
        Kind::Categorical { levels, .. } => {
            Column::Levels(treated.iter().map(|_| below(&mut state, levels.len() as u64) as u8).collect())
        }
        Kind::Days { high } => {
            Column::Days(treated.iter().map(|_| below(&mut state, u64::from(*high) + 1) as u32).collect())
        }
    });
    let columns = columns.collect();
    let n = treated.iter().filter(|t| **t).count() as u64;
    let count = FlowCount { control: PATIENTS as u64 - n, treated: n, neither: 0 };
    Cohort { treated, columns, flow: vec![count; protocol.eligibility.len() + 2], scenarios: Vec::new() }
}

/// A number below `bound` from a linear congruential sequence: nothing depends on its quality.
fn below(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % bound
}
