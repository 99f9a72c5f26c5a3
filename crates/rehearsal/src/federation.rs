//! Set-up, processes and clean-up of a federation.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use coordinator::authority::{Authority, AuthorityError};
use coordinator::enrol::{self, EnrolError};
use coordinator::hub::{Report, RunReport};
use coordinator::store::StoredRun;
use coordinator::study::{FinishedRun, StudyError};
use proto::Offer;
use secagg::{Canonical, DrawKey};
use site_agent::identity::{self, IdentityError};
use site_agent::run::{ApproveError, Approver, FolderError, Person, approve, read_policy, runs, withdraw};
use site_agent::source::SourceError;
use study::document::Mistakes;
use study::policy::PolicyRefusal;
use study::protocol::Protocol;

use crate::child::{AGENT, COORDINATOR};
use crate::study_dir::StudyDir;

/// A coordinator that says nothing for this long has a fault.
const START_PATIENCE: Duration = Duration::from_mins(1);
/// How long a child may take to end after its input has closed.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// Why a rehearsal does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// A file or process.
    #[error("{doing} failed ({kind})")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What kind of error.
        kind: io::ErrorKind,
    },
    /// The coordinator's keys.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Enrolment at the coordinator.
    #[error("site {site}: {error}")]
    Enrol {
        /// Site id.
        site: String,
        /// Why.
        error: EnrolError,
    },
    /// Enrolment at the site.
    #[error("site {site}: {error}")]
    Identity {
        /// Site id.
        site: String,
        /// Why.
        error: IdentityError,
    },
    /// The protocol.
    #[error("the protocol is not valid")]
    Protocol(#[from] Mistakes),
    /// The policy of the sites.
    #[error("the policy file is not valid")]
    Policy(Mistakes),
    /// Files that do not fit the protocol, each with its site.
    #[error("the files of {} do not fit the protocol", names(.0))]
    Data(Vec<(String, SourceError)>),
    /// The study.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// A site does not approve.
    #[error("site {site}: {error}")]
    Approve {
        /// Site id.
        site: String,
        /// Why.
        error: Box<ApproveError>,
        /// All that its policy refuses at once.
        refusals: Vec<PolicyRefusal>,
    },
    /// A run's folder at a site.
    #[error("site {site}: {error}")]
    Folder {
        /// Site id.
        site: String,
        /// Why.
        error: FolderError,
    },
    /// A process ended by itself.
    #[error("the {role} process ended; its last words: {log}")]
    ProcessEnded {
        /// Which.
        role: String,
        /// End of its log.
        log: String,
    },
    /// The coordinator stopped the run.
    #[error("the run stopped: {message}")]
    Stopped {
        /// Stable code.
        code: String,
        /// Cause.
        message: String,
        /// All that the policy of a site that stopped it refuses at once, which on this machine may be told.
        refusals: Vec<PolicyRefusal>,
    },
    /// Nothing moved for too long.
    #[error("nothing moved for {seconds} s; the run waits for {waiting}")]
    Stuck {
        /// Patience.
        seconds: u64,
        /// Kind and sites.
        waiting: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl RehearsalError {
    /// What the policy of a site refuses, as far as that is why.
    pub fn refusals(&self) -> &[PolicyRefusal] {
        match self {
            RehearsalError::Approve { refusals, .. } | RehearsalError::Stopped { refusals, .. } => refusals,
            _ => &[],
        }
    }

    fn system(doing: &'static str) -> impl Fn(io::Error) -> RehearsalError {
        move |e| RehearsalError::System { doing, kind: e.kind() }
    }
}

fn names(files: &[(String, SourceError)]) -> String {
    files.iter().map(|(site, _)| site.as_str()).collect::<Vec<_>>().join(", ")
}

/// Wall-clock times of a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Keys, certificates, enrolment, approval of all sites.
    pub set_up: Duration,
    /// From the first start of an agent until all were connected.
    pub connecting: Duration,
    /// From all connected to all results signed.
    pub running: Duration,
}

/// A child process with its input held open.
#[derive(Debug)]
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    fn start(executable: &Path, arguments: &[&str], log: PathBuf, output: Stdio) -> io::Result<Process> {
        let errors = File::options().create(true).append(true).open(&log)?;
        let level = std::env::var("ENTENTE_LOG").unwrap_or_else(|_| "warn".into());
        let mut child = Command::new(executable)
            .args(arguments)
            .env("ENTENTE_LOG", level)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()?;
        let input = child.stdin.take();
        Ok(Process { child, input, log })
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().rev().take(3).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(" / ")
    }
}

/// A process beside those of the federation; it ends with the value.
#[derive(Debug)]
pub struct Beside(Process);

impl Beside {
    /// Does it still run?
    pub fn is_running(&mut self) -> bool {
        matches!(self.0.child.try_wait(), Ok(None))
    }

    /// What it has written on standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.0.log).unwrap_or_default()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// Where everything is.
#[derive(Debug, Clone)]
struct Layout {
    dir: PathBuf,
    address: SocketAddr,
    sites: Vec<String>,
}

/// A coordinator and its sites on this machine.
#[derive(Debug)]
pub struct Federation {
    layout: Layout,
    executable: PathBuf,
    run: Option<StoredRun>,
    coordinator: Option<Process>,
    agents: Vec<Option<Process>>,
    reports: Receiver<Report>,
    last: Option<RunReport>,
    set_up: Duration,
    agents_started: Option<Instant>,
    connected: Option<Instant>,
    finished: Option<Instant>,
}

impl Federation {
    /// Checks protocol, policy and files; then makes all keys and certificates in `dir`, starts the coordinator, enrols every site, creates the run and has
    /// every site approve it. `executable` is a program that calls [`crate::child::dispatch`] first. Agents are not
    /// started yet.
    pub fn set_up(
        study: &StudyDir,
        dir: &Path,
        executable: &Path,
        stop: &AtomicBool,
    ) -> Result<Federation, RehearsalError> {
        let begun = Instant::now();
        study.check()?;
        let state_dir = dir.join("coordinator");
        fs::create_dir_all(dir.join("sites")).map_err(RehearsalError::system("making the state directories"))?;
        let hosts = ["127.0.0.1".to_owned()];
        let authority = Authority::create(&state_dir, "Rehearsal coordinator", &hosts, jiff::Timestamp::now())?;
        let (coordinator, reports, address) = start_coordinator(dir, executable, "127.0.0.1:0")?;
        let sites: Vec<String> = study.sites.iter().map(|(id, _)| id.clone()).collect();
        let layout = Layout { dir: dir.to_owned(), address, sites };
        let mut federation = Federation {
            agents: layout.sites.iter().map(|_| None).collect(),
            layout: layout.clone(),
            executable: executable.to_owned(),
            run: None,
            coordinator: Some(coordinator),
            reports,
            last: None,
            set_up: Duration::ZERO,
            agents_started: None,
            connected: None,
            finished: None,
        };
        layout.each_site(stop, |site| layout.enrol(&authority, site))?;
        federation.another_run(study, stop)?;
        federation.set_up = begun.elapsed();
        Ok(federation)
    }

    /// Creates a run and has every site approve it; it is the one that is followed from now on.
    pub fn another_run(&mut self, study: &StudyDir, stop: &AtomicBool) -> Result<(), RehearsalError> {
        let state_dir = self.layout.dir.join("coordinator");
        let run = coordinator::study::create(&state_dir, &study.protocol, &[], 30, jiff::Timestamp::now())?;
        let offer = Offer { manifest: run.manifest.clone(), signature: run.signature, protocol: run.protocol.clone() };
        self.layout.each_site(stop, |site| self.layout.approve(study, &offer, site))?;
        self.run = Some(run);
        Ok(())
    }

    /// Takes the approval of the followed run back at one site, as its people do beside a running agent.
    pub fn withdraw(&self, index: usize, reason: &str) -> Result<(), RehearsalError> {
        let site = || self.layout.sites[index].clone();
        let state_dir = self.layout.site_dir(index);
        let now = jiff::Timestamp::now();
        let identity = identity::load(&state_dir, now);
        let identity = identity.map_err(|error| RehearsalError::Identity { site: site(), error })?;
        let person = Person::here("Reviewer 1", now.as_second().max(0).cast_unsigned());
        let name = self.run_name();
        let of_site = |error| RehearsalError::Folder { site: site(), error };
        for run in runs(&state_dir).map_err(of_site)?.iter().filter(|run| run.manifest.name() == name) {
            withdraw(run, identity.signing(), &person, reason).map_err(of_site)?;
        }
        Ok(())
    }

    /// Starts one agent per site.
    pub fn start_agents(&mut self) -> Result<(), RehearsalError> {
        self.agents_started = Some(Instant::now());
        for index in 0..self.layout.sites.len() {
            self.start_agent(index)?;
        }
        Ok(())
    }

    /// Starts the agent of one site.
    pub fn start_agent(&mut self, index: usize) -> Result<(), RehearsalError> {
        let state = self.layout.site_dir(index);
        let log = self.layout.dir.join(format!("{}.log", self.layout.sites[index]));
        let state = state.to_string_lossy();
        let process = Process::start(&self.executable, &[AGENT, &state], log, Stdio::null());
        self.agents[index] = Some(process.map_err(RehearsalError::system("starting an agent"))?);
        Ok(())
    }

    /// SIGKILL to the agent of one site.
    pub fn kill_agent(&mut self, index: usize) {
        if let Some(mut process) = self.agents[index].take() {
            process.kill();
        }
    }

    /// SIGKILL to the coordinator.
    pub fn kill_coordinator(&mut self) {
        if let Some(mut process) = self.coordinator.take() {
            process.kill();
        }
    }

    /// Starts the coordinator again, on its old address.
    pub fn restart_coordinator(&mut self) -> Result<(), RehearsalError> {
        let (process, reports, _) =
            start_coordinator(&self.layout.dir, &self.executable, &self.layout.address.to_string())?;
        self.coordinator = Some(process);
        self.reports = reports;
        Ok(())
    }

    /// Follows the run until it is finished, or until `until` says so. `patience` bounds how long nothing may move.
    pub fn follow(
        &mut self,
        stop: &AtomicBool,
        patience: Duration,
        mut until: impl FnMut(&RunReport) -> bool,
    ) -> Result<(), RehearsalError> {
        let mut moved = Instant::now();
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(RehearsalError::Interrupted);
            }
            match self.reports.recv_timeout(Duration::from_millis(100)) {
                Ok(Report::Listening { .. } | Report::Pages { .. } | Report::SecondAgent { .. }) => {}
                Ok(Report::Run(report)) if report.run != self.run_name() => {}
                Ok(Report::Run(report)) => {
                    moved = Instant::now();
                    self.note(&report);
                    if let Some((code, message)) = report.problem.clone() {
                        return Err(RehearsalError::Stopped { code, message, refusals: self.refusals() });
                    }
                    let enough = until(&report) || report.waiting == "nothing";
                    self.last = Some(report);
                    if enough {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.check_processes()?,
                Err(RecvTimeoutError::Disconnected) => return Err(self.coordinator_ended()),
            }
            if moved.elapsed() > patience {
                let waiting =
                    self.last.as_ref().map_or_else(String::new, |r| format!("{} of {}", r.waiting, r.sites.join(", ")));
                return Err(RehearsalError::Stuck { seconds: patience.as_secs(), waiting });
            }
        }
    }

    /// Everything that a site's policy refuses of the followed run. All sites have the same policy and the same counts: the
    /// first that refuses says what all would.
    fn refusals(&self) -> Vec<PolicyRefusal> {
        let name = self.run_name();
        let of_site = |index| {
            let runs = runs(&self.layout.site_dir(index)).ok()?;
            let run = runs.into_iter().find(|run| run.manifest.name() == name)?;
            site_agent::run::refusals(&run).ok().filter(|refusals| !refusals.is_empty())
        };
        (0..self.layout.sites.len()).find_map(of_site).unwrap_or_default()
    }

    /// The finished run, read from the coordinator's journal.
    pub fn results(&self) -> Result<FinishedRun, RehearsalError> {
        Ok(coordinator::study::read(&self.layout.dir.join("coordinator"), &self.run_name())?)
    }

    /// Name of the followed run.
    fn run_name(&self) -> String {
        self.run.as_ref().map(|r| r.manifest.name()).unwrap_or_default()
    }

    /// Wall-clock times.
    pub fn measured(&self) -> Measured {
        let between = |a: Option<Instant>, b: Option<Instant>| match (a, b) {
            (Some(a), Some(b)) => b.duration_since(a),
            _ => Duration::ZERO,
        };
        Measured {
            set_up: self.set_up,
            connecting: between(self.agents_started, self.connected),
            running: between(self.connected, self.finished),
        }
    }

    /// Site ids in order.
    pub fn sites(&self) -> &[String] {
        &self.layout.sites
    }

    /// Starts one more agent, with a copy of a state directory or with a directory that is in use; its log is `NAME.log`.
    pub fn agent_beside(&self, state: &Path, name: &str) -> Result<Beside, RehearsalError> {
        let log = self.layout.dir.join(format!("{name}.log"));
        let process = Process::start(&self.executable, &[AGENT, &state.to_string_lossy()], log, Stdio::null());
        Ok(Beside(process.map_err(RehearsalError::system("starting an agent"))?))
    }

    /// Starts one more coordinator at any free port, in the same way.
    pub fn coordinator_beside(&self, state: &Path, name: &str) -> Result<Beside, RehearsalError> {
        let log = self.layout.dir.join(format!("{name}.log"));
        let arguments = [COORDINATOR, &state.to_string_lossy(), "127.0.0.1:0"];
        let process = Process::start(&self.executable, &arguments, log, Stdio::null());
        Ok(Beside(process.map_err(RehearsalError::system("starting a coordinator"))?))
    }

    /// Is the agent of a site running?
    pub fn is_running(&mut self, index: usize) -> bool {
        self.agents[index].as_mut().is_some_and(|process| matches!(process.child.try_wait(), Ok(None)))
    }

    /// What the agent of a site has written on standard error.
    pub fn agent_log(&self, index: usize) -> String {
        fs::read_to_string(self.layout.dir.join(format!("{}.log", self.layout.sites[index]))).unwrap_or_default()
    }

    /// State directory of one site's agent.
    pub fn site_dir(&self, index: usize) -> PathBuf {
        self.layout.site_dir(index)
    }

    /// State directory of the coordinator.
    pub fn coordinator_dir(&self) -> PathBuf {
        self.layout.dir.join("coordinator")
    }

    /// The followed run.
    pub fn followed(&self) -> Option<&StoredRun> {
        self.run.as_ref()
    }

    fn note(&mut self, report: &RunReport) {
        if self.connected.is_none() && report.waiting == "message" {
            self.connected = Some(Instant::now());
        }
        if self.finished.is_none() && report.waiting == "nothing" {
            self.finished = Some(Instant::now());
        }
    }

    fn coordinator_ended(&self) -> RehearsalError {
        let log = self.coordinator.as_ref().map(Process::last_words).unwrap_or_default();
        RehearsalError::ProcessEnded { role: "coordinator".into(), log }
    }

    fn check_processes(&mut self) -> Result<(), RehearsalError> {
        for (site, agent) in self.layout.sites.iter().zip(&mut self.agents) {
            if let Some(process) = agent
                && let Ok(Some(_)) = process.child.try_wait()
            {
                let log = process.last_words();
                return Err(RehearsalError::ProcessEnded { role: format!("agent {site}"), log });
            }
        }
        Ok(())
    }
}

impl Layout {
    fn site_dir(&self, index: usize) -> PathBuf {
        self.dir.join("sites").join(&self.sites[index])
    }

    /// One step for every site, on all processors.
    fn each_site(
        &self,
        stop: &AtomicBool,
        step: impl Fn(usize) -> Result<(), RehearsalError> + Sync,
    ) -> Result<(), RehearsalError> {
        let queue = Mutex::new(0..self.sites.len());
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let work = || {
            loop {
                if stop.load(Ordering::Relaxed) {
                    return Err(RehearsalError::Interrupted);
                }
                let next = queue.lock().ok().and_then(|mut q| q.next());
                let Some(index) = next else { return Ok(()) };
                step(index)?;
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|t| t.join().unwrap_or(Err(RehearsalError::Interrupted)))
        })
    }

    fn enrol(&self, authority: &Authority, index: usize) -> Result<(), RehearsalError> {
        let site = &self.sites[index];
        let of_site = |error| RehearsalError::Identity { site: site.clone(), error };
        let legal_name = format!("Rehearsal site {site}");
        let now = jiff::Timestamp::now();
        let request = identity::create(&self.site_dir(index), site, &legal_name).map_err(of_site)?;
        let url = format!("https://{}", self.address);
        let approval = enrol::Approval { site, legal_name: &legal_name, url: &url, valid_days: 30 };
        let package = enrol::approve(authority, &request.text, &approval, now)
            .map_err(|error| RehearsalError::Enrol { site: site.clone(), error })?;
        let fingerprint = authority.fingerprint().to_string();
        identity::accept(&self.site_dir(index), package.text(), &fingerprint, now).map_err(of_site)?;
        // These data are the rehearsing person's own: a key that everybody knows makes the draws the same every time.
        let key = DrawKey::from_bytes(&Canonical::new("entente/v1/draw key of a rehearsal").str(site).digest().0);
        identity::store_draw_key(&self.site_dir(index), &key).map_err(of_site)
    }

    fn approve(&self, study: &StudyDir, offer: &Offer, index: usize) -> Result<(), RehearsalError> {
        let site = &self.sites[index];
        let state_dir = self.site_dir(index);
        let identity = identity::load(&state_dir, jiff::Timestamp::now())
            .map_err(|error| RehearsalError::Identity { site: site.clone(), error })?;
        let approver = Approver {
            state_dir: &state_dir,
            identity: identity.signing(),
            coordinator: identity.coordinator().identity,
        };
        // as many people as the policy asks for; more than two it cannot
        for name in ["Reviewer 1", "Reviewer 2"] {
            let person = Person::reviewer(name, jiff::Timestamp::now().as_second().max(0).cast_unsigned());
            let approved = approve(&approver, offer, &study.sites[index].1, &study.policy, &person)
                .map_err(|error| self.not_approved(study, offer, index, error))?;
            if approved.run.is_some() {
                break;
            }
        }
        Ok(())
    }
}

impl Layout {
    /// Why a site does not approve, with every rule of its policy that refuses.
    fn not_approved(&self, study: &StudyDir, offer: &Offer, index: usize, error: ApproveError) -> RehearsalError {
        let (protocol, policy) = (Protocol::parse(&offer.protocol), read_policy(&study.policy));
        let refusals = match (&error, protocol, policy) {
            (ApproveError::Policy(_), Ok(protocol), Ok(policy)) => policy.refusals_of_study(&offer.manifest, &protocol),
            _ => Vec::new(),
        };
        RehearsalError::Approve { site: self.sites[index].clone(), error: Box::new(error), refusals }
    }
}

impl Drop for Federation {
    /// Closes every child's input, waits a moment, and kills what is left.
    fn drop(&mut self) {
        let mut all: Vec<Process> = self.agents.iter_mut().filter_map(Option::take).collect();
        all.extend(self.coordinator.take());
        for process in &mut all {
            drop(process.input.take());
        }
        let deadline = Instant::now() + END_PATIENCE;
        for process in &mut all {
            while process.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(2));
            }
            process.kill();
        }
    }
}

fn start_coordinator(
    dir: &Path,
    executable: &Path,
    listen: &str,
) -> Result<(Process, Receiver<Report>, SocketAddr), RehearsalError> {
    let starting = RehearsalError::system("starting the coordinator");
    let state = dir.join("coordinator");
    let arguments = [COORDINATOR, &state.to_string_lossy(), listen];
    let mut process =
        Process::start(executable, &arguments, dir.join("coordinator.log"), Stdio::piped()).map_err(&starting)?;
    let (sender, reports) = mpsc::channel();
    let output = process.child.stdout.take().ok_or_else(|| starting(io::ErrorKind::BrokenPipe.into()))?;
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Ok(report) = serde_json::from_str(&line)
                && sender.send(report).is_err()
            {
                return;
            }
        }
    });
    if let Ok(Report::Listening { address }) = reports.recv_timeout(START_PATIENCE) {
        let address = address.parse().map_err(|_| starting(io::ErrorKind::InvalidData.into()))?;
        return Ok((process, reports, address));
    }
    process.kill();
    Err(RehearsalError::ProcessEnded { role: "coordinator".into(), log: process.last_words() })
}
