//! One binary for all tests that need more than one crate.

mod agreement;
mod architecture;
mod audit;
mod checks;
mod commands;
mod competing;
mod deploy;
mod documents;
mod errors;
mod forms;
mod identity;
mod machines;
mod pathology;
mod plan;
mod policy;
mod processes;
mod reference;
mod release;
mod resampling;
mod scenarios;
mod schema;
mod small;
mod splits;
mod standardise;
mod transcript;
mod trimming;
