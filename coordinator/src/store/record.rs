//! Canonical bytes of the coordinator's records; each begins with the digest of the one before.

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, Masked, Reader, Signature};
use study::machine::coordinator::CoordinatorRecord;
use study::message::RoundResult;

const LABEL: &str = "entente/v1/coordinator record";

pub(super) fn encode(previous: &Digest, record: &CoordinatorRecord) -> Vec<u8> {
    let out = Canonical::new(LABEL).digest_field(previous);
    match record {
        CoordinatorRecord::Epoch { epoch } => out.u8(1).u64(*epoch),
        CoordinatorRecord::Opened { round, q0, result } => {
            let RoundResult { epoch, round: _, q, sum, answers, signature } = &**result;
            out.u8(2)
                .u32(*round)
                .digest_field(q0)
                .u64(*epoch)
                .digest_field(q)
                .bytes(&sum.to_bytes())
                .list(answers, |out, (digest, signature)| out.digest_field(digest).array(&signature.0))
                .array(&signature.0)
        }
        CoordinatorRecord::Finished { results } => out.u8(3).digest_field(results),
    }
    .finish()
}

pub(super) fn decode(bytes: &[u8]) -> Result<(Digest, CoordinatorRecord), CanonicalError> {
    let mut r = Reader::new(bytes, LABEL)?;
    let previous = r.digest()?;
    let record = match r.u8()? {
        1 => CoordinatorRecord::Epoch { epoch: r.u64()? },
        2 => {
            let (round, q0) = (r.u32()?, r.digest()?);
            let result = RoundResult {
                epoch: r.u64()?,
                round,
                q: r.digest()?,
                sum: Masked::from_bytes(r.bytes()?)?,
                answers: r.list(|r| Ok((r.digest()?, Signature(r.array()?))))?,
                signature: Signature(r.array()?),
            };
            CoordinatorRecord::Opened { round, q0, result: Box::new(result) }
        }
        _ => CoordinatorRecord::Finished { results: r.digest()? },
    };
    r.finish()?;
    Ok((previous, record))
}
