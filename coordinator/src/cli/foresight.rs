//! What can be said of a study before anybody is asked: lengths of its messages, and what sites' policies and models would
//! make of it.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use study::dictionary::Kind;
use study::manifest::Manifest;
use study::policy::{Expected, ExpectedError, Foreseen, Policy};
use study::protocol::Protocol;
use study::size::Size;
use terminal::{Answer, Failure, read_file};

use super::failure;

/// Hospitals that times are given for where nobody has said how many.
const SITES: u32 = 45;

pub(super) fn check(path: &Path, expect: &[String], policy: Option<&Path>) -> Result<Answer, Failure> {
    let protocol = Arc::new(Protocol::parse(&read_file(path)?).map_err(failure::protocol)?);
    let (rules, whose) = match policy {
        None => (Policy::default(), "the default policy of a site"),
        Some(path) => (policy_file(path)?, "this policy"),
    };
    let expected = match expect {
        [] => None,
        pairs => Some(Expected::parse(pairs.iter().map(String::as_str), &protocol).map_err(|e| unreadable(&e))?),
    };
    let events = |outcome: &str| expected.as_ref().and_then(|expected| expected.events(outcome, None));
    let size = Size::of(&protocol, &events);
    let sites = expected.as_ref().and_then(|expected| expected.sites).unwrap_or(SITES);
    let found = match &expected {
        Some(expected) => rules.foresee(&protocol, expected),
        None => rules.refusals_of_protocol(&protocol).into_iter().map(Foreseen::Refused).collect(),
    };
    let (id, title, digest) = (&protocol.id, &protocol.title, protocol.digest.to_string());
    let opening = protocol.release.opening;
    let data = json!({
        "id": id, "title": title, "digest": digest, "opening": opening.name(), "longest_step": lengths(size, sites), "foreseen": listed(&found),
    });
    let answer = Answer::of(data).line(format_args!("{id}: {title}")).line(format_args!("digest {digest}"));
    let answer = answer.line(format_args!("opening \"{}\": {}", opening.name(), opening.sentence()));
    let answer = answer.line(in_words(size, sites, expected.is_some()));
    let answer = without_step(&protocol).into_iter().fold(answer, |answer, name| {
        answer.beside(format_args!(
            "`{name}` has no `resolution`: quartiles and rank tests count it in whole steps from the smallest value of `range`, and \
             a site with finer values refuses; write the step in which it is recorded"
        ))
    });
    Ok(said(answer, &found, whose, expected.is_some()))
}

/// Numbers of a baseline table for which nobody said in which steps they are recorded.
fn without_step(protocol: &Protocol) -> Vec<String> {
    let variables = protocol.baselines.iter().flat_map(|table| &table.variables);
    let variables = variables.map(|id| protocol.dictionary.variable(*id));
    let open = variables.filter(|v| matches!(v.kind, Kind::Continuous { resolution: None, .. }));
    open.map(|variable| variable.name.clone()).collect()
}

/// What a site with the default policy would refuse of a run that was just made.
pub(super) fn refused_by_default(answer: Answer, manifest: &Manifest, protocol: &Protocol) -> Answer {
    let refusals = Policy::default().refusals_of_study(manifest, protocol);
    let found: Vec<Foreseen> = refusals.into_iter().map(Foreseen::Refused).collect();
    let mut answer = answer;
    if let Value::Object(data) = &mut answer.data {
        data.insert("refused_by_default".into(), listed(&found));
    }
    match found.as_slice() {
        [] => answer,
        found => warnings(answer, found, "the default policy of a site", false),
    }
}

fn unreadable(e: &ExpectedError) -> Failure {
    Failure::new("expect.counts", e.to_string(), e.hint())
}

fn policy_file(path: &Path) -> Result<Policy, Failure> {
    Policy::parse(&read_file(path)?).map_err(|mistakes| {
        Failure::new("approve.policy_file", mistakes.to_string(), "mend the lines above").with_mistakes(mistakes)
    })
}

fn lengths(size: Size, sites: u32) -> Value {
    json!({
        "words": size.longest, "bytes": size.bytes(), "rounds": size.rounds(),
        "mask_seconds": size.mask_seconds(sites as usize), "sites": sites,
    })
}

fn in_words(size: Size, sites: u32, expected: bool) -> String {
    let bound = if expected { "at these events" } else { "with events in every cell of time" };
    let rounds = match size.rounds() {
        1 => "one round".to_owned(),
        rounds => format!("{rounds} rounds"),
    };
    format!(
        "longest step, {bound}: at most {} numbers in {rounds}, {:.1} MB from each site, masks {:.1} s with {sites} sites",
        size.longest,
        size.bytes() as f64 / 1e6,
        size.mask_seconds(sites as usize)
    )
}

fn listed(found: &[Foreseen]) -> Value {
    let each = |found: &Foreseen| json!({ "code": found.code(), "message": found.to_string(), "hint": found.hint() });
    found.iter().map(each).collect()
}

fn said(answer: Answer, found: &[Foreseen], whose: &str, expected: bool) -> Answer {
    match (found, expected) {
        ([], true) => answer.line(format_args!("At these counts every model starts, and {whose} refuses nothing.")),
        ([], false) => answer.line(format_args!("Of what the protocol alone shows, {whose} refuses nothing.")),
        (found, _) => warnings(answer, found, whose, expected),
    }
}

fn warnings(answer: Answer, found: &[Foreseen], whose: &str, expected: bool) -> Answer {
    let head = if expected { format!("At these counts, under {whose}:") } else { format!("Refused by {whose}:") };
    let line = |answer: Answer, found: &Foreseen| {
        answer.beside(format_args!("  {found} [{}]\n    {}", found.code(), found.hint()))
    };
    found.iter().fold(answer.beside(head), line)
}
