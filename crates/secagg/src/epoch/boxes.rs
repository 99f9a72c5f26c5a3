//! Step 3: every site sends every other its share of the group secret in a sealed box.

use std::fmt;

use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::announce::Agreed;
use super::confirm::{self, Confirmation, Confirming};
use super::error::EpochError;
use crate::canonical::{Canonical, CanonicalError, Reader};
use crate::digest::Digest;
use crate::identity::SigningIdentity;
use crate::kdf::Secret;

const LABEL: &str = "entente/v1/box";
const SEALED: &str = "entente/v1/sealed box";
const BOXES: &str = "entente/v1/boxes";
const GROUP: &str = "entente/v1/group";

/// One site's share of the group secret, readable by one other site: 32 bytes under ChaCha20-Poly1305 and the 16-byte
/// tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedBox {
    /// Index of the sender in the roster.
    pub from: u16,
    /// Index of the receiver in the roster.
    pub to: u16,
    /// Ciphertext and tag, 48 bytes.
    pub bytes: Vec<u8>,
}

impl SealedBox {
    /// `"entente/v1/sealed box" | u16 from | u16 to | bytes`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.fields(Canonical::new(SEALED)).finish()
    }

    /// Reads what [`SealedBox::to_bytes`] wrote. Verifies nothing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new(bytes, SEALED)?;
        let sealed = Self { from: reader.u16()?, to: reader.u16()?, bytes: reader.bytes()?.to_vec() };
        reader.finish()?;
        Ok(sealed)
    }

    fn fields(&self, writer: Canonical) -> Canonical {
        writer.u16(self.from).u16(self.to).bytes(&self.bytes)
    }
}

/// Draws this site's share and seals it for every peer, in the order of the roster.
pub(super) fn seal<R: CryptoRng + ?Sized>(rng: &mut R, agreed: Agreed) -> (Boxed, Vec<SealedBox>) {
    let share = Secret::random(rng);
    let own: Vec<_> = agreed
        .peers
        .iter()
        .map(|(&to, prk)| SealedBox {
            from: agreed.site,
            to,
            bytes: cipher(prk, &agreed.transcript, agreed.site, to)
                .encrypt(&Nonce::default(), share.0.as_slice())
                .expect("32 bytes are within the cipher's limit"),
        })
        .collect();
    let boxed = Boxed { agreed, share, own: own.clone() };
    (boxed, own)
}

/// A site that has sent its boxes and waits for those of all sites.
pub struct Boxed {
    agreed: Agreed,
    share: Secret,
    own: Vec<SealedBox>,
}

impl Boxed {
    /// Checks all boxes of all sites, opens those to this site, forms the group secret and signs what this site saw.
    ///
    /// `all` must hold the `n (n - 1)` boxes ascending by sender, then receiver, this site's own unchanged.
    pub fn boxes(
        self,
        identity: &SigningIdentity,
        all: &[SealedBox],
    ) -> Result<(Confirming, Confirmation), EpochError> {
        if identity.public() != self.agreed.identity {
            return Err(EpochError::Changed);
        }
        self.check_order(all)?;
        self.check_own(all)?;
        let group = self.group(all)?;
        let boxes = Canonical::new(BOXES).list(all, |writer, sealed| sealed.fields(writer)).digest();
        Ok(confirm::sign(identity, self.agreed, group, boxes))
    }

    fn check_order(&self, all: &[SealedBox]) -> Result<(), EpochError> {
        let n = self.agreed.sites();
        let expected = usize::from(n) * usize::from(n - 1);
        if all.len() != expected {
            return Err(EpochError::BoxCount { expected, got: all.len() });
        }
        let pairs = (0..n).flat_map(|from| (0..n).map(move |to| (from, to)));
        for ((expected_from, expected_to), sealed) in pairs.filter(|(from, to)| from != to).zip(all) {
            if (sealed.from, sealed.to) != (expected_from, expected_to) {
                return Err(EpochError::BoxOrder { expected_from, expected_to, from: sealed.from, to: sealed.to });
            }
        }
        Ok(())
    }

    fn check_own(&self, all: &[SealedBox]) -> Result<(), EpochError> {
        let sent = all.iter().filter(|sealed| sealed.from == self.agreed.site);
        match self.own.iter().zip(sent).find(|(own, sent)| own != sent) {
            None => Ok(()),
            Some((own, _)) => Err(EpochError::OwnBox { to: own.to }),
        }
    }

    /// `G = H("entente/v1/group" | T | list of g_1 .. g_n)`.
    fn group(&self, all: &[SealedBox]) -> Result<Secret, EpochError> {
        let agreed = &self.agreed;
        let shares = (0..agreed.sites())
            .map(|from| match agreed.peers.get(&from) {
                Some(prk) => open(prk, agreed, from, all),
                None => Ok(self.share.clone()),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let writer = Canonical::new(GROUP)
            .digest_field(&agreed.transcript)
            .reserve(8 + 32 * shares.len())
            .list(&shares, |writer, share| writer.array(&share.0));
        let bytes = Zeroizing::new(writer.finish());
        Ok(Secret(Digest::of(&bytes).0))
    }
}

impl fmt::Debug for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Boxed(site {}, epoch {}, ..)", self.agreed.site, self.agreed.number)
    }
}

/// Opens the box from `from` to this site.
fn open(prk: &Secret, agreed: &Agreed, from: u16, all: &[SealedBox]) -> Result<Secret, EpochError> {
    let closed = EpochError::ClosedBox { from };
    let sealed = all.iter().find(|sealed| sealed.from == from && sealed.to == agreed.site).ok_or(closed)?;
    let mut plain = cipher(prk, &agreed.transcript, from, agreed.site)
        .decrypt(&Nonce::default(), sealed.bytes.as_slice())
        .map_err(|_| closed)?;
    let share = plain.as_slice().try_into().map(Secret);
    plain.zeroize();
    share.map_err(|_| closed)
}

/// ChaCha20-Poly1305 with key `Expand(PRK, "entente/v1/box" | T | u16 from | u16 to)`. The key seals one message, so
/// the nonce is zero.
fn cipher(prk: &Secret, transcript: &Digest, from: u16, to: u16) -> ChaCha20Poly1305 {
    let info = Canonical::new(LABEL).digest_field(transcript).u16(from).u16(to);
    ChaCha20Poly1305::new((&prk.expand(info).0).into())
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::aead::Payload;

    use super::*;
    use crate::hex;

    #[test]
    fn rfc_8439_section_2_8_2() {
        let key: Vec<u8> = (0x80..=0x9f).collect();
        let nonce = hex::parse::<12>("070000004041424344454647").unwrap();
        let aad = hex::parse::<12>("50515253c0c1c2c3c4c5c6c7").unwrap();
        let msg = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                    sunscreen would be it.";
        let sealed =
            ChaCha20Poly1305::new_from_slice(&key).unwrap().encrypt(&nonce.into(), Payload { msg, aad: &aad }).unwrap();
        assert_eq!(hex::text(&sealed[..16]), "d31a8d34648e60db7b86afbc53ef7ec2");
        assert_eq!(hex::text(&sealed[msg.len()..]), "1ae10b594f09e26a7e902ecbd0600691");
    }
}
