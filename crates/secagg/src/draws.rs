//! Reproducible draws: 64-bit words of a key stream, the same for the same key and label.
//!
//! A site that resamples its rows draws from [`Draws::secret`]: who does not hold the key cannot tell the words from
//! chance, and two labels have nothing in common. What every party has to draw alike comes from [`Draws::public`].

use std::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::canonical::Canonical;
use crate::kdf::Secret;
use crate::stream::Stream;

/// Bytes of the stream at a time: eight blocks.
const BUFFER: usize = 512;

/// 32 secret bytes of a site from which its draws come. Wiped on drop, never printed.
#[derive(Clone)]
pub struct DrawKey(Secret);

impl DrawKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Secret(*bytes))
    }

    /// A fresh key from the random source.
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(Secret::random(rng))
    }

    /// Its bytes, to be stored where nobody else reads them.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.0)
    }
}

impl fmt::Debug for DrawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DrawKey(..)")
    }
}

/// A sequence of 64-bit words.
pub struct Draws {
    stream: Stream,
    buffer: Zeroizing<[u8; BUFFER]>,
    used: usize,
}

impl Draws {
    /// Words that only holders of the key know: ChaCha20 under HKDF-Expand of `key` for the bytes of `label`.
    pub fn secret(key: &DrawKey, label: Canonical) -> Self {
        Self::of(&key.0.expand(label))
    }

    /// Words that everybody makes from `label`: ChaCha20 under its digest.
    pub fn public(label: &Canonical) -> Self {
        Self::of(&Secret(label.digest().0))
    }

    fn of(key: &Secret) -> Self {
        Self { stream: Stream::new(key), buffer: Zeroizing::new([0; BUFFER]), used: BUFFER }
    }

    /// The next word: eight bytes of the stream, little endian.
    pub fn word(&mut self) -> u64 {
        if self.used == BUFFER {
            self.stream.write(&mut *self.buffer);
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.buffer[self.used..self.used + 8]);
        self.used += 8;
        u64::from_le_bytes(bytes)
    }
}

impl fmt::Debug for Draws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draws(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_key_stream() {
        // RFC 8439, appendix A.1: zero key, zero nonce, block 0; the buffer ends after 64 words.
        let mut draws = Draws::of(&Secret([0; 32]));
        assert_eq!(draws.word().to_le_bytes(), [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90]);
        let words: Vec<u64> = (1..130).map(|_| draws.word()).collect();
        let mut whole = [0; 130 * 8];
        Stream::new(&Secret([0; 32])).write(&mut whole);
        assert_eq!(words.last().unwrap().to_le_bytes(), whole[129 * 8..]);
    }

    #[test]
    fn key_and_label_make_the_words() {
        let label = |n| Canonical::new("test/draws").u32(n);
        let first = |bytes, n| Draws::secret(&DrawKey::from_bytes(&bytes), label(n)).word();
        assert_eq!(first([1; 32], 1), first([1; 32], 1));
        assert_ne!(first([1; 32], 1), first([1; 32], 2));
        assert_ne!(first([1; 32], 1), first([2; 32], 1));
        assert_ne!(first([1; 32], 1), Draws::public(&label(1)).word());
        assert_eq!(Draws::public(&label(1)).word(), Draws::public(&label(1)).word());
    }

    #[test]
    fn debug_shows_no_byte() {
        let key = DrawKey::from_bytes(&[7; 32]);
        let draws = Draws::secret(&key, Canonical::new("test/draws"));
        assert_eq!(format!("{key:?} {draws:?}"), "DrawKey(..) Draws(..)");
    }
}
