//! Why there is no page, as a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use web::Problem;

use crate::enrol::EnrolError;
use crate::role::{Role, RoleError};
use crate::store::StoreError;
use crate::study::StudyError;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// The role does not have it.
    #[error("the role {role} may not open this page")]
    Role {
        /// Of the person who asks.
        role: Role,
    },
    /// The certificate is not on record, or no longer.
    #[error("the certificate that the browser shows gives no role")]
    Certificate,
    /// The result folder has no such file.
    #[error("this run has no such file")]
    NoFile,
    /// The hub has not found the run yet.
    #[error("the run is not loaded yet")]
    Loading,
    /// A stored protocol does not parse.
    #[error("the protocol of run `{run}` does not parse with this version")]
    Protocol {
        /// Name of the run.
        run: String,
    },
    /// The result files cannot be made.
    #[error("the result files cannot be made")]
    Files,
    /// The page's own thread ended.
    #[error("the page was interrupted")]
    Interrupted,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A finished run.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// The sites.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The people.
    #[error(transparent)]
    Person(#[from] RoleError),
}

impl PageError {
    fn code(&self) -> &'static str {
        match self {
            PageError::Role { .. } => "pages.role",
            PageError::Certificate => "pages.certificate",
            PageError::NoFile => "pages.no_file",
            PageError::Loading => "pages.loading",
            PageError::Protocol { .. } => "store.protocol",
            PageError::Files => "pages.files",
            PageError::Interrupted => "pages.interrupted",
            PageError::Store(e) => e.code(),
            PageError::Study(e) => e.code(),
            PageError::Enrol(e) => e.code(),
            PageError::Person(e) => e.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            PageError::Role { .. } => "go back to your own pages, or ask the operator for another role",
            PageError::Certificate => "ask the operator for a new certificate, or choose another one in the browser",
            PageError::NoFile => "go back to the results and choose one of the files there",
            PageError::Loading => "load the page again",
            PageError::Protocol { .. } => "use the version of this software that began the run",
            PageError::Files | PageError::Interrupted => "load the page again; if it persists, report this as a bug",
            PageError::Store(e) => e.hint(),
            PageError::Study(e) => e.hint(),
            PageError::Enrol(e) => e.hint(),
            PageError::Person(e) => e.hint(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            PageError::Role { .. } | PageError::Certificate => StatusCode::FORBIDDEN,
            PageError::NoFile
            | PageError::Store(StoreError::NoRun { .. } | StoreError::Ambiguous { .. })
            | PageError::Study(StudyError::Store(StoreError::NoRun { .. } | StoreError::Ambiguous { .. }))
            | PageError::Enrol(EnrolError::UnknownSite | EnrolError::SiteName) => StatusCode::NOT_FOUND,
            PageError::Study(StudyError::NotFinished(_)) => StatusCode::CONFLICT,
            PageError::Loading => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.status();
        let message = if status == StatusCode::INTERNAL_SERVER_ERROR {
            // The text of the error can name a file of this machine: that is for its operator alone.
            tracing::error!(code = self.code(), error = %self, "a page could not be made");
            "the coordinator could not make this page".to_owned()
        } else {
            self.to_string()
        };
        Problem::new(status, self.code(), message, self.hint()).into_response()
    }
}
