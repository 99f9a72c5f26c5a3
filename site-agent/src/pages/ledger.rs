//! One approved run: its state, what left and when, and taking the approval back.

use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use maud::{Markup, html};
use study::policy::{PolicyRefusal, Rule};
use web::{Problem, Scroll, Visit, digest};

use super::desk::{Desk, Visitor, time_of};
use super::problem::Unable;
use super::review::name_field;
use super::studies::badge;
use crate::run::{Line, RunFolder, RunState, lines, refusals};

/// The page.
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Path(manifest): Path<String>,
    visit: Visit<Visitor>,
) -> Result<Markup, Problem> {
    desk.off(move |desk| {
        let run = desk.run(&manifest)?;
        let content = content(&run, &visit)?;
        Ok(desk.page(&visit, &run.protocol.title, "/", &content))
    })
    .await
}

fn content(run: &RunFolder, visit: &Visit<Visitor>) -> Result<Markup, Unable> {
    let lines = lines(run)?;
    let state = RunState::of(run, &lines, Timestamp::now());
    let over = matches!(state, RunState::Finished | RunState::Withdrawn | RunState::Ended);
    Ok(html! {
        div id="run" data-live=[(!over).then_some("3")] {
            p { (badge(&state)) " " span.faint { (run.manifest.name()) } }
            @if let RunState::Refused { rule } = &state { (refused(rule, &refusals(run)?)) }
            (facts(run, &lines))
            (ledger(&lines))
        }
        div id="withdrawal" data-live=[(!over).then_some("3")] { @if !over { (withdrawal(run, visit)) } }
    })
}

fn facts(run: &RunFolder, lines: &[Line]) -> Markup {
    html! {
        dl.facts {
            dt { "Approved by" }
            dd {
                @for person in &run.people {
                    div { bdi { (person.name) } " (account " bdi { (person.account) } "), " (time_of(person.at)) }
                }
                @if run.one_account() { div { "Two approvals by one account, as the policy at approval allowed." } }
            }
            dt { "Answers sent" } dd { (lines.iter().filter(|line| line.is_answer()).count()) }
            dt { "Refusals" } dd { (lines.iter().filter(|line| line.rule.is_some()).count()) }
            dt { "Sites" } dd { (run.manifest.roster.len()) }
            dt { "Manifest" } dd { code { (run.manifest.digest()) } }
            dt { "Protocol" } dd { code { (run.manifest.protocol) } }
            dt { "Policy at approval" } dd { code { (run.approval.policy) } }
            dt { "Cohort, as committed to" } dd { code { (run.approval.cohort) } }
            dt { "Ends" } dd { (time_of(run.manifest.expires)) }
        }
    }
}

fn refused(rule: &str, refusals: &[PolicyRefusal]) -> Markup {
    let sentence = Rule::ALL.into_iter().find(|known| known.id() == rule).map(Rule::sentence);
    html! {
        div.note data-tone="bad" {
            p { "This site refused what the coordinator asked last, by " code { (rule) } ". Nothing left." }
            @if let Some(sentence) = sentence { p { (sentence) } }
            @if !refusals.is_empty() {
                p { "Everything for which this site's policy refuses, shown here alone:" }
                ul { @for refusal in refusals { li { (refusal) " (" code { (refusal.rule()) } ")" } } }
            }
        }
    }
}

fn ledger(lines: &[Line]) -> Markup {
    html! {
        h2 { "What left, and what came back" }
        @if !lines.iter().any(Line::is_answer) {
            p { "Nothing has left yet. The rounds begin when all sites have approved and are connected." }
        }
        p {
            "Each line is an entry of this site's ledger, chained by digests and written before anything was sent. Of an "
            "answer the ledger keeps the digest of the masked numbers. " code { "site-agent audit export" }
            " writes it into a file that others can verify."
        }
        (Scroll { caption: "Ledger" }.table(&html! {
            thead { tr {
                th scope="col" class="number" { "Record" } th scope="col" class="number" { "Round" }
                th scope="col" { "When" } th scope="col" { "What happened" } th scope="col" class="number" { "Numbers" }
                th scope="col" { "Digests" } th scope="col" { "By" }
            } }
            tbody { @for line in lines { (row(line)) } }
        }))
    }
}

fn row(line: &Line) -> Markup {
    html! {
        tr {
            th scope="row" class="number" { (line.number) }
            td.number { @if let Some(round) = line.round { (round) } }
            td { (time_of(line.time)) }
            td.text { (line.what) @if let Some(rule) = &line.rule { ": " code { (rule) } } }
            td.number { @if let Some(numbers) = line.numbers { (numbers) } }
            td.digests {
                @for (name, value) in &line.digests { span { (name) " " (digest(&value.to_string())) } " " }
            }
            td { bdi { (line.actor) } }
        }
    }
}

fn withdrawal(run: &RunFolder, visit: &Visit<Visitor>) -> Markup {
    html! {
        h2 { "Take the approval back" }
        details.sheet {
            summary { "Withdraw from this run" }
            p {
                "Nothing of this run is answered from then on, stored answers included. What was summed before stays. It is "
                "final for this run; other studies go on. The coordinator learns that this site has withdrawn; name and "
                "reason stay here."
            }
            form.decide method="post" action={ "/runs/" (run.manifest.digest()) "/withdraw" } {
                (visit.csrf_field())
                (name_field(visit, "withdraw-name"))
                label for="withdraw-reason" { "Reason, kept at this site" }
                textarea id="withdraw-reason" name="reason" rows="3" required maxlength="2000" {}
                button.grave { "Withdraw" }
            }
        }
    }
}
