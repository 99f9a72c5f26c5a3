//! `[release]`: what the coordinator opens, and the floors of what is given out.

use super::unknown;
use crate::document::Table;
use crate::protocol::{ReleaseOpening, ReleaseRules, ReleasedCurves};

/// A floor of 1 hides nothing; one above the last of these would hide most studies.
const FLOORS: std::ops::RangeInclusive<u32> = 1..=100;

pub(super) fn release(root: &Table<'_, '_>) -> ReleaseRules {
    let mut rules = ReleaseRules::default();
    let Some(t) = root.optional_table("release") else { return rules };
    if let Some(name) = t.optional_text("opening") {
        match ReleaseOpening::ALL.into_iter().find(|opening| opening.name() == name) {
            Some(opening) => rules.opening = opening,
            None => unknown(&t, "opening", &name, &ReleaseOpening::ALL.map(ReleaseOpening::name)),
        }
    }
    if let Some(name) = t.optional_text("curves") {
        match ReleasedCurves::ALL.into_iter().find(|curves| curves.name() == name) {
            Some(curves) => rules.curves = curves,
            None => unknown(&t, "curves", &name, &ReleasedCurves::ALL.map(ReleasedCurves::name)),
        }
    }
    for (key, floor) in [("minimum_cell", &mut rules.minimum_cell), ("minimum_leavers", &mut rules.minimum_leavers)] {
        let Some(value) = t.optional_whole(key) else { continue };
        if !FLOORS.contains(&value) {
            t.mistake(key, format!("expected {} to {} patients; such as 5", FLOORS.start(), FLOORS.end()));
        }
        *floor = value;
    }
    t.close();
    rules
}
