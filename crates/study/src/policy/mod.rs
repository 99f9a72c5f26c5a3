//! The site's own rules: what it answers at all. A study may be stricter, never looser.
//!
//! [`Rule`] lists them. A rule is checked as soon as what it needs is known: [`Policy::check_study`] on manifest and
//! protocol, [`Policy::check_memory`] on what the site approved before, [`Policy::check_opened`] on the counts of the
//! first round, [`Policy::check_round`] and [`Policy::check_time`] whenever the site is asked.

mod bad_values;
mod expected;
mod memory;
mod opened;
mod refusal;
mod rule;
mod study;

use secagg::{Canonical, Digest};

use crate::document::{Mistakes, Reader, Table, parse};
use crate::protocol::{ReleaseOpening, ReleasedCurves};
pub use bad_values::BadValues;
pub use expected::{Expected, ExpectedError, Foreseen};
pub use memory::{Mark, Remembered, Timed};
pub use refusal::PolicyRefusal;
pub use rule::{Rule, When};

/// Fewest sites that any policy may allow: a site hides behind at least two others.
pub const FLOOR_SITES: u32 = 3;

/// Rules of one site. Without a file the strict default holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Smallest roster it takes part in.
    pub minimum_sites: u32,
    /// Fingerprints of the sites that count towards the smallest roster; none means all.
    pub trusted_sites: Option<Vec<String>>,
    /// Fewest analysed patients over all sites for models to start, in the main analysis and in every scenario.
    pub minimum_patients: u32,
    /// Smallest count over all sites that a study may show, and that a model may tell of, unless it is 0; 0 or 1 allows
    /// every count.
    pub minimum_cell: u32,
    /// Fewest patients with two levels of two covariates of a model at once, unless 0; 0 or 1 allows every pair.
    pub minimum_pair: u32,
    /// Analysed patients for each parameter of a model.
    pub rows_per_parameter: u32,
    /// Events for each parameter of a model; of a binary outcome, the rarer of its values; of a propensity model, the
    /// smaller arm.
    pub events_per_parameter: u32,
    /// Finest time grid in days.
    pub finest_grid_days: f64,
    /// Fewest leavers of an arm in a cell of a released curve.
    pub minimum_leavers: u32,
    /// A study is as closed as this, or more.
    pub opening: ReleaseOpening,
    /// Curves of a study are made of cells as coarse as this, or coarser.
    pub curves: ReleasedCurves,
    /// Variables a study may use; none means all.
    pub variables: Option<Vec<String>>,
    /// What becomes of a value of an analysed row that does not fit the dictionary.
    pub bad_values: BadValues,
    /// Most rounds of one run.
    pub maximum_rounds: u32,
    /// Most approved runs of one study.
    pub maximum_runs: u32,
    /// May cohorts differ by a few patients, or nearly equal ones have other sites?
    pub allow_differencing: bool,
    /// People who have to approve, 1 or 2.
    pub approvals: u32,
    /// May they come by the same account?
    pub same_account: bool,
    /// Days for which an approval holds.
    pub approval_days: u32,
}

impl Default for Policy {
    /// The strict default.
    fn default() -> Policy {
        Policy {
            minimum_sites: 5,
            trusted_sites: None,
            minimum_patients: 100,
            minimum_cell: 5,
            minimum_pair: 5,
            rows_per_parameter: 10,
            events_per_parameter: 5,
            finest_grid_days: 7.0,
            minimum_leavers: 5,
            opening: ReleaseOpening::Results,
            curves: ReleasedCurves::Grid,
            variables: None,
            bad_values: BadValues::Refuse,
            maximum_rounds: 200,
            maximum_runs: 3,
            allow_differencing: false,
            approvals: 2,
            same_account: false,
            approval_days: 365,
        }
    }
}

impl Policy {
    /// Digest of the rules; comments and layout of the file do not count.
    pub fn digest(&self) -> Digest {
        let Policy {
            minimum_sites,
            trusted_sites,
            minimum_patients,
            minimum_cell,
            minimum_pair,
            rows_per_parameter,
            events_per_parameter,
            finest_grid_days,
            minimum_leavers,
            opening,
            curves,
            variables,
            bad_values,
            maximum_rounds,
            maximum_runs,
            allow_differencing,
            approvals,
            same_account,
            approval_days,
        } = self;
        let names = |out: Canonical, names: &Vec<String>| out.list(names, |out, name| out.str(name));
        Canonical::new("entente/v1/policy")
            .u32(*minimum_sites)
            .option(trusted_sites.as_ref(), names)
            .u32(*minimum_patients)
            .u32(*minimum_cell)
            .u32(*minimum_pair)
            .u32(*rows_per_parameter)
            .u32(*events_per_parameter)
            .f64(*finest_grid_days)
            .u32(*minimum_leavers)
            .str(opening.name())
            .str(curves.name())
            .option(variables.as_ref(), names)
            .str(bad_values.name())
            .u32(*maximum_rounds)
            .u32(*maximum_runs)
            .bool(*allow_differencing)
            .u32(*approvals)
            .bool(*same_account)
            .u32(*approval_days)
            .digest()
    }

    /// Parses a policy file; a rule that is not named has its strict default.
    pub fn parse(text: &str) -> Result<Policy, Mistakes> {
        let document = parse(text)?;
        let reader = Reader::new(text);
        let root = Table::root(&reader, &document);
        let default = Policy::default();
        let whole = |name, default| root.optional_whole(name).unwrap_or(default);
        let policy = Policy {
            minimum_sites: whole("minimum_sites", default.minimum_sites),
            trusted_sites: root.optional_texts("trusted_sites"),
            minimum_patients: whole("minimum_patients", default.minimum_patients),
            minimum_cell: whole("minimum_cell", default.minimum_cell),
            minimum_pair: whole("minimum_pair", default.minimum_pair),
            rows_per_parameter: whole("rows_per_parameter", default.rows_per_parameter),
            events_per_parameter: whole("events_per_parameter", default.events_per_parameter),
            finest_grid_days: root.optional_number("finest_grid_days").unwrap_or(default.finest_grid_days),
            minimum_leavers: whole("minimum_leavers", default.minimum_leavers),
            opening: opening(&root).unwrap_or(default.opening),
            curves: curves(&root).unwrap_or(default.curves),
            variables: root.optional_texts("variables"),
            bad_values: bad_values::read(&root).unwrap_or(default.bad_values),
            maximum_rounds: whole("maximum_rounds", default.maximum_rounds),
            maximum_runs: whole("maximum_runs", default.maximum_runs),
            allow_differencing: root.flag("allow_differencing", default.allow_differencing),
            approvals: whole("approvals", default.approvals),
            same_account: root.flag("same_account", default.same_account),
            approval_days: whole("approval_days", default.approval_days),
        };
        if policy.minimum_sites < FLOOR_SITES {
            root.mistake("minimum_sites", format!("must be at least {FLOOR_SITES}; a site hides behind two others"));
        }
        if !(1..=2).contains(&policy.approvals) {
            root.mistake("approvals", "must be 1 or 2; 2 is the default");
        }
        if policy.trusted_sites.iter().flatten().any(|text| !is_fingerprint(text)) {
            root.mistake("trusted_sites", "expected fingerprints; 16 groups of four hexadecimal digits joined by `-`");
        }
        root.close();
        drop(root);
        reader.finish(Some(policy))
    }

    /// Is one more round allowed?
    pub fn check_round(&self, round: u32) -> Result<(), PolicyRefusal> {
        if round > self.maximum_rounds {
            return Err(PolicyRefusal::Rounds { maximum: self.maximum_rounds });
        }
        Ok(())
    }

    /// Does an approval still hold? Both times are seconds since 1970.
    pub fn check_time(&self, approved: u64, now: u64) -> Result<(), PolicyRefusal> {
        if now > approved.saturating_add(u64::from(self.approval_days) * 86_400) {
            return Err(PolicyRefusal::ApprovalEnded { days: self.approval_days });
        }
        Ok(())
    }
}

fn opening(root: &Table<'_, '_>) -> Option<ReleaseOpening> {
    let name = root.optional_text("opening")?;
    let found = ReleaseOpening::ALL.into_iter().find(|opening| opening.name() == name);
    if found.is_none() {
        root.mistake("opening", format!("`{name}` is not known (known: totals, results)"));
    }
    found
}

fn curves(root: &Table<'_, '_>) -> Option<ReleasedCurves> {
    let name = root.optional_text("curves")?;
    let found = ReleasedCurves::ALL.into_iter().find(|curves| curves.name() == name);
    if found.is_none() {
        root.mistake("curves", format!("`{name}` is not known (known: grid, merged)"));
    }
    found
}

/// 16 groups of four lower-case hexadecimal digits joined by hyphens, as fingerprints are shown.
fn is_fingerprint(text: &str) -> bool {
    let is_group = |group: &str| group.len() == 4 && group.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.split('-').count() == 16 && text.split('-').all(is_group)
}
