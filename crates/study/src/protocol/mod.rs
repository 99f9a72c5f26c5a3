//! The protocol document: the whole study in one TOML file.
//!
//! A [`Protocol`] that exists is valid: names are resolved, ranges hold, models and variances fit each other. Every
//! mistake of a document is reported together with key and line ([`crate::document::Mistakes`]).

mod baseline;
mod bootstrap;
mod checks;
mod competing;
mod digest;
mod forms;
mod grid;
mod parse;
mod release;
mod scenario;
mod standardised;
mod together;
mod weighting;

use secagg::Digest;
use stats::cox::Ties;
use stats::survival::IntervalKind;
use stats::weights::Estimand;

use crate::dictionary::{Dictionary, Kind, VariableId};
use crate::document::Mistakes;
pub use crate::document::PLACEHOLDER;
use crate::expression::Expression;
pub use baseline::{BaselineAnalysis, CategoryTest};
pub use bootstrap::Bootstrap;
pub use checks::{Checks, TRANSFORMS};
pub use competing::{Cause, Competing, IncidenceAnalysis};
pub use forms::{EffectModifier, Ridge};
pub use grid::TimeGrid;
pub use release::{ReleaseOpening, ReleaseRules, ReleasedCurves};
pub use scenario::{Imputation, MISSING, Scenario};
pub use standardised::{Marginal, Standardised};
pub use together::{Narrow, TimeColumn, narrowest};
pub use weighting::{Truncation, WeightDetail, Weighting};

/// A whole study as the sites approve it.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    /// Short name, used in files and on the wire.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Column that identifies a patient; read to find duplicates, to fix the row order and to mark the patient in the
    /// site's memory, never kept.
    pub patient: String,
    /// Days per reported month.
    pub month_days: f64,
    /// The target trial and its emulation, prose.
    pub trial: Trial,
    /// Declared columns.
    pub dictionary: Dictionary,
    /// Ordered criteria.
    pub eligibility: Vec<Criterion>,
    /// The two arms.
    pub treatment: Treatment,
    /// Declared outcomes.
    pub outcomes: Vec<Outcome>,
    /// Propensity model, where a weighted analysis is declared.
    pub propensity: Option<Propensity>,
    /// Regressions in file order.
    pub analyses: Vec<Analysis>,
    /// The declared baseline tables.
    pub baselines: Vec<BaselineAnalysis>,
    /// Survival curves in file order.
    pub curves: Vec<CurveAnalysis>,
    /// Cumulative incidences in file order.
    pub incidences: Vec<IncidenceAnalysis>,
    /// Of a scenario: patients with a propensity score outside these are left out, and everything is fitted to the others.
    pub trimming: Option<(f64, f64)>,
    /// The bootstrap of the main analysis, where one is declared.
    pub bootstrap: Option<Bootstrap>,
    /// What the coordinator opens, and the floors of what is given out; of a scenario those of the study.
    pub release: ReleaseRules,
    /// Variations of the whole, in file order.
    pub scenarios: Vec<Scenario>,
    /// SHA-256 over all keys and values; comments and layout do not count.
    pub digest: Digest,
}

impl Protocol {
    /// Parses and checks a protocol.
    pub fn parse(text: &str) -> Result<Protocol, Mistakes> {
        parse::protocol(text)
    }

    /// Covariates and effect modifiers of all models, each once.
    pub fn covariates(&self) -> Vec<VariableId> {
        crate::plan::covariates(self)
    }

    /// Variables that anything depends on, scenarios not counted; some stand more than once.
    pub fn used_variables(&self) -> Vec<VariableId> {
        let mut used = vec![self.treatment.variable];
        used.extend(self.eligibility.iter().flat_map(|criterion| criterion.condition.variables()));
        used.extend(self.propensity.iter().flat_map(|p| p.covariates.iter().copied()));
        used.extend(self.baselines.iter().flat_map(|b| b.variables.iter().copied()));
        for analysis in &self.analyses {
            used.extend(&analysis.covariates);
            used.extend(analysis.effect_modifiers.iter().map(|m| m.variable));
        }
        used.extend(self.used_outcomes().flat_map(|outcome| outcome.kind.variables()));
        used
    }

    /// Is a variable not known at time zero? So is what an outcome is made of, and days since then.
    pub fn lies_after_time_zero(&self, id: VariableId) -> bool {
        matches!(self.dictionary.variable(id).kind, Kind::Days { .. })
            || self.outcomes.iter().any(|outcome| outcome.kind.variables().contains(&id))
    }

    /// Outcomes that are analysed, scenarios not counted; some stand more than once.
    pub fn used_outcomes(&self) -> impl Iterator<Item = &Outcome> {
        let models = self.analyses.iter().flat_map(|analysis| &analysis.outcomes);
        let curves = self.curves.iter().flat_map(|curve| &curve.outcomes);
        let incidences = self.incidences.iter().flat_map(|incidence| &incidence.outcomes);
        models.chain(curves).chain(incidences).filter_map(|name| self.outcome(name))
    }

    /// The outcome of a name.
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|o| o.name == name)
    }
}

/// The target trial beside its emulation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trial {
    /// The question in one sentence.
    pub question: String,
    /// Rows of the table.
    pub elements: Vec<TrialElement>,
}

/// One row of the target-trial table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialElement {
    /// For example "Eligibility".
    pub name: String,
    /// In the target trial.
    pub target: String,
    /// In its emulation.
    pub emulation: String,
}

/// One line of the flow chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// What a person reads.
    pub label: String,
    /// An expression over the dictionary, as it was written.
    pub require: String,
    /// The same, checked; a row stays when it is true.
    pub condition: Expression,
}

/// The two arms that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treatment {
    /// A categorical variable.
    pub variable: VariableId,
    /// Level of the treated arm.
    pub treated: usize,
    /// Level of the control arm.
    pub control: usize,
}

/// One declared outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Name in analyses and results.
    pub name: String,
    /// What a person reads.
    pub label: String,
    /// What a person reads of those who have not had the event, on the axis of a curve; none follows the label.
    pub event_free: Option<String>,
    /// Binary, time to event, or one of several competing causes.
    pub kind: OutcomeKind,
}

/// What kind of outcome it is and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub enum OutcomeKind {
    /// Level 1 of a binary variable is the event.
    Binary {
        /// The variable.
        variable: VariableId,
    },
    /// Right-censored time since time zero.
    TimeToEvent(TimeToEvent),
    /// Right-censored time since time zero to the first of several causes.
    Competing(Competing),
}

impl OutcomeKind {
    /// The variables that it is made of.
    pub fn variables(&self) -> Vec<VariableId> {
        match self {
            OutcomeKind::Binary { variable } => vec![*variable],
            OutcomeKind::TimeToEvent(t) => vec![t.time, t.event],
            OutcomeKind::Competing(c) => vec![c.time, c.status],
        }
    }

    /// The days variable; none of a binary outcome.
    pub fn time(&self) -> Option<VariableId> {
        match self {
            OutcomeKind::Binary { .. } => None,
            OutcomeKind::TimeToEvent(t) => Some(t.time),
            OutcomeKind::Competing(c) => Some(c.time),
        }
    }

    /// The time grid; none of a binary outcome.
    pub fn grid(&self) -> Option<TimeGrid> {
        match self {
            OutcomeKind::Binary { .. } => None,
            OutcomeKind::TimeToEvent(t) => Some(t.grid()),
            OutcomeKind::Competing(c) => Some(c.grid),
        }
    }
}

/// A right-censored outcome on its declared grid.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeToEvent {
    /// Days variable.
    pub time: VariableId,
    /// Binary variable, level 1 is the event.
    pub event: VariableId,
    /// Width of a time cell in days; cell of t days is the smallest integer not below t / `grid_days`.
    pub grid_days: f64,
    /// Follow-up beyond this day is censored there.
    pub horizon_days: u32,
}

impl TimeToEvent {
    /// Time grid and horizon.
    pub fn grid(&self) -> TimeGrid {
        TimeGrid { days: self.grid_days, horizon_days: self.horizon_days }
    }

    /// Number of cells of the grid: 0 (day 0) up to the cell of the horizon.
    pub fn cells(&self) -> usize {
        self.grid().cells()
    }

    /// Cell of a day.
    pub fn cell(&self, days: u32) -> u32 {
        self.grid().cell(days)
    }

    /// Right end of a cell in days.
    pub fn days(&self, cell: u32) -> f64 {
        self.grid().end(cell)
    }
}

/// The propensity model.
#[derive(Debug, Clone, PartialEq)]
pub struct Propensity {
    /// Covariates in order; a categorical one enters by its levels without the reference.
    pub covariates: Vec<VariableId>,
    /// Whom the study's `iptw` weights make the arms stand for.
    pub estimand: Estimand,
    /// Are the study's `iptw` weights stabilised?
    pub stabilized: bool,
    /// Bins of the overlap histogram on [0, 1].
    pub bins: usize,
    /// Further weights that are summed up, whether a model has them or not.
    pub summaries: Vec<Estimand>,
    /// Counts of the weights on a grid, and truncation; none when neither is declared.
    pub detail: Option<WeightDetail>,
    /// Propensity scores outside these count as near 0 or 1.
    pub score_bounds: (f64, f64),
}

/// One declared analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Logistic, Cox or Fine-Gray.
    pub kind: AnalysisKind,
    /// Names of the outcomes it is made for.
    pub outcomes: Vec<String>,
    /// Of competing outcomes, the cause it is about.
    pub cause: Option<String>,
    /// Models in order.
    pub models: Vec<Model>,
    /// Variances to report beside the naive one.
    pub variances: Variances,
    /// Covariates of the adjusted models (the propensity model's unless declared).
    pub covariates: Vec<VariableId>,
    /// Each adds an interaction model of the treatment with it to each outcome.
    pub effect_modifiers: Vec<EffectModifier>,
    /// Penalty of the model `ridge`.
    pub ridge: Option<Ridge>,
    /// Checks of each model (Cox).
    pub checks: Checks,
    /// Outcomes standardised over its adjusted models.
    pub standardised: Standardised,
}

/// One declared `kaplan_meier` analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveAnalysis {
    /// Names of the time-to-event outcomes it is made for.
    pub outcomes: Vec<String>,
    /// Without weights, with the study's weights, or both.
    pub weighted: Vec<bool>,
    /// Days at which survival is reported, ascending; each stands for the right end of its cell.
    pub times_days: Vec<u32>,
    /// Day up to which means are restricted, likewise.
    pub rmst_days: Option<u32>,
    /// Intervals of curves and medians.
    pub conf_types: Vec<IntervalKind>,
    /// Is the hazard ratio of the treatment wanted from the same table, and with which handling of ties?
    pub hazard_ratio: Option<Ties>,
}

/// Which regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalysisKind {
    /// Logistic regression of a binary outcome.
    Logistic,
    /// Cox regression of a time-to-event outcome, or of one cause of a competing outcome whose other causes are censored.
    Cox(Ties),
    /// Fine-Gray regression of one cause of a competing outcome.
    FineGray(Ties),
}

/// One model of an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// Treatment only.
    Unadjusted,
    /// Treatment only, weighted by the study's weights.
    Iptw,
    /// Treatment only, stabilised weights.
    IptwStabilized,
    /// Treatment only, plain weights.
    IptwUnstabilized,
    /// Treatment only, weights of the treated.
    IptwAtt,
    /// Treatment only, weights of the controls.
    IptwAtc,
    /// Treatment only, overlap weights.
    IptwOverlap,
    /// Treatment only, matching weights.
    IptwMatching,
    /// Treatment only, the study's weights truncated.
    IptwTruncated,
    /// Treatment and covariates.
    Adjusted,
    /// Treatment and covariates, weighted by the study's weights.
    IptwAdjusted,
    /// Treatment and covariates, baseline hazard of each site its own (Cox).
    Stratified,
    /// Adjusted, and treatment by effect modifier.
    Interaction,
    /// Treatment, effect modifier and their product, weighted by the study's weights.
    IptwInteraction,
    /// Treatment and covariates, by Firth's penalised likelihood (logistic).
    Firth,
    /// Treatment and covariates, with a ridge penalty.
    Ridge,
}

impl Model {
    /// Name in protocol and results.
    pub fn name(self) -> &'static str {
        match self {
            Model::Unadjusted => "unadjusted",
            Model::Iptw => "iptw",
            Model::IptwStabilized => "iptw_stabilized",
            Model::IptwUnstabilized => "iptw_unstabilized",
            Model::IptwAtt => "iptw_att",
            Model::IptwAtc => "iptw_atc",
            Model::IptwOverlap => "iptw_overlap",
            Model::IptwMatching => "iptw_matching",
            Model::IptwTruncated => "iptw_truncated",
            Model::Adjusted => "adjusted",
            Model::IptwAdjusted => "iptw_adjusted",
            Model::Stratified => "stratified",
            Model::Interaction => "interaction",
            Model::IptwInteraction => "iptw_interaction",
            Model::Firth => "firth",
            Model::Ridge => "ridge",
        }
    }

    /// Is it a weighted model?
    pub fn weighted(self) -> bool {
        matches!(
            self,
            Model::Iptw
                | Model::IptwStabilized
                | Model::IptwUnstabilized
                | Model::IptwAtt
                | Model::IptwAtc
                | Model::IptwOverlap
                | Model::IptwMatching
                | Model::IptwTruncated
                | Model::IptwAdjusted
                | Model::IptwInteraction
        )
    }

    /// Has it the product of treatment and effect modifier?
    pub fn interaction(self) -> bool {
        matches!(self, Model::Interaction | Model::IptwInteraction)
    }

    /// Is its likelihood penalised? Then its estimates are finite also where an arm has no events, and it has the naive
    /// variance only.
    pub fn penalised(self) -> bool {
        matches!(self, Model::Firth | Model::Ridge)
    }
}

/// Variances beside the naive one, which is always reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent choices, each a word of the protocol's list")]
pub struct Variances {
    /// Does the protocol name others and not the naive one? Then it does not stand for a model.
    pub without_naive: bool,
    /// HC0 (logistic) or Lin-Wei (Cox).
    pub robust: bool,
    /// HC0 x n/(n-1), as svyglm (logistic).
    pub survey: bool,
    /// Lin-Wei or HC0 clustered by site.
    pub cluster_site: bool,
    /// Accounts for the estimated propensity (weighted models only).
    pub m_estimation: bool,
}
