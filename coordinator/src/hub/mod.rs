//! The hub: one task that owns every run's machine, and the connections of the sites.
//!
//! Events come in over one channel; each is handled whole (records durable, then messages sent) before the next.

mod board;
mod progress;
mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use proto::wire;
use proto::{FromAgent, Offer, ToAgent};
use secagg::{Digest, SigningIdentity};
use study::machine::coordinator::CoordinatorRecord;
use study::manifest::{Approval, Withdrawal};
use study::message::{FromSite, ToSite};
use tokio::sync::{mpsc, watch};

use crate::authority::{AuthorityError, load_signing_identity};
use crate::store::{Store, StoreError, StoredRun};
pub use board::Board;
pub use progress::{Report, RunReport};
use run::Run;

/// How often the store is looked at for runs that the command line added.
const LOOK_FOR_RUNS: Duration = Duration::from_millis(250);

/// Actor of what the program does by itself.
const COORDINATOR: &str = "coordinator";
/// Code of a second agent with the keys of a connected one.
const SECOND_AGENT: &str = "peer.second_agent";
/// What a site says that declines.
const REJECTED: &str = "approve.rejected";
/// What a site says whose ledger is older than what it has signed.
const BEHIND: &str = "run.behind";

/// Messages to one site. A site that does not read is disconnected by keepalive, not waited for: the channel has no
/// bound, and holds at most the messages of one round because a round waits for every site.
pub type Outbound = mpsc::UnboundedSender<Result<wire::CoordinatorMessage, tonic::Status>>;

/// What happens at the coordinator.
#[derive(Debug)]
pub enum Event {
    /// A site's stream is open.
    Connected {
        /// Site id from its certificate.
        site: String,
        /// Number of the connection.
        connection: u64,
        /// Made when the agent's process started.
        instance: [u8; 16],
        /// To the site.
        outbound: Outbound,
    },
    /// A message of a site.
    Message {
        /// Site id.
        site: String,
        /// Number of the connection.
        connection: u64,
        /// The message.
        message: Box<FromAgent>,
    },
    /// A site's stream is closed.
    Disconnected {
        /// Site id.
        site: String,
        /// Number of the connection.
        connection: u64,
    },
}

/// Why the hub ends.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing identity.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl HubError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            HubError::Store(e) => e.code(),
            HubError::Authority(e) => e.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            HubError::Store(e) => e.hint(),
            HubError::Authority(e) => e.hint(),
        }
    }
}

/// Where a stored run stands, without a server.
pub fn recovered(store: &Store, stored: &StoredRun, identity: SigningIdentity) -> Result<RunReport, HubError> {
    Ok(RunReport::of(&Run::recover(store, stored, identity)?))
}

#[derive(Debug)]
struct Peer {
    connection: u64,
    instance: [u8; 16],
    outbound: Outbound,
    /// Has it shown that its state directory is older than what the site has signed?
    behind: bool,
}

/// Owner of all runs.
#[derive(Debug)]
pub struct Hub {
    state_dir: PathBuf,
    store: Store,
    /// Of the store, when it was last looked at for runs.
    version: Option<i64>,
    peers: BTreeMap<String, Peer>,
    runs: BTreeMap<Digest, Run>,
    reports: mpsc::UnboundedSender<Report>,
    board: watch::Sender<Board>,
}

impl Hub {
    /// Opens the store and recovers all runs.
    pub fn open(state_dir: &Path, reports: mpsc::UnboundedSender<Report>) -> Result<Hub, HubError> {
        let store = Store::open(state_dir)?;
        let mut hub = Hub {
            state_dir: state_dir.to_owned(),
            store,
            version: None,
            peers: BTreeMap::new(),
            runs: BTreeMap::new(),
            reports,
            board: watch::Sender::default(),
        };
        hub.look_for_runs()?;
        Ok(hub)
    }

    /// What pages show of this hub.
    pub fn board(&self) -> watch::Receiver<Board> {
        self.board.subscribe()
    }

    /// Handles events until all senders are gone.
    pub async fn serve(mut self, mut events: mpsc::UnboundedReceiver<Event>) -> Result<(), HubError> {
        let mut tick = tokio::time::interval(LOOK_FOR_RUNS);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
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

    fn identity(&self) -> Result<SigningIdentity, HubError> {
        Ok(load_signing_identity(&self.state_dir)?)
    }

    /// Runs that the store holds and this hub does not know yet are offered to their sites.
    fn look_for_runs(&mut self) -> Result<(), HubError> {
        // read before the runs: what is written meanwhile is found at the next look
        let version = Some(self.store.version()?);
        if version == self.version {
            return Ok(());
        }
        self.version = version;
        for stored in self.store.runs()? {
            let digest = stored.manifest.digest();
            if self.runs.contains_key(&digest) {
                continue;
            }
            let run = Run::recover(&self.store, &stored, self.identity()?)?;
            for member in stored.manifest.roster.members() {
                if let Some(peer) = self.peers.get(&member.id) {
                    offer(peer, &stored);
                }
            }
            self.runs.insert(digest, run);
            self.report(&digest);
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<(), HubError> {
        match event {
            Event::Connected { site, connection, instance, outbound } => {
                self.connected(site, Peer { connection, instance, outbound, behind: false })
            }
            Event::Disconnected { site, connection } => {
                self.disconnected(&site, connection);
                Ok(())
            }
            Event::Message { site, connection, message } => {
                let current = self.peers.get(&site).is_some_and(|p| p.connection == connection);
                if current { self.message(&site, *message) } else { Ok(()) }
            }
        }
    }

    /// A new connection of a process replaces its older one. Another process with the same keys is not let in while the
    /// first is connected, unless that one has shown that it is an older copy: both would push each other out for ever.
    fn connected(&mut self, site: String, peer: Peer) -> Result<(), HubError> {
        if let Some(first) = self.peers.get(&site) {
            if first.instance != peer.instance && !first.behind {
                tracing::warn!(%site, code = SECOND_AGENT, "a second agent with this identity is refused; the first is kept");
                let status = tonic::Status::already_exists("another agent with this identity is connected");
                let _ = peer.outbound.send(Err(status));
                self.board.send_modify(|board| _ = board.second_agents.insert(site.clone(), Timestamp::now()));
                let _ = self.reports.send(Report::SecondAgent { site });
                return Ok(());
            }
            let old = first.connection;
            self.disconnected(&site, old);
        }
        tracing::info!(%site, "site connected");
        for stored in self.store.runs()? {
            if stored.manifest.roster.index(&site).is_some() {
                offer(&peer, &stored);
            }
        }
        self.board.send_modify(|board| _ = board.connected.insert(site.clone()));
        self.peers.insert(site, peer);
        Ok(())
    }

    fn disconnected(&mut self, site: &str, connection: u64) {
        if self.peers.get(site).is_none_or(|p| p.connection != connection) {
            return;
        }
        tracing::info!(%site, "site disconnected");
        self.peers.remove(site);
        self.board.send_modify(|board| _ = board.connected.remove(site));
        let of_the_site =
            |(digest, run): (&Digest, &Run)| run.machine.manifest().roster.index(site).map(|index| (*digest, index));
        for (digest, index) in self.runs.iter().filter_map(of_the_site).collect::<Vec<_>>() {
            if let Some(run) = self.runs.get_mut(&digest) {
                run.machine.left(index);
            }
            self.report(&digest);
        }
    }

    fn message(&mut self, site: &str, message: FromAgent) -> Result<(), HubError> {
        match message {
            // the first message of a connection, and no other
            FromAgent::Hello { .. } => Ok(()),
            FromAgent::Approval(approval) => self.approval(site, approval),
            FromAgent::Rejected { run, code } => {
                let member = self.runs.get(&run).and_then(|run| run.machine.manifest().roster.index(site));
                // a site may have removed the folder of a finished run
                if member.is_none() || self.runs.get(&run).is_some_and(|run| run.machine.finished()) {
                    return Ok(());
                }
                let message = if code == REJECTED {
                    format!("site {site} rejects the study")
                } else {
                    format!("site {site} takes no part in the run that it approved ({code})")
                };
                tracing::warn!(%site, %code, "{message}");
                self.problem(&run, &code, &message)
            }
            FromAgent::Withdrawn(withdrawal) => self.withdrawal(site, &withdrawal),
            FromAgent::Run { run, message } => self.run_message(site, &run, message),
        }
    }

    fn approval(&mut self, site: &str, approval: Approval) -> Result<(), HubError> {
        let Some(run) = self.runs.get_mut(&approval.manifest) else { return Ok(()) };
        if run.machine.manifest().roster.index(site) != Some(approval.site) {
            tracing::warn!(%site, "approval of another site refused");
            return Ok(());
        }
        let outcome = run.step(|machine, context| machine.joined(approval, context));
        let digest = run.digest;
        if let Err(fault) = outcome.result {
            tracing::warn!(%site, code = fault.code(), "approval refused: {fault}");
            if fault.stops() {
                self.problem(&digest, fault.code(), &format!("site {site}: {fault}"))?;
            }
            return Ok(());
        }
        self.flush(&digest, &outcome.records, outcome.messages)
    }

    /// The approval no longer counts; what was summed before stays.
    fn withdrawal(&mut self, site: &str, withdrawal: &Withdrawal) -> Result<(), HubError> {
        let digest = withdrawal.manifest;
        let Some(run) = self.runs.get_mut(&digest) else { return Ok(()) };
        if run.machine.manifest().roster.index(site) != Some(withdrawal.site) {
            tracing::warn!(%site, "withdrawal of another site refused");
            return Ok(());
        }
        let outcome = run.step(|machine, context| machine.withdrawn(withdrawal, context));
        if let Err(fault) = outcome.result {
            tracing::warn!(%site, code = fault.code(), "withdrawal refused");
            return Ok(());
        }
        tracing::warn!(%site, code = withdrawal.code(), "site withdraws its approval");
        if run.machine.finished() {
            return Ok(());
        }
        self.flush(&digest, &outcome.records, outcome.messages)?;
        self.problem(&digest, withdrawal.code(), &format!("site {site} has withdrawn its approval"))
    }

    fn run_message(&mut self, site: &str, digest: &Digest, message: FromSite) -> Result<(), HubError> {
        let Some(run) = self.runs.get_mut(digest) else { return Ok(()) };
        let Some(index) = run.machine.manifest().roster.index(site) else { return Ok(()) };
        if matches!(&message, FromSite::Refused { code } if code == BEHIND)
            && let Some(peer) = self.peers.get_mut(site)
        {
            peer.behind = true;
        }
        let outcome = run.step(|machine, context| machine.handle(index, message, context));
        if let Err(fault) = outcome.result {
            tracing::warn!(%site, code = fault.code(), "{fault}");
            if fault.stops() {
                let whose = if fault.is_of_all_sites() { String::new() } else { format!("site {site}: ") };
                self.problem(digest, fault.code(), &format!("{whose}{fault}"))?;
            }
        }
        self.flush(digest, &outcome.records, outcome.messages)
    }

    fn problem(&mut self, digest: &Digest, code: &str, message: &str) -> Result<(), HubError> {
        if let Some(run) = self.runs.get_mut(digest) {
            self.store.put_problem(digest, code, message)?;
            run.problem = Some((code.to_owned(), message.to_owned()));
        }
        self.report(digest);
        Ok(())
    }

    /// Records first, durable; then messages; then the report.
    fn flush(
        &mut self,
        digest: &Digest,
        records: &[CoordinatorRecord],
        messages: Vec<(u16, ToSite)>,
    ) -> Result<(), HubError> {
        if !records.is_empty() {
            let time = Timestamp::now().as_second().max(0).cast_unsigned();
            let head = self.store.append(digest, time, COORDINATOR, records)?.head();
            if let Some(run) = self.runs.get_mut(digest) {
                run.head = head;
            }
        }
        let Some(run) = self.runs.get_mut(digest) else { return Ok(()) };
        let new_epoch = records.iter().any(|r| matches!(r, CoordinatorRecord::Epoch { .. }));
        if new_epoch && run.problem.take().is_some() {
            self.store.clear_problem(digest)?;
        }
        let Some(run) = self.runs.get(digest) else { return Ok(()) };
        let members = run.machine.manifest().roster.members();
        let mut shared: Option<(ToSite, wire::CoordinatorMessage)> = None;
        for (site, message) in messages {
            let Some(peer) = members.get(usize::from(site)).and_then(|m| self.peers.get(&m.id)) else { continue };
            // a broadcast is converted once; its large fields are shared, not copied
            let wire = match &shared {
                Some((same, wire)) if *same == message => wire.clone(),
                _ => {
                    let wire = wire::CoordinatorMessage::from(ToAgent::Run { run: *digest, message: message.clone() });
                    shared = Some((message, wire.clone()));
                    wire
                }
            };
            let _ = peer.outbound.send(Ok(wire));
        }
        self.report(digest);
        Ok(())
    }

    /// Tells the terminal and the pages where a run stands.
    fn report(&self, digest: &Digest) {
        let Some(run) = self.runs.get(digest) else { return };
        let report = RunReport::of(run);
        self.board.send_modify(|board| _ = board.runs.insert(report.run.clone(), report.clone()));
        let _ = self.reports.send(Report::Run(report));
    }
}

fn offer(peer: &Peer, stored: &StoredRun) {
    let offer =
        Offer { manifest: stored.manifest.clone(), signature: stored.signature, protocol: stored.protocol.clone() };
    let _ = peer.outbound.send(Ok(ToAgent::Offer(offer).into()));
}
