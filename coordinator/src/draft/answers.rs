//! What a person says about a study, as flags or on a terminal.

use std::str::FromStr;

use super::numbers::{decimals, step};

/// Answers; what is `None` or empty was not given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// Name in files and runs.
    pub id: Option<String>,
    /// Title for people.
    pub title: Option<String>,
    /// Column that identifies a patient.
    pub patient: Option<String>,
    /// Column of the treatment.
    pub treatment: Option<String>,
    /// Level of the control arm.
    pub control: Option<String>,
    /// Level of the treated arm.
    pub treated: Option<String>,
    /// Covariates of all models.
    pub covariates: Vec<DeclaredVariable>,
    /// Outcomes.
    pub outcomes: Vec<DeclaredOutcome>,
    /// Days of a cell of time.
    pub grid_days: Option<f64>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// 0 or 1.
    Binary,
    /// A number between two bounds.
    Continuous {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
        /// Step of the value grid.
        resolution: f64,
        /// Are values finer than that?
        rounded: bool,
    },
    /// One of these texts.
    Categorical {
        /// The first is the reference.
        levels: Vec<String>,
    },
    /// Whole days since time zero.
    Days {
        /// Largest number of days.
        max: u32,
    },
}

/// A covariate: its column, and its kind unless a file tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredVariable {
    /// Column.
    pub name: String,
    /// Kind, if it was given.
    pub kind: Option<Kind>,
}

/// An outcome with its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredOutcome {
    /// Name in analyses and results.
    pub name: String,
    /// Kind and columns.
    pub kind: OutcomeKind,
}

/// Kinds of outcomes that a draft knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The column has the name of the outcome.
    Binary,
    /// A time to event.
    Time {
        /// Column of the days.
        days: String,
        /// Column of the event, 0 or 1.
        event: String,
        /// Later follow-up is censored there; the end of the column when it was not given.
        horizon: Option<u32>,
    },
}

const VARIABLE: &str = "expected NAME, NAME:binary, NAME:continuous:LOW:HIGH:STEP or NAME:categorical:A,B,C";

impl FromStr for DeclaredVariable {
    type Err = String;

    fn from_str(text: &str) -> Result<DeclaredVariable, String> {
        let mut words = text.splitn(3, ':').map(str::trim);
        let name = words.next().filter(|name| !name.is_empty()).ok_or(VARIABLE)?.to_owned();
        let kind = match (words.next(), words.next()) {
            (None, None) => None,
            (Some("binary"), None) => Some(Kind::Binary),
            (Some("continuous"), Some(bounds)) => Some(continuous(bounds)?),
            (Some("categorical"), Some(levels)) => {
                Some(Kind::Categorical { levels: levels.split(',').map(|level| level.trim().to_owned()).collect() })
            }
            _ => return Err(VARIABLE.into()),
        };
        Ok(DeclaredVariable { name, kind })
    }
}

/// Bounds, and the step in which values are recorded; without one it has as many decimals as the bounds.
fn continuous(text: &str) -> Result<Kind, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|x| x.is_finite());
    let numbers: Option<Vec<f64>> = text.split(':').map(number).collect();
    let (low, high, resolution) = match numbers.as_deref() {
        Some([low, high]) => (*low, *high, step(decimals(*low).max(decimals(*high)))),
        Some([low, high, step]) => (*low, *high, *step),
        _ => (0.0, 0.0, 0.0),
    };
    if low < high && resolution > 0.0 {
        return Ok(Kind::Continuous { low, high, resolution, rounded: false });
    }
    Err("expected NAME:continuous:LOW:HIGH:STEP with LOW below HIGH, such as creatinine:continuous:0.2:15:0.01".into())
}

const OUTCOME: &str = "expected NAME:binary or NAME:time:DAYS:EVENT:HORIZON, such as os:time:os_days:died:1826";

impl FromStr for DeclaredOutcome {
    type Err = String;

    fn from_str(text: &str) -> Result<DeclaredOutcome, String> {
        let words: Vec<&str> = text.split(':').map(str::trim).collect();
        if words.iter().any(|word| word.is_empty()) {
            return Err(OUTCOME.into());
        }
        let (name, kind) = match words.as_slice() {
            [name, "binary"] => (name, OutcomeKind::Binary),
            [name, "time", days, event] => (name, time(days, event, None)),
            [name, "time", days, event, horizon] => {
                let horizon =
                    horizon.parse().ok().filter(|days| *days > 0).ok_or("HORIZON is a number of whole days")?;
                (name, time(days, event, Some(horizon)))
            }
            _ => return Err(OUTCOME.into()),
        };
        Ok(DeclaredOutcome { name: (*name).to_owned(), kind })
    }
}

fn time(days: &str, event: &str, horizon: Option<u32>) -> OutcomeKind {
    OutcomeKind::Time { days: days.to_owned(), event: event.to_owned(), horizon }
}
