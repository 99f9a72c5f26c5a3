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
    /// Digest of the sum and of every site's answer, by the request in its epoch.
    sums: BTreeMap<Digest, (Digest, Vec<Digest>)>,
    /// The ledger's own entries in order.
    order: Vec<Digest>,
    /// What each site approved under: policy and cohort.
    approvals: BTreeMap<u16, (Digest, Digest)>,
    /// Digest of every request, by epoch and round.
    requests: BTreeMap<(u64, u32), Digest>,
}

impl Seen {
    /// `beginning` is the head of an empty ledger.
    pub(super) fn new(party: Party, beginning: Digest) -> Seen {
        Seen {
            party,
            entries: BTreeSet::from([beginning]),
            heads: BTreeMap::new(),
            sums: BTreeMap::new(),
            order: Vec::new(),
            approvals: BTreeMap::new(),
            requests: BTreeMap::new(),
        }
    }

    pub(super) fn entry(&mut self, digest: Digest) {
        self.entries.insert(digest);
        self.order.push(digest);
    }

    pub(super) fn approved(&mut self, site: u16, policy: Digest, cohort: Digest) {
        self.approvals.insert(site, (policy, cohort));
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
        let answers = proof.answers.iter().map(|(digest, _)| *digest).collect();
        self.sums.insert(proof.q, (proof.sum, answers));
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
    for (i, one) in seen.iter().enumerate() {
        for (j, other) in seen.iter().enumerate().filter(|(j, _)| *j != i) {
            let mut add = |what: String| {
                findings.push(Finding { party: one.party, place: Place::Between(other.party), what });
            };
            if one.party == other.party {
                let shorter = one.order.len().min(other.order.len());
                if i < j && one.order[..shorter] != other.order[..shorter] {
                    add("the party has two ledgers".to_owned());
                }
                continue;
            }
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
            if one.sums.iter().any(|(q, sum)| other.sums.get(q).is_some_and(|same| same != sum)) {
                add("a request has another sum, or a sum of other answers".to_owned());
            }
            if one.approvals.iter().any(|(site, to)| other.approvals.get(site).is_some_and(|same| same != to)) {
                add("a site approved under another policy or for another cohort".to_owned());
            }
        }
    }
    findings
}
