//! Two processes with one identity, over real processes: the same state directory twice, a copy beside the original, a copy
//! that has gone on, an older copy. And every file of a site's state removed, exchanged or cut short in the middle of a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use coordinator::study::FinishedRun;
use rehearsal::{Beside, Federation, RehearsalError, StudyDir};

use crate::processes::same_bits;

const PATIENCE: Duration = Duration::from_mins(2);
/// The site whose state is doubled or changed.
const SITE: usize = 1;
/// The site whose files it gets.
const OTHER: usize = 2;

fn study() -> StudyDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    StudyDir::read(&root.join("examples/rotterdam"), "protocol-quarter.toml").unwrap()
}

fn started(study: &StudyDir, dir: &Path) -> Federation {
    let party = Path::new(env!("CARGO_BIN_EXE_party"));
    let mut federation = Federation::set_up(study, dir, party, &AtomicBool::new(false)).unwrap();
    federation.start_agents().unwrap();
    federation
}

fn follow(federation: &mut Federation, until: impl FnMut(&coordinator::hub::RunReport) -> bool) {
    federation.follow(&AtomicBool::new(false), PATIENCE, until).unwrap();
}

fn finish(federation: &mut Federation) -> FinishedRun {
    follow(federation, |_| false);
    federation.results().unwrap()
}

fn undisturbed(study: &StudyDir) -> FinishedRun {
    let dir = tempfile::tempdir().unwrap();
    finish(&mut started(study, dir.path()))
}

/// A copy of a state directory, as a cloned machine has it.
fn copied(from: &Path, to: &Path) -> PathBuf {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &to);
        } else {
            // with its permissions
            fs::copy(entry.path(), to).unwrap();
        }
    }
    to.to_owned()
}

/// Waits until it is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn ended_with(mut process: Beside, code: &str) {
    until(code, || !process.is_running());
    assert!(process.log().contains(&format!("error[{code}]")), "{}", process.log());
}

#[test]
fn a_second_process_on_a_state_directory_is_refused_and_the_run_goes_on() {
    let study = study();
    let dir = tempfile::tempdir().unwrap();
    let mut federation = started(&study, dir.path());
    follow(&mut federation, |report| report.round >= 2);
    ended_with(federation.agent_beside(&federation.site_dir(SITE), "doubled").unwrap(), "state.held");
    ended_with(federation.coordinator_beside(&federation.coordinator_dir(), "second").unwrap(), "state.held");
    let disturbed = finish(&mut federation);
    assert!(same_bits(&disturbed, &undisturbed(&study)), "the results differ in some bit");
}

/// A cloned machine wakes up beside the original, and a cloned coordinator beside the original coordinator.
#[test]
fn a_copy_beside_the_original_waits_and_the_run_goes_on() {
    let study = study();
    let dir = tempfile::tempdir().unwrap();
    let mut federation = started(&study, dir.path());
    follow(&mut federation, |report| report.round >= 2);
    let clone = copied(&federation.site_dir(SITE), &dir.path().join("clone"));
    let mut copy = federation.agent_beside(&clone, "copy").unwrap();
    let second = copied(&federation.coordinator_dir(), &dir.path().join("second"));
    let mut second = federation.coordinator_beside(&second, "second").unwrap();
    until("the copy is refused", || copy.log().contains("connect_second_agent"));
    assert!(copy.is_running() && second.is_running(), "both wait");
    let disturbed = finish(&mut federation);
    assert!(same_bits(&disturbed, &undisturbed(&study)), "the results differ in some bit");
    let log = fs::read_to_string(dir.path().join("coordinator.log")).unwrap();
    assert!(log.contains("a second agent with this identity") && log.contains("peer.second_agent"), "{log}");
}

/// The copy runs while the original is down. Whoever is behind afterwards is told so, and the newest state goes on.
#[test]
fn who_is_behind_is_told_and_the_newest_state_goes_on() {
    let study = study();
    let dir = tempfile::tempdir().unwrap();
    let mut federation = started(&study, dir.path());
    follow(&mut federation, |report| report.round >= 2);
    federation.kill_agent(SITE);
    let clone = copied(&federation.site_dir(SITE), &dir.path().join("clone"));
    let copy = federation.agent_beside(&clone, "copy").unwrap();
    follow(&mut federation, |report| report.round >= 5);
    drop(copy);

    federation.start_agent(SITE).unwrap();
    let ended = federation.follow(&AtomicBool::new(false), PATIENCE, |_| false).unwrap_err();
    let RehearsalError::Stopped { code, message, .. } = ended else { panic!("{ended}") };
    assert_eq!((code.as_str(), message.contains("run.behind")), ("peer.refused", true), "{message}");
    until("the site is told", || federation.agent_log(SITE).contains("run.behind"));

    // it is let in although the other one is connected still: that one has shown that it is behind
    let mut copy = federation.agent_beside(&clone, "copy again").unwrap();
    let goes_on = |report: &coordinator::hub::RunReport| report.problem.is_none() && report.round > 5;
    until("the newest state goes on", || federation.follow(&AtomicBool::new(false), PATIENCE, goes_on).is_ok());
    assert!(copy.is_running());
    let disturbed = finish(&mut federation);
    assert!(same_bits(&disturbed, &undisturbed(&study)), "the results differ in some bit");
}

/// A coordinator that was restored from an older copy says so instead of blaming the sites.
#[test]
fn an_older_coordinator_is_recognised() {
    let study = study();
    let dir = tempfile::tempdir().unwrap();
    let mut federation = started(&study, dir.path());
    follow(&mut federation, |report| report.round >= 2);
    federation.kill_coordinator();
    let older = copied(&federation.coordinator_dir(), &dir.path().join("older"));
    let newest = dir.path().join("newest");
    federation.restart_coordinator().unwrap();
    follow(&mut federation, |report| report.round >= 5);
    federation.kill_coordinator();
    fs::rename(federation.coordinator_dir(), &newest).unwrap();
    fs::rename(&older, federation.coordinator_dir()).unwrap();
    federation.restart_coordinator().unwrap();
    let ended = federation.follow(&AtomicBool::new(false), PATIENCE, |_| false).unwrap_err();
    let RehearsalError::Stopped { code, message, .. } = ended else { panic!("{ended}") };
    assert!(code == "peer.ahead" || message.contains("run.stale_epoch"), "{code}: {message}");

    federation.kill_coordinator();
    fs::remove_dir_all(federation.coordinator_dir()).unwrap();
    fs::rename(&newest, federation.coordinator_dir()).unwrap();
    federation.restart_coordinator().unwrap();
    let disturbed = finish(&mut federation);
    assert!(same_bits(&disturbed, &undisturbed(&study)), "the results differ in some bit");
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Removed,
    /// For the same file of another site.
    Exchanged,
    /// For the site's own file of before the first round.
    Older,
    /// At its middle.
    Cut,
}

/// Every file of the state on which a run may depend, what is done to it, and what the site says.
const TABLE: &[(&str, &[(Change, &str)])] = {
    use Change::{Cut, Exchanged, Older, Removed};
    &[
        (
            "identity/tls.key.pem",
            &[(Removed, "identity_state"), (Cut, "identity_damaged"), (Exchanged, "package_other_key")],
        ),
        (
            "identity/identity.key",
            &[(Removed, "identity_state"), (Cut, "identity_damaged"), (Exchanged, "identity_damaged")],
        ),
        (
            "identity/request.toml",
            &[(Removed, "identity_state"), (Cut, "identity_damaged"), (Exchanged, "identity_damaged")],
        ),
        (
            "identity/package.toml",
            &[(Removed, "identity_not_enrolled"), (Cut, "identity_damaged"), (Exchanged, "package_roster_entry")],
        ),
        (
            "identity/draws.key",
            &[(Removed, "identity_no_draw_key"), (Cut, "identity_damaged"), (Exchanged, "run.foreign")],
        ),
        ("ledger", &[(Removed, "ledger.absent"), (Cut, "ledger.behind"), (Exchanged, "ledger.behind")]),
        ("runs/RUN/manifest", &[(Removed, "run.file"), (Cut, "run.damaged")]),
        ("runs/RUN/signature", &[(Removed, "run.file"), (Cut, "run.damaged")]),
        ("runs/RUN/protocol.toml", &[(Removed, "run.file"), (Cut, "run.damaged")]),
        ("runs/RUN/policy.toml", &[(Removed, "run.file"), (Cut, "run.damaged")]),
        ("runs/RUN/approval", &[(Removed, "run.file"), (Cut, "run.damaged"), (Exchanged, "run.foreign")]),
        (
            "runs/RUN/cohort",
            &[(Removed, "snapshot.absent"), (Cut, "snapshot.truncated"), (Exchanged, "snapshot.altered")],
        ),
        (
            "runs/RUN/journal",
            &[(Removed, "journal.absent"), (Cut, "run.behind"), (Exchanged, "run.foreign"), (Older, "run.behind")],
        ),
        ("runs/RUN", &[(Removed, "run.absent"), (Exchanged, "run.foreign"), (Older, "run.behind")]),
        ("identity", &[(Removed, "identity_missing"), (Exchanged, "connect_second_agent")]),
    ]
};

/// Nothing goes on silently, nothing is made anew, and with the right files the run ends in the same bits.
#[test]
fn no_file_of_a_run_is_missing_or_another_one_silently() {
    let study = study();
    let dir = tempfile::tempdir().unwrap();
    let party = Path::new(env!("CARGO_BIN_EXE_party"));
    let mut federation = Federation::set_up(&study, dir.path(), party, &AtomicBool::new(false)).unwrap();
    let (state, other) = (federation.site_dir(SITE), federation.site_dir(OTHER));
    let older = copied(&state, &dir.path().join("older"));
    federation.start_agents().unwrap();
    follow(&mut federation, |report| report.round >= 3);
    federation.kill_agent(SITE);
    let newest = copied(&state, &dir.path().join("newest"));
    let run = federation.followed().unwrap().manifest.digest().to_string();

    let mut surprises = Vec::new();
    for (name, changes) in TABLE {
        let name = &name.replace("RUN", &run);
        for (change, code) in *changes {
            // the ledgers of two sites are the same where the same reviewer decided in the same second
            if *change == Change::Exchanged
                && state_file(&newest, name).is_some_and(|own| state_file(&other, name) == Some(own))
            {
                continue;
            }
            fs::remove_dir_all(&state).unwrap();
            copied(&newest, &state);
            changed(*change, name, &state, &other, &older);
            let said = federation.agent_log(SITE).len();
            federation.start_agent(SITE).unwrap();
            let begun = Instant::now();
            while !federation.agent_log(SITE)[said..].contains(code) {
                if begun.elapsed() > Duration::from_secs(30) {
                    surprises
                        .push(format!("{name} {change:?}: not {code}, but {}", &federation.agent_log(SITE)[said..]));
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            federation.kill_agent(SITE);
            if *change == Change::Removed {
                assert!(!state.join(name).exists(), "{name} is not made anew");
            }
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));

    fs::remove_dir_all(&state).unwrap();
    copied(&newest, &state);
    federation.start_agent(SITE).unwrap();
    until("the run goes on", || {
        federation
            .follow(&AtomicBool::new(false), PATIENCE, |report| report.problem.is_none() && report.round > 3)
            .is_ok()
    });
    let disturbed = finish(&mut federation);
    assert!(same_bits(&disturbed, &undisturbed(&study)), "the results differ in some bit");
}

/// The bytes of a file; none of a folder.
fn state_file(state: &Path, name: &str) -> Option<Vec<u8>> {
    fs::read(state.join(name)).ok()
}

fn changed(change: Change, name: &str, state: &Path, other: &Path, older: &Path) {
    let path = state.join(name);
    if change == Change::Cut {
        let bytes = fs::read(&path).unwrap();
        return fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(bytes.len() as u64 / 2).unwrap();
    }
    if path.is_dir() {
        fs::remove_dir_all(&path).unwrap();
    } else {
        fs::remove_file(&path).unwrap();
    }
    let source = match change {
        Change::Exchanged => other.join(name),
        Change::Older => older.join(name),
        Change::Removed | Change::Cut => return,
    };
    if source.is_dir() {
        copied(&source, &path);
    } else {
        fs::copy(source, path).unwrap();
    }
}
