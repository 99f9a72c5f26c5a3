//! Wire types of entente.v1 and their one conversion to the domain.
//!
//! [`wire`] is generated from `entente/v1/*.proto`. Everything else of the project speaks in domain types:
//! [`FromAgent`] and [`ToAgent`] become a wire message with `into()` and come from one with `try_from`, which checks
//! lengths and presence and verifies no signature. Only masked vectors have a conversion; a sum in clear has none.

mod convert;

pub use convert::{ConvertError, FromAgent, Offer, ToAgent};
pub use wire::{coordinator_client as client, coordinator_server as server};

/// Largest message that either end decodes, in bytes. Pass it to `max_decoding_message_size` of client and server:
/// tonic's default of 4 MiB is less than a sum may need. 64 MiB hold a vector of four million words, beyond any plan.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Types, client and server generated from `entente/v1/*.proto`. Do not edit: `tests/all/generated.rs` compares it and writes it anew.
#[allow(missing_docs, unused_qualifications, clippy::all, clippy::pedantic, reason = "generated code")]
pub mod wire {
    include!("generated/entente.v1.rs");
}
