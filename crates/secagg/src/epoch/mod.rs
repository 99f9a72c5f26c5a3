//! The key agreement of an epoch, without I/O: three messages from every site, each relayed to all.
//!
//! ```text
//! Announced::start ---> Announcement ---> all of them (the bundle)
//! Announced::bundle --> SealedBox to each peer ---> all of them
//! Boxed::boxes -------> Confirmation ---> all of them
//! Confirming::confirmations --> Epoch
//! ```
//!
//! Each step consumes the one before: a step that fails ends the agreement, and the next attempt is a new epoch with
//! new keys. The relay (the coordinator) can refuse service and learn sizes; that it altered, left out, repeated or
//! withheld something from one site only is found by every honest site before any round, since all sign the digests
//! of what they saw.
//!
//! Derivations, with `|` for fields of one [canonical](crate::canonical) encoding that begins with the label:
//! ```text
//! announcement signature   Ed25519 over "entente/v1/announcement" | H("entente/v1/announcement" | fields)
//! T                        H("entente/v1/bundle" | list of (fields | signature))
//! PRK_ij                   HKDF-Extract(salt = T, input = X25519(sk_i, pk_j))
//! box key                  Expand(PRK_ij, "entente/v1/box" | T | u16 from | u16 to)
//! box                      ChaCha20-Poly1305(box key, nonce 0, no associated data, g_from)
//! G                        H("entente/v1/group" | T | list of g)
//! confirmation signature   Ed25519 over "entente/v1/confirmation" | H("entente/v1/confirmation" | fields)
//! K_ij for q               Expand(PRK_ij, "entente/v1/mask" | T | q | u16 min(i, j) | u16 max(i, j))
//! seal key for q           Expand(G, "entente/v1/seal" | q)
//! check key for q          Expand(G, "entente/v1/check" | q | u64 number of words)
//! ```
//! `H` is SHA-256, `Expand` is HKDF-Expand to 32 bytes. The stream of a key is ChaCha20 with zero nonce and block
//! counter from 0. A mask stream is 16 bytes per word, 16 for the salt, 32 for the check word, in this order, all
//! little endian; a seal stream likewise, but with the sealed words only; a check stream is 32 bytes per term.

mod announce;
mod boxes;
mod confirm;
mod error;
mod keys;

pub use announce::{Announced, Announcement, transcript};
pub use boxes::{Boxed, SealedBox};
pub use confirm::{Confirmation, Confirming};
pub use error::EpochError;
pub use keys::Epoch;
