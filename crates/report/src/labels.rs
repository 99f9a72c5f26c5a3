//! Names of terms, arms, outcomes and models as people read them.

use std::collections::BTreeMap;

use study::dictionary::{Kind, Variable, VariableId};
use study::protocol::{Outcome, OutcomeKind, Protocol};
use study::results::{BalanceRow, CUMULATIVE_INCIDENCE, FitRow, KAPLAN_MEIER, Variance};
use study::term::Term;

use crate::number::Digits;

/// Labels of every term that a protocol can name.
#[derive(Debug, Clone)]
pub struct Labels {
    terms: BTreeMap<String, (String, Digits)>,
    variables: BTreeMap<String, String>,
    treatment: String,
    arms: [String; 2],
}

impl Labels {
    /// The labels of a protocol; `references` are levels that are the reference in place of the first, by variable.
    pub fn new(protocol: &Protocol, references: &BTreeMap<String, usize>) -> Self {
        let mut terms = BTreeMap::new();
        let all = protocol.dictionary.variables().iter();
        let variables = all.map(|variable| (variable.name.clone(), plain(&variable.label))).collect();
        for (index, variable) in protocol.dictionary.variables().iter().enumerate() {
            for term in Term::of_variable(protocol, VariableId(index)) {
                let reference = references.get(&variable.name).copied().unwrap_or_default();
                terms.insert(term.name(protocol), term_label(variable, &term, reference));
            }
        }
        let arm = &protocol.treatment;
        let variable = protocol.dictionary.variable(arm.variable);
        let arms = [arm_label(variable, arm.control), arm_label(variable, arm.treated)];
        let treatment = Term::Treatment.name(protocol);
        terms.insert(treatment.clone(), (format!("{} vs {}", arms[1], arms[0]), Digits::Contrast));
        Labels { terms, variables, treatment, arms }
    }

    /// Label and digits of a term's name; the name itself where the protocol has no label.
    pub fn term(&self, name: &str) -> (String, Digits) {
        self.terms.get(name).cloned().unwrap_or_else(|| (plain(name), Digits::Contrast))
    }

    /// Label of a variable, or labels of the variables of a product.
    pub fn variables(&self, name: &str) -> String {
        let label = |name: &str| self.variables.get(name).cloned().unwrap_or_else(|| plain(name));
        name.split(" x ").map(label).collect::<Vec<_>>().join(" × ")
    }

    /// Name of the treatment's term in results.
    pub fn treatment(&self) -> &str {
        &self.treatment
    }

    /// Control and treated arm.
    pub fn arms(&self) -> &[String; 2] {
        &self.arms
    }
}

fn arm_label(variable: &Variable, level: usize) -> String {
    match &variable.kind {
        Kind::Categorical { labels, binary: true, .. } => plain(&format!("{}: {}", variable.label, labels[level])),
        Kind::Categorical { labels, .. } => plain(&labels[level]),
        Kind::Continuous { .. } | Kind::Days { .. } => plain(&variable.label),
    }
}

fn term_label(variable: &Variable, term: &Term, reference: usize) -> (String, Digits) {
    match (&variable.kind, term) {
        (Kind::Categorical { labels, .. }, Term::Level(_, level)) => {
            (plain(&format!("{}: {} vs {}", variable.label, labels[*level], labels[reference])), Digits::Contrast)
        }
        (Kind::Continuous { unit, .. }, _) if !unit.is_empty() => {
            (plain(&format!("{} ({unit})", variable.label)), Digits::PerUnit)
        }
        (Kind::Days { .. }, _) => (plain(&format!("{} (days)", variable.label)), Digits::PerUnit),
        _ => (plain(&variable.label), Digits::PerUnit),
    }
}

/// Text of a protocol without control characters, which a terminal would obey, and without what turns the direction of
/// the text after it.
pub fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let no_text = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().filter(|c| !turns(*c)).map(|c| if no_text(c) { ' ' } else { c }).collect()
}

/// Label of an outcome's name.
pub fn outcome(protocol: &Protocol, name: &str) -> String {
    match protocol.outcome(name) {
        Some(outcome) => plain(&outcome.label),
        None if name.is_empty() => "treatment".into(),
        None => plain(name),
    }
}

/// Is it the label of survival ("Overall survival", "Event-free survival"), and not of the event that ends it ("Death or
/// stroke")? By the words for it in languages of the hospitals.
pub fn names_survival(label: &str) -> bool {
    const WORDS: [&str; 8] = ["surviv", "free", "sopravviv", "survie", "überleb", "superviv", "sobreviv", "overlev"];
    let label = label.to_lowercase();
    WORDS.iter().any(|word| label.contains(word))
}

/// What a survival curve of an outcome shows: as the protocol says, or the outcome where its label names survival, otherwise
/// who is free of the event.
pub fn free_of(outcome: &Outcome) -> String {
    let label = plain(&outcome.label);
    match &outcome.event_free {
        Some(words) => format!("{}: {label}", plain(words)),
        None if names_survival(&label) => label,
        None => format!("Free of the event: {label}"),
    }
}

/// What the probability of a survival curve is called.
pub fn survival(outcome: &Outcome) -> String {
    match &outcome.event_free {
        Some(words) => plain(words),
        None if names_survival(&outcome.label) => "Survival".into(),
        None => "Free of the event".into(),
    }
}

/// Label of an outcome's name, with that of one of its competing causes where `cause` is not empty.
pub fn event(protocol: &Protocol, name: &str, cause: &str) -> String {
    let outcome = outcome(protocol, name);
    if cause.is_empty() {
        return outcome;
    }
    let label = protocol.outcome(name).and_then(|outcome| match &outcome.kind {
        OutcomeKind::Competing(competing) => competing.causes.iter().find(|c| c.name == cause),
        OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => None,
    });
    format!("{outcome}: {}", plain(label.map_or(cause, |cause| &cause.label)))
}

/// Label of a variance.
pub fn variance(variance: Variance) -> &'static str {
    match variance {
        Variance::Naive => "naive",
        Variance::Robust => "robust",
        Variance::Survey => "survey",
        Variance::ClusterSite => "clustered by site",
        Variance::MEstimation => "M-estimation",
        Variance::Bootstrap => "bootstrap",
        Variance::BootstrapPercentile => "bootstrap percentiles",
    }
}

/// Label of a model's name.
pub fn model(name: &str) -> &str {
    match name {
        "iptw" => "IPTW",
        "interaction" => "adjusted, with interaction",
        "iptw_interaction" => "IPTW, with interaction",
        "iptw_stabilized" => "IPTW, stabilised",
        "iptw_unstabilized" => "IPTW, unstabilised",
        "iptw_att" => "IPTW, the treated (ATT)",
        "iptw_atc" => "IPTW, the controls (ATC)",
        "iptw_overlap" => "IPTW, overlap (ATO)",
        "iptw_matching" => "IPTW, matching (ATM)",
        "iptw_truncated" => "IPTW, truncated",
        "iptw_adjusted" => "IPTW and adjusted",
        "firth" => "Firth",
        "stratified" => "adjusted, stratified by site",
        other => other,
    }
}

/// "Efron" of "efron".
pub fn ties(name: &str) -> &str {
    match name {
        "efron" => "Efron",
        "breslow" => "Breslow",
        other => other,
    }
}

/// What a number's line of quartiles says; with the step to which its values were rounded, where they were.
pub fn quartiles(row: &BalanceRow) -> String {
    let step = row.rounded_to.map(|step| format!(", to steps of {step}"));
    format!("median (quartiles){}", step.unwrap_or_default())
}

/// Label of a weighting scheme.
pub fn scheme(name: &str) -> String {
    let (name, truncated) = name.strip_suffix("_truncated").map_or((name, ""), |name| (name, ", truncated"));
    let estimand = match name {
        "ate" => "ATE",
        "ate_stabilized" => "ATE, stabilised",
        "att" => "ATT",
        "atc" => "ATC",
        "ato" => "ATO (overlap)",
        "atm" => "ATM (matching)",
        "propensity" => "Propensity score",
        other => other,
    };
    format!("{estimand}{truncated}")
}

/// Name of a model; of a curve, whether it is weighted; of a standardisation, its method.
pub fn fitted(fit: &FitRow) -> &str {
    match &*fit.analysis {
        KAPLAN_MEIER if fit.model == "iptw" => "Kaplan-Meier, weighted",
        KAPLAN_MEIER => "Kaplan-Meier",
        "g_formula" => "g-formula",
        "aipw" => "AIPW",
        "standardised" => "standardised survival",
        CUMULATIVE_INCIDENCE if fit.model == "iptw" => "cumulative incidence, weighted",
        CUMULATIVE_INCIDENCE => "cumulative incidence",
        _ => model(&fit.model),
    }
}
