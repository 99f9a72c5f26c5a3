//! What a site writes down before it speaks.

use secagg::{Announcement, Confirmation, Digest, Opened};

use crate::message::{Closed, ResultProof, RoundOpen};

/// What a site writes down before it speaks.
#[derive(Debug, Clone, PartialEq)]
pub enum SiteRecord {
    /// A person consents, where the policy asks for more than one.
    Consented,
    /// The last person that was needed approves the run.
    Approved {
        /// Digest of the site's policy.
        policy: Digest,
        /// Salted commitment to the frozen cohort and the key of the site's draws.
        cohort: Digest,
    },
    /// It takes part in an epoch.
    Epoch {
        /// Number.
        epoch: u64,
    },
    /// All sites agreed on the keys of an epoch: each announced the head of its ledger, each signed what all announced.
    Agreed {
        /// Number.
        epoch: u64,
        /// Of all sites, in roster order.
        announcements: Vec<Announcement>,
        /// Of all sites, in roster order.
        confirmations: Vec<Confirmation>,
    },
    /// It is asked, with what all sites signed before.
    Requested {
        /// The request.
        open: Box<RoundOpen>,
    },
    /// It answers a round.
    Answered {
        /// Round.
        round: u32,
        /// Request digest.
        q0: Digest,
        /// Bound to the epoch.
        q: Digest,
        /// Digest of the masked words.
        masked: Digest,
    },
    /// It accepts a sum.
    Accepted {
        /// Request digest.
        q0: Digest,
        /// The coordinator's and all sites' signatures under the masked sum.
        proof: Box<ResultProof>,
        /// The stripped sum.
        opened: Opened,
    },
    /// It refuses a request or a result.
    Refused {
        /// Rule id.
        rule: String,
    },
    /// Its plan is done.
    Finished {
        /// Digest of the results.
        results: Digest,
        /// Digest of what is released of them.
        release: Digest,
    },
    /// All sites ended with the same.
    Closed {
        /// What each of them signed.
        closed: Box<Closed>,
    },
    /// Its people have withdrawn the approval: nothing is answered any more, stored answers included.
    Withdrawn,
}
