//! `impute`, `draws` and `seed` of a `[[scenario]]`.

use super::{Declared, resolve};
use crate::dictionary::Kind;
use crate::document::Table;
use crate::plan::covariates;
use crate::protocol::{Imputation, Model, OutcomeKind, Protocol};

/// Rubin's rules need two; more than this adds nothing that a reader could see.
const DRAWS: std::ops::RangeInclusive<u32> = 2..=200;

pub(super) fn imputation(t: &Table<'_, '_>, declared: &Declared<'_>) -> Option<Imputation> {
    let key = "impute";
    let (has_draws, has_seed) = (t.has("draws"), t.has("seed"));
    if !t.has(key) {
        for (there, name) in [(has_draws, "draws"), (has_seed, "seed")] {
            if there {
                t.mistake(name, "belongs to `impute`, which is not there; add `impute`, or leave this out");
            }
        }
        return None;
    }
    let draws = t.optional_whole("draws").unwrap_or(10);
    if !DRAWS.contains(&draws) {
        t.mistake("draws", format!("expected {} to {} draws; such as 10", DRAWS.start(), DRAWS.end()));
    }
    let seed = t.optional_whole("seed").unwrap_or(1);
    let mut variables = Vec::new();
    for name in t.texts(key)? {
        let Some(id) = resolve(t, key, &name, declared.dictionary) else { continue };
        let variable = declared.dictionary.variable(id);
        if variables.contains(&id) {
            t.mistake(key, format!("`{name}` stands twice; name it once"));
        } else if matches!(variable.kind, Kind::Days { .. }) {
            t.mistake(key, format!("`{name}` is a time; only a covariate is imputed"));
        } else if let Some(Err(why)) = variable.grid() {
            t.mistake(key, format!("values of `{name}` have no grid: {why}"));
        } else {
            variables.push(id);
        }
    }
    Some(Imputation { variables, draws, seed })
}

/// Only covariates of the scenario's models are imputed, and no model of it counts weights.
pub(super) fn check(t: &Table<'_, '_>, imputation: &Imputation, protocol: &Protocol) {
    let all = covariates(protocol);
    for id in &imputation.variables {
        let in_outcome = protocol.outcomes.iter().any(|outcome| outcome.kind.variables().contains(id));
        if *id == protocol.treatment.variable || in_outcome || !all.contains(id) {
            let name = &protocol.dictionary.variable(*id).name;
            t.mistake(
                "impute",
                format!("`{name}` is not a covariate of this scenario's models; name covariates alone"),
            );
        }
    }
    let outcomes = protocol.analyses.iter().flat_map(|analysis| &analysis.outcomes);
    let kinds = outcomes.filter_map(|name| protocol.outcome(name)).map(|outcome| &outcome.kind);
    if kinds.into_iter().any(|kind| matches!(kind, OutcomeKind::Competing(_))) {
        t.mistake("impute", "competing causes are not analysed in imputed data; name `outcomes` without them");
    }
    if protocol.analyses.iter().any(|analysis| analysis.models.contains(&Model::IptwTruncated)) {
        t.mistake("impute", "weights are not truncated in imputed data; name `models` without `iptw_truncated`");
    }
}
