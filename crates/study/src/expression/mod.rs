//! The language of criteria: one typed expression over the data dictionary, true, false or missing for a row.
//!
//! A text is split into lexemes, parsed with positions, and checked against the dictionary: every column exists, numbers meet
//! numbers, levels meet levels of their own variable, and no part of it is true or false whatever a row holds. What passes is
//! an [`Expression`], which every site can evaluate on any row: nothing is left that could fail there.
//!
//! All values are `f64` after the check: numbers as they are, levels by their place in the dictionary, truth as 0 and 1, and
//! not-a-number for missing. Logic has three values: what is not known because something is missing is missing, and a row
//! stays only when its criterion is true.

mod bounds;
mod check;
mod constant;
mod function;
mod levels;
mod lexer;
mod range;
mod syntax;
mod term;

use crate::dictionary::{Dictionary, VariableId};
use term::Term;

/// Longest text of an expression, in bytes.
const LONGEST: usize = 10_000;

/// A checked expression that is true, false or missing for each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    term: Term,
}

/// One thing wrong with the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionMistake {
    /// Byte of the text at which it begins.
    pub at: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl ExpressionMistake {
    /// The mistake with its place in the text, as a person counts.
    pub fn placed(&self, text: &str) -> String {
        let before = &text[..self.at];
        let line = before.rsplit('\n').next().unwrap_or(before);
        let character = line.chars().count() + 1;
        match before.bytes().filter(|b| *b == b'\n').count() {
            0 if !text.contains('\n') => format!("at character {character}: {}", self.message),
            lines => format!("at line {} of the text, character {character}: {}", lines + 1, self.message),
        }
    }
}

impl Expression {
    /// Parses a text and checks it against a dictionary. Of names for which `excused` says so nothing is said: their
    /// declaration has mistakes of its own.
    pub fn parse(
        text: &str,
        dictionary: &Dictionary,
        excused: &dyn Fn(&str) -> bool,
    ) -> Result<Expression, Vec<ExpressionMistake>> {
        if text.len() > LONGEST {
            let message = format!("{} bytes are too long, at most {LONGEST}; cut it into several criteria", text.len());
            return Err(vec![ExpressionMistake { at: 0, message }]);
        }
        let declared = |name: &str| column(dictionary, name).is_some() || excused(name);
        let node = lexer::lexemes(text).and_then(|lexemes| syntax::parse(text, &lexemes, &declared));
        let node = node.map_err(|mistake| vec![mistake])?;
        check::criterion(text, &node, dictionary, excused).map(|term| Expression { term })
    }

    /// The variables that it reads, each once, in the order of the dictionary.
    pub fn variables(&self) -> Vec<VariableId> {
        let mut found = Vec::new();
        self.term.visit_columns(&mut |id| found.push(id));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Is it true for a row? `value` gives the row's values: a number or days, the place of a level, not-a-number for missing.
    pub fn holds(&self, value: &impl Fn(VariableId) -> f64) -> bool {
        self.term.value(value) == 1.0
    }
}

/// The variable of a name; case does not count, as no two names differ in case alone.
fn column(dictionary: &Dictionary, name: &str) -> Option<VariableId> {
    dictionary.variables().iter().position(|v| v.name.eq_ignore_ascii_case(name)).map(VariableId)
}
