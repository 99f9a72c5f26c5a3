//! Single fields: fixed lengths, site indices, short texts.

use prost::bytes::Bytes;
use secagg::{Digest, Signature};

use super::ConvertError;

/// Longest code or version, in bytes: identifiers of ours are below 40.
const TEXT_BYTES: usize = 64;

/// A copy of a short field.
pub(super) fn bytes(value: &[u8]) -> Bytes {
    Bytes::copy_from_slice(value)
}

/// Exactly `N` bytes.
pub(super) fn array<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], ConvertError> {
    bytes.try_into().map_err(|_| ConvertError::Length { field, expected: N, got: bytes.len() })
}

/// 32 bytes.
pub(super) fn digest(field: &'static str, bytes: &[u8]) -> Result<Digest, ConvertError> {
    array(field, bytes).map(Digest)
}

/// 64 bytes.
pub(super) fn signature(field: &'static str, bytes: &[u8]) -> Result<Signature, ConvertError> {
    array(field, bytes).map(Signature)
}

/// Index in the roster.
pub(super) fn site(field: &'static str, index: u32) -> Result<u16, ConvertError> {
    u16::try_from(index).map_err(|_| ConvertError::Site { field })
}

/// A message that must be there.
pub(super) fn required<T>(field: &'static str, message: Option<T>) -> Result<T, ConvertError> {
    message.ok_or(ConvertError::Missing { field })
}

/// A stable code: what a peer sends here ends in logs and on pages, so that nothing but an identifier may pass.
pub(super) fn code(field: &'static str, text: String) -> Result<String, ConvertError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    short(field, text, allowed)
}

/// Kind of a question: it ends in ledgers and on pages.
pub(super) fn kind(field: &'static str, text: String) -> Result<String, ConvertError> {
    short(field, text, |b| b.is_ascii_alphanumeric())
}

/// Name and version of a peer's software: printable ASCII.
pub(super) fn software(field: &'static str, text: String) -> Result<String, ConvertError> {
    short(field, text, |b| b == b' ' || b.is_ascii_graphic())
}

fn short(field: &'static str, text: String, allowed: impl Fn(u8) -> bool) -> Result<String, ConvertError> {
    if (1..=TEXT_BYTES).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(ConvertError::Text { field })
    }
}

/// Items of a repeated field, all or the first error.
pub(super) fn list<W, D: TryFrom<W, Error = ConvertError>>(items: Vec<W>) -> Result<Vec<D>, ConvertError> {
    items.into_iter().map(D::try_from).collect()
}
