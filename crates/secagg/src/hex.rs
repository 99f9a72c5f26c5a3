//! Lower-case hexadecimal of fixed-size byte strings: one text per value.

use std::fmt;

/// Why a text is not the hexadecimal form of a fixed-size byte string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// The text has another number of digits than two per byte.
    #[error("expected {expected} hexadecimal digits, got {got} bytes of text")]
    Length {
        /// Two per byte of the value.
        expected: usize,
        /// Length of the text in bytes.
        got: usize,
    },
    /// A character is none of `0-9a-f`; upper case is refused, so that equal values have equal texts.
    #[error("not a lower-case hexadecimal digit at position {position}")]
    Digit {
        /// Offset of the first such byte.
        position: usize,
    },
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two digits per byte, in order.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// Writes [`text`] to a formatter.
pub(crate) fn display(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.pad(&text(bytes))
}

/// Reads exactly `N` bytes.
pub(crate) fn parse<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(HexError::Length { expected: 2 * N, got: digits.len() });
    }
    let mut out = [0; N];
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = digit(digits, 2 * i)? << 4 | digit(digits, 2 * i + 1)?;
    }
    Ok(out)
}

fn digit(digits: &[u8], position: usize) -> Result<u8, HexError> {
    match digits[position] {
        c @ b'0'..=b'9' => Ok(c - b'0'),
        c @ b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(HexError::Digit { position }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusals() {
        assert_eq!(text(&[0x00, 0x9f, 0xa0]), "009fa0");
        assert_eq!(parse::<3>("009fa0"), Ok([0x00, 0x9f, 0xa0]));
        assert_eq!(parse::<3>("009f"), Err(HexError::Length { expected: 6, got: 4 }));
        assert_eq!(parse::<3>("009fA0"), Err(HexError::Digit { position: 4 }));
        assert_eq!(parse::<2>("é0a"), Err(HexError::Digit { position: 0 }));
    }
}
