//! One run: where it stands now, whom it waits for, who has approved.

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, REFRESH};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use web::{Scroll, Visit};

use super::frame::{head, page, standing, time_of, whole};
use super::visitor::Visitor;
use super::{PageError, Pages, Shared, access, hex, run_of};
use crate::hub::RunReport;
use crate::role::Role;
use crate::store::StoredRun;

/// How often a page without script loads itself again, where the reader asks for that.
const RENEW: HeaderValue = HeaderValue::from_static("5");

#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    renew: bool,
}

/// The page of a run.
pub(super) async fn show(
    State(pages): State<Shared>,
    Path(name): Path<String>,
    Query(Wish { renew }): Query<Wish>,
    visit: Visit<Visitor>,
) -> Result<Response, PageError> {
    let seen = pages.read(move |pages| pages.see(&name)).await?;
    let content = seen.content(visit.visitor.person.role());
    let mut response = page(&pages.name, &visit, "/studies", &seen.title, &content).into_response();
    if renew {
        response.headers_mut().insert(REFRESH, RENEW);
    }
    Ok(response)
}

/// The protocol as text, as it was given.
pub(super) async fn protocol(
    State(pages): State<Shared>,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, PageError> {
    let run = pages.read(move |pages| run_of(&pages.store()?, &name)).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], run.protocol))
}

/// What the page shows.
struct Seen {
    title: String,
    run: StoredRun,
    report: RunReport,
    connected: BTreeSet<String>,
}

impl Pages {
    fn see(&self, name: &str) -> Result<Seen, PageError> {
        let store = self.store()?;
        let run = run_of(&store, name)?;
        Ok(Seen {
            title: self.protocol(&run)?.title.clone(),
            report: self.report(&run).ok_or(PageError::Loading)?,
            connected: self.board.borrow().connected.clone(),
            run,
        })
    }
}

impl Seen {
    fn content(&self, role: Role) -> Markup {
        html! {
            div id="progress" data-live="2" { (self.progress(role)) (self.roster()) }
            noscript { p { a href="?renew=true" { "Load this page again every five seconds" } } }
            h2 { "What was agreed" }
            (self.agreed())
        }
    }

    fn progress(&self, role: Role) -> Markup {
        let RunReport { run, round, models, fitted, failed, problem, opened, sealed, .. } = &self.report;
        let finished = self.report.waiting == "nothing";
        let links = [("results", "Results", finished), ("audit", "What was opened", true)];
        let links = links
            .into_iter()
            .filter(|(page, _, there)| *there && access::reads(role, &format!("/studies/{{run}}/{page}")));
        html! {
            p { (standing(Some(&self.report))) }
            @if let Some((code, message)) = problem {
                div.note data-tone="bad" role="status" { p { bdi { (message) } " [" code { (code) } "]" } }
            }
            dl.facts {
                dt { "Run" } dd { bdi { (run) } }
                dt { @if finished { "Rounds" } @else { "Next round" } }
                dd { (if finished { round.saturating_sub(1) } else { *round }) }
                dt { "Models" }
                dd {
                    @if *models == 0 { "known when the first round begins" } @else {
                        (fitted) " of " (models) " fitted"
                        @if *failed > 0 { ", " (failed) " failed" }
                        " "
                        progress max=(models) value=(fitted + failed) aria-label="Models that have ended" {}
                    }
                }
                dt { "Numbers opened" } dd { (whole(*opened)) " by the coordinator, " (whole(*sealed)) " by the sites alone; sums over all sites" }
                dt { "Waits for" } dd { (self.waits_for()) }
            }
            ul { @for (page, label, _) in links { li { a href=(format!("/studies/{run}/{page}")) { (label) } } } }
        }
    }

    fn waits_for(&self) -> Markup {
        let RunReport { waiting, sites, .. } = &self.report;
        let what = match waiting.as_str() {
            "approval" => "the approval of ",
            "connection" => "a connection of ",
            "message" => "an answer of ",
            _ => return html! { "nobody" },
        };
        html! {
            (what)
            @for (i, site) in sites.iter().enumerate() { @if i > 0 { ", " } bdi { (site) } }
        }
    }

    fn roster(&self) -> Markup {
        let members = self.run.manifest.roster.members();
        let waited = |id: &String| self.report.sites.contains(id);
        let approved = |id: &String| self.report.waiting != "approval" || !waited(id);
        let rows = html! {
            (head(&["Site", "Approved", "Connection", "Waited for", "Legal name", "Fingerprint"]))
            tbody {
                @for member in members {
                    tr {
                        th scope="row" { bdi { (member.id) } }
                        td { (if approved(&member.id) { web::state("good", "approved") } else { web::state("wait", "not yet") }) }
                        td { (connection(self.connected.contains(&member.id))) }
                        td { @if waited(&member.id) { "yes" } }
                        td.text { bdi { (member.legal_name) } }
                        td { (web::digest(&member.identity.fingerprint())) }
                    }
                }
            }
        };
        Scroll { caption: "Sites of the run" }.table(&rows)
    }

    fn agreed(&self) -> Markup {
        let manifest = &self.run.manifest;
        html! {
            dl.facts {
                dt { "Manifest" } dd { code { (hex(&manifest.digest())) } }
                dt { "Protocol" }
                dd {
                    code { (hex(&manifest.protocol)) } " "
                    a href=(format!("/studies/{}/protocol", manifest.name())) { "its text" }
                }
                dt { "Version of the plan" } dd { (manifest.plan_version) }
                dt { "Made" } dd { (time_of(manifest.created)) }
                dt { "No site answers after" } dd { (time_of(manifest.expires)) }
            }
        }
    }
}

/// Whether a site is connected, as a word in a box.
pub(super) fn connection(connected: bool) -> Markup {
    if connected { web::state("good", "connected") } else { web::state("plain", "away") }
}
