//! The baseline table's part of the plan: what needs no weights in the second round, what does when the propensity
//! model is fitted. Both go along with rounds that the models need anyway.

use super::Facts;
use crate::dictionary::VariableId;
use crate::protocol::Protocol;
use crate::question::{Question, Weights};
use crate::term::Term;

/// What is opened of one variable of the baseline table. The counts of a category stand in [`Facts::levels`].
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineSums {
    /// The variable.
    pub variable: VariableId,
    /// Value that the moments are about (0 for a category).
    pub centre: f64,
    /// What they are measured in (1 for a category).
    pub unit: f64,
    /// Rows per bin of the value grid, control arm before treated; empty for a category.
    pub histogram: Vec<f64>,
    /// Moments of both arms, `stats::descriptive::moments`; empty for a category.
    pub moments: Vec<f64>,
    /// Weighted moments, or weighted counts (`stats::descriptive::categorical`) of a category; empty when the table has
    /// no weights or the propensity model failed.
    pub weighted: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    Waiting,
    Plain,
    Weighted(Box<Weights>),
    Both(Box<Weights>),
    Idle,
}

/// The baseline table while the plan runs.
#[derive(Debug, Clone)]
pub(super) struct BaselineTask {
    variables: Vec<(BaselineSums, bool)>,
    weighted: bool,
    stage: Stage,
}

impl BaselineTask {
    /// Of the variables of all declared tables, each once; with weights where one of the tables has them.
    pub(super) fn new(protocol: &Protocol) -> Option<BaselineTask> {
        if protocol.baselines.is_empty() {
            return None;
        }
        let mut named: Vec<VariableId> = Vec::new();
        for variable in protocol.baselines.iter().flat_map(|table| &table.variables) {
            if !named.contains(variable) {
                named.push(*variable);
            }
        }
        let variables = named.iter().map(|variable| {
            let sums = BaselineSums {
                variable: *variable,
                centre: 0.0,
                unit: 1.0,
                histogram: Vec::new(),
                moments: Vec::new(),
                weighted: Vec::new(),
            };
            (sums, protocol.dictionary.variable(*variable).levels().is_empty())
        });
        Some(BaselineTask {
            variables: variables.collect(),
            weighted: protocol.baselines.iter().any(|table| table.weighted),
            stage: Stage::Waiting,
        })
    }

    /// After the first round, which opened the sums that the centres come from.
    pub(super) fn start(&mut self, facts: &Facts) {
        for (sums, number) in &mut self.variables {
            if *number {
                let term = Term::Number(sums.variable);
                (sums.centre, sums.unit) = (facts.centre(&term), facts.unit(&term));
            }
        }
        self.stage = Stage::Plain;
    }

    /// The propensity model is fitted.
    pub(super) fn start_weighted(&mut self, weights: Weights) {
        if self.weighted {
            let weights = Box::new(weights);
            self.stage = match self.stage {
                Stage::Plain => Stage::Both(weights),
                _ => Stage::Weighted(weights),
            };
        }
    }

    pub(super) fn ask(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        for (sums, number) in &self.variables {
            let (variable, centre, unit) = (sums.variable, sums.centre, sums.unit);
            if *number && matches!(self.stage, Stage::Plain | Stage::Both(_)) {
                questions.push(Question::ValueHistogram { variable });
                questions.push(Question::ArmMoments { variable, centre, unit, weights: None });
            }
            if let Stage::Weighted(weights) | Stage::Both(weights) = &self.stage {
                let weights = (**weights).clone();
                questions.push(if *number {
                    Question::ArmMoments { variable, centre, unit, weights: Some(weights) }
                } else {
                    Question::WeightedLevels { variable, weights }
                });
            }
        }
        questions
    }

    /// Takes its answers off the round's, in the order of [`BaselineTask::ask`].
    pub(super) fn tell<'a>(&mut self, answers: &mut impl Iterator<Item = &'a [f64]>) {
        for (sums, number) in &mut self.variables {
            let mut next = || answers.next().unwrap_or_default().to_vec();
            if *number && matches!(self.stage, Stage::Plain | Stage::Both(_)) {
                sums.histogram = next();
                sums.moments = next();
            }
            if matches!(self.stage, Stage::Weighted(_) | Stage::Both(_)) {
                sums.weighted = next();
            }
        }
        self.stage = Stage::Idle;
    }

    pub(super) fn sums(&self) -> impl Iterator<Item = &BaselineSums> {
        self.variables.iter().map(|(sums, _)| sums)
    }
}
