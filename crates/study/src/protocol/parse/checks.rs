//! `zph` and `concordance` of an `[[analysis]]`.

use super::unknown;
use crate::document::Table;
use crate::protocol::{AnalysisKind, Checks, TRANSFORMS};

/// Width of the predictor's bins: finer ones open more numbers than the bound gains, coarser ones tell nothing.
const WIDTHS: std::ops::RangeInclusive<f64> = 1e-4..=1.0;

pub(super) fn checks(t: &Table<'_, '_>, kind: Option<AnalysisKind>) -> Checks {
    let mut checks = Checks::default();
    for name in t.optional_texts("zph").unwrap_or_default() {
        match TRANSFORMS.iter().find(|(known, _)| *known == name) {
            None => unknown(t, "zph", &name, &TRANSFORMS.map(|(known, _)| known)),
            Some((_, transform)) if checks.zph.contains(transform) => {
                t.mistake("zph", format!("`{name}` stands twice; name it once"));
            }
            Some((_, transform)) => checks.zph.push(*transform),
        }
    }
    checks.concordance = t.optional_number("concordance");
    if checks.concordance.is_some_and(|width| !WIDTHS.contains(&width)) {
        t.mistake("concordance", "expected the width of the predictor's bins, 0.0001 to 1; such as 0.1");
    }
    if kind == Some(AnalysisKind::Logistic) {
        for key in ["zph", "concordance"] {
            if t.has(key) {
                t.mistake(key, format!("`{key}` checks Cox models; leave it out here"));
            }
        }
    }
    checks
}
