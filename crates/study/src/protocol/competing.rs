//! Outcomes with competing causes, and what is estimated of them.

use stats::survival::IntervalKind;

use super::TimeGrid;
use crate::dictionary::VariableId;

/// A patient leaves by the first of several causes, or is censored.
#[derive(Debug, Clone, PartialEq)]
pub struct Competing {
    /// Days variable.
    pub time: VariableId,
    /// Categorical variable that says why a patient leaves.
    pub status: VariableId,
    /// The causes in declared order; they are numbered from 1. The one level of the status that is no cause is censored.
    pub causes: Vec<Cause>,
    /// Time grid and horizon; a cause beyond the horizon is censored there.
    pub grid: TimeGrid,
}

/// One cause of leaving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its level of the status variable.
    pub level: usize,
    /// Name in analyses and results: the level as it stands in the file.
    pub name: String,
    /// What a person reads.
    pub label: String,
}

impl Competing {
    /// Number of a cause by its name, from 1.
    pub fn cause(&self, name: &str) -> Option<u8> {
        self.number(|cause| cause.name == name)
    }

    /// Number of the cause of a level of the status; 0 is censored.
    pub fn of_level(&self, level: u8) -> u8 {
        self.number(|cause| cause.level == usize::from(level)).unwrap_or(0)
    }

    /// Number of causes.
    pub fn count(&self) -> u8 {
        self.causes.len() as u8
    }

    fn number(&self, is: impl Fn(&Cause) -> bool) -> Option<u8> {
        self.causes.iter().position(is).map(|index| index as u8 + 1)
    }
}

/// One declared `cumulative_incidence` analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidenceAnalysis {
    /// Names of the competing outcomes it is made for.
    pub outcomes: Vec<String>,
    /// Without weights, with the study's weights, or both.
    pub weighted: Vec<bool>,
    /// Days at which incidences are reported, ascending; each stands for the right end of its cell.
    pub times_days: Vec<u32>,
    /// Intervals of the incidences.
    pub conf_types: Vec<IntervalKind>,
}
