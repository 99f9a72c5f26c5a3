//! Files and studies that went wrong once, in `tests/cases`: each with what is right and how that is known.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use site_agent::source::csv;
use site_agent::source::{Blame, Loaded, ProblemKind, SourceError, Warning};
use study::evaluate::Evaluator;
use study::plan::Plan;
use study::policy::BadValues;
use study::protocol::Protocol;
use study::results::{BalanceRow, Results};
use study::word;

/// Reads as the default policy of a site does.
fn load(path: &Path, protocol: &Protocol) -> Result<Loaded, SourceError> {
    csv::load(path, protocol, BadValues::Refuse)
}

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases").join(name)
}

fn text(case: &Path) -> String {
    fs::read_to_string(case.join("protocol.toml")).expect("the protocol")
}

fn parsed(text: &str) -> Protocol {
    Protocol::parse(text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0))
}

/// Files whose rows are those of the plain one.
const PLAIN: [&str; 14] = [
    "00-plain",
    "01-bom",
    "02-crlf",
    "03-bom-crlf-noeol",
    "04-mixed-eol",
    "05-cr-only",
    "06-quoted-all",
    "07-quoted-newline-undeclared",
    "11-trailing-comma",
    "12-trailing-commas3",
    "18-blank-lines",
    "19-comma-rows",
    "20-sep-line",
    "46-bom-quoted",
];

/// Other files that are read, with their patients.
const READ: [(&str, usize); 7] = [
    ("15-dup-undeclared", 1),
    ("16-case-dup", 1),
    ("26-NA-level", 4),
    ("28-leading-zero-ids", 4),
    ("39-header-quoted-newline", 4),
    ("43-header-only", 0),
    ("49-unicode-nfd", 1),
];

/// Files that are refused, with the codes and a part of the reason.
const REFUSED: [(&str, &[&str], &str); 28] = [
    ("08-thousands", &["source.decimal_comma"], "no thousands separator"),
    ("09-thousands-space", &["source.thousands"], "a thousands separator inside a number"),
    ("10-thousands-nbsp", &["source.thousands"], "a thousands separator inside a number"),
    ("13-trailing-rows-only", &["source.field_count"], "more commas at the end than the header has"),
    ("14-dup-declared", &["source.repeated_column"], "stands 2 times"),
    ("17-case-header", &["source.missing_column"], "rename `AGE`"),
    ("21-semicolon", &["source.separator"], "semicolons"),
    ("22-semicolon-comma", &["source.separator"], "semicolons"),
    ("23-tab", &["source.separator"], "tabs"),
    ("24-latin1", &["source.not_utf8"], "column `pid`: 1 row (line 2): not UTF-8"),
    ("25-utf16", &["source.not_utf8"], "the text is in UTF-16"),
    ("27-NA-missing", &["source.missing_marker"], "leave the field empty"),
    ("29-ids-case-blank", &["source.blanks"], "line 4"),
    ("30-sci", &["source.not_a_number"], "column `cost`: 2 rows (lines 4, 5)"),
    (
        "31-bool",
        &["source.level_decimal", "source.other_code"],
        "of more than one coding; expected exactly one of: 0, 1",
    ),
    (
        "32-onetwo",
        &["source.other_code"],
        "coded 1/2; expected exactly one of: 0, 1; export it so, or ask the study's statistician to declare `codes = [\"1\", \"2\"]`",
    ),
    ("33-ctrlz", &["source.field_count"], "line 6"),
    ("34-nul", &["source.invisible"], "column `pid`: 1 row (line 4): a control character"),
    (
        "35-unclosed",
        &["source.line_break", "source.quotation"],
        "1 row (line 2): a quotation mark opens a field and nothing closes it",
    ),
    ("36-quote-inside", &["source.quotes"], "a quotation mark inside the value"),
    ("37-quote-then-text", &["source.quotation"], "1 row (line 2): text or blanks behind a closing quotation mark"),
    ("38-header-spaces", &["source.missing_column"], "rename ` arm`"),
    ("40-inf-nan", &["source.missing_marker", "source.not_a_number"], "2 rows (lines 2, 4): not a number"),
    ("41-short-row", &["source.field_count"], "line 3"),
    ("42-empty-file", &["source.empty"], "the file is empty"),
    ("44-date", &["source.missing_column"], "column `age`"),
    ("45-unicode-minus", &["source.script"], "no plain ASCII"),
    ("47-double-bom", &["source.missing_column"], "a character that nobody sees"),
];

#[test]
fn one_export_in_fifty_shapes() {
    let case = case("22-csv-oddities");
    let protocol = parsed(&text(&case));
    let read = |file: &str| load(&case.join("files").join(format!("{file}.csv")), &protocol);
    let accepted = |file: &str| read(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    let plain = accepted("00-plain");
    assert_eq!(plain.cohort.rows(), 4);
    for file in PLAIN {
        assert!(accepted(file).cohort == plain.cohort, "{file}");
    }
    for (file, patients) in READ {
        assert_eq!(accepted(file).cohort.rows(), patients, "{file}");
    }
    assert_eq!(accepted("48-excel-formula").cohort.rows(), 4);
    for (file, codes, reason) in REFUSED {
        let Err(error) = read(file) else { panic!("{file} is refused") };
        assert_eq!(error.codes(), codes, "{file}: {error}");
        assert!(error.to_string().contains(reason), "{file}: {error}");
    }
    let files = fs::read_dir(case.join("files")).expect("files").count();
    assert_eq!(PLAIN.len() + READ.len() + 1 + REFUSED.len(), files);
    let said = |file: &str, code: &str| accepted(file).warnings.iter().any(|warning| warning.code() == code);
    assert!(said("19-comma-rows", "data.empty_rows") && said("16-case-dup", "data.alike_columns"));
    assert!(
        accepted("19-comma-rows")
            .warnings
            .iter()
            .any(|w| w.to_string() == "2 rows (lines 6, 7) without any value: skipped")
    );
}

#[test]
fn declared_codes_are_read() {
    let case = case("22-csv-oddities");
    let coded = |codes: &str| {
        parsed(
            &text(&case)
                .replace("kind = \"binary\"\n\n[treat", &format!("kind = \"binary\"\ncodes = {codes}\n\n[treat")),
        )
    };
    let plain = load(&case.join("files/00-plain.csv"), &parsed(&text(&case))).expect("the plain file");
    let onetwo = load(&case.join("files/32-onetwo.csv"), &coded("[\"1\", \"2\"]")).expect("declared codes");
    assert!(onetwo.cohort.columns == plain.cohort.columns);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.csv");
    let rows = fs::read_to_string(case.join("files/00-plain.csv")).expect("the plain file");
    fs::write(&file, rows.replace(",1\n", ",True\n").replace(",0\n", ",False\n")).expect("a file");
    let read = load(&file, &coded("[\"False\", \"True\"]")).expect("declared codes");
    assert!(read.cohort.columns == plain.cohort.columns);
    let error = load(&file, &parsed(&text(&case))).expect_err("0 and 1 are declared");
    assert!(
        error.to_string().contains("column `resp`: 4 rows (lines 2, 3, 4, ...): coded False/True; expected"),
        "{error}"
    );
}

#[test]
fn other_formats_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let protocol = parsed(&text(&case("22-csv-oddities")));
    for (content, name) in [
        (&b"PAR1\x15\x04\x15\x10"[..], "this is a Parquet file and no CSV"),
        (b"PK\x03\x04\x14\0\x06\0", "this is an Excel workbook (.xlsx) or another zip archive"),
        (b"p\0i\0d\0,\0", "the text is in UTF-16"),
        (b"[{\"pid\": \"p1\"}]", "this is a JSON file"),
    ] {
        let file = folder.path().join("site.csv");
        fs::write(&file, content).expect("a file");
        let error = load(&file, &protocol).expect_err("no table");
        assert!(error.to_string().contains(name), "{error}");
    }
}

fn sites(case: &Path, protocol: &Protocol) -> Vec<Result<Loaded, SourceError>> {
    ["S01", "S02", "S03"].map(|site| load(&case.join("sites").join(format!("{site}.csv")), protocol)).into()
}

/// The first row of the baseline table of a federation of these sites.
fn baseline(protocol: &Protocol, sites: &[Loaded]) -> BalanceRow {
    let protocol = Arc::new(protocol.clone());
    let evaluators: Vec<_> = sites
        .iter()
        .enumerate()
        .map(|(i, site)| Evaluator::new(&protocol, &site.cohort, sites.len(), i == 0))
        .collect();
    let mut plan = Plan::new(Arc::clone(&protocol));
    while !plan.done() {
        let answer = |site: &Evaluator<'_>| -> Vec<i128> {
            plan.ask().iter().flat_map(|asked| site.answer(asked).expect("an answer")).collect()
        };
        let answers: Vec<Vec<i128>> = evaluators.iter().map(answer).collect();
        let sum = |i: usize| answers.iter().fold(0_i128, |sum, answer| sum.wrapping_add(answer[i]));
        let sums: Vec<i128> = (0..answers[0].len()).map(sum).collect();
        plan.tell(&word::read(&sums, sites.len()));
    }
    Results::of(&plan).balance.remove(0)
}

#[test]
fn no_value_is_rounded_without_a_word() {
    let case = case("28-coarse-default-resolution");
    let text = text(&case);
    let with = |range: &str, more: &str| text.replace("range = [0.2, 15]\n", &format!("range = {range}\n{more}\n"));
    let mistake = |text: &str| Protocol::parse(text).expect_err("a mistake").0.remove(0).to_string();
    let uneven = mistake(&with("[0.2, 15]", "resolution = 1"));
    assert!(uneven.contains("begins at 0.2, the smallest value of `range`, which is no multiple"), "{uneven}");
    assert!(mistake(&with("[0, 15]", "rounded = true")).contains("rounded: stands without `resolution`"));

    // without a step, and with one that is too coarse
    let undeclared = parsed(&text);
    let coarse = parsed(&with("[0, 15]", "resolution = 1"));
    for site in sites(&case, &coarse).into_iter().chain(sites(&case, &undeclared)) {
        let error = site.expect_err("values are finer than the grid");
        assert_eq!(error.codes(), ["source.finer_than_grid"]);
        let ProblemKind::FinerThanGrid { fitting, .. } = error.problems[0].kind else { panic!("{error}") };
        assert_eq!(fitting, Some(0.01));
        assert!(error.to_string().contains("ask the study's statistician for `resolution = 0.01`"), "{error}");
        assert_eq!(error.blame(), Blame::Protocol);
        assert!(error.hint().contains("the file may be right"));
    }

    let fine = parsed(&with("[0.2, 15]", "resolution = 0.01"));
    let loaded: Vec<Loaded> = sites(&case, &fine).into_iter().map(|site| site.expect("the grid holds all")).collect();
    let row = baseline(&fine, &loaded);
    // R 4.2: quantile(type = 7), wilcox.test(exact = FALSE, correct = FALSE) on the pooled rows
    let quartiles =
        |cells: study::results::BalanceCells| [cells.q25, cells.median, cells.q75].map(|x| x.expect("a number"));
    for (found, right) in
        [(quartiles(row.control), [0.8625, 1.0, 1.2225]), (quartiles(row.treated), [0.9575, 1.19, 1.4325])]
    {
        for (found, right) in found.into_iter().zip(right) {
            assert!((found - right).abs() < 1e-12, "{found} {right}");
        }
    }
    let p = row.p_value.expect("a p value");
    assert!((p / 0.003_952_499_720_031_04 - 1.0).abs() < 1e-12, "{p}");
    assert_eq!(row.rounded_to, None);

    let rounded = parsed(&with("[0, 15]", "resolution = 1\nrounded = true"));
    let loaded: Vec<Loaded> = sites(&case, &rounded).into_iter().map(|site| site.expect("rounding is meant")).collect();
    let row = baseline(&rounded, &loaded);
    assert_eq!((row.control.median, row.treated.median, row.rounded_to), (Some(1.0), Some(1.0), Some(1.0)));
}

#[test]
fn who_has_to_mend_what_follows_from_the_problems() {
    let rows = |rows: &str| format!("pid,arm,creat,resp\n{rows}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.csv");
    let protocol = parsed(&text(&case("28-coarse-default-resolution")));
    for (content, blame, hint) in [
        // finer than whole numbers from 0.2 on
        ("p1,A,1.25,1\np2,B,1.2,0\n", Blame::Protocol, "the file may be right"),
        // no grid holds a third
        ("p1,A,0.3333333333333,1\np2,B,1.2,0\n", Blame::Either, "or have the study's statistician mend the protocol"),
        ("p1,A,1.2,TRUE\np2,B,1.2,FALSE\n", Blame::Either, "or have the study's statistician mend the protocol"),
        ("p1,A,<1,1\np2,B,1.2,0\n", Blame::Either, "or have the study's statistician mend the protocol"),
        ("p1,A,\"1,2\",1\np2,B,1.2,0\n", Blame::File, "mend the file as the lines above say"),
        // what may be mended on either side is mended where something has to be
        ("p1,A,1.2,TRUE\np1,B,1.2,FALSE\n", Blame::File, "mend the file as the lines above say"),
        ("p1,A,1.25,TRUE\np2,B,1.2,FALSE\n", Blame::Protocol, "the file may be right"),
        ("p1,A,1.25,1\np1,B,1.2,0\n", Blame::Both, "mend the file, and tell the study's statistician"),
    ] {
        fs::write(&file, rows(content)).expect("a file");
        let error = load(&file, &protocol).expect_err("a problem");
        assert_eq!(error.blame(), blame, "{error}");
        assert!(error.hint().contains(hint), "{error}: {}", error.hint());
    }
}

#[test]
fn what_a_site_can_know_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.csv");
    let protocol = parsed(
        &text(&case("22-csv-oddities"))
            .replace("[treatment]", "[[variable]]\nname = \"stage\"\nkind = \"categorical\"\nlevels = [\"I\", \"II\", \"III\"]\n[treatment]")
            .replace("models = [\"unadjusted\"]", "models = [\"adjusted\"]\ncovariates = [\"age\", \"cost\", \"stage\"]"),
    );
    fs::write(
        &file,
        "pid,arm,age,cost,country,resp,stage,note\np1,A,50,7,ZA,1,I,x\np2,A,,7,NA,0,II,y\np3,A,61,7,NA,,I,\n,,,,,,,\n",
    )
    .expect("a file");
    let loaded = load(&file, &protocol).expect("nothing is wrong");
    let said: Vec<(&str, String)> =
        loaded.warnings.iter().map(|warning| (warning.code(), warning.to_string())).collect();
    let codes: Vec<&str> = said.iter().map(|(code, _)| *code).collect();
    assert_eq!(
        codes,
        [
            "data.columns_ignored",
            "data.empty_rows",
            "data.empty_arm",
            "data.missing",
            "data.missing",
            "data.constant",
            "data.empty_levels",
            "data.unused",
        ]
    );
    assert_eq!(loaded.warnings[2], Warning::EmptyArm("B".into()));
    for (at, part) in [
        (3, "`age` has no value in 1 of 3 analysed rows, and models have it as a covariate"),
        (4, "`resp` has no value in 1 of 3 analysed rows, and it is part of the outcome resp"),
        (5, "other sites have others: cost"),
        (6, "other sites have them: stage III"),
        (7, "in the file: country"),
    ] {
        assert!(said[at].1.contains(part), "{part}: {:?}", said[at]);
    }
    // Nothing of it comes out where a criterion requires the value.
    let required = text(&case("22-csv-oddities"))
        .replace("models = [\"unadjusted\"]", "models = [\"adjusted\"]\ncovariates = [\"age\"]")
        + "[[eligibility]]\nlabel = \"Known\"\nrequire = \"age IS NOT NULL AND resp IS NOT NULL AND country IS NOT NULL\"\nafter_time_zero = true\n";
    let loaded = load(&file, &parsed(&required)).expect("nothing is wrong");
    assert!(loaded.warnings.iter().all(|warning| !matches!(warning, Warning::Missing { .. })), "{:?}", loaded.warnings);
}

/// Further shapes of the same export, by its text: the codes of a refusal, or none where it is read.
#[test]
fn further_shapes() {
    let case = case("22-csv-oddities");
    let protocol = parsed(&text(&case));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.csv");
    let plain = "pid,arm,age,cost,country,resp\np1,A,50,1200,ZA,1\np2,B,61,900,BW,0\n";
    let cost = |cost: &str| plain.replace("1200", cost);
    let right = load(&case.join("files/00-plain.csv"), &protocol).expect("the plain file");
    let none: &[&str] = &[];
    for (content, codes) in [
        (plain.to_owned(), none),
        (plain.replace('\n', ",,\n"), none),
        (plain.replace('\n', "\n \t \n"), none),
        (plain.replace('\n', "\n\"\",\"\"\n"), none),
        (format!("\"sep=,\"\r\n{plain}"), none),
        (format!("\u{feff}SEP=,\n{plain}"), none),
        (format!("sep=;\n{plain}"), &["source.separator"]),
        (format!("sep=,\n{}", plain.replace(',', ";")), &["source.separator"]),
        (plain.replace(',', "|"), &["source.separator"]),
        (plain.replace(',', ";").replace("country", "country, of birth"), &["source.separator"]),
        (plain.replace("p1,A,50,1200,ZA,1", "p1;A;50;1200;ZA;1"), &["source.field_count"]),
        (plain.replace(",resp\n", ",resp, Resp\n").replace(",1\n", ",1,x\n").replace(",0\n", ",0,x\n"), none),
        (plain.replace(",resp\n", ",resp,resp\n").replace(",1\n", ",1,x\n"), &["source.repeated_column"]),
        (cost("1.2e3"), none),
        (cost("+1200"), none),
        (cost("1200."), none),
        (cost("\"1200\""), none),
        (cost("0x4B0"), &["source.not_a_number"]),
        (cost("Infinity"), &["source.not_a_number"]),
        (cost("NaN"), &["source.missing_marker"]),
        (cost("#N/A"), &["source.missing_marker"]),
        (cost("\"1200,5\""), &["source.decimal_comma"]),
        (cost("1\u{2009}200"), &["source.thousands"]),
        (cost("1'200"), &["source.thousands"]),
        (cost("1\u{2019}200"), &["source.thousands"]),
        (cost("1200 EUR"), &["source.unit"]),
        (cost("12%"), &["source.unit"]),
        (cost("$1200"), &["source.unit"]),
        (cost("<1200"), &["source.limit"]),
        (cost("1200\u{a0}"), &["source.blanks"]),
        (cost("\u{c}1200"), &["source.blanks"]),
        (cost("12\u{ad}00"), &["source.invisible"]),
        (cost(" \"1200\""), &["source.quotes"]),
        (cost("\"1200\" "), &["source.blanks", "source.quotation"]),
        (cost("'1200'"), &["source.quotes"]),
        (cost("01.02.2020"), &["source.date"]),
        (cost("\u{ff11}\u{ff12}"), &["source.script"]),
        (plain.replace("p2", "p1\u{200b}"), &["source.invisible"]),
        (plain.replace("p2", "p\u{b}2"), &["source.invisible"]),
        (plain.replace(",ZA,", ",\"Z\nA\","), &["source.line_break"]),
        (plain.replace("\np2", "\n\"p2"), &["source.line_break", "source.quotation"]),
        (plain.replace(",1\n", ",T\n").replace(",0\n", ",F\n"), &["source.other_code"]),
        (plain.replace(",1\n", ",ja\n").replace(",0\n", ",nein\n"), &["source.other_code"]),
        (plain.replace(",1\n", ",-1\n"), &["source.other_code"]),
        (plain.replace(",1\n", ",maybe\n"), &["source.unknown_level"]),
    ] {
        fs::write(&file, &content).expect("a file");
        match load(&file, &protocol) {
            Ok(loaded) => {
                assert_eq!(codes, none, "{content:?} is read");
                assert_eq!((loaded.cohort.rows(), right.cohort.rows()), (2, 4), "{content:?}");
            }
            Err(error) => assert_eq!(error.codes(), codes, "{content:?}: {error}"),
        }
    }
}
