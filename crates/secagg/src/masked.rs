//! Masked vectors, what the coordinator does with them, and what the sites open.

use std::fmt;
use std::ops::Range;

use crate::canonical::{Canonical, CanonicalError, Reader};
use crate::digest::Digest;
use crate::wide;

/// Two vectors of a sum have different numbers of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} words, got {got}")]
pub struct LengthError {
    /// Words of the vector that was added to.
    pub expected: usize,
    /// Words of the vector that was added.
    pub got: usize,
}

/// Why a site does not accept a broadcast sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The sealed positions do not ascend without overlap within the sum: the sum is shorter than the plan's layout.
    #[error("the sealed positions do not lie within the {words} words of the sum")]
    Layout {
        /// Words of the sum.
        words: usize,
    },
    /// The check word is not that of the words: the sum is not the sum of what all sites sent.
    #[error("the check word does not match the sum")]
    Check,
}

impl OpenError {
    /// A stable name for logs and wire details.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Layout { .. } => "sum-layout",
            Self::Check => "sum-check",
        }
    }
}

/// A vector under masks, or a sum of such vectors. The masks of a sum over all sites cancel.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked {
    /// The words of the round, in the order of the plan's layout.
    pub words: Vec<u128>,
    /// The salt word; the sum of it is always sealed.
    pub salt: u128,
    /// The check word in `Z_2^256`, least significant limb first; the sum of it is always sealed.
    pub check: [u64; 4],
}

impl Masked {
    const LABEL: &str = "entente/v1/masked";

    /// The empty sum of vectors of `words` words.
    pub fn zero(words: usize) -> Self {
        Self { words: vec![0; words], salt: 0, check: [0; 4] }
    }

    /// Adds another vector, word by word modulo `2^128` (the check word modulo `2^256`). Unchanged on error.
    pub fn add(&mut self, other: &Self) -> Result<(), LengthError> {
        if self.words.len() != other.words.len() {
            return Err(LengthError { expected: self.words.len(), got: other.words.len() });
        }
        for (sum, word) in self.words.iter_mut().zip(&other.words) {
            *sum = sum.wrapping_add(*word);
        }
        self.salt = self.salt.wrapping_add(other.salt);
        self.check = wide::add(self.check, other.check);
        Ok(())
    }

    /// SHA-256 of [`Masked::to_bytes`].
    pub fn digest(&self) -> Digest {
        self.canonical().digest()
    }

    /// `"entente/v1/masked" | list of u128 words | u128 salt | 4 x u64 check`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.canonical().finish()
    }

    /// Reads what [`Masked::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new(bytes, Self::LABEL)?;
        let masked = Self {
            words: reader.list(Reader::u128)?,
            salt: reader.u128()?,
            check: [reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?],
        };
        reader.finish()?;
        Ok(masked)
    }

    fn canonical(&self) -> Canonical {
        let [a, b, c, d] = self.check;
        Canonical::new(Self::LABEL)
            .list(&self.words, |w, word| w.u128(*word))
            .u128(self.salt)
            .u64(a)
            .u64(b)
            .u64(c)
            .u64(d)
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masked({} words, {:?})", self.words.len(), self.digest())
    }
}

/// A sum as the sites see it: seal taken off, check word verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The sums, in the order of the plan's layout.
    pub words: Vec<i128>,
    /// The first site's random word: it keeps the digest from being matched against guessed sums.
    pub salt: u128,
}

impl Opened {
    const LABEL: &str = "entente/v1/opened";

    /// `D_r` of a round: SHA-256 of [`Opened::to_bytes`].
    pub fn digest(&self) -> Digest {
        self.canonical().digest()
    }

    /// `"entente/v1/opened" | list of i128 words | u128 salt`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.canonical().finish()
    }

    /// Reads what [`Opened::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new(bytes, Self::LABEL)?;
        let opened = Self { words: reader.list(Reader::i128)?, salt: reader.u128()? };
        reader.finish()?;
        Ok(opened)
    }

    fn canonical(&self) -> Canonical {
        Canonical::new(Self::LABEL).list(&self.words, |w, word| w.i128(*word)).u128(self.salt)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} words, ..)", self.words.len())
    }
}

/// What the coordinator reads in a sum over all sites: the words outside `sealed`, `None` inside.
pub fn open_unsealed(sum: &Masked, sealed: &[Range<usize>]) -> Vec<Option<i128>> {
    let mut words: Vec<_> = sum.words.iter().map(|w| Some(w.cast_signed())).collect();
    for (position, word) in words.iter_mut().enumerate() {
        if sealed.iter().any(|range| range.contains(&position)) {
            *word = None;
        }
    }
    words
}
