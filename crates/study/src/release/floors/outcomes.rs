//! Events of outcomes by arm, in all tables that have them.

use std::collections::BTreeMap;

use super::{Arms, HiddenLevels};
use crate::protocol::{OutcomeKind, Protocol};
use crate::results::{OutcomeRow, Quantity, Results, Shown};

/// `of_variables`: what the baseline table hides, so that a binary outcome that stands there has the same counts hidden.
pub(super) fn apply(
    results: &mut Results,
    protocol: &Protocol,
    arms: Arms,
    of_variables: &BTreeMap<String, HiddenLevels>,
    shown: &BTreeMap<usize, Shown>,
    minimum: u64,
) {
    for (index, outcome) in protocol.outcomes.iter().enumerate() {
        let rows: Vec<&mut OutcomeRow> = results.outcomes.iter_mut().filter(|r| r.outcome == outcome.name).collect();
        if rows.is_empty() {
            continue;
        }
        let in_table = match outcome.kind {
            OutcomeKind::Binary { variable } => {
                let name = &protocol.dictionary.variable(variable).name;
                results.balance.iter().any(|row| row.variable == *name).then_some(name)
            }
            OutcomeKind::TimeToEvent(_) | OutcomeKind::Competing(_) => None,
        };
        let hidden = match in_table {
            Some(name) => of_variables.get(name).cloned(),
            None => Some(of_outcome(&rows, arms, minimum)),
        };
        let hidden = hidden.filter(HiddenLevels::any);
        let causes = hidden.as_ref().map_or_else(Vec::new, |hidden| hide(rows, hidden));
        if shown.get(&index).is_some_and(|shown| shown.closed) {
            close(results, &outcome.name);
        }
        let Some(hidden) = hidden else { continue };
        if hidden.missing {
            hide_rows(results, &outcome.name);
        }
        // A model of all causes together has cause "".
        let told = |name: &str, cause: &String| {
            name == outcome.name && !causes.is_empty() && (cause.is_empty() || causes.contains(cause))
        };
        results.estimates.iter_mut().filter(|r| told(&r.outcome, &r.cause)).for_each(|r| r.events = None);
        results.fits.iter_mut().filter(|r| told(&r.outcome, &r.cause)).for_each(|r| r.events = None);
        if !causes.is_empty() {
            for row in results.survival.iter_mut().filter(|row| row.outcome == outcome.name) {
                (row.n_event, row.n_censor, row.n_after) = (None, None, None);
            }
        }
        results.tests.retain(|test| test.name != "chi_square" || test.outcome != outcome.name);
    }
    // a rate and its person-time tell the events
    for row in results.outcomes.iter_mut().filter(|row| row.n.is_none() || row.events.is_none()) {
        row.follow_up_hidden |= row.follow_up.take().is_some();
    }
}

/// Hides every count of an outcome, and what follows from a curve of which no time is shown.
fn close(results: &mut Results, outcome: &str) {
    results.outcomes.iter_mut().filter(|row| row.outcome == outcome).for_each(|row| row.events = None);
    results.estimates.iter_mut().filter(|row| row.outcome == outcome).for_each(|row| row.events = None);
    results.fits.iter_mut().filter(|row| row.outcome == outcome).for_each(|row| row.events = None);
    let of_curve = |quantity: Quantity| matches!(quantity, Quantity::Median | Quantity::FollowUp);
    results.medians.retain(|row| row.outcome != outcome || !of_curve(row.quantity));
    let counts = |name: &str| matches!(name, "chi_square" | "log_rank" | "gray");
    results.tests.retain(|test| test.outcome != outcome || !counts(&test.name));
}

/// Hides how many patients have a value of an outcome, wherever its models and curves tell it.
fn hide_rows(results: &mut Results, outcome: &str) {
    results.estimates.iter_mut().filter(|row| row.outcome == outcome).for_each(|row| row.n = None);
    results.fits.iter_mut().filter(|row| row.outcome == outcome).for_each(|row| row.n = None);
    results.effects.iter_mut().filter(|row| row.outcome == outcome).for_each(|row| row.n = None);
    for row in results.survival.iter_mut().filter(|row| row.outcome == outcome) {
        (row.n_risk, row.n_event, row.n_censor, row.n_after) = (None, None, None, None);
    }
    for row in results.incidences.iter_mut().filter(|row| row.outcome == outcome) {
        (row.n_risk, row.n_after) = (None, None);
    }
}

/// Two rows for each cause: control arm, treated arm. Those without event, or of no cause, are not shown.
fn of_outcome(rows: &[&mut OutcomeRow], arms: Arms, minimum: u64) -> HiddenLevels {
    let count = |n: Option<u64>| n.unwrap_or_default();
    let events: Vec<[u64; 2]> = rows.chunks_exact(2).map(|pair| [0, 1].map(|arm| count(pair[arm].events))).collect();
    let n = [0, 1].map(|arm| rows.get(arm).map_or(0, |row| count(row.n)));
    let others = [0, 1].map(|arm| n[arm].saturating_sub(events.iter().map(|counts| counts[arm]).sum()));
    let missing = [0, 1].map(|arm| arms[arm].saturating_sub(n[arm]));
    HiddenLevels::of(&[&[others][..], &events].concat(), missing, false, minimum)
}

/// Hides in the rows of an outcome; causes whose events are hidden.
fn hide(rows: Vec<&mut OutcomeRow>, hidden: &HiddenLevels) -> Vec<String> {
    let mut causes = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        if hidden.missing {
            (row.n, row.missing) = (None, None);
        }
        if hidden.levels.get(1 + at / 2).copied().unwrap_or_default() {
            row.events = None;
            causes.push(row.cause.clone());
        }
    }
    causes
}
