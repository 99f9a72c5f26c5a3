//! Signing in with a one-time link. Opening the link changes nothing; the button does, so that a program which looks at
//! links does not use it up.

use std::sync::Arc;

use axum::extract::{Form, Query, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use web::{Gate, Problem, Secret, Visit};

use super::desk::{Desk, Visitor};
use super::problem::Unable;
use crate::run::reviewers;

#[derive(Deserialize)]
pub(super) struct Token {
    #[serde(default)]
    token: String,
}

/// Asks for the button.
pub(super) async fn page(Query(Token { token }): Query<Token>) -> Markup {
    let content = html! {
        p { "This link lets one person in, once. You stay signed in for up to eight hours, or half an hour without use." }
        form method="post" action="/login" {
            input type="hidden" name="token" value=(token);
            button { "Sign in" }
        }
    };
    Desk::closed_page("Sign in", &content)
}

/// Uses the link up.
pub(super) async fn enter(
    State((gate, desk)): State<(Gate<Visitor>, Arc<Desk>)>,
    Form(Token { token }): Form<Token>,
) -> Result<Response, Problem> {
    let logins = super::logins(&desk.config.state_dir);
    let subject = Secret::parse(&token).and_then(|secret| logins.redeem(&secret, Timestamp::now()));
    let subject = subject.ok_or_else(Problem::stale_login)?;
    let visitor = match reviewers::reviewer_of(&subject) {
        None => Visitor::Account(subject),
        Some(id) => {
            let found = reviewers::of_id(&desk.config.state_dir, id).map_err(Unable::from)?;
            Visitor::Reviewer(found.ok_or_else(Problem::stale_login)?)
        }
    };
    tracing::info!("somebody signed in to the pages");
    gate.enter(visitor)
}

/// A reviewer who was removed is a stranger from then on.
pub(super) async fn still_named(
    State(desk): State<Arc<Desk>>,
    visit: Visit<Visitor>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Visitor::Reviewer(reviewer) = &visit.visitor {
        let found = reviewers::of_id(&desk.config.state_dir, &reviewer.id).map_err(Unable::from)?;
        found.ok_or_else(Problem::no_login)?;
    }
    Ok(next.run(request).await)
}
