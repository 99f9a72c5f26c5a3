//! Commands as a shell runs them: status, standard output, standard error.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use study::protocol::Protocol;

fn coordinator(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coordinator"));
    command.args(arguments).stdin(Stdio::null()).output().expect("the program starts")
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// The one line of `--format json`.
fn envelope(output: &Output) -> Value {
    let text = out(output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

fn example(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/relapsed-myeloma").join(file);
    path.to_string_lossy().into_owned()
}

/// A folder with a configuration in it.
fn home() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("coordinator.toml");
    let state = dir.path().join("state");
    let text = format!(
        "name = \"Test\"\nstate_dir = \"{}\"\nlisten = \"127.0.0.1:0\"\nhosts = [\"127.0.0.1\"]\nurl = \"https://127.0.0.1:1\"\n",
        state.display()
    );
    fs::write(&config, text).expect("a file");
    (dir, config)
}

#[test]
fn the_status_is_0_for_done_1_for_failed_and_2_for_wrong_usage() {
    let protocol = example("protocol.toml");
    assert_eq!(status(&coordinator(&["--help"])), Some(0));
    assert_eq!(status(&coordinator(&["--version"])), Some(0));
    assert_eq!(status(&coordinator(&["protocol", "check", &protocol])), Some(0));
    let missing = coordinator(&["protocol", "check", "no-such-file.toml"]);
    assert_eq!(status(&missing), Some(1));
    assert!(err(&missing).starts_with("error[file]: ") && err(&missing).contains("\nnext: "), "{}", err(&missing));
    for wrong in
        [&["protocol"][..], &["no-such-command"], &["study", "create"], &["protocol", "new", "--outcome", "os"]]
    {
        let output = coordinator(wrong);
        assert_eq!(status(&output), Some(2), "{wrong:?}: {}", err(&output));
        assert!(out(&output).is_empty(), "{wrong:?}");
    }
}

#[test]
fn a_check_prints_the_digest_or_every_mistake() {
    let good = coordinator(&["protocol", "check", &example("protocol.toml")]);
    let text = out(&good);
    assert!(text.starts_with("relapsed-myeloma: IsaPd versus EloPd") && text.contains("\ndigest "), "{text}");
    let json = envelope(&coordinator(&["--format", "json", "protocol", "check", &example("protocol.toml")]));
    assert_eq!((&json["schema"], &json["ok"]), (&"entente/v1/protocol-check".into(), &true.into()));
    assert!(text.contains(json["data"]["digest"].as_str().unwrap()));

    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("bad.toml");
    let whole = fs::read_to_string(example("protocol.toml")).expect("the example");
    let bad = whole.replace("patient = \"patient\"", "patent = \"patient\"").replace("bins = 20", "bins = 1");
    fs::write(&path, bad).expect("a file");
    let path = path.to_string_lossy();
    let output = coordinator(&["protocol", "check", &path]);
    assert_eq!(status(&output), Some(1));
    for part in ["3 mistakes", "study.patient: is missing; add", "did you mean `patient`?", "bins: expected 2 to 1000"]
    {
        assert!(err(&output).contains(part), "{part}: {}", err(&output));
    }
    let output = coordinator(&["protocol", "check", &path, "--format", "json"]);
    let json = envelope(&output);
    assert_eq!((status(&output), &json["ok"]), (Some(1), &false.into()));
    assert_eq!(json["error"]["code"], "study.protocol");
    assert_eq!(json["error"]["mistakes"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["error"]["mistakes"][1]["key"], "study.patent");
}

/// A draft of which a person has confirmed everything.
fn confirmed(text: &str) -> String {
    text.replace("REPLACE: ", "")
}

#[test]
fn a_new_protocol_is_valid_and_never_written_over_a_file() {
    let flags = [
        "protocol",
        "new",
        "--id",
        "a-vs-b",
        "--title",
        "A versus B",
        "--treatment",
        "drug",
        "--control",
        "B",
        "--treated",
        "A",
        "--covariate",
        "age:continuous:18:110",
        "--outcome",
        "os:time:days:died:1826",
    ];
    let text = out(&coordinator(&flags));
    assert!(Protocol::parse(&text).is_err(), "a person has to write the unit");
    assert_eq!(Protocol::parse(&confirmed(&text)).expect("a valid protocol").id, "a-vs-b");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("protocol.toml");
    let with_out = [&flags[..], &["--out", path.to_str().expect("UTF-8")]].concat();
    assert_eq!(status(&coordinator(&with_out)), Some(0));
    assert_eq!(fs::read_to_string(&path).expect("the file"), text);
    fs::write(&path, "mine").expect("a file");
    let again = coordinator(&with_out);
    assert_eq!(status(&again), Some(1));
    assert!(err(&again).starts_with("error[draft.exists]"), "{}", err(&again));
    assert_eq!(fs::read_to_string(&path).expect("the file"), "mine");
    let too_little = coordinator(&["protocol", "new"]);
    assert!(err(&too_little).contains("next: give --treatment --control --treated --outcome"), "{}", err(&too_little));
}

/// A site file of the example: the draft is valid, and has no patient of it.
#[test]
fn a_new_protocol_from_a_file_repeats_no_patient() {
    let folder = example("sites");
    let file =
        fs::read_dir(folder).expect("sites").map(|e| e.unwrap().path()).max_by_key(|p| fs::metadata(p).unwrap().len());
    let file = file.expect("a site");
    let output = coordinator(&["protocol", "new", "--csv", file.to_str().expect("UTF-8"), "--treatment", "regimen"]);
    assert_eq!(status(&output), Some(0), "{}", err(&output));
    let text = out(&output);
    let protocol = Protocol::parse(&confirmed(&text)).expect("a valid protocol");
    assert!(protocol.dictionary.find("age").is_some() && !protocol.outcomes.is_empty());
    for row in fs::read_to_string(&file).expect("the site").lines().skip(1) {
        let patient = row.split(',').next().expect("an identifier");
        assert!(!text.contains(patient), "{patient}");
    }
}

#[test]
fn operators_commands_answer_in_both_forms() {
    let (_dir, config) = home();
    let config = config.to_string_lossy().into_owned();
    let run = |arguments: &[&str]| coordinator(&[&["--config", &config], arguments].concat());
    let json = |arguments: &[&str]| envelope(&run(&[&["--format", "json"], arguments].concat()));
    let failed = json(&["site", "fingerprint"]);
    assert_eq!((&failed["ok"], &failed["schema"]), (&false.into(), &"entente/v1/site-fingerprint".into()));
    assert!(!failed["error"]["hint"].as_str().unwrap().is_empty());
    let made = json(&["init"]);
    let fingerprint = made["data"]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_eq!(out(&run(&["site", "fingerprint"])), format!("{fingerprint}\n"));
    assert_eq!(json(&["site", "fingerprint"])["data"]["fingerprint"], fingerprint.as_str());
    assert_eq!(json(&["site", "list"])["data"]["sites"], serde_json::json!([]));
    assert_eq!(json(&["study", "list"])["data"]["runs"], serde_json::json!([]));
    assert_eq!(json(&["renew-certificate"])["data"]["renewed"], true);
    for (arguments, code) in [
        (&["study", "status", "none"][..], "store.no_run"),
        (&["study", "results", "none"], "store.no_run"),
        (&["site", "revoke", "nowhere"], "enrol_unknown_site"),
        (&["study", "create", &example("protocol.toml")], "study.roster"),
        (&["init"], "authority_exists"),
    ] {
        assert_eq!(json(arguments)["error"]["code"], code, "{arguments:?}");
        assert_eq!(status(&run(arguments)), Some(1), "{arguments:?}");
    }
    let schema = json(&["protocol", "schema"]);
    assert_eq!(schema["data"]["title"], "Protocol of a study");
    assert_eq!(serde_json::from_str::<Value>(&out(&run(&["protocol", "schema"]))).unwrap(), schema["data"]);
    for shell in ["bash", "zsh", "fish"] {
        assert!(out(&run(&["completions", shell])).contains("renew-certificate"), "{shell}");
    }
}

#[test]
fn a_server_that_is_stopped_ends_with_0_and_its_envelope() {
    let (_dir, config) = home();
    let config = config.to_string_lossy().into_owned();
    assert_eq!(status(&coordinator(&["--config", &config, "init"])), Some(0));
    let mut server = Command::new(env!("CARGO_BIN_EXE_coordinator"))
        .args(["--config", &config, "serve", "--progress", "--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts");
    let mut lines = BufReader::new(server.stdout.take().expect("its output"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("a line");
    assert_eq!(serde_json::from_str::<Value>(&first).expect("JSON")["event"], "listening");
    let stopped = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().expect("kill");
    assert!(stopped.success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("the rest");
    assert_eq!(serde_json::from_str::<Value>(&rest).expect("JSON")["data"]["stopped_by"], "signal");
    assert_eq!(server.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_check_with_expected_counts_names_what_would_fail_and_be_refused() {
    let protocol = example("protocol.toml");
    let foreseen = |counts: &str| {
        let found = coordinator(&["--format", "json", "protocol", "check", &protocol, "--expect", counts]);
        assert_eq!(status(&found), Some(0), "{}", err(&found));
        let found = envelope(&found)["data"]["foreseen"].as_array().expect("a list").clone();
        found.iter().map(|one| format!("{}: {}", one["code"], one["message"])).collect::<Vec<String>>().join("\n")
    };
    let enough = foreseen("n=280,treated=130,sites=45,events=160");
    assert!(
        enough.contains("policy.minimum_cell") && !enough.contains("sites") && !enough.contains("expect."),
        "{enough}"
    );
    let few = foreseen("n=40,treated=20,sites=3,events=8");
    for wanted in [
        "\"policy.minimum_sites\": \"the study has 3 sites",
        "\"policy.minimum_patients\"",
        "\"policy.events_per_parameter\": \"the model `iptw` of `response` has 2 parameters",
        "\"expect.too_many_columns\": \"the model `adjusted` of `response` has 11 coefficients for 8 events",
    ] {
        assert!(few.contains(wanted), "{wanted}\n{few}");
    }
    assert!(foreseen("n=280,treated=0").contains("no patients in one of the arms"));
    let of_one = foreseen("n=280,treated=130,sites=45,events=160,events.os=3");
    assert!(of_one.lines().filter(|line| line.contains("expect.too_many_columns")).all(|line| line.contains("`os`")));
    assert!(of_one.contains("`adjusted` of `os` has 10 coefficients for 3 events"), "{of_one}");
    for (counts, words) in [
        ("n=280,events.oss=4", "`events.oss` is no key of expected counts and no outcome"),
        ("n=10,events=20", "`events` is more than the patients"),
        ("n=x", "`n=x` is no expected count"),
    ] {
        let wrong = coordinator(&["protocol", "check", &protocol, "--expect", counts]);
        assert_eq!(status(&wrong), Some(1));
        assert!(err(&wrong).contains("error[expect.counts]") && err(&wrong).contains(words), "{}", err(&wrong));
    }
}
