//! Types: numbers meet numbers, levels meet levels of their own column, and nothing is decided before a row is read.

mod call;
mod comparison;
mod decided;

use std::ops::Range as Span;
use std::rc::Rc;

use super::bounds;
use super::levels::{Levels, quoted};
use super::range::Range;
use super::syntax::{Arithmetic, Node, Syntax, shortened};
use super::term::Term;
use super::{ExpressionMistake, column};
use crate::dictionary::{Dictionary, Variable};
use crate::document::suggestion;

/// What a piece gives.
#[derive(Debug, Clone)]
enum Type {
    /// A number between two others; truth is 0 and 1.
    Number(Range),
    /// One of these levels.
    Levels(Rc<Levels>),
    /// A text that has not met the levels of which it is one.
    Text(String),
    /// `NULL`.
    Missing,
    /// Something is wrong with it already.
    Unknown,
}

/// A piece with its type.
struct Typed {
    term: Term,
    kind: Type,
    span: Span<usize>,
}

/// Checks a whole criterion; all mistakes come out together.
pub(super) fn criterion(
    text: &str,
    node: &Node,
    dictionary: &Dictionary,
    excused: &dyn Fn(&str) -> bool,
) -> Result<Term, Vec<ExpressionMistake>> {
    let mut checker = Checker { text, dictionary, excused, mistakes: Vec::new(), unknown: false, turned: false };
    let term = checker.truth(node);
    if checker.mistakes.is_empty() && !checker.unknown {
        checker.decided(node, &term);
    }
    if checker.mistakes.is_empty() { Ok(term) } else { Err(checker.mistakes) }
}

struct Checker<'a> {
    text: &'a str,
    dictionary: &'a Dictionary,
    excused: &'a dyn Fn(&str) -> bool,
    mistakes: Vec<ExpressionMistake>,
    /// Was something of an unknown type met? Then nothing is said of the whole.
    unknown: bool,
    /// Is the piece that is checked the opposite of what is written, which has the same words?
    turned: bool,
}

impl Checker<'_> {
    fn piece(&self, span: &Span<usize>) -> String {
        format!("`{}`", shortened(&self.text[span.clone()]))
    }

    fn mistake(&mut self, span: &Span<usize>, message: impl Into<String>) {
        self.mistakes.push(ExpressionMistake { at: span.start, message: message.into() });
    }

    /// Something is wrong, so that no more is said of what it is part of.
    fn wrong(&mut self, span: &Span<usize>, message: impl Into<String>) -> Typed {
        self.mistake(span, message);
        Typed { term: Term::Constant(f64::NAN), kind: Type::Unknown, span: span.clone() }
    }

    fn typed(&mut self, node: &Node) -> Typed {
        let before = self.mistakes.len();
        let typed = self.piece_by_piece(node);
        let calculates =
            matches!(node.syntax, Syntax::Negated(_) | Syntax::Arithmetic(..) | Syntax::Call(..) | Syntax::Case(..));
        // what is made of something wrong is not held against anything else
        if calculates && self.mistakes.len() > before { Typed { kind: Type::Unknown, ..typed } } else { typed }
    }

    fn piece_by_piece(&mut self, node: &Node) -> Typed {
        let span = node.span.clone();
        let number = |term, range| Typed { term, kind: Type::Number(range), span: span.clone() };
        match &node.syntax {
            Syntax::Number(x) => number(Term::Constant(*x), Range::of(*x)),
            Syntax::Truth(holds) => {
                let value = super::term::truth(*holds);
                number(Term::Constant(value), Range::of(value))
            }
            Syntax::Text(text) => Typed { term: Term::Constant(f64::NAN), kind: Type::Text(text.clone()), span },
            Syntax::Missing => Typed { term: Term::Constant(f64::NAN), kind: Type::Missing, span },
            Syntax::Column(name) => self.column(name, &span),
            Syntax::Negated(of) => {
                let (of, range) = self.number(of);
                match (&of, range.constant()) {
                    (Term::Constant(x), Some(_)) => number(Term::Constant(-x), range.negated()),
                    _ => number(Term::Negated(Box::new(of)), range.negated()),
                }
            }
            Syntax::Arithmetic(operator, a, b) => {
                let ((left, _), (right, of_right)) = (self.number(a), self.number(b));
                if *operator == Arithmetic::By && of_right.constant() == Some(0.0) {
                    return self
                        .wrong(&b.span, "divides by zero, which is missing for every row; write another divisor");
                }
                let term = Term::Arithmetic(*operator, Box::new(left), Box::new(right));
                let range = bounds::of(&term, self.dictionary);
                number(term, range)
            }
            Syntax::Not(of) => {
                // `x NOT IN (…)` and `x NOT BETWEEN y AND z` are one piece: what is said of it is said of the opposite
                self.turned = of.span == span;
                let term = self.truth(of);
                self.turned = false;
                number(Term::Not(Box::new(term)), Range::TRUTH)
            }
            Syntax::IsTruth(holds, of) => {
                number(Term::Is(super::term::truth(*holds), Box::new(self.truth(of))), Range::TRUTH)
            }
            Syntax::All(parts) => number(self.joined(node, parts, true), Range::TRUTH),
            Syntax::Any(parts) => number(self.joined(node, parts, false), Range::TRUTH),
            Syntax::IsMissing(of) => number(self.is_missing(of), Range::TRUTH),
            Syntax::Compare(comparison, a, b) => {
                let before = self.mistakes.len();
                let (a, b) = (self.typed(a), self.typed(b));
                let (left, right) = self.compared(*comparison, &a, &b, &span);
                let (left, right) = (left.unwrap_or(a.term), right.unwrap_or(b.term));
                let term = Term::Compare(*comparison, Box::new(left), Box::new(right));
                self.asks_something(&term, &span, before);
                number(term, Range::TRUTH)
            }
            Syntax::Between(parts) => {
                let (before, turned) = (self.mistakes.len(), std::mem::take(&mut self.turned));
                let term = self.between(parts, turned, &span);
                self.asks_something(&term, &span, before);
                number(term, Range::TRUTH)
            }
            Syntax::OneOf(of, list) => {
                let before = self.mistakes.len();
                let turned = std::mem::take(&mut self.turned);
                let term = self.one_of(of, list, turned, &span);
                self.asks_something(&term, &span, before);
                number(term, Range::TRUTH)
            }
            Syntax::Case(of, arms, otherwise) => self.case(of.as_deref(), arms, otherwise.as_deref(), &span),
            Syntax::Call(name, arguments) => self.call(name, arguments, &span),
        }
    }

    fn column(&mut self, name: &str, span: &Span<usize>) -> Typed {
        if let Some(id) = column(self.dictionary, name) {
            let variable = self.dictionary.variable(id);
            let kind = match Levels::of_column(variable) {
                Some(levels) => Type::Levels(levels),
                None => Type::Number(Range::of_kind(&variable.kind)),
            };
            return Typed { term: Term::Column(id), kind, span: span.clone() };
        }
        if (self.excused)(name) {
            self.unknown = true;
            return Typed { term: Term::Constant(f64::NAN), kind: Type::Unknown, span: span.clone() };
        }
        let variables = self.dictionary.variables();
        let has_level = |v: &&Variable| v.levels().iter().any(|level| level == name);
        let advice = match variables.iter().find(has_level) {
            Some(variable) => format!("the level of `{}` is written {} in single quotes", variable.name, quoted(name)),
            None => suggestion(name, variables.iter().map(|v| v.name.as_str())),
        };
        self.wrong(span, format!("`{name}` is not a declared [[variable]]; {advice}"))
    }

    /// A piece that has to be true or false.
    fn truth(&mut self, node: &Node) -> Term {
        let typed = self.typed(node);
        let piece = self.piece(&typed.span);
        match typed.kind {
            Type::Unknown => {}
            Type::Number(range) if range.is_truth() => {}
            Type::Number(_) => {
                self.mistake(
                    &typed.span,
                    format!(
                        "{piece} is a number and neither true nor false; compare it, such as `{} > 0`",
                        piece.trim_matches('`')
                    ),
                );
            }
            Type::Levels(levels) => {
                let first = levels.levels.first().map_or_else(String::new, |level| quoted(level));
                self.mistake(
                    &typed.span,
                    format!(
                        "{piece} is a level and neither true nor false; compare it, such as `{} = {first}`",
                        levels.of
                    ),
                );
            }
            Type::Text(_) => {
                self.mistake(
                    &typed.span,
                    format!("{piece} is a text and neither true nor false; compare a column with it"),
                );
            }
            Type::Missing => {
                self.mistake(&typed.span, "`NULL` is neither true nor false; write `x IS NULL` or `x IS NOT NULL`");
            }
        }
        typed.term
    }

    /// A piece that has to be a number.
    fn number(&mut self, node: &Node) -> (Term, Range) {
        let typed = self.typed(node);
        let piece = self.piece(&typed.span);
        match typed.kind {
            Type::Number(range) => return (typed.term, range),
            Type::Unknown => self.unknown = true,
            Type::Levels(levels) => {
                let advice = if levels.numeric() {
                    "declare it with kind = \"continuous\" and a `range`"
                } else {
                    "compare its levels, or turn them into numbers by `CASE`"
                };
                self.mistake(&typed.span, format!("{piece} is a level, with which nothing is calculated; {advice}"));
            }
            Type::Text(text) => {
                let advice = match text.trim().parse::<f64>() {
                    Ok(number) if number.is_finite() => format!("write `{number}` without quotation marks"),
                    _ => "write a number or a column of numbers".into(),
                };
                self.mistake(&typed.span, format!("{piece} is a text where a number is wanted; {advice}"));
            }
            Type::Missing => {
                self.mistake(&typed.span, "`NULL` makes all that is calculated with it missing; leave it out");
            }
        }
        let any = Range { low: f64::NEG_INFINITY, high: f64::INFINITY, whole: false };
        (typed.term, any)
    }

    fn is_missing(&mut self, of: &Node) -> Term {
        let typed = self.typed(of);
        if matches!(typed.kind, Type::Text(_) | Type::Missing)
            || matches!((&typed.term, &typed.kind), (Term::Constant(_), Type::Number(_)))
        {
            let piece = self.piece(&typed.span);
            self.mistake(&typed.span, format!("{piece} is the same for every row; name a column before `IS`"));
        }
        self.unknown |= matches!(typed.kind, Type::Unknown);
        Term::IsMissing(Box::new(typed.term))
    }
}
