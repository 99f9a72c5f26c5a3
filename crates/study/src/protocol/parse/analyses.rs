//! `[[analysis]]`: the models.

use stats::cox::Ties;

use super::{Declared, checks, curves, eligibility, forms, length, resolve, standardised, unknown};
use crate::dictionary::{Kind, VariableId};
use crate::document::{Table, suggestion};
use crate::protocol::{
    Analysis, AnalysisKind, CurveAnalysis, EffectModifier, Model, Outcome, OutcomeKind, Propensity, Variances,
};

/// Covariates of a model: declared, of a fitting kind, neither twice nor the treatment.
pub(super) fn covariates(t: &Table<'_, '_>, names: &[String], declared: &Declared<'_>) -> Vec<VariableId> {
    let mut ids = Vec::new();
    for name in names {
        let Some(id) = resolve(t, "covariates", name, declared.dictionary) else { continue };
        if matches!(declared.dictionary.variable(id).kind, Kind::Days { .. }) {
            t.mistake("covariates", format!("`{name}` is a time; a covariate is continuous, categorical or binary"));
        } else if declared.is_treatment(id) {
            t.mistake(
                "covariates",
                format!("`{name}` is the treatment and stands in every model already; leave it out here"),
            );
        } else if ids.contains(&id) {
            t.mistake("covariates", format!("`{name}` stands twice; name it once"));
        } else {
            ids.push(id);
        }
    }
    ids
}

const KINDS: [&str; 6] = ["logistic", "cox", "fine_gray", "kaplan_meier", "cumulative_incidence", "baseline"];

const MODELS: [Model; 14] = [
    Model::Unadjusted,
    Model::Iptw,
    Model::IptwStabilized,
    Model::IptwUnstabilized,
    Model::IptwAtt,
    Model::IptwAtc,
    Model::IptwOverlap,
    Model::IptwMatching,
    Model::IptwTruncated,
    Model::Adjusted,
    Model::IptwAdjusted,
    Model::Stratified,
    Model::IptwInteraction,
    Model::Firth,
];

/// Regressions and survival curves.
pub(super) fn analyses(root: &Table<'_, '_>, declared: &Declared<'_>) -> (Vec<Analysis>, Vec<CurveAnalysis>) {
    let mut analyses: Vec<Analysis> = Vec::new();
    let mut curves: Vec<CurveAnalysis> = Vec::new();
    for t in root
        .tables("analysis")
        .iter()
        .filter(|t| !super::baseline::is_baseline(t) && !super::incidence::is_incidence(t))
    {
        let kind = t.choice("kind", &KINDS);
        if kind.as_deref() == Some("kaplan_meier") {
            curves.push(curves::curve(t, declared, &curves));
            t.close();
            continue;
        }
        let analysis = analysis(t, kind.as_deref(), declared);
        t.close();
        let Some(analysis) = analysis else { continue };
        for other in &analyses {
            let clash = other.kind == analysis.kind
                && other.cause == analysis.cause
                && other.outcomes.iter().any(|o| analysis.outcomes.contains(o))
                && other.fits().iter().any(|(model, modifier)| {
                    let same = |(m, other): &(Model, Option<&EffectModifier>)| {
                        m == model && other.map(|o| o.variable) == modifier.map(|o| o.variable)
                    };
                    analysis.fits().iter().any(same)
                });
            if clash {
                t.mistake("models", "an earlier [[analysis]] already fits one of these models to the same outcome; leave it out of one of them");
            }
        }
        analyses.push(analysis);
    }
    if analyses.is_empty() && !root.has("analysis") {
        root.mistake("analysis", "no [[analysis]] is declared; add one with `kind`, `outcome` and `models`");
    }
    (analyses, curves)
}

fn analysis(t: &Table<'_, '_>, kind: Option<&str>, declared: &Declared<'_>) -> Option<Analysis> {
    let kind = match kind {
        Some("logistic") => Some(AnalysisKind::Logistic),
        Some("cox") => Some(AnalysisKind::Cox(ties(t))),
        Some("fine_gray") => Some(AnalysisKind::FineGray(ties(t))),
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
    let outcomes = outcome_names(t, declared.outcomes, kind);
    let cause = cause(t, &outcomes, declared);
    let (effect_modifiers, ridge) = (forms::effect_modifiers(t, declared), forms::ridge(t));
    let adds = ["effect_modifier", "effect_modifiers", "ridge"].into_iter().any(|key| t.has(key));
    let mut models = if adds && !t.has("models") { Vec::new() } else { models(t, kind, declared) };
    let covariates = match t.optional_texts("covariates") {
        Some(names) => covariates(t, &names, declared),
        None => declared.propensity.map(|p| p.covariates.clone()).unwrap_or_default(),
    };
    let adjusted = ridge.is_some()
        || models.iter().any(|m| matches!(m, Model::Adjusted | Model::Stratified | Model::IptwAdjusted | Model::Firth));
    let named = t.has("covariates") || declared.weighting;
    if adjusted && covariates.is_empty() && !named {
        t.mistake(
            "models",
            "an adjusted model needs `covariates` here or in [propensity]; add them, such as `covariates = [\"age\"]`",
        );
    }
    let modifiers: Vec<VariableId> = effect_modifiers.iter().map(|modifier| modifier.variable).collect();
    let modifiers_key = if t.has("effect_modifiers") { "effect_modifiers" } else { "effect_modifier" };
    let mut of_outcomes = Vec::new();
    for name in &outcomes {
        let Some(outcome) = declared.outcomes.iter().find(|o| o.name == *name) else { continue };
        let variables = outcome.kind.variables();
        of_outcomes.extend(&variables);
        let adjusted = covariates.iter().map(|id| ("covariates", id, "is no covariate"));
        let modified = modifiers.iter().map(|id| (modifiers_key, id, "modifies no effect"));
        for (key, id, what) in adjusted.chain(modified).filter(|(_, id, _)| variables.contains(id)) {
            let variable = &declared.dictionary.variable(*id).name;
            t.mistake(
                key,
                format!("`{variable}` is part of the outcome `{name}`; what happens after time zero {what}"),
            );
        }
    }
    let own = if t.has("covariates") { covariates.as_slice() } else { &[] };
    let own = own.iter().copied().filter(|id| !of_outcomes.contains(id)).collect();
    let modifiers = modifiers.into_iter().filter(|id| !of_outcomes.contains(id)).collect();
    eligibility::known_at_time_zero(t, &[("covariates", own), (modifiers_key, modifiers)], declared);
    if matches!(kind, Some(AnalysisKind::FineGray(_))) {
        for key in ["effect_modifier", "effect_modifiers", "ridge"].into_iter().filter(|key| t.has(key)) {
            t.mistake(key, "belongs to logistic and Cox regression; leave it out of `fine_gray`");
        }
    }
    let variances = variances(t, kind, &models);
    let checks = checks::checks(t, kind);
    if !effect_modifiers.is_empty() {
        models.push(Model::Interaction);
    }
    if ridge.is_some() {
        models.push(Model::Ridge);
    }
    forms::check(t, kind, &models, variances);
    let standardised = standardised::standardised(t, kind, &outcomes, &models, declared);
    let modifiers: Vec<VariableId> = effect_modifiers.iter().map(|modifier| modifier.variable).collect();
    length::check(t, kind, &outcomes, &[&covariates[..], &modifiers].concat(), declared);
    Some(Analysis {
        kind: kind?,
        outcomes,
        cause,
        models,
        variances,
        covariates,
        effect_modifiers,
        ridge,
        checks,
        standardised,
    })
}

/// The cause of a regression of competing outcomes, which all of them must have.
fn cause(t: &Table<'_, '_>, outcomes: &[String], declared: &Declared<'_>) -> Option<String> {
    let cause = t.optional_text("cause");
    for name in outcomes {
        match (declared.outcomes.iter().find(|o| o.name == *name).map(|o| &o.kind), &cause) {
            (Some(OutcomeKind::Competing(competing)), found) => {
                let known: Vec<&str> = competing.causes.iter().map(|c| c.name.as_str()).collect();
                match found {
                    None if t.has("cause") => {}
                    None => t.mistake("cause", format!("is missing; name one of {}", known.join(", "))),
                    Some(cause) if competing.cause(cause).is_none() => unknown(t, "cause", cause, &known),
                    Some(_) => {}
                }
            }
            (Some(_), Some(_)) => t.mistake(
                "cause",
                format!(
                    "`{name}` has no competing causes; leave `cause` out, or name an outcome of kind \"competing\""
                ),
            ),
            _ => {}
        }
    }
    cause
}

pub(super) fn ties(t: &Table<'_, '_>) -> Ties {
    match t.optional_text("ties").as_deref() {
        None | Some("efron") => Ties::Efron,
        Some("breslow") => Ties::Breslow,
        Some(other) => {
            unknown(t, "ties", other, &["efron", "breslow"]);
            Ties::Efron
        }
    }
}

/// Names of declared outcomes; with a `kind`, of those that fit it.
pub(super) fn outcome_names(t: &Table<'_, '_>, outcomes: &[Outcome], kind: Option<AnalysisKind>) -> Vec<String> {
    let (key, names) = match t.optional_text("outcome") {
        Some(name) => {
            if t.has("outcomes") {
                t.mistake("outcomes", "stands beside `outcome`; use one of them");
            }
            ("outcome", vec![name])
        }
        None if t.has("outcome") => return Vec::new(),
        None if t.has("outcomes") => ("outcomes", t.texts("outcomes").unwrap_or_default()),
        None => {
            t.mistake("outcome", "is missing; name one `outcome` or a list of `outcomes`");
            ("outcome", Vec::new())
        }
    };
    let mut good = Vec::new();
    for name in names {
        match (outcomes.iter().find(|o| o.name == name).map(|o| &o.kind), kind) {
            (None, _) if t.reader.is_spoiled(&name) => {}
            (None, _) => {
                let hint = suggestion(&name, outcomes.iter().map(|o| o.name.as_str()));
                t.mistake(key, format!("`{name}` is not a declared [[outcome]]; {hint}"));
            }
            (Some(OutcomeKind::TimeToEvent(_)), Some(AnalysisKind::Logistic)) => {
                t.mistake(key, format!("`{name}` is a time to event; logistic regression wants a binary outcome"));
            }
            (Some(OutcomeKind::Binary { .. }), Some(AnalysisKind::Cox(_))) => {
                t.mistake(key, format!("`{name}` is binary; Cox regression wants a time to event"));
            }
            (Some(OutcomeKind::Competing(_)), Some(AnalysisKind::Logistic)) => {
                t.mistake(key, format!("`{name}` has competing causes; logistic regression wants a binary outcome"));
            }
            (Some(OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_)), Some(AnalysisKind::FineGray(_))) => {
                t.mistake(
                    key,
                    format!(
                        "`{name}` has no competing causes, which Fine-Gray regression wants; use `cox` or `logistic`"
                    ),
                );
            }
            _ if good.contains(&name) => t.mistake(key, format!("`{name}` stands twice; name it once")),
            _ => good.push(name),
        }
    }
    good
}

pub(super) fn models(t: &Table<'_, '_>, kind: Option<AnalysisKind>, declared: &Declared<'_>) -> Vec<Model> {
    let mut models = Vec::new();
    for name in t.texts("models").unwrap_or_default() {
        let Some(model) = MODELS.into_iter().find(|m| m.name() == name) else {
            unknown(t, "models", &name, &MODELS.map(Model::name));
            continue;
        };
        if models.contains(&model) {
            t.mistake("models", format!("`{name}` stands twice; name it once"));
        }
        if model.weighted() && !declared.weighting {
            t.mistake(
                "models",
                format!("`{name}` needs a [propensity] model; add one with `covariates`, or leave it out"),
            );
        }
        let truncation = |p: &Propensity| p.detail.is_some_and(|detail| detail.truncation.is_some());
        if model == Model::IptwTruncated && declared.propensity.is_some_and(|p| !truncation(p)) {
            t.mistake(
                "models",
                format!("`{name}` needs `truncate` in [propensity]; add it, such as `truncate = [0.01, 0.99]`"),
            );
        }
        if model == Model::Stratified && matches!(kind, Some(AnalysisKind::Logistic | AnalysisKind::FineGray(_))) {
            t.mistake("models", "`stratified` is a Cox model; use `adjusted` here");
        }
        models.push(model);
    }
    models
}

fn variances(t: &Table<'_, '_>, kind: Option<AnalysisKind>, models: &[Model]) -> Variances {
    let names = t.optional_texts("variance").unwrap_or_default();
    let without_naive = !names.is_empty() && names.iter().all(|name| name != "naive");
    let mut variances = Variances { without_naive, ..Variances::default() };
    for name in names {
        match name.as_str() {
            "naive" => {}
            "robust" => variances.robust = true,
            "survey" => variances.survey = true,
            "cluster_site" => variances.cluster_site = true,
            "m_estimation" => variances.m_estimation = true,
            other => unknown(t, "variance", other, &["naive", "robust", "survey", "cluster_site", "m_estimation"]),
        }
    }
    // Its naive variance takes the falling weights of the rows that stay for counts.
    variances.robust |= matches!(kind, Some(AnalysisKind::FineGray(_)));
    if variances.survey && matches!(kind, Some(AnalysisKind::Cox(_) | AnalysisKind::FineGray(_))) {
        t.mistake("variance", "`survey` is a variance of logistic models; use `robust`");
    }
    if variances.m_estimation && !models.iter().any(|m| m.weighted()) {
        t.mistake(
            "variance",
            "`m_estimation` belongs to weighted models and none is declared; add one such as `iptw`, or leave it out",
        );
    }
    variances
}
