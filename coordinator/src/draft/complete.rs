//! Answers and columns put together; what neither tells is guessed from names, or missing.

use super::answers::{Answers, DeclaredOutcome, DeclaredVariable, Kind, OutcomeKind};
use super::columns::{Columns, Guess, words};
use super::error::DraftError;

/// Width of a cell of time where nobody says another: a month.
const GRID_DAYS: f64 = 30.4375;

/// Everything that a protocol is written from.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Name in files and runs.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Column that identifies a patient.
    pub patient: String,
    /// The data dictionary.
    pub variables: Vec<Guess>,
    /// Columns of a file that the dictionary does not have, with the reason.
    pub left_out: Vec<String>,
    /// Column of the treatment.
    pub treatment: String,
    /// Level of the control arm.
    pub control: String,
    /// Level of the treated arm.
    pub treated: String,
    /// Did a person say which level is which arm?
    pub arms_said: bool,
    /// Covariates of all models.
    pub covariates: Vec<String>,
    /// Columns whose names say that they are known only after time zero, and that no covariate was made of.
    pub after: Vec<String>,
    /// Binary columns that are neither treatment nor part of an outcome.
    pub binary: Vec<String>,
    /// Outcomes.
    pub outcomes: Vec<DeclaredOutcome>,
    /// Days of a cell of time.
    pub grid_days: f64,
    /// Is it guessed from a file?
    pub guessed: bool,
}

/// A draft, or what is missing for one.
pub fn complete(answers: Answers, columns: Option<Columns>) -> Result<Draft, DraftError> {
    let guessed = columns.is_some();
    let Columns { patient, guesses, left_out } = columns.unwrap_or_default();
    let mut variables = guesses;
    let mut missing = Vec::new();
    let patient = answers.patient.clone().or(if guessed { patient } else { Some("patient".into()) });
    if patient.is_none() {
        missing.push("--patient");
    }
    let treatment = answers.treatment.clone().or_else(|| find_treatment(&variables));
    let arms = treatment.as_deref().and_then(|name| arms(&answers, name, &variables));
    let arms_said = answers.control.is_some() && answers.treated.is_some();
    if treatment.is_none() {
        missing.push("--treatment");
    }
    if arms.is_none() {
        missing.extend(["--control", "--treated"]);
    }
    let outcomes =
        if answers.outcomes.is_empty() { find_outcomes(&variables, treatment.as_deref()) } else { answers.outcomes };
    let candidates = binary(&variables, treatment.as_deref(), &outcomes);
    if outcomes.is_empty() {
        missing.push("--outcome");
    }
    let (Some(patient), Some(treatment), Some((control, treated))) = (patient, treatment, arms) else {
        return Err(DraftError::Incomplete(missing, candidates));
    };
    if !missing.is_empty() {
        return Err(DraftError::Incomplete(missing, candidates));
    }
    declare(&mut variables, &treatment, &Kind::Categorical { levels: vec![control.clone(), treated.clone()] });
    let mut after = Vec::new();
    let covariates = if answers.covariates.is_empty() {
        let (later, before) = others(&variables, &treatment, &outcomes).into_iter().partition(|name| is_after(name));
        after = later;
        before
    } else {
        for DeclaredVariable { name, kind } in &answers.covariates {
            match kind {
                Some(kind) => declare(&mut variables, name, kind),
                None if guessed => {}
                None => return Err(DraftError::Incomplete(vec!["--covariate with a kind, or --csv"], Vec::new())),
            }
        }
        answers.covariates.into_iter().map(|variable| variable.name).collect()
    };
    if !guessed {
        declare_outcomes(&mut variables, &outcomes);
    }
    Ok(Draft {
        id: answers.id.unwrap_or_else(|| "new-study".into()),
        title: answers.title.unwrap_or_else(|| format!("{treated} versus {control}")),
        patient,
        variables,
        left_out,
        treatment,
        control,
        treated,
        arms_said,
        covariates,
        after,
        binary: candidates,
        outcomes,
        grid_days: answers.grid_days.unwrap_or(GRID_DAYS),
        guessed,
    })
}

/// Declares a variable; where a file told a kind, what a person said counts.
fn declare(variables: &mut Vec<Guess>, name: &str, kind: &Kind) {
    match variables.iter_mut().find(|variable| variable.name == name) {
        // a treatment may have more levels than its two arms, and be 0 and 1
        Some(Guess { kind: Kind::Categorical { levels }, .. }) => {
            if let Kind::Categorical { levels: named } = kind
                && !named.iter().all(|level| levels.contains(level))
            {
                levels.clone_from(named);
            }
        }
        Some(Guess { kind: Kind::Binary, .. }) if matches!(kind, Kind::Categorical { .. }) => {}
        Some(variable) => *variable = Guess::of(name, kind),
        None => variables.push(Guess::of(name, kind)),
    }
}

fn declare_outcomes(variables: &mut Vec<Guess>, outcomes: &[DeclaredOutcome]) {
    for DeclaredOutcome { name, kind } in outcomes {
        match kind {
            OutcomeKind::Binary => declare(variables, name, &Kind::Binary),
            OutcomeKind::Time { days, event, horizon } => {
                let horizon = horizon.unwrap_or(1826);
                declare(variables, days, &Kind::Days { max: horizon.saturating_mul(2) });
                declare(variables, event, &Kind::Binary);
            }
        }
    }
}

const TREATMENT: [&str; 12] = [
    "treatment",
    "treated",
    "arm",
    "regimen",
    "drug",
    "therapy",
    "trt",
    "rx",
    "exposure",
    "exposed",
    "group",
    "cohort",
];

pub(super) fn find_treatment(variables: &[Guess]) -> Option<String> {
    let fits = |variable: &&Guess| matches!(variable.kind, Kind::Binary | Kind::Categorical { .. });
    let named = |known: &str| {
        let mut fitting = variables.iter().filter(fits);
        fitting.find(|variable| words(&variable.name).iter().any(|word| word == known))
    };
    TREATMENT.into_iter().find_map(named).map(|variable| variable.name.clone())
}

/// Levels of control and treated arm: as said, else the two largest of the column, of which nobody knows which is which.
fn arms(answers: &Answers, treatment: &str, variables: &[Guess]) -> Option<(String, String)> {
    let variable = variables.iter().find(|variable| variable.name == treatment);
    let levels = variable.map_or(&[][..], |variable| &variable.by_size);
    let other = |than: Option<&String>| levels.iter().find(|level| Some(*level) != than).cloned();
    let control = answers.control.clone().or_else(|| other(answers.treated.as_ref()))?;
    let treated = answers.treated.clone().or_else(|| other(Some(&control)))?;
    Some((control, treated))
}

/// Words of an event where the name of the time does not tell it.
const EVENT: [&str; 7] = ["death", "dead", "died", "event", "status", "progression", "relapse"];

/// Times with their events: `os_days` with `os_event`, then what is left with `death` and the like. Where no time has an
/// event, the binary columns whose names say that they are known only after time zero.
fn find_outcomes(variables: &[Guess], treatment: Option<&str>) -> Vec<DeclaredOutcome> {
    let times = find_times(variables);
    if !times.is_empty() {
        return times;
    }
    let binary = binary(variables, treatment, &[]).into_iter().filter(|name| is_after(name));
    binary.map(|name| DeclaredOutcome { name, kind: OutcomeKind::Binary }).collect()
}

/// Binary columns that are neither treatment nor part of an outcome.
pub(super) fn binary(variables: &[Guess], treatment: Option<&str>, outcomes: &[DeclaredOutcome]) -> Vec<String> {
    let free = others(variables, treatment.unwrap_or_default(), outcomes);
    let binary = |name: &String| variables.iter().any(|v| v.name == *name && v.kind == Kind::Binary);
    free.into_iter().filter(binary).collect()
}

/// Words in the names of columns that are known only after time zero.
const AFTER: [&str; 48] = [
    "event",
    "death",
    "dead",
    "died",
    "deceased",
    "alive",
    "mortality",
    "mort",
    "progression",
    "progressed",
    "relapse",
    "relapsed",
    "recurrence",
    "recurred",
    "response",
    "responder",
    "responded",
    "resp",
    "remission",
    "cured",
    "outcome",
    "censor",
    "censored",
    "censoring",
    "followup",
    "fu",
    "survival",
    "os",
    "pfs",
    "dfs",
    "efs",
    "rfs",
    "ttp",
    "discharge",
    "discharged",
    "los",
    "readmission",
    "readmitted",
    "toxicity",
    "sae",
    "adverse",
    "complication",
    "discontinued",
    "discontinuation",
    "withdrawn",
    "crossover",
    "rescue",
    "post",
];

/// Units of time behind or before a number: `week12`, `30d`.
const UNITS: [&str; 12] = ["d", "day", "days", "w", "wk", "week", "weeks", "mo", "month", "months", "year", "y"];

/// Does a column's name say that it is known only after time zero?
pub(super) fn is_after(name: &str) -> bool {
    let words = words(name);
    let days_later = |word: &String| {
        let digits = |text: &str| text.parse::<u32>().is_ok_and(|n| n > 0);
        let split = |unit: &&str| {
            // a letter before a number is a stage or a site as well: t4, m1
            (unit.len() > 2 && word.strip_prefix(unit).is_some_and(digits))
                || word.strip_suffix(unit).is_some_and(digits)
        };
        UNITS.iter().any(split)
    };
    let [first, second] = [0, 1].map(|i| words.get(i).map(String::as_str));
    words.iter().any(|word| AFTER.contains(&word.as_str()) || days_later(word))
        || (first, second) == (Some("time"), Some("to"))
        || (first == Some("status") && second.is_none())
        || (first, second) == (Some("vital"), Some("status"))
}

fn find_times(variables: &[Guess]) -> Vec<DeclaredOutcome> {
    let times: Vec<(&Guess, u32, Vec<String>)> = variables
        .iter()
        .filter_map(|variable| match variable.kind {
            Kind::Days { max } => Some((variable, max, stem(&variable.name))),
            _ => None,
        })
        .collect();
    let binary: Vec<&Guess> = variables.iter().filter(|variable| variable.kind == Kind::Binary).collect();
    let mut used: Vec<&str> = Vec::new();
    let mut events: Vec<Option<&Guess>> = vec![None; times.len()];
    for (event, (_, _, stem)) in events.iter_mut().zip(&times) {
        let of_stem = |g: &&&Guess| !stem.is_empty() && stem.iter().all(|word| words(&g.name).contains(word));
        *event = binary.iter().find(of_stem).copied();
        used.extend(event.map(|event| event.name.as_str()));
    }
    for event in events.iter_mut().filter(|event| event.is_none()) {
        let named = |known: &&str| {
            let free = |g: &&&Guess| !used.contains(&g.name.as_str()) && words(&g.name).iter().any(|w| w == known);
            binary.iter().find(free).copied()
        };
        *event = EVENT.iter().find_map(named);
        used.extend(event.map(|event| event.name.as_str()));
    }
    let paired = times.iter().zip(events).filter_map(|((time, max, stem), event)| {
        let name = if stem.is_empty() { event?.name.clone() } else { stem.join("_") };
        let (days, event) = (time.name.clone(), event?.name.clone());
        Some(DeclaredOutcome { name, kind: OutcomeKind::Time { days, event, horizon: Some(*max) } })
    });
    paired.collect()
}

/// What a time is about: its words without those that say that it is one.
fn stem(name: &str) -> Vec<String> {
    let mut words = words(name);
    words.retain(|word| !matches!(word.as_str(), "days" | "day" | "time" | "duration" | "fu" | "followup"));
    words
}

/// Everything that is neither treatment nor time nor part of an outcome.
fn others(variables: &[Guess], treatment: &str, outcomes: &[DeclaredOutcome]) -> Vec<String> {
    let taken = |name: &str| {
        name == treatment
            || outcomes.iter().any(|outcome| match &outcome.kind {
                OutcomeKind::Binary => outcome.name == name,
                OutcomeKind::Time { days, event, .. } => days == name || event == name,
            })
    };
    let covariates = variables.iter().filter(|v| !matches!(v.kind, Kind::Days { .. }) && !taken(&v.name));
    covariates.map(|variable| variable.name.clone()).collect()
}
