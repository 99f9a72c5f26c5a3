//! `[bootstrap]`: which models are fitted again in how many replicates.

use std::sync::Arc;

use super::{Declared, analyses};
use crate::document::Table;
use crate::protocol::bootstrap::{Bootstrap, replicate};
use crate::protocol::{Model, Protocol};

/// Fewest replicates of an interval, and most.
const REPLICATES: std::ops::RangeInclusive<u32> = 20..=5000;

pub(super) fn bootstrap(root: &Table<'_, '_>, declared: &Declared<'_>, main: Option<&Protocol>) -> Option<Bootstrap> {
    let t = root.optional_table("bootstrap")?;
    let replicates = t.optional_whole("replicates").unwrap_or(200);
    if !REPLICATES.contains(&replicates) {
        t.mistake(
            "replicates",
            format!("expected {} to {} replicates; such as 200", REPLICATES.start(), REPLICATES.end()),
        );
    }
    let seed = t.optional_whole("seed").unwrap_or(1);
    let outcomes = t.has("outcomes").then(|| analyses::outcome_names(&t, declared.outcomes, None));
    let models = t.has("models").then(|| analyses::models(&t, None, declared));
    for model in models.iter().flatten().filter(|model| !Model::takes_case_weights(**model)) {
        t.mistake(
            "models",
            format!("`{}` cannot be fitted with the case weights of a replicate; leave it out", model.name()),
        );
    }
    t.close();
    let protocol = replicate(main?, outcomes.as_deref(), models.as_deref());
    if protocol.analyses.is_empty() {
        t.mistake("models", "no [[analysis]] fits one of these models to one of these outcomes; name two that stand together in an [[analysis]]");
    }
    Some(Bootstrap { replicates, seed, protocol: Arc::new(protocol) })
}
