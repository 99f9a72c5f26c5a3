//! Commands as a shell runs them: status, standard output, standard error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn agent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_site-agent")).args(arguments).output().expect("the program starts")
}

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lung").join(file)
}

/// The one line of `--format json`.
fn envelope(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_status_is_0_for_done_1_for_failed_and_2_for_wrong_usage() {
    assert_eq!(agent(&["--help"]).status.code(), Some(0));
    let failed = agent(&["--config", "no-such-file.toml", "study", "list"]);
    assert_eq!(failed.status.code(), Some(1));
    let text = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(text.starts_with("error[config.file]: ") && text.contains("\nnext: "), "{text}");
    for wrong in [&["study"][..], &["no-such-command"], &["accept"], &["--format", "yaml", "run"]] {
        let output = agent(wrong);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{wrong:?}");
    }
}

#[test]
fn commands_answer_in_both_forms() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("agent.toml");
    let mut sites: Vec<PathBuf> = fs::read_dir(example("sites")).expect("sites").map(|e| e.unwrap().path()).collect();
    sites.sort();
    let text = format!("state_dir = \"{}\"\ndata = \"{}\"\n", dir.path().join("state").display(), sites[0].display());
    fs::write(&config, text).expect("a file");
    let config = config.to_string_lossy().into_owned();
    let run = |arguments: &[&str]| agent(&[&["--config", &config], arguments].concat());
    let json = |arguments: &[&str]| envelope(&run(&[&["--format", "json"], arguments].concat()));

    let made = json(&["request", "--site", "north", "--legal-name", "Hospital north"]);
    assert_eq!((&made["schema"], &made["ok"]), (&"entente/v1/request".into(), &true.into()));
    assert!(made["data"]["request"].as_str().unwrap().contains("north"));
    assert_eq!(json(&["study", "list"])["data"]["studies"], serde_json::json!([]));
    let protocol = example("protocol.toml").to_string_lossy().into_owned();
    let flow = json(&["check-data", &protocol])["data"]["flow"].clone();
    let first = flow[0]["control"].as_u64().expect("a count");
    let shown = run(&["check-data", &protocol]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains(&format!("step 0: {first} control")), "{flow}");
    for (arguments, code) in [
        (&["request", "--site", "north", "--legal-name", "Hospital north"][..], "identity_exists"),
        (&["accept", "no-such-file", "--fingerprint", "x"], "file"),
        (&["study", "inspect", "none"], "study.none"),
        (&["study", "approve", "none", "--as", "First Reviewer"], "study.none"),
        (&["study", "reject", "none", "--reason", "no"], "study.none"),
        (&["study", "withdraw", "none", "--reason", "no"], "study.not_approved"),
        (&["check-data", "no-such-file"], "file"),
        (&["pages", "login"], "pages.none"),
        (&["run"], "identity_not_enrolled"),
    ] {
        assert_eq!(json(arguments)["error"]["code"], code, "{arguments:?}");
        assert_eq!(run(arguments).status.code(), Some(1), "{arguments:?}");
    }
}
