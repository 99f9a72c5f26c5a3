//! Messages of a round. A vector has a conversion only as [`Masked`].

use std::fmt;

use prost::bytes::Bytes;
use secagg::Masked;
use study::message::{Answer, Next, RoundOpen, RoundResult};

use super::{ConvertError, field};
use crate::wire;

/// Bytes of one word.
const WORD_BYTES: usize = 16;

impl From<Masked> for wire::MaskedVector {
    fn from(masked: Masked) -> Self {
        let Masked { words, salt, check } = masked;
        let mut flat = Vec::with_capacity(words.len() * WORD_BYTES);
        for word in words {
            flat.extend_from_slice(&word.to_le_bytes());
        }
        let mut check_bytes = [0; 32];
        for (bytes, limb) in check_bytes.chunks_exact_mut(8).zip(check) {
            bytes.copy_from_slice(&limb.to_le_bytes());
        }
        Self { words: Bytes::from(flat), salt: field::bytes(&salt.to_le_bytes()), check: field::bytes(&check_bytes) }
    }
}

impl TryFrom<wire::MaskedVector> for Masked {
    type Error = ConvertError;

    fn try_from(message: wire::MaskedVector) -> Result<Self, ConvertError> {
        let wire::MaskedVector { words, salt, check } = message;
        let (chunks, rest) = words.as_chunks::<WORD_BYTES>();
        if !rest.is_empty() {
            return Err(ConvertError::Words { field: "MaskedVector.words", got: words.len() });
        }
        let check: [u8; 32] = field::array("MaskedVector.check", &check)?;
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(check.as_chunks().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        Ok(Self {
            words: chunks.iter().map(|bytes| u128::from_le_bytes(*bytes)).collect(),
            salt: u128::from_le_bytes(field::array("MaskedVector.salt", &salt)?),
            check: limbs,
        })
    }
}

/// The number of bytes alone: a sum over all sites is readable, and a log is no place for it.
impl fmt::Debug for wire::MaskedVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { words, salt: _, check: _ } = self;
        write!(f, "MaskedVector({} bytes, ..)", words.len())
    }
}

impl From<RoundOpen> for wire::RoundOpen {
    fn from(open: RoundOpen) -> Self {
        let RoundOpen { epoch, round, q0, signature } = open;
        Self { epoch, round, q0: field::bytes(&q0.0), signature: field::bytes(&signature.0) }
    }
}

impl TryFrom<wire::RoundOpen> for RoundOpen {
    type Error = ConvertError;

    fn try_from(message: wire::RoundOpen) -> Result<Self, ConvertError> {
        let wire::RoundOpen { epoch, round, q0, signature } = message;
        Ok(Self {
            epoch,
            round,
            q0: field::digest("RoundOpen.q0", &q0)?,
            signature: field::signature("RoundOpen.signature", &signature)?,
        })
    }
}

impl From<Next> for wire::Next {
    fn from(next: Next) -> Self {
        let Next { epoch, round, q0, words, signature } = next;
        Self { epoch, round, q0: field::bytes(&q0.0), words, signature: field::bytes(&signature.0) }
    }
}

impl TryFrom<wire::Next> for Next {
    type Error = ConvertError;

    fn try_from(message: wire::Next) -> Result<Self, ConvertError> {
        let wire::Next { epoch, round, q0, words, signature } = message;
        Ok(Self {
            epoch,
            round,
            q0: field::digest("Next.q0", &q0)?,
            words,
            signature: field::signature("Next.signature", &signature)?,
        })
    }
}

impl From<Answer> for wire::Answer {
    fn from(answer: Answer) -> Self {
        let Answer { epoch, round, q, masked, signature } = answer;
        Self { epoch, round, q: field::bytes(&q.0), masked: Some(masked.into()), signature: field::bytes(&signature.0) }
    }
}

impl TryFrom<wire::Answer> for Answer {
    type Error = ConvertError;

    fn try_from(message: wire::Answer) -> Result<Self, ConvertError> {
        let wire::Answer { epoch, round, q, masked, signature } = message;
        Ok(Self {
            epoch,
            round,
            q: field::digest("Answer.q", &q)?,
            masked: field::required("Answer.masked", masked)?.try_into()?,
            signature: field::signature("Answer.signature", &signature)?,
        })
    }
}

impl From<RoundResult> for wire::RoundResult {
    fn from(result: RoundResult) -> Self {
        let RoundResult { epoch, round, q, sum, answers, signature } = result;
        let answers = answers.into_iter().map(|(digest, signature)| wire::AnswerDigest {
            digest: field::bytes(&digest.0),
            signature: field::bytes(&signature.0),
        });
        Self {
            epoch,
            round,
            q: field::bytes(&q.0),
            sum: Some(sum.into()),
            answers: answers.collect(),
            signature: field::bytes(&signature.0),
        }
    }
}

impl TryFrom<wire::RoundResult> for RoundResult {
    type Error = ConvertError;

    fn try_from(message: wire::RoundResult) -> Result<Self, ConvertError> {
        let wire::RoundResult { epoch, round, q, sum, answers, signature } = message;
        let answers = answers.into_iter().map(|wire::AnswerDigest { digest, signature }| {
            Ok((
                field::digest("AnswerDigest.digest", &digest)?,
                field::signature("AnswerDigest.signature", &signature)?,
            ))
        });
        Ok(Self {
            epoch,
            round,
            q: field::digest("RoundResult.q", &q)?,
            sum: field::required("RoundResult.sum", sum)?.try_into()?,
            answers: answers.collect::<Result<_, ConvertError>>()?,
            signature: field::signature("RoundResult.signature", &signature)?,
        })
    }
}
