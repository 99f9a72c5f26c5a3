//! Messages of the key agreement.

use prost::bytes::Bytes;
use secagg::{Announcement, Confirmation, SealedBox};

use super::{ConvertError, field};
use crate::wire;

/// Bytes of a sealed box: a share of 32 bytes and the Poly1305 tag of 16.
const BOX_BYTES: usize = 32 + 16;

impl From<Announcement> for wire::Announcement {
    fn from(announcement: Announcement) -> Self {
        let Announcement { manifest, epoch, site, public, nonce, cohort, head, signature } = announcement;
        Self {
            manifest: field::bytes(&manifest.0),
            epoch,
            site: site.into(),
            public: field::bytes(&public),
            nonce: field::bytes(&nonce),
            cohort: field::bytes(&cohort.0),
            head: field::bytes(&head.0),
            signature: field::bytes(&signature.0),
        }
    }
}

impl TryFrom<wire::Announcement> for Announcement {
    type Error = ConvertError;

    fn try_from(message: wire::Announcement) -> Result<Self, ConvertError> {
        let wire::Announcement { manifest, epoch, site, public, nonce, cohort, head, signature } = message;
        Ok(Self {
            manifest: field::digest("Announcement.manifest", &manifest)?,
            epoch,
            site: field::site("Announcement.site", site)?,
            public: field::array("Announcement.public", &public)?,
            nonce: field::array("Announcement.nonce", &nonce)?,
            cohort: field::digest("Announcement.cohort", &cohort)?,
            head: field::digest("Announcement.head", &head)?,
            signature: field::signature("Announcement.signature", &signature)?,
        })
    }
}

impl From<SealedBox> for wire::SealedBox {
    fn from(sealed: SealedBox) -> Self {
        let SealedBox { from, to, bytes } = sealed;
        Self { from: from.into(), to: to.into(), sealed: Bytes::from(bytes) }
    }
}

impl TryFrom<wire::SealedBox> for SealedBox {
    type Error = ConvertError;

    fn try_from(message: wire::SealedBox) -> Result<Self, ConvertError> {
        let wire::SealedBox { from, to, sealed } = message;
        let bytes: [u8; BOX_BYTES] = field::array("SealedBox.sealed", &sealed)?;
        Ok(Self {
            from: field::site("SealedBox.from", from)?,
            to: field::site("SealedBox.to", to)?,
            bytes: bytes.to_vec(),
        })
    }
}

impl From<Confirmation> for wire::Confirmation {
    fn from(confirmation: Confirmation) -> Self {
        let Confirmation { site, transcript, group, boxes, signature } = confirmation;
        Self {
            site: site.into(),
            transcript: field::bytes(&transcript.0),
            group: field::bytes(&group.0),
            boxes: field::bytes(&boxes.0),
            signature: field::bytes(&signature.0),
        }
    }
}

impl TryFrom<wire::Confirmation> for Confirmation {
    type Error = ConvertError;

    fn try_from(message: wire::Confirmation) -> Result<Self, ConvertError> {
        let wire::Confirmation { site, transcript, group, boxes, signature } = message;
        Ok(Self {
            site: field::site("Confirmation.site", site)?,
            transcript: field::digest("Confirmation.transcript", &transcript)?,
            group: field::digest("Confirmation.group", &group)?,
            boxes: field::digest("Confirmation.boxes", &boxes)?,
            signature: field::signature("Confirmation.signature", &signature)?,
        })
    }
}
