//! The command lines: `docs/commands/` is their help, every command has an example, completions cover them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::Command;

/// Every command with its words: the program first, then what stands below it.
fn all(command: &Command, words: &str) -> Vec<(String, Command)> {
    let mut found = vec![(words.to_owned(), command.clone())];
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        found.extend(all(below, &format!("{words} {}", below.get_name())));
    }
    found
}

fn programs() -> [(&'static str, Command); 2] {
    let built = |mut command: Command| {
        command.build();
        command
    };
    [
        ("coordinator", built(coordinator::cli::grammar().term_width(100))),
        ("site-agent", built(site_agent::cli::grammar().term_width(100))),
    ]
}

/// The help of all commands as one page.
fn page(program: &str, command: &Command) -> String {
    let mut page = format!("# Commands of `{program}`\n\n");
    page.push_str(
        "What `--help` says of each. A test holds this page to the program; `ENTENTE_REGENERATE=1 cargo test -p\n",
    );
    page.push_str(
        "entente-tests commands` writes it again. Exit codes and `--format json`: [exit-codes.md](../exit-codes.md).\n",
    );
    for (words, mut command) in all(command, program) {
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        write!(page, "\n## `{words}`\n\n```\n{}\n```\n", lines.join("\n")).expect("a text grows");
    }
    page
}

#[test]
fn the_pages_of_the_commands_are_their_help() {
    for (program, command) in programs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/commands/{program}.md"));
        let page = page(program, &command);
        if std::env::var_os("ENTENTE_REGENERATE").is_some() {
            fs::write(&path, &page).expect("the page can be written");
        }
        let stands = fs::read_to_string(&path).unwrap_or_default();
        assert!(stands == page, "docs/commands/{program}.md is not what {program} --help says; regenerate it");
    }
}

#[test]
fn every_command_has_an_example_of_itself() {
    for (program, command) in programs() {
        let commands = all(&command, program);
        assert!(commands.len() > 8, "{program}");
        for (words, command) in commands.iter().filter(|(_, command)| !command.has_subcommands()) {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("Example") && after.contains(words), "{words}: {after}");
        }
    }
}

#[test]
fn completions_know_every_command() {
    for (program, command) in programs() {
        let answer = terminal::completions(command.clone(), "bash".parse().expect("a shell"));
        for (words, _) in all(&command, program) {
            let last = words.rsplit(' ').next().expect("a word");
            assert!(answer.text.contains(last), "{words}");
        }
        assert_eq!(answer.data["script"].as_str(), Some(answer.text.as_str()));
    }
}
