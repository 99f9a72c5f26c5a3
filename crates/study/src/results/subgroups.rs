//! The rows of `subgroups.csv`: patients and events by arm and level of an effect modifier.

use serde::{Deserialize, Serialize};

use super::tables::arm_names;
use crate::plan::Branch;
use crate::protocol::OutcomeKind;

/// One arm at one level of an effect modifier, for one cause of an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubgroupRow {
    /// Name of the outcome.
    pub outcome: String,
    /// Cause whose events are counted; empty where no causes compete.
    pub cause: String,
    /// Name of the effect modifier.
    pub modifier: String,
    /// Its level.
    pub level: String,
    /// Level of the arm.
    pub arm: String,
    /// Patients with a value of the outcome and this level; none when hidden.
    pub n: Option<u64>,
    /// Events among them; none when hidden.
    pub events: Option<u64>,
}

/// By outcome and modifier in the order of the models, then by cause, level and arm.
pub(super) fn rows(branch: &Branch) -> Vec<SubgroupRow> {
    let protocol = branch.protocol();
    let arms = arm_names(protocol);
    let mut rows = Vec::new();
    for counts in branch.subgroups() {
        let outcome = &protocol.outcomes[counts.outcome];
        let variable = protocol.dictionary.variable(counts.variable);
        let causes: Vec<&str> = match &outcome.kind {
            OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => vec![""],
            OutcomeKind::Competing(competing) => competing.causes.iter().map(|cause| cause.name.as_str()).collect(),
        };
        for (k, cause) in causes.into_iter().enumerate() {
            for (level, name) in variable.levels().iter().enumerate() {
                rows.extend(arms.iter().enumerate().map(|(arm, arm_name)| SubgroupRow {
                    outcome: outcome.name.clone(),
                    cause: cause.into(),
                    modifier: variable.name.clone(),
                    level: name.clone(),
                    arm: arm_name.clone(),
                    n: Some(counts.n(arm, level)),
                    events: Some(counts.events(arm, level)[k]),
                }));
            }
        }
    }
    rows
}
