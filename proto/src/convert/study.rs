//! Messages around a run: offer, approval, end.

use prost::bytes::Bytes;
use secagg::Signature;
use study::manifest::{Approval, Manifest, Withdrawal};
use study::message::{Closed, Finished};

use super::{ConvertError, field};
use crate::wire;

/// A run that the coordinator offers. Nothing in it is verified yet: check the signature with [`Manifest::verify`] and
/// the protocol's digest against the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What is to be approved.
    pub manifest: Manifest,
    /// By the coordinator's identity, over the manifest.
    pub signature: Signature,
    /// Text of the protocol file.
    pub protocol: String,
}

impl From<Offer> for wire::Offer {
    fn from(offer: Offer) -> Self {
        let Offer { manifest, signature, protocol } = offer;
        Self { manifest: Bytes::from(manifest.to_bytes()), signature: field::bytes(&signature.0), protocol }
    }
}

impl TryFrom<wire::Offer> for Offer {
    type Error = ConvertError;

    fn try_from(message: wire::Offer) -> Result<Self, ConvertError> {
        let wire::Offer { manifest: bytes, signature, protocol } = message;
        let signature = field::signature("Offer.signature", &signature)?;
        let manifest = Manifest::from_bytes(&bytes)?;
        // The roster sorts its members: two encodings would lead to one manifest.
        if manifest.to_bytes() != bytes {
            return Err(ConvertError::NotCanonical);
        }
        Ok(Self { manifest, signature, protocol })
    }
}

impl From<Approval> for wire::Approval {
    fn from(approval: Approval) -> Self {
        let Approval { site, manifest, policy, cohort, signature } = approval;
        Self {
            site: site.into(),
            manifest: field::bytes(&manifest.0),
            policy: field::bytes(&policy.0),
            cohort: field::bytes(&cohort.0),
            signature: field::bytes(&signature.0),
        }
    }
}

impl TryFrom<wire::Approval> for Approval {
    type Error = ConvertError;

    fn try_from(message: wire::Approval) -> Result<Self, ConvertError> {
        let wire::Approval { site, manifest, policy, cohort, signature } = message;
        Ok(Self {
            site: field::site("Approval.site", site)?,
            manifest: field::digest("Approval.manifest", &manifest)?,
            policy: field::digest("Approval.policy", &policy)?,
            cohort: field::digest("Approval.cohort", &cohort)?,
            signature: field::signature("Approval.signature", &signature)?,
        })
    }
}

impl From<Withdrawal> for wire::Withdrawal {
    fn from(withdrawal: Withdrawal) -> Self {
        let Withdrawal { site, manifest, signature } = withdrawal;
        Self { site: site.into(), manifest: field::bytes(&manifest.0), signature: field::bytes(&signature.0) }
    }
}

impl TryFrom<wire::Withdrawal> for Withdrawal {
    type Error = ConvertError;

    fn try_from(message: wire::Withdrawal) -> Result<Self, ConvertError> {
        let wire::Withdrawal { site, manifest, signature } = message;
        Ok(Self {
            site: field::site("Withdrawal.site", site)?,
            manifest: field::digest("Withdrawal.manifest", &manifest)?,
            signature: field::signature("Withdrawal.signature", &signature)?,
        })
    }
}

impl From<Finished> for wire::Finished {
    fn from(finished: Finished) -> Self {
        let Finished { results, release, counts, head, witnessed, signature } = finished;
        Self {
            results: field::bytes(&results.0),
            release: field::bytes(&release.0),
            counts: Some(counts.into()),
            head: field::bytes(&head.0),
            witnessed: field::bytes(&witnessed.0),
            signature: field::bytes(&signature.0),
        }
    }
}

impl TryFrom<wire::Finished> for Finished {
    type Error = ConvertError;

    fn try_from(message: wire::Finished) -> Result<Self, ConvertError> {
        let wire::Finished { results, release, counts, head, witnessed, signature } = message;
        Ok(Self {
            results: field::digest("Finished.results", &results)?,
            release: field::digest("Finished.release", &release)?,
            counts: field::required("Finished.counts", counts)?.into(),
            head: field::digest("Finished.head", &head)?,
            witnessed: field::digest("Finished.witnessed", &witnessed)?,
            signature: field::signature("Finished.signature", &signature)?,
        })
    }
}

impl From<Closed> for wire::Closed {
    fn from(closed: Closed) -> Self {
        let Closed { finished, head, signature } = closed;
        Self {
            finished: finished.into_iter().map(Into::into).collect(),
            head: field::bytes(&head.0),
            signature: field::bytes(&signature.0),
        }
    }
}

impl TryFrom<wire::Closed> for Closed {
    type Error = ConvertError;

    fn try_from(message: wire::Closed) -> Result<Self, ConvertError> {
        let wire::Closed { finished, head, signature } = message;
        Ok(Self {
            finished: field::list(finished)?,
            head: field::digest("Closed.head", &head)?,
            signature: field::signature("Closed.signature", &signature)?,
        })
    }
}
