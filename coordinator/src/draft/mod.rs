//! A protocol drafted from a few answers, or from a file of patients that is read here and nowhere else.
//!
//! A draft is a valid protocol with comments that say what a person has to check. Of a file it repeats column names,
//! bounds that were widened to round numbers, and levels that are few and frequent; nothing that looks like an
//! identifier.

mod answers;
mod ask;
mod columns;
mod complete;
mod error;
mod numbers;
mod text;

pub use answers::{Answers, DeclaredOutcome, DeclaredVariable, Kind, OutcomeKind};
pub use ask::ask;
pub use columns::{Columns, Guess, columns};
pub use complete::{Draft, complete};
pub use error::DraftError;
pub use text::write;

/// JSON Schema of protocol files.
pub const SCHEMA: &str = include_str!("../../../docs/protocol.schema.json");

#[cfg(test)]
mod tests;
