//! What can be said of a study before anything is computed.

use super::{Policy, PolicyRefusal, Rule};
use crate::dictionary::VariableId;
use crate::manifest::Manifest;
use crate::protocol::Protocol;
use crate::roster::Member;

impl Policy {
    /// All rules that need manifest and protocol alone; the first that refuses.
    pub fn check_study(&self, manifest: &Manifest, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        Rule::ALL.into_iter().try_for_each(|rule| self.check_rule(rule, manifest, protocol))
    }

    /// The same, and all that refuses at once.
    pub fn refusals_of_study(&self, manifest: &Manifest, protocol: &Protocol) -> Vec<PolicyRefusal> {
        Rule::ALL.into_iter().filter_map(|rule| self.check_rule(rule, manifest, protocol).err()).collect()
    }

    /// One of those rules; a rule that needs more is not broken yet.
    pub fn check_rule(&self, rule: Rule, manifest: &Manifest, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        match rule {
            Rule::MinimumSites => self.check_sites(manifest),
            Rule::FinestGridDays => self.check_grids(protocol),
            Rule::MinimumLeavers => self.check_leavers(protocol),
            Rule::MinimumCell => self.check_floor(protocol),
            Rule::Opening => self.check_opening(protocol),
            Rule::Variables => self.check_variables(protocol),
            Rule::MinimumPatients
            | Rule::MinimumPair
            | Rule::RowsPerParameter
            | Rule::EventsPerParameter
            | Rule::MaximumRounds
            | Rule::MaximumRuns
            | Rule::Differencing
            | Rule::Approvals
            | Rule::ApprovalDays => Ok(()),
        }
    }

    /// Does the policy vouch for this site? Without a list it does for all.
    pub fn vouches_for(&self, member: &Member) -> bool {
        self.trusted_sites.as_ref().is_none_or(|list| list.contains(&member.identity.fingerprint()))
    }

    fn check_sites(&self, manifest: &Manifest) -> Result<(), PolicyRefusal> {
        let got = manifest.roster.members().iter().filter(|member| self.vouches_for(member)).count();
        if got < self.minimum_sites as usize {
            let (vouched, minimum) = (self.trusted_sites.is_some(), self.minimum_sites);
            return Err(PolicyRefusal::Sites { got, vouched, minimum });
        }
        Ok(())
    }

    fn check_grids(&self, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        // a scenario has the outcomes of the study
        for outcome in &protocol.outcomes {
            if outcome.kind.grid().is_some_and(|grid| grid.days < self.finest_grid_days) {
                return Err(PolicyRefusal::Grid { outcome: outcome.name.clone() });
            }
        }
        Ok(())
    }

    fn check_leavers(&self, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        let released = std::iter::once(protocol)
            .chain(protocol.scenarios.iter().map(|scenario| &*scenario.protocol))
            .any(|protocol| !protocol.curves.is_empty() || !protocol.incidences.is_empty());
        let got = protocol.release.minimum_leavers;
        if released && got < self.minimum_leavers {
            return Err(PolicyRefusal::Leavers { got, minimum: self.minimum_leavers });
        }
        Ok(())
    }

    /// The study hides what is smaller than its own floor, so that floor must be this site's or a higher one.
    fn check_floor(&self, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        let got = protocol.release.minimum_cell;
        if got < self.minimum_cell {
            return Err(PolicyRefusal::Floor { got, minimum: self.minimum_cell });
        }
        Ok(())
    }

    fn check_opening(&self, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        if protocol.release.opening < self.opening {
            return Err(PolicyRefusal::Opening { got: protocol.release.opening });
        }
        Ok(())
    }

    fn check_variables(&self, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        let Some(allowed) = &self.variables else { return Ok(()) };
        for id in used_variables(protocol) {
            let name = &protocol.dictionary.variable(id).name;
            if !allowed.contains(name) {
                return Err(PolicyRefusal::Variable { variable: name.clone() });
            }
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
