//! What a finished study leaves: CSV tables and `results.json` ([`write()`]), the report for readers
//! ([`write_report()`]), and the tables a statistician reads in the terminal ([`print()`]). Whoever shows some of these
//! numbers in another way reads [`value()`] and prints a [`ruled()`] table.
//!
//! Columns and file names are the contract of `docs/results.md`; `docs/results.schema.json` describes the JSON.

mod balance;
mod differences;
mod files;
mod incidence;
mod print;
mod provenance;
mod records;
mod standardised;
mod subgroups;
mod survival;
mod tables;
#[cfg(test)]
mod tests;
mod weights;

pub use differences::{Difference, differences, written_by};
pub use files::{files, value, write, write_report};
pub use print::{Texts, plain, print, ruled};
pub use provenance::{Provenance, SCHEMA_VERSION, SOFTWARE_VERSION, provenance};
