//! The report of the reference study: its numbers are those of `results.json`, its markup is sound, it reaches for nothing,
//! and text from outside does it no harm.

mod hidden;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use coordinator::published::Published;
use coordinator::results::Provenance;
use entente_tests::federation::{Rows, plain};
use report::{File, PAGE, SECTIONS, TABLES};
use roxmltree::Document;
use serde_json::Value;
use study::plan::Plan;
use study::protocol::Protocol;
use study::release::Release;
use study::results::{FitProblem, Results};

use crate::reference::protocol_text;

/// A run of the reference study and its report.
struct Run {
    protocol: Arc<Protocol>,
    results: Results,
    /// The same before the floors have hidden anything.
    open: Results,
    json: Value,
    files: Vec<File>,
}

impl Run {
    fn text(&self, name: &str) -> String {
        text(&self.files, name)
    }
}

fn is(file: &File, kind: &str) -> bool {
    Path::new(&file.name).extension().is_some_and(|extension| extension == kind)
}

fn text(files: &[File], name: &str) -> String {
    let file = files.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no file {name}"));
    String::from_utf8(file.bytes.clone()).unwrap()
}

fn provenance(protocol: &Protocol, sites: Vec<(String, String)>) -> Provenance {
    Provenance {
        software_version: "0.1.0".into(),
        study: protocol.id.clone(),
        title: protocol.title.clone(),
        run: "relapsed-myeloma-00000000".into(),
        protocol_digest: "p".repeat(64),
        manifest_digest: "m".repeat(64),
        results_digest: "r".repeat(64),
        release_digest: "e".repeat(64),
        release: protocol.release,
        rounds: 24,
        opened_scalars: 8_936,
        compared: None,
        sealed_scalars: 211_000,
        variables: protocol.dictionary.variables().len(),
        bytes_sent_per_site: 3_519_000,
        sites,
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/relapsed-myeloma")
}

/// A protocol of the example over its sites' files.
fn plan(protocol: &Arc<Protocol>) -> Plan {
    let files = std::fs::read_dir(example().join("sites")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<PathBuf> = files.collect();
    let cohorts: Vec<_> = files.iter().map(|file| Rows::read(file).cohort(protocol)).collect();
    plain(protocol, &cohorts).unwrap()
}

fn published() -> Published {
    Published::read(&example()).unwrap().unwrap()
}

fn reference() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| run(&protocol_text(), Some(&published())))
}

/// The reference cohort under a protocol of its folder.
fn run(protocol: &str, beside: Option<&Published>) -> Run {
    let protocol = Arc::new(Protocol::parse(protocol).unwrap());
    let plan = plan(&protocol);
    let results = Release::of(&plan).into_results();
    let open = Results::of(&plan);
    let sites = (1..=45).map(|i| (format!("S{i:02}"), format!("Centre {i}"))).collect();
    let provenance = provenance(&protocol, sites);
    let json = coordinator::results::value(&results, &provenance).unwrap();
    let beside = beside.map(|published| published.page(&json, protocol.month_days));
    let files = report::files(&results, &protocol, &provenance, beside.as_ref()).unwrap();
    Run { protocol, results, open, json, files }
}

/// The body of the page as XML: its elements without an end are closed first.
fn body(page: &str) -> String {
    let body = &page[page.find("<body>").unwrap()..page.find("</html>").unwrap()];
    body.replace("<br>", "<br/>")
}

/// Is this the number, as far as its digits go?
fn prints(shown: &str, value: f64) -> bool {
    let shown = shown.replace('−', "-");
    if let Some(limit) = shown.trim_start_matches(' ').strip_prefix('<') {
        return value < limit.trim().parse::<f64>().unwrap();
    }
    let printed: f64 = shown.parse().unwrap_or_else(|_| panic!("`{shown}` is no number"));
    if shown.contains('e') {
        return (printed - value).abs() <= 0.05001 * 10_f64.powf(value.abs().log10().floor());
    }
    let decimals = shown.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    (printed - value).abs() <= 0.5 * 0.1_f64.powf(decimals as f64) + 1e-9 * value.abs()
}

/// Holds every number of the page against `results.json`; gives how many there are and from which tables.
fn compare(run: &Run) -> (usize, BTreeSet<String>) {
    let page = body(&run.text(PAGE));
    let page = Document::parse(&page).unwrap();
    let mut seen = BTreeSet::new();
    let mut tables = BTreeSet::new();
    for node in page.descendants().filter(|node| node.has_tag_name("data")) {
        let from = node.attribute("data-from").unwrap();
        let value: f64 = node.attribute("value").unwrap().parse().unwrap();
        let stored = run.json.pointer(from).unwrap_or_else(|| panic!("results.json has no {from}"));
        let stored = stored.as_f64().unwrap_or_else(|| panic!("{from} is {stored}"));
        let (stored, unit) = match node.attribute("data-unit").unwrap() {
            "plain" => (stored, 1.0),
            "percent" => (stored, 0.01),
            "months" => (stored, run.protocol.month_days),
            "years" => (stored, 365.25),
            "absolute" => (stored.abs(), 1.0),
            other => panic!("{from}: unit {other}"),
        };
        assert_eq!(value.to_bits(), stored.to_bits(), "{from}");
        let shown = node.text().unwrap();
        assert!(prints(shown, stored / unit), "{from}: {shown} is not {}", stored / unit);
        seen.insert(from.to_owned());
        tables.insert(from.split('/').nth(1).unwrap().to_owned());
    }
    (seen.len(), tables)
}

#[test]
fn numbers_on_the_page_are_those_of_results_json_to_the_printed_digit() {
    let (count, tables) = compare(reference());
    assert!(count > 1500, "only {count} numbers");
    let expected = "balance effects estimates fits flow medians outcomes overlap propensity_histogram subgroups survival tests weights";
    assert_eq!(tables, expected.split(' ').map(str::to_owned).collect());
}

#[test]
fn numbers_of_competing_causes_and_of_resampling_are_those_of_results_json() {
    for (protocol, table, words) in
        [("protocol-competing.toml", "incidence", "P (Gray)"), ("protocol-resampling.toml", "estimates", "Replicates")]
    {
        let run = run(&std::fs::read_to_string(example().join(protocol)).unwrap(), None);
        let (count, tables) = compare(&run);
        assert!(count > 150 && tables.contains(table), "{protocol}: {count} numbers of {tables:?}");
        assert!(run.text(PAGE).contains(words), "{protocol}");
    }
}

#[test]
fn a_wrong_digit_would_be_noticed() {
    assert!(prints("0.55", 0.5501) && prints("<0.001", 0.0002) && prints("−2.4", -2.44) && prints("1.2e4", 12_345.0));
    assert!(!prints("0.56", 0.5501) && !prints("<0.001", 0.002) && !prints("2.4", -2.44) && !prints("1.3e4", 12_345.0));
}

#[test]
fn every_section_stands_on_the_page_and_every_link_leads_to_one() {
    let page = reference().text(PAGE);
    for id in SECTIONS {
        assert_eq!(page.matches(&format!("<section id=\"{id}\"")).count(), 1, "{id}");
    }
    for target in page.split("href=\"#").skip(1) {
        let target = target.split('"').next().unwrap();
        assert!(SECTIONS.contains(&target), "#{target}");
    }
}

#[test]
fn the_page_reaches_for_nothing_and_runs_nothing() {
    let page = reference().text(PAGE);
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
    for word in ["<script", "<link", "<img", "<iframe", "src=", "@import", "url(", "onload", "onclick", "javascript:"] {
        let visible = page.replace("default-src", "").replace("img-src", "");
        assert!(!visible.contains(word), "{word}");
    }
    let schemes = page.matches("http://").count() + page.matches("https://").count();
    assert_eq!(schemes, page.matches("http://www.w3.org/2000/svg").count(), "nothing but the name of SVG");
}

#[test]
fn every_figure_is_a_described_drawing_with_its_numbers_beside_it() {
    let run = reference();
    let page = run.text(PAGE);
    let mut figures = 0;
    for file in run.files.iter().filter(|file| is(file, "svg")) {
        let svg = String::from_utf8(file.bytes.clone()).unwrap();
        let parsed = Document::parse(&svg).unwrap_or_else(|e| panic!("{}: {e}", file.name));
        let root = parsed.root_element();
        assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")), "{}", file.name);
        for part in ["title", "desc"] {
            let part = root.children().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", part))).unwrap();
            assert!(!part.text().unwrap().is_empty(), "{}", file.name);
            assert!(
                root.attribute("aria-labelledby").unwrap().contains(part.attribute("id").unwrap()),
                "{}",
                file.name
            );
        }
        assert!(page.contains(&svg), "{}: the page shows another drawing", file.name);
        let csv = text(&run.files, &file.name.replace(".svg", ".csv"));
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        assert!(reader.records().map(Result::unwrap).count() > 2, "{}", file.name);
        figures += 1;
    }
    for name in
        ["flow", "love", "overlap", "weights", "km-pfs-weighted", "km-os-unweighted", "contrasts", "modification"]
    {
        assert!(run.files.iter().any(|file| file.name == format!("figures/{name}.svg")), "{name}");
    }
    assert_eq!(figures, page.matches("<figure>").count());
}

#[test]
fn every_published_figure_is_on_the_page_in_the_section_that_it_belongs_to() {
    let run = reference();
    let page = body(&run.text(PAGE));
    let page = Document::parse(&page).unwrap();
    let published = published();
    for text in published.texts() {
        let cell = page.descendants().find(|node| node.has_tag_name("bdi") && node.text() == Some(text));
        let cell = cell.unwrap_or_else(|| panic!("{text} is not on the page"));
        let section = cell.ancestors().find(|node| node.has_tag_name("section")).unwrap();
        let id = section.attribute("id").unwrap();
        assert!(["flow", "baseline", "survival", "safety"].contains(&id), "{text} in {id}");
    }
    let missing = page.descendants().any(|node| node.text() == Some("not in the results"));
    assert!(!missing, "a published figure has no number of the run");
}

#[test]
fn the_tables_are_a_document_of_a_word_processor() {
    let file = reference().files.iter().find(|file| file.name == TABLES).unwrap();
    assert!(file.bytes.starts_with(b"PK\x03\x04"), "a zip file");
    assert!(file.bytes.len() > 10_000);
}

/// Markup, a formula, a word that does not end, letters from right to left with a turn of direction.
const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script><b x='\"&",
    "=HYPERLINK(A1)",
    "Wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
    "\u{202e}\u{5d0}\u{5d1}\u{5d2} \u{5d3}\u{5d4}",
];

#[test]
fn hostile_text_is_shown_harmlessly_everywhere() {
    for hostile in HOSTILE {
        let quoted = toml_text(hostile);
        let text = protocol_text()
            .replace(
                "title = \"IsaPd versus EloPd in relapsed or refractory multiple myeloma\"",
                &format!("title = {quoted}"),
            )
            .replace("label = \"Refractory to daratumumab\"", &format!("label = {quoted}"))
            .replace("label = \"FISH available\"", &format!("label = {quoted}"))
            .replace("label = \"Overall survival\"", &format!("label = {quoted}"))
            .replace("label = \"Propensity score from 0.1 to 0.9\"", &format!("label = {quoted}"))
            .replace(
                "levels = [\"EloPd\", \"IsaPd\"]",
                &format!("levels = [\"EloPd\", \"IsaPd\"]\nlabels = [{quoted}, {quoted}]"),
            )
            // Criteria are named by their labels.
            .replace("without = [\"FISH available\"]", &format!("without = [{quoted}]"));
        let protocol = Arc::new(Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)));
        let run = reference();
        let sites = vec![(hostile.to_owned(), hostile.to_owned())];
        let mut results = run.results.clone();
        results.flow[1].label = hostile.into();
        results.scenarios[0].label = hostile.into();
        let files = report::files(&results, &protocol, &provenance(&protocol, sites), None).unwrap();
        let page = self::text(&files, PAGE);
        Document::parse(&body(&page)).unwrap_or_else(|e| panic!("{hostile}: {e}"));
        assert!(!page.contains("<script") && !page.contains("<b x"), "{hostile}");
        assert!(!page.contains('\u{202e}'), "the direction of the page is turned");
        for file in &files {
            let content = String::from_utf8_lossy(&file.bytes);
            if is(file, "svg") {
                Document::parse(&content).unwrap_or_else(|e| panic!("{}: {e}", file.name));
            }
            if is(file, "csv") {
                let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(content.as_bytes());
                for record in reader.records() {
                    for field in &record.unwrap_or_else(|e| panic!("{}: {e}", file.name)) {
                        let formula = field.starts_with(['=', '+', '@', '\t']) || field.starts_with("-H");
                        assert!(!formula, "{}: {field}", file.name);
                    }
                }
            }
        }
    }
}

/// A basic string of TOML.
fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\u{202e}', "\\u202e"))
}

#[test]
fn a_model_that_failed_stands_with_code_and_hint() {
    let run = reference();
    let mut results = run.results.clone();
    let fit = results.fits.iter_mut().find(|fit| fit.model == "adjusted").unwrap();
    fit.outcome_of_fit = Err(FitProblem {
        code: "fit.separation".into(),
        message: "separation: the outcome is predicted perfectly by `sex:F`".into(),
        hint: "merge levels".into(),
    });
    let (outcome, model) = (fit.outcome.clone(), fit.model.clone());
    results.estimates.retain(|row| row.outcome != outcome || row.model != model);
    let sites = vec![("S01".to_owned(), String::new())];
    let files = report::files(&results, &run.protocol, &provenance(&run.protocol, sites), None).unwrap();
    let page = text(&files, PAGE);
    let section = &page[page.find("<section id=\"failures\"").unwrap()..page.find("<section id=\"methods\"").unwrap()];
    assert!(section.contains("fit.separation") && section.contains("merge levels"), "{section}");
    assert!(page.contains("One declared model has no result"));
}
