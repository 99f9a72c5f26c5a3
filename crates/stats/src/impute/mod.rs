//! Multiple imputation of missing covariates: what happens between the sums.
//!
//! One imputation of one variable has three steps. A model of the variable is fitted over the rows where it is
//! observed, from sums, by [`StageFit`] or [`crate::linear::LinearFit`]. [`posterior`] draws its
//! coefficients; these draws are public, so every party makes the same ones from the same words. [`rows`] draws the
//! missing values at the site that holds the row, from words that the site keeps. After M completed analyses [`pool`]
//! applies Rubin's rules.
//!
//! The analysis model's outcome belongs among the predictors; of a survival time that is the event indicator and
//! [`cumulative_hazard`] at the row's own exit (White and Royston, Statistics in Medicine 2009;28:1982-1998).

mod hazard;
pub mod pool;
pub mod posterior;
pub mod rows;
mod stage;

pub use hazard::cumulative_hazard;
pub use stage::StageFit;
