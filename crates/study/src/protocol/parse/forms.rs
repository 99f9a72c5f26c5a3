//! Keys of a regression that add models of their own: effect modifiers and a ridge penalty.

use super::{Declared, resolve};
use crate::dictionary::{Kind, VariableId};
use crate::document::Table;
use crate::protocol::{AnalysisKind, EffectModifier, Model, Ridge, Variances};

/// `effect_modifier` or `effect_modifiers`, and for a continuous one `effect_at`.
pub(super) fn effect_modifiers(t: &Table<'_, '_>, declared: &Declared<'_>) -> Vec<EffectModifier> {
    let (key, names) = match t.optional_text("effect_modifier") {
        Some(name) => {
            if t.has("effect_modifiers") {
                t.mistake("effect_modifiers", "stands beside `effect_modifier`; use one of them");
            }
            ("effect_modifier", vec![name])
        }
        None if t.has("effect_modifiers") => ("effect_modifiers", t.texts("effect_modifiers").unwrap_or_default()),
        None => ("effect_modifier", Vec::new()),
    };
    let mut ids: Vec<VariableId> = Vec::new();
    for name in names {
        let Some(id) = resolve(t, key, &name, declared.dictionary) else { continue };
        if matches!(declared.dictionary.variable(id).kind, Kind::Days { .. }) {
            t.mistake(key, format!("`{name}` is a time; an effect modifier is continuous, categorical or binary"));
        } else if declared.is_treatment(id) {
            t.mistake(key, format!("`{name}` is the treatment itself; name another variable"));
        } else if ids.contains(&id) {
            t.mistake(key, format!("`{name}` stands twice; name it once"));
        } else {
            ids.push(id);
        }
    }
    let continuous: Vec<VariableId> =
        ids.iter().copied().filter(|id| declared.dictionary.variable(*id).levels().is_empty()).collect();
    let at = values(t, &continuous, declared);
    let values_of = |id: &VariableId| if continuous.contains(id) { at.clone() } else { Vec::new() };
    ids.iter().map(|id| EffectModifier { variable: *id, at: values_of(id) }).collect()
}

/// Values at which the effect is reported, for the one continuous effect modifier.
fn values(t: &Table<'_, '_>, continuous: &[VariableId], declared: &Declared<'_>) -> Vec<f64> {
    let key = "effect_at";
    let at = t.numbers(key);
    let [id] = continuous else {
        if t.has(key) || !continuous.is_empty() {
            t.mistake(
                key,
                "belongs to one continuous effect modifier; a second one stands in an [[analysis]] of its own",
            );
        }
        return Vec::new();
    };
    let variable = declared.dictionary.variable(*id);
    if !t.has(key) {
        t.mistake(key, format!("is missing; give the values of `{}` at which the effect is reported", variable.name));
    }
    let at = at.unwrap_or_default();
    if t.has(key) && (at.is_empty() || !at.is_sorted_by(|a, b| a < b)) {
        t.mistake(key, "expected values in ascending order; such as [60, 70]");
    }
    if let Kind::Continuous { low, high, .. } = &variable.kind
        && let Some(beyond) = at.iter().find(|x| !(*low..=*high).contains(*x))
    {
        t.mistake(
            key,
            format!("{beyond} is outside of the range of `{}`; it goes from {low} to {high}", variable.name),
        );
    }
    at
}

/// `ridge` and `ridge_scale`.
pub(super) fn ridge(t: &Table<'_, '_>) -> Option<Ridge> {
    let lambda = t.optional_number("ridge");
    let scale = t.optional_text("ridge_scale");
    let standardised = match scale.as_deref() {
        None | Some("standardised") => true,
        Some("raw") => false,
        Some(other) => {
            super::unknown(t, "ridge_scale", other, &["standardised", "raw"]);
            true
        }
    };
    if scale.is_some() && !t.has("ridge") {
        t.mistake("ridge_scale", "belongs to `ridge`, which is not declared; add `ridge`, or leave this out");
    }
    let lambda = lambda?;
    if lambda <= 0.0 {
        t.mistake("ridge", "must be above zero; such as 1");
        return None;
    }
    Some(Ridge { lambda, standardised })
}

/// Models and keys that do not go together.
pub(super) fn check(t: &Table<'_, '_>, kind: Option<AnalysisKind>, models: &[Model], variances: Variances) {
    if models.contains(&Model::Firth) && matches!(kind, Some(AnalysisKind::Cox(_) | AnalysisKind::FineGray(_))) {
        t.mistake("models", "`firth` is a logistic model; a Cox model has `ridge`");
    }
    let modified = t.has("effect_modifier") || t.has("effect_modifiers");
    if models.contains(&Model::IptwInteraction) && !modified {
        t.mistake(
            "models",
            "`iptw_interaction` needs `effect_modifier` or `effect_modifiers`; add one, or leave the model out",
        );
    }
    if models.contains(&Model::Ridge) {
        for key in ["zph", "concordance"].into_iter().filter(|key| t.has(key)) {
            t.mistake(key, "`ridge` has no checks; declare it in an [[analysis]] of its own");
        }
    }
    if variances != Variances::default() {
        for model in models.iter().filter(|model| model.penalised()) {
            let name = model.name();
            t.mistake(
                "variance",
                format!("`{name}` has the naive variance only; declare it in an [[analysis]] of its own"),
            );
        }
    }
}
