//! The canonical byte encoding: one value, one byte string.
//!
//! An encoding is the label (as `str`), then the fields in the order in which they are written, with nothing between
//! them. All numbers are little endian.
//!
//! | field | bytes |
//! |---|---|
//! | `u8` `u16` `u32` `u64` `u128` | 1, 2, 4, 8, 16 |
//! | `i128` | 16, two's complement |
//! | `f64` | 8, the IEEE 754 bits (`0.0` and `-0.0` differ) |
//! | `bool` | 1: 0 or 1 |
//! | `array` (and `digest`) | its fixed number of bytes, no length |
//! | `bytes`, `str` | `u64` length in bytes, then the bytes (UTF-8) |
//! | `list` | `u64` number of items, then the items |
//! | `option` | 1 byte 0 or 1, then the value if 1 |
//!
//! A label reads `entente/v1/<purpose>`; no two purposes share one, so that bytes hashed or signed for one purpose are
//! never valid for another. A new layout takes a new label.

use crate::digest::Digest;

/// Writer of one canonical encoding.
#[derive(Clone, Debug)]
#[must_use = "an encoding is used by finish or digest"]
pub struct Canonical {
    bytes: Vec<u8>,
}

impl Canonical {
    /// An encoding that holds its label and no field yet.
    pub fn new(label: &str) -> Self {
        Self { bytes: Vec::new() }.str(label)
    }

    /// Without a label, for published test vectors only.
    #[cfg(test)]
    pub(crate) fn unlabelled() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Makes room for `bytes` more, so that appending secrets leaves no copy behind in a buffer that was outgrown.
    pub(crate) fn reserve(mut self, bytes: usize) -> Self {
        self.bytes.reserve(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(self, value: u8) -> Self {
        self.array(&[value])
    }

    /// Appends 2 bytes.
    pub fn u16(self, value: u16) -> Self {
        self.array(&value.to_le_bytes())
    }

    /// Appends 4 bytes.
    pub fn u32(self, value: u32) -> Self {
        self.array(&value.to_le_bytes())
    }

    /// Appends 8 bytes.
    pub fn u64(self, value: u64) -> Self {
        self.array(&value.to_le_bytes())
    }

    /// Appends 16 bytes.
    pub fn u128(self, value: u128) -> Self {
        self.array(&value.to_le_bytes())
    }

    /// Appends 16 bytes, two's complement.
    pub fn i128(self, value: i128) -> Self {
        self.array(&value.to_le_bytes())
    }

    /// Appends the 8 bytes of the IEEE 754 representation.
    pub fn f64(self, value: f64) -> Self {
        self.u64(value.to_bits())
    }

    /// Appends one byte, 0 or 1.
    pub fn bool(self, value: bool) -> Self {
        self.u8(u8::from(value))
    }

    /// Appends the bytes of a value whose length is fixed by its type, without a length.
    pub fn array<const N: usize>(mut self, value: &[u8; N]) -> Self {
        self.bytes.extend_from_slice(value);
        self
    }

    /// Appends the 32 bytes of a digest.
    pub fn digest_field(self, value: &Digest) -> Self {
        self.array(&value.0)
    }

    /// Appends a length and the bytes.
    pub fn bytes(self, value: &[u8]) -> Self {
        let mut next = self.u64(value.len() as u64);
        next.bytes.extend_from_slice(value);
        next
    }

    /// Appends a length and the UTF-8 bytes.
    pub fn str(self, value: &str) -> Self {
        self.bytes(value.as_bytes())
    }

    /// Appends the number of items, then each item as `write` writes it.
    pub fn list<T>(
        self,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        write: impl FnMut(Self, T) -> Self,
    ) -> Self {
        let items = items.into_iter();
        let next = self.u64(items.len() as u64);
        items.fold(next, write)
    }

    /// Appends 0 for none, or 1 and the value as `write` writes it.
    pub fn option<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            None => self.bool(false),
            Some(value) => write(self.bool(true), value),
        }
    }

    /// The encoding.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// SHA-256 of the encoding.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// Why bytes are not the canonical encoding of the expected value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// The bytes begin with another label.
    #[error("the encoding has another label")]
    Label,
    /// The bytes end inside a field, or a length reaches beyond them.
    #[error("the encoding is truncated")]
    Truncated,
    /// Bytes are left after the last field.
    #[error("{left} bytes follow the encoding")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// A `str` field is not UTF-8.
    #[error("a text field is not utf-8")]
    Text,
    /// A `bool` or `option` byte is neither 0 nor 1.
    #[error("a flag is neither 0 nor 1")]
    Flag,
}

/// Reader of one canonical encoding; [`Reader::finish`] refuses anything that is left.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins to read `bytes`, which must begin with `label`.
    pub fn new(bytes: &'a [u8], label: &str) -> Result<Self, CanonicalError> {
        let mut reader = Self { rest: bytes };
        match reader.bytes() {
            Ok(found) if found == label.as_bytes() => Ok(reader),
            _ => Err(CanonicalError::Label),
        }
    }

    /// Reads one byte.
    pub fn u8(&mut self) -> Result<u8, CanonicalError> {
        self.array().map(u8::from_le_bytes)
    }

    /// Reads 2 bytes.
    pub fn u16(&mut self) -> Result<u16, CanonicalError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Reads 4 bytes.
    pub fn u32(&mut self) -> Result<u32, CanonicalError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads 8 bytes.
    pub fn u64(&mut self) -> Result<u64, CanonicalError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Reads 16 bytes.
    pub fn u128(&mut self) -> Result<u128, CanonicalError> {
        self.array().map(u128::from_le_bytes)
    }

    /// Reads 16 bytes, two's complement.
    pub fn i128(&mut self) -> Result<i128, CanonicalError> {
        self.array().map(i128::from_le_bytes)
    }

    /// Reads the 8 bytes of an IEEE 754 representation.
    pub fn f64(&mut self) -> Result<f64, CanonicalError> {
        self.u64().map(f64::from_bits)
    }

    /// Reads one byte that is 0 or 1.
    pub fn bool(&mut self) -> Result<bool, CanonicalError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CanonicalError::Flag),
        }
    }

    /// Reads `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CanonicalError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(CanonicalError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    /// Reads the 32 bytes of a digest.
    pub fn digest(&mut self) -> Result<Digest, CanonicalError> {
        self.array().map(Digest)
    }

    /// Reads a length and that many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], CanonicalError> {
        let length = usize::try_from(self.u64()?).map_err(|_| CanonicalError::Truncated)?;
        let (head, rest) = self.rest.split_at_checked(length).ok_or(CanonicalError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// Reads a length and that many bytes of UTF-8.
    pub fn str(&mut self) -> Result<&'a str, CanonicalError> {
        str::from_utf8(self.bytes()?).map_err(|_| CanonicalError::Text)
    }

    /// Reads a number of items and each item as `read` reads it. Every item takes at least one byte, so a number
    /// beyond the bytes that are left is refused before anything is allocated.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<Vec<T>, CanonicalError> {
        let count = usize::try_from(self.u64()?).map_err(|_| CanonicalError::Truncated)?;
        if count > self.rest.len() {
            return Err(CanonicalError::Truncated);
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// Reads a flag and, if it is 1, the value as `read` reads it.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CanonicalError>,
    ) -> Result<Option<T>, CanonicalError> {
        self.bool()?.then(|| read(self)).transpose()
    }

    /// Ends reading; every byte must have been read.
    pub fn finish(self) -> Result<(), CanonicalError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(CanonicalError::Trailing { left }),
        }
    }
}
