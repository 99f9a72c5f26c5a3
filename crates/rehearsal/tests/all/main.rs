//! The program `rehearse` from outside: the statuses of `docs/exit-codes.md`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn rehearse() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn status(command: &mut Command) -> Option<i32> {
    command.status().expect("the program starts").code()
}

#[test]
fn wrong_usage_is_2_and_a_folder_without_a_study_is_1() {
    assert_eq!(status(rehearse().arg("--help")), Some(0));
    assert_eq!(status(&mut rehearse()), Some(2));
    assert_eq!(status(rehearse().args(["somewhere", "--no-such-flag"])), Some(2));
    assert_eq!(status(rehearse().arg("no-such-folder")), Some(1));
}

#[test]
fn a_mistake_in_the_published_figures_is_4_behind_written_results() {
    let dir = tempfile::tempdir().expect("a folder");
    let (study, out) = (dir.path().join("study"), dir.path().join("out"));
    fs::create_dir_all(study.join("sites")).expect("folders");
    for file in ["protocol.toml", "policy.toml"] {
        fs::copy(example("lung").join(file), study.join(file)).expect("a copy");
    }
    for site in fs::read_dir(example("lung").join("sites")).expect("sites").map(|entry| entry.unwrap().path()) {
        fs::copy(&site, study.join("sites").join(site.file_name().unwrap())).expect("a copy");
    }
    fs::write(study.join("published.toml"), "tables = 1\n").expect("a file");
    assert_eq!(status(rehearse().arg(&study).arg("--out").arg(&out)), Some(4));
    assert!(out.join("results.json").exists());
}

#[test]
fn values_that_the_grid_does_not_hold_are_for_the_protocol_to_mend() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/28-coarse-default-resolution");
    let output = rehearse().arg(case).stderr(Stdio::piped()).output().expect("the program starts");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ask the study's statistician for `resolution = 0.01`"), "{said}");
    let last = "next: the files may be right: mend the protocol as the lines above say; nothing was started\n";
    assert!(said.ends_with(last), "{said}");
}

#[test]
fn an_interrupt_is_130() {
    let mut command = rehearse();
    let mut running = command.arg(example("relapsed-myeloma")).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(running.stderr.take().expect("its lines")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "checking the study, enrolling 45 sites");
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().expect("kill").success());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(running.wait().expect("an end").code(), Some(130));
    assert_eq!(rest.last().map(String::as_str), Some("interrupted; all processes are stopped"));
}
