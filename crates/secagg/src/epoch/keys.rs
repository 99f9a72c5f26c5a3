//! An epoch's keys, and the two things a site does with them: mask its vector, open the sum.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::announce::Agreed;
use crate::canonical::Canonical;
use crate::check::check_word;
use crate::digest::Digest;
use crate::kdf::Secret;
use crate::masked::{Masked, OpenError, Opened};
use crate::sealed;
use crate::stream::{Buffer, Sign, Stream};

const MASK: &str = "entente/v1/mask";
const SEAL: &str = "entente/v1/seal";

/// The keys of one site in one epoch: a secret per peer and the group secret. Wiped on drop, never printed.
pub struct Epoch {
    site: u16,
    number: u64,
    transcript: Digest,
    peers: BTreeMap<u16, Secret>,
    group: Secret,
}

impl Epoch {
    pub(super) fn new(agreed: Agreed, group: Secret) -> Self {
        Self { site: agreed.site, number: agreed.number, transcript: agreed.transcript, peers: agreed.peers, group }
    }

    /// The number that all sites announced.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// `T`, the digest of the bundle of announcements.
    pub fn transcript(&self) -> Digest {
        self.transcript
    }

    /// The salt word of a new answer: 16 bytes of the random source (little endian) at the first site of the roster, 0
    /// at every other.
    pub fn draw_salt<R: CryptoRng + ?Sized>(&self, rng: &mut R) -> u128 {
        if self.site != 0 {
            return 0;
        }
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        u128::from_le_bytes(bytes)
    }

    /// [`Epoch::mask_salted`] with a new salt.
    pub fn mask<R: CryptoRng + ?Sized>(&self, rng: &mut R, q: Digest, x: &[i128], sealed: &[Range<usize>]) -> Masked {
        self.mask_salted(q, x, self.draw_salt(rng), sealed)
    }

    /// `Y = X + sum_{j > i} PRG(K_ij) - sum_{j < i} PRG(K_ij)` over the words, the salt and the check word, with the
    /// seal of the first site on the sealed words, the salt and the check word.
    ///
    /// Masks hide one vector per request: call this once for each `q`, keep the answer, and send the kept answer when
    /// the same `q` is asked again. When an unfinished round is asked again in a new epoch, the first site passes the
    /// salt of its earlier answer, so that the opened sum has the same digest.
    ///
    /// # Panics
    /// If `sealed` does not ascend without overlap within `x`: a fault in the plan's layout.
    pub fn mask_salted(&self, q: Digest, x: &[i128], salt: u128, sealed: &[Range<usize>]) -> Masked {
        assert!(sealed::is_layout(sealed, x.len()), "sealed positions are not a layout of {} words", x.len());
        let mut buffer = Buffer::new();
        let mut y = Masked {
            words: x.iter().map(|word| word.cast_unsigned()).collect(),
            salt,
            check: check_word(&self.group, &q, x.iter().copied(), salt),
        };
        if self.site == 0 {
            self.apply_seal(&mut buffer, &q, Sign::Plus, &mut y, sealed);
        }
        for (&peer, prk) in &self.peers {
            let info = Canonical::new(MASK)
                .digest_field(&self.transcript)
                .digest_field(&q)
                .u16(self.site.min(peer))
                .u16(self.site.max(peer));
            let mut stream = Stream::new(&prk.expand(info));
            let sign = if peer > self.site { Sign::Plus } else { Sign::Minus };
            buffer.apply(&mut stream, sign, &mut y.words);
            stream.apply_tail(sign, &mut y.salt, &mut y.check);
        }
        y
    }

    /// What a site does with the broadcast sum over all sites: takes the seal off and verifies the check word.
    pub fn open(&self, q: Digest, sum: &Masked, sealed: &[Range<usize>]) -> Result<Opened, OpenError> {
        let words = sum.words.len();
        if !sealed::is_layout(sealed, words) {
            return Err(OpenError::Layout { words });
        }
        let mut sum = sum.clone();
        self.apply_seal(&mut Buffer::new(), &q, Sign::Minus, &mut sum, sealed);
        let signed = sum.words.iter().map(|word| word.cast_signed());
        let check = check_word(&self.group, &q, signed.clone(), sum.salt);
        if !bool::from(check.ct_eq(&sum.check)) {
            return Err(OpenError::Check);
        }
        Ok(Opened { words: signed.collect(), salt: sum.salt })
    }

    /// The seal is ChaCha20 with key `Expand(G, "entente/v1/seal" | q)`: a word for each sealed position in order, then
    /// the salt, then the check word.
    fn apply_seal(&self, buffer: &mut Buffer, q: &Digest, sign: Sign, vector: &mut Masked, ranges: &[Range<usize>]) {
        let info = Canonical::new(SEAL).digest_field(q);
        let mut stream = Stream::new(&self.group.expand(info));
        sealed::apply(buffer, &mut stream, sign, &mut vector.words, ranges);
        stream.apply_tail(sign, &mut vector.salt, &mut vector.check);
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch(site {}, epoch {}, {:?}, ..)", self.site, self.number, self.transcript)
    }
}
