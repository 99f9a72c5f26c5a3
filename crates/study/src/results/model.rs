//! The rows of one model that follow from its fit alone, for whoever has no plan.

use stats::fit::Fit;
use stats::zph::Transform;

use super::checks::proportional_hazards;
use super::rows::{EstimateRow, FitNumbers, TestRow};
use super::tables::{estimates, fit_numbers, interaction_tests, is_without_products};
use crate::plan::FitKey;
use crate::protocol::Protocol;

/// What the sums of one model told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub key: &'a FitKey,
    /// On the user's scale, but for the intercept.
    pub fit: &'a Fit,
    /// Of the columns in their units.
    pub measured: &'a Fit,
    /// Coefficients at which the sums of its checks were formed, and these.
    pub trends: (&'a [f64], &'a [(Transform, Vec<f64>)]),
}

/// Estimates, numbers and tests of a model, in the order of the results. `all` are the models of the same analysis.
pub(crate) fn rows_of_model(
    protocol: &Protocol,
    told: Told<'_>,
    all: &[Told<'_>],
    (n, events): (u64, u64),
) -> (Vec<EstimateRow>, FitNumbers, Vec<TestRow>) {
    let Told { key, fit, measured, trends: (at, trends) } = told;
    let without = all.iter().find(|other| is_without_products(other.key, key)).map(|other| other.fit);
    let mut tests = interaction_tests(protocol, key, fit, without);
    for (transform, sums) in trends {
        // what the sums give no test of has no row either
        tests.extend(proportional_hazards(protocol, key, measured, at, (*transform, sums), &mut Vec::new()));
    }
    (estimates(protocol, key, fit, n, events), fit_numbers(protocol, key, fit), tests)
}
