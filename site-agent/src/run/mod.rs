//! Runs at this site: offered, approved, journaled, attended.
//!
//! `STATE/offers/DIGEST/` holds what the coordinator offered and nobody has decided; `STATE/runs/DIGEST/` an approved
//! run: manifest, protocol, approval, frozen cohort and journal. Both appear whole or not at all.

mod approve;
mod attend;
mod folder;
mod journal;

pub use approve::{ApproveError, Approved, Approver, approve, check, read_policy};
pub use attend::{AttendError, Attending, attend};
pub use folder::{FolderError, Offered, RunFolder, offers, reject, runs, save_offer};
pub use journal::{Journal, JournalError};
