//! Patients and events at the levels of effect modifiers: a table of one outcome and one modifier is shown as a whole or not
//! at all. Its counts stand among many others (totals of the outcome, levels of the baseline table, other outcomes), and what
//! would have to be hidden beside a single cell is most of it.

use std::collections::BTreeMap;

use crate::protocol::{OutcomeKind, Protocol};
use crate::results::{Results, SubgroupRow};

/// Patients, those with the event or with each cause, and those without, by level and arm of one table.
struct Table<'r> {
    outcome: &'r str,
    modifier: &'r str,
    /// By level and arm: all, then by cause.
    cells: BTreeMap<(&'r str, &'r str), Vec<u64>>,
}

impl<'r> Table<'r> {
    fn all(rows: &'r [SubgroupRow]) -> Vec<Table<'r>> {
        let mut tables: Vec<Table<'r>> = Vec::new();
        for row in rows {
            let same = |table: &&mut Table<'_>| (table.outcome, table.modifier) == (&*row.outcome, &*row.modifier);
            let at = (&*row.level, &*row.arm);
            let (n, events) = (row.n.unwrap_or_default(), row.events.unwrap_or_default());
            if let Some(table) = tables.iter_mut().find(same) {
                table.cells.entry(at).or_insert_with(|| vec![n]).push(events);
            } else {
                let cells = BTreeMap::from([(at, vec![n, events])]);
                tables.push(Table { outcome: &row.outcome, modifier: &row.modifier, cells });
            }
        }
        tables
    }

    /// Does a count of the table, or what is left of a total that is told, count a few?
    fn tells_of_few(&self, results: &Results, control: &str, minimum: u64) -> bool {
        let small = |n: u64| (1..minimum).contains(&n);
        let without = |counts: &[u64]| counts[0].saturating_sub(counts[1..].iter().sum());
        let of_cell = |counts: &Vec<u64>| counts.iter().any(|n| small(*n)) || small(without(counts));
        self.cells.values().any(of_cell)
            || self.rest(results).any(small)
            || self.beside_levels(results, control).any(small)
    }

    /// Patients and events of the outcome, and those without, at none of the levels.
    fn rest<'t>(&'t self, results: &'t Results) -> impl Iterator<Item = u64> + 't {
        let of_arm = |arm: &str| -> Vec<u64> {
            let cells = self.cells.iter().filter(|((_, of), _)| *of == arm).map(|(_, counts)| counts);
            cells.fold(Vec::new(), |sum, counts| {
                if sum.is_empty() { counts.clone() } else { sum.iter().zip(counts).map(|(a, b)| a + b).collect() }
            })
        };
        let mut arms: BTreeMap<&str, (u64, Vec<u64>)> = BTreeMap::new();
        for row in results.outcomes.iter().filter(|row| row.outcome == self.outcome) {
            let totals = arms.entry(&row.arm).or_insert_with(|| (row.n.unwrap_or_default(), Vec::new()));
            totals.1.push(row.events.unwrap_or_default());
        }
        arms.into_iter().flat_map(move |(arm, (n, events))| {
            let counted = of_arm(arm);
            let rest = |total: u64, at: usize| total.saturating_sub(counted.get(at).copied().unwrap_or_default());
            let mut rests = vec![rest(n, 0)];
            rests.extend(events.iter().enumerate().map(|(k, total)| rest(*total, k + 1)));
            let with_event: u64 = rests[1..].iter().sum();
            rests.push(rests[0].saturating_sub(with_event));
            rests
        })
    }

    /// Those whom the baseline table has at a level more.
    fn beside_levels<'t>(&'t self, results: &'t Results, control: &'t str) -> impl Iterator<Item = u64> + 't {
        let arms: Vec<&str> = self.cells.keys().map(|(_, arm)| *arm).collect();
        let rows = results.balance.iter().filter(|row| !row.weighted && row.variable == self.modifier);
        rows.filter_map(|row| Some((row.level.as_deref()?, row))).flat_map(move |(level, row)| {
            let of_arm = |arm: &str| {
                let told = if arm == control { &row.control } else { &row.treated };
                let counts = self.cells.get(&(level, arm))?;
                Some((told.value? as u64).abs_diff(counts[0]))
            };
            arms.iter().filter_map(|arm| of_arm(arm)).collect::<Vec<u64>>()
        })
    }

    /// Do the counts of two outcomes at the levels of one modifier differ by a few?
    fn is_near(&self, other: &Table<'_>, related: bool, minimum: u64) -> bool {
        let few = |a: u64, b: u64| (1..minimum).contains(&a.abs_diff(b));
        let near = |(at, counts): (&(&str, &str), &Vec<u64>)| {
            other.cells.get(at).is_some_and(|others| {
                let events = |counts: &[u64]| counts[1..].iter().sum::<u64>();
                let without = |counts: &[u64]| counts[0].saturating_sub(events(counts));
                let pairs = || counts[1..].iter().flat_map(|a| others[1..].iter().map(move |b| (*a, *b)));
                few(counts[0], others[0])
                    || related
                        && (few(events(counts), events(others))
                            || few(without(counts), without(others))
                            || pairs().any(|(a, b)| few(a, b)))
            })
        };
        self.modifier == other.modifier && self.cells.iter().any(near)
    }
}

/// Tables to hide, by outcome and modifier, from counts of which nothing is hidden yet.
pub(super) fn few(results: &Results, protocol: &Protocol, minimum: u64) -> Vec<(String, String)> {
    let related = |one: &str, other: &str| {
        let kind = |name: &str| protocol.outcome(name).map(|outcome| &outcome.kind);
        kind(one).zip(kind(other)).is_some_and(|(one, other)| are_related(one, other))
    };
    let arm = &protocol.treatment;
    let control = &protocol.dictionary.variable(arm.variable).levels()[arm.control];
    let (mut hidden, mut shown): (Vec<(String, String)>, Vec<Table<'_>>) = (Vec::new(), Vec::new());
    for table in Table::all(&results.subgroups) {
        let near = |other: &Table<'_>| table.is_near(other, related(table.outcome, other.outcome), minimum);
        if table.tells_of_few(results, control, minimum) || shown.iter().any(near) {
            hidden.push((table.outcome.into(), table.modifier.into()));
        } else {
            shown.push(table);
        }
    }
    hidden
}

fn are_related(one: &OutcomeKind, other: &OutcomeKind) -> bool {
    one.variables().iter().any(|column| other.variables().contains(column))
}

/// Hides those tables, and the ones of an outcome or a modifier of which other tables hide something.
pub(super) fn apply(results: &mut Results, few: &[(String, String)]) {
    let hides_outcome =
        |name: &str| results.outcomes.iter().any(|r| r.outcome == name && (r.n.is_none() || r.events.is_none()));
    let hides_level =
        |name: &str| results.balance.iter().any(|row| row.variable == name && !row.weighted && row.floored);
    let is_hidden = |row: &SubgroupRow| {
        few.iter().any(|(outcome, modifier)| *outcome == row.outcome && *modifier == row.modifier)
            || hides_outcome(&row.outcome)
            || hides_level(&row.modifier)
    };
    let hidden: Vec<bool> = results.subgroups.iter().map(is_hidden).collect();
    for (row, _) in results.subgroups.iter_mut().zip(hidden).filter(|(_, hidden)| *hidden) {
        (row.n, row.events) = (None, None);
    }
}
