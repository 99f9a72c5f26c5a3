//! Wire <-> domain, once. Incoming messages are taken apart exhaustively, so that a new field is a compile error here.

mod envelope;
mod epoch;
mod field;
mod round;
mod study;

pub use envelope::{FromAgent, ToAgent};
pub use study::Offer;

use ::study::manifest::ManifestError;

/// Why a wire message is no message. It names the field as `Message.field` and never what the field holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A required field, or the content of an envelope, is not set or is of a kind that this version does not know.
    #[error("{field} is missing")]
    Missing {
        /// `Message.field`.
        field: &'static str,
    },
    /// A field of fixed length has another length.
    #[error("{field} has {got} bytes, expected {expected}")]
    Length {
        /// `Message.field`.
        field: &'static str,
        /// Length in bytes.
        expected: usize,
        /// Length in bytes.
        got: usize,
    },
    /// A vector does not end with a whole word.
    #[error("{field} has {got} bytes, which are not whole words of 16 bytes")]
    Words {
        /// `Message.field`.
        field: &'static str,
        /// Length in bytes.
        got: usize,
    },
    /// The index of a site is beyond 16 bits.
    #[error("{field} is beyond 65535")]
    Site {
        /// `Message.field`.
        field: &'static str,
    },
    /// A code or version is empty, too long or has characters that it may not have.
    #[error("{field} is not a text of the form that it must have")]
    Text {
        /// `Message.field`.
        field: &'static str,
    },
    /// The manifest does not decode.
    #[error("Offer.manifest does not decode")]
    Manifest(#[from] ManifestError),
    /// The manifest decodes to a value whose canonical bytes are others: its digest would be ambiguous.
    #[error("Offer.manifest is not in canonical form")]
    NotCanonical,
}

impl ConvertError {
    /// A stable name for logs and wire details.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "wire.missing",
            Self::Length { .. } => "wire.length",
            Self::Words { .. } => "wire.words",
            Self::Site { .. } => "wire.site",
            Self::Text { .. } => "wire.text",
            Self::Manifest(_) => "wire.manifest",
            Self::NotCanonical => "wire.not_canonical",
        }
    }
}
