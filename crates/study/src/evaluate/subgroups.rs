//! Rows and events by arm and level of an effect modifier.

use super::{Rows, Sums};
use crate::cohort::{Column, MISSING_LEVEL};
use crate::dictionary::VariableId;
use crate::protocol::OutcomeKind;
use crate::question::events;

impl Rows<'_> {
    /// These are the rows with a value of the outcome; those without one of the modifier are in no level.
    pub(super) fn subgroups(&self, outcome: usize, variable: VariableId, sums: &mut Sums) {
        let levels = self.protocol.dictionary.variable(variable).levels().len();
        let width = 1 + events(self.protocol, outcome);
        let Column::Levels(column) = self.cohort.column(variable) else { return sums.refuse() };
        let causes = self.event_of_rows(outcome);
        for ((treated, level), cause) in self.cohort.treated.iter().zip(column).zip(causes) {
            if *level != MISSING_LEVEL {
                let place = width * (usize::from(*treated) * levels + usize::from(*level));
                sums.count(place, 1);
                if cause > 0 {
                    sums.count(place + usize::from(cause), 1);
                }
            }
        }
    }

    /// By which event each row leaves, from 1; 0 is none.
    fn event_of_rows(&self, outcome: usize) -> Vec<u8> {
        match &self.protocol.outcomes[outcome].kind {
            OutcomeKind::Binary { variable } => match self.cohort.column(*variable) {
                Column::Levels(values) => values.iter().map(|value| u8::from(*value == 1)).collect(),
                Column::Numbers(_) | Column::Days(_) => Vec::new(),
            },
            OutcomeKind::TimeToEvent(_) => self.exits(outcome).1.into_iter().map(u8::from).collect(),
            OutcomeKind::Competing(_) => self.exits_by_cause(outcome).1,
        }
    }
}
