//! The levels that a text can name, and what to write where it names none.

use std::rc::Rc;

use super::syntax::Comparison;
use crate::dictionary::{Kind, Variable};
use crate::document::nearest;

/// Most levels that a message lists.
const LISTED: usize = 24;

/// The levels of a column, or those that an expression makes up.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_field_names, reason = "levels and labels are the dictionary's words")]
pub(super) struct Levels {
    /// What has them, as a message says it.
    pub(super) of: String,
    pub(super) levels: Vec<String>,
    labels: Vec<String>,
}

impl Levels {
    pub(super) fn of_column(variable: &Variable) -> Option<Rc<Levels>> {
        let Kind::Categorical { levels, labels, binary: false } = &variable.kind else { return None };
        Some(Rc::new(Levels { of: variable.name.clone(), levels: levels.clone(), labels: labels.clone() }))
    }

    /// The texts of an expression's own, each once.
    pub(super) fn made_up<'t>(texts: impl Iterator<Item = &'t str>, of: &str) -> Rc<Levels> {
        let mut levels: Vec<String> = Vec::new();
        for text in texts {
            if !levels.iter().any(|level| level == text) {
                levels.push(text.to_owned());
            }
        }
        Rc::new(Levels { of: of.to_owned(), labels: levels.clone(), levels })
    }

    /// The place of a level, or what is wrong.
    pub(super) fn find(&self, text: &str) -> Result<f64, String> {
        if let Some(at) = self.levels.iter().position(|level| level == text) {
            return Ok(at as f64);
        }
        let labelled = self.labels.iter().position(|label| label == text).and_then(|at| self.levels.get(at));
        let number = || text.parse::<f64>().ok();
        let same = self.levels.iter().find(|level| number().is_some() && level.parse().ok() == number());
        let near = labelled.or(same).map(String::as_str);
        let near = near.or_else(|| nearest(text, self.levels.iter().map(String::as_str)));
        let hint =
            near.map_or_else(|| "write one of these".to_owned(), |near| format!("did you mean {}?", quoted(near)));
        Err(format!("{} is not a level of `{}` (levels: {}); {hint}", quoted(text), self.of, self.listed()))
    }

    fn listed(&self) -> String {
        match self.levels.len() {
            n if n > LISTED => format!("{} and {} more", self.levels[..LISTED].join(", "), n - LISTED),
            _ => self.levels.join(", "),
        }
    }

    /// What to write in place of an order: the levels that a number or another level leaves, as a list.
    pub(super) fn in_place_of(&self, comparison: Comparison, number: Option<f64>, text: Option<&str>) -> String {
        let number = number.or_else(|| text.and_then(|text| text.parse().ok()));
        let numbers: Vec<Option<f64>> = self.levels.iter().map(|level| level.parse().ok()).collect();
        let numeric = numbers.iter().any(Option::is_some);
        let place = text.and_then(|text| self.levels.iter().position(|level| level == text));
        let meant = |at: usize| match (number, numeric, place) {
            (Some(number), true, _) => numbers[at].is_some_and(|level| comparison.holds(level, number)),
            (_, _, Some(place)) => comparison.holds(at as f64, place as f64),
            _ => at > 0,
        };
        let meant: Vec<String> =
            self.levels.iter().enumerate().filter(|(at, _)| meant(*at)).map(|(_, level)| quoted(level)).collect();
        let shown = match meant.len() {
            0 => "'…', '…'".to_owned(),
            n if n > LISTED => format!("{}, …", meant[..LISTED].join(", ")),
            _ => meant.join(", "),
        };
        format!("`{} IN ({shown})`", self.of)
    }

    /// Are all of its levels numbers?
    pub(super) fn numeric(&self) -> bool {
        self.levels.iter().all(|level| level.parse::<f64>().is_ok())
    }
}

/// A level as it is written.
pub(super) fn quoted(level: &str) -> String {
    format!("'{}'", level.replace('\'', "''"))
}
