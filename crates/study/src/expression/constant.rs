//! Conditions that are decided before a row is read: tried on one row of each kind that they tell apart.
//!
//! A condition that compares columns, or one that it picks of them, with numbers and levels tells apart only what lies below,
//! at and above these numbers, so that finitely many rows stand for all. Of conditions that compute with columns,
//! [`super::bounds`] decides the comparisons.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::function::Function;
use super::range::Range;
use super::term::Term;
use crate::dictionary::{Dictionary, Kind, VariableId};

/// Most pieces that are evaluated, over all rows; a condition that needs more is taken as it is. Any site checks any protocol
/// that it is offered, in a moment.
const PIECES: usize = 200_000;

/// Likewise of a comparison inside of a condition, of which there may be hundreds.
const PIECES_INSIDE: usize = 10_000;

/// What a condition can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one thing that some row can show")]
pub(super) struct Possible {
    /// True for a row within all declared ranges.
    pub(super) holds: bool,
    /// False, for a row a little beyond the ranges, too.
    pub(super) fails: bool,
    /// Missing, likewise.
    pub(super) missing: bool,
    /// True, for a row a little beyond the ranges, too.
    pub(super) holds_beyond: bool,
    /// Missing for a row in which no column is.
    pub(super) missing_of_known: bool,
}

impl Possible {
    /// Does it ask nothing but whether something is missing?
    pub(super) fn asks_nothing(self) -> bool {
        self.holds && !self.fails && !self.missing_of_known
    }
}

/// What a condition can be; none where it computes with columns or has too many kinds of rows.
pub(super) fn possible(term: &Term, dictionary: &Dictionary) -> Option<Possible> {
    tried(term, dictionary, PIECES)
}

/// The same for a comparison inside of a condition.
pub(super) fn possible_inside(term: &Term, dictionary: &Dictionary) -> Option<Possible> {
    tried(term, dictionary, PIECES_INSIDE)
}

fn tried(term: &Term, dictionary: &Dictionary, pieces: usize) -> Option<Possible> {
    let mut numbers = BTreeMap::new();
    if !compares_alone(term, &TRUTHS, &mut numbers) {
        return None;
    }
    let mut columns = Vec::new();
    for (id, numbers) in numbers {
        columns.push((id, kinds(&dictionary.variable(id).kind, &numbers)));
    }
    let rows = columns.iter().try_fold(1_usize, |rows, (_, values)| rows.checked_mul(values.len()))?;
    if rows.checked_mul(size(term))? > pieces {
        return None;
    }
    let mut found = Possible::default();
    for row in 0..rows {
        let (values, within) = nth(&columns, row);
        let value = term.value(&|id| values.get(&id).copied().unwrap_or(f64::NAN));
        found.missing |= value.is_nan();
        found.missing_of_known |= value.is_nan() && values.values().all(|x| !x.is_nan());
        found.fails |= value == 0.0;
        found.holds |= value == 1.0 && within;
        found.holds_beyond |= value == 1.0;
    }
    Some(found)
}

fn size(term: &Term) -> usize {
    1 + term.children().into_iter().map(size).sum::<usize>()
}

/// A value that stands for others, and whether it is inside of the declared range.
type Representative = (f64, bool);

fn nth(columns: &[(VariableId, Vec<Representative>)], row: usize) -> (BTreeMap<VariableId, f64>, bool) {
    let rest = RefCell::new(row);
    let picked = columns.iter().map(|(id, values)| {
        let mut rest = rest.borrow_mut();
        let (value, within) = values[*rest % values.len()];
        *rest /= values.len();
        (*id, value, within)
    });
    picked.fold((BTreeMap::new(), true), |(mut values, all), (id, value, within)| {
        values.insert(id, value);
        (values, all && within)
    })
}

/// What a truth is held against.
const TRUTHS: [f64; 2] = [0.0, 1.0];

/// Does it do nothing with columns but hold them, or what it picks of them, against constants? Gathers these for each column,
/// and `against`, which is what its own value is held against.
fn compares_alone(term: &Term, against: &[f64], numbers: &mut BTreeMap<VariableId, Vec<f64>>) -> bool {
    let mut holds = |of: &Term, against: &[&Term]| {
        let against: Option<Vec<f64>> = against.iter().map(|term| constant(term)).collect();
        against.is_some_and(|against| compares_alone(of, &against, numbers))
    };
    match term {
        Term::Constant(_) => true,
        Term::Column(id) => {
            numbers.entry(*id).or_default().extend(against);
            true
        }
        Term::Compare(_, a, b) if constant(a).is_some() => holds(b, &[&**a]),
        Term::Compare(_, a, b) => holds(a, &[&**b]),
        Term::Between(parts) => holds(&parts[0], &[&parts[1], &parts[2]]),
        Term::OneOf(of, list) => holds(of, &list.iter().collect::<Vec<_>>()),
        Term::IsMissing(of) => compares_alone(of, &[], numbers),
        Term::Not(_) | Term::All(_) | Term::Any(_) | Term::Is(..) => {
            term.children().into_iter().all(|child| compares_alone(child, &TRUTHS, numbers))
        }
        Term::Negated(of) => compares_alone(of, &negated(against), numbers),
        Term::Case(of, arms, otherwise) => {
            let whens: Vec<&Term> = arms.iter().map(|(when, _)| when).collect();
            let picks = match of {
                Some(of) => holds(of, &whens),
                None => whens.iter().all(|when| compares_alone(when, &TRUTHS, numbers)),
            };
            let mut values = arms.iter().map(|(_, then)| then).chain([&**otherwise]);
            picks && values.all(|value| compares_alone(value, against, numbers))
        }
        Term::Call(Function::Iif, parts) => {
            let (conditions, values) = parts.split_at(1);
            conditions.iter().all(|condition| compares_alone(condition, &TRUTHS, numbers))
                && values.iter().all(|value| compares_alone(value, against, numbers))
        }
        Term::Call(Function::Nullif, parts) => {
            let without = constant(&parts[1]);
            without.is_some_and(|without| compares_alone(&parts[0], &[against, &[without]].concat(), numbers))
        }
        Term::Call(Function::Abs, parts) => compares_alone(&parts[0], &[against, &negated(against)].concat(), numbers),
        Term::Call(Function::Sign, parts) => compares_alone(&parts[0], &[0.0], numbers),
        Term::Call(Function::Coalesce | Function::Min | Function::Max, parts) => {
            parts.iter().all(|part| compares_alone(part, against, numbers))
        }
        Term::Arithmetic(..) | Term::Call(Function::Round | Function::Floor | Function::Ceil | Function::Sqrt, _) => {
            false
        }
    }
}

fn constant(term: &Term) -> Option<f64> {
    if let Term::Constant(value) = term { Some(*value) } else { None }
}

fn negated(numbers: &[f64]) -> Vec<f64> {
    numbers.iter().map(|x| -x).collect()
}

/// One value of each kind that these numbers tell apart, and missing.
fn kinds(kind: &Kind, numbers: &[f64]) -> Vec<Representative> {
    let missing = (f64::NAN, true);
    if let Kind::Categorical { levels, .. } = kind {
        let levels = (0..levels.len()).map(|level| level as f64);
        let (named, others): (Vec<f64>, Vec<f64>) = levels.partition(|level| numbers.contains(level));
        return named
            .into_iter()
            .chain(others.into_iter().take(1))
            .map(|level| (level, true))
            .chain([missing])
            .collect();
    }
    let (inner, whole) = match kind {
        Kind::Continuous { low, high, .. } => ((*low, *high), false),
        Kind::Days { high } => ((0.0, f64::from(*high)), true),
        Kind::Categorical { .. } => ((0.0, 1.0), true),
    };
    if numbers.is_empty() {
        return vec![(inner.0, true), missing];
    }
    let outer = Range::of_kind(kind);
    let mut points = vec![inner.0, inner.1, outer.low, outer.high];
    for x in numbers {
        // the neighbours of a number among whole ones, which a fraction has, too
        let near = if whole { [x.ceil() - 1.0, *x, x.floor() + 1.0] } else { [*x; 3] };
        points.extend(near.into_iter().filter(|x| !whole || x.fract() == 0.0));
    }
    points.retain(|x| x.is_finite());
    points.sort_by(f64::total_cmp);
    points.dedup();
    if !whole {
        let between: Vec<f64> = points.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect();
        points.extend(between);
    }
    let within = |x: f64| (inner.0..=inner.1).contains(&x);
    let kept = points.into_iter().filter(|x| (outer.low..=outer.high).contains(x));
    kept.map(|x| (x, within(x))).chain([missing]).collect()
}
