//! `[[outcome]]`: what is compared.

use std::collections::BTreeSet;

use super::{resolve, unknown};
use crate::dictionary::{Dictionary, Kind, VariableId};
use crate::document::Table;
use crate::protocol::{Outcome, OutcomeKind, TimeToEvent};

/// Largest time grid: cells are words of the first round.
const MAX_CELLS: usize = 100_000;

pub(super) fn outcomes(root: &Table<'_, '_>, dictionary: &Dictionary) -> Vec<Outcome> {
    let mut names = BTreeSet::new();
    let mut outcomes = Vec::new();
    for t in &root.tables("outcome") {
        let outcome = outcome(t, dictionary);
        t.close();
        let Some(outcome) = outcome else {
            t.spoil("name");
            continue;
        };
        if names.insert(outcome.name.clone()) {
            outcomes.push(outcome);
        } else {
            t.mistake("name", format!("`{}` is declared twice", outcome.name));
        }
    }
    outcomes
}

fn outcome(t: &Table<'_, '_>, dictionary: &Dictionary) -> Option<Outcome> {
    let name = t.text("name");
    let label = t.optional_text("label").or_else(|| name.clone());
    let kind = match t.text("kind").as_deref() {
        Some("binary") => t.text("variable").and_then(|v| {
            let variable = binary(t, "variable", &v, dictionary)?;
            Some(OutcomeKind::Binary { variable })
        }),
        Some("time_to_event") => time_to_event(t, dictionary).map(OutcomeKind::TimeToEvent),
        Some(other) => {
            unknown(t, "kind", other, &["binary", "time_to_event"]);
            t.abandon();
            None
        }
        None => {
            t.abandon();
            None
        }
    };
    Some(Outcome { name: name?, label: label?, kind: kind? })
}

fn binary(t: &Table<'_, '_>, key: &'static str, name: &str, dictionary: &Dictionary) -> Option<VariableId> {
    let id = resolve(t, key, name, dictionary)?;
    let is_binary = matches!(dictionary.variable(id).kind, Kind::Categorical { binary: true, .. });
    if !is_binary {
        t.mistake(key, format!("`{name}` must be declared with kind = \"binary\""));
    }
    is_binary.then_some(id)
}

fn time_to_event(t: &Table<'_, '_>, dictionary: &Dictionary) -> Option<TimeToEvent> {
    let (time, event) = (t.text("time"), t.text("event"));
    let grid_days = t.optional_number("grid_days").unwrap_or(1.0);
    let horizon = t.whole("horizon_days");
    if grid_days < 1.0 {
        t.mistake("grid_days", "must be at least 1: time is measured in whole days");
        return None;
    }
    let time_id = time.and_then(|n| {
        let id = resolve(t, "time", &n, dictionary)?;
        let days = matches!(dictionary.variable(id).kind, Kind::Days { .. });
        if !days {
            t.mistake("time", format!("`{n}` must be declared with kind = \"days\""));
        }
        days.then_some(id)
    });
    let event = event.and_then(|n| binary(t, "event", &n, dictionary));
    let outcome = TimeToEvent { time: time_id?, event: event?, grid_days, horizon_days: horizon? };
    if outcome.horizon_days == 0 {
        t.mistake("horizon_days", "must be at least one day");
    }
    if outcome.cells() > MAX_CELLS {
        t.mistake("grid_days", format!("{} time cells up to the horizon; at most {MAX_CELLS}", outcome.cells()));
    }
    Some(outcome)
}
