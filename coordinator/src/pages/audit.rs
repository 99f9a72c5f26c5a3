//! What a run opened to the coordinator, and the hash chain of its records.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use study::machine::coordinator::CoordinatorRecord;
use web::{Scroll, Visit};

use super::frame::{head, page, whole};
use super::visitor::Visitor;
use super::{PageError, Pages, Shared, hex, run_of};
use crate::opened::{self, Kinds};
use crate::store::{Link, StoredRun};

/// The journal of a run without its sums, and the question kinds of each round.
#[derive(Debug)]
pub(super) struct Opened {
    entries: Vec<Entry>,
    rounds: Vec<Kinds>,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    what: &'static str,
    round: Option<u32>,
    epoch: Option<u64>,
    numbers: u64,
    answers: usize,
    about: String,
    digest: String,
}

impl Entry {
    fn of(link: &Link) -> Entry {
        let (what, round, epoch, numbers, answers, about) = match &link.record {
            CoordinatorRecord::Epoch { epoch } => ("keys agreed anew", None, Some(*epoch), 0, 0, String::new()),
            CoordinatorRecord::Opened { round, q0, result } => {
                let numbers = crate::study::opened_scalars(&link.record);
                ("sum opened", Some(*round), Some(result.epoch), numbers, result.answers.len(), hex(q0))
            }
            CoordinatorRecord::Finished { results } => ("results agreed", None, None, 0, 0, hex(results)),
        };
        Entry { seq: link.seq, what, round, epoch, numbers, answers, about, digest: hex(&link.digest) }
    }
}

impl Pages {
    fn opened(&self, name: &str) -> Result<(StoredRun, Arc<Opened>), PageError> {
        let store = self.store()?;
        let run = run_of(&store, name)?;
        let links = store.chain(&run.manifest.digest())?;
        // the head of the chain names everything before it
        let head = links.last().map_or(run.manifest.digest(), |link| link.digest);
        let protocol = self.protocol(&run)?;
        let opened = self.opened.of(head, || {
            let entries = links.iter().map(Entry::of).collect();
            let records: Vec<CoordinatorRecord> = links.into_iter().map(|link| link.record).collect();
            Ok(Opened { entries, rounds: opened::rounds(protocol, run.manifest.roster.len(), &records) })
        })?;
        Ok((run, opened))
    }
}

/// The page of what was opened.
pub(super) async fn show(
    State(pages): State<Shared>,
    Path(name): Path<String>,
    visit: Visit<Visitor>,
) -> Result<Markup, PageError> {
    let (run, opened) = pages.read(move |pages| pages.opened(&name)).await?;
    let name = run.manifest.name();
    let numbers: u64 = opened.entries.iter().map(|entry| entry.numbers).sum();
    let content = html! {
        p { a href=(format!("/studies/{name}")) { "Run " bdi { (name) } } }
        p {
            "The coordinator has opened " strong { (whole(numbers)) " numbers" } " in " (opened.rounds.len()) " rounds. Each is a sum over all "
            (run.manifest.roster.len()) " sites; no site's own sum can be opened."
        }
        (kinds(&opened.rounds))
        (chain(&run, &opened.entries))
    };
    Ok(page(&pages.name, &visit, "/studies", "What was opened", &content))
}

fn kinds(rounds: &[Kinds]) -> Markup {
    let total = opened::total(rounds);
    let asked_in = |name: &&'static str| {
        let rounds: BTreeSet<usize> =
            (1..).zip(rounds).filter(|(_, kinds)| kinds.contains_key(name)).map(|(r, _)| r).collect();
        span(&rounds)
    };
    let rows = html! {
        (head(&["Question", "What the sum tells", "#Asked", "#Numbers", "Rounds"]))
        tbody {
            @for (name, kind) in &total {
                tr {
                    th scope="row" { (name) }
                    td.text { (kind.sentence) }
                    td.number { (whole(kind.questions)) }
                    td.number { (whole(kind.numbers)) }
                    td { (asked_in(name)) }
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

fn chain(run: &StoredRun, entries: &[Entry]) -> Markup {
    let rows = html! {
        (head(&["#No.", "What", "#Round", "#Epoch", "#Numbers", "#Answers", "Request or results", "Digest of the record"]))
        tbody {
            @for entry in entries {
                tr {
                    th.number scope="row" { (entry.seq) }
                    td { (entry.what) }
                    td.number { @if let Some(round) = entry.round { (round) } }
                    td.number { @if let Some(epoch) = entry.epoch { (epoch) } }
                    td.number { @if entry.numbers > 0 { (whole(entry.numbers)) } }
                    td.number { @if entry.answers > 0 { (entry.answers) } }
                    td { @if !entry.about.is_empty() { (web::digest(&entry.about)) } }
                    td { (web::digest(&entry.digest)) }
                }
            }
        }
    };
    html! {
        h2 { "Records" }
        p {
            "Each record begins with the digest of the one before, the first with that of the manifest "
            (web::digest(&hex(&run.manifest.digest()))) "; this page has checked every link."
        }
        (Scroll { caption: "The coordinator's journal of this run" }.table(&rows))
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
