//! Functions and `CASE`, whose values have one type.

use std::ops::Range as Span;
use std::rc::Rc;

use super::{Checker, Type, Typed};
use crate::expression::function::{self, Function};
use crate::expression::levels::Levels;
use crate::expression::range::Range;
use crate::expression::syntax::{Comparison, Node};
use crate::expression::term::Term;

impl Checker<'_> {
    pub(super) fn case(
        &mut self,
        of: Option<&Node>,
        arms: &[(Node, Node)],
        otherwise: Option<&Node>,
        span: &Span<usize>,
    ) -> Typed {
        let value = of.map(|of| self.typed(of));
        let mut whens = Vec::new();
        for (when, _) in arms {
            whens.push(match &value {
                None => self.truth(when),
                Some(value) => {
                    let right = self.typed(when);
                    self.compared(Comparison::Equal, value, &right, &when.span).1.unwrap_or(right.term)
                }
            });
        }
        let mut values: Vec<Typed> = arms.iter().map(|(_, then)| self.typed(then)).collect();
        values.extend(otherwise.map(|otherwise| self.typed(otherwise)));
        let (mut terms, kind) = self.unified(values, span);
        let rest = if otherwise.is_some() { terms.pop() } else { None };
        let arms = whens.into_iter().zip(terms).collect();
        let rest = Box::new(rest.unwrap_or(Term::Constant(f64::NAN)));
        Typed { term: Term::Case(value.map(|value| Box::new(value.term)), arms, rest), kind, span: span.clone() }
    }

    /// Values of which one is taken, as terms of one type.
    pub(super) fn unified(&mut self, values: Vec<Typed>, span: &Span<usize>) -> (Vec<Term>, Type) {
        let unknown = values.iter().any(|value| matches!(value.kind, Type::Unknown));
        let ranges: Vec<Range> =
            values.iter().filter_map(|v| if let Type::Number(range) = v.kind { Some(range) } else { None }).collect();
        let of_levels: Vec<Rc<Levels>> = values
            .iter()
            .filter_map(|v| if let Type::Levels(levels) = &v.kind { Some(Rc::clone(levels)) } else { None })
            .collect();
        let texts: Vec<&str> = values
            .iter()
            .filter_map(|v| if let Type::Text(text) = &v.kind { Some(text.as_str()) } else { None })
            .collect();
        let levels = of_levels.first().cloned();
        let levels = levels.or_else(|| {
            (!texts.is_empty()).then(|| Levels::made_up(texts.into_iter(), &self.piece(span).replace('`', "")))
        });
        let mixed = !ranges.is_empty() && levels.is_some();
        let different = of_levels.iter().any(|other| levels.as_ref().is_some_and(|l| l.levels != other.levels));
        let message = match () {
            () if unknown => None,
            () if mixed => Some("gives a number for some rows and a text for others; give one of the two"),
            () if different => Some("gives levels of different columns; declare the same `levels` in the same order"),
            () if ranges.is_empty() && levels.is_none() => Some("is missing for every row; give a value"),
            () => None,
        };
        if let Some(message) = message {
            let piece = self.piece(span);
            self.mistake(span, format!("{piece} {message}"));
        }
        if unknown || message.is_some() {
            self.unknown = true;
            return (values.into_iter().map(|value| value.term).collect(), Type::Unknown);
        }
        let mut terms = Vec::new();
        for value in values {
            terms.push(match (&value.kind, &levels) {
                (Type::Text(text), Some(levels)) => match levels.find(text) {
                    Ok(level) => Term::Constant(level),
                    Err(message) => self.wrong(&value.span, message).term,
                },
                _ => value.term,
            });
        }
        let kind = match levels {
            Some(levels) => Type::Levels(levels),
            None => Type::Number(ranges.iter().copied().reduce(Range::or).unwrap_or(Range::TRUTH)),
        };
        (terms, kind)
    }

    pub(super) fn call(&mut self, name: &str, arguments: &[Node], span: &Span<usize>) -> Typed {
        let Some(function) = Function::find(name) else {
            return self.wrong(span, format!("`{name}` is no function of the language; {}", function::advice(name)));
        };
        let (count, words) = function.arguments();
        if !count.contains(&arguments.len()) {
            return self
                .wrong(span, format!("`{name}` takes {words}, and {} stand here; mend the call", arguments.len()));
        }
        match (function, arguments) {
            (Function::Iif, [condition, yes, no]) => {
                let condition = self.truth(condition);
                let values = vec![self.typed(yes), self.typed(no)];
                let (mut terms, kind) = self.unified(values, span);
                terms.insert(0, condition);
                Typed { term: Term::Call(function, terms), kind, span: span.clone() }
            }
            (Function::Nullif, [a, b]) => {
                let (left, right) = (self.typed(a), self.typed(b));
                let kind = left.kind.clone();
                let (replaced, other) = self.compared(Comparison::Equal, &left, &right, span);
                let terms = vec![replaced.unwrap_or(left.term), other.unwrap_or(right.term)];
                Typed { term: Term::Call(function, terms), kind, span: span.clone() }
            }
            (Function::Coalesce, arguments) => {
                let values: Vec<Typed> = arguments.iter().map(|argument| self.typed(argument)).collect();
                if let Some(value) = values.iter().find(|value| matches!(value.kind, Type::Missing)) {
                    let span = value.span.clone();
                    self.mistake(&span, "`NULL` stands for no value; leave it out");
                }
                let (terms, kind) = self.unified(values, span);
                Typed { term: Term::Call(function, terms), kind, span: span.clone() }
            }
            (function, arguments) => {
                let (terms, ranges): (Vec<Term>, Vec<Range>) =
                    arguments.iter().map(|argument| self.number(argument)).unzip();
                if let (Function::Round, Some(decimals), Some(node)) = (function, terms.get(1), arguments.get(1))
                    && !matches!(decimals, Term::Constant(x) if x.fract() == 0.0 && (0.0..=9.0).contains(x))
                {
                    return self.wrong(
                        &node.span,
                        "the decimals of `round` are a whole number from 0 to 9; such as `round(x, 1)`",
                    );
                }
                let range = Range::call(function, &ranges);
                Typed { term: Term::Call(function, terms), kind: Type::Number(range), span: span.clone() }
            }
        }
    }
}
