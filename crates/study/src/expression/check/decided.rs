//! What is the same for every row: a mistake of who wrote it.

use std::ops::Range as Span;

use super::Checker;
use crate::dictionary::{Dictionary, Kind, Variable};
use crate::expression::constant::{self, Possible};
use crate::expression::syntax::Node;
use crate::expression::term::Term;

impl Checker<'_> {
    pub(super) fn decided_comparison(&mut self, holds: bool, sides: [&Term; 2], span: &Span<usize>) {
        let holds = holds != self.turned;
        let what = if holds { "always true unless something is missing" } else { "never true" };
        let columns = columns(&sides, self.dictionary);
        let ranges: Vec<String> = columns.iter().map(|v| format!("`{}` {}", v.name, extent(&v.kind))).collect();
        let why = if ranges.is_empty() { String::new() } else { format!(" ({})", ranges.join(", ")) };
        let steps = columns.iter().any(|v| step(&v.kind).is_some());
        let declared = if steps { "`range` and `resolution`" } else { "the `range`" };
        let presence = if holds { asks_presence(&columns) } else { String::new() };
        let piece = self.piece(span);
        self.mistake(span, format!("{piece} is {what}{why}; mend the number, or {declared} of the column{presence}"));
    }

    /// Is a comparison the same for all rows, but for what is missing?
    pub(super) fn asks_something(&mut self, term: &Term, span: &Span<usize>, before: usize) {
        if self.mistakes.len() > before || self.unknown {
            return;
        }
        let Some(possible) = constant::possible_inside(term, self.dictionary) else { return };
        if !possible.holds_beyond {
            self.same(false, term, span);
        } else if possible.asks_nothing() {
            self.always(term, span);
        }
    }

    pub(super) fn always(&mut self, term: &Term, span: &Span<usize>) {
        self.same(true, term, span);
    }

    /// The piece is true for every row, or for none; what is written may be its opposite.
    fn same(&mut self, holds: bool, term: &Term, span: &Span<usize>) {
        let piece = self.piece(span);
        if holds == self.turned {
            self.mistake(span, format!("{piece} is never true, whatever a row holds; mend it, or leave it out"));
            return;
        }
        let columns = columns(&[term], self.dictionary);
        let presence = asks_presence(&columns);
        self.mistake(
            span,
            format!("{piece} is always true unless something is missing; mend it, or leave it out{presence}"),
        );
    }

    /// Conditions joined by `AND` or `OR`, which must not decide one another.
    pub(super) fn joined(&mut self, node: &Node, parts: &[Node], all: bool) -> Term {
        let before = self.mistakes.len();
        let terms: Vec<Term> = parts.iter().map(|part| self.truth(part)).collect();
        let joined = if all { Term::All(terms) } else { Term::Any(terms) };
        if self.mistakes.len() > before || self.unknown {
            return joined;
        }
        let of = |term: &Term| constant::possible(term, self.dictionary);
        let alone: Option<Vec<Possible>> = joined.children().into_iter().map(of).collect();
        let (Some(whole), Some(alone)) = (of(&joined), alone) else { return joined };
        let span = node.span.clone();
        let piece = self.piece(&span);
        if all && !whole.holds && alone.iter().all(|part| part.holds) {
            self.mistake(&span, format!("{piece} is never true, as its parts exclude each other; was `OR` meant?"));
        }
        if !all && !whole.fails && alone.iter().all(|part| part.fails) {
            self.mistake(
                &span,
                format!("{piece} is never false, as one of its parts always holds; was `AND` meant? (`x IS NOT NULL` asks whether x is known)"),
            );
        }
        joined
    }

    /// Is the whole the same for every row?
    pub(super) fn decided(&mut self, node: &Node, term: &Term) {
        let Some(possible) = constant::possible(term, self.dictionary) else { return };
        let span = node.span.clone();
        let piece = self.piece(&span);
        if !possible.holds {
            let message = "is true for no row within the declared ranges and levels, so that nobody stays; mend it";
            self.mistake(&span, format!("{piece} {message}"));
        } else if !possible.fails && !possible.missing {
            self.mistake(
                &span,
                format!("{piece} is true for every row and leaves nobody out; mend it, or leave it out"),
            );
        } else if possible.asks_nothing() {
            self.always(term, &span);
        }
    }
}

/// The columns that terms read, each once.
pub(super) fn columns<'d>(terms: &[&Term], dictionary: &'d Dictionary) -> Vec<&'d Variable> {
    let mut found = Vec::new();
    for term in terms {
        term.visit_columns(&mut |id| found.push(id));
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|id| dictionary.variable(id)).collect()
}

/// The step of a grid that holds all values of a column.
fn step(kind: &Kind) -> Option<f64> {
    if let Kind::Continuous { resolution, rounded: false, .. } = kind { *resolution } else { None }
}

/// Is a number none that the column can have, as it lies between two steps of its grid?
pub(super) fn between_steps(kind: &Kind, x: f64) -> bool {
    step(kind).is_some_and(|step| {
        let steps = x / step;
        (steps - steps.round()).abs() > 1e-3
    })
}

/// What asks for presence alone, where that may be meant.
pub(super) fn asks_presence(columns: &[&Variable]) -> String {
    match columns {
        [one] => format!("; `{} IS NOT NULL` asks whether there is a value", one.name),
        [] => String::new(),
        _ => "; `x IS NOT NULL` asks whether x has a value".into(),
    }
}

/// What a column holds, in words.
pub(super) fn extent(kind: &Kind) -> String {
    match kind {
        Kind::Continuous { low, high, .. } => {
            let steps = step(kind).map_or_else(String::new, |step| format!(" in steps of {step}"));
            format!("goes from {low} to {high}{steps}")
        }
        Kind::Days { high } => format!("has whole days from 0 to {high}"),
        Kind::Categorical { .. } => "is 0 or 1".into(),
    }
}
