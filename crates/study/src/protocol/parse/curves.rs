//! `[[analysis]]` of kind `kaplan_meier`: survival curves and what follows from them.

use stats::cox::Ties;
use stats::survival::IntervalKind;

use super::analyses::{outcome_names, ties};
use super::{Declared, months, unknown};
use crate::document::Table;
use crate::protocol::{CurveAnalysis, OutcomeKind, TimeGrid};

const CONF_TYPES: [(&str, IntervalKind); 3] =
    [("log", IntervalKind::Log), ("log-log", IntervalKind::LogLog), ("plain", IntervalKind::Plain)];

pub(super) fn curve(t: &Table<'_, '_>, declared: &Declared<'_>, earlier: &[CurveAnalysis]) -> CurveAnalysis {
    let mut outcomes = outcome_names(t, declared.outcomes, None);
    let key = if t.has("outcomes") { "outcomes" } else { "outcome" };
    outcomes.retain(|name| {
        let time = time_to_event(declared, name).is_some();
        if !time {
            let binary = declared.outcomes.iter().any(|o| o.name == *name && o.kind.grid().is_none());
            let what = if binary { "is binary" } else { "has competing causes" };
            t.mistake(key, format!("`{name}` {what}; a survival curve wants a time to event"));
        }
        time
    });
    let weighted = weighted(t, declared);
    let grids: Vec<TimeGrid> = outcomes.iter().filter_map(|name| time_to_event(declared, name)).collect();
    let (rmst, rmst_days) = months::either(
        t,
        ("rmst_days", t.optional_whole("rmst_days").map(f64::from)),
        ("rmst_months", t.optional_number("rmst_months")),
        |months| months::last_day(months, declared.month_days),
    );
    let curve = CurveAnalysis {
        times_days: declared_times(t, declared, &grids),
        rmst_days: restricted_to(t, rmst, rmst_days.map(|day| day as u32), &grids),
        conf_types: conf_types(t),
        hazard_ratio: hazard_ratio(t),
        outcomes,
        weighted,
    };
    let clash = |other: &CurveAnalysis| {
        other.outcomes.iter().any(|o| curve.outcomes.contains(o))
            && other.weighted.iter().any(|w| curve.weighted.contains(w))
    };
    if earlier.iter().any(clash) {
        t.mistake(
            "weighted",
            "an earlier [[analysis]] already has this curve of the same outcome; leave it out of one of them",
        );
    }
    curve
}

/// `hazard_ratio`, and the handling of ties that belongs to it.
fn hazard_ratio(t: &Table<'_, '_>) -> Option<Ties> {
    let (wanted, ties) = (t.flag("hazard_ratio", false), ties(t));
    if t.has("ties") && !wanted {
        t.mistake("ties", "belongs to `hazard_ratio = true`; add that, or leave `ties` out");
    }
    wanted.then_some(ties)
}

pub(super) fn time_to_event(declared: &Declared<'_>, name: &str) -> Option<TimeGrid> {
    match &declared.outcomes.iter().find(|o| o.name == name)?.kind {
        OutcomeKind::TimeToEvent(time) => Some(time.grid()),
        OutcomeKind::Binary { .. } | OutcomeKind::Competing(_) => None,
    }
}

pub(super) fn weighted(t: &Table<'_, '_>, declared: &Declared<'_>) -> Vec<bool> {
    if !t.has("weighted") {
        return vec![false];
    }
    let Some(weighted) = t.optional_flags("weighted") else { return Vec::new() };
    match weighted.as_slice() {
        [] => t.mistake("weighted", "is empty; write [false], [true] or [false, true]"),
        [first, rest @ ..] if rest.len() > 1 || rest.contains(first) => {
            t.mistake("weighted", "a value stands twice; write [false], [true] or [false, true]");
        }
        _ => {}
    }
    if weighted.contains(&true) && !declared.weighting {
        t.mistake("weighted", "`true` needs a [propensity] model; add one, or write `weighted = [false]`");
    }
    weighted
}

/// `times_days` or `times_months`.
pub(super) fn declared_times(t: &Table<'_, '_>, declared: &Declared<'_>, grids: &[TimeGrid]) -> Vec<u32> {
    let days = ("times_days", t.numbers("times_days"));
    let (key, days) = months::either(t, days, ("times_months", t.numbers("times_months")), |months| {
        months.into_iter().map(|months| months::last_day(months, declared.month_days)).collect()
    });
    times(t, key, days, grids)
}

/// Whole days inside the horizon, no two in the same cell of a grid.
pub(super) fn times(t: &Table<'_, '_>, key: &str, numbers: Option<Vec<f64>>, grids: &[TimeGrid]) -> Vec<u32> {
    let Some(numbers) = numbers else { return Vec::new() };
    let whole = |x: &f64| *x >= 1.0 && x.fract() == 0.0 && *x <= f64::from(u32::MAX);
    if !numbers.iter().all(whole) {
        t.mistake(key, "expected whole days from 1; such as [183, 365]");
        return Vec::new();
    }
    let days: Vec<u32> = numbers.iter().map(|x| *x as u32).collect();
    if !days.is_sorted_by(|a, b| a < b) {
        t.mistake(key, "must ascend; write the earlier day first");
        return days;
    }
    for grid in grids {
        if let Some(day) = days.iter().find(|day| **day > grid.horizon_days) {
            t.mistake(
                key,
                format!(
                    "{day} is beyond the horizon of {} days; name an earlier day, or raise `horizon_days`",
                    grid.horizon_days
                ),
            );
        }
        let neighbours = || days.iter().zip(days.iter().skip(1));
        if let Some((a, b)) = neighbours().find(|(a, b)| grid.cell(**a) == grid.cell(**b)) {
            t.mistake(
                key,
                format!("{a} and {b} are in one cell of the time grid; keep one of them, or make `grid_days` finer"),
            );
        }
    }
    days
}

/// A whole day inside the horizon.
pub(super) fn restricted_to(t: &Table<'_, '_>, key: &str, day: Option<u32>, grids: &[TimeGrid]) -> Option<u32> {
    let day = day?;
    if day == 0 {
        t.mistake(key, "expected whole days from 1; such as 365");
    }
    for grid in grids.iter().filter(|grid| day > grid.horizon_days) {
        t.mistake(
            key,
            format!(
                "{day} is beyond the horizon of {} days; name an earlier day, or raise `horizon_days`",
                grid.horizon_days
            ),
        );
    }
    Some(day)
}

pub(super) fn conf_types(t: &Table<'_, '_>) -> Vec<IntervalKind> {
    if !t.has("conf_types") {
        return vec![IntervalKind::Log];
    }
    let mut kinds = Vec::new();
    for name in t.texts("conf_types").unwrap_or_default() {
        match CONF_TYPES.iter().find(|(known, _)| *known == name) {
            None => unknown(t, "conf_types", &name, &CONF_TYPES.map(|(known, _)| known)),
            Some((_, kind)) if kinds.contains(kind) => {
                t.mistake("conf_types", format!("`{name}` stands twice; name it once"));
            }
            Some((_, kind)) => kinds.push(*kind),
        }
    }
    kinds
}
