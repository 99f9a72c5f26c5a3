//! Baseline tables: what describes each arm, and how far apart the arms are.
//!
//! Two kernels give all the sums. [`moments::moments`] sums powers of a number about a centre; [`categorical::counts`]
//! counts the levels of a category, or the bins of a number's declared [`grid::ValueGrid`]. From these sums over all
//! sites everybody derives means, quantiles, rank tests, chi-square and Fisher tests, and standardised differences.
//! Control comes before treated wherever both arms stand side by side. Rows where the variable is missing are left out by
//! the caller.

pub mod balance;
pub mod categorical;
pub mod fisher;
pub mod grid;
pub mod moments;
pub mod quantile;
pub mod rank;
