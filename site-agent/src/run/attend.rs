//! Attending the coordinator: one outbound stream, every run's machine behind it, reconnecting until stopped.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use jiff::Timestamp;
use proto::client::CoordinatorClient;
use proto::{FromAgent, Offer, ToAgent};
use proto::{MAX_MESSAGE_BYTES, wire};
use secagg::{Digest, DrawKey, SigningIdentity};
use study::machine::site::{Refusal, SiteConfig, SiteMachine, SiteRecord};
use study::manifest::Approval;
use study::message::{FromSite, ToSite};
use study::policy::Policy;
use terminal::{LockError, StateLock};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::approve::check_offer;
use super::decisions;
use super::effects::Effects;
use super::folder::{self, FolderError, RunFolder};
use super::journal::{Journal, JournalError};
use super::link::Link;
use super::withdraw::{is_withdrawn, withdrawal};
use crate::connect::{self, ConnectError, Options};
use crate::identity::{self, Identity, IdentityError};

/// How often the state directory is looked at for decisions on offers.
const LOOK_FOR_DECISIONS: Duration = Duration::from_millis(500);
/// Longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Below this many rows a question takes less time than handing it to another thread.
const PARALLEL_ROWS: usize = 2_000;

/// Why attending ends.
#[derive(Debug, thiserror::Error)]
pub enum AttendError {
    /// The site's identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A run's folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Another process attends with the state directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A run's journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal does not lead where the plan leads.
    #[error("the journal of a run does not replay")]
    Replay(#[from] Refusal),
    /// The connection, where waiting does not help.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

impl AttendError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AttendError::Identity(e) => e.code(),
            AttendError::Folder(e) => e.code(),
            AttendError::Lock(e) => e.code(),
            AttendError::Journal(e) => e.code(),
            AttendError::Replay(_) => "journal.replay",
            AttendError::Connect(e) => e.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            AttendError::Identity(e) => e.hint(),
            AttendError::Folder(e) => e.hint(),
            AttendError::Lock(e) => e.hint(),
            AttendError::Journal(e) => e.hint(),
            AttendError::Replay(_) => "restore the run's folder from a backup",
            AttendError::Connect(e) => e.hint(),
        }
    }
}

/// What the agent attends with.
#[derive(Debug, Clone)]
pub struct Attending {
    /// State directory.
    pub state_dir: PathBuf,
    /// The connection.
    pub options: Options,
}

/// Connects and answers until the future is dropped; returns only on an error that waiting does not mend.
pub async fn attend(attending: &Attending) -> Result<(), AttendError> {
    attend_on(attending, &Link::default()).await
}

/// The same, and says on `link` how the connection is.
pub async fn attend_on(attending: &Attending, link: &Link) -> Result<(), AttendError> {
    // what is wrong with the identity is said first: where there is none, there is nothing to lock
    identity::load(&attending.state_dir, Timestamp::now())?;
    let _held = StateLock::take(&attending.state_dir)?;
    // what its people decided is what it acts on
    decisions(&attending.state_dir).map_err(FolderError::from)?;
    let instance = instance();
    let mut active = BTreeMap::new();
    let mut pause = Duration::from_millis(200);
    loop {
        let ended = session(attending, instance, &mut active, link).await;
        link.lost(ended.as_ref().err().and_then(SessionError::connect), Timestamp::now());
        match ended {
            Ok(()) => {
                tracing::info!("the coordinator closed the connection");
                pause = Duration::from_millis(200);
            }
            Err(SessionError::Connect(e)) if e.is_transient() => {
                tracing::warn!(code = e.code(), "{e}; {}", e.hint());
            }
            Err(SessionError::Connect(e)) => return Err(e.into()),
            Err(SessionError::Status) => tracing::warn!("the connection to the coordinator broke"),
            Err(SessionError::Undecodable) => {
                let rule = Stray::Undecodable.rule();
                decisions::refused_by_agent(&attending.state_dir, None, rule).map_err(FolderError::from)?;
                tracing::warn!(rule, "the coordinator sent bytes that are no message; connecting anew");
            }
            Err(SessionError::Attend(e)) => return Err(e),
        }
        for run in active.values_mut() {
            Active::disconnected(run);
        }
        tokio::time::sleep(jittered(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Tells this process from a second one with the same keys.
fn instance() -> [u8; 16] {
    let mut instance = [0; 16];
    SysRng.try_fill_bytes(&mut instance).expect("the operating system gives random bytes once it has started");
    instance
}

/// Between half and the whole of a pause, so that sites do not come back all at once.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0u8; 1];
    let share = if SysRng.try_fill_bytes(&mut byte).is_ok() { f64::from(byte[0]) / 255.0 } else { 1.0 };
    pause.mul_f64(0.5 + 0.5 * share)
}

enum SessionError {
    Connect(ConnectError),
    Status,
    /// The stream ended at bytes that are no message, or too many.
    Undecodable,
    Attend(AttendError),
}

impl SessionError {
    fn connect(&self) -> Option<&ConnectError> {
        if let SessionError::Connect(e) = self { Some(e) } else { None }
    }
}

impl<E: Into<AttendError>> From<E> for SessionError {
    fn from(e: E) -> SessionError {
        SessionError::Attend(e.into())
    }
}

/// A run that takes part.
#[derive(Debug)]
struct Active {
    machine: SiteMachine,
    journal: Journal,
    approval: Approval,
    policy: Policy,
    rows: usize,
}

impl Active {
    fn disconnected(&mut self) {
        self.machine.disconnected();
    }
}

type Outbound = mpsc::UnboundedSender<wire::SiteMessage>;

struct Session<'a> {
    state_dir: &'a Path,
    identity: Identity,
    active: &'a mut BTreeMap<Digest, Active>,
    /// Offered on this connection; true when a decision was sent.
    offered: BTreeMap<Digest, bool>,
    outbound: Outbound,
}

/// One connection.
async fn session(
    attending: &Attending,
    instance: [u8; 16],
    active: &mut BTreeMap<Digest, Active>,
    link: &Link,
) -> Result<(), SessionError> {
    let identity = identity::load(&attending.state_dir, Timestamp::now()).map_err(AttendError::from)?;
    let channel = connect::connect(&identity, &attending.options).await.map_err(SessionError::Connect)?;
    let mut client = CoordinatorClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let (outbound, receiver) = mpsc::unbounded_channel();
    let software = env!("CARGO_PKG_VERSION").to_owned();
    let _ = outbound.send(FromAgent::Hello { software, instance }.into());
    let stream = client.attend(UnboundedReceiverStream::new(receiver)).await;
    let mut inbound = stream.map_err(|status| failed(&status))?.into_inner();
    tracing::info!(site = identity.site(), coordinator = identity.coordinator().url, "connected");
    link.connected(Timestamp::now());
    let mut session = Session { state_dir: &attending.state_dir, identity, active, offered: BTreeMap::new(), outbound };
    let mut tick = tokio::time::interval(LOOK_FOR_DECISIONS);
    loop {
        tokio::select! {
            message = inbound.message() => match message {
                Ok(Some(message)) => session.message(message)?,
                Ok(None) => return Ok(()),
                Err(status) => return Err(failed(&status)),
            },
            _ = tick.tick() => session.decisions()?,
        }
    }
}

fn failed(status: &tonic::Status) -> SessionError {
    match status.code() {
        // what the decoder says; a coordinator that ends a stream with these is one that says nothing better
        tonic::Code::OutOfRange | tonic::Code::Internal if status.source().is_none() => SessionError::Undecodable,
        tonic::Code::AlreadyExists if status.source().is_none() => SessionError::Connect(ConnectError::SecondAgent),
        _ => connect::explain(status).map_or(SessionError::Status, SessionError::Connect),
    }
}

/// What is refused before a run sees it, beside offers and messages that do not convert.
#[derive(Debug, Clone, Copy)]
enum Stray {
    /// Part of a run that this site has not approved.
    NotApproved,
    /// Bytes that are no message, or more than one may have.
    Undecodable,
}

impl Stray {
    fn rule(self) -> &'static str {
        match self {
            Stray::NotApproved => "run.not_approved",
            Stray::Undecodable => "wire.undecodable",
        }
    }
}

impl Session<'_> {
    fn message(&mut self, message: wire::CoordinatorMessage) -> Result<(), AttendError> {
        match ToAgent::try_from(message) {
            Ok(ToAgent::Offer(offer)) => self.offer(&offer),
            Ok(ToAgent::Run { run, message }) => {
                // kernels and masks may take long: the runtime moves its other work to another thread meanwhile
                tokio::task::block_in_place(|| self.run_message(run, message))
            }
            Err(error) => {
                tracing::warn!(rule = error.code(), %error, "a message of the coordinator is not well formed");
                self.refuse(None, error.code())
            }
        }
    }

    /// Keeps a new offer for a person to decide; an approved run takes part at once.
    fn offer(&mut self, offer: &Offer) -> Result<(), AttendError> {
        let digest = offer.manifest.digest();
        if !self.run_path(&digest).exists() {
            if folder::is_absent(self.state_dir, &digest)? {
                return self.set_aside(digest, &FolderError::Absent.into());
            }
            let coordinator = self.identity.coordinator().identity;
            let now = Timestamp::now().as_second().max(0).cast_unsigned();
            if let Err(error) = check_offer(offer, &coordinator, &self.identity.signing().public(), now) {
                tracing::warn!(rule = error.code(), "an offer cannot be approved and is not kept: {error}");
                return self.refuse(Some(digest), error.code());
            }
            folder::save_offer(self.state_dir, offer)?;
            tracing::info!(run = offer.manifest.name(), "a study waits for approval: `site-agent study list`");
        }
        self.offered.insert(digest, false);
        self.decisions()
    }

    /// Sends decisions that were made on this connection's offers, and stops what was withdrawn.
    fn decisions(&mut self) -> Result<(), AttendError> {
        let active: Vec<Digest> = self.active.keys().copied().collect();
        for digest in active {
            if let Err(error) = self.withdrawn(digest) {
                self.set_aside(digest, &error)?;
            }
        }
        let open: Vec<Digest> = self.offered.iter().filter(|(_, sent)| !**sent).map(|(d, _)| *d).collect();
        for digest in open {
            if let Err(error) = self.decision(digest) {
                self.set_aside(digest, &error)?;
            }
        }
        Ok(())
    }

    /// Sends the decision on one offer, if there is one.
    fn decision(&mut self, digest: Digest) -> Result<(), AttendError> {
        let path = self.run_path(&digest);
        if self.withdrawn(digest)? {
            return Ok(());
        }
        if let Some(code) = folder::rejection(self.state_dir, &digest)? {
            self.send(FromAgent::Rejected { run: digest, code });
        } else if path.exists() {
            self.join(digest, path)?;
        } else {
            return Ok(());
        }
        self.offered.insert(digest, true);
        Ok(())
    }

    /// A run whose files are not as approved takes no part until the agent connects anew; the others go on. The site's log
    /// and ledger say why, the coordinator learns the code.
    fn set_aside(&mut self, digest: Digest, error: &AttendError) -> Result<(), AttendError> {
        let (code, hint) = (error.code(), error.hint());
        tracing::error!(run = %digest, code, "this site takes no part in an approved run: {error}; {hint}; then start the agent again");
        self.active.remove(&digest);
        self.offered.insert(digest, true);
        self.refuse(Some(digest), code)?;
        self.send(FromAgent::Rejected { run: digest, code: code.into() });
        Ok(())
    }

    fn run_path(&self, digest: &Digest) -> PathBuf {
        self.state_dir.join("runs").join(digest.to_string())
    }

    /// Has the approval of a run been withdrawn? Then its machine ends and the coordinator is told.
    fn withdrawn(&mut self, digest: Digest) -> Result<bool, AttendError> {
        let path = self.run_path(&digest);
        if !is_withdrawn(&path) {
            return Ok(false);
        }
        if let Some(mut active) = self.active.remove(&digest) {
            let mut effects = Effects { journal: &mut active.journal, messages: Vec::new(), parallel: false };
            active.machine.withdraw(&mut effects);
            active.journal.sync()?;
            tracing::warn!("the approval of a run was withdrawn: nothing of it is answered any more");
        } else {
            // withdrawn while no agent ran: its ledger says so from now on, if there is one that can be written
            match Journal::open(&path.join("journal"), digest) {
                Ok((mut journal, entries)) => {
                    if !entries.iter().any(|entry| entry.record == SiteRecord::Withdrawn) {
                        journal.push(Timestamp::now().as_second().max(0).cast_unsigned(), &SiteRecord::Withdrawn);
                        journal.sync()?;
                    }
                }
                Err(error) => tracing::warn!(run = %digest, code = error.code(), "of a withdrawn run: {error}"),
            }
        }
        if let Some(withdrawal) = withdrawal(&path)? {
            self.send(FromAgent::Withdrawn(withdrawal));
        }
        self.offered.insert(digest, true);
        Ok(true)
    }

    fn join(&mut self, digest: Digest, path: PathBuf) -> Result<(), AttendError> {
        let active = match self.active.entry(digest) {
            Entry::Occupied(active) => active.into_mut(),
            Entry::Vacant(vacant) => {
                let run = RunFolder::open(path)?;
                vacant.insert(activate(run, self.identity.signing(), identity::draw_key(self.state_dir)?)?)
            }
        };
        let approval = active.approval.clone();
        // reading the cohort may take long: of what was withdrawn meanwhile no approval is sent
        if !self.withdrawn(digest)? {
            self.send(FromAgent::Approval(approval));
        }
        Ok(())
    }

    fn run_message(&mut self, run: Digest, message: ToSite) -> Result<(), AttendError> {
        if self.active.contains_key(&run) && self.withdrawn(run)? {
            return Ok(());
        }
        let path = self.run_path(&run);
        let Some(active) = self.active.get_mut(&run) else {
            return if path.exists() { Ok(()) } else { self.refuse(Some(run), Stray::NotApproved.rule()) };
        };
        let finished = matches!(message, ToSite::Closed(_));
        let parallel = active.rows >= PARALLEL_ROWS;
        let mut effects = Effects { journal: &mut active.journal, messages: Vec::new(), parallel };
        if let Err(refusal) = active.machine.handle(message, &mut effects) {
            let cause = refusal.source().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(rule = refusal.rule(), %cause, "refused: {refusal}");
            // the coordinator learns the rule; here everything is said that would refuse
            if matches!(refusal, Refusal::Policy(_)) {
                for refusal in active.policy.refusals_of_opened(active.machine.plan()) {
                    tracing::warn!(rule = refusal.rule(), "this site's policy refuses: {refusal}");
                }
            }
        }
        let messages = effects.messages;
        // an answer may take long: what was withdrawn meanwhile is not sent
        if is_withdrawn(&path) {
            return self.withdrawn(run).map(|_| ());
        }
        // The record of an accepted sum may share the sync of the next answer: lost, it is only asked again.
        if messages.iter().any(|m| !matches!(m, FromSite::Next(_))) || finished {
            active.journal.sync()?;
        }
        let progress = active.machine.progress();
        tracing::debug!(round = progress.round, fitted = progress.fitted, models = progress.models, "progress");
        if finished {
            tracing::info!("the study is finished");
        }
        for message in messages {
            self.send(FromAgent::Run { run, message });
        }
        Ok(())
    }

    /// Writes down a refusal that belongs to no run of this site.
    fn refuse(&self, manifest: Option<Digest>, rule: &'static str) -> Result<(), AttendError> {
        decisions::refused_by_agent(self.state_dir, manifest, rule).map_err(FolderError::from)?;
        Ok(())
    }

    fn send(&self, message: FromAgent) {
        // a closed channel shows on the inbound side as well
        let _ = self.outbound.send(message.into());
    }
}

fn activate(run: RunFolder, identity: &SigningIdentity, draws: DrawKey) -> Result<Active, AttendError> {
    run.check(identity, &draws)?;
    let cohort = run.cohort()?;
    let rows = cohort.rows();
    let (journal, entries) = Journal::open(&run.path.join("journal"), run.manifest.digest())?;
    let approved = run.approved();
    let (approval, policy) = (run.approval.clone(), run.policy.clone());
    let config = SiteConfig {
        secret: run.bound.secret,
        draws,
        site: run.approval.site,
        commitment: run.approval.cohort,
        manifest: run.manifest,
        protocol: run.protocol,
        cohort: Arc::new(cohort),
        approved,
        policy: run.policy,
        identity: SigningIdentity::from_bytes(&identity.to_bytes()),
    };
    let machine = SiteMachine::recover(config, entries.into_iter().map(|entry| entry.record))?;
    Ok(Active { machine, journal, approval, policy, rows })
}
