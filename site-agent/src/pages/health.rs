//! How the agent is: connection, certificate, policy, data, frozen cohorts, disk, version.

use std::fs;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use maud::{Markup, html};
use study::plan::PLAN_VERSION;
use web::{Problem, Scroll, Visit, digest, state};

use super::desk::{Desk, Visitor, time};
use super::problem::Unable;
use crate::identity;
use crate::run::{LinkState, RunFolder, read_policy, runs};

/// The page.
pub(super) async fn page(State(desk): State<Arc<Desk>>, visit: Visit<Visitor>) -> Result<Markup, Problem> {
    desk.off(move |desk| {
        let content = content(desk)?;
        Ok(desk.page(&visit, "Health", "/health", &content))
    })
    .await
}

fn content(desk: &Desk) -> Result<Markup, Unable> {
    let now = Timestamp::now();
    Ok(html! {
        div id="health" data-live="10" {
            h2 { "Connection" }
            (connection(&desk.link.state()))
            h2 { "This site" }
            (own(desk, now))
            h2 { "Policy and data" }
            (policy(desk))
            h2 { "Frozen cohorts" }
            (cohorts(desk, now)?)
            h2 { "Program and disk" }
            dl.facts {
                dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) ", plan " (PLAN_VERSION) }
                dt { "Running since" } dd { (time(desk.started)) }
                dt { "State directory" } dd { code { (desk.config.state_dir.display()) } }
                dt { "Free on its disk" } dd { (disk(desk)) }
            }
        }
    })
}

fn connection(link: &LinkState) -> Markup {
    html! {
        @match link {
            LinkState::Starting => p { (state("wait", "connecting")) }
            LinkState::Connected { since } => p { (state("good", "connected")) " since " (time(*since)) }
            LinkState::Away { since, problem } => {
                p { (state("bad", "not connected")) " since " (time(*since)) ". The agent tries again by itself." }
                @if let Some((code, fact, hint)) = problem {
                    div.note data-tone="bad" {
                        p { (fact) " (" code { (code) } ")" }
                        p { "Next: " (hint) "." }
                    }
                }
            }
        }
    }
}

fn own(desk: &Desk, now: Timestamp) -> Markup {
    match identity::load(&desk.config.state_dir, now) {
        Ok(identity) => html! {
            dl.facts {
                dt { "Site" } dd { (identity.site()) ", " bdi { (identity.member().legal_name) } }
                dt { "Fingerprint" } dd { code { (identity.member().identity.fingerprint()) } }
                dt { "Coordinator" } dd { bdi { (identity.coordinator().name) } ", " (identity.coordinator().url) }
                dt { "Certificate ends" }
                dd {
                    (time(identity.not_after())) " "
                    @if identity.renewal_due(now) { (state("wait", "renew it: send the request again")) }
                    @else { (state("good", "valid")) }
                }
            }
        },
        Err(e) => html! {
            div.note data-tone="bad" {
                p { (e) " (" code { (e.code()) } ")" }
                p { "Next: " (e.hint()) "." }
            }
        },
    }
}

fn policy(desk: &Desk) -> Markup {
    let read = desk.config.policy_text().map_err(Unable::from).and_then(|text| Ok(read_policy(&text)?));
    let path = desk.config.policy.as_ref().map(|path| path.display().to_string());
    let data = &desk.config.data;
    let changed = fs::metadata(data).and_then(|m| m.modified()).ok().and_then(|at| Timestamp::try_from(at).ok());
    html! {
        dl.facts {
            dt { "Policy" } dd { @match path { Some(path) => code { (path) }, None => "no file: the strict default holds" } }
            dt { "Its digest" }
            dd {
                @match read {
                    Ok(policy) => code { (policy.digest()) },
                    Err(e) => { (state("bad", "cannot be used")) " " (e) }
                }
            }
            dt { "Data" } dd { code { (data.display()) } }
            dt { "Last changed" }
            dd { @match changed { Some(at) => (time(at)), None => (state("bad", "cannot be looked at")) } }
        }
    }
}

/// Is everything there with which a run was approved?
fn checked(desk: &Desk, run: &RunFolder, now: Timestamp) -> Result<(), Unable> {
    let identity = identity::load(&desk.config.state_dir, now)?;
    run.check(identity.signing(), &identity::draw_key(&desk.config.state_dir)?)?;
    run.cohort()?;
    Ok(())
}

fn cohorts(desk: &Desk, now: Timestamp) -> Result<Markup, Unable> {
    let runs = runs(&desk.config.state_dir)?;
    if runs.is_empty() {
        return Ok(html! { p { "No study is approved, so none is frozen." } });
    }
    Ok(Scroll { caption: "Cohort of each approved study" }.table(&html! {
        thead { tr { th scope="col" { "Run" } th scope="col" { "Commitment" } th scope="col" { "File" } } }
        tbody {
            @for run in &runs {
                tr {
                    th scope="row" { a href={ "/runs/" (run.manifest.digest()) } { (run.manifest.name()) } }
                    td { (digest(&run.approval.cohort.to_string())) }
                    td {
                        @match checked(desk, run, now) {
                            Ok(()) => (state("good", "as approved")),
                            Err(e) => { (state("bad", "not as approved")) " " (e) }
                        }
                    }
                }
            }
        }
    }))
}

fn disk(desk: &Desk) -> Markup {
    let Ok(disk) = rustix::fs::statvfs(&desk.config.state_dir) else {
        return state("bad", "cannot be looked at");
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize) as f64 / 1e9;
    html! { (format!("{free:.1}")) " GB" @if free < 1.0 { " " (state("bad", "nearly full")) } }
}
