//! A coordinator that lies to real agents: every attack is refused with its rule and recorded, and the same processes
//! serve honest runs meanwhile and afterwards, with the same bits.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use coordinator::authority::load_signing_identity;
use coordinator::store::{Store, StoredRun};
use entente_tests::federation::{Rows, plain};
use entente_tests::hostile::{ATTACK, After, Attack, TARGET, attacks};
use jiff::Timestamp;
use rehearsal::{Federation, StudyDir};
use secagg::{Digest, SigningIdentity};
use site_agent::identity;
use site_agent::run::{Approver, Person, approve, decisions, export, offers, runs};
use study::audit::verify;
use study::ledger::{Chain, DecisionRecord};
use study::machine::site::SiteRecord;
use study::results::{Results, results_digest};
use study::roster::{Member, Roster};

use crate::{reference, small};

const PATIENCE: Duration = Duration::from_mins(1);
const SITES: usize = 4;
/// Every rule as loose as it can be: what is refused under it is refused by the protocol of the parties.
const LOOSE: &str = "
opening = \"totals\"
minimum_sites = 3
minimum_patients = 0
minimum_cell = 0
minimum_pair = 0
rows_per_parameter = 0
events_per_parameter = 0
finest_grid_days = 0
minimum_leavers = 0
maximum_rounds = 1000
maximum_runs = 1000
allow_differencing = true
approvals = 1
";

fn rows() -> Vec<Rows> {
    small::rows(80).split(SITES, |_, i| i % SITES)
}

/// The small study on disk, four sites.
fn study(dir: &Path) -> StudyDir {
    let file = |(i, rows): (usize, &Rows)| {
        let id = format!("S{:02}", i + 1);
        let path = dir.join(format!("{id}.csv"));
        rows.write(&path);
        (id, path)
    };
    StudyDir { protocol: small::text(), policy: LOOSE.into(), sites: rows().iter().enumerate().map(file).collect() }
}

/// One line of the table.
struct Line {
    attack: String,
    does: String,
    rule: &'static str,
    recorded: &'static str,
    run: &'static str,
}

/// The federation under attack.
struct Stand {
    federation: Federation,
    study: StudyDir,
    /// Of a run that nobody disturbed.
    undisturbed: Results,
}

/// End of a log.
fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(6)..].join("\n")
}

/// Records of a run's ledger at a site, as far as they are whole.
fn journal(site: &Path, run: &Digest) -> Vec<SiteRecord> {
    let bytes = fs::read(site.join("runs").join(run.to_string()).join("journal")).unwrap_or_default();
    let (mut chain, mut rest, mut records) = (Chain::new(*run), bytes.as_slice(), Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let Some((frame, after)) = after.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        records.push(chain.next::<SiteRecord>(frame).unwrap().record);
        rest = after;
    }
    records
}

impl Stand {
    fn new(dir: &Path) -> Stand {
        let study = study(dir);
        let stop = AtomicBool::new(false);
        let executable = Path::new(env!("CARGO_BIN_EXE_hostile-coordinator"));
        let mut federation = Federation::set_up(&study, dir, executable, &stop).unwrap();
        federation.start_agents().unwrap();
        federation.follow(&stop, PATIENCE, |_| false).unwrap();
        let finished = federation.results().unwrap();
        let plan = plain(&small::protocol(), &reference::cohorts(&small::protocol(), &rows())).unwrap();
        let digest = federation.followed().unwrap().manifest.digest();
        assert_eq!(finished.provenance.results_digest, results_digest(&digest, &plan).to_string());
        Stand { federation, study, undisturbed: finished.results }
    }

    fn target(&self) -> PathBuf {
        self.federation.site_dir(usize::from(TARGET))
    }

    /// Waits for what an attack leads to.
    fn until<T>(&self, attack: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            if begun.elapsed() > PATIENCE {
                let dir = self.federation.coordinator_dir();
                let dir = dir.parent().unwrap();
                let logs = ["coordinator.log", "S01.log", "S02.log"].map(|log| last_lines(&dir.join(log)));
                panic!("{attack}: nothing happens\n{}", logs.join("\n--\n"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn lies(&self, attack: &str) {
        fs::write(self.federation.coordinator_dir().join(ATTACK), attack).unwrap();
    }

    /// Refusals in the target's own ledger, behind the first `skip` entries.
    fn refused(&self, skip: usize) -> Vec<String> {
        let rules = decisions(&self.target()).unwrap().into_iter().skip(skip).filter_map(|entry| match entry.record {
            DecisionRecord::Refused { rule, .. } => Some(rule),
            _ => None,
        });
        rules.collect()
    }

    /// What a reviewer finds in the target's ledger of a run.
    fn found(&self, run: &Digest) -> Vec<String> {
        let site = self.target();
        let identity = identity::load(&site, Timestamp::now()).unwrap();
        let folder = runs(&site).unwrap().into_iter().find(|folder| folder.manifest.digest() == *run).unwrap();
        let bundle = export(&folder, identity.signing()).unwrap();
        verify(&[bundle]).findings.into_iter().map(|finding| finding.what).collect()
    }

    fn results(&self, run: &StoredRun) -> Option<Results> {
        let state_dir = self.federation.coordinator_dir();
        coordinator::study::read(&state_dir, &run.manifest.name()).ok().map(|finished| finished.results)
    }

    /// One attack in a run of its own.
    fn attacked(&mut self, attack: &'static Attack) -> Line {
        self.lies(attack.name);
        let known = decisions(&self.target()).unwrap().len();
        let state_dir = self.federation.coordinator_dir();
        let run = if attack.after == After::NoRun {
            coordinator::study::create(&state_dir, &self.study.protocol, &[], 30, Timestamp::now()).unwrap()
        } else {
            self.federation.another_run(&self.study, &AtomicBool::new(false)).unwrap();
            self.federation.followed().unwrap().clone()
        };
        let digest = run.manifest.digest();
        let refusal = SiteRecord::Refused { rule: attack.rule.into() };
        let recorded = self.until(attack.name, || {
            if journal(&self.target(), &digest).contains(&refusal) {
                return Some("run");
            }
            self.refused(known).iter().any(|rule| rule == attack.rule).then_some("site")
        });
        let run = match attack.after {
            After::GoesOn | After::NewKeys => {
                let results = self.until(attack.name, || self.results(&run));
                assert!(results == self.undisturbed, "{}: the results differ", attack.name);
                assert_eq!(self.found(&digest), Vec::<String>::new(), "{}: the site's ledger", attack.name);
                "finished, same bits"
            }
            After::Ends => {
                let journal = journal(&self.target(), &digest);
                let behind = journal.iter().skip_while(|record| **record != refusal);
                let answered = |record: &&SiteRecord| matches!(record, SiteRecord::Answered { .. });
                assert_eq!(behind.filter(answered).count(), 0, "{}: it answers on", attack.name);
                assert!(!journal.iter().any(|record| matches!(record, SiteRecord::Closed { .. })), "{}", attack.name);
                "ended at this site"
            }
            After::NoRun => "not begun",
        };
        Line { attack: attack.name.into(), does: attack.does.into(), rule: attack.rule, recorded, run }
    }

    /// A run that the target's policy does not allow: its people try to approve what the agent was offered.
    fn not_allowed(&self, attack: &str, does: &str, rule: &'static str, policy: &str, run: &StoredRun) -> Line {
        let (site, digest) = (self.target(), run.manifest.digest());
        let offered = self.until(attack, || {
            offers(&site).unwrap().into_iter().find(|offered| offered.offer.manifest.digest() == digest)
        });
        let now = Timestamp::now();
        let identity = identity::load(&site, now).unwrap();
        let approver =
            Approver { state_dir: &site, identity: identity.signing(), coordinator: identity.coordinator().identity };
        let person = Person::here("Reviewer 1", now.as_second().cast_unsigned());
        let data = &self.study.sites[usize::from(TARGET)].1;
        let refused = approve(&approver, &offered.offer, data, policy, &person).unwrap_err();
        assert_eq!(refused.code(), rule, "{attack}: {refused}");
        let record = DecisionRecord::Refused { manifest: Some(digest), rule: rule.into() };
        assert!(decisions(&site).unwrap().iter().any(|entry| entry.record == record), "{attack}: not recorded");
        Line { attack: attack.into(), does: does.into(), rule, recorded: "site", run: "not begun" }
    }

    fn create(&self, protocol: &str, sites: &[String]) -> StoredRun {
        let state_dir = self.federation.coordinator_dir();
        coordinator::study::create(&state_dir, protocol, sites, 30, Timestamp::now()).unwrap()
    }

    /// A run with other members than the enrolled ones, signed by the coordinator.
    fn with_roster(&self, change: impl FnOnce(&mut Vec<Member>)) -> StoredRun {
        let state_dir = self.federation.coordinator_dir();
        let mut run = self.create(&self.study.protocol, &[]);
        let mut members = run.manifest.roster.members().to_vec();
        change(&mut members);
        run.manifest.roster = Roster::new(members).unwrap();
        run.manifest.run[0] ^= 1;
        run.signature = run.manifest.sign(&load_signing_identity(&state_dir).unwrap());
        Store::open(&state_dir).unwrap().add_run(&run).unwrap();
        run
    }

    /// What a policy stops.
    fn policies(&self) -> Vec<Line> {
        self.lies("");
        let protocol = &self.study.protocol;
        let memory = LOOSE
            .replace("allow_differencing = true", "allow_differencing = false")
            .replace("minimum_cell = 0", "minimum_cell = 5");
        let keys: Vec<String> = self
            .federation
            .followed()
            .unwrap()
            .manifest
            .roster
            .identities()
            .iter()
            .map(secagg::PublicIdentity::fingerprint)
            .collect();
        let trusting = |minimum: usize| {
            let list = keys.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
            LOOSE.replace("minimum_sites = 3", &format!("minimum_sites = {minimum}\ntrusted_sites = [{list}]"))
        };
        let member = |id: &str, n: u8| Member {
            id: id.into(),
            legal_name: format!("Hospital {id}"),
            identity: SigningIdentity::from_bytes(&[n; 32]).public(),
        };
        let everybody = || self.create(protocol, &[]);
        vec![
            self.not_allowed(
                "finer grid",
                "a study on a finer grid of time than the site's policy allows",
                "policy.finest_grid_days",
                &LOOSE.replace("finest_grid_days = 0", "finest_grid_days = 31"),
                &everybody(),
            ),
            self.not_allowed(
                "unapproved variable",
                "a study that uses a variable which the policy does not name",
                "policy.variables",
                &format!("{LOOSE}variables = [\"regimen\", \"age\"]\n"),
                &everybody(),
            ),
            self.not_allowed(
                "splitting",
                "a second run whose cohort leaves two patients of the site out",
                "policy.differencing",
                &memory,
                &self.create(&protocol.replace("age IS NOT NULL", &format!("age < {}", two_oldest())), &[]),
            ),
            self.not_allowed(
                "second manifest without one site",
                "the same study once more with one site less",
                "policy.differencing",
                &memory,
                &self.create(protocol, &["S01", "S02", "S03"].map(String::from)),
            ),
            self.not_allowed(
                "many runs",
                "one run more of a study than the policy allows",
                "policy.maximum_runs",
                &LOOSE.replace("maximum_runs = 1000", "maximum_runs = 3"),
                &everybody(),
            ),
            self.not_allowed(
                "invented sites",
                "a roster with three sites that nobody vouches for",
                "policy.minimum_sites",
                &trusting(5),
                &self.with_roster(|all| all.extend([member("A01", 21), member("A02", 22), member("A03", 23)])),
            ),
            self.not_allowed(
                "renamed site",
                "a roster in which a site's name stands over a key of the coordinator's",
                "policy.minimum_sites",
                &trusting(4),
                &self.with_roster(|all| all[2] = member("S03", 24)),
            ),
        ]
    }
}

/// An age that all but the two oldest patients of the target are below.
fn two_oldest() -> f64 {
    let rows = &rows()[usize::from(TARGET)];
    let mut ages: Vec<f64> = (0..rows.len()).map(|row| rows.get(row, "age").parse().unwrap()).collect();
    ages.sort_by(f64::total_cmp);
    let [.., below, above, _] = ages.as_slice() else { panic!("three patients") };
    assert!(below < above);
    f64::midpoint(*below, *above)
}

#[test]
fn every_attack_is_refused_with_its_rule_and_recorded_and_the_agents_serve_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut stand = Stand::new(dir.path());
    let mut lines: Vec<Line> = attacks().map(|attack| stand.attacked(attack)).collect();
    lines.extend(stand.policies());

    println!("| attack | what the coordinator does | rule | ledger | run |\n|---|---|---|---|---|");
    for Line { attack, does, rule, recorded, run } in &lines {
        println!("| {attack} | {does} | `{rule}` | {recorded} | {run} |");
    }
    assert!(lines.len() >= 22, "{} attacks", lines.len());

    // the processes that were attacked finish an honest run
    stand.lies("");
    let stop = AtomicBool::new(false);
    stand.federation.another_run(&stand.study, &stop).unwrap();
    stand.federation.follow(&stop, PATIENCE, |_| false).unwrap();
    assert!(stand.federation.results().unwrap().results == stand.undisturbed, "the results differ");
}
