//! `[[scenario]]`: variations of the main analysis.

use std::sync::Arc;

use super::{Declared, analyses, eligibility, imputation, propensity, resolve, short};
use crate::dictionary::{Kind, VariableId};
use crate::document::{Table, suggestion};
use crate::protocol::scenario::{MISSING, Scenario, with_missing_levels};
use crate::protocol::{Analysis, Checks, Criterion, Model, Protocol, Standardised};

/// Every declared scenario of a protocol that is otherwise complete.
pub(super) fn scenarios(root: &Table<'_, '_>, declared: &Declared<'_>, main: Option<&Protocol>) -> Vec<Scenario> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for t in root.tables("scenario") {
        let scenario = scenario(&t, declared, main);
        t.close();
        let Some(scenario) = scenario else { continue };
        if scenarios.iter().any(|s| s.name == scenario.name) {
            t.mistake(
                "name",
                format!("an earlier [[scenario]] is called `{}` already; give this one another name", scenario.name),
            );
        }
        scenarios.push(scenario);
    }
    scenarios
}

fn scenario(t: &Table<'_, '_>, declared: &Declared<'_>, main: Option<&Protocol>) -> Option<Scenario> {
    let name = t.text("name");
    if let Some(name) = &name {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
            t.mistake(
                "name",
                format!("is no short name; use 1 to 64 lower-case letters, digits and hyphens{}", short(name)),
            );
        }
    }
    let label = t.optional_text("label").or_else(|| name.clone());
    let without = t.optional_texts("without").unwrap_or_default();
    let require = t.has("require").then(|| t.text("require"));
    // over the columns of the file, in which a missing value has no level of its own yet
    let criterion = require.flatten().and_then(|text| Some((eligibility::condition(t, &text, declared)?, text)));
    let missing_as_level = missing_as_level(t, declared);
    let covariates = t.optional_texts("covariates").map(|names| analyses::covariates(t, &names, declared));
    let read = criterion.iter().flat_map(|(condition, _)| condition.variables()).collect();
    let adjusted = covariates.clone().unwrap_or_default();
    eligibility::known_at_time_zero(t, &[("require", read), ("covariates", adjusted)], declared);
    let outcomes = t.has("outcomes").then(|| analyses::outcome_names(t, declared.outcomes, None));
    let models = t.has("models").then(|| analyses::models(t, None, declared));
    let trimming = t.has("trim").then(|| propensity::bounds(t, "trim"));
    if trimming.is_some() && !declared.weighting {
        t.mistake("trim", "propensity scores need a [propensity] model; add one, or leave `trim` out");
    }
    let (baseline, curves) = (t.flag("baseline", false), t.flag("curves", false));
    let checks = t.flag("checks", false);
    let imputation = imputation::imputation(t, declared);
    if imputation.is_some() && (baseline || curves || checks || trimming.is_some()) {
        let message = "goes with models alone; leave out `baseline`, `curves`, `checks` and `trim`";
        t.mistake("impute", message);
    }
    for id in imputation.iter().flat_map(|i| &i.variables).filter(|id| missing_as_level.contains(id)) {
        let name = &declared.dictionary.variable(*id).name;
        t.mistake(
            "impute",
            format!("missing values of `{name}` are a level of their own in this scenario; name it in one of the two"),
        );
    }
    let mut protocol = main?.clone();
    for label in &without {
        let before = protocol.eligibility.len();
        protocol.eligibility.retain(|criterion| criterion.label != *label);
        if protocol.eligibility.len() == before {
            let labels = main?.eligibility.iter().map(|criterion| criterion.label.as_str());
            let hint = suggestion(label, labels);
            t.mistake("without", format!("`{label}` is not the label of an [[eligibility]] line; {hint}"));
        }
    }
    let (name, label) = (name?, label?);
    if let Some((condition, require)) = criterion {
        protocol.eligibility.push(Criterion { label: label.clone(), require, condition });
    }
    if let Some(covariates) = covariates {
        if let Some(propensity) = &mut protocol.propensity {
            propensity.covariates.clone_from(&covariates);
        }
        for analysis in &mut protocol.analyses {
            analysis.covariates.clone_from(&covariates);
        }
    }
    restrict(&mut protocol.analyses, outcomes.as_deref(), models.as_deref());
    if !checks {
        protocol.analyses.iter_mut().for_each(|analysis| analysis.checks = Checks::default());
    }
    if let Some(propensity) = &mut protocol.propensity {
        propensity.summaries.clear();
        let truncated = |analysis: &Analysis| analysis.models.contains(&Model::IptwTruncated);
        propensity.detail = propensity.detail.filter(|_| protocol.analyses.iter().any(truncated));
    }
    if !curves {
        protocol.curves.clear();
        protocol.incidences.clear();
    }
    if !baseline {
        protocol.baselines.clear();
    }
    if protocol.analyses.is_empty()
        && protocol.curves.is_empty()
        && protocol.incidences.is_empty()
        && protocol.baselines.is_empty()
    {
        t.mistake("models", "no [[analysis]] fits one of these models to one of these outcomes; name two that stand together in an [[analysis]]");
    }
    protocol.dictionary = with_missing_levels(&protocol.dictionary, &missing_as_level);
    if let Some(imputation) = &imputation {
        protocol.analyses.iter_mut().for_each(|analysis| analysis.standardised = Standardised::default());
        imputation::check(t, imputation, &protocol);
    }
    let mut untrimmed = None;
    if let Some(bounds) = trimming.flatten() {
        untrimmed = Some(Arc::new(before_trimming(&protocol)));
        protocol.trimming = Some(bounds);
    }
    Some(Scenario { name, label, protocol: Arc::new(protocol), untrimmed, missing_as_level, imputation })
}

/// What is done with the rows before their propensity scores trim them: the propensity model.
fn before_trimming(protocol: &Protocol) -> Protocol {
    let (analyses, curves, incidences) = (Vec::new(), Vec::new(), Vec::new());
    Protocol { analyses, baselines: Vec::new(), curves, incidences, ..protocol.clone() }
}

/// Keeps the named outcomes and models. Models by name include neither `interaction` nor `ridge`.
fn restrict(analyses: &mut Vec<Analysis>, outcomes: Option<&[String]>, models: Option<&[Model]>) {
    for analysis in analyses.iter_mut() {
        if let Some(outcomes) = outcomes {
            analysis.outcomes.retain(|name| outcomes.contains(name));
        }
        if let Some(models) = models {
            analysis.models.retain(|model| models.contains(model));
            analysis.ridge = None;
            if !analysis.models.contains(&Model::IptwInteraction) {
                analysis.effect_modifiers.clear();
            }
        }
        analysis.variances.m_estimation &= analysis.models.iter().any(|m| m.weighted());
    }
    analyses.retain(|analysis| !analysis.outcomes.is_empty() && !analysis.models.is_empty());
}

fn missing_as_level(t: &Table<'_, '_>, declared: &Declared<'_>) -> Vec<VariableId> {
    let key = "missing_as_level";
    let mut ids = Vec::new();
    for name in t.optional_texts(key).unwrap_or_default() {
        let Some(id) = resolve(t, key, &name, declared.dictionary) else { continue };
        let Kind::Categorical { levels, .. } = &declared.dictionary.variable(id).kind else {
            t.mistake(
                key,
                format!("`{name}` must be categorical or binary; a continuous one can be imputed (`impute`)"),
            );
            continue;
        };
        let in_outcome = declared.outcomes.iter().any(|outcome| outcome.kind.variables().contains(&id));
        if declared.is_treatment(id) || in_outcome {
            t.mistake(
                key,
                format!("`{name}` is the treatment or part of an outcome; only a covariate has such a level"),
            );
        } else if levels.iter().any(|level| level == MISSING) || levels.len() >= 250 {
            t.mistake(
                key,
                format!("`{name}` cannot have one more level called `{MISSING}`; rename a level, or leave it out"),
            );
        } else if ids.contains(&id) {
            t.mistake(key, format!("`{name}` stands twice; name it once"));
        } else {
            ids.push(id);
        }
    }
    ids
}
