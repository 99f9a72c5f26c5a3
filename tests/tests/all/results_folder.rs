//! `audit verify --results`: every byte of every file of a results folder, held against the release.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use coordinator::published::Published;
use coordinator::results::{self, Difference, differences};
use entente_tests::federation::Federation;
use serde_json::Value;
use study::audit::{Bundle, Outcome, Party, verify};
use tempfile::TempDir;

use crate::small;

/// Every kind of file that a run writes: a curve adds figures, a scenario adds tables.
const MODELS: &str = r#"
[propensity]
covariates = ["age", "sex"]
bins = 4

[[analysis]]
kind = "baseline"
variables = ["age", "sex"]

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["unadjusted", "iptw"]
variance = ["naive", "m_estimation"]

[[analysis]]
kind = "cox"
outcome = "pfs"
models = ["unadjusted", "iptw"]

[[analysis]]
kind = "kaplan_meier"
outcomes = ["pfs"]
weighted = [false, true]
times_days = [360]
"#;

const PUBLISHED: &str = r#"
[source]
citation = "A. Author et al., A Journal 2025"
doi = "10.1000/example"
studies = ["small"]

[show]
ratio = "{ratio:2}"

[[table]]
title = "Table 2"
section = "survival"
show = "ratio"
from = { file = "estimates", outcome = "pfs" }
rows = [{ label = "HR", published = ".84", from = { model = "unadjusted", variance = "naive" } }]
"#;

fn text() -> String {
    small::text_with(MODELS)
}

fn federation() -> Federation {
    let protocol = small::protocol_with(MODELS);
    let cohorts = small::three_sites(&protocol, &small::rows(90));
    let mut run = Federation::new(protocol, cohorts, 5);
    run.run();
    assert!(run.finished(), "{:?} {:?}", run.refusals, run.faults);
    run
}

fn outcome(bundle: Bundle) -> Outcome {
    let report = verify(&[bundle]);
    assert!(report.holds(), "{:?}", report.findings);
    report.outcome.expect("a run that has ended")
}

fn published(outcome: &Outcome) -> report::Published {
    let value = results::value(outcome.release.results(), &results::provenance(outcome)).unwrap();
    Published::parse(PUBLISHED).unwrap().page(&value, outcome.protocol.month_days)
}

/// The files as the coordinator and `rehearse` write them, in two steps.
fn write(folder: &Path, outcome: &Outcome, published: Option<&report::Published>) {
    let (all, provenance) = (outcome.release.results(), results::provenance(outcome));
    results::write(folder, all, &provenance).unwrap();
    results::write_report(folder, all, &outcome.protocol, &provenance, published).unwrap();
}

fn files(outcome: &Outcome, published: Option<&report::Published>) -> Vec<(String, Vec<u8>)> {
    let provenance = results::provenance(outcome);
    results::files(outcome.release.results(), &outcome.protocol, &provenance, published).unwrap()
}

/// A folder that the coordinator wrote, and what a site's ledger says that it should hold.
fn folder() -> (TempDir, Outcome, Vec<(String, Vec<u8>)>) {
    let run = federation();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &outcome(run.bundle(Party::Coordinator, &text())), None);
    let of_site = outcome(run.bundle(Party::Site(1), &text()));
    let files = files(&of_site, None);
    (folder, of_site, files)
}

#[test]
fn a_site_s_ledger_gives_every_byte_of_what_the_coordinator_wrote() {
    let (folder, _, files) = folder();
    assert_eq!(differences(folder.path(), &files).unwrap(), []);
    let count = |kind: &str| files.iter().filter(|(name, _)| name.ends_with(kind)).count();
    let figures = files.iter().filter(|(name, _)| name.starts_with("figures/")).count();
    assert_eq!((count(".html"), count(".docx"), count(".json")), (1, 1, 1));
    assert!(count(".svg") >= 4 && figures == 2 * count(".svg") && count(".csv") == 15 + count(".svg"), "{figures}");
}

#[test]
fn a_changed_byte_in_any_file_is_named_with_its_file() {
    let (folder, _, files) = folder();
    let mut flips = 0;
    for (name, content) in &files {
        let path = folder.path().join(name);
        let last = content.len() - 1;
        let places: Vec<usize> = (0..=10).map(|tenth| last * tenth / 10).collect();
        for at in places {
            let mut changed = content.clone();
            changed[at] ^= 1 << (at % 7);
            fs::write(&path, &changed).unwrap();
            let found = differences(folder.path(), &files).unwrap();
            assert_eq!(found.iter().map(Difference::file).collect::<Vec<_>>(), [name], "byte {at}");
            flips += 1;
        }
        for other in [&content[..last], &[&content[..], b"\n"].concat()] {
            fs::write(&path, other).unwrap();
            let found = differences(folder.path(), &files).unwrap();
            assert_eq!(found.iter().map(Difference::file).collect::<Vec<_>>(), [name], "{} bytes", other.len());
        }
        fs::write(&path, content).unwrap();
    }
    assert!(flips > 200, "{flips}");
    assert_eq!(differences(folder.path(), &files).unwrap(), []);
}

#[test]
fn what_is_missing_and_what_is_more_is_named() {
    let (folder, _, files) = folder();
    let removed = files
        .iter()
        .map(|(name, _)| name.as_str())
        .find(|name| Path::new(name).extension().is_some_and(|kind| kind == "svg"))
        .unwrap();
    fs::remove_file(folder.path().join(removed)).unwrap();
    for more in ["report-final.html", "figures/more.svg", "older/estimates.csv", ".report.html.partial"] {
        let path = folder.path().join(more);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "anything").unwrap();
    }
    std::os::unix::fs::symlink("/", folder.path().join("everything")).unwrap();
    fs::create_dir_all(folder.path().join("attachments/empty")).unwrap();
    let found = differences(folder.path(), &files).unwrap();
    let unknown = |name: &str| Difference::Unknown(name.into());
    let mut expected =
        [".report.html.partial", "figures/more.svg", "older/estimates.csv", "report-final.html"].map(unknown).to_vec();
    expected.push(Difference::Missing(removed.into()));
    expected.push(Difference::Link("everything".into()));
    expected.push(Difference::Folder("attachments/empty".into()));
    expected.sort_by(|a, b| a.file().cmp(b.file()));
    assert_eq!(found, expected);
    assert!(differences(&folder.path().join("nowhere"), &files).is_err());
}

/// A link to the very same bytes holds today, and what it leads to may be another file when somebody reads it.
#[test]
fn links_in_place_of_files_and_folders_are_named() {
    use std::os::unix::fs::symlink;
    let (folder, _, files) = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    let table = folder.path().join("estimates.csv");
    fs::rename(&table, elsewhere.path().join("estimates.csv")).unwrap();
    symlink(elsewhere.path().join("estimates.csv"), &table).unwrap();
    let found = differences(folder.path(), &files).unwrap();
    assert_eq!(found, [Difference::Link("estimates.csv".into())]);
    assert!(found[0].to_string().contains("estimates.csv is a link"));
    fs::remove_file(&table).unwrap();
    fs::rename(elsewhere.path().join("estimates.csv"), &table).unwrap();

    let figures = folder.path().join("figures");
    fs::rename(&figures, elsewhere.path().join("figures")).unwrap();
    symlink(elsewhere.path().join("figures"), &figures).unwrap();
    let found = differences(folder.path(), &files).unwrap();
    assert_eq!(found[0], Difference::Link("figures".into()));
    assert!(found[1..].iter().all(|d| matches!(d, Difference::Missing(name) if name.starts_with("figures/"))));

    // a pipe is not waited for, and a folder of the run that is empty lacks its files
    fs::remove_file(&figures).unwrap();
    fs::create_dir(&figures).unwrap();
    fs::remove_file(&table).unwrap();
    assert!(Command::new("mkfifo").arg(&table).status().unwrap().success());
    let found = differences(folder.path(), &files).unwrap();
    assert_eq!(found[0], Difference::Special("estimates.csv".into()));
    assert!(found[1..].iter().all(|d| matches!(d, Difference::Missing(name) if name.starts_with("figures/"))));
    fs::remove_dir(&figures).unwrap();
    fs::rename(elsewhere.path().join("figures"), &figures).unwrap();
}

/// Published figures are on the page and among its tables: with their file everything is covered.
#[test]
fn figures_of_a_publication_are_held_with_their_file() {
    let (folder, outcome, files) = folder();
    write(folder.path(), &outcome, Some(&published(&outcome)));
    let found = differences(folder.path(), &files).unwrap();
    assert_eq!(found.iter().map(Difference::file).collect::<Vec<_>>(), [report::PAGE, report::TABLES]);
    assert_eq!(differences(folder.path(), &self::files(&outcome, Some(&published(&outcome)))).unwrap(), []);
}

/// The program with files on disk.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        let run = federation();
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk { folder };
        for (name, party) in [("site", Party::Site(1)), ("coordinator", Party::Coordinator)] {
            fs::write(desk.path(name), run.bundle(party, &text()).to_bytes()).unwrap();
        }
        fs::write(desk.path("published.toml"), PUBLISHED).unwrap();
        let of_coordinator = outcome(run.bundle(Party::Coordinator, &text()));
        write(&desk.path("plain"), &of_coordinator, None);
        write(&desk.path("beside"), &of_coordinator, Some(&published(&of_coordinator)));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn verify(&self, bundles: &[&str], results: &str, further: &[&str]) -> (i32, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_party"));
        command.current_dir(self.folder.path()).args(["__coordinator-program", "--format", "json", "audit", "verify"]);
        let output = command.args(bundles).args(["--results", results]).args(further).output().unwrap();
        let said = serde_json::from_slice(&output.stdout);
        (output.status.code().unwrap(), said.unwrap_or_else(|_| panic!("{output:?}")))
    }
}

#[test]
fn the_program_says_so_by_status_code_and_file() {
    let desk = Desk::new();
    for bundles in [&["site"][..], &["coordinator"], &["site", "coordinator"]] {
        let (status, said) = desk.verify(bundles, "plain", &[]);
        assert_eq!((status, &said["ok"]), (0, &Value::Bool(true)), "{said}");
        assert!(said["data"]["files"].as_u64().unwrap() > 20);
        let signers = said["data"]["signers"].as_array().unwrap();
        assert_eq!(signers.len(), 4, "the coordinator and three sites");
        for signer in signers {
            assert_eq!(signer["fingerprint"].as_str().unwrap().len(), 79, "{signer}");
            assert_eq!(signer["party"] == "coordinator", signer["legal_name"] == "", "{signer}");
        }
    }
    let error = |said: &Value, key: &str| said["error"][key].to_string();
    let (status, said) = desk.verify(&["site"], "beside", &[]);
    assert_eq!((status, &said["error"]["code"]), (1, &"audit.results".into()), "{said}");
    assert!(error(&said, "hint").contains("--published"), "{said}");
    let (status, said) = desk.verify(&["site"], "beside", &["--published", "published.toml"]);
    assert_eq!(status, 0, "{said}");

    let path = desk.path("plain/figures/love.svg");
    let drawing = fs::read_to_string(&path).unwrap();
    fs::write(&path, drawing.replacen("</svg>", "<g/></svg>", 1)).unwrap();
    fs::write(desk.path("plain/notes.txt"), "seen").unwrap();
    let (status, said) = desk.verify(&["site"], "plain", &[]);
    assert_eq!((status, &said["error"]["code"]), (1, &"audit.results".into()), "{said}");
    for named in ["figures/love.svg differs first in line", "notes.txt is no file of this release"] {
        assert!(error(&said, "details").contains(named), "{said}");
    }
    fs::write(&path, drawing).unwrap();
    fs::remove_file(desk.path("plain/notes.txt")).unwrap();

    // another version may print another page: it says so, and does not say that all is well
    let path = desk.path("plain/results.json");
    let json = fs::read_to_string(&path).unwrap();
    let other = json.replace(&format!("\"{}\"", results::SOFTWARE_VERSION), "\"9.9.9\"");
    assert_ne!(json, other);
    fs::write(&path, other).unwrap();
    let (status, said) = desk.verify(&["site"], "plain", &[]);
    assert_eq!((status, &said["error"]["code"]), (1, &"audit.other_version".into()), "{said}");
    assert!(error(&said, "message").contains("9.9.9") && error(&said, "details").contains("results.json"), "{said}");
}
