//! Why a policy refuses: the rule, and what broke it. No count, row or patient is named.

use super::Rule;
use crate::protocol::ReleaseOpening;

/// A rule that refuses a study.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefusal {
    /// Too few sites, or too few that the policy vouches for.
    #[error("the study has {got} {}, this site's policy asks for at least {minimum}", sites(*.vouched))]
    Sites {
        /// In the roster, or vouched for in it.
        got: usize,
        /// Does the policy list the sites that count?
        vouched: bool,
        /// In the policy.
        minimum: u32,
    },
    /// Too few analysed patients over all sites.
    #[error("{scope}fewer analysed patients over all sites than this site's policy asks for ({minimum})")]
    Patients {
        /// Empty, or the scenario.
        scope: String,
        /// In the policy.
        minimum: u32,
    },
    /// A small count.
    #[error("{place}: a count over all sites is smaller than this site's policy asks for ({minimum}) and not 0")]
    Cell {
        /// Which count.
        place: String,
        /// In the policy.
        minimum: u32,
    },
    /// Two levels that few patients share.
    #[error("{one} and {other}: fewer patients over all sites than this site's policy asks for ({minimum}), and not 0")]
    Pair {
        /// A level, with the scenario before it if it is of one.
        one: String,
        /// A level of another covariate.
        other: String,
        /// In the policy.
        minimum: u32,
    },
    /// A model with too many parameters for its patients.
    #[error("{model} has {}; this site's policy asks for {minimum} analysed patients for each", self::parameters(*parameters))]
    RowsPerParameter {
        /// Which model.
        model: String,
        /// Of the model.
        parameters: usize,
        /// In the policy.
        minimum: u32,
    },
    /// A model with too many parameters for its events.
    #[error("{model} has {}; this site's policy asks for {minimum} events for each", self::parameters(*parameters))]
    EventsPerParameter {
        /// Which model.
        model: String,
        /// Of the model.
        parameters: usize,
        /// In the policy.
        minimum: u32,
    },
    /// A grid finer than allowed.
    #[error("the time grid of `{outcome}` is finer than this site's policy allows")]
    Grid {
        /// Name of the outcome.
        outcome: String,
    },
    /// Grids or horizons of two outcomes that cut each other's cells.
    #[error(
        "`{one}` and `{other}` are counted on the same days, and together they tell of fewer days than this site's policy \
         allows"
    )]
    GridTogether {
        /// Name of an outcome.
        one: String,
        /// Name of the other one.
        other: String,
    },
    /// Cells of an earlier run over the same patients that this one would cut.
    #[error(
        "the run {run} told of nearly the same patients of this site by `{time}`, and with it `{outcome}` tells of fewer \
         days than this site's policy allows"
    )]
    GridOfRuns {
        /// Name of the earlier run.
        run: String,
        /// The time column.
        time: String,
        /// Name of an outcome of this run.
        outcome: String,
    },
    /// Events of two outcomes, or of one in two analyses, that differ by a few patients.
    #[error(
        "{one} and {other} differ by fewer events of an arm than this site's policy asks for ({minimum}), and by more \
         than none"
    )]
    NearEvents {
        /// An outcome, with its analysis.
        one: String,
        /// Another one.
        other: String,
        /// In the policy.
        minimum: u32,
    },
    /// A floor below the policy's.
    #[error(
        "the study hides counts below {got} (`minimum_cell` in its [release]), this site's policy asks for {minimum}"
    )]
    Floor {
        /// In the protocol.
        got: u32,
        /// In the policy.
        minimum: u32,
    },
    /// More open than the policy allows.
    #[error("the study has the opening \"{}\", this site's policy asks for \"results\"", got.name())]
    Opening {
        /// In the protocol.
        got: ReleaseOpening,
    },
    /// Curves are made of finer cells than the policy asks for.
    #[error("the study's curves are made of the cells of the grid, this site's policy asks for merged ones")]
    Curves,
    /// Curves are merged less than the policy asks for.
    #[error("released curves have at least {got} leavers of an arm in a cell, this site's policy asks for {minimum}")]
    Leavers {
        /// In the protocol.
        got: u32,
        /// In the policy.
        minimum: u32,
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
    /// Too many runs of the study.
    #[error("this site has approved the study `{study}` as often as its policy allows ({maximum})")]
    Runs {
        /// Id of the study.
        study: String,
        /// In the policy.
        maximum: u32,
    },
    /// Nearly the same patients as in an earlier run.
    #[error("the analysed patients differ by fewer than {minimum} from those of the run {run}")]
    NearRun {
        /// Name of the earlier run.
        run: String,
        /// In the policy.
        minimum: u32,
    },
    /// Nearly the same patients as in an earlier run with other sites.
    #[error("the analysed patients are nearly those of the run {run}, and the sites are others")]
    OtherRoster {
        /// Name of the earlier run.
        run: String,
    },
    /// Two analyses of one run with nearly the same patients.
    #[error("{one} and {other} have nearly the same patients: they differ by fewer than {minimum} in an arm")]
    NearScenario {
        /// An analysis of the run.
        one: String,
        /// Another one.
        other: String,
        /// In the policy.
        minimum: u32,
    },
    /// The same person a second time.
    #[error("{name} has approved already; this site's policy asks for {approvals} different people")]
    SamePerson {
        /// As given.
        name: String,
        /// In the policy.
        approvals: u32,
    },
    /// The same account a second time, under another name.
    #[error(
        "somebody has approved by the account `{account}` already; this site's policy asks for {approvals} people with accounts of their own"
    )]
    SameAccount {
        /// As the site knows it.
        account: String,
        /// In the policy.
        approvals: u32,
    },
    /// The approval has ended.
    #[error("the approval is older than this site's policy allows ({days} days)")]
    ApprovalEnded {
        /// In the policy.
        days: u32,
    },
}

fn parameters(n: usize) -> String {
    if n == 1 { "1 parameter".into() } else { format!("{n} parameters") }
}

fn sites(vouched: bool) -> &'static str {
    if vouched { "sites that this site vouches for" } else { "sites" }
}

impl PolicyRefusal {
    /// The rule that refuses.
    pub fn of_rule(&self) -> Rule {
        match self {
            PolicyRefusal::Sites { .. } => Rule::MinimumSites,
            PolicyRefusal::Patients { .. } => Rule::MinimumPatients,
            PolicyRefusal::Cell { .. } | PolicyRefusal::Floor { .. } => Rule::MinimumCell,
            PolicyRefusal::Opening { .. } => Rule::Opening,
            PolicyRefusal::Curves => Rule::Curves,
            PolicyRefusal::Pair { .. } => Rule::MinimumPair,
            PolicyRefusal::RowsPerParameter { .. } => Rule::RowsPerParameter,
            PolicyRefusal::EventsPerParameter { .. } => Rule::EventsPerParameter,
            PolicyRefusal::Grid { .. } | PolicyRefusal::GridTogether { .. } => Rule::FinestGridDays,
            PolicyRefusal::Leavers { .. } => Rule::MinimumLeavers,
            PolicyRefusal::Variable { .. } => Rule::Variables,
            PolicyRefusal::Rounds { .. } => Rule::MaximumRounds,
            PolicyRefusal::Runs { .. } => Rule::MaximumRuns,
            PolicyRefusal::NearRun { .. }
            | PolicyRefusal::OtherRoster { .. }
            | PolicyRefusal::NearScenario { .. }
            | PolicyRefusal::NearEvents { .. }
            | PolicyRefusal::GridOfRuns { .. } => Rule::Differencing,
            PolicyRefusal::SamePerson { .. } | PolicyRefusal::SameAccount { .. } => Rule::Approvals,
            PolicyRefusal::ApprovalEnded { .. } => Rule::ApprovalDays,
        }
    }

    /// Stable rule id.
    pub fn rule(&self) -> &'static str {
        self.of_rule().id()
    }
}
