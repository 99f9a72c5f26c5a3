//! ChaCha20 (RFC 8439, zero nonce, block counter from 0) as a source of uniform words, added to or taken off a vector.
//!
//! Word `l` of a stream is its bytes `16 l .. 16 l + 16`, little endian; a 256-bit word is 32 bytes. A key makes one
//! stream that is used once, so the nonce carries nothing.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use zeroize::{Zeroize, Zeroizing};

use crate::kdf::Secret;
use crate::wide;

/// Bytes made at a time: stays in the first-level cache, and is a multiple of every SIMD backend's stride.
const BUFFER: usize = 4096;

/// Sign with which a stream enters a vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sign {
    /// The stream is added.
    Plus,
    /// The stream is subtracted.
    Minus,
}

/// One key stream. The cipher panics beyond its `2^38` bytes (a 32-bit block counter) rather than repeat itself; no
/// vector that fits in memory gets there.
pub(crate) struct Stream(ChaCha20);

impl Stream {
    /// The stream of `key` from its first byte.
    pub(crate) fn new(key: &Secret) -> Self {
        Self(ChaCha20::new((&key.0).into(), (&[0; 12]).into()))
    }

    /// The next bytes of the stream.
    pub(crate) fn write(&mut self, bytes: &mut [u8]) {
        self.0.write_keystream(bytes);
    }

    /// Adds the next 16 bytes to `salt` and the 32 bytes after them to `check`, or subtracts them.
    pub(crate) fn apply_tail(&mut self, sign: Sign, salt: &mut u128, check: &mut [u64; 4]) {
        let mut pad = Zeroizing::new([0; 16]);
        let mut wide_pad = Zeroizing::new([0; 32]);
        self.0.write_keystream(&mut *pad);
        self.0.write_keystream(&mut *wide_pad);
        let word = u128::from_le_bytes(*pad);
        let wide_word = wide::from_bytes(&wide_pad);
        match sign {
            Sign::Plus => {
                *salt = salt.wrapping_add(word);
                *check = wide::add(*check, wide_word);
            }
            Sign::Minus => {
                *salt = salt.wrapping_sub(word);
                *check = wide::sub(*check, wide_word);
            }
        }
    }
}

/// Space for a piece of a key stream, reused over many streams and wiped once at the end.
pub(crate) struct Buffer([u8; BUFFER]);

impl Buffer {
    pub(crate) fn new() -> Self {
        Self([0; BUFFER])
    }

    /// Adds the next `words.len()` words of the stream to `words`, or subtracts them, modulo `2^128`.
    pub(crate) fn apply(&mut self, stream: &mut Stream, sign: Sign, words: &mut [u128]) {
        for words in words.chunks_mut(BUFFER / 16) {
            let bytes = &mut self.0[..16 * words.len()];
            stream.0.write_keystream(bytes);
            let (pads, _) = bytes.as_chunks::<16>();
            let pads = pads.iter().map(|pad| u128::from_le_bytes(*pad));
            match sign {
                Sign::Plus => {
                    for (word, pad) in words.iter_mut().zip(pads) {
                        *word = word.wrapping_add(pad);
                    }
                }
                Sign::Minus => {
                    for (word, pad) in words.iter_mut().zip(pads) {
                        *word = word.wrapping_sub(pad);
                    }
                }
            }
        }
    }

    /// Calls `f` with each of the next `count` 256-bit words of the stream.
    pub(crate) fn each_wide(&mut self, stream: &mut Stream, count: usize, mut f: impl FnMut(usize, [u64; 4])) {
        const PER_BUFFER: usize = BUFFER / 32;
        for start in (0..count).step_by(PER_BUFFER) {
            let bytes = &mut self.0[..32 * PER_BUFFER.min(count - start)];
            stream.0.write_keystream(bytes);
            let (chunks, _) = bytes.as_chunks::<32>();
            for (i, chunk) in chunks.iter().enumerate() {
                f(start + i, wide::from_bytes(chunk));
            }
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    // RFC 8439, appendix A.1, test vectors 1 and 2: zero key, zero nonce, blocks 0 and 1.
    const BLOCKS: &str = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
                          da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586\
                          9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed\
                          29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f";

    fn zero_key() -> Stream {
        Stream::new(&Secret([0; 32]))
    }

    #[test]
    fn rfc_8439_key_stream_as_words() {
        let mut words = [0; 8];
        Buffer::new().apply(&mut zero_key(), Sign::Plus, &mut words);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(hex::text(&bytes), BLOCKS);
    }

    #[test]
    fn rfc_8439_key_stream_as_wide_words() {
        let mut bytes = Vec::new();
        Buffer::new().each_wide(&mut zero_key(), 4, |_, word| {
            bytes.extend(word.iter().flat_map(|limb| limb.to_le_bytes()));
        });
        assert_eq!(hex::text(&bytes), BLOCKS);
    }

    #[test]
    fn pieces_of_any_length_make_one_stream() {
        // 700 words span three buffers; 3 words end inside a block.
        let mut whole = [0; 703];
        Buffer::new().apply(&mut zero_key(), Sign::Minus, &mut whole);
        let mut pieces = [0; 703];
        let mut stream = zero_key();
        let mut buffer = Buffer::new();
        let (head, tail) = pieces.split_at_mut(3);
        buffer.apply(&mut stream, Sign::Minus, head);
        buffer.apply(&mut stream, Sign::Minus, tail);
        assert_eq!(whole, pieces);

        let mut wide_words = Vec::new();
        buffer.each_wide(&mut zero_key(), 351, |l, word| {
            assert_eq!(l, wide_words.len());
            wide_words.push(word);
        });
        let low = u128::from(wide_words[350][1]) << 64 | u128::from(wide_words[350][0]);
        assert_eq!(low, whole[700].wrapping_neg());
    }
}
