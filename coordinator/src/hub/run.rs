//! One run in the hub.

use secagg::{Digest, SigningIdentity};
use study::machine::coordinator::{CoordinatorContext, CoordinatorMachine, CoordinatorRecord, Fault};
use study::message::ToSite;

use super::{HubError, protocol};
use crate::store::{Store, StoreError, StoredRun};
use crate::study::opened_scalars;

/// A machine with what the hub knows beside it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) digest: Digest,
    pub(super) machine: CoordinatorMachine,
    pub(super) problem: Option<(String, String)>,
    /// Numbers opened so far.
    pub(super) opened: u64,
}

/// What one step of the machine left to do.
#[derive(Debug)]
pub(super) struct Outcome<T> {
    pub(super) result: Result<T, Fault>,
    pub(super) records: Vec<CoordinatorRecord>,
    pub(super) messages: Vec<(u16, ToSite)>,
}

#[derive(Debug, Default)]
struct Effects {
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
}

impl Run {
    /// Rebuilds a run from the store.
    pub(super) fn recover(store: &Store, stored: &StoredRun, identity: SigningIdentity) -> Result<Run, HubError> {
        let digest = stored.manifest.digest();
        let records = store.records(&digest)?;
        let opened = records.iter().map(opened_scalars).sum();
        let machine = CoordinatorMachine::recover(
            stored.manifest.clone(),
            protocol(stored)?,
            identity,
            store.approvals(&digest)?,
            records,
        )
        .map_err(|_| StoreError::Damaged { what: "a record" })?;
        Ok(Run { digest, machine, problem: store.problem(&digest)?, opened })
    }

    pub(super) fn step<T>(
        &mut self,
        act: impl FnOnce(&mut CoordinatorMachine, &mut dyn CoordinatorContext) -> Result<T, Fault>,
    ) -> Outcome<T> {
        let mut effects = Effects::default();
        let result = act(&mut self.machine, &mut effects);
        self.opened += effects.records.iter().map(opened_scalars).sum::<u64>();
        Outcome { result, records: effects.records, messages: effects.messages }
    }
}
