//! Pure maths: design matrices, kernels over a site's rows, ask/tell estimators, inference.
//!
//! A *kernel* turns a site's rows into sums ([`logistic`], [`cox`], [`influence`]) and hands them to a [`total::Total`].
//! An *estimator* ([`fit`]) turns sums over all sites into the next question, and at the end into a [`fit::Fit`] or a
//! typed reason why there is none. Estimators run at every party and give the same bits everywhere.
//!
//! Nothing here reads a file, a clock or a random source.

pub mod alias;
pub mod competing;
pub mod concordance;
pub mod cox;
pub mod descriptive;
pub mod design;
pub mod evalue;
pub mod fit;
mod gram;
pub mod impute;
pub mod inference;
pub mod influence;
pub mod linear;
pub mod logistic;
pub mod matrix;
pub mod packed;
pub mod random;
pub mod rate;
pub mod resample;
pub mod standardise;
pub mod student;
pub mod survival;
pub mod total;
pub mod weights;
pub mod zph;
