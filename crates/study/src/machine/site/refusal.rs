//! Why a site does not go on.

use secagg::{EpochError, OpenError};

use crate::evaluate::EvaluateError;
use crate::policy::PolicyRefusal;

/// Why a site does not go on. The coordinator learns the rule id alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The message does not belong to this moment of the run.
    #[error("the message does not belong here")]
    Unexpected,
    /// This site has signed a head that its ledger does not hold.
    #[error(
        "this site has said more than its ledger holds: the state directory is an older copy, or a second agent had the same keys"
    )]
    Behind,
    /// The epoch is not newer than the last one.
    #[error("epoch {got} is not newer than epoch {last}")]
    StaleEpoch {
        /// Offered.
        got: u64,
        /// Last one.
        last: u64,
    },
    /// The key agreement does not hold.
    #[error("the key agreement does not hold")]
    Epoch(#[from] EpochError),
    /// A signature of the coordinator does not hold.
    #[error("the coordinator's signature does not hold")]
    Signature,
    /// The request is not the one that the site's own plan derives.
    #[error("the request of round {round} is not what the plan derives")]
    NotThePlan {
        /// Number in the request.
        round: u32,
    },
    /// The sum does not verify.
    #[error("the sum does not verify")]
    Sum(#[from] OpenError),
    /// This site's own answer stands changed in the result.
    #[error("the result does not name the answer that this site sent")]
    NotMyAnswer,
    /// A reopened sum differs from the one that was accepted.
    #[error("a reopened sum differs from the accepted one")]
    OtherSum,
    /// The request does not repeat what this site said, or other sites saw another request before.
    #[error("the request shows other sites another past than this one")]
    Witness,
    /// The sites ended with different results.
    #[error("the sites did not end with the same results")]
    OtherResults,
    /// The site's policy.
    #[error("the site's policy refuses")]
    Policy(#[from] PolicyRefusal),
    /// The run is over, and every site signed its end.
    #[error("the run is closed")]
    Closed,
    /// The manifest has expired.
    #[error("the manifest has expired")]
    Expired,
    /// The site's people have withdrawn the approval.
    #[error("the approval was withdrawn")]
    Withdrawn,
    /// The site cannot compute the answer.
    #[error("the site cannot compute the answer")]
    Evaluate(#[from] EvaluateError),
}

impl Refusal {
    /// Stable rule id.
    pub fn rule(&self) -> &'static str {
        match self {
            Refusal::Unexpected => "run.unexpected",
            Refusal::Behind => "run.behind",
            Refusal::StaleEpoch { .. } => "run.stale_epoch",
            Refusal::Epoch(_) => "run.epoch",
            Refusal::Signature => "run.signature",
            Refusal::NotThePlan { .. } => "run.not_the_plan",
            Refusal::Sum(_) => "run.sum",
            Refusal::NotMyAnswer => "run.not_my_answer",
            Refusal::OtherSum => "run.other_sum",
            Refusal::Witness => "run.witness",
            Refusal::OtherResults => "run.other_results",
            Refusal::Policy(refusal) => refusal.rule(),
            Refusal::Closed => "run.closed",
            Refusal::Expired => "run.expired",
            Refusal::Withdrawn => "run.withdrawn",
            Refusal::Evaluate(_) => "run.evaluate",
        }
    }

    /// Does the run end here for this site? Otherwise the message alone is refused.
    pub fn stops(&self) -> bool {
        matches!(
            self,
            Refusal::Sum(_)
                | Refusal::NotMyAnswer
                | Refusal::OtherSum
                | Refusal::OtherResults
                | Refusal::Policy(_)
                | Refusal::Expired
                | Refusal::Withdrawn
        )
    }
}
