//! Between which numbers a value lies, to find comparisons that are decided before any row is read.

use super::function::Function;
use super::syntax::{Arithmetic, Comparison};
use crate::dictionary::Kind;

/// Smallest and largest value that a number can have, and whether it is always whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) whole: bool,
}

impl Range {
    pub(super) const TRUTH: Range = Range { low: 0.0, high: 1.0, whole: true };
    pub(super) const ALL: Range = Range { low: f64::NEG_INFINITY, high: f64::INFINITY, whole: false };

    pub(super) fn of(value: f64) -> Range {
        Range { low: value, high: value, whole: value.fract() == 0.0 }
    }

    /// Of a column, a little wider than declared: a criterion may say once more what the range says, and leave out with
    /// `age >= 18` or `age > 17` those whom a range from 18 on would refuse.
    pub(super) fn of_kind(kind: &Kind) -> Range {
        match kind {
            Kind::Continuous { low, high, resolution, rounded, .. } => {
                let more = (high - low) / 20.0;
                // a grid holds multiples of its step
                let whole = !rounded && resolution.is_some_and(|step| step.fract() == 0.0);
                Range { low: low - more, high: high + more, whole }
            }
            Kind::Days { high } => Range { low: -1.0, high: f64::from(*high) + 1.0, whole: true },
            Kind::Categorical { .. } => Range::TRUTH,
        }
    }

    /// Is it one number?
    pub(super) fn constant(self) -> Option<f64> {
        (self.low == self.high).then_some(self.low)
    }

    /// Can it stand for a truth?
    pub(super) fn is_truth(self) -> bool {
        self.whole && self.low >= 0.0 && self.high <= 1.0
    }

    pub(super) fn negated(self) -> Range {
        Range { low: -self.high, high: -self.low, whole: self.whole }
    }

    /// What a number of this range is when multiplied by itself.
    pub(super) fn square(self) -> Range {
        let ends = [self.low * self.low, self.high * self.high];
        let low = if self.low <= 0.0 && self.high >= 0.0 { 0.0 } else { ends[0].min(ends[1]) };
        Range { low, high: ends[0].max(ends[1]), whole: self.whole }
    }

    /// What lies in both, where something does.
    pub(super) fn within(self, other: Range) -> Range {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        if low <= high { Range { low, high, whole: self.whole || other.whole } } else { self }
    }

    pub(super) fn wider(self, by: f64) -> Range {
        Range { low: self.low - by, high: self.high + by, ..self }
    }

    /// The number that is farthest from 0.
    pub(super) fn farthest(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// Its numbers, where they are whole and at most so many.
    pub(super) fn wholes(self, most: usize) -> Option<Vec<f64>> {
        let (low, high) = (self.low.ceil(), self.high.floor());
        let few = self.whole && (0.0..most as f64).contains(&(high - low));
        few.then(|| (0..=(high - low) as usize).map(|n| low + n as f64).collect())
    }

    /// Both together.
    pub(super) fn or(self, other: Range) -> Range {
        Range { low: self.low.min(other.low), high: self.high.max(other.high), whole: self.whole && other.whole }
    }

    pub(super) fn arithmetic(self, operator: Arithmetic, other: Range) -> Range {
        let corners = |of: fn(f64, f64) -> f64| {
            let corners =
                [(self.low, other.low), (self.low, other.high), (self.high, other.low), (self.high, other.high)];
            Range::hull(&corners.map(|(a, b)| of(a, b)))
        };
        let whole = self.whole && other.whole && operator != Arithmetic::By;
        let found = match operator {
            Arithmetic::Plus => corners(|a, b| a + b),
            Arithmetic::Minus => corners(|a, b| a - b),
            Arithmetic::Times => corners(|a, b| a * b),
            Arithmetic::By if other.low <= 0.0 && other.high >= 0.0 => Range::ALL,
            Arithmetic::By => corners(|a, b| a / b),
        };
        Range { whole, ..found }
    }

    pub(super) fn call(function: Function, arguments: &[Range]) -> Range {
        let Some(&first) = arguments.first() else { return Range::ALL };
        let hull = |whole, values: &[f64]| Range { whole, ..Range::hull(values) };
        match function {
            Function::Abs if first.low <= 0.0 && first.high >= 0.0 => {
                Range { low: 0.0, high: first.high.max(-first.low), whole: first.whole }
            }
            Function::Abs => hull(first.whole, &[first.low.abs(), first.high.abs()]),
            Function::Round => {
                let decimals = arguments.get(1).map_or(0.0, |range| range.low);
                let ends = [first.low, first.high].map(|x| Function::Round.value(&[x, decimals]));
                hull(first.whole || decimals == 0.0, &ends)
            }
            Function::Floor => hull(true, &[first.low.floor(), first.high.floor()]),
            Function::Ceil => hull(true, &[first.low.ceil(), first.high.ceil()]),
            Function::Sqrt => Range { low: first.low.max(0.0).sqrt(), high: first.high.max(0.0).sqrt(), whole: false },
            Function::Sign => hull(true, &[first.low, first.high].map(|x| Function::Sign.value(&[x]))),
            Function::Min | Function::Max => {
                let ends = |end: fn(&Range) -> f64| function.value(&arguments.iter().map(end).collect::<Vec<f64>>());
                let whole = arguments.iter().all(|range| range.whole);
                Range { low: ends(|range| range.low), high: ends(|range| range.high), whole }
            }
            Function::Coalesce | Function::Nullif | Function::Iif => arguments.iter().copied().fold(first, Range::or),
        }
    }

    /// Is a comparison decided, whatever values there are?
    pub(super) fn decides(self, comparison: Comparison, other: Range) -> Option<bool> {
        let apart =
            self.high < other.low || other.high < self.low || self.between_wholes(other) || other.between_wholes(self);
        let same = self.constant().is_some() && self.constant() == other.constant();
        match comparison {
            Comparison::Equal if apart => Some(false),
            Comparison::Equal if same => Some(true),
            Comparison::Unequal if apart => Some(true),
            Comparison::Unequal if same => Some(false),
            Comparison::Less if self.high < other.low => Some(true),
            Comparison::Less if self.low >= other.high => Some(false),
            Comparison::AtMost if self.high <= other.low => Some(true),
            Comparison::AtMost if self.low > other.high => Some(false),
            Comparison::Equal | Comparison::Unequal | Comparison::Less | Comparison::AtMost => None,
            Comparison::More => other.decides(Comparison::Less, self),
            Comparison::AtLeast => other.decides(Comparison::AtMost, self),
        }
    }

    /// Is it one number that no whole number equals, beside a whole one?
    fn between_wholes(self, other: Range) -> bool {
        other.whole && self.constant().is_some_and(|x| x.fract() != 0.0)
    }

    fn hull(values: &[f64]) -> Range {
        if values.iter().any(|x| x.is_nan()) {
            return Range::ALL;
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Range { low, high, whole: false }
    }
}
