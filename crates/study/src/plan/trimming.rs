//! Before a trimmed analysis: the propensity model of all its rows, which says who stays.

use std::sync::Arc;

use super::facts::FirstRound;
use super::unit::Unit;
use super::{Facts, Failure, FitKey, FitOutcome};
use crate::protocol::Protocol;
use crate::question::{FittedPropensity, Question};
use crate::view::Trim;

/// The propensity model of the rows before trimming.
#[derive(Debug, Clone)]
pub struct Trimming {
    protocol: Arc<Protocol>,
    bounds: (f64, f64),
    first: FirstRound,
    facts: Option<Facts>,
    unit: Unit,
}

impl Trimming {
    /// Of a protocol that has a propensity model and nothing else.
    pub(super) fn new(protocol: &Arc<Protocol>, bounds: (f64, f64)) -> Option<Trimming> {
        let unit = Unit::propensity(protocol, protocol.propensity.as_ref()?);
        Some(Trimming { protocol: Arc::clone(protocol), bounds, first: FirstRound::new(protocol), facts: None, unit })
    }

    /// What says how long answers are.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// What its first round opened.
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
    }

    pub(super) fn ask(&self) -> Vec<Question> {
        if self.facts.is_none() { self.first.questions.clone() } else { self.unit.ask().into_iter().collect() }
    }

    pub(super) fn tell(&mut self, answers: &[&[f64]]) {
        if let Some(facts) = &self.facts {
            self.unit.tell(&self.protocol, facts, answers.first().copied().unwrap_or_default());
        } else {
            let facts = self.first.read(answers);
            self.unit.start(&self.protocol, &facts, None);
            self.facts = Some(facts);
        }
    }

    /// Which model it is.
    pub fn key(&self) -> &FitKey {
        self.unit.key()
    }

    /// How the model ended; none while it runs.
    pub fn outcome(&self) -> Option<FitOutcome<'_>> {
        self.unit.outcome()
    }

    /// The rows that stay, or why nobody knows; none while the model runs.
    pub(super) fn ended(&self) -> Option<Result<Trim, Failure>> {
        match self.unit.outcome()? {
            FitOutcome::Failed(failure) => Some(Err(Failure::Trimming(Box::new(failure.clone())))),
            FitOutcome::Fitted(_) => self.unit.centred_fit().map(|(columns, fit)| {
                let propensity = FittedPropensity { columns: columns.clone(), alpha: fit.beta.clone() };
                Ok(Trim { propensity: Arc::new(propensity), bounds: self.bounds })
            }),
        }
    }
}
