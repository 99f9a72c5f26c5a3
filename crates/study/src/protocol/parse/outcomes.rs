//! `[[outcome]]`: what is compared.

use std::collections::BTreeSet;

use stats::competing::cause_table_len;

use super::{months, no_level, prose, resolve, unknown};
use crate::dictionary::{Dictionary, Kind, VariableId};
use crate::document::Table;
use crate::protocol::{Cause, Competing, Outcome, OutcomeKind, TimeGrid, TimeToEvent};

/// Largest time grid: cells are words of the first round.
const MAX_CELLS: usize = 100_000;

const KINDS: [&str; 3] = ["binary", "time_to_event", "competing"];

/// Most causes of one outcome.
const MAX_CAUSES: usize = 20;

/// Largest table of causes, likewise words of the first round.
const MAX_TABLE: usize = 600_000;

pub(super) fn outcomes(root: &Table<'_, '_>, dictionary: &Dictionary, month_days: f64) -> Vec<Outcome> {
    let mut names = BTreeSet::new();
    let mut outcomes = Vec::new();
    for t in &root.tables("outcome") {
        let outcome = outcome(t, dictionary, month_days);
        t.close();
        let Some(outcome) = outcome else {
            t.spoil("name");
            continue;
        };
        if names.insert(outcome.name.clone()) {
            outcomes.push(outcome);
        } else {
            t.mistake("name", format!("`{}` is declared twice; give one of them another name", outcome.name));
        }
    }
    outcomes
}

fn outcome(t: &Table<'_, '_>, dictionary: &Dictionary, month_days: f64) -> Option<Outcome> {
    let name = t.text("name");
    let label = t.optional_text("label").or_else(|| name.clone());
    let mut event_free = None;
    let kind = match t.choice("kind", &KINDS).as_deref() {
        Some("binary") => t.text("variable").and_then(|v| {
            let variable = binary(t, "variable", &v, dictionary)?;
            Some(OutcomeKind::Binary { variable })
        }),
        Some("time_to_event") => {
            event_free = t.optional_text("event_free");
            prose::check(t, "event_free", event_free.as_deref());
            time_to_event(t, dictionary, month_days).map(OutcomeKind::TimeToEvent)
        }
        Some("competing") => competing(t, dictionary, month_days).map(OutcomeKind::Competing),
        Some(other) => {
            unknown(t, "kind", other, &KINDS);
            t.abandon();
            None
        }
        None => {
            t.abandon();
            None
        }
    };
    Some(Outcome { name: name?, label: label?, event_free, kind: kind? })
}

fn binary(t: &Table<'_, '_>, key: &'static str, name: &str, dictionary: &Dictionary) -> Option<VariableId> {
    let id = resolve(t, key, name, dictionary)?;
    let is_binary = matches!(dictionary.variable(id).kind, Kind::Categorical { binary: true, .. });
    if !is_binary {
        t.mistake(
            key,
            wrong_kind(name, "binary", dictionary, |kind| matches!(kind, Kind::Categorical { binary: true, .. })),
        );
    }
    is_binary.then_some(id)
}

/// What is said of a variable of another kind, with those that have the right one.
fn wrong_kind(name: &str, kind: &str, dictionary: &Dictionary, fits: impl Fn(&Kind) -> bool) -> String {
    let fitting = dictionary.variables().iter().filter(|v| fits(&v.kind)).map(|v| format!("`{}`", v.name));
    let hint = match fitting.collect::<Vec<_>>().as_slice() {
        [] => "no variable is".to_owned(),
        fitting => format!("so declared: {}", fitting.join(", ")),
    };
    format!("`{name}` must be declared with kind = \"{kind}\"; {hint}")
}

fn time_to_event(t: &Table<'_, '_>, dictionary: &Dictionary, month_days: f64) -> Option<TimeToEvent> {
    let (time, event) = (t.text("time"), t.text("event"));
    let grid = grid(t, month_days);
    let time = time.and_then(|name| days(t, &name, dictionary));
    let event = event.and_then(|n| binary(t, "event", &n, dictionary));
    let TimeGrid { days, horizon_days } = grid?;
    Some(TimeToEvent { time: time?, event: event?, grid_days: days, horizon_days })
}

fn days(t: &Table<'_, '_>, name: &str, dictionary: &Dictionary) -> Option<VariableId> {
    let id = resolve(t, "time", name, dictionary)?;
    let days = matches!(dictionary.variable(id).kind, Kind::Days { .. });
    if !days {
        t.mistake("time", wrong_kind(name, "days", dictionary, |kind| matches!(kind, Kind::Days { .. })));
    }
    days.then_some(id)
}

fn grid(t: &Table<'_, '_>, month_days: f64) -> Option<TimeGrid> {
    let (width, days) = months::either(
        t,
        ("grid_days", t.optional_number("grid_days")),
        ("grid_months", t.optional_number("grid_months")),
        |months| Some(months * month_days),
    );
    let days = days.unwrap_or(1.0);
    let whole = t.has("horizon_days") || !t.has("horizon_months");
    let (horizon_key, horizon) = months::either(
        t,
        ("horizon_days", if whole { t.whole("horizon_days").map(f64::from) } else { None }),
        ("horizon_months", t.optional_number("horizon_months")),
        |months| months::last_day(months, month_days),
    );
    if days < 1.0 {
        t.mistake(width, "must be at least one day; time is measured in whole days");
        return None;
    }
    let grid = TimeGrid { days, horizon_days: horizon? as u32 };
    if grid.horizon_days == 0 {
        t.mistake(horizon_key, "must be at least one day; such as 1826");
    }
    if grid.cells() > MAX_CELLS {
        t.mistake(
            width,
            format!("{} time cells up to the horizon, at most {MAX_CELLS}; choose wider cells", grid.cells()),
        );
    }
    Some(grid)
}

/// A status of which one level is censored and every other one a cause.
fn competing(t: &Table<'_, '_>, dictionary: &Dictionary, month_days: f64) -> Option<Competing> {
    let (time, status) = (t.text("time"), t.text("status"));
    let (censored, names) = (t.text("censored"), t.texts("causes"));
    let grid = grid(t, month_days);
    let time = time.and_then(|name| days(t, &name, dictionary));
    let status = status?;
    let id = resolve(t, "status", &status, dictionary)?;
    let Kind::Categorical { levels, labels, binary: false } = &dictionary.variable(id).kind else {
        t.mistake(
            "status",
            wrong_kind(&status, "categorical", dictionary, |kind| {
                matches!(kind, Kind::Categorical { binary: false, .. })
            }),
        );
        return None;
    };
    let place = |key: &'static str, name: &String| {
        let level = levels.iter().position(|l| l == name);
        if level.is_none() {
            t.mistake(key, no_level(name, &format!("`{status}`"), levels));
        }
        level
    };
    let (censored, names) = (censored?, names?);
    let mut seen = vec![place("censored", &censored)?];
    let mut causes = Vec::new();
    for name in names {
        let level = place("causes", &name)?;
        if seen.contains(&level) {
            t.mistake("causes", format!("`{name}` stands twice, or is the censored level; name each cause once"));
        }
        seen.push(level);
        causes.push(Cause { level, label: labels.get(level).unwrap_or(&name).clone(), name });
    }
    if let Some(level) = (0..levels.len()).find(|level| !seen.contains(level)) {
        t.mistake(
            "causes",
            format!(
                "`{}` is a level of `{status}` and neither `censored` nor a cause; add it to `causes`",
                levels[level]
            ),
        );
    }
    if !(2..=MAX_CAUSES).contains(&causes.len()) {
        t.mistake("causes", format!("expected 2 to {MAX_CAUSES} causes; a single one is a time_to_event"));
    }
    let outcome = Competing { time: time?, status: id, causes, grid: grid? };
    let words = cause_table_len(outcome.grid.cells(), outcome.count(), false);
    if words > MAX_TABLE {
        t.mistake(
            "grid_days",
            format!("{words} counts of cells, arms and causes, at most {MAX_TABLE}; choose wider cells"),
        );
    }
    Some(outcome)
}
