//! Runs at this site: offered, approved, journaled, attended.
//!
//! `STATE/offers/DIGEST/` holds what the coordinator offered and nobody has decided; `STATE/runs/DIGEST/` an approved
//! run: manifest, protocol, approval, frozen cohort and journal. Both appear whole or not at all. A run is withdrawn by one
//! more file in its folder. `STATE/memory/` holds what the site remembers of the runs that it approved,
//! `STATE/consents/` the first of two people's approval, `STATE/reviewers/` who decides at the pages by a login of their own, `STATE/ledger` what was offered, decided and refused.

mod approve;
mod attend;
mod audit;
mod bound;
mod consent;
mod decisions;
mod effects;
mod folder;
mod inspect;
mod journal;
mod ledger;
mod link;
mod memory;
mod person;
pub mod reviewers;
mod withdraw;

pub use approve::{ApproveError, Approved, Approver, approve, check, read_policy};
pub use attend::{AttendError, Attending, attend, attend_on};
pub use audit::export;
pub use consent::consented;
pub use decisions::{LedgerError, decisions};
pub use folder::{FolderError, Offered, RunFolder, offers, reject, runs, save_offer};
pub(crate) use inspect::WORD_BYTES;
pub use inspect::{
    Against, AskedFirst, Counted, Findings, InspectError, Inspection, MemberFound, OwnCount, Verdict, own_counts,
};
pub use journal::{Journal, JournalError};
pub use ledger::{Line, RunState, lines, refusals};
pub use link::{Link, LinkState};
pub use person::{Person, account};
pub use withdraw::{withdraw, withdrawal};
