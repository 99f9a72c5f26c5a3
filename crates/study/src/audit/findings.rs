//! What does not hold, and where.

use std::fmt;

use secagg::Digest;

use super::Party;
use crate::refit::Compared;

/// Where in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Kind of file and party.
    Beginning,
    /// The manifest and its signature.
    Manifest,
    /// The protocol.
    Protocol,
    /// The site's policy.
    Policy,
    /// The entry of a number, from 1.
    Entry(u64),
    /// Head, count and signature of the party.
    End,
    /// Against the bundle of another party.
    Between(Party),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Beginning => f.write_str("beginning of the file"),
            Place::Manifest => f.write_str("manifest"),
            Place::Protocol => f.write_str("protocol"),
            Place::Policy => f.write_str("policy"),
            Place::Entry(number) => write!(f, "entry {number}"),
            Place::End => f.write_str("end of the file"),
            Place::Between(Party::Coordinator) => f.write_str("against the coordinator's bundle"),
            Place::Between(Party::Site(index)) => write!(f, "against the bundle of site number {}", index + 1),
        }
    }
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In whose bundle.
    pub party: Party,
    /// Where in it.
    pub place: Place,
    /// What, in words.
    pub what: String,
}

/// What a bundle holds, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Whose bundle.
    pub party: Party,
    /// Name of the party.
    pub name: String,
    /// Entries that were read.
    pub entries: u64,
    /// Time of the first and of the last, seconds since 1970.
    pub times: Option<(u64, u64)>,
    /// People who consented or approved, in order (sites).
    pub people: Vec<String>,
    /// The account that two of them share (sites).
    pub one_account: Option<String>,
    /// Key agreements.
    pub epochs: u64,
    /// Requests that were recorded.
    pub requests: u64,
    /// Rounds whose sum was accepted (sites) or formed (coordinator).
    pub rounds: u64,
    /// Numbers that the party opened.
    pub opened: u64,
    /// Numbers that it added and could not read (coordinator).
    pub sealed: u64,
    /// Of the numbers that it opened, those that the coordinator opened, too (sites).
    pub shared: u64,
    /// Refusals: rule, and the number of the entry.
    pub refusals: Vec<(String, u64)>,
    /// Signatures that were verified.
    pub signatures: u64,
    /// How the release stands beside the fits of what the coordinator opened.
    pub fits: Option<Compared>,
    /// Did the run come to its end?
    pub closed: bool,
    /// Digest of the results that all sites signed at the end.
    pub results: Option<Digest>,
    /// Was the approval withdrawn?
    pub withdrawn: bool,
}

impl Summary {
    pub(super) fn new(party: Party) -> Summary {
        Summary {
            party,
            name: String::new(),
            entries: 0,
            times: None,
            people: Vec::new(),
            one_account: None,
            epochs: 0,
            requests: 0,
            rounds: 0,
            opened: 0,
            sealed: 0,
            shared: 0,
            refusals: Vec::new(),
            signatures: 0,
            fits: None,
            closed: false,
            results: None,
            withdrawn: false,
        }
    }

    /// Counts an entry.
    pub(super) fn entry(&mut self, time: u64) {
        self.entries += 1;
        self.times = Some((self.times.map_or(time, |(first, _)| first), time));
    }
}

/// Findings of one bundle, while it is walked.
#[derive(Debug)]
pub(super) struct Findings {
    party: Party,
    entry: u64,
    all: Vec<Finding>,
}

impl Findings {
    pub(super) fn new(party: Party) -> Findings {
        Findings { party, entry: 0, all: Vec::new() }
    }

    /// What is added from now on is about an entry.
    pub(super) fn at(&mut self, entry: u64) {
        self.entry = entry;
    }

    pub(super) fn add(&mut self, place: Place, what: impl Into<String>) {
        self.all.push(Finding { party: self.party, place, what: what.into() });
    }

    /// About the entry that is walked.
    pub(super) fn here(&mut self, what: impl Into<String>) {
        self.add(Place::Entry(self.entry), what);
    }

    /// Adds it where something does not hold; gives whether it holds.
    pub(super) fn check(&mut self, holds: bool, what: &str) -> bool {
        if !holds {
            self.here(what);
        }
        holds
    }

    pub(super) fn take(self) -> Vec<Finding> {
        self.all
    }
}
