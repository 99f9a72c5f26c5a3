//! What the parties say to each other, as domain types. The wire format is in `proto`.

use secagg::{
    Announcement, Canonical, Confirmation, Digest, Masked, PublicIdentity, SealedBox, Signature, SignatureError,
    SigningIdentity,
};

/// From the coordinator to one site, within one run.
#[derive(Debug, Clone, PartialEq)]
pub enum ToSite {
    /// All sites are here: agree on the keys of a new epoch.
    EpochOpen {
        /// Number of the epoch.
        epoch: u64,
    },
    /// Announcements of all sites, in roster order.
    Bundle {
        /// All of them.
        announcements: Vec<Announcement>,
    },
    /// Shares of the group secret of all sites, in canonical order.
    Boxes {
        /// All of them.
        boxes: Vec<SealedBox>,
    },
    /// Confirmations of all sites, in roster order.
    Confirmations {
        /// All of them.
        confirmations: Vec<Confirmation>,
    },
    /// The request of a round.
    RoundOpen(RoundOpen),
    /// The sum of a round.
    RoundResult(RoundResult),
    /// All sites ended with the same results.
    Finished,
}

/// The request of a round. It names the questions by their digest alone: a site answers what its own plan derives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundOpen {
    /// Epoch in which it is asked.
    pub epoch: u64,
    /// Number of the round, from 1.
    pub round: u32,
    /// Request digest, the same in every epoch.
    pub q0: Digest,
    /// By the coordinator.
    pub signature: Signature,
}

/// The sum over all sites, with what each site sent.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundResult {
    /// Epoch.
    pub epoch: u64,
    /// Number of the round.
    pub round: u32,
    /// Request digest bound to the epoch.
    pub q: Digest,
    /// Sum of the masked answers.
    pub sum: Masked,
    /// Digest and signature of each site's answer, in roster order.
    pub answers: Vec<(Digest, Signature)>,
    /// By the coordinator, over all of it.
    pub signature: Signature,
}

/// From one site to the coordinator, within one run.
#[derive(Debug, Clone, PartialEq)]
pub enum FromSite {
    /// Key of the epoch.
    Announcement(Announcement),
    /// Shares of the group secret for every peer.
    Boxes {
        /// Epoch.
        epoch: u64,
        /// One per peer.
        boxes: Vec<SealedBox>,
    },
    /// What this site saw of the key agreement.
    Confirmation {
        /// Epoch.
        epoch: u64,
        /// Signed.
        confirmation: Confirmation,
    },
    /// What this site's plan derives next.
    Next(Next),
    /// The masked answer of a round.
    Answer(Answer),
    /// The plan is done.
    Finished(Finished),
    /// The site refuses: a stable rule id and nothing else.
    Refused {
        /// Rule or error code.
        code: String,
    },
}

/// What a site's own plan says comes next; also its signature under the sum before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Epoch.
    pub epoch: u64,
    /// Number of the round.
    pub round: u32,
    /// Request digest; chains the digest of the sum before.
    pub q0: Digest,
    /// Number of words of the answer.
    pub words: u32,
    /// By the site.
    pub signature: Signature,
}

/// A masked answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Epoch.
    pub epoch: u64,
    /// Number of the round.
    pub round: u32,
    /// Request digest bound to the epoch.
    pub q: Digest,
    /// The masked words.
    pub masked: Masked,
    /// By the site, over `q` and the digest of the words.
    pub signature: Signature,
}

/// The end of a site's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Digest of the results that the site computed itself.
    pub results: Digest,
    /// By the site.
    pub signature: Signature,
}

const OPEN: &str = "entente/v1/round open";
const RESULT: &str = "entente/v1/round result";
const NEXT: &str = "entente/v1/next";
const ANSWER: &str = "entente/v1/answer";
const FINISHED: &str = "entente/v1/finished";

impl RoundOpen {
    /// Signs a request of a run.
    pub fn sign(identity: &SigningIdentity, manifest: &Digest, epoch: u64, round: u32, q0: Digest) -> RoundOpen {
        let content = Self::content(manifest, epoch, round, &q0);
        RoundOpen { epoch, round, q0, signature: identity.sign(OPEN, &content) }
    }

    /// Checks the coordinator's signature.
    pub fn verify(&self, identity: &PublicIdentity, manifest: &Digest) -> Result<(), SignatureError> {
        identity.verify(OPEN, &Self::content(manifest, self.epoch, self.round, &self.q0), &self.signature)
    }

    fn content(manifest: &Digest, epoch: u64, round: u32, q0: &Digest) -> Digest {
        Canonical::new(OPEN).digest_field(manifest).u64(epoch).u32(round).digest_field(q0).digest()
    }
}

impl RoundResult {
    /// Signs a sum.
    pub fn sign(
        identity: &SigningIdentity,
        epoch: u64,
        round: u32,
        q: Digest,
        sum: Masked,
        answers: Vec<(Digest, Signature)>,
    ) -> RoundResult {
        let mut result = RoundResult { epoch, round, q, sum, answers, signature: Signature([0; 64]) };
        result.signature = identity.sign(RESULT, &result.content());
        result
    }

    /// Checks the coordinator's signature.
    pub fn verify(&self, identity: &PublicIdentity) -> Result<(), SignatureError> {
        identity.verify(RESULT, &self.content(), &self.signature)
    }

    fn content(&self) -> Digest {
        Canonical::new(RESULT)
            .u64(self.epoch)
            .u32(self.round)
            .digest_field(&self.q)
            .digest_field(&self.sum.digest())
            .list(&self.answers, |out, (digest, signature)| out.digest_field(digest).array(&signature.0))
            .digest()
    }
}

impl Next {
    /// Signs what comes next.
    pub fn sign(identity: &SigningIdentity, manifest: &Digest, epoch: u64, round: u32, q0: Digest, words: u32) -> Next {
        let content = Self::content(manifest, epoch, round, &q0, words);
        Next { epoch, round, q0, words, signature: identity.sign(NEXT, &content) }
    }

    /// Checks the site's signature.
    pub fn verify(&self, identity: &PublicIdentity, manifest: &Digest) -> Result<(), SignatureError> {
        let content = Self::content(manifest, self.epoch, self.round, &self.q0, self.words);
        identity.verify(NEXT, &content, &self.signature)
    }

    fn content(manifest: &Digest, epoch: u64, round: u32, q0: &Digest, words: u32) -> Digest {
        Canonical::new(NEXT).digest_field(manifest).u64(epoch).u32(round).digest_field(q0).u32(words).digest()
    }
}

impl Answer {
    /// Signs a masked answer; also gives the digest of its words.
    pub fn sign(identity: &SigningIdentity, epoch: u64, round: u32, q: Digest, masked: Masked) -> (Answer, Digest) {
        let words = masked.digest();
        let signature = identity.sign(ANSWER, &Self::content(&q, &words));
        (Answer { epoch, round, q, masked, signature }, words)
    }

    /// Checks the site's signature; gives the digest of the words.
    pub fn verify(&self, identity: &PublicIdentity) -> Result<Digest, SignatureError> {
        let words = self.masked.digest();
        Self::verify_digest(identity, &self.q, &words, &self.signature)?;
        Ok(words)
    }

    /// Checks a signature when only the digest of the words is at hand.
    pub fn verify_digest(
        identity: &PublicIdentity,
        q: &Digest,
        words: &Digest,
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        identity.verify(ANSWER, &Self::content(q, words), signature)
    }

    fn content(q: &Digest, words: &Digest) -> Digest {
        Canonical::new(ANSWER).digest_field(q).digest_field(words).digest()
    }
}

impl Finished {
    /// Signs the digest of the results.
    pub fn sign(identity: &SigningIdentity, manifest: &Digest, results: Digest) -> Finished {
        Finished { results, signature: identity.sign(FINISHED, &Self::content(manifest, &results)) }
    }

    /// Checks the site's signature.
    pub fn verify(&self, identity: &PublicIdentity, manifest: &Digest) -> Result<(), SignatureError> {
        identity.verify(FINISHED, &Self::content(manifest, &self.results), &self.signature)
    }

    fn content(manifest: &Digest, results: &Digest) -> Digest {
        Canonical::new(FINISHED).digest_field(manifest).digest_field(results).digest()
    }
}
