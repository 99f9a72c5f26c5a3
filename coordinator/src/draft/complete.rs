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
    /// Covariates of all models.
    pub covariates: Vec<String>,
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
    if treatment.is_none() {
        missing.push("--treatment");
    }
    if arms.is_none() {
        missing.extend(["--control", "--treated"]);
    }
    let outcomes = if answers.outcomes.is_empty() { find_outcomes(&variables) } else { answers.outcomes };
    if outcomes.is_empty() {
        missing.push("--outcome");
    }
    let (Some(patient), Some(treatment), Some((control, treated))) = (patient, treatment, arms) else {
        return Err(DraftError::Incomplete(missing));
    };
    if !missing.is_empty() {
        return Err(DraftError::Incomplete(missing));
    }
    declare(&mut variables, &treatment, &Kind::Categorical { levels: vec![control.clone(), treated.clone()] });
    let covariates = if answers.covariates.is_empty() {
        others(&variables, &treatment, &outcomes)
    } else {
        for DeclaredVariable { name, kind } in &answers.covariates {
            match kind {
                Some(kind) => declare(&mut variables, name, kind),
                None if guessed => {}
                None => return Err(DraftError::Incomplete(vec!["--covariate with a kind, or --csv"])),
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
        covariates,
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
        Some(variable) => *variable = Guess { name: name.into(), kind: kind.clone(), remarks: Vec::new() },
        None => variables.push(Guess { name: name.into(), kind: kind.clone(), remarks: Vec::new() }),
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

fn find_treatment(variables: &[Guess]) -> Option<String> {
    let fits = |variable: &&Guess| matches!(variable.kind, Kind::Binary | Kind::Categorical { .. });
    let named = |known: &str| {
        let mut fitting = variables.iter().filter(fits);
        fitting.find(|variable| words(&variable.name).iter().any(|word| word == known))
    };
    TREATMENT.into_iter().find_map(named).map(|variable| variable.name.clone())
}

/// Levels of control and treated arm: as said, else the first two of the column.
fn arms(answers: &Answers, treatment: &str, variables: &[Guess]) -> Option<(String, String)> {
    let levels = match variables.iter().find(|variable| variable.name == treatment).map(|variable| &variable.kind) {
        Some(Kind::Binary) => vec!["0".to_owned(), "1".to_owned()],
        Some(Kind::Categorical { levels }) => levels.clone(),
        _ => Vec::new(),
    };
    let other = |than: Option<&String>| levels.iter().find(|level| Some(*level) != than).cloned();
    let control = answers.control.clone().or_else(|| other(answers.treated.as_ref()))?;
    let treated = answers.treated.clone().or_else(|| other(Some(&control)))?;
    Some((control, treated))
}

/// Words of an event where the name of the time does not tell it.
const EVENT: [&str; 7] = ["death", "dead", "died", "event", "status", "progression", "relapse"];

/// Times with their events: `os_days` with `os_event`, then what is left with `death` and the like.
fn find_outcomes(variables: &[Guess]) -> Vec<DeclaredOutcome> {
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
