//! The columns of a model, which are not always those of the protocol.
//!
//! What they are measured in and which of them nobody has follows from counts that are sealed: the layout says it. Which
//! columns the others determine is read off the information at coefficients of 0, as the sites do; the layout says why the
//! column carries nothing, and the same reasons stand in the release.

use std::sync::Arc;

use stats::alias::aliased;

use super::Model;
use super::follow::Followed;
use crate::plan::{FitKey, LeftOut, Reason, combination};
use crate::term::{Term, power_of_two};
use crate::view::Column;

impl Model {
    pub(super) fn new(analysis: usize, key: FitKey) -> Model {
        let (declared, followed) = (key.terms.clone(), Followed::new(&key));
        Model { analysis, key, declared, columns: None, followed }
    }

    /// What each column that it has is measured in.
    pub(super) fn units(&self) -> Vec<f64> {
        let unit = |column: &Column| match column {
            Column::Kept { unit } => Some(*unit),
            Column::LeftOut(_) => None,
        };
        self.columns.iter().flat_map(|columns| columns.iter().filter_map(unit)).collect()
    }

    /// Takes the columns that a sum is of: those of the sums before, or fewer, with which the model begins again. Gives
    /// whether the model can have these.
    pub(super) fn take_columns(&mut self, columns: &Arc<[Column]>) -> bool {
        if self.columns.as_ref() == Some(columns) {
            return true;
        }
        let fitting = columns.len() == self.declared.len()
            && self.declared.iter().zip(columns.iter()).all(|(term, column)| is_possible(term, *column));
        let left_out = fitting.then(|| match self.columns.clone() {
            None => self.without_counted(columns),
            Some(before) => self.without_aliased(&before, columns),
        });
        let Some(left_out) = left_out.flatten() else { return false };
        let kept = self.declared.iter().zip(columns.iter());
        let kept = kept.filter(|(_, column)| matches!(column, Column::Kept { .. }));
        self.key.terms = kept.map(|(term, _)| term.clone()).collect();
        self.key.left_out.extend(left_out);
        self.columns = Some(Arc::clone(columns));
        self.followed = Followed::new(&self.key);
        true
    }

    /// Before its first sum: what the counts of the first round leave out.
    fn without_counted(&self, columns: &[Column]) -> Option<Vec<LeftOut>> {
        let mut left_out = Vec::new();
        for (term, column) in self.declared.iter().zip(columns) {
            match column {
                Column::Kept { .. } => {}
                Column::LeftOut(Reason::Uninformative | Reason::Dependent) => return None,
                Column::LeftOut(why) => left_out.push(LeftOut::told(term.clone(), *why, Vec::new())),
            }
        }
        Some(left_out)
    }

    /// After its first sums: what these leave out.
    fn without_aliased(&self, before: &[Column], columns: &[Column]) -> Option<Vec<LeftOut>> {
        let (terms, unit) = (&self.key.terms, self.units());
        // in their units the columns of numbers have SDs from 1 to 2, and those of 0 and 1 are no matter of scale
        let scale = vec![1.0; terms.len()];
        let mut found = aliased(self.followed.first()?, &scale).into_iter();
        let mut left_out = Vec::new();
        for ((term, before), column) in self.declared.iter().zip(before).zip(columns) {
            match (before, column) {
                (before, column) if before == column => {}
                (Column::Kept { .. }, Column::LeftOut(why)) => {
                    let alias = found.next().filter(|alias| terms[alias.column] == *term)?;
                    left_out.push(LeftOut::told(term.clone(), *why, combination(terms, &scale, &unit, &alias)));
                }
                _ => return None,
            }
        }
        found.next().is_none().then_some(left_out)
    }
}

fn is_possible(term: &Term, column: Column) -> bool {
    match column {
        Column::Kept { unit } if term.is_number() => power_of_two(unit).to_bits() == unit.to_bits(),
        Column::Kept { unit } => unit.to_bits() == 1f64.to_bits(),
        Column::LeftOut(_) => !matches!(term, Term::Intercept | Term::Treatment),
    }
}
