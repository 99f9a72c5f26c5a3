//! What can be said of a study before anything is computed.

use super::{Policy, PolicyRefusal, Rule};
use crate::manifest::Manifest;
use crate::protocol::{Analysis, Protocol, narrowest};
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
            _ => self.check_rule_of_protocol(rule, protocol),
        }
    }

    /// The rules that the protocol alone breaks, whatever the roster.
    pub fn refusals_of_protocol(&self, protocol: &Protocol) -> Vec<PolicyRefusal> {
        Rule::ALL.into_iter().filter_map(|rule| self.check_rule_of_protocol(rule, protocol).err()).collect()
    }

    fn check_rule_of_protocol(&self, rule: Rule, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        match rule {
            Rule::FinestGridDays => self.check_grids(protocol),
            Rule::MinimumLeavers => self.check_leavers(protocol),
            Rule::MinimumCell => self.check_floor(protocol),
            Rule::Opening => self.check_opening(protocol),
            Rule::Curves => self.check_curves(protocol),
            Rule::Variables => self.check_variables(protocol),
            Rule::MinimumSites
            | Rule::MinimumPatients
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
        // cells of several outcomes on the same days are cut by each other's ends, and by their horizons
        for column in protocol.time_columns() {
            if let Some(near) = narrowest(&protocol.grids_of(&column), self.finest_grid_days as u32) {
                let [one, other] = [near.from.1, near.to.1].map(|index| protocol.outcomes[index].name.clone());
                return Err(PolicyRefusal::GridTogether { one, other });
            }
        }
        Ok(())
    }

    fn check_leavers(&self, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        let released = std::iter::once(protocol)
            .chain(protocol.scenarios.iter().map(|scenario| &*scenario.protocol))
            .any(|protocol| {
                let days = protocol.analyses.iter().any(Analysis::standardises_times);
                days || !protocol.curves.is_empty() || !protocol.incidences.is_empty()
            });
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

    /// Only where the study has curves.
    fn check_curves(&self, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        let has_curves = !protocol.curves.is_empty() || !protocol.incidences.is_empty();
        if has_curves && protocol.release.curves < self.curves {
            return Err(PolicyRefusal::Curves);
        }
        Ok(())
    }

    fn check_variables(&self, protocol: &Protocol) -> Result<(), PolicyRefusal> {
        let Some(allowed) = &self.variables else { return Ok(()) };
        let scenarios = protocol.scenarios.iter().flat_map(|scenario| scenario.protocol.used_variables());
        for id in protocol.used_variables().into_iter().chain(scenarios) {
            let name = &protocol.dictionary.variable(id).name;
            if !allowed.contains(name) {
                return Err(PolicyRefusal::Variable { variable: name.clone() });
            }
        }
        Ok(())
    }
}
