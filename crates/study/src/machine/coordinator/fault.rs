//! Why the coordinator does not accept a message.

use crate::refit::Differs;

/// Why the coordinator does not accept a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The message does not belong to this moment of the run.
    #[error("the message does not belong here")]
    Unexpected,
    /// A signature of the site does not hold.
    #[error("the site's signature does not hold")]
    Signature,
    /// The site derives another request than the coordinator and the other sites.
    #[error("round {round}: the site derives another request")]
    OtherPlan {
        /// Number of the round.
        round: u32,
    },
    /// All sites are at a later round than this coordinator's ledger.
    #[error("the sites are at round {round}: this coordinator's ledger is older than the run")]
    Ahead {
        /// Number of the round that they say is next.
        round: u32,
    },
    /// The site has approved with another policy, cohort or key before, and the run has begun since.
    #[error("the site shows another approval than the one with which the run began")]
    OtherApproval,
    /// The number of words is not the plan's.
    #[error("the answer has {got} words, the plan asks for {expected}")]
    Length {
        /// Of the plan.
        expected: usize,
        /// Of the answer.
        got: usize,
    },
    /// A reopened sum differs from the recorded one.
    #[error("the reopened sum of round {round} differs from the recorded one")]
    OtherSum {
        /// Number of the round.
        round: u32,
    },
    /// The sites computed different results.
    #[error("the sites did not end with the same results")]
    OtherResults,
    /// What a site sent is not the release that all sites signed.
    #[error("the release of the site is not the one that all sites signed")]
    OtherRelease,
    /// No site sent the release that all of them signed.
    #[error("no site sent the release that all of them signed")]
    NoRelease,
    /// All sites signed a release that the sums do not give.
    #[error("the release that all sites signed differs from the coordinator's own fits: {0}")]
    OtherFits(#[from] Differs),
    /// The site refused.
    #[error("the site refuses ({code})")]
    Refused {
        /// Rule id.
        code: String,
    },
}

impl Fault {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Unexpected => "peer.unexpected",
            Fault::Signature => "peer.signature",
            Fault::OtherPlan { .. } => "peer.other_plan",
            Fault::Ahead { .. } => "peer.ahead",
            Fault::OtherApproval => "peer.other_approval",
            Fault::Length { .. } => "peer.length",
            Fault::OtherSum { .. } => "peer.other_sum",
            Fault::OtherResults => "peer.other_results",
            Fault::OtherRelease => "peer.other_release",
            Fault::NoRelease => "peer.no_release",
            Fault::OtherFits(_) => "peer.other_fits",
            Fault::Refused { .. } => "peer.refused",
        }
    }

    /// Is it about what all sites said together, and not about the one whose message came last?
    pub fn is_of_all_sites(&self) -> bool {
        matches!(self, Fault::OtherResults | Fault::NoRelease | Fault::OtherFits(_))
    }

    /// Can the run not go on?
    pub fn stops(&self) -> bool {
        !matches!(self, Fault::Unexpected | Fault::OtherRelease)
    }
}
