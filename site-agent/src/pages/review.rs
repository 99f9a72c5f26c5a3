//! One offered study: what it asks and what would leave, and the decision.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use study::policy::Policy;
use web::{Problem, Visit};

use super::desk::{Desk, Visitor};
use super::findings;
use super::problem::Unable;
use crate::run::{Inspection, Offered, consented, read_policy};
use crate::source::{self, Loaded};

/// The page.
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Path(manifest): Path<String>,
    visit: Visit<Visitor>,
) -> Result<Markup, Problem> {
    desk.off(move |desk| {
        let offered = desk.offered(&manifest)?;
        let content = content(desk, &offered, &visit)?;
        Ok(desk.page(&visit, &offered.protocol.title, "/", &content))
    })
    .await
}

fn content(desk: &Desk, offered: &Offered, visit: &Visit<Visitor>) -> Result<Markup, Unable> {
    let identity = desk.identity()?;
    let policy = read_policy(&desk.config.policy_text()?)?;
    let (loaded, trouble) = match source::csv::load(&desk.config.data, &offered.protocol, policy.bad_values) {
        Ok(loaded) => (Some(loaded), None),
        Err(e) => (None, Some(e.to_string())),
    };
    let inspection = Inspection {
        approver: desk.approver(&identity),
        offer: &offered.offer,
        protocol: &offered.protocol,
        policy: &policy,
        people: consented(&desk.config.state_dir, &offered.offer.manifest.digest())?,
        preview: loaded.as_ref(),
    };
    let findings = inspection.findings(desk.forecast(&inspection))?;
    let needed = policy.approvals;
    Ok(html! {
        (findings::summary(&findings, needed))
        (findings::members(&findings))
        (findings::data(&findings))
        (findings::questions(&findings))
        (own_file(desk, loaded.as_ref(), trouble.as_deref()))
        (findings::own(&findings))
        (findings::verdicts(&findings))
        @if offered.rejected {
            h2 id="decision" { "Decision" }
            p.note data-tone="bad" { "This site has rejected the study. That is final for this run." }
        } @else {
            (decision(offered, visit, &policy, findings.people.len()))
        }
    })
}

/// How the site's own file fits.
fn own_file(desk: &Desk, loaded: Option<&Loaded>, trouble: Option<&str>) -> Markup {
    html! {
        h2 { "This site's file" }
        p { "Read for this page: " code { (desk.config.data.display()) } }
        @if let Some(trouble) = trouble {
            div.note data-tone="bad" {
                p { "The file does not fit the study; nobody can approve before that is mended." }
                ul { @for line in trouble.lines() { li { (line) } } }
            }
        }
        @for warning in loaded.iter().flat_map(|loaded| &loaded.warnings) {
            p.note data-tone="wait" { (warning) }
        }
    }
}

/// Who decides: typed by whoever came by an account, given by the login of a reviewer.
pub(super) fn name_field(visit: &Visit<Visitor>, id: &str) -> Markup {
    html! {
        @if let Visitor::Reviewer(reviewer) = &visit.visitor {
            p { "Your name: " strong { bdi { (reviewer.name) } } }
        } @else {
            label for=(id) { "Your name" }
            input type="text" id=(id) name="name" required autocomplete="name" maxlength="200";
        }
    }
}

fn decision(offered: &Offered, visit: &Visit<Visitor>, policy: &Policy, given: usize) -> Markup {
    let Policy { approvals: needed, same_account, .. } = *policy;
    let base = format!("/offers/{}", offered.offer.manifest.digest());
    html! {
        h2 id="decision" { "Decision" }
        div.sheet {
            h3 { "Approve" }
            p {
                @match &visit.visitor {
                    Visitor::Account(account) => {
                        "The name, the account " bdi { (account) } " that asked for this login, and the time are kept at "
                        "this site. "
                    }
                    Visitor::Reviewer(reviewer) => {
                        "You decide as " bdi { (reviewer.name) } ", by this login of your own; both and the time are kept at "
                        "this site. "
                    }
                }
                @if needed > 1 && given == 0 {
                    "The policy asks for " (needed) " people: nothing runs before a second person has approved the same file and rules"
                    @if same_account { "." } @else { ", by another account or login." }
                } @else {
                    "With this approval the rows of the file are frozen and the agent takes part from then on."
                }
            }
            form.decide method="post" action={ (base) "/approve" } {
                (visit.csrf_field())
                input type="hidden" name="policy" value=(policy.digest());
                (name_field(visit, "approve-name"))
                button { "Approve" }
            }
        }
        div.sheet {
            h3 { "Reject" }
            p { "The coordinator learns that this site declines, and nothing else. It is final for this run." }
            form.decide method="post" action={ (base) "/reject" } {
                (visit.csrf_field())
                label for="reject-reason" { "Reason, kept at this site" }
                textarea id="reject-reason" name="reason" rows="3" required maxlength="2000" {}
                button.grave { "Reject" }
            }
        }
    }
}
