//! Conditions that are decided before a row is read: tried on one row of each kind that they tell apart.
//!
//! A condition that compares columns with numbers and levels tells apart only what lies below, at and above these numbers, so
//! that finitely many rows stand for all. Of conditions that compute with columns, [`super::range`] decides the comparisons.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::range::Range;
use super::term::Term;
use crate::dictionary::{Dictionary, Kind, VariableId};

/// Most pieces that are evaluated, over all rows; a condition that needs more is taken as it is. Any site checks any protocol
/// that it is offered, in a moment.
const PIECES: usize = 200_000;

/// What a condition can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Possible {
    /// True for a row within all declared ranges.
    pub(super) holds: bool,
    /// False, for a row a little beyond the ranges, too.
    pub(super) fails: bool,
    /// Missing, likewise.
    pub(super) missing: bool,
}

/// What a condition can be; none where it computes with columns or has too many kinds of rows.
pub(super) fn possible(term: &Term, dictionary: &Dictionary) -> Option<Possible> {
    let mut numbers = BTreeMap::new();
    if !compares_alone(term, &mut numbers) {
        return None;
    }
    let mut columns = Vec::new();
    for (id, numbers) in numbers {
        columns.push((id, kinds(&dictionary.variable(id).kind, &numbers)));
    }
    let rows = columns.iter().try_fold(1_usize, |rows, (_, values)| rows.checked_mul(values.len()))?;
    if rows.checked_mul(size(term))? > PIECES {
        return None;
    }
    let mut found = Possible::default();
    for row in 0..rows {
        let (values, within) = nth(&columns, row);
        let value = term.value(&|id| values.get(&id).copied().unwrap_or(f64::NAN));
        found.missing |= value.is_nan();
        found.fails |= value == 0.0;
        found.holds |= value == 1.0 && within;
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

/// Does it do nothing with columns but hold them against constants? Gathers these for each column.
fn compares_alone(term: &Term, numbers: &mut BTreeMap<VariableId, Vec<f64>>) -> bool {
    let mut against = |of: &Term, constants: &[&Term]| {
        let Term::Column(id) = of else { return constants.iter().all(|c| is_constant(c)) && is_constant(of) };
        let numbers = numbers.entry(*id).or_default();
        constants.iter().all(|constant| match constant {
            Term::Constant(x) => {
                numbers.push(*x);
                true
            }
            _ => false,
        })
    };
    match term {
        Term::Constant(_) => true,
        Term::Column(_) => against(term, &[&Term::Constant(0.0), &Term::Constant(1.0)]),
        Term::Compare(_, a, b) if is_constant(a) => against(b, &[&**a]),
        Term::Compare(_, a, b) => against(a, &[&**b]),
        Term::Between(parts) => against(&parts[0], &[&parts[1], &parts[2]]),
        Term::OneOf(of, list) => against(of, &list.iter().collect::<Vec<_>>()),
        Term::IsMissing(of) if matches!(**of, Term::Column(_)) => against(of, &[]),
        Term::Not(_) | Term::All(_) | Term::Any(_) | Term::IsMissing(_) | Term::Is(..) => {
            term.children().into_iter().all(|child| compares_alone(child, numbers))
        }
        Term::Case(None, arms, otherwise) => {
            arms.iter().flat_map(|(when, then)| [when, then]).chain([&**otherwise]).all(|t| compares_alone(t, numbers))
        }
        Term::Negated(_) | Term::Arithmetic(..) | Term::Case(..) | Term::Call(..) => false,
    }
}

fn is_constant(term: &Term) -> bool {
    matches!(term, Term::Constant(_))
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
