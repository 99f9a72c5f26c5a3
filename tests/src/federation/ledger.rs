//! A party's ledger in memory: its records, and their entries as a party with a disk would keep them.

use std::collections::BTreeSet;

use secagg::Digest;
use study::ledger::{Chain, Recorded};

/// Records of a party; the first `durable` of them survive a crash.
#[derive(Debug)]
pub(super) struct Ledger<R> {
    manifest: Digest,
    chain: Chain,
    entries: Vec<Vec<u8>>,
    records: Vec<R>,
    durable: usize,
}

impl<R: Recorded + Clone> Ledger<R> {
    pub(super) fn new(manifest: Digest) -> Ledger<R> {
        Ledger { manifest, chain: Chain::new(manifest), entries: Vec::new(), records: Vec::new(), durable: 0 }
    }

    pub(super) fn records(&self) -> &[R] {
        &self.records
    }

    pub(super) fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }

    /// Digest of the newest durable entry.
    pub(super) fn head(&self) -> Digest {
        self.durable.checked_sub(1).map_or(self.manifest, |last| Digest::of(&self.entries[last]))
    }

    /// Digests of all entries, and the head of the empty ledger.
    pub(super) fn heads(&self) -> BTreeSet<Digest> {
        self.entries.iter().map(|entry| Digest::of(entry)).chain([self.manifest]).collect()
    }

    pub(super) fn extend(&mut self, time: u64, actor: &str, records: Vec<R>) {
        for record in records {
            self.entries.push(self.chain.append(time, actor, &record));
            self.records.push(record);
        }
    }

    pub(super) fn sync(&mut self) {
        self.durable = self.records.len();
    }

    /// Loses what was not durable.
    pub(super) fn crash(&mut self) {
        self.records.truncate(self.durable);
        self.entries.truncate(self.durable);
        self.chain = Chain::at(self.head(), self.durable as u64);
    }
}
