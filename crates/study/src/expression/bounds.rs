//! Between which values a checked term lies. A sum is looked at as a whole, so that what stands in it twice counts once:
//! `x - x` is 0, whatever x is.

use super::range::Range;
use super::syntax::{Arithmetic, Comparison};
use super::term::Term;
use crate::dictionary::Dictionary;

/// What numbers lose in a sum, as a share of its largest part: sums that differ by less may be equal, or not.
const LOST: f64 = 1e-9;

/// Of a term that is a number.
pub(super) fn of(term: &Term, dictionary: &Dictionary) -> Range {
    match term {
        Term::Constant(value) => Range::of(*value),
        Term::Column(id) => Range::of_kind(&dictionary.variable(*id).kind),
        Term::Negated(of_term) => of(of_term, dictionary).negated(),
        Term::Arithmetic(operator @ (Arithmetic::Plus | Arithmetic::Minus), a, b) => {
            let apart = of(a, dictionary).arithmetic(*operator, of(b, dictionary));
            apart.within(Sum::of(term).range(dictionary))
        }
        Term::Arithmetic(Arithmetic::Times, a, b) => {
            let range = of(a, dictionary);
            match Sum::of(b).times(&Sum::of(a)) {
                Some(times) => range.square().arithmetic(Arithmetic::Times, Range::of(times)),
                None => range.arithmetic(Arithmetic::Times, of(b, dictionary)),
            }
        }
        Term::Arithmetic(Arithmetic::By, a, b) => match Sum::of(a).times(&Sum::of(b)) {
            Some(times) => Range::of(times),
            None => of(a, dictionary).arithmetic(Arithmetic::By, of(b, dictionary)),
        },
        Term::Case(_, arms, otherwise) => {
            let values = arms.iter().map(|(_, then)| then).chain([&**otherwise]);
            known(values, dictionary).into_iter().reduce(Range::or).unwrap_or(Range::ALL)
        }
        Term::Call(function, arguments) => {
            Range::call(*function, &known(function.values(arguments).iter(), dictionary))
        }
        Term::Compare(..)
        | Term::Not(_)
        | Term::All(_)
        | Term::Any(_)
        | Term::Between(_)
        | Term::OneOf(..)
        | Term::IsMissing(_)
        | Term::Is(..) => Range::TRUTH,
    }
}

/// Is a comparison decided because the same stands on both of its sides, as in `x + 1 > x`?
pub(super) fn decides(a: &Term, comparison: Comparison, b: &Term, dictionary: &Dictionary) -> Option<bool> {
    let (left, right) = (Sum::of(a), Sum::of(b));
    let shared = left.parts.iter().any(|(term, _)| right.parts.iter().any(|(other, _)| other == term));
    let difference = left.plus(right.scaled(-1.0));
    let range = difference.range(dictionary);
    let range = if difference.parts.is_empty() { range } else { range.wider(LOST * difference.largest(dictionary)) };
    if shared { range.decides(comparison, Range::of(0.0)) } else { None }
}

/// The ranges of those that are not `NULL`.
fn known<'t>(terms: impl Iterator<Item = &'t Term>, dictionary: &Dictionary) -> Vec<Range> {
    terms.filter(|term| !matches!(term, Term::Constant(x) if x.is_nan())).map(|term| of(term, dictionary)).collect()
}

/// A number and multiples of terms that are no sums, each term once.
struct Sum<'t> {
    constant: f64,
    parts: Vec<(&'t Term, f64)>,
}

impl<'t> Sum<'t> {
    fn of(term: &'t Term) -> Sum<'t> {
        match term {
            Term::Constant(constant) => Sum { constant: *constant, parts: Vec::new() },
            Term::Negated(of) => Sum::of(of).scaled(-1.0),
            Term::Arithmetic(Arithmetic::Plus, a, b) => Sum::of(a).plus(Sum::of(b)),
            Term::Arithmetic(Arithmetic::Minus, a, b) => Sum::of(a).plus(Sum::of(b).scaled(-1.0)),
            Term::Arithmetic(operator @ (Arithmetic::Times | Arithmetic::By), a, b) => {
                let (left, right) = (Sum::of(a), Sum::of(b));
                match (operator, left.number(), right.number()) {
                    (Arithmetic::Times, Some(times), _) => right.scaled(times),
                    (Arithmetic::Times, None, Some(times)) => left.scaled(times),
                    (Arithmetic::By, _, Some(by)) if by != 0.0 => left.scaled(1.0 / by),
                    _ => Sum { constant: 0.0, parts: vec![(term, 1.0)] },
                }
            }
            other => Sum { constant: 0.0, parts: vec![(other, 1.0)] },
        }
    }

    /// Its value, where it is the same for every row.
    fn number(&self) -> Option<f64> {
        self.parts.is_empty().then_some(self.constant)
    }

    fn scaled(mut self, times: f64) -> Sum<'t> {
        self.constant *= times;
        self.parts.iter_mut().for_each(|(_, of)| *of *= times);
        self
    }

    /// Both together; what cancels but for lost digits is gone.
    fn plus(mut self, other: Sum<'t>) -> Sum<'t> {
        let sum = |a: f64, b: f64| if (a + b).abs() <= LOST * a.abs().max(b.abs()) { 0.0 } else { a + b };
        self.constant = sum(self.constant, other.constant);
        for (term, times) in other.parts {
            match self.parts.iter_mut().find(|(known, _)| *known == term) {
                Some((_, known)) => *known = sum(*known, times),
                None => self.parts.push((term, times)),
            }
        }
        self.parts.retain(|(_, times)| *times != 0.0);
        self
    }

    /// How many times another sum it is; none where they are no multiples, and for numbers.
    fn times(&self, other: &Sum<'_>) -> Option<f64> {
        let (first, of) = self.parts.first()?;
        let same = |term: &Term| other.parts.iter().find(|(known, _)| *known == term).map(|(_, times)| *times);
        let times = of / same(first)?;
        let fits = |a: f64, b: f64| (a - times * b).abs() <= LOST * a.abs();
        let all = self.parts.len() == other.parts.len() && fits(self.constant, other.constant);
        let all = all && self.parts.iter().all(|(term, of)| same(term).is_some_and(|other| fits(*of, other)));
        all.then_some(times)
    }

    fn range(&self, dictionary: &Dictionary) -> Range {
        let parts = self
            .parts
            .iter()
            .map(|(term, times)| of(term, dictionary).arithmetic(Arithmetic::Times, Range::of(*times)));
        parts.fold(Range::of(self.constant), |sum, part| sum.arithmetic(Arithmetic::Plus, part))
    }

    /// The largest number that is added.
    fn largest(&self, dictionary: &Dictionary) -> f64 {
        let ends = self.parts.iter().map(|(term, times)| (times * of(term, dictionary).farthest()).abs());
        ends.fold(self.constant.abs(), f64::max)
    }
}
