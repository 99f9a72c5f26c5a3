//! The runs of the hostile coordinator: the real machine of each, and the attack on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coordinator::authority::load_signing_identity;
use coordinator::hub::{Report, RunReport};
use coordinator::store::{Store, StoredRun};
use jiff::Timestamp;
use prost::Message;
use proto::{FromAgent, Offer, ToAgent, wire};
use secagg::{Digest, SigningIdentity};
use study::machine::coordinator::{CoordinatorContext, CoordinatorMachine, CoordinatorRecord, Fault, Waiting};
use study::manifest::Approval;
use study::message::{FromSite, ToSite};
use study::protocol::Protocol;
use tokio::sync::mpsc;

use super::attack::{After, Attack, Frame, Lie, Past, Scene, TARGET, Whom, attacks};
use super::server::Failure;

/// File of the state directory that names the attack of the runs to come; without it they are honest.
pub const ATTACK: &str = "attack";

const LOOK_FOR_RUNS: Duration = Duration::from_millis(50);

pub(super) type Outbound = mpsc::UnboundedSender<Result<Frame, tonic::Status>>;

/// What happens at the server.
#[derive(Debug)]
pub(super) enum Event {
    Connected { site: String, connection: u64, outbound: Outbound },
    Message { site: String, connection: u64, message: Box<FromAgent> },
    Disconnected { site: String, connection: u64 },
}

struct Peer {
    connection: u64,
    outbound: Outbound,
}

struct Run {
    stored: StoredRun,
    digest: Digest,
    machine: CoordinatorMachine,
    head: Digest,
    attack: Option<&'static Attack>,
    colluder: SigningIdentity,
    /// Sites that were lied to already.
    lied: BTreeSet<u16>,
    /// Have the sites been asked for new keys after the lie?
    renewed: bool,
    approvals: BTreeMap<u16, Approval>,
    past: Past,
}

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

/// Owner of all runs.
pub(super) struct Hub {
    state_dir: PathBuf,
    store: Store,
    version: Option<i64>,
    peers: BTreeMap<String, Peer>,
    runs: BTreeMap<Digest, Run>,
}

impl Hub {
    pub(super) fn open(state_dir: &Path) -> Result<Hub, Failure> {
        let (store, state_dir) = (Store::open(state_dir)?, state_dir.to_owned());
        Ok(Hub { state_dir, store, version: None, peers: BTreeMap::new(), runs: BTreeMap::new() })
    }

    pub(super) async fn serve(mut self, mut events: mpsc::UnboundedReceiver<Event>) -> Result<(), Failure> {
        let mut tick = tokio::time::interval(LOOK_FOR_RUNS);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.handle(event)?,
                    None => return Ok(()),
                },
                _ = tick.tick() => self.look_for_runs()?,
            }
        }
    }

    fn look_for_runs(&mut self) -> Result<(), Failure> {
        let version = Some(self.store.version()?);
        if version == self.version {
            return Ok(());
        }
        self.version = version;
        let named = fs::read_to_string(self.state_dir.join(ATTACK)).unwrap_or_default();
        for stored in self.store.runs()? {
            let digest = stored.manifest.digest();
            if self.runs.contains_key(&digest) {
                continue;
            }
            let identity = load_signing_identity(&self.state_dir)?;
            let protocol = Arc::new(Protocol::parse(&stored.protocol).map_err(|mistakes| format!("{mistakes}"))?);
            let run = Run {
                digest,
                machine: CoordinatorMachine::recover(stored.manifest.clone(), &protocol, identity, Vec::new())?,
                head: self.store.ledger_end(&digest)?.head(),
                attack: attacks().find(|attack| attack.name == named),
                colluder: colluder(&self.state_dir, &stored)?,
                lied: BTreeSet::new(),
                renewed: false,
                approvals: BTreeMap::new(),
                past: Past::default(),
                stored,
            };
            self.runs.insert(digest, run);
            let sites: Vec<String> = self.peers.keys().cloned().collect();
            for site in sites {
                self.offer(digest, &site)?;
            }
        }
        Ok(())
    }

    fn identity(&self) -> Result<SigningIdentity, Failure> {
        Ok(load_signing_identity(&self.state_dir)?)
    }

    /// Offers a run, or what the attack makes of the offer.
    fn offer(&mut self, digest: Digest, site: &str) -> Result<(), Failure> {
        let identity = self.identity()?;
        let (Some(run), Some(peer)) = (self.runs.get_mut(&digest), self.peers.get(site)) else { return Ok(()) };
        let Some(index) = run.stored.manifest.roster.index(site) else { return Ok(()) };
        let StoredRun { manifest, signature, protocol } = run.stored.clone();
        let offer = Offer { manifest, signature, protocol };
        let frames = match run.attack.map(|attack| attack.lie) {
            Some(Lie::Offer(lie)) if index == TARGET && run.lied.insert(index) => {
                lie(&offer, &run.scene(&identity, index))
            }
            _ => vec![wire::CoordinatorMessage::from(ToAgent::Offer(offer)).encode_to_vec()],
        };
        send(peer, frames);
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Connected { site, connection, outbound } => {
                if let Some(old) = self.peers.get(&site).map(|peer| peer.connection) {
                    self.disconnected(&site, old);
                }
                self.peers.insert(site.clone(), Peer { connection, outbound });
                let runs: Vec<Digest> = self.runs.keys().copied().collect();
                runs.into_iter().try_for_each(|run| self.offer(run, &site))
            }
            Event::Disconnected { site, connection } => {
                self.disconnected(&site, connection);
                Ok(())
            }
            Event::Message { site, connection, message } => {
                let current = self.peers.get(&site).is_some_and(|peer| peer.connection == connection);
                if current { self.message(&site, *message) } else { Ok(()) }
            }
        }
    }

    fn disconnected(&mut self, site: &str, connection: u64) {
        if self.peers.get(site).is_some_and(|peer| peer.connection == connection) {
            self.peers.remove(site);
            for run in self.runs.values_mut() {
                if let Some(index) = run.stored.manifest.roster.index(site) {
                    run.machine.left(index);
                }
            }
        }
    }

    fn message(&mut self, site: &str, message: FromAgent) -> Result<(), Failure> {
        match message {
            FromAgent::Approval(approval) => {
                let digest = approval.manifest;
                self.step(digest, |run, context| {
                    run.approvals.insert(approval.site, approval.clone());
                    run.machine.joined(approval, context)
                })
            }
            FromAgent::Run { run: digest, message } => {
                let index = self.runs.get(&digest).and_then(|run| run.stored.manifest.roster.index(site));
                let Some(index) = index else { return Ok(()) };
                self.step(digest, |run, context| run.said(index, message, context))
            }
            FromAgent::Hello { .. } | FromAgent::Rejected { .. } | FromAgent::Withdrawn(_) => Ok(()),
        }
    }

    /// One step of the honest machine; what it wants sent is sent, or what the attack makes of it.
    fn step(
        &mut self,
        digest: Digest,
        act: impl FnOnce(&mut Run, &mut dyn CoordinatorContext) -> Result<(), Fault>,
    ) -> Result<(), Failure> {
        let identity = self.identity()?;
        let Some(run) = self.runs.get_mut(&digest) else { return Ok(()) };
        let mut effects = Effects { head: run.head, records: Vec::new(), messages: Vec::new() };
        // a fault is what it provoked
        let _ = act(run, &mut effects);
        if !effects.records.is_empty() {
            let now = Timestamp::now().as_second().max(0).cast_unsigned();
            run.head = self.store.append(&digest, now, "hostile coordinator", &effects.records)?.head();
        }
        for (site, message) in effects.messages {
            let frames = run.frames(&identity, site, &message);
            let member = &run.stored.manifest.roster.members()[usize::from(site)];
            if let Some(peer) = self.peers.get(&member.id) {
                send(peer, frames);
            }
            if site == TARGET {
                run.past.said.push(message);
            }
        }
        println!("{}", serde_json::to_string(&Report::Run(run.report()))?);
        Ok(())
    }
}

impl Run {
    fn scene<'a>(&'a self, identity: &'a SigningIdentity, site: u16) -> Scene<'a> {
        let Run { colluder, stored, digest, past, .. } = self;
        Scene { identity, colluder, manifest: &stored.manifest, run: *digest, site, past }
    }

    fn said(&mut self, site: u16, message: FromSite, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        if let FromSite::Answer(answer) = &message {
            self.past.answers.push((site, answer.clone()));
        }
        let renew = matches!(message, FromSite::Refused { .. })
            && self.attack.is_some_and(|attack| attack.after == After::NewKeys)
            && !std::mem::replace(&mut self.renewed, true);
        let outcome = self.machine.handle(site, message, context);
        match self.approvals.get(&site) {
            Some(approval) if renew => self.machine.joined(approval.clone(), context),
            _ => outcome,
        }
    }

    /// The bytes for one site: what the machine says, or the lie, once per site.
    fn frames(&mut self, identity: &SigningIdentity, site: u16, message: &ToSite) -> Vec<Frame> {
        let lied = match self.attack {
            Some(Attack { lie: Lie::Message(lie), whom, .. })
                if (*whom == Whom::Everybody || site == TARGET) && !self.lied.contains(&site) =>
            {
                lie(message, &self.scene(identity, site))
            }
            _ => None,
        };
        if lied.is_some() {
            self.lied.insert(site);
        }
        lied.unwrap_or_else(|| vec![self.scene(identity, site).say(message)])
    }

    fn report(&self) -> RunReport {
        let counts = self.machine.counts();
        let waiting = match self.machine.waiting() {
            Waiting::Approval(_) => "approval",
            Waiting::Connection(_) => "connection",
            Waiting::Message(_) => "message",
            Waiting::Nothing => "nothing",
        };
        RunReport {
            run: self.stored.manifest.name(),
            round: self.machine.round(),
            models: counts.models,
            fitted: counts.fitted,
            failed: counts.failed,
            waiting: waiting.into(),
            sites: Vec::new(),
            problem: None,
            opened: 0,
            sealed: 0,
            bytes_per_site: self.machine.bytes_per_site(),
        }
    }
}

fn send(peer: &Peer, frames: Vec<Frame>) {
    for frame in frames {
        let _ = peer.outbound.send(Ok(frame));
    }
}

/// The key of the last site, from its state directory beside the coordinator's.
fn colluder(state_dir: &Path, stored: &StoredRun) -> Result<SigningIdentity, Failure> {
    let last = stored.manifest.roster.members().last().map(|member| member.id.clone()).unwrap_or_default();
    let site = state_dir.parent().unwrap_or(state_dir).join("sites").join(last);
    let identity = site_agent::identity::load(&site, Timestamp::now())?;
    Ok(SigningIdentity::from_bytes(&identity.signing().to_bytes()))
}
