//! What a finished study leaves: CSV tables and `results.json` ([`write()`]), and the tables a statistician reads in the
//! terminal ([`print()`]).
//!
//! Columns and file names are the contract of `docs/results.md`; `docs/results.schema.json` describes the JSON.

mod balance;
mod files;
mod incidence;
mod print;
mod provenance;
mod records;
mod survival;
mod tables;
#[cfg(test)]
mod tests;

pub use files::write;
pub use print::print;
pub use provenance::{Provenance, SCHEMA_VERSION};
