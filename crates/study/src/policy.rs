//! The site's own rules: what it answers at all. A study may be stricter, never looser.

use secagg::{Canonical, Digest};

use crate::dictionary::VariableId;
use crate::document::{Mistakes, Reader, Table, parse};
use crate::manifest::Manifest;
use crate::plan::Facts;
use crate::protocol::Protocol;

/// Fewest sites that any policy may allow: a site hides behind at least two others.
pub const FLOOR_SITES: u32 = 3;

/// Rules of one site. Without a file the strict default holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Smallest roster it takes part in.
    pub minimum_sites: u32,
    /// Fewest analysed patients over all sites for models to start.
    pub minimum_patients: u32,
    /// Finest time grid in days.
    pub finest_grid_days: f64,
    /// Most rounds of one run.
    pub maximum_rounds: u32,
    /// Variables a study may use; none means all.
    pub variables: Option<Vec<String>>,
    /// Digest of the rules.
    pub digest: Digest,
}

/// A rule that refuses a study.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// Too few sites.
    #[error("the study has {got} sites, this site's policy asks for at least {minimum}")]
    Sites {
        /// In the roster.
        got: usize,
        /// In the policy.
        minimum: u32,
    },
    /// Too few analysed patients over all sites.
    #[error("fewer analysed patients over all sites than this site's policy asks for ({minimum})")]
    Patients {
        /// In the policy.
        minimum: u32,
    },
    /// A grid finer than allowed.
    #[error("the time grid of `{outcome}` is finer than this site's policy allows")]
    Grid {
        /// Name of the outcome.
        outcome: String,
    },
    /// A variable that is not allowed.
    #[error("the study uses `{variable}`, which this site's policy does not allow")]
    Variable {
        /// Name of the variable.
        variable: String,
    },
    /// Too many rounds.
    #[error("the run has reached this site's limit of {maximum} rounds")]
    Rounds {
        /// In the policy.
        maximum: u32,
    },
}

impl PolicyRefusal {
    /// Stable rule id.
    pub fn rule(&self) -> &'static str {
        match self {
            PolicyRefusal::Sites { .. } => "policy.minimum_sites",
            PolicyRefusal::Patients { .. } => "policy.minimum_patients",
            PolicyRefusal::Grid { .. } => "policy.finest_grid_days",
            PolicyRefusal::Variable { .. } => "policy.variables",
            PolicyRefusal::Rounds { .. } => "policy.maximum_rounds",
        }
    }
}

impl Default for Policy {
    fn default() -> Policy {
        Policy::new(5, 100, 7.0, 200, None)
    }
}

impl Policy {
    fn new(
        minimum_sites: u32,
        minimum_patients: u32,
        finest_grid_days: f64,
        maximum_rounds: u32,
        variables: Option<Vec<String>>,
    ) -> Policy {
        let digest = Canonical::new("entente/v1/policy")
            .u32(minimum_sites)
            .u32(minimum_patients)
            .f64(finest_grid_days)
            .u32(maximum_rounds)
            .option(variables.as_ref(), |out, names| out.list(names, |out, name| out.str(name)))
            .digest();
        Policy { minimum_sites, minimum_patients, finest_grid_days, maximum_rounds, variables, digest }
    }

    /// Parses a policy file; a rule that is not named has its strict default.
    pub fn parse(text: &str) -> Result<Policy, Mistakes> {
        let document = parse(text)?;
        let reader = Reader::new(text);
        let root = Table::root(&reader, &document);
        let default = Policy::default();
        let minimum_sites = root.optional_whole("minimum_sites").unwrap_or(default.minimum_sites);
        if minimum_sites < FLOOR_SITES {
            root.mistake("minimum_sites", format!("must be at least {FLOOR_SITES}: a site hides behind two others"));
        }
        let policy = Policy::new(
            minimum_sites,
            root.optional_whole("minimum_patients").unwrap_or(default.minimum_patients),
            root.optional_number("finest_grid_days").unwrap_or(default.finest_grid_days),
            root.optional_whole("maximum_rounds").unwrap_or(default.maximum_rounds),
            root.optional_texts("variables"),
        );
        root.close();
        drop(root);
        reader.finish(Some(policy))
    }

    /// What can be said before anything is computed.
    pub fn check_study(&self, manifest: &Manifest, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        if manifest.roster.len() < self.minimum_sites as usize {
            return Err(PolicyRefusal::Sites { got: manifest.roster.len(), minimum: self.minimum_sites });
        }
        // a scenario has the outcomes of the study
        for outcome in &protocol.outcomes {
            if outcome.kind.grid().is_some_and(|grid| grid.days < self.finest_grid_days) {
                return Err(PolicyRefusal::Grid { outcome: outcome.name.clone() });
            }
        }
        let Some(allowed) = &self.variables else { return Ok(()) };
        for id in used_variables(protocol) {
            let name = &protocol.dictionary.variable(id).name;
            if !allowed.contains(name) {
                return Err(PolicyRefusal::Variable { variable: name.clone() });
            }
        }
        Ok(())
    }

    /// What can be said after the first round, before any model starts.
    pub fn check_facts(&self, facts: &Facts) -> Result<(), PolicyRefusal> {
        if facts.analysed() < u64::from(self.minimum_patients) {
            return Err(PolicyRefusal::Patients { minimum: self.minimum_patients });
        }
        Ok(())
    }

    /// Is one more round allowed?
    pub fn check_round(&self, round: u32) -> Result<(), PolicyRefusal> {
        if round > self.maximum_rounds {
            return Err(PolicyRefusal::Rounds { maximum: self.maximum_rounds });
        }
        Ok(())
    }
}

/// Variables that anything of the study depends on. A criterion counts as using every variable whose name stands in it,
/// even inside a quoted text: a reviewer rather sees one name too many.
fn used_variables(protocol: &Protocol) -> Vec<VariableId> {
    let mut used = vec![protocol.treatment.variable];
    used.extend(protocol.scenarios.iter().flat_map(|scenario| used_variables(&scenario.protocol)));
    for criterion in &protocol.eligibility {
        let words = criterion.require.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: Vec<&str> = words.collect();
        let variables = protocol.dictionary.variables().iter().enumerate();
        let named = variables.filter(|(_, v)| words.iter().any(|word| word.eq_ignore_ascii_case(&v.name)));
        used.extend(named.map(|(i, _)| VariableId(i)));
    }
    used.extend(protocol.propensity.iter().flat_map(|p| p.covariates.iter().copied()));
    used.extend(protocol.baseline.iter().flat_map(|b| b.variables.iter().copied()));
    for analysis in &protocol.analyses {
        used.extend(&analysis.covariates);
        used.extend(analysis.effect_modifiers.iter().map(|m| m.variable));
        let outcomes = analysis.outcomes.iter().filter_map(|name| protocol.outcome(name));
        used.extend(outcomes.flat_map(|outcome| outcome.kind.variables()));
    }
    let curves = protocol.curves.iter().flat_map(|curve| &curve.outcomes);
    let incidences = protocol.incidences.iter().flat_map(|incidence| &incidence.outcomes);
    let outcomes = curves.chain(incidences).filter_map(|name| protocol.outcome(name));
    used.extend(outcomes.flat_map(|outcome| outcome.kind.variables()));
    used
}
