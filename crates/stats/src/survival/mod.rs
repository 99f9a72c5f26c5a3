//! Everything a question of two arms and a time asks, from one table of sums.
//!
//! One exchange brings [`arm_table`] to everybody. From the sums over all sites, an [`ArmTable`], every party derives
//! Kaplan-Meier curves with their intervals ([`Curve`]), medians, follow-up, restricted means, the log-rank test, the
//! hazard ratio of treatment alone and the numbers at risk, and gets the same bits: `libm` only. p values come with the
//! tests, from [`crate::inference`].
//!
//! Times are numbers of grid cells: a row that leaves in cell j leaves at time j, the right end of the cell. The caller
//! multiplies by the days of a cell. With weights, every standard error here takes the weights as given.

mod contrast;
mod curve;
mod interval;
mod logrank;
mod median;
mod merge;
mod rmst;
mod table;
mod treatment_sums;
mod two_arm_cox;

pub use contrast::{Estimate, difference};
pub use curve::{Curve, Point};
pub use interval::{IntervalKind, interval};
pub use logrank::{LogRank, log_rank};
pub use median::{Median, median};
pub use merge::{Leaving, Released, released};
pub use rmst::{reaches, restricted_mean};
pub(crate) use table::MOST_ROWS;
pub(crate) use table::add_leavers;
pub use table::{ArmTable, BadTable, Leavers, TableRows, Tally, Who, arm_table, arm_table_len};
pub use treatment_sums::{treatment_cox_of_sums, treatment_sums, treatment_sums_len};
pub use two_arm_cox::treatment_cox;
