//! From TOML to [`Protocol`]. Reading goes on after a mistake so that all of them come out together.

use std::collections::BTreeSet;

use stats::cox::Ties;

use super::{
    Analysis, AnalysisKind, Criterion, Model, Outcome, OutcomeKind, Propensity, Protocol, TimeToEvent, Treatment,
    Trial, TrialElement, Variances, digest,
};
use crate::dictionary::{Dictionary, Kind, Variable, VariableId};
use crate::document::{Mistakes, Reader, Table, nearest, parse};

/// Largest time grid: cells are words of the first round.
const MAX_CELLS: usize = 100_000;

pub(super) fn protocol(text: &str) -> Result<Protocol, Mistakes> {
    let document = parse(text)?;
    let reader = Reader::new(text);
    let root = Table::root(&reader, &document);
    let value = read(&root, digest::of(document.get_ref()));
    root.close();
    drop(root);
    reader.finish(value)
}

fn read(root: &Table<'_, '_>, digest: secagg::Digest) -> Option<Protocol> {
    let study = root.table("study");
    let head = study.as_ref().and_then(study_head);
    let trial = root.optional_table("trial").map(|t| trial(&t)).unwrap_or_default();
    let dictionary = dictionary(root);
    let eligibility = root.tables("eligibility").iter().filter_map(criterion).collect();
    let treatment = root.table("treatment").and_then(|t| treatment(&t, &dictionary));
    let outcomes = outcomes(root, &dictionary);
    let propensity = root.optional_table("propensity").and_then(|t| propensity(&t, &dictionary, treatment.as_ref()));
    let analyses = analyses(root, &dictionary, &outcomes, propensity.as_ref(), root.has("propensity"));
    let (id, title, patient, month_days) = head?;
    if let (Some(study), Some(_)) = (&study, dictionary.find(&patient)) {
        study.mistake("patient", "is also declared as a [[variable]]; an identifier cannot be analysed");
    }
    Some(Protocol {
        id,
        title,
        patient,
        month_days,
        trial,
        dictionary,
        eligibility,
        treatment: treatment?,
        outcomes,
        propensity,
        analyses,
        digest,
    })
}

fn study_head(t: &Table<'_, '_>) -> Option<(String, String, String, f64)> {
    let id = t.text("id");
    if let Some(id) = &id {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.len() > 64 || !id.chars().all(good) {
            t.mistake("id", "use at most 64 lower-case letters, digits and hyphens");
        }
    }
    let title = t.text("title");
    let patient = t.text("patient");
    let month_days = t.optional_number("months").unwrap_or(30.4375);
    if !(28.0..=31.0).contains(&month_days) {
        t.mistake("months", "expected the days of one month, such as 30.4375");
    }
    t.close();
    Some((id?, title?, patient?, month_days))
}

fn trial(t: &Table<'_, '_>) -> Trial {
    let question = t.optional_text("question").unwrap_or_default();
    let elements = t
        .tables("element")
        .iter()
        .filter_map(|e| {
            let (name, target, emulation) = (e.text("name"), e.text("target"), e.text("emulation"));
            e.close();
            Some(TrialElement { name: name?, target: target?, emulation: emulation? })
        })
        .collect();
    t.close();
    Trial { question, elements }
}

fn dictionary(root: &Table<'_, '_>) -> Dictionary {
    let tables = root.tables("variable");
    if tables.is_empty() {
        root.mistake("variable", "no [[variable]] is declared: the data dictionary is empty");
    }
    let mut names = BTreeSet::new();
    let mut variables = Vec::new();
    for t in &tables {
        let variable = variable(t);
        t.close();
        let Some(variable) = variable else { continue };
        if names.insert(variable.name.to_ascii_lowercase()) {
            variables.push(variable);
        } else {
            t.mistake("name", format!("`{}` is declared twice (case does not count)", variable.name));
        }
    }
    Dictionary::new(variables)
}

fn variable(t: &Table<'_, '_>) -> Option<Variable> {
    let name = t.text("name");
    if let Some(name) = &name {
        let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        if !first || name.len() > 63 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            t.mistake("name", "use a letter, then letters, digits and underscores, at most 63");
        }
    }
    let label = t.optional_text("label").or_else(|| name.clone());
    let kind = match t.text("kind").as_deref() {
        Some("continuous") => continuous(t),
        Some("categorical") => categorical(t),
        Some("binary") => Some(Kind::Categorical {
            levels: vec!["0".into(), "1".into()],
            labels: binary_labels(t),
            binary: true,
        }),
        Some("days") => t.whole("max").map(|high| Kind::Days { high }),
        Some(other) => {
            unknown(t, "kind", other, &["continuous", "categorical", "binary", "days"]);
            return None; // which further keys belong to it is not known: reporting them would only confuse
        }
        None => None,
    };
    Some(Variable { name: name?, label: label?, kind: kind? })
}

fn binary_labels(t: &Table<'_, '_>) -> Vec<String> {
    let labels = t.optional_texts("labels").unwrap_or_else(|| vec!["no".into(), "yes".into()]);
    if labels.len() != 2 {
        t.mistake("labels", "a binary variable has two labels, for 0 and for 1");
    }
    labels
}

fn continuous(t: &Table<'_, '_>) -> Option<Kind> {
    let unit = t.optional_text("unit").unwrap_or_default();
    if !t.has("range") {
        t.mistake("range", "is missing: give the smallest and largest possible value");
    }
    let range = t.numbers("range");
    let resolution = t.optional_number("resolution").unwrap_or(1.0);
    if resolution <= 0.0 {
        t.mistake("resolution", "must be above zero");
    }
    match range?.as_slice() {
        [low, high] if low < high => Some(Kind::Continuous { unit, low: *low, high: *high, resolution }),
        _ => {
            t.mistake("range", "expected [smallest, largest] with smallest below largest");
            None
        }
    }
}

fn categorical(t: &Table<'_, '_>) -> Option<Kind> {
    let levels = t.texts("levels")?;
    let distinct: BTreeSet<_> = levels.iter().collect();
    if distinct.len() != levels.len() {
        t.mistake("levels", "a level stands twice");
    }
    if levels.len() < 2 || levels.len() > 200 {
        t.mistake("levels", "expected 2 to 200 levels");
    }
    if levels.iter().any(|l| l.is_empty() || l.trim() != l) {
        t.mistake("levels", "a level is empty or has spaces at its ends");
    }
    let labels = t.optional_texts("labels").unwrap_or_else(|| levels.clone());
    if labels.len() != levels.len() {
        t.mistake("labels", format!("{} labels for {} levels", labels.len(), levels.len()));
    }
    Some(Kind::Categorical { levels, labels, binary: false })
}

fn criterion(t: &Table<'_, '_>) -> Option<Criterion> {
    let (label, require) = (t.text("label"), t.text("require"));
    t.close();
    Some(Criterion { label: label?, require: require? })
}

fn unknown(t: &Table<'_, '_>, key: &str, got: &str, known: &[&str]) {
    let hint = nearest(got, known.iter().copied()).map_or_else(String::new, |k| format!("; did you mean `{k}`?"));
    t.mistake(key, format!("`{got}` is not known (known: {}){hint}", known.join(", ")));
}

fn resolve(t: &Table<'_, '_>, key: &'static str, name: &str, dictionary: &Dictionary) -> Option<VariableId> {
    let id = dictionary.find(name);
    if id.is_none() {
        let names = dictionary.variables().iter().map(|v| v.name.as_str());
        let hint = nearest(name, names).map_or_else(String::new, |k| format!("; did you mean `{k}`?"));
        t.mistake(key, format!("`{name}` is not a declared [[variable]]{hint}"));
    }
    id
}

fn treatment(t: &Table<'_, '_>, dictionary: &Dictionary) -> Option<Treatment> {
    let (name, treated, control) = (t.text("variable"), t.text("treated"), t.text("control"));
    t.close();
    let variable = resolve(t, "variable", &name?, dictionary)?;
    let levels = dictionary.variable(variable).levels();
    if levels.is_empty() {
        t.mistake("variable", "the treatment must be categorical or binary");
        return None;
    }
    let level = |key: &'static str, name: &str| {
        let found = levels.iter().position(|l| l == name);
        if found.is_none() {
            t.mistake(key, format!("`{name}` is not a level of the treatment (levels: {})", levels.join(", ")));
        }
        found
    };
    let (treated, control) = (level("treated", &treated?), level("control", &control?));
    let (treated, control) = (treated?, control?);
    if treated == control {
        t.mistake("control", "both arms are the same level");
    }
    Some(Treatment { variable, treated, control })
}

fn outcomes(root: &Table<'_, '_>, dictionary: &Dictionary) -> Vec<Outcome> {
    let mut names = BTreeSet::new();
    let mut outcomes = Vec::new();
    for t in &root.tables("outcome") {
        let outcome = outcome(t, dictionary);
        t.close();
        let Some(outcome) = outcome else { continue };
        if names.insert(outcome.name.clone()) {
            outcomes.push(outcome);
        } else {
            t.mistake("name", format!("`{}` is declared twice", outcome.name));
        }
    }
    outcomes
}

fn outcome(t: &Table<'_, '_>, dictionary: &Dictionary) -> Option<Outcome> {
    let name = t.text("name");
    let label = t.optional_text("label").or_else(|| name.clone());
    let kind = match t.text("kind").as_deref() {
        Some("binary") => t.text("variable").and_then(|v| {
            let variable = binary(t, "variable", &v, dictionary)?;
            Some(OutcomeKind::Binary { variable })
        }),
        Some("time_to_event") => time_to_event(t, dictionary).map(OutcomeKind::TimeToEvent),
        Some(other) => {
            unknown(t, "kind", other, &["binary", "time_to_event"]);
            None
        }
        None => None,
    };
    Some(Outcome { name: name?, label: label?, kind: kind? })
}

fn binary(t: &Table<'_, '_>, key: &'static str, name: &str, dictionary: &Dictionary) -> Option<VariableId> {
    let id = resolve(t, key, name, dictionary)?;
    let is_binary = matches!(dictionary.variable(id).kind, Kind::Categorical { binary: true, .. });
    if !is_binary {
        t.mistake(key, format!("`{name}` must be declared with kind = \"binary\""));
    }
    is_binary.then_some(id)
}

fn time_to_event(t: &Table<'_, '_>, dictionary: &Dictionary) -> Option<TimeToEvent> {
    let (time, event) = (t.text("time"), t.text("event"));
    let grid_days = t.optional_number("grid_days").unwrap_or(1.0);
    let horizon = t.whole("horizon_days");
    if grid_days < 1.0 {
        t.mistake("grid_days", "must be at least 1: time is measured in whole days");
        return None;
    }
    let time_id = time.and_then(|n| {
        let id = resolve(t, "time", &n, dictionary)?;
        let days = matches!(dictionary.variable(id).kind, Kind::Days { .. });
        if !days {
            t.mistake("time", format!("`{n}` must be declared with kind = \"days\""));
        }
        days.then_some(id)
    });
    let event = event.and_then(|n| binary(t, "event", &n, dictionary));
    let outcome = TimeToEvent { time: time_id?, event: event?, grid_days, horizon_days: horizon? };
    if outcome.horizon_days == 0 {
        t.mistake("horizon_days", "must be at least one day");
    }
    if outcome.cells() > MAX_CELLS {
        t.mistake("grid_days", format!("{} time cells up to the horizon; at most {MAX_CELLS}", outcome.cells()));
    }
    Some(outcome)
}

fn covariates(t: &Table<'_, '_>, key: &'static str, names: &[String], dictionary: &Dictionary) -> Vec<VariableId> {
    let mut ids = Vec::new();
    for name in names {
        let Some(id) = resolve(t, key, name, dictionary) else { continue };
        if matches!(dictionary.variable(id).kind, Kind::Days { .. }) {
            t.mistake(key, format!("`{name}` is a time; a covariate is continuous, categorical or binary"));
        } else if ids.contains(&id) {
            t.mistake(key, format!("`{name}` stands twice"));
        } else {
            ids.push(id);
        }
    }
    ids
}

fn propensity(t: &Table<'_, '_>, dictionary: &Dictionary, treatment: Option<&Treatment>) -> Option<Propensity> {
    let names = t.texts("covariates");
    if let Some(estimand) = t.optional_text("estimand")
        && estimand != "ATE"
    {
        unknown(t, "estimand", &estimand, &["ATE"]);
    }
    let stabilized = t.flag("stabilized", true);
    let bins = t.optional_whole("bins").unwrap_or(20) as usize;
    if !(2..=1000).contains(&bins) {
        t.mistake("bins", "expected 2 to 1000 bins");
    }
    t.close();
    let covariates = covariates(t, "covariates", &names?, dictionary);
    if treatment.is_some_and(|a| covariates.contains(&a.variable)) {
        t.mistake("covariates", "the treatment cannot be a covariate of its own propensity model");
    }
    Some(Propensity { covariates, stabilized, bins })
}

const MODELS: [Model; 7] = [
    Model::Unadjusted,
    Model::Iptw,
    Model::IptwStabilized,
    Model::IptwUnstabilized,
    Model::Adjusted,
    Model::IptwAdjusted,
    Model::Stratified,
];

fn analyses(
    root: &Table<'_, '_>,
    dictionary: &Dictionary,
    outcomes: &[Outcome],
    propensity: Option<&Propensity>,
    propensity_declared: bool,
) -> Vec<Analysis> {
    let mut analyses: Vec<Analysis> = Vec::new();
    for t in &root.tables("analysis") {
        let analysis = analysis(t, dictionary, outcomes, propensity, propensity_declared);
        t.close();
        let Some(analysis) = analysis else { continue };
        for other in &analyses {
            let clash = other.kind == analysis.kind
                && other.outcomes.iter().any(|o| analysis.outcomes.contains(o))
                && other.models.iter().any(|m| analysis.models.contains(m));
            if clash {
                t.mistake("models", "an earlier [[analysis]] already fits one of these models to the same outcome");
            }
        }
        analyses.push(analysis);
    }
    if analyses.is_empty() && !root.has("analysis") {
        root.mistake("analysis", "no [[analysis]] is declared");
    }
    analyses
}

fn analysis(
    t: &Table<'_, '_>,
    dictionary: &Dictionary,
    outcomes: &[Outcome],
    propensity: Option<&Propensity>,
    propensity_declared: bool,
) -> Option<Analysis> {
    let kind = match t.text("kind").as_deref() {
        Some("logistic") => Some(AnalysisKind::Logistic),
        Some("cox") => Some(AnalysisKind::Cox(ties(t))),
        Some(other) => {
            unknown(t, "kind", other, &["logistic", "cox"]);
            None
        }
        None => None,
    };
    let names = outcome_names(t, outcomes, kind);
    let models = models(t, kind, propensity_declared);
    let covariates = match t.optional_texts("covariates") {
        Some(names) => covariates(t, "covariates", &names, dictionary),
        None => propensity.map(|p| p.covariates.clone()).unwrap_or_default(),
    };
    let adjusted = models.iter().any(|m| matches!(m, Model::Adjusted | Model::Stratified | Model::IptwAdjusted));
    if adjusted && covariates.is_empty() {
        t.mistake("models", "an adjusted model needs `covariates` here or in [propensity]");
    }
    let effect_modifier = t.optional_text("effect_modifier").and_then(|name| {
        let id = resolve(t, "effect_modifier", &name, dictionary)?;
        if dictionary.variable(id).levels().is_empty() {
            t.mistake("effect_modifier", "must be categorical or binary");
        }
        Some(id)
    });
    let variances = variances(t, kind, &models);
    let mut models = models;
    if effect_modifier.is_some() {
        models.push(Model::Interaction);
    }
    Some(Analysis { kind: kind?, outcomes: names, models, variances, covariates, effect_modifier })
}

fn ties(t: &Table<'_, '_>) -> Ties {
    match t.optional_text("ties").as_deref() {
        None | Some("efron") => Ties::Efron,
        Some("breslow") => Ties::Breslow,
        Some(other) => {
            unknown(t, "ties", other, &["efron", "breslow"]);
            Ties::Efron
        }
    }
}

fn outcome_names(t: &Table<'_, '_>, outcomes: &[Outcome], kind: Option<AnalysisKind>) -> Vec<String> {
    let names = match t.optional_text("outcome") {
        Some(name) => vec![name],
        None if t.has("outcomes") => t.texts("outcomes").unwrap_or_default(),
        None => {
            t.mistake("outcome", "is missing: name one `outcome` or a list of `outcomes`");
            Vec::new()
        }
    };
    let mut good = Vec::new();
    for name in names {
        match (outcomes.iter().find(|o| o.name == name).map(|o| &o.kind), kind) {
            (None, _) => t.mistake("outcome", format!("`{name}` is not a declared [[outcome]]")),
            (Some(OutcomeKind::TimeToEvent(_)), Some(AnalysisKind::Logistic)) => {
                t.mistake("outcome", format!("`{name}` is a time to event; logistic regression wants a binary outcome"));
            }
            (Some(OutcomeKind::Binary { .. }), Some(AnalysisKind::Cox(_))) => {
                t.mistake("outcome", format!("`{name}` is binary; Cox regression wants a time to event"));
            }
            _ => good.push(name),
        }
    }
    good
}

fn models(t: &Table<'_, '_>, kind: Option<AnalysisKind>, propensity: bool) -> Vec<Model> {
    let mut models = Vec::new();
    for name in t.texts("models").unwrap_or_default() {
        let Some(model) = MODELS.into_iter().find(|m| m.name() == name) else {
            unknown(t, "models", &name, &MODELS.map(Model::name));
            continue;
        };
        if models.contains(&model) {
            t.mistake("models", format!("`{name}` stands twice"));
        }
        if model.weighted() && !propensity {
            t.mistake("models", format!("`{name}` needs a [propensity] model"));
        }
        if model == Model::Stratified && kind == Some(AnalysisKind::Logistic) {
            t.mistake("models", "`stratified` is a Cox model");
        }
        models.push(model);
    }
    models
}

fn variances(t: &Table<'_, '_>, kind: Option<AnalysisKind>, models: &[Model]) -> Variances {
    let mut variances = Variances::default();
    for name in t.optional_texts("variance").unwrap_or_default() {
        match name.as_str() {
            "naive" => {}
            "robust" => variances.robust = true,
            "survey" => variances.survey = true,
            "cluster_site" => variances.cluster_site = true,
            "m_estimation" => variances.m_estimation = true,
            other => unknown(t, "variance", other, &["naive", "robust", "survey", "cluster_site", "m_estimation"]),
        }
    }
    if variances.survey && matches!(kind, Some(AnalysisKind::Cox(_))) {
        t.mistake("variance", "`survey` is a variance of logistic models");
    }
    if variances.m_estimation && !models.iter().any(|m| m.weighted()) {
        t.mistake("variance", "`m_estimation` belongs to weighted models and none is declared");
    }
    variances
}
