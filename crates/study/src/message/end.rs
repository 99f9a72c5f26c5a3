//! The end of a run: every site signs what its plan ended with, and all of them see all signatures.

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, PublicIdentity, Reader, Signature, SignatureError, SigningIdentity};

use super::ModelCounts;

const FINISHED: &str = "entente/v1/finished";
const CLOSED: &str = "entente/v1/closed";

/// The end of a site's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Digest of everything that the site's plan ended with.
    pub results: Digest,
    /// Digest of what is released of it.
    pub release: Digest,
    /// How the models ended.
    pub counts: ModelCounts,
    /// Newest durable record of the site's ledger.
    pub head: Digest,
    /// As in [`super::Next`].
    pub witnessed: Digest,
    /// By the site.
    pub signature: Signature,
}

/// What every site signed at the end of a run, sent to all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Of every site, in roster order.
    pub finished: Vec<Finished>,
    /// Newest durable record of the coordinator's ledger.
    pub head: Digest,
    /// By the coordinator.
    pub signature: Signature,
}

impl Finished {
    /// Signs the end; a signature that the value already has does not count.
    #[must_use]
    pub fn signed(mut self, identity: &SigningIdentity, manifest: &Digest) -> Finished {
        self.signature = identity.sign(FINISHED, &self.content(manifest));
        self
    }

    /// Checks the site's signature.
    pub fn verify(&self, identity: &PublicIdentity, manifest: &Digest) -> Result<(), SignatureError> {
        identity.verify(FINISHED, &self.content(manifest), &self.signature)
    }

    /// Does it say that its plan ended with the same?
    pub fn agrees_with(&self, other: &Finished) -> bool {
        self.results == other.results && self.release == other.release && self.counts == other.counts
    }

    fn content(&self, manifest: &Digest) -> Digest {
        self.fields(Canonical::new(FINISHED).digest_field(manifest)).digest()
    }

    fn fields(&self, out: Canonical) -> Canonical {
        let Finished { results, release, counts, head, witnessed, signature: _ } = self;
        counts.write(out.digest_field(results).digest_field(release)).digest_field(head).digest_field(witnessed)
    }
}

impl Closed {
    /// Signs the end of a run; a signature that the value already has does not count.
    #[must_use]
    pub fn signed(mut self, identity: &SigningIdentity, manifest: &Digest) -> Closed {
        self.signature = identity.sign(CLOSED, &self.content(manifest));
        self
    }

    /// Checks the coordinator's signature.
    pub fn verify(&self, identity: &PublicIdentity, manifest: &Digest) -> Result<(), SignatureError> {
        identity.verify(CLOSED, &self.content(manifest), &self.signature)
    }

    fn content(&self, manifest: &Digest) -> Digest {
        self.fields(Canonical::new(CLOSED).digest_field(manifest)).digest()
    }

    fn fields(&self, out: Canonical) -> Canonical {
        let Closed { finished, head, signature: _ } = self;
        out.list(finished, |out, f| f.fields(out).array(&f.signature.0)).digest_field(head)
    }

    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        self.fields(out).array(&self.signature.0)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Closed, CanonicalError> {
        let finished = |r: &mut Reader<'_>| {
            Ok(Finished {
                results: r.digest()?,
                release: r.digest()?,
                counts: ModelCounts::read(r)?,
                head: r.digest()?,
                witnessed: r.digest()?,
                signature: Signature(r.array()?),
            })
        };
        Ok(Closed { finished: r.list(finished)?, head: r.digest()?, signature: Signature(r.array()?) })
    }
}
