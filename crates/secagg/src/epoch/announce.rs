//! Step 1 and 2: announcements, the bundle of all of them, and one shared secret per pair.

use std::collections::BTreeMap;
use std::fmt;

use rand_core::CryptoRng;
use x25519_dalek::{PublicKey, ReusableSecret};

use super::boxes::{self, Boxed, SealedBox};
use super::error::EpochError;
use crate::canonical::{Canonical, CanonicalError, Reader};
use crate::digest::Digest;
use crate::identity::{PublicIdentity, Signature, SigningIdentity};
use crate::kdf::{self, Secret};

const LABEL: &str = "entente/v1/announcement";
const SIGNED: &str = "entente/v1/signed announcement";
const BUNDLE: &str = "entente/v1/bundle";

/// What a site says at the start of an epoch, signed by its identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// Digest of the study manifest.
    pub manifest: Digest,
    /// Number of the epoch; larger than any before.
    pub epoch: u64,
    /// Index of the site in the roster.
    pub site: u16,
    /// X25519 public key of this epoch.
    pub public: [u8; 32],
    /// Random bytes, fresh in this epoch.
    pub nonce: [u8; 32],
    /// Salted commitment to the site's frozen cohort, the same in every epoch.
    pub cohort: Digest,
    /// Head of the site's ledger.
    pub head: Digest,
    /// Over all other fields.
    pub signature: Signature,
}

impl Announcement {
    /// Whether `identity` signed this announcement.
    pub fn is_signed_by(&self, identity: &PublicIdentity) -> bool {
        let digest = self.fields(Canonical::new(LABEL)).digest();
        identity.verify(LABEL, &digest, &self.signature).is_ok()
    }

    /// `"entente/v1/signed announcement" | fields in order | signature`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.entry(Canonical::new(SIGNED)).finish()
    }

    /// Reads what [`Announcement::to_bytes`] wrote. Verifies nothing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new(bytes, SIGNED)?;
        let announcement = Self {
            manifest: reader.digest()?,
            epoch: reader.u64()?,
            site: reader.u16()?,
            public: reader.array()?,
            nonce: reader.array()?,
            cohort: reader.digest()?,
            head: reader.digest()?,
            signature: Signature(reader.array()?),
        };
        reader.finish()?;
        Ok(announcement)
    }

    fn fields(&self, writer: Canonical) -> Canonical {
        writer
            .digest_field(&self.manifest)
            .u64(self.epoch)
            .u16(self.site)
            .array(&self.public)
            .array(&self.nonce)
            .digest_field(&self.cohort)
            .digest_field(&self.head)
    }

    fn entry(&self, writer: Canonical) -> Canonical {
        self.fields(writer).array(&self.signature.0)
    }
}

/// A site that has announced its key and waits for the bundle of all announcements.
pub struct Announced {
    identity: PublicIdentity,
    own: Announcement,
    secret: ReusableSecret,
}

impl Announced {
    /// Makes a key pair and a nonce (the random source gives 32 bytes for each, in this order) and announces them.
    pub fn start<R: CryptoRng + ?Sized>(
        rng: &mut R,
        identity: &SigningIdentity,
        manifest: Digest,
        epoch: u64,
        site: u16,
        cohort: Digest,
        head: Digest,
    ) -> (Self, Announcement) {
        let secret = ReusableSecret::random_from_rng(rng);
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let mut own = Announcement {
            manifest,
            epoch,
            site,
            public: PublicKey::from(&secret).to_bytes(),
            nonce,
            cohort,
            head,
            signature: Signature([0; 64]),
        };
        own.signature = identity.sign(LABEL, &own.fields(Canonical::new(LABEL)).digest());
        let announced = Self { identity: identity.public(), own: own.clone(), secret };
        (announced, own)
    }

    /// Checks the bundle, agrees with every peer, drops the secret key, and seals this site's share of the group
    /// secret (32 bytes of the random source) for each peer.
    ///
    /// The bundle must hold exactly the roster in its order, each entry signed by the roster's key, for the same
    /// manifest and epoch as this site's own entry, which must stand unchanged; all keys distinct and contributory.
    pub fn bundle<R: CryptoRng + ?Sized>(
        self,
        rng: &mut R,
        roster: &[PublicIdentity],
        bundle: &[Announcement],
    ) -> Result<(Boxed, Vec<SealedBox>), EpochError> {
        self.check_roster(roster)?;
        self.check_entries(roster, bundle)?;
        check_distinct(bundle)?;
        let transcript = transcript(bundle);
        let peers = self.agree(&transcript, bundle)?;
        let agreed = Agreed {
            identity: self.identity,
            site: self.own.site,
            number: self.own.epoch,
            roster: roster.to_vec(),
            transcript,
            peers,
        };
        Ok(boxes::seal(rng, agreed))
    }

    fn check_roster(&self, roster: &[PublicIdentity]) -> Result<(), EpochError> {
        if roster.len() < 2 || roster.len() > usize::from(u16::MAX) {
            return Err(EpochError::RosterSize { sites: roster.len() });
        }
        let mut seen = BTreeMap::new();
        for (site, identity) in (0..).zip(roster) {
            if let Some(first) = seen.insert(identity, site) {
                return Err(EpochError::RepeatedIdentity { first, second: site });
            }
        }
        let site = self.own.site;
        if roster.get(usize::from(site)) != Some(&self.identity) {
            return Err(EpochError::NotInRoster { site });
        }
        Ok(())
    }

    fn check_entries(&self, roster: &[PublicIdentity], bundle: &[Announcement]) -> Result<(), EpochError> {
        if bundle.len() != roster.len() {
            return Err(EpochError::AnnouncementCount { expected: roster.len(), got: bundle.len() });
        }
        for (expected, (identity, entry)) in (0..).zip(roster.iter().zip(bundle)) {
            let site = entry.site;
            if site != expected {
                return Err(EpochError::AnnouncementOrder { expected, got: site });
            }
            if entry.manifest != self.own.manifest {
                return Err(EpochError::Manifest { site });
            }
            if entry.epoch != self.own.epoch {
                return Err(EpochError::Number { site, expected: self.own.epoch, got: entry.epoch });
            }
            if !entry.is_signed_by(identity) {
                return Err(EpochError::AnnouncementSignature { site });
            }
        }
        if bundle[usize::from(self.own.site)] != self.own {
            return Err(EpochError::OwnAnnouncement);
        }
        Ok(())
    }

    /// `PRK_ij = HKDF-Extract(salt = T, X25519(sk_i, pk_j))` for every peer `j`.
    fn agree(&self, transcript: &Digest, bundle: &[Announcement]) -> Result<BTreeMap<u16, Secret>, EpochError> {
        let mut peers = BTreeMap::new();
        for entry in bundle.iter().filter(|entry| entry.site != self.own.site) {
            let shared = self.secret.diffie_hellman(&PublicKey::from(entry.public));
            if !shared.was_contributory() {
                return Err(EpochError::LowOrderKey { site: entry.site });
            }
            peers.insert(entry.site, kdf::extract(&transcript.0, shared.as_bytes()));
        }
        Ok(peers)
    }
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Announced(site {}, epoch {}, ..)", self.own.site, self.own.epoch)
    }
}

/// What a site knows after the bundle: one secret per peer, and what it may not change any more.
pub(super) struct Agreed {
    pub(super) identity: PublicIdentity,
    pub(super) site: u16,
    pub(super) number: u64,
    pub(super) roster: Vec<PublicIdentity>,
    pub(super) transcript: Digest,
    pub(super) peers: BTreeMap<u16, Secret>,
}

impl Agreed {
    /// Number of sites.
    pub(super) fn sites(&self) -> u16 {
        u16::try_from(self.roster.len()).expect("the roster's size was checked with the bundle")
    }
}

/// `T = H("entente/v1/bundle" | list of (fields in order | signature))`.
pub fn transcript(bundle: &[Announcement]) -> Digest {
    Canonical::new(BUNDLE).list(bundle, |writer, entry| entry.entry(writer)).digest()
}

/// Keys are compared as field elements: the encodings `u`, `u + p` and `u + 2^255` are one key.
fn check_distinct(bundle: &[Announcement]) -> Result<(), EpochError> {
    for (i, second) in bundle.iter().enumerate() {
        let key = PublicKey::from(second.public);
        for first in &bundle[..i] {
            if PublicKey::from(first.public) == key {
                return Err(EpochError::RepeatedKey { first: first.site, second: second.site });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;
    use crate::test_rng::Chosen;

    fn announced(secret: &str) -> (Announced, Announcement) {
        let secret = hex::parse::<32>(secret).unwrap();
        let mut rng = Chosen::new(&[&secret, &[0; 32]]);
        let zero = Digest([0; 32]);
        let identity = SigningIdentity::from_bytes(&[1; 32]);
        Announced::start(&mut rng, &identity, zero, 1, 0, zero, zero)
    }

    #[test]
    fn rfc_7748_section_6_1() {
        let (alice, from_alice) = announced("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        let (bob, from_bob) = announced("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        assert_eq!(hex::text(&from_alice.public), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        assert_eq!(hex::text(&from_bob.public), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
        let shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        for (site, entry) in [(&alice, &from_bob), (&bob, &from_alice)] {
            let secret = site.secret.diffie_hellman(&entry.public.into());
            assert_eq!(hex::text(secret.as_bytes()), shared);
        }
    }

    #[test]
    fn one_key_in_another_encoding_is_the_same_key() {
        let (_, first) = announced(&"11".repeat(32));
        let mut second = first.clone();
        second.site = 1;
        second.public[31] |= 0x80;
        assert_eq!(check_distinct(&[first, second]), Err(EpochError::RepeatedKey { first: 0, second: 1 }));
    }

    #[test]
    fn bytes_round_trip_and_nothing_else_decodes() {
        let (_, announcement) = announced(&"22".repeat(32));
        let bytes = announcement.to_bytes();
        assert_eq!(Announcement::from_bytes(&bytes), Ok(announcement));
        for end in 0..bytes.len() {
            assert!(Announcement::from_bytes(&bytes[..end]).is_err());
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Announcement::from_bytes(&longer), Err(CanonicalError::Trailing { left: 1 }));
    }
}
