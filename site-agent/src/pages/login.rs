//! Signing in with a one-time link. Opening the link changes nothing; the button does, so that a program which looks at
//! links does not use it up.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use web::{Gate, Problem, Secret};

use super::desk::{Desk, Visitor};

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
    let account = Secret::parse(&token).and_then(|secret| logins.redeem(&secret, Timestamp::now()));
    let account = account.ok_or_else(Problem::stale_login)?;
    tracing::info!("somebody signed in to the pages");
    gate.enter(Visitor { account })
}
