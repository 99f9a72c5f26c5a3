//! The enrolled sites, and the revocation of one.

use axum::extract::{Path, State};
use axum::response::Redirect;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use web::{Scroll, Visit};

use super::frame::{head, page, time};
use super::run::connection;
use super::visitor::Visitor;
use super::{PageError, Shared};
use crate::enrol::{self, EnrolError, Enrolled};

/// A certificate that ends within so many hours is marked.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// All sites with their state.
pub(super) async fn list(State(pages): State<Shared>, visit: Visit<Visitor>) -> Result<Markup, PageError> {
    let sites = pages.read(|pages| Ok(enrol::list(&pages.state)?)).await?;
    let (connected, second_agents) = {
        let board = pages.board.borrow();
        (board.connected.clone(), board.second_agents.clone())
    };
    let now = Timestamp::now();
    let rows = html! {
        (head(&["Site", "State", "Connection", "Legal name", "Certificate until", "Enrolled", "Fingerprint", "Action"]))
        tbody {
            @for site in &sites {
                tr {
                    th scope="row" { bdi { (site.site) } }
                    td { (standing(site)) }
                    td {
                        (connection(connected.contains(&site.site)))
                        @if let Some(at) = second_agents.get(&site.site) {
                            " " (web::state("bad", "a second agent with this identity was refused")) " " (time(*at))
                        }
                    }
                    td.text { bdi { (site.legal_name) } }
                    td { (until(site, now)) }
                    td { (time(site.enrolled_at)) }
                    td { (web::digest(&site.identity.fingerprint())) }
                    td {
                        @if site.revoked_at.is_none() {
                            a href=(format!("/sites/{}/revoke", site.site)) aria-label=(format!("Revoke {}", site.site)) { "Revoke" }
                        }
                    }
                }
            }
        }
    };
    let content = html! {
        div id="sites" data-live="5" {
            @if sites.is_empty() {
                p { "No site is enrolled yet. " code { "coordinator site approve" } " enrols one." }
            } @else { (Scroll { caption: "Enrolled sites" }.table(&rows)) }
        }
    };
    Ok(page(&pages.name, &visit, "/sites", "Sites", &content))
}

/// Asks whether the site is to be revoked.
pub(super) async fn confirm(
    State(pages): State<Shared>,
    Path(id): Path<String>,
    visit: Visit<Visitor>,
) -> Result<Markup, PageError> {
    let site = pages.read(move |pages| enrol::load(&pages.state, &id)?.ok_or(EnrolError::UnknownSite.into())).await?;
    let content = html! {
        p { bdi { (site.legal_name) } " " (standing(&site)) }
        dl.facts { dt { "Fingerprint" } dd { code { (site.identity.fingerprint()) } } }
        @if site.revoked_at.is_none() {
            div.note data-tone="bad" {
                p {
                    "Its connection ends within two seconds and it is not let in again. Runs with this site do not go on. "
                    "To come back, the site makes new keys and enrols like a new one."
                }
            }
            form method="post" action=(format!("/sites/{}/revoke", site.site)) {
                (visit.csrf_field())
                button.grave { "Revoke " bdi { (site.site) } }
            }
        }
        p { a href="/sites" { "Back to the sites" } }
    };
    let title = format!("Revoke {}?", site.site);
    Ok(page(&pages.name, &visit, "/sites", &title, &content))
}

/// Revokes the site.
pub(super) async fn revoke(
    State(pages): State<Shared>,
    Path(id): Path<String>,
    visit: Visit<Visitor>,
) -> Result<Redirect, PageError> {
    let revoked = pages.read(move |pages| Ok(enrol::revoke(&pages.state, &id, Timestamp::now())?)).await?;
    let by = visit.visitor.person.name();
    tracing::warn!(site = %revoked.site, %by, "site revoked on a page");
    Ok(Redirect::to("/sites"))
}

fn standing(site: &Enrolled) -> Markup {
    match site.revoked_at {
        Some(at) => html! { (web::state("bad", "revoked")) " " (time(at)) },
        None => web::state("good", "enrolled"),
    }
}

/// The end of the newest certificate.
fn until(site: &Enrolled, now: Timestamp) -> Markup {
    let Some(end) = site.certificates.last().map(|certificate| certificate.not_after) else { return html! {} };
    html! {
        (time(end))
        @if site.revoked_at.is_none() {
            @if end <= now { " " (web::state("bad", "ended")) }
            @else if end.duration_since(now) < SOON { " " (web::state("wait", "ends soon")) }
        }
    }
}
