//! Scripts that complete a command line in a shell.

use clap::Command;
use clap_complete::Shell;

use crate::Answer;

/// The script for a shell.
pub fn completions(mut command: Command, shell: Shell) -> Answer {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Answer::of(serde_json::json!({ "shell": shell.to_string(), "script": script })).text(&script)
}
