//! The messages of a round: what comes next, the request, the answer, the sum.
//!
//! Every site says with [`Next`] what its own plan asks. The request that follows repeats what all of them signed, each
//! with the head of its ledger; the next `Next` of every site names the request that it saw. So each site's signature
//! stands under the others' ledgers, and under the sum before, which the request digest chains.

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, Masked, PublicIdentity, Reader, Signature, SignatureError, SigningIdentity};

use crate::layout::Layout;
use crate::plan::Progress;

const OPEN: &str = "entente/v1/round open";
const RESULT: &str = "entente/v1/round result";
const NEXT: &str = "entente/v1/next";
const ANSWER: &str = "entente/v1/answer";

/// How many models a plan has, and how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelCounts {
    /// Declared, those of propensity scores included.
    pub models: u32,
    /// Fitted.
    pub fitted: u32,
    /// Ended in a typed failure.
    pub failed: u32,
}

/// What a site's own plan says comes next; also its signature under the sum before.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    /// Epoch.
    pub epoch: u64,
    /// Number of the round.
    pub round: u32,
    /// Request digest; chains the digest of the sum before.
    pub q0: Digest,
    /// Words of the answer, and who opens them.
    pub layout: Layout,
    /// How the models stand.
    pub counts: ModelCounts,
    /// Newest durable record of the site's ledger.
    pub head: Digest,
    /// The request before that this site saw ([`RoundOpen::digest`]); before the first of an epoch, its transcript.
    pub witnessed: Digest,
    /// By the site.
    pub signature: Signature,
}

/// What differs between the sites' [`Next`] of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// As in [`Next`].
    pub head: Digest,
    /// As in [`Next`].
    pub witnessed: Digest,
    /// As in [`Next`].
    pub signature: Signature,
}

/// The request of a round. It names the questions by their digest alone: a site answers what its own plan derives.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundOpen {
    /// Epoch in which it is asked.
    pub epoch: u64,
    /// Number of the round, from 1.
    pub round: u32,
    /// Request digest, the same in every epoch.
    pub q0: Digest,
    /// Words of the answer, and who opens them, as all sites said.
    pub layout: Layout,
    /// How the models stand, as all sites said.
    pub counts: ModelCounts,
    /// Newest durable record of the coordinator's ledger.
    pub head: Digest,
    /// What each site signed, in roster order; none of a site that is already behind this round and answers it again.
    pub witnesses: Vec<Option<Witness>>,
    /// By the coordinator.
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

/// A [`RoundResult`] with the digest of the sum in its place: what a site keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultProof {
    /// Epoch.
    pub epoch: u64,
    /// Number of the round.
    pub round: u32,
    /// Request digest bound to the epoch.
    pub q: Digest,
    /// Digest of the sum of the masked answers.
    pub sum: Digest,
    /// Digest and signature of each site's answer, in roster order.
    pub answers: Vec<(Digest, Signature)>,
    /// By the coordinator, over all of it.
    pub signature: Signature,
}

impl From<Progress> for ModelCounts {
    fn from(progress: Progress) -> ModelCounts {
        let Progress { round: _, models, fitted, failed } = progress;
        ModelCounts { models: models as u32, fitted: fitted as u32, failed: failed as u32 }
    }
}

impl ModelCounts {
    pub(super) fn write(self, out: Canonical) -> Canonical {
        out.u32(self.models).u32(self.fitted).u32(self.failed)
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<ModelCounts, CanonicalError> {
        Ok(ModelCounts { models: r.u32()?, fitted: r.u32()?, failed: r.u32()? })
    }
}

impl Next {
    /// Signs what comes next; a signature that the value already has does not count.
    #[must_use]
    pub fn signed(mut self, identity: &SigningIdentity, manifest: &Digest) -> Next {
        self.signature = identity.sign(NEXT, &self.content(manifest));
        self
    }

    /// Checks the site's signature.
    pub fn verify(&self, identity: &PublicIdentity, manifest: &Digest) -> Result<(), SignatureError> {
        identity.verify(NEXT, &self.content(manifest), &self.signature)
    }

    /// What the request of its round repeats of it.
    pub fn witness(&self) -> Witness {
        Witness { head: self.head, witnessed: self.witnessed, signature: self.signature }
    }

    fn content(&self, manifest: &Digest) -> Digest {
        let Next { epoch, round, q0, layout, counts, head, witnessed, signature: _ } = self;
        let out = Canonical::new(NEXT).digest_field(manifest).u64(*epoch).u32(*round).digest_field(q0);
        counts.write(layout.write(out)).digest_field(head).digest_field(witnessed).digest()
    }
}

impl RoundOpen {
    /// Signs a request of a run; a signature that the value already has does not count.
    #[must_use]
    pub fn signed(mut self, identity: &SigningIdentity, manifest: &Digest) -> RoundOpen {
        self.signature = identity.sign(OPEN, &self.digest(manifest));
        self
    }

    /// Checks the coordinator's signature.
    pub fn verify(&self, identity: &PublicIdentity, manifest: &Digest) -> Result<(), SignatureError> {
        identity.verify(OPEN, &self.digest(manifest), &self.signature)
    }

    /// What a site has said, as the request repeats it.
    pub fn next_of(&self, site: usize) -> Option<Next> {
        let RoundOpen { epoch, round, q0, layout, counts, head: _, witnesses, signature: _ } = self;
        let Witness { head, witnessed, signature } = witnesses.get(site)?.clone()?;
        let (layout, counts) = (layout.clone(), *counts);
        Some(Next { epoch: *epoch, round: *round, q0: *q0, layout, counts, head, witnessed, signature })
    }

    /// Digest of all of it but the signature, bound to the run.
    pub fn digest(&self, manifest: &Digest) -> Digest {
        self.fields(Canonical::new(OPEN).digest_field(manifest)).digest()
    }

    fn fields(&self, out: Canonical) -> Canonical {
        let RoundOpen { epoch, round, q0, layout, counts, head, witnesses, signature: _ } = self;
        let out = layout.write(out.u64(*epoch).u32(*round).digest_field(q0));
        counts.write(out).digest_field(head).list(witnesses, |out, witness| {
            out.option(witness.as_ref(), |out, w| {
                out.digest_field(&w.head).digest_field(&w.witnessed).array(&w.signature.0)
            })
        })
    }

    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        self.fields(out).array(&self.signature.0)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<RoundOpen, CanonicalError> {
        let witness = |r: &mut Reader<'_>| {
            Ok(Witness { head: r.digest()?, witnessed: r.digest()?, signature: Signature(r.array()?) })
        };
        let (epoch, round, q0, layout) = (r.u64()?, r.u32()?, r.digest()?, Layout::read(r)?);
        let (counts, head) = (ModelCounts::read(r)?, r.digest()?);
        let witnesses = r.list(|r| r.option(witness))?;
        Ok(RoundOpen { epoch, round, q0, layout, counts, head, witnesses, signature: Signature(r.array()?) })
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
        result.signature = identity.sign(RESULT, &result.proof().content());
        result
    }

    /// All of it, with the digest of the sum in its place.
    pub fn proof(&self) -> ResultProof {
        let RoundResult { epoch, round, q, sum, answers, signature } = self;
        let (sum, answers) = (sum.digest(), answers.clone());
        ResultProof { epoch: *epoch, round: *round, q: *q, sum, answers, signature: *signature }
    }

    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        let RoundResult { epoch, round, q, sum, answers, signature } = self;
        let out = out.u64(*epoch).u32(*round).digest_field(q).bytes(&sum.to_bytes());
        write_answers(out, answers).array(&signature.0)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<RoundResult, CanonicalError> {
        Ok(RoundResult {
            epoch: r.u64()?,
            round: r.u32()?,
            q: r.digest()?,
            sum: Masked::from_bytes(r.bytes()?)?,
            answers: read_answers(r)?,
            signature: Signature(r.array()?),
        })
    }
}

impl ResultProof {
    /// Checks the coordinator's signature.
    pub fn verify(&self, identity: &PublicIdentity) -> Result<(), SignatureError> {
        identity.verify(RESULT, &self.content(), &self.signature)
    }

    fn content(&self) -> Digest {
        self.fields(Canonical::new(RESULT)).digest()
    }

    fn fields(&self, out: Canonical) -> Canonical {
        let ResultProof { epoch, round, q, sum, answers, signature: _ } = self;
        write_answers(out.u64(*epoch).u32(*round).digest_field(q).digest_field(sum), answers)
    }

    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        self.fields(out).array(&self.signature.0)
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<ResultProof, CanonicalError> {
        Ok(ResultProof {
            epoch: r.u64()?,
            round: r.u32()?,
            q: r.digest()?,
            sum: r.digest()?,
            answers: read_answers(r)?,
            signature: Signature(r.array()?),
        })
    }
}

fn write_answers(out: Canonical, answers: &[(Digest, Signature)]) -> Canonical {
    out.list(answers, |out, (digest, signature)| out.digest_field(digest).array(&signature.0))
}

fn read_answers(r: &mut Reader<'_>) -> Result<Vec<(Digest, Signature)>, CanonicalError> {
    r.list(|r| Ok((r.digest()?, Signature(r.array()?))))
}
