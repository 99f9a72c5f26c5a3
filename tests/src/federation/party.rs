//! One site with its machine, journal and connection.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use secagg::{Canonical, Digest, DrawKey, SigningIdentity};
use study::cohort::Cohort;
use study::evaluate::{EvaluateError, Evaluator};
use study::machine::coordinator::{CoordinatorContext, CoordinatorRecord};
use study::machine::site::{Refusal, SiteConfig, SiteContext, SiteMachine, SiteRecord};
use study::manifest::{Approval, Manifest};
use study::message::{FromSite, ToSite};
use study::policy::Policy;
use study::protocol::Protocol;
use study::view::Asked;

use super::dice::Dice;
use super::ledger::Ledger;

const AGENT: &str = "site-agent";

/// The time unless a test says another.
pub(super) const NOW: u64 = 1_000;

/// From a site to the coordinator, in the order of its connection.
#[derive(Debug)]
pub(super) enum Up {
    Joined,
    Left,
    Message(Box<FromSite>),
}

/// From the coordinator to a site, in the order of its connection.
#[derive(Debug)]
pub(super) enum Down {
    Message(Box<ToSite>),
    Closed,
}

/// In which direction something waits to be delivered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Waiting {
    Up,
    Down,
}

pub(super) struct Hospital {
    site: u16,
    key: [u8; 32],
    secret: [u8; 32],
    cohort: Arc<Cohort>,
    policy: Policy,
    manifest: Manifest,
    protocol: Arc<Protocol>,
    dice: Dice,
    pub(super) approval: Approval,
    pub(super) threads: usize,
    pub(super) now: u64,
    pub(super) machine: SiteMachine,
    pub(super) journal: Ledger<SiteRecord>,
    pub(super) up: VecDeque<Up>,
    pub(super) down: VecDeque<Down>,
    /// Does the coordinator see this connection?
    pub(super) accepting: bool,
}

impl Hospital {
    pub(super) fn new(
        site: u16,
        key: [u8; 32],
        cohort: Cohort,
        policy: Policy,
        manifest: &Manifest,
        protocol: &Arc<Protocol>,
        mut dice: Dice,
    ) -> Hospital {
        let identity = SigningIdentity::from_bytes(&key);
        let commitment = Digest(dice.bytes());
        let approval = Approval::sign(&identity, site, manifest.digest(), policy.digest(), commitment);
        let (secret, cohort) = (dice.bytes(), Arc::new(cohort));
        let config = config(site, &key, secret, &cohort, &policy, manifest, protocol, commitment);
        let mut journal = Ledger::new(manifest.digest());
        let approved = SiteRecord::Approved { policy: approval.policy, cohort: approval.cohort };
        journal.extend(NOW, "Reviewer", vec![approved]);
        journal.sync();
        let machine = SiteMachine::recover(config, []).expect("an empty journal replays");
        Hospital {
            site,
            key,
            secret,
            cohort,
            policy,
            manifest: manifest.clone(),
            protocol: Arc::clone(protocol),
            dice,
            approval,
            threads: 1,
            now: NOW,
            machine,
            journal,
            up: VecDeque::from([Up::Joined]),
            down: VecDeque::new(),
            accepting: false,
        }
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = Waiting> {
        let up = (!self.up.is_empty()).then_some(Waiting::Up);
        up.into_iter().chain((!self.down.is_empty()).then_some(Waiting::Down))
    }

    pub(super) fn identity(&self) -> SigningIdentity {
        SigningIdentity::from_bytes(&self.key)
    }

    /// The machine that a journal leads to.
    pub(super) fn recover(&self, records: &[SiteRecord]) -> Result<SiteMachine, Refusal> {
        let Hospital { site, key, secret, cohort, policy, manifest, protocol, approval, .. } = self;
        let config = config(*site, key, *secret, cohort, policy, manifest, protocol, approval.cohort);
        SiteMachine::recover(config, records.iter().cloned())
    }

    /// What the coordinator sends; lost while it does not see the connection.
    pub(super) fn receive(&mut self, message: ToSite) {
        if self.accepting {
            self.down.push_back(Down::Message(Box::new(message)));
        }
    }

    pub(super) fn handle(&mut self, message: ToSite) -> (Result<(), Refusal>, SiteEffects) {
        let mut effects = self.effects();
        let outcome = self.machine.handle(message, &mut effects);
        self.dice = effects.dice.clone();
        (outcome, effects)
    }

    pub(super) fn withdraw(&mut self) {
        let mut effects = self.effects();
        self.machine.withdraw(&mut effects);
        self.journal.extend(self.now, AGENT, effects.records);
        self.journal.sync();
    }

    fn effects(&self) -> SiteEffects {
        SiteEffects {
            head: self.journal.head(),
            heads: self.journal.heads(),
            records: Vec::new(),
            messages: Vec::new(),
            dice: self.dice.clone(),
            threads: self.threads,
            now: self.now,
        }
    }

    /// As the agent does: what a site sends is durable, but for what comes next after a sum.
    pub(super) fn write(&mut self, records: Vec<SiteRecord>, messages: &[FromSite]) {
        self.journal.extend(self.now, AGENT, records);
        if messages.iter().any(|m| !matches!(m, FromSite::Next(_))) {
            self.journal.sync();
        }
    }

    /// Starts again from what was durable. Some of what was sent still arrives.
    pub(super) fn crash(&mut self, dice: &mut Dice) {
        self.journal.crash();
        self.machine = self.recover(self.journal.records()).expect("what was written replays");
        self.down.clear();
        self.accepting = false;
        let arrives = dice.below(self.up.len() + 1);
        self.up.truncate(arrives);
        self.up.extend([Up::Left, Up::Joined]);
    }

    /// The coordinator is gone. Some of what it sent still arrives, then the connection ends.
    pub(super) fn lose_coordinator(&mut self, dice: &mut Dice) {
        self.up.clear();
        self.accepting = false;
        let arrives = dice.below(self.down.len() + 1);
        self.down.truncate(arrives);
        self.down.push_back(Down::Closed);
    }

    /// Notices the end of the connection and makes a new one.
    pub(super) fn reconnect(&mut self) {
        self.machine.disconnected();
        self.up.clear();
        self.up.push_back(Up::Joined);
    }
}

#[allow(clippy::too_many_arguments, reason = "the parts of a configuration, which cannot be cloned")]
fn config(
    site: u16,
    key: &[u8; 32],
    secret: [u8; 32],
    cohort: &Arc<Cohort>,
    policy: &Policy,
    manifest: &Manifest,
    protocol: &Arc<Protocol>,
    commitment: Digest,
) -> SiteConfig {
    SiteConfig {
        manifest: manifest.clone(),
        protocol: Arc::clone(protocol),
        cohort: Arc::clone(cohort),
        commitment,
        secret,
        draws: draw_key(site),
        policy: policy.clone(),
        approved: NOW,
        identity: SigningIdentity::from_bytes(key),
        site,
    }
}

/// The key with which a site of a test draws: by its place in the roster, so that all tests draw alike.
pub fn draw_key(site: u16) -> DrawKey {
    DrawKey::from_bytes(&Canonical::new("test/draws").u16(site).digest().0)
}

/// What a site's machine wants done.
pub(super) struct SiteEffects {
    head: Digest,
    heads: BTreeSet<Digest>,
    pub(super) records: Vec<SiteRecord>,
    pub(super) messages: Vec<FromSite>,
    dice: Dice,
    threads: usize,
    now: u64,
}

impl SiteContext for SiteEffects {
    fn persist(&mut self, record: SiteRecord) {
        self.records.push(record);
    }

    fn send(&mut self, message: FromSite) {
        self.messages.push(message);
    }

    fn random(&mut self) -> [u8; 32] {
        self.dice.bytes()
    }

    fn answer(&self, evaluator: &Evaluator<'_>, questions: &[Asked]) -> Result<Vec<i128>, EvaluateError> {
        let share = questions.len().div_ceil(self.threads).max(1);
        let answer = |part: &[Asked]| part.iter().map(|q| evaluator.answer(q)).collect::<Result<Vec<_>, _>>();
        let parts: Result<Vec<Vec<Vec<i128>>>, EvaluateError> = std::thread::scope(|scope| {
            let threads: Vec<_> = questions.chunks(share).map(|part| scope.spawn(move || answer(part))).collect();
            threads.into_iter().map(|t| t.join().expect("evaluation does not panic")).collect()
        });
        Ok(parts?.concat().concat())
    }

    fn now(&self) -> u64 {
        self.now
    }

    fn head(&self) -> Digest {
        self.head
    }

    fn holds(&self, head: &Digest) -> bool {
        self.heads.contains(head)
    }
}

/// What the coordinator's machine wants done.
#[derive(Debug)]
pub(super) struct CoordinatorEffects {
    pub(super) head: Digest,
    pub(super) records: Vec<CoordinatorRecord>,
    pub(super) messages: Vec<(u16, ToSite)>,
}

impl CoordinatorContext for CoordinatorEffects {
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
