//! What the command lines share: one answer for people and for programs, failures, exit codes, shell completions.
//!
//! A command ends with an [`Answer`] or a [`Failure`]; [`Format`] decides how either is written. What the codes mean
//! stands in `docs/exit-codes.md`.

mod answer;
mod audit;
mod completions;
mod exit;
mod failure;
mod foreign;
mod format;
mod state_lock;

pub use answer::Answer;
pub use audit::{verify_bundles, write_bundle};
pub use completions::completions;
pub use exit::Exit;
pub use failure::{Failure, read_file};
pub use foreign::{Foreign, HEAD, foreign};
pub use format::{Format, conclude};
pub use state_lock::{LockError, StateLock};
