//! What the parties say to each other, as domain types. The wire format is in `proto`.

mod end;
mod round;

use secagg::{Announcement, Confirmation, Digest, SealedBox};

pub use end::{Closed, Finished};
pub use round::{Answer, ModelCounts, Next, ResultProof, RoundOpen, RoundResult, Witness};

/// From the coordinator to one site, within one run.
#[derive(Debug, Clone, PartialEq)]
pub enum ToSite {
    /// All sites are here: agree on the keys of a new epoch.
    EpochOpen {
        /// Number of the epoch.
        epoch: u64,
        /// Newest head of its ledger that the site has signed, as far as the coordinator knows; the manifest's digest before
        /// the first.
        known: Digest,
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
    /// All sites ended with the same release: the coordinator asks this one for it.
    SendRelease,
    /// The run is over; what every site signed at its end.
    Closed(Box<Closed>),
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
    /// The released results, as the coordinator asked for them.
    Release {
        /// Bytes of [`crate::release::Release`].
        bytes: Vec<u8>,
    },
    /// The site refuses: a stable rule id and nothing else.
    Refused {
        /// Rule or error code.
        code: String,
    },
}
