//! Step 4: every site signs what it saw; an epoch begins when all saw the same.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::announce::Agreed;
use super::error::EpochError;
use super::keys::Epoch;
use crate::canonical::{Canonical, CanonicalError, Reader};
use crate::digest::Digest;
use crate::identity::{PublicIdentity, Signature, SigningIdentity};
use crate::kdf::Secret;

const LABEL: &str = "entente/v1/confirmation";
const SIGNED: &str = "entente/v1/signed confirmation";
const GROUP_CHECK: &str = "entente/v1/group check";

/// What a site saw of the key agreement, signed by its identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirmation {
    /// Index of the site in the roster.
    pub site: u16,
    /// `T`, the digest of the bundle of announcements.
    pub transcript: Digest,
    /// `H("entente/v1/group check" | G)`.
    pub group: Digest,
    /// `H("entente/v1/boxes" | list of (u16 from | u16 to | bytes))`.
    pub boxes: Digest,
    /// Over all other fields.
    pub signature: Signature,
}

impl Confirmation {
    /// Whether `identity` signed this confirmation.
    pub fn is_signed_by(&self, identity: &PublicIdentity) -> bool {
        let digest = self.fields(Canonical::new(LABEL)).digest();
        identity.verify(LABEL, &digest, &self.signature).is_ok()
    }

    /// `"entente/v1/signed confirmation" | fields in order | signature`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.fields(Canonical::new(SIGNED)).array(&self.signature.0).finish()
    }

    /// Reads what [`Confirmation::to_bytes`] wrote. Verifies nothing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new(bytes, SIGNED)?;
        let confirmation = Self {
            site: reader.u16()?,
            transcript: reader.digest()?,
            group: reader.digest()?,
            boxes: reader.digest()?,
            signature: Signature(reader.array()?),
        };
        reader.finish()?;
        Ok(confirmation)
    }

    fn fields(&self, writer: Canonical) -> Canonical {
        writer.u16(self.site).digest_field(&self.transcript).digest_field(&self.group).digest_field(&self.boxes)
    }
}

/// Signs what this site saw.
pub(super) fn sign(
    identity: &SigningIdentity,
    agreed: Agreed,
    group: Secret,
    boxes: Digest,
) -> (Confirming, Confirmation) {
    let mut own = Confirmation {
        site: agreed.site,
        transcript: agreed.transcript,
        group: group_check(&group),
        boxes,
        signature: Signature([0; 64]),
    };
    own.signature = identity.sign(LABEL, &own.fields(Canonical::new(LABEL)).digest());
    let confirming = Confirming { agreed, group, own: own.clone() };
    (confirming, own)
}

fn group_check(group: &Secret) -> Digest {
    let writer = Canonical::new(GROUP_CHECK).reserve(32).array(&group.0);
    Digest::of(&Zeroizing::new(writer.finish()))
}

/// A site that has confirmed and waits for the confirmations of all sites.
pub struct Confirming {
    agreed: Agreed,
    group: Secret,
    own: Confirmation,
}

impl Confirming {
    /// Checks the confirmations: exactly the roster in its order, each signed by the roster's key, this site's own
    /// unchanged, and all of the same announcements, boxes and group secret as this site's.
    pub fn confirmations(self, roster: &[PublicIdentity], all: &[Confirmation]) -> Result<Epoch, EpochError> {
        if roster != self.agreed.roster {
            return Err(EpochError::Changed);
        }
        if all.len() != roster.len() {
            return Err(EpochError::ConfirmationCount { expected: roster.len(), got: all.len() });
        }
        for (expected, (identity, entry)) in (0..).zip(roster.iter().zip(all)) {
            self.check_entry(expected, identity, entry)?;
        }
        if all[usize::from(self.own.site)] != self.own {
            return Err(EpochError::OwnConfirmation);
        }
        Ok(Epoch::new(self.agreed, self.group))
    }

    fn check_entry(&self, expected: u16, identity: &PublicIdentity, entry: &Confirmation) -> Result<(), EpochError> {
        let site = entry.site;
        if site != expected {
            return Err(EpochError::ConfirmationOrder { expected, got: site });
        }
        if !entry.is_signed_by(identity) {
            return Err(EpochError::ConfirmationSignature { site });
        }
        if entry.transcript != self.own.transcript {
            return Err(EpochError::Transcript { site });
        }
        if entry.boxes != self.own.boxes {
            return Err(EpochError::Boxes { site });
        }
        if !bool::from(entry.group.0.ct_eq(&self.own.group.0)) {
            return Err(EpochError::Group { site });
        }
        Ok(())
    }
}

impl fmt::Debug for Confirming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Confirming(site {}, epoch {}, ..)", self.agreed.site, self.agreed.number)
    }
}
