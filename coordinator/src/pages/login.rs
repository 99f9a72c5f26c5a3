//! One-time logins for people without a certificate: the command line makes one, a page takes it.

use std::path::Path;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use web::{Logins, Page, Problem, Secret};

use super::visitor::Visitor;
use super::{PageError, Shared, login_folder};
use crate::role::{Person, RoleError};

/// The logins of a state directory.
pub fn logins(state: &Path) -> Logins {
    Logins::in_folder(&login_folder(state))
}

/// Whom a login is for, as it is written down: role, blank, name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginFor(pub Person);

impl LoginFor {
    /// One line.
    pub fn text(&self) -> String {
        format!("{} {}", self.0.role(), self.0.name())
    }

    fn parse(text: &str) -> Result<LoginFor, RoleError> {
        let (role, name) = text.split_once(' ').ok_or(RoleError::Damaged)?;
        Ok(LoginFor(Person::new(name, role.parse()?)?))
    }
}

/// The address that is open to everybody.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/login", get(form).post(enter))
}

#[derive(Deserialize)]
struct Secrets {
    #[serde(default)]
    secret: String,
}

/// A link signs nobody in by being opened: a browser or mail program that looks ahead would use it up.
async fn form(State(pages): State<Shared>, Query(Secrets { secret }): Query<Secrets>) -> Markup {
    let content = html! {
        form.decide method="post" action="/login" {
            @if Secret::parse(&secret).is_some() {
                input type="hidden" name="secret" value=(secret);
                p { "The link that you opened signs you in once." }
            } @else {
                label for="secret" { "One-time login" }
                input type="text" id="secret" name="secret" autocomplete="off" spellcheck="false" required;
                p.help { "The 64 digits that " code { "coordinator web login" } " prints." }
            }
            button { "Sign in" }
        }
    };
    Page { program: "Coordinator", place: &pages.name, title: "Sign in", nav: &[], current: "", leave: None }
        .render(&content)
}

async fn enter(State(pages): State<Shared>, Form(Secrets { secret }): Form<Secrets>) -> Response {
    let Some(secret) = Secret::parse(secret.trim()) else { return Problem::stale_login().into_response() };
    let redeemed = pages.read(move |pages| Ok(pages.logins.redeem(&secret, Timestamp::now()))).await;
    let person = match redeemed {
        Ok(Some(subject)) => LoginFor::parse(&subject).map_err(PageError::from),
        Ok(None) => return Problem::stale_login().into_response(),
        Err(error) => Err(error),
    };
    match person {
        Ok(LoginFor(person)) => {
            tracing::info!(name = person.name(), role = %person.role(), "signed in by a one-time login");
            pages.gate.enter(Visitor { person, by_certificate: false }).unwrap_or_else(IntoResponse::into_response)
        }
        Err(error) => error.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    #[test]
    fn whom_a_login_is_for_reads_back() {
        let person = Person::new("First Auditor of two", Role::Auditor).unwrap();
        assert_eq!(LoginFor::parse(&LoginFor(person.clone()).text()).unwrap(), LoginFor(person));
        for wrong in ["", "auditor", "auditor ", "root First", "Auditor First"] {
            assert!(LoginFor::parse(wrong).is_err(), "{wrong}");
        }
    }
}
