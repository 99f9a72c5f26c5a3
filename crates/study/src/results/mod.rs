//! What a finished plan says, as tables: the same rows at every party that holds the plan.
//!
//! Columns are those of the results contract (`docs/results.md`). A row holds numbers at full precision; formatting is
//! the writer's.

mod balance;
mod bootstrap;
mod boundaries;
mod checks;
mod digest;
mod effects;
mod follow_up;
mod hazard_ratio;
mod incidence;
mod model;
mod pooled;
mod rows;
mod standardised;
mod subgroups;
mod survival;
mod tables;
mod warnings;
mod weights;

pub use balance::{BalanceCells, BalanceRow};
pub(crate) use boundaries::{Boundaries, Shown};
pub use checks::{CheckProblem, Concordance};
pub use digest::results_digest;
pub use incidence::{CUMULATIVE_INCIDENCE, IncidenceRow};
pub(crate) use model::{Told, rows_of_model};
pub use rows::{
    EstimateRow, FitNumbers, FitProblem, FitRow, FlowRow, FollowUp, Name, OutcomeRow, TestRow, Variance, VarianceNote,
};
pub use standardised::{EffectQuantity, EffectRow};
pub use subgroups::SubgroupRow;
pub use survival::{At, KAPLAN_MEIER, MedianRow, Quantity, SurvivalRow};
pub(crate) use tables::ties_name;
pub use tables::{Results, ScenarioResults};
pub use warnings::WarningRow;
pub use weights::{CountedWeights, HistogramRow, OverlapRow, WeightRow};
