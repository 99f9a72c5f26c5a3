//! The reference study with high floors: what they hide is said, and stands in no file of the report.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use report::{File, PAGE, TABLES};
use roxmltree::{Document, Node};
use serde_json::Value;
use study::results::OutcomeRow;

use super::{Run, body, compare, is, provenance, published, run, text};
use crate::reference::protocol_text;

/// Marks a hidden number on the page.
const MARK: &str = "<span class=\"hidden\">hidden</span>";

fn floored() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        let floors = protocol_text().replace("minimum_cell = 3", "minimum_cell = 30\nminimum_leavers = 20");
        assert_ne!(floors, protocol_text());
        run(&floors, Some(&published()))
    })
}

/// The report of the same run as it would be if nothing were hidden: what the searches below find.
fn open() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let run = floored();
        report::files(&run.open, &run.protocol, &provenance(&run.protocol, Vec::new()), None).unwrap()
    })
}

fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let from = page.find(&format!("<section id=\"{id}\"")).unwrap();
    &page[from..from + page[from..].find("</section>").unwrap()]
}

#[test]
fn hidden_numbers_say_so_and_why() {
    let page = floored().text(PAGE);
    for id in ["findings", "flow", "baseline", "weights", "survival", "safety"] {
        let section = section(&page, id);
        assert!(section.contains(MARK), "{id}");
        let why = ": counts below 30 are hidden, and others from which they would follow.";
        assert!(section.contains(why), "{id}");
    }
    assert!(!section(&page, "absolute").contains("counts below 30 are hidden"), "nothing is hidden there");
    assert!(!super::reference().text(PAGE).contains("counts below 30"));
    let sites = section(&page, "sites");
    for words in [
        "counts from 1 to 29",
        "at least 20 patients of an arm leave",
        "opened 8,936 numbers",
        "alone 211,000",
        "results",
    ] {
        assert!(sites.contains(words), "{words}");
    }
    for id in ["sites", "methods"] {
        let section = section(&page, id);
        assert!(section.contains("coordinator audit verify BUNDLE --results DIR"), "{id}");
        assert!(section.contains(&"e".repeat(64)), "{id}");
    }
    assert!(section(&page, "baseline").contains("Beside the publication"));
    compare(floored());
}

#[test]
fn the_page_counts_what_is_hidden() {
    let page = body(&floored().text(PAGE));
    let page = Document::parse(&page).unwrap();
    let row = |label: &str| -> Vec<usize> {
        let head = page.descendants().find(|n| n.has_tag_name("bdi") && n.text() == Some(label)).unwrap();
        let row = head.ancestors().find(|n| n.has_tag_name("tr")).unwrap();
        row.children().filter(|n| n.has_tag_name("td")).map(|n| n.text().unwrap().parse().unwrap()).collect()
    };
    let run = floored();
    let all = || std::iter::once(&run.results).chain(run.results.scenarios.iter().map(|s| &s.results));
    let bins: Vec<Option<u64>> = all().flat_map(|r| r.histogram.iter().map(|bin| bin.n)).collect();
    let hidden = bins.iter().filter(|n| n.is_none()).count();
    assert_eq!(row("Propensity score: patients in bins"), [hidden, bins.len()]);
    let counts: Vec<Option<u64>> = all().flat_map(|r| r.outcomes.iter().flat_map(|o| [o.n, o.events])).collect();
    let hidden = counts.iter().filter(|n| n.is_none()).count();
    assert_eq!(row("Outcomes: events and patients by arm"), [hidden, counts.len()]);
}

/// Where `results.json` has a number before the floors and none after them.
fn hidden() -> Vec<(String, f64)> {
    let run = floored();
    let open = coordinator::results::value(&run.open, &provenance(&run.protocol, Vec::new())).unwrap();
    let mut found = Vec::new();
    for (table, rows) in open.as_object().unwrap() {
        // Tests that would tell a count are not in the release at all.
        let Some(rows) = rows.as_array().filter(|_| table != "tests") else { continue };
        let shown = run.json[table].as_array().unwrap();
        assert_eq!(rows.len(), shown.len(), "{table}");
        for (i, row) in rows.iter().enumerate().filter(|(_, row)| row.is_object()) {
            for (column, value) in row.as_object().unwrap() {
                let Some(value) = value.as_f64().filter(|_| shown[i][column] == Value::Null) else { continue };
                found.push((format!("/{table}/{i}/{column}"), value));
            }
        }
    }
    assert!(found.len() > 100, "{}", found.len());
    found
}

#[test]
fn no_number_of_the_page_comes_from_where_something_is_hidden() {
    let (page, before) = (floored().text(PAGE), text(open(), PAGE));
    let mut could_be_seen = 0;
    for (place, _) in hidden() {
        let from = format!("data-from=\"{place}\"");
        assert!(!page.contains(&from), "{place}");
        could_be_seen += usize::from(before.contains(&from));
    }
    assert!(could_be_seen > 50, "{could_be_seen}");
}

/// Numbers with enough digits to be told from others.
#[test]
fn no_hidden_sum_stands_in_any_file() {
    let mut shown: BTreeSet<String> = BTreeSet::new();
    numbers(&floored().json, &mut shown);
    let mut could_be_seen = 0;
    for (place, value) in hidden() {
        let digits = value.to_string();
        if digits.len() < 8 || shown.contains(&digits) {
            continue;
        }
        let in_file = |file: &&File| String::from_utf8_lossy(&file.bytes).contains(&digits);
        assert_eq!(floored().files.iter().find(in_file).map(|file| &file.name), None, "{place}: {digits}");
        could_be_seen += usize::from(open().iter().any(|file| in_file(&file)));
    }
    assert!(could_be_seen > 10, "{could_be_seen}");
}

fn numbers(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Number(_) => into.extend(value.as_f64().map(|x| x.to_string())),
        Value::Array(all) => all.iter().for_each(|one| numbers(one, into)),
        Value::Object(all) => all.values().for_each(|one| numbers(one, into)),
        _ => {}
    }
}

/// Words of the cells, items and paragraphs of the page, of the drawings, of the CSV files and of the document.
fn words(files: &[File]) -> Vec<String> {
    let text = |node: Node<'_, '_>| node.descendants().filter_map(|n| n.text().filter(|_| n.is_text())).collect();
    let mut all: Vec<String> = Vec::new();
    for file in files {
        let content = String::from_utf8_lossy(&file.bytes);
        let kinds: (String, &[&str]) = if file.name == PAGE {
            (body(&content), &["td", "li", "p", "dd"])
        } else if is(file, "svg") {
            (content.into_owned(), &["text", "desc"])
        } else if file.name == TABLES {
            // Parts of the document are not compressed.
            let from = content.find("<w:document").unwrap();
            let end = from + content[from..].find("</w:document>").unwrap() + "</w:document>".len();
            (content[from..end].to_owned(), &["p"])
        } else {
            all.extend(content.split(['\n', ',']).map(str::to_owned));
            continue;
        };
        let document = Document::parse(&kinds.0).unwrap_or_else(|e| panic!("{}: {e}", file.name));
        all.extend(document.descendants().filter(|n| kinds.1.contains(&n.tag_name().name())).map(text));
    }
    all
}

#[test]
fn no_hidden_share_of_events_stands_in_any_file() {
    let run = floored();
    let share = |row: &OutcomeRow| Some(format!("{}/{}", row.events?, row.n?));
    let shown: BTreeSet<String> = run.results.outcomes.iter().filter_map(share).collect();
    let hidden: BTreeSet<String> = run.open.outcomes.iter().filter_map(share).filter(|s| !shown.contains(s)).collect();
    assert!(hidden.len() > 1, "{hidden:?}");
    let stands = |files: &[File]| -> BTreeSet<String> {
        let words = words(files);
        let tokens: BTreeSet<&str> = words.iter().flat_map(|words| words.split([' ', ','])).collect();
        hidden.iter().filter(|share| tokens.contains(share.as_str())).cloned().collect()
    };
    assert_eq!(stands(&run.files), BTreeSet::new());
    assert_eq!(stands(open()), hidden);
}

/// No percentage or total stands beside a hidden number, but numbers that are in the results.
#[test]
fn what_is_beside_a_hidden_number_is_in_the_results() {
    let page = body(&floored().text(PAGE));
    let page = Document::parse(&page).unwrap();
    let cells = page.descendants().filter(|node| node.has_tag_name("td"));
    let hidden = |node: &Node<'_, '_>| node.children().any(|n| n.attribute("class") == Some("hidden"));
    let mut seen = 0;
    for cell in cells.filter(hidden) {
        let mine = cell.children().filter_map(|node| node.text().filter(|_| node.is_text()));
        let words: String = mine.collect();
        assert!(!words.contains(|c: char| c.is_ascii_digit()), "{words}");
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn hidden_points_are_empty_cells_of_the_plotted_data() {
    let run = floored();
    let overlap = run.text("figures/overlap.csv");
    assert!(overlap.contains(",,"), "{overlap}");
    assert!(!overlap.contains("hidden"), "{overlap}");
    assert!(run.text("figures/overlap.svg").contains("count is hidden"));
    let hidden = run.results.histogram.iter().filter(|row| row.n.is_none()).count();
    assert!(hidden > 0 && hidden < run.results.histogram.len());
    let plotted = |name: &str| run.text(&format!("figures/{name}.csv"));
    for outcome in ["pfs", "os"] {
        let hidden = run.results.survival.iter().filter(|row| row.outcome == outcome && row.survival.is_none()).count();
        let left_out = plotted(&format!("km-{outcome}-unweighted")).contains(",,,");
        assert_eq!(left_out, hidden > 0, "{outcome}: {hidden}");
    }
}
