//! Why a page or a decision is not possible, from the errors behind the command line to a page.

use axum::http::StatusCode;
use web::Problem;

use crate::config::ConfigError;
use crate::identity::IdentityError;
use crate::run::{ApproveError, FolderError, InspectError, JournalError};

/// Why a page or a decision is not possible.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unable {
    /// The offer is gone.
    #[error("this study does not wait for a decision, or no longer")]
    Decided,
    /// There is no such run.
    #[error("no approved study has this address")]
    NoRun,
    /// A rejection stands.
    #[error("this site has rejected the study")]
    Rejected,
    /// Nobody is named.
    #[error("the name is empty")]
    Name,
    /// Nothing is said.
    #[error("the reason is empty")]
    Reason,
    /// The policy is another one than the page showed.
    #[error("the site's policy has changed since the page was made")]
    PolicyChanged,
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The site's identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Files of a run.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A run's journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The study cannot be looked at.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The study cannot be approved.
    #[error(transparent)]
    Approve(#[from] ApproveError),
}

impl Unable {
    fn code(&self) -> &'static str {
        match self {
            Unable::Decided => "pages.decided",
            Unable::NoRun => "pages.no_run",
            Unable::Rejected => "study.rejected",
            Unable::Name => "study.name",
            Unable::Reason => "pages.reason",
            Unable::PolicyChanged => "pages.policy_changed",
            Unable::Config(e) => e.code(),
            Unable::Identity(e) => e.code(),
            Unable::Folder(e) => e.code(),
            Unable::Journal(e) => e.code(),
            Unable::Inspect(e) => e.code(),
            Unable::Approve(e) => e.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Unable::Decided | Unable::NoRun => "the first page lists all studies",
            Unable::Rejected => "a rejection is final for a run; ask for a new one",
            Unable::Name => "go back and say who decides",
            Unable::Reason => "go back and say why; the reason stays at this site",
            Unable::PolicyChanged => "go back, load the page again and read the rules once more",
            Unable::Config(e) => e.hint(),
            Unable::Identity(e) => e.hint(),
            Unable::Folder(e) => e.hint(),
            Unable::Journal(e) => e.hint(),
            Unable::Inspect(e) => e.hint(),
            Unable::Approve(e) => e.hint(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Unable::Decided | Unable::NoRun => StatusCode::NOT_FOUND,
            Unable::Name | Unable::Reason => StatusCode::UNPROCESSABLE_ENTITY,
            Unable::Rejected | Unable::PolicyChanged | Unable::Approve(_) | Unable::Inspect(_) => StatusCode::CONFLICT,
            Unable::Config(_) | Unable::Identity(_) | Unable::Folder(_) | Unable::Journal(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// Single mistakes behind the error.
    fn lines(&self) -> Vec<String> {
        match self {
            Unable::Approve(ApproveError::Source(e)) => e.to_string().lines().map(str::to_owned).collect(),
            Unable::Approve(ApproveError::Protocol(e) | ApproveError::PolicyFile(e)) => {
                e.0.iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl From<Unable> for Problem {
    fn from(e: Unable) -> Problem {
        Problem { status: e.status(), code: e.code(), message: e.to_string(), hint: e.hint().into(), lines: e.lines() }
    }
}
