//! A whole federation in memory: one machine per site and the coordinator's, with queues instead of connections.
//!
//! Everything is decided by a seed: keys, random bytes, and which of the waiting messages is delivered next. A
//! connection keeps the order of its messages, as a stream does; between connections any order is possible. Records
//! are durable before messages of the same call leave, with the one exception that the agent makes as well: a site
//! that has nothing to say but what comes next syncs with its next answer.

mod crash;
mod dice;
mod ledger;
mod party;
mod plain;
mod rows;

use std::sync::Arc;

use secagg::{Digest, Signature, SigningIdentity};
use study::audit::{Bundle, Party};
use study::cohort::Cohort;
use study::machine::coordinator::{CoordinatorMachine, CoordinatorRecord, Fault};
use study::machine::site::{Refusal, SiteRecord};
use study::manifest::{Approval, Manifest, Withdrawal};
use study::message::{FromSite, ToSite};
use study::plan::{PLAN_VERSION, Plan};
use study::policy::Policy;
use study::protocol::Protocol;
use study::results::{Results, results_digest};
use study::roster::{Member, Roster};

pub use crash::{Crash, Moment};
pub use party::draw_key;
pub use plain::{followed, followed_as, plain};
pub use rows::Rows;

use crash::Crashes;
use dice::Dice;
use ledger::Ledger;
use party::{Down, Hospital, Up, Waiting};

/// The file of the loosest policy that a site can have.
const LOOSEST: &str = "
minimum_sites = 3
minimum_patients = 0
minimum_cell = 0
minimum_pair = 0
rows_per_parameter = 0
events_per_parameter = 0
finest_grid_days = 0
minimum_leavers = 0
opening = \"totals\"
maximum_rounds = 1000000
allow_differencing = true
approvals = 1
";

/// The loosest policy that a site can have.
///
/// # Panics
/// Never: the file is valid.
pub fn loosest() -> Policy {
    Policy::parse(LOOSEST).expect("a policy")
}

/// Digest of everything that a plan ended with, the run's own manifest left out: equal digests are equal bits.
pub fn bits(plan: &Plan) -> Digest {
    results_digest(&Digest([0; 32]), plan)
}

/// Keys of the coordinator, for tests in which it lies.
#[derive(Debug)]
pub struct Lies<'a> {
    /// The key that signs requests and results.
    pub identity: &'a SigningIdentity,
    /// Digest of the manifest.
    pub manifest: Digest,
}

/// Changes what arrives at a site: gets the site and a message of the coordinator, gives what is delivered instead.
pub type Tamper = Box<dyn FnMut(u16, ToSite, &Lies<'_>) -> Vec<ToSite>>;

/// Changes what a site sends: gets the site's index, its key and its message, gives what is delivered instead.
pub type Traitor = Box<dyn FnMut(u16, FromSite, &SigningIdentity) -> FromSite>;

/// One run of one study.
pub struct Federation {
    manifest: Manifest,
    protocol: Arc<Protocol>,
    identity: SigningIdentity,
    coordinator: CoordinatorMachine,
    journal: Ledger<CoordinatorRecord>,
    hospitals: Vec<Hospital>,
    dice: Dice,
    points: usize,
    crash: Crashes,
    tamper: Option<Tamper>,
    traitor: Option<Traitor>,
    withdraw: Option<(u16, u32)>,
    sent: Vec<(u16, FromSite)>,
    /// What sites refused, in order.
    pub refusals: Vec<(u16, Refusal)>,
    /// What the coordinator did not accept, by site, in order.
    pub faults: Vec<(u16, Fault)>,
}

impl std::fmt::Debug for Federation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Federation({}, {} sites)", self.manifest.name(), self.hospitals.len())
    }
}

impl Federation {
    /// A run with one cohort per site, in roster order, and the loosest policy that a site can have. All sites have
    /// approved and are about to connect.
    ///
    /// # Panics
    /// When the cohorts are fewer than a roster needs.
    pub fn new(protocol: Arc<Protocol>, cohorts: Vec<Cohort>, seed: u64) -> Federation {
        let policies = vec![loosest(); cohorts.len()];
        Federation::with_policies(protocol, cohorts, policies, seed)
    }

    /// A run with one cohort and one policy per site.
    ///
    /// # Panics
    /// When the cohorts are fewer than a roster needs, or not as many as the policies.
    pub fn with_policies(
        protocol: Arc<Protocol>,
        cohorts: Vec<Cohort>,
        policies: Vec<Policy>,
        seed: u64,
    ) -> Federation {
        assert_eq!(cohorts.len(), policies.len(), "one policy per site");
        let mut dice = Dice::new(seed);
        let identity = SigningIdentity::from_bytes(&dice.bytes());
        let keys: Vec<[u8; 32]> = cohorts.iter().map(|_| dice.bytes()).collect();
        let member = |(i, key): (usize, &[u8; 32])| Member {
            id: format!("S{i:04}"),
            legal_name: format!("Hospital {i}"),
            identity: SigningIdentity::from_bytes(key).public(),
        };
        let manifest = Manifest {
            study: protocol.id.clone(),
            run: [7; 16],
            protocol: protocol.digest,
            plan_version: PLAN_VERSION,
            roster: Roster::new(keys.iter().enumerate().map(member).collect()).expect("a roster"),
            coordinator: identity.public(),
            created: 0,
            expires: party::NOW + 1,
        };
        let mut hospitals = Vec::new();
        for (site, ((key, cohort), policy)) in keys.into_iter().zip(cohorts).zip(policies).enumerate() {
            let dice = Dice::new(dice.next());
            hospitals.push(Hospital::new(site as u16, key, cohort, policy, &manifest, &protocol, dice));
        }
        let coordinator = recover(&manifest, &protocol, &identity, &[]);
        let digest = manifest.digest();
        Federation {
            manifest,
            protocol,
            identity,
            coordinator,
            journal: Ledger::new(digest),
            hospitals,
            dice,
            points: 0,
            crash: Crashes::Never,
            tamper: None,
            traitor: None,
            withdraw: None,
            sent: Vec::new(),
            refusals: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Spreads every site's questions over so many threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Federation {
        for hospital in &mut self.hospitals {
            hospital.threads = threads;
        }
        self
    }

    /// Lets one party crash once.
    #[must_use]
    pub fn crash(mut self, crash: Crash) -> Federation {
        self.crash = Crashes::Once(crash);
        self
    }

    /// Lets a site's people take their approval back just before the request of a round arrives there.
    #[must_use]
    pub fn withdraw(mut self, site: u16, round: u32) -> Federation {
        self.withdraw = Some((site, round));
        self
    }

    /// Makes it `now` at every site.
    #[must_use]
    pub fn at(mut self, now: u64) -> Federation {
        for hospital in &mut self.hospitals {
            hospital.now = now;
        }
        self
    }

    /// Lets a party crash at about every n-th journal point, for so many crashes.
    #[must_use]
    pub fn crash_every(mut self, n: usize, crashes: usize) -> Federation {
        self.crash = Crashes::Often { n, left: crashes };
        self
    }

    /// Lets somebody change what arrives at the sites.
    #[must_use]
    pub fn tamper(mut self, tamper: Tamper) -> Federation {
        self.tamper = Some(tamper);
        self
    }

    /// Lets a site send what its machine does not say.
    #[must_use]
    pub fn traitor(mut self, traitor: Traitor) -> Federation {
        self.traitor = Some(traitor);
        self
    }

    /// Delivers messages until none is left: the run has ended, or nobody has anything more to say.
    pub fn run(&mut self) {
        while self.step() {}
    }

    /// Have all parties ended with the same results?
    pub fn finished(&self) -> bool {
        self.coordinator.finished() && self.hospitals.iter().all(|h| h.machine.finished())
    }

    /// The coordinator's machine.
    pub fn coordinator(&self) -> &CoordinatorMachine {
        &self.coordinator
    }

    /// Gives the coordinator an approval, as a connection would.
    pub fn join(&mut self, approval: Approval) -> Result<(), Fault> {
        let mut effects = self.coordinator_effects();
        self.coordinator.joined(approval, &mut effects)
    }

    /// Gives the coordinator a message, as if a site had sent it.
    pub fn say(&mut self, site: u16, message: FromSite) -> Result<(), Fault> {
        let mut effects = self.coordinator_effects();
        self.coordinator.handle(site, message, &mut effects)
    }

    fn write(&mut self, records: Vec<CoordinatorRecord>) {
        self.journal.extend(party::NOW, "coordinator", records);
        self.journal.sync();
    }

    fn coordinator_effects(&self) -> party::CoordinatorEffects {
        party::CoordinatorEffects { head: self.journal.head(), records: Vec::new(), messages: Vec::new() }
    }

    /// Tells the coordinator that a site takes its approval back; `signer` signs.
    pub fn take_back(&mut self, site: u16, signer: u16) -> Result<(), Fault> {
        let identity = self.hospitals[usize::from(signer)].identity();
        let withdrawal = Withdrawal::sign(&identity, site, self.manifest.digest());
        let mut effects = self.coordinator_effects();
        let taken = self.coordinator.withdrawn(&withdrawal, &mut effects);
        self.write(effects.records);
        taken
    }

    /// The approval of a site.
    pub fn approval(&self, site: u16) -> &Approval {
        &self.hospitals[usize::from(site)].approval
    }

    /// The manifest of the run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Every message of a site that the coordinator got, in order.
    pub fn sent(&self) -> &[(u16, FromSite)] {
        &self.sent
    }

    /// Number of calls so far that made a party write something down.
    pub fn journal_points(&self) -> usize {
        self.points
    }

    /// What a site has written down.
    pub fn site_journal(&self, site: u16) -> &[SiteRecord] {
        self.hospitals[usize::from(site)].journal.records()
    }

    /// The entries of a site's ledger.
    pub fn site_entries(&self, site: u16) -> &[Vec<u8>] {
        self.hospitals[usize::from(site)].journal.entries()
    }

    /// The entries of the coordinator's ledger.
    pub fn coordinator_entries(&self) -> &[Vec<u8>] {
        self.journal.entries()
    }

    /// A site's machine from another journal, as after a restart.
    pub fn restart(&self, site: u16, records: &[SiteRecord]) -> Result<(), Refusal> {
        self.hospitals[usize::from(site)].recover(records).map(|_| ())
    }

    /// What the coordinator has written down.
    pub fn coordinator_journal(&self) -> &[CoordinatorRecord] {
        self.journal.records()
    }

    /// A party's ledger for a reviewer; `protocol` is the text that the run's protocol was parsed from.
    pub fn bundle(&self, party: Party, protocol: &str) -> Bundle {
        let entries = match party {
            Party::Coordinator => self.coordinator_entries(),
            Party::Site(site) => self.site_entries(site),
        };
        let bundle = Bundle {
            party,
            manifest: self.manifest.to_bytes(),
            manifest_signature: self.manifest.sign(&self.identity),
            protocol: protocol.to_owned(),
            policy: LOOSEST.to_owned(),
            entries: entries.to_vec(),
            head: Digest([0; 32]),
            count: 0,
            signature: Signature([0; 64]),
        };
        self.sign(bundle)
    }

    /// Signs a bundle with its party's key, as the party would.
    pub fn sign(&self, bundle: Bundle) -> Bundle {
        match bundle.party {
            Party::Coordinator => bundle.signed(&self.identity),
            Party::Site(site) => bundle.signed(&self.hospitals[usize::from(site)].identity()),
        }
    }

    /// The coordinator's machine from another journal, as after a restart.
    pub fn restart_coordinator(&self, records: &[CoordinatorRecord]) -> CoordinatorMachine {
        recover(&self.manifest, &self.protocol, &self.identity, records)
    }

    /// The plan, as the first site holds it.
    pub fn plan(&self) -> &Plan {
        self.hospitals[0].machine.plan()
    }

    /// All tables, as the first site has them before any floor.
    pub fn results(&self) -> Results {
        Results::of(self.plan())
    }

    /// Digest of the results, the same for every run that ends in the same bits.
    ///
    /// # Panics
    /// When the run has not ended, or a site has other results.
    pub fn bits(&self) -> Digest {
        assert!(self.finished(), "the run has not ended: {:?}, {:?}", self.refusals, self.faults);
        let ours = bits(self.plan());
        assert!(self.hospitals.iter().all(|h| bits(h.machine.plan()) == ours), "a site has other results");
        ours
    }

    /// Delivers one message on a connection that the dice choose.
    fn step(&mut self) -> bool {
        let waiting: Vec<(usize, Waiting)> =
            self.hospitals.iter().enumerate().flat_map(|(i, h)| h.waiting().map(move |w| (i, w))).collect();
        if waiting.is_empty() {
            return false;
        }
        match waiting[self.dice.below(waiting.len())] {
            (site, Waiting::Up) => self.deliver_up(site),
            (site, Waiting::Down) => self.deliver_down(site),
        }
        true
    }

    fn deliver_up(&mut self, site: usize) {
        let Some(up) = self.hospitals[site].up.pop_front() else { return };
        let number = site as u16;
        let mut effects = self.coordinator_effects();
        let outcome = match up {
            Up::Left => {
                self.coordinator.left(number);
                Ok(())
            }
            Up::Joined => {
                self.hospitals[site].accepting = true;
                let approval = self.hospitals[site].approval.clone();
                self.coordinator.joined(approval, &mut effects)
            }
            Up::Message(message) => {
                let identity = self.hospitals[site].identity();
                let message = match &mut self.traitor {
                    Some(traitor) => traitor(number, *message, &identity),
                    None => *message,
                };
                self.sent.push((number, message.clone()));
                self.coordinator.handle(number, message, &mut effects)
            }
        };
        if let Err(fault) = outcome {
            self.faults.push((number, fault));
        }
        let crash = self.crash_now(!effects.records.is_empty());
        if crash != Some(Moment::BeforePersist) {
            self.write(effects.records);
        }
        if matches!(crash, None | Some(Moment::AfterSend)) {
            for (site, message) in effects.messages {
                self.hospitals[usize::from(site)].receive(message);
            }
        }
        if crash.is_some() {
            self.crash_coordinator();
        }
    }

    fn deliver_down(&mut self, site: usize) {
        let messages = match self.hospitals[site].down.pop_front() {
            None => return,
            Some(Down::Closed) => return self.hospitals[site].reconnect(),
            Some(Down::Message(message)) => self.tampered(site as u16, *message),
        };
        for message in messages {
            let hospital = &mut self.hospitals[site];
            if let ToSite::RoundOpen(open) = &message
                && self.withdraw == Some((site as u16, open.round))
            {
                hospital.withdraw();
            }
            let (outcome, effects) = hospital.handle(message);
            if let Err(refusal) = outcome {
                self.refusals.push((site as u16, refusal));
            }
            let crash = self.crash_now(!effects.records.is_empty());
            let hospital = &mut self.hospitals[site];
            if crash != Some(Moment::BeforePersist) {
                hospital.write(effects.records, &effects.messages);
            }
            if matches!(crash, None | Some(Moment::AfterSend)) {
                hospital.up.extend(effects.messages.into_iter().map(|message| Up::Message(Box::new(message))));
            }
            if crash.is_some() {
                hospital.crash(&mut self.dice);
                return;
            }
        }
    }

    fn tampered(&mut self, site: u16, message: ToSite) -> Vec<ToSite> {
        let lies = Lies { identity: &self.identity, manifest: self.manifest.digest() };
        match &mut self.tamper {
            Some(tamper) => tamper(site, message, &lies),
            None => vec![message],
        }
    }

    /// Counts journal points; is this the one at which its party crashes?
    fn crash_now(&mut self, wrote: bool) -> Option<Moment> {
        if !wrote {
            return None;
        }
        self.points += 1;
        match &mut self.crash {
            Crashes::Often { n, left } if *left > 0 && self.dice.below(*n) == 0 => {
                *left -= 1;
                Some(Moment::ALL[self.dice.below(3)])
            }
            Crashes::Once(crash) if crash.point == self.points => Some(crash.moment),
            Crashes::Never | Crashes::Once(_) | Crashes::Often { .. } => None,
        }
    }

    /// The coordinator starts again from its journal; every connection ends after some of what was under way.
    fn crash_coordinator(&mut self) {
        for hospital in &mut self.hospitals {
            hospital.lose_coordinator(&mut self.dice);
        }
        self.coordinator = recover(&self.manifest, &self.protocol, &self.identity, self.journal.records());
    }
}

fn recover(
    manifest: &Manifest,
    protocol: &Arc<Protocol>,
    identity: &SigningIdentity,
    records: &[CoordinatorRecord],
) -> CoordinatorMachine {
    let identity = SigningIdentity::from_bytes(&identity.to_bytes());
    CoordinatorMachine::recover(manifest.clone(), protocol, identity, records.iter().cloned())
        .expect("a journal that the machine wrote itself replays")
}
