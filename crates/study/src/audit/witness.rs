//! What one ledger says of the others: heads and answers that must stand in theirs.

use std::collections::{BTreeMap, BTreeSet};

use secagg::{Announcement, Digest};

use super::bundle::Party;
use super::findings::{Finding, Findings, Place};
use crate::message::{Closed, ResultProof, RoundOpen};

/// What a bundle shows of its own party, and of every other.
#[derive(Debug)]
pub(super) struct Seen {
    party: Party,
    /// Digests of its own entries; the ledger's beginning is one of them.
    entries: BTreeSet<Digest>,
    /// Heads that parties signed, by when.
    heads: BTreeMap<Party, Vec<(String, Digest)>>,
    /// Digest of every site's answer, by the request in its epoch.
    answers: BTreeMap<Digest, Vec<Digest>>,
    /// Digest of every request, by epoch and round.
    requests: BTreeMap<(u64, u32), Digest>,
}

impl Seen {
    /// `beginning` is the head of an empty ledger.
    pub(super) fn new(party: Party, beginning: Digest) -> Seen {
        let (entries, heads) = (BTreeSet::from([beginning]), BTreeMap::new());
        Seen { party, entries, heads, answers: BTreeMap::new(), requests: BTreeMap::new() }
    }

    pub(super) fn entry(&mut self, digest: Digest) {
        self.entries.insert(digest);
    }

    fn head(&mut self, party: Party, when: &str, head: Digest) {
        self.heads.entry(party).or_default().push((when.to_owned(), head));
    }

    pub(super) fn agreed(&mut self, announcements: &[Announcement]) {
        for announcement in announcements {
            let when = format!("at the beginning of epoch {}", announcement.epoch);
            self.head(Party::Site(announcement.site), &when, announcement.head);
        }
    }

    pub(super) fn requested(&mut self, open: &RoundOpen, digest: Digest) {
        let when = format!("before round {} of epoch {}", open.round, open.epoch);
        self.head(Party::Coordinator, &when, open.head);
        for (site, witness) in open.witnesses.iter().enumerate() {
            if let Some(witness) = witness {
                self.head(Party::Site(site as u16), &when, witness.head);
            }
        }
        self.requests.insert((open.epoch, open.round), digest);
    }

    pub(super) fn result(&mut self, proof: &ResultProof) {
        self.answers.insert(proof.q, proof.answers.iter().map(|(digest, _)| *digest).collect());
    }

    pub(super) fn closed(&mut self, closed: &Closed) {
        self.head(Party::Coordinator, "at the end", closed.head);
        for (site, finished) in closed.finished.iter().enumerate() {
            self.head(Party::Site(site as u16), "at the end", finished.head);
        }
    }

    /// Heads that the party signed itself must stand in its own ledger.
    pub(super) fn check_own(&self, findings: &mut Findings) {
        if let Some(when) = self.first_unknown(self) {
            findings.add(Place::End, format!("the ledger lacks the entry that its party signed {when}"));
        }
    }

    /// When another signed or witnessed a head of this party that its ledger lacks.
    fn first_unknown<'s>(&self, other: &'s Seen) -> Option<&'s str> {
        let mut heads = other.heads.get(&self.party).into_iter().flatten();
        heads.find(|(_, head)| !self.entries.contains(head)).map(|(when, _)| when.as_str())
    }
}

/// Holds every bundle against every other.
pub(super) fn compare(seen: &[Seen]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in seen {
        for other in seen.iter().filter(|other| other.party != one.party) {
            let mut add = |what: String| {
                findings.push(Finding { party: one.party, place: Place::Between(other.party), what });
            };
            if let Some(when) = one.first_unknown(other) {
                add(format!(
                    "the ledger lacks the entry that the other witnessed {when}: it is another one, or ends earlier"
                ));
            }
            for ((epoch, round), digest) in &one.requests {
                if other.requests.get(&(*epoch, *round)).is_some_and(|same| same != digest) {
                    add(format!("round {round} of epoch {epoch} was requested differently"));
                }
            }
            let differs =
                |(q, answers): (&Digest, &Vec<Digest>)| other.answers.get(q).is_some_and(|same| same != answers);
            if one.answers.iter().any(differs) {
                add("a sum names other answers".to_owned());
            }
        }
    }
    findings
}
