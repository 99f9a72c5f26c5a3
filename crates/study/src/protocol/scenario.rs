//! A declared variation of the main analysis.

use std::sync::Arc;

use super::Protocol;
use crate::cohort::{Cohort, Column, MISSING_LEVEL};
use crate::dictionary::{Dictionary, Kind, VariableId};

/// Level of those whose value is missing, where a scenario makes one.
pub const MISSING: &str = "missing";

/// `[[scenario]]`: the main analysis over other rows, with other weights or other covariates.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name in results.
    pub name: String,
    /// What a person reads.
    pub label: String,
    /// What is analysed: the main protocol with what the scenario changes, without scenarios.
    pub protocol: Arc<Protocol>,
    /// Where propensity scores trim: the same before trimming, with the propensity model alone.
    pub untrimmed: Option<Arc<Protocol>>,
    /// Categorical variables whose missing values are a level of their own, the last.
    pub missing_as_level: Vec<VariableId>,
    /// Covariates whose missing values are drawn, where some are.
    pub imputation: Option<Imputation>,
}

/// Multiple imputation of a scenario's covariates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imputation {
    /// Covariates, in the order in which they are imputed.
    pub variables: Vec<VariableId>,
    /// Number of draws.
    pub draws: u32,
    /// Beside each site's own key: the same seed gives the same draws.
    pub seed: u32,
}

impl Scenario {
    /// Gives missing values the level that the scenario's dictionary has for them.
    pub fn recode(&self, cohort: &mut Cohort) {
        for id in &self.missing_as_level {
            let missing = self.protocol.dictionary.variable(*id).levels().len() - 1;
            if let Column::Levels(levels) = &mut cohort.columns[id.0] {
                levels.iter_mut().filter(|level| **level == MISSING_LEVEL).for_each(|level| *level = missing as u8);
            }
        }
    }
}

/// A dictionary in which these categorical variables have a level for missing values.
pub(super) fn with_missing_levels(dictionary: &Dictionary, variables: &[VariableId]) -> Dictionary {
    let mut all = dictionary.variables().to_vec();
    for id in variables {
        if let Kind::Categorical { levels, labels, binary } = &mut all[id.0].kind {
            levels.push(MISSING.into());
            labels.push(MISSING.into());
            *binary = false;
        }
    }
    Dictionary::new(all)
}
