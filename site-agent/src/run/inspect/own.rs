//! This site's own answers to the questions of the first round that count patients. They leave only under masks.

use std::fmt;
use std::sync::Arc;

use study::cohort::Cohort;
use study::evaluate::{EvaluateError, Evaluator};
use study::plan::Plan;
use study::protocol::Protocol;
use study::question::Question;
use study::word;

use super::InspectError;

/// A count of this site's patients.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnCount {
    /// What is counted.
    pub of: String,
    /// How many.
    pub counted: Counted,
}

/// How a count is divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counted {
    /// By arm, and who is in neither.
    Everybody {
        /// In the control arm.
        control: f64,
        /// In the treated arm.
        treated: f64,
        /// In neither.
        neither: f64,
    },
    /// By arm.
    Arms {
        /// In the control arm.
        control: f64,
        /// In the treated arm.
        treated: f64,
    },
    /// Not at all.
    Together(f64),
}

impl Counted {
    /// The numbers in order.
    pub fn values(&self) -> Vec<f64> {
        match *self {
            Counted::Everybody { control, treated, neither } => vec![control, treated, neither],
            Counted::Arms { control, treated } => vec![control, treated],
            Counted::Together(count) => vec![count],
        }
    }

    fn arms(counts: &[f64]) -> Counted {
        Counted::Arms { control: counts[0], treated: counts[1] }
    }
}

impl fmt::Display for OwnCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.counted {
            Counted::Everybody { control, treated, neither } => {
                write!(f, "{}: {control} control, {treated} treated, {neither} neither", self.of)
            }
            Counted::Arms { control, treated } => write!(f, "{}: {control} control, {treated} treated", self.of),
            Counted::Together(count) => write!(f, "{}: {count}", self.of),
        }
    }
}

/// This site's own counts of analysed patients: levels, missing values, outcomes by arm.
pub fn own_counts(protocol: &Arc<Protocol>, cohort: &Cohort) -> Result<Vec<OwnCount>, InspectError> {
    let mut found = counts(protocol, cohort, 1).map_err(InspectError::Preview)?;
    found.retain(|count| !matches!(count.counted, Counted::Everybody { .. }));
    Ok(found)
}

/// The counts of the main analysis over the site's rows.
pub(super) fn counts(protocol: &Arc<Protocol>, cohort: &Cohort, sites: usize) -> Result<Vec<OwnCount>, EvaluateError> {
    let evaluator = Evaluator::new(protocol, cohort, sites, false);
    let mut found = Vec::new();
    for asked in Plan::new(Arc::clone(protocol)).ask().iter().filter(|asked| asked.view.scenario.is_none()) {
        let counts = word::read(&evaluator.answer(asked)?, sites);
        let named = named(&asked.question, protocol, &counts).into_iter();
        found.extend(named.map(|(of, counted)| OwnCount { of, counted }));
    }
    Ok(found)
}

/// Counts of patients with their names; none for sums of other kinds.
fn named(question: &Question, protocol: &Protocol, counts: &[f64]) -> Vec<(String, Counted)> {
    match question {
        Question::Flow => {
            let steps = counts.chunks(3).enumerate().map(|(step, counts)| {
                let label = match step.checked_sub(1).map(|i| protocol.eligibility.get(i)) {
                    None => "rows of the file",
                    Some(Some(criterion)) => &criterion.label,
                    // a scenario may trim, the main analysis shown here does not
                    Some(None) => "in one of the two arms",
                };
                let counted = Counted::Everybody { control: counts[0], treated: counts[1], neither: counts[2] };
                (label.to_owned(), counted)
            });
            steps.collect()
        }
        Question::Levels { variable } => {
            let variable = protocol.dictionary.variable(*variable);
            let (control, treated) = counts.split_at(counts.len() / 2);
            let labels = variable.levels().iter().map(String::as_str).chain(["missing"]);
            let arms = control.iter().zip(treated).map(|(&control, &treated)| Counted::Arms { control, treated });
            labels.zip(arms).map(|(level, arms)| (format!("{} {level}", variable.name), arms)).collect()
        }
        Question::Missingness { variable } => {
            vec![(format!("{} missing", protocol.dictionary.variable(*variable).name), Counted::arms(counts))]
        }
        Question::Events { outcome } => {
            let name = &protocol.outcomes[*outcome].name;
            vec![
                (format!("{name} censored"), Counted::arms(&[counts[0], counts[2]])),
                (format!("{name} with event"), Counted::arms(&[counts[1], counts[3]])),
                (format!("{name} missing"), Counted::Together(counts[4])),
                (format!("{name} beyond the horizon"), Counted::Together(counts[5])),
            ]
        }
        _ => Vec::new(),
    }
}
