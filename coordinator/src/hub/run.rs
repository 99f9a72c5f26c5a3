//! One run in the hub.

use std::sync::Arc;

use secagg::{Digest, SigningIdentity};
use study::machine::coordinator::{CoordinatorContext, CoordinatorMachine, CoordinatorRecord, Fault};
use study::message::ToSite;
use study::protocol::Protocol;

use super::HubError;
use crate::opened::Tally;
use crate::store::{Store, StoreError, StoredRun};

/// A machine with what the hub knows beside it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) digest: Digest,
    pub(super) machine: CoordinatorMachine,
    pub(super) problem: Option<(String, String)>,
    /// What was opened so far.
    pub(super) opened: Tally,
    /// Newest durable entry of the ledger.
    pub(super) head: Digest,
}

/// What one step of the machine left to do.
#[derive(Debug)]
pub(super) struct Outcome<T> {
    pub(super) result: Result<T, Fault>,
    pub(super) records: Vec<CoordinatorRecord>,
    pub(super) messages: Vec<(u16, ToSite)>,
}

#[derive(Debug)]
struct Effects {
    head: Digest,
    records: Vec<CoordinatorRecord>,
    messages: Vec<(u16, ToSite)>,
}

impl CoordinatorContext for Effects {
    fn persist(&mut self, record: CoordinatorRecord) {
        self.records.push(record);
    }

    fn send(&mut self, site: u16, message: ToSite) {
        self.messages.push((site, message));
    }

    fn head(&self) -> Digest {
        self.head
    }
}

impl Run {
    /// Rebuilds a run from the store.
    pub(super) fn recover(store: &Store, stored: &StoredRun, identity: SigningIdentity) -> Result<Run, HubError> {
        let digest = stored.manifest.digest();
        if stored.manifest.coordinator != identity.public() {
            return Err(StoreError::OtherIdentity { name: stored.manifest.name() }.into());
        }
        let records: Vec<_> = store.entries(&digest)?.into_iter().map(|entry| entry.record).collect();
        let mut opened = Tally::default();
        for record in &records {
            opened.add(record);
        }
        let protocol = Protocol::parse(&stored.protocol).map_err(|_| StoreError::Damaged { what: "a protocol" })?;
        let machine = CoordinatorMachine::recover(stored.manifest.clone(), &Arc::new(protocol), identity, records)
            .map_err(|_| StoreError::Damaged { what: "a record" })?;
        let (problem, head) = (store.problem(&digest)?, store.ledger_end(&digest)?.head());
        Ok(Run { digest, machine, problem, opened, head })
    }

    pub(super) fn step<T>(
        &mut self,
        act: impl FnOnce(&mut CoordinatorMachine, &mut dyn CoordinatorContext) -> Result<T, Fault>,
    ) -> Outcome<T> {
        let mut effects = Effects { head: self.head, records: Vec::new(), messages: Vec::new() };
        let result = act(&mut self.machine, &mut effects);
        for record in &effects.records {
            self.opened.add(record);
        }
        Outcome { result, records: effects.records, messages: effects.messages }
    }
}
