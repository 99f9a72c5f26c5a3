//! A bundle: one party's ledger of one run, with what is needed to verify it offline.

use secagg::{Canonical, Digest, PublicIdentity, Reader, Signature, SigningIdentity};

use super::Place;
use crate::ledger::Chain;
use crate::manifest::Manifest;

const LABEL: &str = "entente/v1/audit bundle";

/// Whose ledger a bundle holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// The coordinator.
    Coordinator,
    /// The site of an index in the roster.
    Site(u16),
}

impl Party {
    /// Its name for people.
    pub fn name(self, manifest: &Manifest) -> String {
        match self {
            Party::Coordinator => "coordinator".into(),
            Party::Site(index) => match manifest.roster.members().get(usize::from(index)) {
                Some(member) => format!("site {}", member.id),
                None => format!("site number {index}"),
            },
        }
    }

    /// The key that signs for it.
    pub(super) fn identity(self, manifest: &Manifest) -> Option<PublicIdentity> {
        match self {
            Party::Coordinator => Some(manifest.coordinator),
            Party::Site(index) => manifest.roster.members().get(usize::from(index)).map(|member| member.identity),
        }
    }
}

/// One party's ledger of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Whose it is.
    pub party: Party,
    /// Canonical bytes of the manifest.
    pub manifest: Vec<u8>,
    /// The coordinator's signature under the manifest.
    pub manifest_signature: Signature,
    /// Text of the protocol.
    pub protocol: String,
    /// Text of the site's policy at approval; empty is the strict default. The coordinator has none.
    pub policy: String,
    /// The entries of the ledger, in order.
    pub entries: Vec<Vec<u8>>,
    /// Digest of the last entry, when it was exported.
    pub head: Digest,
    /// Number of entries, when it was exported.
    pub count: u64,
    /// By the party, over all of it.
    pub signature: Signature,
}

impl Bundle {
    /// Signs a ledger for export; head, count and signature that the value already has do not count.
    #[must_use]
    pub fn signed(mut self, identity: &SigningIdentity) -> Bundle {
        self.count = self.entries.len() as u64;
        self.head = self.entries.last().map_or_else(|| Digest::of(&self.manifest), |last| Digest::of(last));
        self.signature = identity.sign(LABEL, &self.content());
        self
    }

    /// Bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let out = self.beginning().list(&self.entries, |out, entry| out.bytes(entry));
        out.digest_field(&self.head).u64(self.count).array(&self.signature.0).finish()
    }

    /// Reads the bytes of a file; says where they stop to make sense.
    pub fn from_bytes(bytes: &[u8]) -> Result<Bundle, Place> {
        let mut r = Reader::new(bytes, LABEL).map_err(|_| Place::Beginning)?;
        let party = match (r.u8().map_err(|_| Place::Beginning)?, r.u16().map_err(|_| Place::Beginning)?) {
            (0, 0) => Party::Coordinator,
            (1, site) => Party::Site(site),
            _ => return Err(Place::Beginning),
        };
        let manifest = r.bytes().map_err(|_| Place::Manifest)?.to_vec();
        let manifest_signature = Signature(r.array().map_err(|_| Place::Manifest)?);
        let protocol = r.str().map_err(|_| Place::Protocol)?.to_owned();
        let policy = r.str().map_err(|_| Place::Policy)?.to_owned();
        let count = r.u64().map_err(|_| Place::Entry(1))?;
        let mut entries = Vec::new();
        for number in 1..=count {
            entries.push(r.bytes().map_err(|_| Place::Entry(number))?.to_vec());
        }
        let head = r.digest().map_err(|_| Place::End)?;
        let count = r.u64().map_err(|_| Place::End)?;
        let signature = Signature(r.array().map_err(|_| Place::End)?);
        r.finish().map_err(|_| Place::End)?;
        Ok(Bundle { party, manifest, manifest_signature, protocol, policy, entries, head, count, signature })
    }

    /// Did the party sign this bundle?
    pub(super) fn is_signed_by(&self, identity: &PublicIdentity) -> bool {
        identity.verify(LABEL, &self.content(), &self.signature).is_ok()
    }

    fn beginning(&self) -> Canonical {
        let out = match self.party {
            Party::Coordinator => Canonical::new(LABEL).u8(0).u16(0),
            Party::Site(site) => Canonical::new(LABEL).u8(1).u16(site),
        };
        out.bytes(&self.manifest).array(&self.manifest_signature.0).str(&self.protocol).str(&self.policy)
    }

    /// The entries stand in it by their head: each names the one before.
    fn content(&self) -> Digest {
        self.beginning().digest_field(&self.head).u64(self.count).digest()
    }

    /// The end of the ledger as the party signed it.
    pub(super) fn end(&self) -> Chain {
        Chain::at(self.head, self.count)
    }
}
