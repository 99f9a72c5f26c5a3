//! Decisions: approve, reject, withdraw. Each by its own form, with the checks of the command line.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use serde::Deserialize;
use web::{Problem, Visit};

use super::desk::{Desk, Visitor};
use super::problem::Unable;
use crate::run::{self, Person, read_policy, reviewers};

#[derive(Deserialize)]
pub(super) struct Consent {
    #[serde(default)]
    name: String,
    policy: String,
}

#[derive(Deserialize)]
pub(super) struct Rejection {
    reason: String,
}

#[derive(Deserialize)]
pub(super) struct Withdrawal {
    #[serde(default)]
    name: String,
    reason: String,
}

/// Records a person's consent; with the last one the cohort is frozen.
pub(super) async fn approve(
    State(desk): State<Arc<Desk>>,
    Path(manifest): Path<String>,
    visit: Visit<Visitor>,
    Form(consent): Form<Consent>,
) -> Result<Redirect, Problem> {
    let decided = desk.off(move |desk| {
        let _one = desk.deciding.lock();
        let offered = desk.offered(&manifest)?;
        if offered.rejected {
            return Err(Unable::Rejected);
        }
        let person = person(&consent.name, &visit)?;
        let policy_text = desk.config.policy_text()?;
        if read_policy(&policy_text)?.digest().to_string() != consent.policy {
            return Err(Unable::PolicyChanged);
        }
        let identity = desk.identity()?;
        let (approver, data) = (desk.approver(&identity), &desk.config.data);
        let approved = run::approve(&approver, &offered.offer, data, &policy_text, &person)?;
        let kept = if approved.run.is_some() { "runs" } else { "offers" };
        Ok(format!("/{kept}/{manifest}"))
    });
    Ok(Redirect::to(&decided.await?))
}

/// Declines an offer.
pub(super) async fn reject(
    State(desk): State<Arc<Desk>>,
    Path(manifest): Path<String>,
    visit: Visit<Visitor>,
    Form(rejection): Form<Rejection>,
) -> Result<Redirect, Problem> {
    let decided = desk.off(move |desk| {
        let _one = desk.deciding.lock();
        let offered = desk.offered(&manifest)?;
        if offered.rejected {
            return Err(Unable::Rejected);
        }
        let person = at_login("", &visit);
        run::reject(&desk.config.state_dir, &offered, &person, reason(&rejection.reason)?)?;
        Ok("/")
    });
    Ok(Redirect::to(decided.await?))
}

/// Takes an approval back.
pub(super) async fn withdraw(
    State(desk): State<Arc<Desk>>,
    Path(manifest): Path<String>,
    visit: Visit<Visitor>,
    Form(withdrawal): Form<Withdrawal>,
) -> Result<Redirect, Problem> {
    let decided = desk.off(move |desk| {
        let _one = desk.deciding.lock();
        let run = desk.run(&manifest)?;
        let person = person(&withdrawal.name, &visit)?;
        // a second withdrawal would take the place of the first one's reason
        if run::withdrawal(&run.path)?.is_none() {
            run::withdraw(&run, desk.identity()?.signing(), &person, reason(&withdrawal.reason)?)?;
        }
        Ok(format!("/runs/{manifest}"))
    });
    Ok(Redirect::to(&decided.await?))
}

/// Who decides: a reviewer; otherwise the name of the form and the account of the login.
fn person(name: &str, visit: &Visit<Visitor>) -> Result<Person, Unable> {
    let person = at_login(name, visit);
    if person.name.is_empty() { Err(Unable::Name) } else { Ok(person) }
}

fn at_login(name: &str, visit: &Visit<Visitor>) -> Person {
    visit.visitor.person(name, reviewers::now())
}

fn reason(text: &str) -> Result<&str, Unable> {
    let text = text.trim();
    if text.is_empty() { Err(Unable::Reason) } else { Ok(text) }
}
