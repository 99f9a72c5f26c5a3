//! Records of a site's own ledger: what it was offered, what its people decided, what it refused before any run saw it.

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, Reader};

use super::{Chain, Recorded};

/// What a site writes down beside the ledgers of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionRecord {
    /// The coordinator offers a run, and the offer can be decided.
    Offered {
        /// Digest of the manifest.
        manifest: Digest,
    },
    /// A decision is made under another policy than the one before.
    PolicyChanged {
        /// Digest of the policy's rules.
        policy: Digest,
    },
    /// A person consents, where the policy asks for more than one.
    Consented {
        /// Digest of the manifest.
        manifest: Digest,
    },
    /// The last person that was needed approves.
    Approved {
        /// Digest of the manifest.
        manifest: Digest,
    },
    /// A person rejects. The reason stays at the site.
    Rejected {
        /// Digest of the manifest.
        manifest: Digest,
        /// As given.
        reason: String,
    },
    /// A person takes an approval back. The reason stays at the site.
    Withdrawn {
        /// Digest of the manifest.
        manifest: Digest,
        /// As given.
        reason: String,
    },
    /// Somebody gets a login of their own to the site's pages.
    ReviewerNamed {
        /// As it stands in what they decide.
        name: String,
    },
    /// A reviewer's login ends.
    ReviewerRemoved {
        /// As before.
        name: String,
    },
    /// A link is made that lets a reviewer in once.
    ReviewerLink {
        /// As before.
        name: String,
    },
    /// An offer, or a message that belongs to no run of this site, is refused.
    Refused {
        /// Digest of the manifest that it names; none where nothing could be read.
        manifest: Option<Digest>,
        /// Rule id.
        rule: String,
    },
}

impl DecisionRecord {
    /// The empty ledger of a site's decisions.
    pub fn chain() -> Chain {
        Chain::new(Digest::of(Self::LABEL.as_bytes()))
    }
}

impl Recorded for DecisionRecord {
    const LABEL: &str = "entente/v1/decision entry";

    fn write(&self, out: Canonical) -> Canonical {
        match self {
            DecisionRecord::Offered { manifest } => out.u8(1).digest_field(manifest),
            DecisionRecord::PolicyChanged { policy } => out.u8(2).digest_field(policy),
            DecisionRecord::Consented { manifest } => out.u8(3).digest_field(manifest),
            DecisionRecord::Approved { manifest } => out.u8(4).digest_field(manifest),
            DecisionRecord::Rejected { manifest, reason } => out.u8(5).digest_field(manifest).str(reason),
            DecisionRecord::Withdrawn { manifest, reason } => out.u8(6).digest_field(manifest).str(reason),
            DecisionRecord::ReviewerNamed { name } => out.u8(8).str(name),
            DecisionRecord::ReviewerRemoved { name } => out.u8(9).str(name),
            DecisionRecord::ReviewerLink { name } => out.u8(10).str(name),
            DecisionRecord::Refused { manifest, rule } => {
                out.u8(7).option(manifest.as_ref(), Canonical::digest_field).str(rule)
            }
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<DecisionRecord, CanonicalError> {
        Ok(match r.u8()? {
            1 => DecisionRecord::Offered { manifest: r.digest()? },
            2 => DecisionRecord::PolicyChanged { policy: r.digest()? },
            3 => DecisionRecord::Consented { manifest: r.digest()? },
            4 => DecisionRecord::Approved { manifest: r.digest()? },
            5 => DecisionRecord::Rejected { manifest: r.digest()?, reason: r.str()?.to_owned() },
            6 => DecisionRecord::Withdrawn { manifest: r.digest()?, reason: r.str()?.to_owned() },
            7 => DecisionRecord::Refused { manifest: r.option(Reader::digest)?, rule: r.str()?.to_owned() },
            8 => DecisionRecord::ReviewerNamed { name: r.str()?.to_owned() },
            9 => DecisionRecord::ReviewerRemoved { name: r.str()?.to_owned() },
            10 => DecisionRecord::ReviewerLink { name: r.str()?.to_owned() },
            // of a later version, or damaged
            _ => return Err(CanonicalError::Label),
        })
    }
}
