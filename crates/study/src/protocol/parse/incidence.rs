//! `[[analysis]]` of kind `cumulative_incidence`: incidences of competing causes.

use super::Declared;
use super::analyses::outcome_names;
use super::curves::{conf_types, declared_times, weighted};
use crate::document::Table;
use crate::protocol::{IncidenceAnalysis, OutcomeKind, TimeGrid};

/// Is this `[[analysis]]` one of incidences? Then [`incidences`] reads it.
pub(super) fn is_incidence(t: &Table<'_, '_>) -> bool {
    t.raw_text("kind") == Some("cumulative_incidence")
}

/// All that are declared.
pub(super) fn incidences(root: &Table<'_, '_>, declared: &Declared<'_>) -> Vec<IncidenceAnalysis> {
    let mut found = Vec::new();
    for t in root.tables("analysis").iter().filter(|t| is_incidence(t)) {
        let incidence = incidence(t, declared, &found);
        t.close();
        found.push(incidence);
    }
    found
}

fn incidence(t: &Table<'_, '_>, declared: &Declared<'_>, earlier: &[IncidenceAnalysis]) -> IncidenceAnalysis {
    t.text("kind");
    let mut outcomes = outcome_names(t, declared.outcomes, None);
    let key = if t.has("outcomes") { "outcomes" } else { "outcome" };
    outcomes.retain(|name| {
        let competing = grid(declared, name).is_some();
        if !competing {
            t.mistake(key, format!("`{name}` has no competing causes; a time to event has the kind `kaplan_meier`"));
        }
        competing
    });
    let grids: Vec<TimeGrid> = outcomes.iter().filter_map(|name| grid(declared, name)).collect();
    let weighted = weighted(t, declared);
    let incidence = IncidenceAnalysis {
        times_days: declared_times(t, declared, &grids),
        conf_types: conf_types(t),
        outcomes,
        weighted,
    };
    let clash = |other: &IncidenceAnalysis| {
        other.outcomes.iter().any(|o| incidence.outcomes.contains(o))
            && other.weighted.iter().any(|w| incidence.weighted.contains(w))
    };
    if earlier.iter().any(clash) {
        t.mistake(
            "weighted",
            "an earlier [[analysis]] already has these incidences of the same outcome; leave it out of one of them",
        );
    }
    incidence
}

fn grid(declared: &Declared<'_>, name: &str) -> Option<TimeGrid> {
    match &declared.outcomes.iter().find(|o| o.name == name)?.kind {
        OutcomeKind::Competing(competing) => Some(competing.grid),
        OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => None,
    }
}
