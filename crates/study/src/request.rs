//! Request digests: which questions with which parameters, after which sums.

use secagg::{Canonical, Digest};

use crate::plan::Plan;

/// `q0 = H(M, round, questions, words, digest of the sum before)`: the same in every epoch.
pub(crate) fn request_digest(manifest: &Digest, round: u32, plan: &Plan, previous: &Digest) -> Digest {
    Canonical::new("entente/v1/request")
        .digest_field(manifest)
        .u32(round)
        .list(plan.ask().iter(), |out, q| q.write(out))
        .u32(plan.words() as u32)
        .digest_field(previous)
        .digest()
}

/// `q = H(q0, epoch, T, W)`: bound to the keys of one epoch, and to the request as all sites must have seen it, with what
/// it shows of everybody's ledger ([`crate::message::RoundOpen::digest`]).
pub(crate) fn epoch_digest(q0: &Digest, epoch: u64, transcript: &Digest, open: &Digest) -> Digest {
    Canonical::new("entente/v1/witnessed request in epoch")
        .digest_field(q0)
        .u64(epoch)
        .digest_field(transcript)
        .digest_field(open)
        .digest()
}

/// `D_r = H(q0, opened sum)`: what the next request chains.
pub(crate) fn sum_digest(q0: &Digest, opened: &Digest) -> Digest {
    Canonical::new("entente/v1/sum").digest_field(q0).digest_field(opened).digest()
}

/// The digest before the first round.
pub(crate) fn first_digest(manifest: &Digest) -> Digest {
    Canonical::new("entente/v1/before the first round").digest_field(manifest).digest()
}
