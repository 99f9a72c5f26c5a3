//! What a coordinator writes down before it speaks.

use secagg::{Announcement, Confirmation, Digest};

use crate::manifest::{Approval, Withdrawal};
use crate::message::{Closed, RoundOpen, RoundResult};
use crate::refit::{Compared, Differs};

/// What a coordinator writes down before it speaks.
#[derive(Debug, Clone, PartialEq)]
pub enum CoordinatorRecord {
    /// A site approves the run.
    Approved {
        /// As the site signed it.
        approval: Approval,
    },
    /// A site takes its approval back.
    Withdrawn {
        /// As the site signed it.
        withdrawal: Withdrawal,
    },
    /// It opens an epoch.
    Epoch {
        /// Number.
        epoch: u64,
    },
    /// All sites agreed on the keys of an epoch.
    Agreed {
        /// Number.
        epoch: u64,
        /// Of all sites, in roster order.
        announcements: Vec<Announcement>,
        /// Of all sites, in roster order.
        confirmations: Vec<Confirmation>,
    },
    /// It asks what all sites derived alike.
    Requested {
        /// The request.
        open: Box<RoundOpen>,
    },
    /// It has the sum of the round that it asked last.
    Opened {
        /// Request digest.
        q0: Digest,
        /// The sum, as it is sent to the sites.
        result: Box<RoundResult>,
    },
    /// A site refuses what it was asked.
    Refused {
        /// Index of the site.
        site: u16,
        /// Rule id.
        rule: String,
    },
    /// It held a release that all sites signed against its own fits.
    Compared {
        /// How many are the same, or the first that is not: then there is no release.
        outcome: Result<Compared, Differs>,
    },
    /// A site sent the release that all sites signed.
    Released {
        /// Index of the site.
        site: u16,
        /// Bytes of [`crate::release::Release`].
        bytes: Vec<u8>,
    },
    /// All sites ended with the same.
    Closed {
        /// What each of them signed.
        closed: Box<Closed>,
    },
}
