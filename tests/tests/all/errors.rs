//! Every code of the sources stands in `docs/errors.md`, and that page knows no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Rust files below a folder, tests of a crate left out.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && path.file_name().is_none_or(|n| n != "tests.rs") {
            found.push(path);
        }
    }
}

/// Text in quotation marks on a line of code, its comment left out.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.split('"').skip(1).step_by(2)
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
}

/// Codes that a file's `fn code` and `fn rule` return, and those of failures and problems that the command
/// line and the pages make themselves.
fn codes(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let header = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(super) ");
        if header.starts_with("fn code(") || header.starts_with("fn rule(") {
            let end = format!("{}}}", " ".repeat(indent));
            found.extend(lines.by_ref().take_while(|l| *l != end).flat_map(literals));
        } else if line.contains("Failure::new(") || line.contains("Problem::new(") {
            // The code is the first text among the arguments, here or on the next line.
            found.extend(literals(line).next().or_else(|| literals(lines.next().unwrap_or_default()).next()));
        }
    }
    found.into_iter().filter(|t| is_code(t)).collect()
}

fn texts() -> Vec<String> {
    let mut files = Vec::new();
    for folder in [
        "coordinator/src",
        "site-agent/src",
        "crates/terminal/src",
        "proto/src/convert",
        "crates/study/src",
        "crates/secagg/src",
        "crates/web/src",
    ] {
        sources(&root().join(folder), &mut files);
    }
    files.iter().map(|f| fs::read_to_string(f).expect("a source file")).collect()
}

/// The first column of every table row: `` | `code` | ``, or several codes with commas.
fn on_the_page() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("docs/errors.md")).expect("docs/errors.md");
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`')).map(str::trim).filter(|t| is_code(t)).map(str::to_owned).collect()
}

#[test]
fn every_code_is_explained() {
    let (texts, page) = (texts(), on_the_page());
    let sources: BTreeSet<String> = texts.iter().flat_map(|text| codes(text)).map(str::to_owned).collect();
    assert!(sources.len() > 150, "only {} codes found: the reading of the sources is broken", sources.len());
    let unexplained: Vec<_> = sources.difference(&page).collect();
    assert!(unexplained.is_empty(), "not in docs/errors.md: {unexplained:?}");
    let anywhere = |code: &String| texts.iter().any(|text| text.contains(&format!("\"{code}\"")));
    let gone: Vec<_> = page.iter().filter(|code| !anywhere(code)).collect();
    assert!(gone.is_empty(), "in docs/errors.md and no longer in the sources: {gone:?}");
}
