//! Error pages: what happened, its code, what to do next.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::page::Page;

/// Why there is no page; itself a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Status of the answer.
    pub status: StatusCode,
    /// Stable code, as in docs/errors.md.
    pub code: &'static str,
    /// One fact in lower case, as an error's text.
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// Single mistakes, one per line.
    pub lines: Vec<String>,
}

impl Problem {
    /// A problem without lines.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { status, code, message: message.into(), hint: hint.into(), lines: Vec::new() }
    }

    /// Nobody has signed in.
    pub fn no_login() -> Problem {
        let hint = "ask for a login link on the command line and open it in this browser";
        Problem::new(StatusCode::UNAUTHORIZED, "web.login", "you are not signed in, or no longer", hint)
    }

    /// A login that lets nobody in.
    pub fn stale_login() -> Problem {
        let hint = "ask for a new login link; each lets in once and for ten minutes";
        Problem::new(StatusCode::UNAUTHORIZED, "web.login_used", "this login was used before, or is too old", hint)
    }

    /// There is no such page.
    pub fn not_found() -> Problem {
        let hint = "go back to the first page";
        Problem::new(StatusCode::NOT_FOUND, "web.not_found", "there is no such page", hint)
    }

    /// The request names another host than this one.
    pub(crate) fn host() -> Problem {
        let hint = "open the address that the program prints";
        let message = "the request asks for a host that this program is not";
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "web.host", message, hint)
    }

    /// The request was made by a page from elsewhere.
    pub(crate) fn origin() -> Problem {
        let hint = "open this program's own page and do it there";
        Problem::new(StatusCode::FORBIDDEN, "web.origin", "the request does not come from this program's pages", hint)
    }

    /// The form is not of this session.
    pub(crate) fn form() -> Problem {
        let hint = "go back, load the page again and send the form once more";
        Problem::new(StatusCode::FORBIDDEN, "web.form", "the form is not one of this session", hint)
    }

    /// The form is larger than any of ours.
    pub(crate) fn too_large() -> Problem {
        let hint = "shorten the text";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "web.too_large", "the form is too large", hint)
    }

    /// No page is changed in this way.
    pub(crate) fn method() -> Problem {
        let hint = "pages are read with GET and forms sent with POST";
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "web.method", "no page is asked for in this way", hint)
    }

    /// The system gave no random bytes.
    pub fn random() -> Problem {
        let hint = "try again; if it persists, check the operating system";
        let message = "the operating system gave no random bytes";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "web.random", message, hint)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = sentence(&self.message);
        let page = Page { program: "Entente", place: "", title: &title, nav: &[], current: "", leave: None };
        let main = html! {
            p { "Code: " code { (self.code) } }
            @if !self.lines.is_empty() { ul { @for line in &self.lines { li { (line) } } } }
            p { "Next: " (self.hint) "." }
            p { a href="/" { "First page" } }
        };
        (self.status, page.render(&main)).into_response()
    }
}

/// With a capital at its beginning.
fn sentence(fact: &str) -> String {
    let mut characters = fact.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
