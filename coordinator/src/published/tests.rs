use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::*;

const STUDY: &str = r#"
[source]
citation = "A, B et al., Journal 2025"
doi = "10.1/a"
studies = ["small"]
notes = ["A note about the study."]

[show]
ratio = "{ratio:2} ({ratio_low:2}–{ratio_high:2})"
months = "{value_days:months} ({conf_low:months}–{conf_high:months})"

[[table]]
title = "Table 2"
show = "ratio"
from = { file = "estimates", outcome = "os" }
rows = [
  { label = "Overall survival" },
  { label = "  HR, IPTW", published = ".84", from = { variance = "naive" }, also = [{ variance = "m_estimation" }] },
  { label = "  median, A / B", show = "months", published = "12.0 / not reached", from = [
    { file = "medians", arm = "A" }, { file = "medians", arm = "B" },
  ] },
  { label = "  P", show = "{p_value:p}", from = { file = "tests", name = "log_rank" } },
  { label = "  largest SMD", show = "{smd:3}", published = "< .1", largest = true, from = [
    { file = "balance", variable = "age" }, { file = "balance", variable = "sex" },
  ] },
]
"#;

fn results() -> Value {
    let estimate = |variance: &str, low: f64, high: f64| json!({"outcome": "os", "variance": variance, "ratio": 0.841, "ratio_low": low, "ratio_high": high});
    let notes = "value_days is not reached; conf_high is not reached";
    json!({
        "estimates": [estimate("naive", 0.571, 1.238), estimate("m_estimation", 0.54, 1.31)],
        "medians": [
            {"arm": "A", "value_days": 365.25, "conf_low": 304.375, "conf_high": 1000.0, "conf_type": "log", "notes": ""},
            {"arm": "B", "value_days": null, "conf_low": 1068.0, "conf_high": null, "conf_type": "log", "notes": notes},
        ],
        "tests": [{"name": "log_rank", "p_value": 0.0234}],
        "balance": [
            {"variable": "age", "smd": 0.042, "smd_kind": "tableone"},
            {"variable": "sex", "smd": 0.066, "smd_kind": "tableone"},
        ],
    })
}

/// The printed page, and the mistakes as text.
fn print(published: &str, width: u16) -> (String, Vec<String>) {
    let mut page = Vec::new();
    let published = Published::parse(published).unwrap();
    let outcome = published.print(&mut page, &results(), 30.4375, width).unwrap();
    let mistakes = outcome.err().map(|e| e.mistakes().iter().map(ToString::to_string).collect());
    (String::from_utf8(page).unwrap(), mistakes.unwrap_or_default())
}

fn cells(page: &str, label: &str) -> Vec<String> {
    let line =
        page.lines().find(|line| line.trim_start().starts_with(label)).unwrap_or_else(|| panic!("{label}: {page}"));
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

#[test]
fn every_row_stands_beside_its_published_text() {
    let (page, mistakes) = print(STUDY, 100);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    assert_eq!(cells(&page, "Overall survival"), ["Overall survival"]);
    assert_eq!(cells(&page, "HR, IPTW"), ["HR, IPTW", ".84", "0.84 (0.57–1.24)", "naive"]);
    assert_eq!(cells(&page, "0.84 (0.54"), ["0.84 (0.54–1.31)", "M-estimation"]);
    let median = ["median, A / B", "12.0 / not reached", "12.0 (10.0–32.9) / n.r. (35.1–n.r.)", "log"];
    assert_eq!(cells(&page, "median"), median);
    assert_eq!(cells(&page, "P "), ["P", "-", "p = 0.023", "log-rank"]);
    assert_eq!(cells(&page, "largest"), ["largest SMD", "< .1", "0.066", "tableone"]);
    assert!(page.contains("Journal 2025, doi 10.1/a") && page.contains("A note about the study."), "{page}");
}

#[test]
fn no_line_is_wider_than_the_terminal_or_100_columns() {
    for (width, most) in [(80, 80), (100, 100), (200, 100)] {
        let (page, _) = print(STUDY, width);
        assert!(page.lines().all(|line| line.chars().count() <= most), "{page}");
    }
}

#[test]
fn a_dangling_reference_is_a_mistake_and_the_other_rows_are_printed() {
    let (page, mistakes) = print(&STUDY.replace("arm = \"B\"", "arm = \"C\""), 100);
    let expected = "line 19: median, A / B: no row of `medians` has arm = \"C\"; there is \"A\", \"B\"";
    assert_eq!(mistakes, [expected]);
    let median = ["median, A / B", "12.0 / not reached", "not in the results"];
    assert_eq!(cells(&page, "median"), median);
    assert_eq!(cells(&page, "HR, IPTW")[2], "0.84 (0.57–1.24)");
    // A row that two lines fit, and a column that is not there.
    let (_, mistakes) = print(&STUDY.replace("from = { variance = \"naive\" }, also", "from = {}, also"), 100);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].contains("2 rows of `estimates` fit; say also variance"), "{mistakes:?}");
    let (_, mistakes) = print(&STUDY.replace("{smd:3}", "{sdm:3}"), 100);
    assert!(mistakes[0].contains("there is no column `sdm`"), "{mistakes:?}");
}

#[test]
fn the_text_of_a_file_cannot_command_the_terminal() {
    let (page, _) = print(&STUDY.replace("Table 2", "Table\\u001b[2J"), 100);
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn a_folder_without_the_file_has_no_published_figures() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Published::read(dir.path()).unwrap().is_none());
    fs::write(dir.path().join(FILE), "[source]\n").unwrap();
    let error = Published::read(dir.path()).unwrap_err();
    assert_eq!(error.to_string(), "`published.toml` has mistakes");
    assert!(error.mistakes()[0].to_string().starts_with("line 1: "), "{:?}", error.mistakes());
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Every number in a text: digits with at most one point between or before them.
fn numbers(text: &str) -> BTreeSet<String> {
    let tokens = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|token| token.trim_end_matches('.'));
    tokens.filter(|token| token.contains(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
}

/// The second column of `published.md` holds what was published; the study's file shows all of it and nothing else.
#[test]
fn the_figures_are_those_of_the_reference() {
    let page = fs::read_to_string(repository("tests/reference/published.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(1));
    let reference: BTreeSet<_> = rows.flat_map(numbers).collect();
    let published = Published::read(&repository("examples/relapsed-myeloma")).unwrap().unwrap();
    let shown: BTreeSet<_> = published.texts().flat_map(numbers).collect();
    assert!(reference.len() > 60, "{reference:?}");
    assert_eq!(reference.difference(&shown).collect::<Vec<_>>(), Vec::<&String>::new(), "not shown");
    assert_eq!(shown.difference(&reference).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the reference");
}

#[test]
fn the_report_gets_each_part_of_a_table_for_its_section() {
    let sections = STUDY
        .replace("title = \"Table 2\"", "title = \"Table 2\"\nsection = \"safety\"")
        .replace("{ label = \"  P\"", "{ label = \"Tests\", section = \"survival\" },\n  { label = \"  P\"");
    let page = Published::parse(&sections).unwrap().page(&results(), 30.4375);
    let parts: Vec<_> = page.tables.iter().map(|table| (table.section.as_str(), table.rows.len())).collect();
    assert_eq!(parts, [("safety", 4), ("survival", 3)]);
    let weighted = &page.tables[0].rows[1];
    assert_eq!((weighted.label.as_str(), weighted.published.as_str()), ("  HR, IPTW", ".84"));
    assert_eq!((weighted.ours.as_str(), weighted.method.as_str()), ("0.84 (0.57–1.24)", "naive"));
    let further = &page.tables[0].rows[2];
    assert_eq!((further.published.as_str(), further.method.as_str()), ("", "M-estimation"));
}

#[test]
fn a_section_that_the_report_does_not_have_is_a_mistake() {
    let wrong = STUDY.replace("title = \"Table 2\"", "title = \"Table 2\"\nsection = \"table2\"");
    let mistakes = Published::parse(&wrong).unwrap_err();
    let text = mistakes.mistakes()[0].to_string();
    assert!(text.contains("the report has no section `table2`; it has findings, flow,"), "{text}");
}
