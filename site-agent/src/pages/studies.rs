//! The first page: what waits for a decision, what runs or ran, what was rejected.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use maud::{Markup, html};
use web::{Problem, Scroll, Visit, state};

use super::desk::{Desk, Visitor, time_of};
use super::problem::Unable;
use crate::run::{LinkState, Offered, RunFolder, RunState, consented, lines, offers, read_policy, runs};

/// The page.
pub(super) async fn page(State(desk): State<Arc<Desk>>, visit: Visit<Visitor>) -> Result<Markup, Problem> {
    desk.off(move |desk| {
        let content = content(desk)?;
        Ok(desk.page(&visit, "Studies", "/", &content))
    })
    .await
}

fn content(desk: &Desk) -> Result<Markup, Unable> {
    let (rejected, waiting): (Vec<_>, Vec<_>) =
        offers(&desk.config.state_dir)?.into_iter().partition(|offered| offered.rejected);
    let runs = runs(&desk.config.state_dir)?;
    Ok(html! {
        div id="studies" data-live="3" {
            @if !matches!(desk.link.state(), LinkState::Connected { .. }) {
                p.note data-tone="wait" {
                    "There is no connection to the coordinator now; nothing new is offered or answered. "
                    a href="/health" { "How the agent is" }
                }
            }
            h2 { "Waiting for a decision" }
            @if waiting.is_empty() { p { "Nothing waits." } }
            @for offered in &waiting { (waits(desk, offered)?) }
            h2 { "Approved" }
            @if runs.is_empty() { p { "No study is approved." } } @else { (approved(&runs)?) }
            @if !rejected.is_empty() {
                h2 { "Rejected" }
                ul {
                    @for offered in &rejected {
                        li {
                            bdi { (offered.protocol.title) } " ("
                            a href={ "/offers/" (offered.offer.manifest.digest()) } { (offered.offer.manifest.name()) } ")"
                        }
                    }
                }
            }
        }
    })
}

fn waits(desk: &Desk, offered: &Offered) -> Result<Markup, Unable> {
    let manifest = &offered.offer.manifest;
    let people = consented(&desk.config.state_dir, &manifest.digest())?;
    let needed = read_policy(&desk.config.policy_text()?)?.approvals;
    Ok(html! {
        article.study {
            h3 { bdi { (offered.protocol.title) } }
            p { (state("wait", "waits for a decision")) }
            dl.facts {
                dt { "Question" } dd { (offered.protocol.trial.question) }
                dt { "Sites" } dd { (manifest.roster.len()) }
                dt { "Approvals here" }
                dd {
                    (people.len()) " of " (needed)
                    @for person in &people { ", by " bdi { (person.name) } }
                }
                dt { "Offered until" } dd { (time_of(manifest.expires)) }
            }
            p { a href={ "/offers/" (manifest.digest()) } { "Review " (manifest.name()) } }
        }
    })
}

fn approved(runs: &[RunFolder]) -> Result<Markup, Unable> {
    let now = Timestamp::now();
    let rows: Result<Vec<_>, Unable> = runs.iter().map(|run| Ok((run, RunState::of(run, &lines(run)?, now)))).collect();
    let rows = rows?;
    Ok(Scroll { caption: "Approved studies" }.table(&html! {
        thead { tr {
            th scope="col" { "Run" } th scope="col" { "State" } th scope="col" { "Study" }
            th scope="col" { "Approved by" } th scope="col" { "Approved" }
        } }
        tbody {
            @for (run, state) in &rows {
                tr {
                    th scope="row" { a href={ "/runs/" (run.manifest.digest()) } { (run.manifest.name()) } }
                    td { (badge(state)) }
                    td.text { bdi { (run.protocol.title) } }
                    td { @for (i, person) in run.people.iter().enumerate() { @if i > 0 { ", " } bdi { (person.name) } } }
                    td { (time_of(run.approved())) }
                }
            }
        }
    }))
}

/// The state of a run in a box.
pub(super) fn badge(run: &RunState) -> Markup {
    match run {
        RunState::NotBegun => state("wait", "waits for the other sites"),
        RunState::Running { round } => state("plain", &format!("runs, round {round} done")),
        RunState::Refused { .. } => state("bad", "refused by this site"),
        RunState::Finished => state("good", "finished"),
        RunState::Withdrawn => state("bad", "withdrawn"),
        RunState::Ended => state("plain", "ended without results"),
    }
}
