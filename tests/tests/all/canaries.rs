//! Planted values: after a run with failures of every kind at the finest log level, none of them is anywhere but in the
//! state directory of the site that they belong to.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use entente_tests::canary::Canaries;
use entente_tests::federation::Rows;
use jiff::Timestamp;
use rehearsal::{Federation, StudyDir};
use site_agent::identity;
use site_agent::run::{export, runs};
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::results::results_digest;
use study::word;

use crate::{reference, small};

const PATIENCE: Duration = Duration::from_mins(1);
const SITES: usize = 3;
const PATIENT: &str = "canary-patient-7351";
const FREE_TEXT: &str = "canary-note-of-a-ward-2290";
const RARE_LEVEL: &str = "canary-regimen-4471";
const REASON: &str = "canary-reason-of-the-board-8812";
const AGE: f64 = 61.739_148_26;
const POLICY: &str = "
opening = \"totals\"
minimum_sites = 3
minimum_patients = 0
minimum_cell = 0
minimum_pair = 0
rows_per_parameter = 0
events_per_parameter = 0
finest_grid_days = 0
minimum_leavers = 0
maximum_runs = 100
allow_differencing = true
approvals = 1
";

/// The rows of each site; one patient of each has an identifier, a note and an age of its own.
fn rows() -> Vec<Rows> {
    let own = |site: usize, rows: Rows| {
        let mark = |text: &str, i: usize, else_: &str| if i == 0 { format!("{text}-{site}") } else { else_.to_owned() };
        rows.with("patient", |rows, i| mark(PATIENT, i, rows.get(i, "patient")))
            .with("site", |rows, i| mark(FREE_TEXT, i, rows.get(i, "site")))
            .with("age", |rows, i| if i == 0 { age(site).to_string() } else { rows.get(i, "age").to_owned() })
    };
    small::rows(90).split(SITES, |_, i| i % SITES).into_iter().enumerate().map(|(site, rows)| own(site, rows)).collect()
}

fn age(site: usize) -> f64 {
    AGE + site as f64
}

fn study(dir: &Path, name: &str, rows: &[Rows]) -> StudyDir {
    let folder = dir.join(name);
    fs::create_dir(&folder).unwrap();
    let file = |(i, rows): (usize, &Rows)| {
        let id = format!("S{:02}", i + 1);
        let path = folder.join(format!("{id}.csv"));
        rows.write(&path);
        (id, path)
    };
    StudyDir { protocol: small::text(), policy: POLICY.into(), sites: rows.iter().enumerate().map(file).collect() }
}

/// What each site answers, and the digest of what the plan ends with.
fn answers(rows: &[Rows]) -> (Vec<Vec<i128>>, Plan) {
    let protocol = small::protocol();
    let cohorts = reference::cohorts(&protocol, rows);
    let (mut plan, mut own) = (Plan::new(Arc::clone(&protocol)), vec![Vec::new(); SITES]);
    while !plan.done() {
        let mut sums = vec![0_i128; plan.words()];
        for (i, cohort) in cohorts.iter().enumerate() {
            let site = Evaluator::new(&protocol, cohort, SITES, i == 0);
            let words: Vec<i128> = plan.ask().iter().flat_map(|asked| site.answer(asked).unwrap()).collect();
            sums.iter_mut().zip(&words).for_each(|(sum, word)| *sum += word);
            own[i].extend(words);
        }
        for words in &mut own {
            // what a single site alone contributes to is the sum over all sites
            words.retain(|word| !sums.contains(word));
        }
        plan.tell(&word::read(&sums, SITES));
    }
    (own, plan)
}

/// Would a word be found by chance? One with a fraction is not.
fn is_marked(word: i128) -> bool {
    let low = word.cast_unsigned() as u64;
    low.to_le_bytes().iter().filter(|byte| !matches!(byte, 0 | 0xff)).count() > 6
}

/// Runs the parties at the finest log level and keeps what they print.
fn executable(dir: &Path) -> PathBuf {
    let (path, party) = (dir.join("party.sh"), env!("CARGO_BIN_EXE_party"));
    let printed = dir.join("printed");
    let agent = format!("[ \"$1\" = __agent ] && exec '{party}' \"$@\" >>'{}'", printed.display());
    fs::write(&path, format!("#!/bin/sh\nexport ENTENTE_LOG=trace\n{agent}\nexec '{party}' \"$@\"\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// Everything that an error says, to people and to programmers.
fn said(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error: &&dyn Error| Error::source(*error));
    causes.map(|cause| format!("{cause}\n{cause:?}")).collect::<Vec<_>>().join("\n")
}

/// A run with failures; gives the texts of the errors.
fn disturbed(federation: &mut Federation, study: &StudyDir, data: &Path) -> String {
    let stop = AtomicBool::new(false);
    federation.start_agents().unwrap();
    federation.follow(&stop, PATIENCE, |report| report.round >= 3).unwrap();
    federation.kill_agent(1);
    federation.start_agent(1).unwrap();

    let level = |rows: &Rows, i: usize| if i == 4 { RARE_LEVEL } else { rows.get(i, "regimen") }.to_owned();
    let bad_rows: Vec<Rows> = rows().into_iter().map(|rows| rows.with("regimen", level)).collect();
    let bad_row = self::study(data, "bad", &bad_rows);
    let grid = StudyDir { policy: POLICY.replace("finest_grid_days = 0", "finest_grid_days = 31"), ..study.clone() };
    let mut errors = Vec::new();
    let wrong =
        |criterion: &str| StudyDir { protocol: study.protocol.replace("age IS NOT NULL", criterion), ..study.clone() };
    for failing in [bad_row, grid, wrong("agee IS NOT NULL"), wrong("age > (SELECT 1)"), wrong("load_extension('x')")] {
        let error = federation.another_run(&failing, &stop).unwrap_err();
        errors.push(said(&error));
    }
    federation.follow(&stop, PATIENCE, |_| false).unwrap();
    errors.join("\n")
}

/// Results, bundles and pages beside the state directories.
fn export_everything(federation: &Federation, out: &Path) {
    fs::create_dir(out).unwrap();
    let finished = federation.results().unwrap();
    coordinator::results::write(&out.join("results"), &finished.results, &finished.provenance).unwrap();
    let run = federation.followed().unwrap();
    let (_, bundle) = coordinator::study::export(&federation.coordinator_dir(), &run.manifest.name()).unwrap();
    let mut bundles = vec![bundle];
    for site in 0..SITES {
        let state_dir = federation.site_dir(site);
        let identity = identity::load(&state_dir, Timestamp::now()).unwrap();
        let folder = runs(&state_dir).unwrap().into_iter().find(|r| r.manifest == run.manifest).unwrap();
        bundles.push(export(&folder, identity.signing()).unwrap());
    }
    for (i, bundle) in bundles.iter().enumerate() {
        fs::write(out.join(format!("bundle-{i}")), bundle.to_bytes()).unwrap();
    }
    let report = study::audit::verify(&bundles);
    assert!(report.holds(), "{:?}", report.findings);
    fs::write(out.join("page"), report.page(|seconds| seconds.to_string())).unwrap();
}

/// What belongs to one site alone.
fn of_site(federation: &Federation, site: usize, words: &[i128]) -> Canaries {
    let mut canaries = Canaries::default();
    canaries.text("patient", &format!("{PATIENT}-{site}"));
    canaries.text("note", &format!("{FREE_TEXT}-{site}"));
    if site == 0 {
        canaries.text("reason", REASON);
    }
    canaries.text("rare level", RARE_LEVEL);
    canaries.number("age", age(site));
    let marked: Vec<i128> = words.iter().copied().filter(|word| is_marked(*word)).collect();
    assert!(marked.len() > 100, "only {} words of site {site} can be looked for", marked.len());
    for word in marked {
        canaries.word("sum", word);
    }
    let state_dir = federation.site_dir(site);
    canaries.secret("draw key", &*identity::draw_key(&state_dir).unwrap().to_bytes());
    canaries.secret("identity key", &fs::read(state_dir.join("identity/identity.key")).unwrap());
    let pem = fs::read_to_string(state_dir.join("identity/tls.key.pem")).unwrap();
    for line in pem.lines().filter(|line| !line.starts_with("--") && line.len() > 40) {
        canaries.text("TLS key", line);
    }
    canaries.secret("memory's salt", &fs::read(state_dir.join("memory/salt")).unwrap());
    canaries
}

#[test]
fn no_planted_value_leaves_the_state_directory_of_its_site() {
    let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let study = study(data.path(), "good", &rows());
    let executable = executable(dir.path());
    let mut federation = Federation::set_up(&study, dir.path(), &executable, &AtomicBool::new(false)).unwrap();
    let errors = disturbed(&mut federation, &study, data.path());
    fs::write(dir.path().join("errors"), &errors).unwrap();
    // any of the sites may be the first to refuse
    assert!(errors.contains("UnknownLevel"), "{errors}");
    export_everything(&federation, &dir.path().join("out"));
    federation.withdraw(0, REASON).unwrap();
    std::thread::sleep(Duration::from_secs(1));

    // what is looked for is what was sent under masks: the plan ends with the same bits
    let (words, plan) = answers(&rows());
    let digest = federation.followed().unwrap().manifest.digest();
    let finished = federation.results().unwrap();
    assert_eq!(finished.provenance.results_digest, results_digest(&digest, &plan).to_string());

    let mut searched = 0;
    for (site, words) in words.iter().enumerate() {
        let own = federation.site_dir(site);
        let canaries = of_site(&federation, site, words);
        let (found, bytes) = canaries.in_folder(dir.path(), std::slice::from_ref(&own));
        assert!(found.is_empty(), "site {site}: {found:?}");
        searched += bytes;
        // the search finds what is there: in the site's own folder stand its keys and its rows
        let (found, _) = canaries.in_folder(&own, &[]);
        let names: Vec<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
        for name in ["identity key", "draw key", "TLS key", "age, bits", "memory's salt"] {
            assert!(names.contains(&name), "site {site}: {name} is not found where it stands: {names:?}");
        }
        println!("site {site}: {} needles, {bytes} bytes outside of its state directory", canaries.len());
    }
    let logs = fs::read(dir.path().join("coordinator.log")).unwrap();
    assert!(String::from_utf8_lossy(&logs).contains("TRACE"), "the finest log level");
    assert!(searched > 1 << 20, "only {searched} bytes");
}
