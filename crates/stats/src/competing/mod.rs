//! Competing risks: a patient leaves by one of several causes, and each cause takes patients away from the others.
//!
//! One exchange brings [`cause_table`] to everybody. From the sums over all sites, a [`CauseTable`], every party derives
//! cumulative incidences with their errors ([`Incidence`]), Gray's test ([`gray`]), and what a Fine-Gray regression needs
//! before its first question ([`Subdistribution`]). The regression itself is [`crate::fit::FineGrayFit`] over
//! [`fine_gray_risk`], [`crate::cox::step_len`] words of [`fine_gray_step`] and [`fine_gray_residuals`].
//!
//! The hazard of one cause is an ordinary Cox model in which the other causes are censored; see [`crate::cox`].
//!
//! Times are numbers of grid cells, as in [`crate::survival`].

mod censoring;
mod gray;
mod incidence;
mod regression;
mod table;

pub use censoring::Subdistribution;
pub use gray::{Gray, gray};
pub use incidence::{Incidence, IncidencePoint};
pub use regression::{
    FineGrayRows, fine_gray_curves, fine_gray_residuals, fine_gray_risk, fine_gray_risk_len, fine_gray_step,
};
pub use table::{BadCauseTable, CauseLeavers, CauseRows, CauseTable, cause_table, cause_table_len};
