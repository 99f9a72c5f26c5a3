//! What `docs/` shows is what the programs take.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use coordinator::published::Published;
use study::protocol::{Model, Protocol};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Appends every Rust file below a folder.
fn append_sources(folder: &Path, text: &mut String) {
    for path in fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            append_sources(&path, text);
        } else if path.extension().is_some_and(|e| e == "rs") && path.file_name().is_none_or(|name| name != "tests.rs")
        {
            text.push_str(&fs::read_to_string(&path).expect("a source file"));
        }
    }
}

/// The first block of a page that is marked as TOML.
fn toml_block(page: &str) -> &str {
    let (_, rest) = page.split_once("```toml\n").expect("a block of TOML");
    rest.split_once("```").expect("the end of the block").0
}

#[test]
fn the_protocol_of_the_page_is_valid() {
    let page = read("docs/protocol-file.md");
    let protocol = Protocol::parse(toml_block(&page)).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0));
    assert!(protocol.analyses[0].models.contains(&Model::Interaction));
}

#[test]
fn the_published_figures_of_the_page_are_valid() {
    let page = read("docs/results.md");
    let published = Published::parse(toml_block(&page)).unwrap_or_else(|e| panic!("{:?}", e.mistakes()));
    assert_eq!(published.texts().collect::<Vec<_>>(), [".84 (.57-1.24)"]);
}

#[test]
fn the_page_names_every_key_of_the_protocol() {
    let page = read("docs/protocol-file.md");
    let mut parser = String::new();
    append_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/study/src/protocol"), &mut parser);
    let keys: BTreeSet<&str> = ["text", "texts", "number", "numbers", "whole", "flag", "table", "tables"]
        .into_iter()
        .flat_map(|read| parser.split(&format!("{read}(\"")).skip(1).collect::<Vec<_>>())
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(keys.len() > 30, "the reading of the parser is broken: {keys:?}");
    let stands = |key: &str| [format!("`{key}`"), format!("`{key} ="), format!("[{key}]"), format!(".{key}]")];
    let unnamed: Vec<_> = keys.iter().filter(|key| !stands(key).iter().any(|form| page.contains(form))).collect();
    assert!(unnamed.is_empty(), "not in docs/protocol-file.md: {unnamed:?}");
}

#[test]
fn every_question_stands_in_the_table_and_on_the_page_of_an_estimator() {
    let source = read("crates/study/src/question/kind.rs");
    let kinds: BTreeSet<&str> = source
        .lines()
        .filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","))
        .filter(|kind| kind.starts_with(char::is_uppercase))
        .collect();
    assert!(kinds.len() > 30, "the reading of the questions is broken: {kinds:?}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/estimators");
    let pages: String = fs::read_dir(folder)
        .expect("a folder of pages")
        .map(|entry| fs::read_to_string(entry.unwrap().path()).expect("a page"))
        .collect();
    let statistics = read("docs/statistics.md");
    let words = |text: &str, kind: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == kind);
    let unnamed: Vec<_> = kinds.iter().filter(|kind| !words(&statistics, kind) || !words(&pages, kind)).collect();
    assert!(unnamed.is_empty(), "not explained: {unnamed:?}");
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec!["README.md".to_owned(), "CONTRIBUTING.md".into(), "CHANGELOG.md".into()];
    for folder in ["docs", "docs/commands", "docs/decisions", "docs/estimators"] {
        let entries = fs::read_dir(root.join(folder)).expect("a folder of pages").map(|entry| entry.unwrap().path());
        let found = entries.filter(|path| path.extension().is_some_and(|e| e == "md"));
        pages.extend(found.map(|path| format!("{folder}/{}", path.file_name().unwrap().display())));
    }
    for page in pages {
        let text = read(&page);
        let folder = root.join(&page).parent().expect("a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let local = !target.is_empty() && !target.contains("://");
            assert!(!local || folder.join(target).exists(), "{page} links to {link}");
        }
    }
}
