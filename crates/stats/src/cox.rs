//! Cox regression at a site, and the risk-set curves that every party derives from the opened sums.
//!
//! Notation of `docs` (statistics): r = w exp(x'b); at event cell j, d deaths, W the sum of their weights, wbar = W / d;
//! S0, S1 sums of r and r x over the rows at risk; E0, E1 the same over the deaths in j; phi = S0 - c E0 with c = l / d for
//! l = 0..d-1 (Efron), phi = S0 (Breslow). One iteration is two exchanges at the same b: [`risk`], then [`step`].

mod baseline;
mod curves;
mod events;
mod residuals;
mod risk;
mod step;
mod strata;
mod trend;

pub use crate::logistic::step_len;
pub use baseline::Baseline;
pub use curves::Curves;
pub(crate) use curves::RiskSets;
pub(crate) use events::Buckets;
pub use events::{CoxRows, EventCells, Ties, death_weights, deaths};
pub(crate) use residuals::residuals_exposed;
pub use residuals::score_residuals;
pub use risk::{risk, risk_len};
pub use step::step;
pub(crate) use step::step_exposed;
pub use strata::stratified_step;
pub use trend::{stratified_trend, trend, trend_len};
