//! What a run's journal says, for people: one line per record, and the state that follows.

use std::sync::Arc;

use jiff::Timestamp;
use secagg::Digest;
use study::account;
use study::ledger::Entry;
use study::machine::site::SiteRecord;
use study::plan::Plan;
use study::policy::PolicyRefusal;
use study::word;

use super::folder::RunFolder;
use super::journal::{Journal, JournalError};
use super::withdraw::is_withdrawn;

/// One record of a run's journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Seconds since 1970.
    pub time: u64,
    /// Who acted: a person with account, or the program.
    pub actor: String,
    /// The round, if it is about one.
    pub round: Option<u32>,
    /// What happened, as a sentence.
    pub what: &'static str,
    /// How many numbers it is about.
    pub numbers: Option<usize>,
    /// Digests, each with its name.
    pub digests: Vec<(&'static str, Digest)>,
    /// The rule of a refusal.
    pub rule: Option<String>,
    kind: Kind,
}

impl Line {
    /// Did numbers leave this site?
    pub fn is_answer(&self) -> bool {
        self.kind == Kind::Answered
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Other,
    Person,
    Answered,
    Accepted,
    Refused,
    Finished,
    Withdrawn,
}

/// Where an approved run is, as far as this site knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// Not every site has approved yet, or not every site is connected.
    NotBegun,
    /// Sums of so many rounds are accepted.
    Running {
        /// The last of them.
        round: u32,
    },
    /// The last thing that happened is a refusal by this site.
    Refused {
        /// The rule.
        rule: String,
    },
    /// The results are signed.
    Finished,
    /// The approval was taken back.
    Withdrawn,
    /// The manifest or the approval has ended before the run did.
    Ended,
}

/// The run's journal, oldest record first. The agent may be writing it.
pub fn lines(run: &RunFolder) -> Result<Vec<Line>, JournalError> {
    let entries = Journal::read(&run.path.join("journal"), run.manifest.digest())?;
    let mut lines: Vec<Line> = entries.into_iter().map(line).collect();
    let people: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].kind == Kind::Person).collect();
    for (i, at) in people.iter().enumerate().skip(1) {
        let actors: Vec<&str> = people[..=i].iter().map(|at| lines[*at].actor.as_str()).collect();
        if account::shared(&actors).is_some() {
            lines[*at].what = "Approved the run by the account of the first approval; the cohort is frozen";
        }
    }
    Ok(lines)
}

fn line(entry: Entry<SiteRecord>) -> Line {
    let Entry { number, time, actor, record } = entry;
    let none = Line {
        number,
        time,
        actor,
        round: None,
        what: "",
        numbers: None,
        digests: Vec::new(),
        rule: None,
        kind: Kind::Other,
    };
    match record {
        SiteRecord::Consented => Line { what: "Consented, as the first of two people", kind: Kind::Person, ..none },
        SiteRecord::Approved { policy, cohort } => Line {
            what: "Approved the run; the cohort is frozen",
            digests: vec![("policy", policy), ("cohort", cohort)],
            kind: Kind::Person,
            ..none
        },
        SiteRecord::Epoch { .. } => Line { what: "Began to agree with all sites on keys for the masks", ..none },
        SiteRecord::Agreed { .. } => Line { what: "Agreed with all sites on keys for the masks", ..none },
        SiteRecord::Requested { open } => Line {
            round: Some(open.round),
            what: "Was asked, as this site's own plan says",
            numbers: Some(open.layout.words()),
            digests: vec![("question", open.q0), ("coordinator's ledger", open.head)],
            ..none
        },
        SiteRecord::Answered { round, q0, q, masked } => Line {
            round: Some(round),
            what: "Sent this site's numbers under masks",
            digests: vec![("question", q0), ("request", q), ("answer", masked)],
            kind: Kind::Answered,
            ..none
        },
        SiteRecord::Accepted { q0, proof, opened } => Line {
            round: Some(proof.round),
            what: "Received the sum over all sites and accepted it",
            numbers: Some(opened.words.len()),
            digests: vec![("question", q0), ("sum", proof.sum)],
            kind: Kind::Accepted,
            ..none
        },
        SiteRecord::Refused { rule } => {
            Line { what: "Refused a request; nothing left", rule: Some(rule), kind: Kind::Refused, ..none }
        }
        SiteRecord::Finished { results, release } => Line {
            what: "Computed the results and signed what is released of them",
            digests: vec![("results", results), ("release", release)],
            kind: Kind::Finished,
            ..none
        },
        SiteRecord::Closed { closed } => {
            Line { what: "All sites ended with the same", digests: vec![("coordinator's ledger", closed.head)], ..none }
        }
        SiteRecord::Withdrawn => Line { what: "Stopped: the approval was withdrawn", kind: Kind::Withdrawn, ..none },
    }
}

/// Everything for which this site's policy refuses the run after its first round, where a refusal is the last thing that
/// happened: the coordinator learned the rule of the first alone.
pub fn refusals(run: &RunFolder) -> Result<Vec<PolicyRefusal>, JournalError> {
    let entries = Journal::read(&run.path.join("journal"), run.manifest.digest())?;
    if !matches!(entries.last(), Some(Entry { record: SiteRecord::Refused { .. }, .. })) {
        return Ok(Vec::new());
    }
    let mut plan = Plan::new(Arc::clone(&run.protocol));
    for entry in entries {
        if let SiteRecord::Accepted { opened, .. } = entry.record
            && opened.words.len() == plan.words()
        {
            plan.tell(&word::read(&opened.words, run.manifest.roster.len()));
        }
    }
    Ok(run.policy.refusals_of_opened(&plan))
}

impl RunState {
    /// The state of a run whose journal has these lines.
    pub fn of(run: &RunFolder, lines: &[Line], now: Timestamp) -> RunState {
        let now = now.as_second().max(0).cast_unsigned();
        let has = |kind| lines.iter().any(|line| line.kind == kind);
        if is_withdrawn(&run.path) || has(Kind::Withdrawn) {
            return RunState::Withdrawn;
        }
        if has(Kind::Finished) {
            return RunState::Finished;
        }
        if now > run.manifest.expires || run.policy.check_time(run.approved(), now).is_err() {
            return RunState::Ended;
        }
        if let Some(Line { kind: Kind::Refused, rule: Some(rule), .. }) = lines.last() {
            return RunState::Refused { rule: rule.clone() };
        }
        let accepted = lines.iter().rev().find(|line| line.kind == Kind::Accepted);
        accepted.and_then(|line| line.round).map_or(RunState::NotBegun, |round| RunState::Running { round })
    }
}
