//! A checked expression as it is evaluated: every value is an `f64`, not-a-number where it is missing.

use super::function::Function;
use super::syntax::{Arithmetic, Comparison};
use crate::dictionary::VariableId;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// A number, the place of a level, a truth; not-a-number is missing.
    Constant(f64),
    Column(VariableId),
    Negated(Box<Term>),
    Arithmetic(Arithmetic, Box<Term>, Box<Term>),
    Compare(Comparison, Box<Term>, Box<Term>),
    Not(Box<Term>),
    All(Vec<Term>),
    Any(Vec<Term>),
    Between(Box<[Term; 3]>),
    OneOf(Box<Term>, Vec<Term>),
    IsMissing(Box<Term>),
    Is(f64, Box<Term>),
    Case(Option<Box<Term>>, Vec<(Term, Term)>, Box<Term>),
    Call(Function, Vec<Term>),
}

impl Term {
    /// Its value for a row.
    pub(super) fn value<V: Fn(VariableId) -> f64>(&self, row: &V) -> f64 {
        match self {
            Term::Constant(value) => *value,
            Term::Column(id) => row(*id),
            Term::Negated(of) => -of.value(row),
            Term::Arithmetic(operator, a, b) => arithmetic(*operator, a.value(row), b.value(row)),
            Term::Compare(comparison, a, b) => compare(*comparison, a.value(row), b.value(row)),
            Term::Not(of) => 1.0 - of.value(row),
            Term::All(parts) => joined(parts, row, 0.0),
            Term::Any(parts) => joined(parts, row, 1.0),
            Term::Between(parts) => {
                let [of, low, high] = &**parts;
                let of = of.value(row);
                let ends = [
                    compare(Comparison::AtLeast, of, low.value(row)),
                    compare(Comparison::AtMost, of, high.value(row)),
                ];
                decided(ends, 0.0)
            }
            Term::OneOf(of, list) => {
                let of = of.value(row);
                decided(list.iter().map(|item| compare(Comparison::Equal, of, item.value(row))), 1.0)
            }
            Term::IsMissing(of) => truth(of.value(row).is_nan()),
            Term::Is(value, of) => truth(Comparison::Equal.holds(of.value(row), *value)),
            Term::Case(of, arms, otherwise) => {
                let of = of.as_ref().map(|of| of.value(row));
                let holds = |when: &Term| {
                    let when = when.value(row);
                    of.map_or(when, |of| compare(Comparison::Equal, of, when)) == 1.0
                };
                let then = arms.iter().find(|(when, _)| holds(when)).map_or(&**otherwise, |(_, then)| then);
                then.value(row)
            }
            Term::Call(function, arguments) => call(*function, arguments, row),
        }
    }

    /// Visits every column that it reads.
    pub(super) fn visit_columns(&self, visit: &mut impl FnMut(VariableId)) {
        if let Term::Column(id) = self {
            visit(*id);
        }
        for child in self.children() {
            child.visit_columns(visit);
        }
    }

    /// The terms that it is made of.
    pub(super) fn children(&self) -> Vec<&Term> {
        match self {
            Term::Constant(_) | Term::Column(_) => Vec::new(),
            Term::Negated(of) | Term::Not(of) | Term::IsMissing(of) | Term::Is(_, of) => vec![of],
            Term::Arithmetic(_, a, b) | Term::Compare(_, a, b) => vec![a, b],
            Term::All(parts) | Term::Any(parts) | Term::Call(_, parts) => parts.iter().collect(),
            Term::Between(parts) => parts.iter().collect(),
            Term::OneOf(of, list) => list.iter().chain([&**of]).collect(),
            Term::Case(of, arms, otherwise) => {
                let arms = arms.iter().flat_map(|(when, then)| [when, then]);
                arms.chain(of.as_deref()).chain([&**otherwise]).collect()
            }
        }
    }
}

pub(super) fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

/// Missing when one side is.
fn compare(comparison: Comparison, a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { truth(comparison.holds(a, b)) }
}

/// Division is exact, and by zero missing, as is what no number can hold.
pub(super) fn arithmetic(operator: Arithmetic, a: f64, b: f64) -> f64 {
    finite(match operator {
        Arithmetic::Plus => a + b,
        Arithmetic::Minus => a - b,
        Arithmetic::Times => a * b,
        Arithmetic::By => a / b,
    })
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

fn joined<V: Fn(VariableId) -> f64>(parts: &[Term], row: &V, decides: f64) -> f64 {
    decided(parts.iter().map(|part| part.value(row)), decides)
}

/// `decides` where one part has that value, else missing where one is missing, else the other truth.
fn decided(parts: impl IntoIterator<Item = f64>, decides: f64) -> f64 {
    let mut found = 1.0 - decides;
    for part in parts {
        if Comparison::Equal.holds(part, decides) {
            return decides;
        }
        if part.is_nan() {
            found = part;
        }
    }
    found
}

fn call<V: Fn(VariableId) -> f64>(function: Function, arguments: &[Term], row: &V) -> f64 {
    match (function, arguments) {
        (Function::Coalesce, arguments) => {
            arguments.iter().map(|argument| argument.value(row)).find(|value| !value.is_nan()).unwrap_or(f64::NAN)
        }
        (Function::Nullif, [a, b]) => {
            let a = a.value(row);
            if compare(Comparison::Equal, a, b.value(row)) == 1.0 { f64::NAN } else { a }
        }
        (Function::Iif, [condition, yes, no]) => {
            if condition.value(row) == 1.0 {
                yes.value(row)
            } else {
                no.value(row)
            }
        }
        (function, arguments) => {
            let values: Vec<f64> = arguments.iter().map(|argument| argument.value(row)).collect();
            finite(function.value(&values))
        }
    }
}
