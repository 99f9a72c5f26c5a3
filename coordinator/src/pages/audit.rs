//! What a run opened to the coordinator, its ledger, and the ledger as a file that a reviewer verifies offline.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use study::audit::{Bundle, verify};
use study::ledger::{Chain, Entry};
use study::machine::coordinator::CoordinatorRecord;
use study::roster::Roster;
use web::{Scroll, Visit};

use super::frame::{head, page, time_of, whole};
use super::visitor::Visitor;
use super::{PageError, Pages, Shared, hex, run_of};
use crate::opened::{Kinds, Numbers, Tally, numbers};
use crate::store::{StoreError, StoredRun};
use crate::study as runs;

/// The ledger of a run as the page shows it.
#[derive(Debug)]
pub(super) struct Opened {
    lines: Vec<Line>,
    tally: Tally,
    verified: String,
}

#[derive(Debug, Default)]
struct Line {
    number: u64,
    time: u64,
    what: &'static str,
    site: String,
    round: Option<u32>,
    numbers: Numbers,
    about: String,
    digest: String,
}

impl Line {
    fn of(entry: &Entry<CoordinatorRecord>, tally: &Tally, roster: &Roster) -> Line {
        let id =
            |site: u16| roster.members().get(usize::from(site)).map(|member| member.id.clone()).unwrap_or_default();
        let line = Line { number: entry.number, time: entry.time, ..Line::default() };
        match &entry.record {
            CoordinatorRecord::Approved { approval } => Line { what: "approved", site: id(approval.site), ..line },
            CoordinatorRecord::Withdrawn { withdrawal } => {
                Line { what: "approval withdrawn", site: id(withdrawal.site), ..line }
            }
            CoordinatorRecord::Epoch { .. } => Line { what: "keys asked for", ..line },
            CoordinatorRecord::Agreed { .. } => Line { what: "keys agreed", ..line },
            CoordinatorRecord::Requested { open } => {
                Line { what: "asked", round: Some(open.round), about: hex(&open.q0), ..line }
            }
            CoordinatorRecord::Opened { q0, result } => Line {
                what: "summed",
                round: Some(result.round),
                numbers: tally.rounds().last().map(numbers).unwrap_or_default(),
                about: hex(q0),
                ..line
            },
            CoordinatorRecord::Refused { site, rule } => {
                Line { what: "refused", site: id(*site), about: rule.clone(), ..line }
            }
            CoordinatorRecord::Compared { outcome } => {
                let about = match outcome {
                    Ok(compared) => compared.to_string(),
                    Err(differs) => differs.to_string(),
                };
                Line { what: if outcome.is_ok() { "release compared" } else { "release refused" }, about, ..line }
            }
            CoordinatorRecord::Released { site, .. } => Line { what: "release received", site: id(*site), ..line },
            CoordinatorRecord::Closed { closed } => {
                let results = closed.finished.first().map(|finished| hex(&finished.results)).unwrap_or_default();
                Line { what: "closed by all sites", about: results, ..line }
            }
        }
    }
}

impl Pages {
    fn opened(&self, name: &str) -> Result<(StoredRun, Arc<Opened>), PageError> {
        let store = self.store()?;
        let run = run_of(&store, name)?;
        let manifest = run.manifest.digest();
        // the head of the chain names everything before it
        let end = store.ledger_end(&manifest)?.head();
        let opened = self.opened.of(end, || {
            let (_, bundle) = runs::export(&self.state, name)?;
            let (mut chain, mut tally, mut lines) = (Chain::new(manifest), Tally::default(), Vec::new());
            for bytes in &bundle.entries {
                let entry = chain.next(bytes).map_err(|_| StoreError::Damaged { what: "a record" })?;
                tally.add(&entry.record);
                let line = Line::of(&entry, &tally, &run.manifest.roster);
                lines.push(Line { digest: hex(&chain.head()), ..line });
            }
            Ok(Opened { lines, tally, verified: said(&bundle) })
        })?;
        Ok((run, opened))
    }
}

/// What the offline verification says of the coordinator's own ledger.
fn said(bundle: &Bundle) -> String {
    let time = |seconds: u64| Timestamp::from_second(seconds.cast_signed()).unwrap_or_default().to_string();
    verify(std::slice::from_ref(bundle)).page(time)
}

/// The page of what was opened.
pub(super) async fn show(
    State(pages): State<Shared>,
    Path(name): Path<String>,
    visit: Visit<Visitor>,
) -> Result<Markup, PageError> {
    let (run, opened) = pages.read(move |pages| pages.opened(&name)).await?;
    let name = run.manifest.name();
    let Numbers { opened: read, sealed } = opened.tally.numbers();
    let content = html! {
        p { a href=(format!("/studies/{name}")) { "Run " bdi { (name) } } }
        p {
            "The coordinator has opened " strong { (whole(read)) " numbers" } " in " (opened.tally.rounds().len())
            " rounds, and added " strong { (whole(sealed)) } " that the sites alone open. Each is a sum over all "
            (run.manifest.roster.len()) " sites; no site's own sum can be opened."
        }
        (kinds(opened.tally.rounds(), &opened.tally.kinds()))
        h2 { "The coordinator's ledger" }
        p {
            a href=(format!("/studies/{name}/audit/bundle")) download { "Download the ledger" }
            " and verify it on another machine, together with those of sites: " code { "coordinator audit verify FILE…" } "."
        }
        div.scroll role="region" aria-label="Verification of this ledger" tabindex="0" { pre { (opened.verified) } }
        (ledger(&run, &opened.lines))
    };
    Ok(page(&pages.name, &visit, "/studies", "What was opened", &content))
}

/// The signed ledger as a file.
pub(super) async fn bundle(State(pages): State<Shared>, Path(name): Path<String>) -> Result<Response, PageError> {
    let (name, bytes) = pages
        .read(move |pages| {
            let (name, bundle) = runs::export(&pages.state, &name)?;
            Ok((name, bundle.to_bytes()))
        })
        .await?;
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}-coordinator.ledger\""))
        .map_err(|_| PageError::Files)?;
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, disposition)], bytes).into_response())
}

fn kinds(rounds: &[Kinds], total: &Kinds) -> Markup {
    let asked_in = |kind: &String| {
        let rounds: BTreeSet<usize> =
            (1..).zip(rounds).filter(|(_, kinds)| kinds.contains_key(kind)).map(|(round, _)| round).collect();
        span(&rounds)
    };
    let rows = html! {
        (head(&["Question", "#Opened by the coordinator", "#Opened by the sites alone", "Rounds"]))
        tbody {
            @for (kind, numbers) in total {
                tr {
                    th scope="row" { (kind) }
                    td.number { (whole(numbers.opened)) }
                    td.number { (whole(numbers.sealed)) }
                    td { (asked_in(kind)) }
                }
            }
        }
    };
    Scroll { caption: "By kind of question" }.table(&rows)
}

/// Round numbers with neighbours joined: `1, 3–5`.
fn span(rounds: &BTreeSet<usize>) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &round in rounds {
        match parts.last_mut() {
            Some((_, end)) if *end + 1 == round => *end = round,
            _ => parts.push((round, round)),
        }
    }
    let text = |(from, to): &(usize, usize)| if from == to { from.to_string() } else { format!("{from}–{to}") };
    parts.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn ledger(run: &StoredRun, lines: &[Line]) -> Markup {
    let some = |number: u64| if number > 0 { whole(number) } else { String::new() };
    let rows = html! {
        (head(&["#No.", "What", "Site", "#Round", "#Opened", "#Sealed", "About", "When", "Digest of the entry"]))
        tbody {
            @for line in lines {
                tr {
                    th.number scope="row" { (line.number) }
                    td { (line.what) }
                    td { bdi { (line.site) } }
                    td.number { @if let Some(round) = line.round { (round) } }
                    td.number { (some(line.numbers.opened)) }
                    td.number { (some(line.numbers.sealed)) }
                    td { @if !line.about.is_empty() { (web::digest(&line.about)) } }
                    td { (time_of(line.time)) }
                    td { (web::digest(&line.digest)) }
                }
            }
        }
    };
    html! {
        p {
            "Each entry begins with the digest of the one before, the first with that of the manifest "
            (web::digest(&hex(&run.manifest.digest()))) "."
        }
        div.cells { (Scroll { caption: "Entries" }.table(&rows)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_rounds_are_joined() {
        for (rounds, text) in [(vec![], ""), (vec![2], "2"), (vec![1, 3, 4, 5, 9, 10], "1, 3–5, 9–10")] {
            assert_eq!(span(&rounds.into_iter().collect()), text);
        }
    }
}
