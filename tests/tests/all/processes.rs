//! Whole federations of real processes: golden numbers, the same bits again, and after SIGKILL.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use coordinator::study::FinishedRun;
use entente_tests::golden::{self, Study, TOLERANCE};
use rehearsal::{Federation, RehearsalError, StudyDir};
use study::release::Release;

const PATIENCE: Duration = Duration::from_mins(1);

/// Two runs gave out the same tables, numbers bit for bit; one that is none is the same as another.
pub fn same_bits(one: &FinishedRun, other: &FinishedRun) -> bool {
    Release::bytes_of(&one.results) == Release::bytes_of(&other.results)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn study(name: &str, protocol: &str) -> StudyDir {
    StudyDir::read(&root().join("examples").join(name), protocol).unwrap()
}

fn set_up(study: &StudyDir, dir: &Path) -> Result<Federation, RehearsalError> {
    Federation::set_up(study, dir, Path::new(env!("CARGO_BIN_EXE_party")), &AtomicBool::new(false))
}

fn run(study: &StudyDir) -> FinishedRun {
    let dir = tempfile::tempdir().unwrap();
    let mut federation = set_up(study, dir.path()).unwrap();
    federation.start_agents().unwrap();
    federation.follow(&AtomicBool::new(false), PATIENCE, |_| false).unwrap();
    federation.results().unwrap()
}

fn equals_golden(name: Study, protocol: &str, section: &str) {
    let finished = run(&study(name.name(), protocol));
    let out = tempfile::tempdir().unwrap();
    coordinator::results::write(out.path(), &finished.results, &finished.provenance).unwrap();
    let golden = root().join(format!("tests/reference/golden/{}.json", name.name()));
    let report = golden::compare(out.path(), &golden, name, section, TOLERANCE).unwrap();
    assert!(report.passed(), "{report}");
}

#[test]
fn rotterdam_by_day_equals_r() {
    equals_golden(Study::Rotterdam, "protocol.toml", "day");
}

#[test]
fn rotterdam_by_month_equals_r() {
    equals_golden(Study::Rotterdam, "protocol-month.toml", "month");
}

#[test]
fn rotterdam_by_quarter_equals_r() {
    equals_golden(Study::Rotterdam, "protocol-quarter.toml", "quarter");
}

#[test]
fn lung_curves_equal_r() {
    equals_golden(Study::Lung, "protocol.toml", "curves");
}

#[test]
fn lung_model_equals_r() {
    equals_golden(Study::Lung, "protocol-cox.toml", "cox");
}

#[test]
fn relapsed_myeloma_by_month_equals_r() {
    equals_golden(Study::RelapsedMyeloma, "protocol-month.toml", "survival_month");
}

/// SIGKILL of an agent in one round and of the coordinator in a later one; both are started again.
#[test]
fn killed_parties_come_back_and_the_bits_are_the_same() {
    let study = study("relapsed-myeloma", "protocol.toml");
    let undisturbed = run(&study);

    let stop = AtomicBool::new(false);
    let dir = tempfile::tempdir().unwrap();
    let mut federation = set_up(&study, dir.path()).unwrap();
    federation.start_agents().unwrap();
    federation.follow(&stop, PATIENCE, |report| report.round >= 5).unwrap();
    federation.kill_agent(7);
    federation.start_agent(7).unwrap();
    federation.follow(&stop, PATIENCE, |report| report.round >= 9).unwrap();
    federation.kill_coordinator();
    federation.restart_coordinator().unwrap();
    federation.follow(&stop, PATIENCE, |_| false).unwrap();
    let disturbed = federation.results().unwrap();

    assert_eq!(undisturbed.provenance.rounds, disturbed.provenance.rounds);
    assert!(disturbed.provenance.rounds > 9, "the kills were in the middle of the run");
    assert!(same_bits(&undisturbed, &disturbed), "the results differ in some bit");

    // and the daily grid of the undisturbed run equals R
    let out = tempfile::tempdir().unwrap();
    coordinator::results::write(out.path(), &undisturbed.results, &undisturbed.provenance).unwrap();
    let golden = root().join("tests/reference/golden/relapsed-myeloma.json");
    let further = [root().join("tests/reference/golden/weights.json")];
    let report =
        golden::compare_with(out.path(), &golden, &further, Study::RelapsedMyeloma, "survival_day", TOLERANCE).unwrap();
    assert!(report.passed(), "{report}");
}

/// One site takes its approval back in the middle of a run: it ends there, and another run of the same parties goes on.
#[test]
fn a_withdrawn_approval_ends_one_run_and_no_other() {
    let study = study("rotterdam", "protocol-quarter.toml");
    let dir = tempfile::tempdir().unwrap();
    let mut federation = set_up(&study, dir.path()).unwrap();
    federation.start_agents().unwrap();
    let stop = AtomicBool::new(false);
    federation.follow(&stop, PATIENCE, |report| report.round >= 3).unwrap();
    federation.withdraw(4, "the board decided otherwise").unwrap();
    let ended = federation.follow(&stop, PATIENCE, |_| false).unwrap_err();
    let RehearsalError::Stopped { code, message, .. } = ended else { panic!("{ended}") };
    assert_eq!(code, "approve.withdrawn");
    assert_eq!(message, format!("site {} has withdrawn its approval", federation.sites()[4]));
    assert!(federation.results().is_err(), "there are no results");

    // the reviewers of all sites approve another run; the agents that run already take part
    federation.another_run(&study, &stop).unwrap();
    let mut finished = |report: &coordinator::hub::RunReport| report.waiting == "nothing";
    federation.follow(&stop, PATIENCE, &mut finished).unwrap();
    let golden = root().join("tests/reference/golden/rotterdam.json");
    let out = tempfile::tempdir().unwrap();
    let results = federation.results().unwrap();
    coordinator::results::write(out.path(), &results.results, &results.provenance).unwrap();
    let report = golden::compare(out.path(), &golden, Study::Rotterdam, "quarter", TOLERANCE).unwrap();
    assert!(report.passed(), "{report}");
}

/// A federation that is dropped in the middle of a run leaves no process behind.
#[test]
fn dropped_federation_ends_its_processes() {
    let study = study("rotterdam", "protocol-quarter.toml");
    let dir = tempfile::tempdir().unwrap();
    let mut federation = set_up(&study, dir.path()).unwrap();
    federation.start_agents().unwrap();
    federation.follow(&AtomicBool::new(false), PATIENCE, |report| report.round >= 2).unwrap();
    drop(federation);
    let state = dir.path().to_string_lossy().into_owned();
    let left = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let own = entry.file_name().to_string_lossy() == std::process::id().to_string();
        !own && String::from_utf8_lossy(&line).contains(&state)
    });
    assert_eq!(left.count(), 0);
}

/// A mistake in one site's file stops that site's approval and names file, column and count, not the value.
#[test]
fn a_bad_file_is_named_without_its_values() {
    let study_dir = tempfile::tempdir().unwrap();
    let sites = study_dir.path().join("sites");
    std::fs::create_dir(&sites).unwrap();
    let example = root().join("examples/relapsed-myeloma");
    std::fs::copy(example.join("protocol.toml"), study_dir.path().join("protocol.toml")).unwrap();
    std::fs::copy(example.join("policy.toml"), study_dir.path().join("policy.toml")).unwrap();
    for site in ["S01", "S02", "S03"] {
        std::fs::copy(example.join(format!("sites/{site}.csv")), sites.join(format!("{site}.csv"))).unwrap();
    }
    let path = sites.join("S02.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(",M,", ",male-canary,")).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let study = StudyDir::read(study_dir.path(), "protocol.toml").unwrap();
    let error = set_up(&study, dir.path()).unwrap_err();
    let RehearsalError::Data(files) = error else { panic!("{error}") };
    let [(site, source)] = &files[..] else { panic!("{files:?}") };
    assert_eq!(site, "S02");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
    let message = source.to_string();
    assert!(message.contains("S02.csv") && message.contains("sex"), "{message}");
    assert!(!message.contains("canary"), "{message}");
}

/// On the author's own machine a refusal says what broke which rule, and everything that refuses at once.
#[test]
fn a_policy_that_refuses_says_all_its_reasons_in_a_rehearsal() {
    let one_reviewer = "minimum_sites = 3\nminimum_patients = 50\nfinest_grid_days = 1\napprovals = 1\n";
    let mut study = study("rotterdam", "protocol-quarter.toml");
    study.policy = format!("{one_reviewer}minimum_pair = 500\nevents_per_parameter = 900\n");
    let dir = tempfile::tempdir().unwrap();
    let mut federation = set_up(&study, dir.path()).unwrap();
    federation.start_agents().unwrap();
    let stopped = federation.follow(&AtomicBool::new(false), PATIENCE, |_| false).unwrap_err();
    let RehearsalError::Stopped { code, .. } = &stopped else { panic!("{stopped}") };
    assert_eq!(code, "peer.refused");
    let rules: std::collections::BTreeSet<_> =
        stopped.refusals().iter().map(study::policy::PolicyRefusal::rule).collect();
    assert!(rules.contains("policy.minimum_pair") && rules.contains("policy.events_per_parameter"), "{rules:?}");
    let pair = stopped.refusals().iter().find(|refusal| refusal.rule() == "policy.minimum_pair").unwrap().to_string();
    assert_eq!(pair.matches('=').count(), 2, "two variables with their levels: {pair}");
    drop(federation);

    study.policy = one_reviewer.replace("minimum_sites = 3", "minimum_sites = 50").replace("days = 1", "days = 1000");
    let dir = tempfile::tempdir().unwrap();
    let refused = set_up(&study, dir.path()).unwrap_err();
    let rules: Vec<_> = refused.refusals().iter().map(study::policy::PolicyRefusal::rule).collect();
    assert!(rules.contains(&"policy.minimum_sites") && rules.contains(&"policy.finest_grid_days"), "{rules:?}");
}

/// What is wrong with the study is said before a key is made or a site enrolled.
#[test]
fn a_study_with_mistakes_is_refused_before_anything_is_made() {
    let mut study = study("rotterdam", "protocol-quarter.toml");
    let dir = tempfile::tempdir().unwrap();
    let (protocol, policy) = (study.protocol.clone(), study.policy.clone());
    study.protocol = protocol.replace("kind = \"cox\"", "kind = \"coxx\"");
    assert!(matches!(set_up(&study, dir.path()).unwrap_err(), RehearsalError::Protocol(_)));
    study.protocol = protocol;
    study.policy = format!("{policy}\nminimum_site = 3\n");
    assert!(matches!(set_up(&study, dir.path()).unwrap_err(), RehearsalError::Policy(_)));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}
