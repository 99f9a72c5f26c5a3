//! Secure aggregation without I/O: fixed point, epoch keys, masks, check word, transcript.
//!
//! Every site of a fixed roster answers a round with a vector `X` of 128-bit words. It sends `Y`, which is `X` under
//! pairwise masks: the coordinator can add the `Y` of all sites and obtains the sum of all `X`, and nothing about any
//! one of them while two honest sites remain. A check word that only sites can compute shows every site that the sum
//! it gets back was not altered; words marked as sealed are readable by the sites only.
//!
//! The order of use:
//! 1. [`fixed::encode`] turns sums into words.
//! 2. [`epoch::Announced`] -> [`epoch::Boxed`] -> [`epoch::Confirming`] -> [`epoch::Epoch`] agrees on keys.
//! 3. [`epoch::Epoch::mask`] makes a [`Masked`]; the coordinator adds with [`Masked::add`] and reads what is not sealed
//!    with [`open_unsealed`]; a site strips and checks with [`epoch::Epoch::open`].
//!
//! The random source is an argument everywhere; there is no clock, file, network or thread in this crate. Byte layouts
//! are those of [`canonical`]; `tests/independent/mask_vectors.py` reproduces every one of them without this crate.

pub mod canonical;
mod check;
pub mod digest;
mod draws;
pub mod epoch;
pub mod fixed;
mod hex;
pub mod identity;
mod kdf;
mod masked;
mod sealed;
mod stream;
#[cfg(test)]
mod test_rng;
mod wide;

pub use canonical::{Canonical, CanonicalError, Reader};
pub use digest::Digest;
pub use draws::{DrawKey, Draws};
pub use epoch::{Announced, Announcement, Boxed, Confirmation, Confirming, Epoch, EpochError, SealedBox, transcript};
pub use fixed::{FixedError, check_headroom, decode, encode};
pub use hex::HexError;
pub use identity::{PublicIdentity, Signature, SignatureError, SigningIdentity};
pub use masked::{LengthError, Masked, OpenError, Opened, open_unsealed};
