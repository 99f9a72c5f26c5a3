//! Messages of a round. A vector has a conversion only as [`Masked`].

use std::borrow::Cow;
use std::fmt;

use prost::bytes::Bytes;
use secagg::Masked;
use study::layout::{Layout, Segment};
use study::message::{Answer, ModelCounts, Next, RoundOpen, RoundResult, Witness};
use study::plan::Reason;
use study::question::{transform_code, transform_of};
use study::view::{Column, OfModel};

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

fn layout_out(layout: &Layout) -> Vec<wire::Segment> {
    let column = |column: &Column| match column {
        Column::Kept { unit } => wire::Column { unit: Some(*unit), left_out: None },
        Column::LeftOut(why) => wire::Column { unit: None, left_out: Some(why.code().into()) },
    };
    let of = |OfModel { model, columns, transform, shortened }: &OfModel| wire::OfModel {
        model: *model,
        transform: transform.map(|transform| transform_code(transform).into()),
        shortened: *shortened,
        columns: columns.iter().map(column).collect(),
    };
    let segment = |Segment { kind, sealed, words, of: model }: &Segment| wire::Segment {
        kind: kind.clone().into_owned(),
        sealed: *sealed,
        words: *words,
        of: model.as_ref().map(of),
    };
    layout.segments().iter().map(segment).collect()
}

fn layout_in(segments: Vec<wire::Segment>) -> Result<Layout, ConvertError> {
    let column = |wire::Column { unit, left_out }| match (unit, left_out) {
        (Some(unit), None) => Ok(Column::Kept { unit }),
        (None, Some(code)) => {
            let known = u8::try_from(code).ok().and_then(Reason::of_code);
            known.map(Column::LeftOut).ok_or(ConvertError::Missing { field: "Column.left_out" })
        }
        (Some(_), Some(_)) | (None, None) => Err(ConvertError::Missing { field: "Column.unit" }),
    };
    let of = |wire::OfModel { model, transform, shortened, columns }| {
        let transform = transform.map(|code| {
            let known = u8::try_from(code).ok().and_then(transform_of);
            known.ok_or(ConvertError::Missing { field: "OfModel.transform" })
        });
        let columns = columns.into_iter().map(column).collect::<Result<_, ConvertError>>()?;
        Ok::<_, ConvertError>(OfModel { model, columns, transform: transform.transpose()?, shortened })
    };
    let segment = |wire::Segment { kind, sealed, words, of: model }| {
        let (kind, of) = (Cow::Owned(field::kind("Segment.kind", kind)?), model.map(of).transpose()?);
        Ok(Segment { kind, sealed, words, of })
    };
    Ok(Layout::new(segments.into_iter().map(segment).collect::<Result<_, ConvertError>>()?))
}

impl From<ModelCounts> for wire::ModelCounts {
    fn from(counts: ModelCounts) -> Self {
        let ModelCounts { models, fitted, failed } = counts;
        Self { models, fitted, failed }
    }
}

impl From<wire::ModelCounts> for ModelCounts {
    fn from(message: wire::ModelCounts) -> Self {
        let wire::ModelCounts { models, fitted, failed } = message;
        Self { models, fitted, failed }
    }
}

impl From<Option<Witness>> for wire::Witness {
    fn from(witness: Option<Witness>) -> Self {
        let Some(Witness { head, witnessed, signature }) = witness else { return Self::default() };
        Self {
            head: field::bytes(&head.0),
            witnessed: field::bytes(&witnessed.0),
            signature: field::bytes(&signature.0),
        }
    }
}

fn witness_in(message: wire::Witness) -> Result<Option<Witness>, ConvertError> {
    let wire::Witness { head, witnessed, signature } = message;
    if head.is_empty() && witnessed.is_empty() && signature.is_empty() {
        return Ok(None);
    }
    Ok(Some(Witness {
        head: field::digest("Witness.head", &head)?,
        witnessed: field::digest("Witness.witnessed", &witnessed)?,
        signature: field::signature("Witness.signature", &signature)?,
    }))
}

impl From<RoundOpen> for wire::RoundOpen {
    fn from(open: RoundOpen) -> Self {
        let RoundOpen { epoch, round, q0, layout, counts, head, witnesses, signature } = open;
        Self {
            epoch,
            round,
            q0: field::bytes(&q0.0),
            layout: layout_out(&layout),
            counts: Some(counts.into()),
            head: field::bytes(&head.0),
            witnesses: witnesses.into_iter().map(Into::into).collect(),
            signature: field::bytes(&signature.0),
        }
    }
}

impl TryFrom<wire::RoundOpen> for RoundOpen {
    type Error = ConvertError;

    fn try_from(message: wire::RoundOpen) -> Result<Self, ConvertError> {
        let wire::RoundOpen { epoch, round, q0, layout, counts, head, witnesses, signature } = message;
        Ok(Self {
            epoch,
            round,
            q0: field::digest("RoundOpen.q0", &q0)?,
            layout: layout_in(layout)?,
            counts: field::required("RoundOpen.counts", counts)?.into(),
            head: field::digest("RoundOpen.head", &head)?,
            witnesses: witnesses.into_iter().map(witness_in).collect::<Result<_, ConvertError>>()?,
            signature: field::signature("RoundOpen.signature", &signature)?,
        })
    }
}

impl From<Next> for wire::Next {
    fn from(next: Next) -> Self {
        let Next { epoch, round, q0, layout, counts, head, witnessed, signature } = next;
        Self {
            epoch,
            round,
            q0: field::bytes(&q0.0),
            layout: layout_out(&layout),
            counts: Some(counts.into()),
            head: field::bytes(&head.0),
            witnessed: field::bytes(&witnessed.0),
            signature: field::bytes(&signature.0),
        }
    }
}

impl TryFrom<wire::Next> for Next {
    type Error = ConvertError;

    fn try_from(message: wire::Next) -> Result<Self, ConvertError> {
        let wire::Next { epoch, round, q0, layout, counts, head, witnessed, signature } = message;
        Ok(Self {
            epoch,
            round,
            q0: field::digest("Next.q0", &q0)?,
            layout: layout_in(layout)?,
            counts: field::required("Next.counts", counts)?.into(),
            head: field::digest("Next.head", &head)?,
            witnessed: field::digest("Next.witnessed", &witnessed)?,
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
