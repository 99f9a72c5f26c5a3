//! The two directions of the stream.

use secagg::Digest;
use study::manifest::{Approval, Withdrawal};
use study::message::{FromSite, ToSite};

use super::study::Offer;
use super::{ConvertError, field};
use crate::wire;
use crate::wire::coordinator_message::Content as ToAgentContent;
use crate::wire::coordinator_run_message::Content as ToSiteContent;
use crate::wire::site_message::Content as FromAgentContent;
use crate::wire::site_run_message::Content as FromSiteContent;

/// From a site's agent to the coordinator.
#[derive(Debug, Clone, PartialEq)]
pub enum FromAgent {
    /// First message of every stream.
    Hello {
        /// Name and version of the agent's software; 1 to 64 characters of printable ASCII.
        software: String,
        /// Random, made when the program starts.
        instance: [u8; 16],
    },
    /// Consent to an offered run.
    Approval(Approval),
    /// Refusal of an offered run.
    Rejected {
        /// Digest of the manifest.
        run: Digest,
        /// Stable rule id; 1 to 64 characters of `a-z0-9._-`.
        code: String,
    },
    /// Consent taken back.
    Withdrawn(Withdrawal),
    /// Part of a run.
    Run {
        /// Digest of the manifest.
        run: Digest,
        /// For the run's state machine.
        message: FromSite,
    },
}

/// From the coordinator to a site's agent.
#[derive(Debug, Clone, PartialEq)]
pub enum ToAgent {
    /// A run that waits for the site's approval.
    Offer(Offer),
    /// Part of a run.
    Run {
        /// Digest of the manifest.
        run: Digest,
        /// For the run's state machine.
        message: ToSite,
    },
}

impl From<FromAgent> for wire::SiteMessage {
    fn from(message: FromAgent) -> Self {
        let content = match message {
            FromAgent::Hello { software, instance } => {
                FromAgentContent::Hello(wire::Hello { software, instance: field::bytes(&instance) })
            }
            FromAgent::Approval(approval) => FromAgentContent::Approval(approval.into()),
            FromAgent::Rejected { run, code } => {
                FromAgentContent::Rejection(wire::Rejection { run: field::bytes(&run.0), code })
            }
            FromAgent::Withdrawn(withdrawal) => FromAgentContent::Withdrawal(withdrawal.into()),
            FromAgent::Run { run, message } => {
                FromAgentContent::Run(wire::SiteRunMessage { run: field::bytes(&run.0), content: Some(message.into()) })
            }
        };
        Self { content: Some(content) }
    }
}

impl TryFrom<wire::SiteMessage> for FromAgent {
    type Error = ConvertError;

    fn try_from(message: wire::SiteMessage) -> Result<Self, ConvertError> {
        let wire::SiteMessage { content } = message;
        Ok(match field::required("SiteMessage.content", content)? {
            FromAgentContent::Hello(wire::Hello { software, instance }) => Self::Hello {
                software: field::software("Hello.software", software)?,
                instance: field::array("Hello.instance", &instance)?,
            },
            FromAgentContent::Approval(approval) => Self::Approval(approval.try_into()?),
            FromAgentContent::Rejection(wire::Rejection { run, code }) => Self::Rejected {
                run: field::digest("Rejection.run", &run)?,
                code: field::code("Rejection.code", code)?,
            },
            FromAgentContent::Withdrawal(withdrawal) => Self::Withdrawn(withdrawal.try_into()?),
            FromAgentContent::Run(wire::SiteRunMessage { run, content }) => Self::Run {
                run: field::digest("SiteRunMessage.run", &run)?,
                message: field::required("SiteRunMessage.content", content)?.try_into()?,
            },
        })
    }
}

impl From<FromSite> for FromSiteContent {
    fn from(message: FromSite) -> Self {
        match message {
            FromSite::Announcement(announcement) => Self::Announcement(announcement.into()),
            FromSite::Boxes { epoch, boxes } => {
                Self::Boxes(wire::SiteBoxes { epoch, boxes: boxes.into_iter().map(Into::into).collect() })
            }
            FromSite::Confirmation { epoch, confirmation } => {
                Self::Confirmation(wire::SiteConfirmation { epoch, confirmation: Some(confirmation.into()) })
            }
            FromSite::Next(next) => Self::Next(next.into()),
            FromSite::Answer(answer) => Self::Answer(answer.into()),
            FromSite::Finished(finished) => Self::Finished(finished.into()),
            FromSite::Release { bytes } => Self::Release(wire::Release { content: bytes.into() }),
            FromSite::Refused { code } => Self::Refused(wire::Refused { code }),
        }
    }
}

impl TryFrom<FromSiteContent> for FromSite {
    type Error = ConvertError;

    fn try_from(content: FromSiteContent) -> Result<Self, ConvertError> {
        Ok(match content {
            FromSiteContent::Announcement(announcement) => Self::Announcement(announcement.try_into()?),
            FromSiteContent::Boxes(wire::SiteBoxes { epoch, boxes }) => {
                Self::Boxes { epoch, boxes: field::list(boxes)? }
            }
            FromSiteContent::Confirmation(wire::SiteConfirmation { epoch, confirmation }) => Self::Confirmation {
                epoch,
                confirmation: field::required("SiteConfirmation.confirmation", confirmation)?.try_into()?,
            },
            FromSiteContent::Next(next) => Self::Next(next.try_into()?),
            FromSiteContent::Answer(answer) => Self::Answer(answer.try_into()?),
            FromSiteContent::Finished(finished) => Self::Finished(finished.try_into()?),
            FromSiteContent::Release(wire::Release { content }) => Self::Release { bytes: content.into() },
            FromSiteContent::Refused(wire::Refused { code }) => {
                Self::Refused { code: field::code("Refused.code", code)? }
            }
        })
    }
}

impl From<ToAgent> for wire::CoordinatorMessage {
    fn from(message: ToAgent) -> Self {
        let content = match message {
            ToAgent::Offer(offer) => ToAgentContent::Offer(offer.into()),
            ToAgent::Run { run, message } => ToAgentContent::Run(wire::CoordinatorRunMessage {
                run: field::bytes(&run.0),
                content: Some(message.into()),
            }),
        };
        Self { content: Some(content) }
    }
}

impl TryFrom<wire::CoordinatorMessage> for ToAgent {
    type Error = ConvertError;

    fn try_from(message: wire::CoordinatorMessage) -> Result<Self, ConvertError> {
        let wire::CoordinatorMessage { content } = message;
        Ok(match field::required("CoordinatorMessage.content", content)? {
            ToAgentContent::Offer(offer) => Self::Offer(offer.try_into()?),
            ToAgentContent::Run(wire::CoordinatorRunMessage { run, content }) => Self::Run {
                run: field::digest("CoordinatorRunMessage.run", &run)?,
                message: field::required("CoordinatorRunMessage.content", content)?.try_into()?,
            },
        })
    }
}

impl From<ToSite> for ToSiteContent {
    fn from(message: ToSite) -> Self {
        match message {
            ToSite::EpochOpen { epoch, known } => {
                Self::EpochOpen(wire::EpochOpen { epoch, known: field::bytes(&known.0) })
            }
            ToSite::Bundle { announcements } => {
                Self::Bundle(wire::Bundle { announcements: announcements.into_iter().map(Into::into).collect() })
            }
            ToSite::Boxes { boxes } => Self::Boxes(wire::Boxes { boxes: boxes.into_iter().map(Into::into).collect() }),
            ToSite::Confirmations { confirmations } => Self::Confirmations(wire::Confirmations {
                confirmations: confirmations.into_iter().map(Into::into).collect(),
            }),
            ToSite::RoundOpen(open) => Self::RoundOpen(open.into()),
            ToSite::RoundResult(result) => Self::RoundResult(result.into()),
            ToSite::SendRelease => Self::SendRelease(wire::SendRelease {}),
            ToSite::Closed(closed) => Self::Closed((*closed).into()),
        }
    }
}

impl TryFrom<ToSiteContent> for ToSite {
    type Error = ConvertError;

    fn try_from(content: ToSiteContent) -> Result<Self, ConvertError> {
        Ok(match content {
            ToSiteContent::EpochOpen(wire::EpochOpen { epoch, known }) => {
                Self::EpochOpen { epoch, known: field::digest("EpochOpen.known", &known)? }
            }
            ToSiteContent::Bundle(wire::Bundle { announcements }) => {
                Self::Bundle { announcements: field::list(announcements)? }
            }
            ToSiteContent::Boxes(wire::Boxes { boxes }) => Self::Boxes { boxes: field::list(boxes)? },
            ToSiteContent::Confirmations(wire::Confirmations { confirmations }) => {
                Self::Confirmations { confirmations: field::list(confirmations)? }
            }
            ToSiteContent::RoundOpen(open) => Self::RoundOpen(open.try_into()?),
            ToSiteContent::RoundResult(result) => Self::RoundResult(result.try_into()?),
            ToSiteContent::SendRelease(wire::SendRelease {}) => Self::SendRelease,
            ToSiteContent::Closed(closed) => Self::Closed(Box::new(closed.try_into()?)),
        })
    }
}
