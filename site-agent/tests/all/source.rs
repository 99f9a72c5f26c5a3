//! Every class of bad file has its own message; none of them holds a value.

use std::path::Path;

use site_agent::source::csv::load;
use site_agent::source::{Access, Loaded, ProblemKind, SourceError, Warning};
use study::cohort::{Cohort, Column, FlowCount, MISSING_DAYS, MISSING_LEVEL};
use study::policy::BadValues;

use crate::study_files::{HEADER, SiteFile, loaded, protocol, rows};

/// Values that stand in the bad files below and must never come out.
const CANARIES: [&str; 9] = ["CANARY", "canary", "63,25", "63.25", "987654", "4321.5", "7777", "1.0", "P-0042"];

fn refused(result: Result<Loaded, SourceError>) -> SourceError {
    let error = result.expect_err("the file is bad");
    let text = format!("{error}\n{error:?}\n{:?}", error.codes());
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} came out: {text}");
    }
    error
}

/// Loads rows of which some are bad in one way; the message must be this one.
fn one_problem(bad: &[&str], code: &str, message: &str) {
    let error = refused(rows(bad));
    assert_eq!(error.codes(), [code]);
    assert_eq!(error.to_string(), format!("site.csv: {message}"));
}

const GOOD: &str = "A1,old,50,I,0,10";

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.warnings.iter().map(Warning::code).collect()
}

#[test]
fn a_good_file_becomes_columns_in_key_order() {
    let loaded = rows(&["P3,new,63.25,III,1,0", "P10,old,,,,", "P1,,18,I,0,4000"]).unwrap();
    let missing = |variable: &str, outcomes: &[&str]| Warning::Missing {
        variable: variable.into(),
        scenario: None,
        rows: 1,
        of: 2,
        outcomes: outcomes.iter().map(|name| (*name).to_owned()).collect(),
    };
    let expected = [
        missing("age", &[]),
        missing("stage", &[]),
        missing("response", &["response", "os"]),
        missing("os_days", &["os"]),
        Warning::Constant(vec!["age".into(), "stage".into()]),
    ];
    assert_eq!(loaded.warnings, expected);
    let Cohort { treated, columns, flow, .. } = loaded.cohort;
    // Bytes of the key decide: P1 (no regimen, left out), P10, P3.
    assert_eq!(treated, [false, true]);
    let count = |control, treated, neither| FlowCount { control, treated, neither };
    assert_eq!(flow, [count(1, 1, 1), count(1, 1, 0)]);
    assert!(columns[0] == Column::Levels(vec![0, 1]));
    let Column::Numbers(age) = &columns[1] else { panic!("age is continuous") };
    assert!(age[0].is_nan() && age[1] == 63.25);
    assert!(columns[2] == Column::Levels(vec![MISSING_LEVEL, 2]));
    assert!(columns[3] == Column::Levels(vec![MISSING_LEVEL, 1]));
    assert!(columns[4] == Column::Days(vec![MISSING_DAYS, 0]));
}

#[test]
fn byte_order_mark_line_ends_quotes_and_column_order_do_not_matter() {
    let plain = rows(&["P1,old,50.5,I,0,10", "P2,new,60,II,1,20"]).unwrap();
    let other = loaded(
        "\u{feff}\"os_days\",site_note,stage,response,age,\"regimen\",patient\r\n\
         10,\"a, b\",I,0,50.5,old,P1\r\n\r\n20,,II,1,60.0,\"new\",P2",
    )
    .unwrap();
    assert!(plain.cohort == other.cohort);
    assert_eq!(codes(&other), ["data.columns_ignored", "data.empty_levels"]);
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let mut lines: Vec<String> = (0..50)
        .map(|i| format!("K{:02},{},{},II,{},{}", i * 7 % 50, ["old", "new"][i % 2], 20 + i, i % 2, i * 3))
        .collect();
    let load = |lines: &[String]| rows(&lines.iter().map(String::as_str).collect::<Vec<_>>()).unwrap().cohort;
    let first = load(&lines);
    lines.reverse();
    assert!(first == load(&lines));
    lines.sort();
    assert!(first == load(&lines));
}

#[test]
fn zero_rows_are_a_cohort_with_a_warning() {
    let loaded = loaded(format!("{HEADER}\n")).unwrap();
    assert_eq!(codes(&loaded), ["data.no_rows"]);
    assert_eq!(loaded.cohort.rows(), 0);
    assert_eq!(loaded.cohort.columns.len(), 5);
    assert_eq!(loaded.cohort.flow, [FlowCount::default(); 2]);
    let none = rows(&["P1,,50,I,0,10"]).unwrap();
    assert_eq!(codes(&none), ["data.none_analysed"]);
}

#[test]
fn eligibility_is_counted_step_by_step() {
    let protocol = protocol(
        "[[eligibility]]\nlabel = \"staged\"\nrequire = \"stage IS NOT NULL\"\n\
         [[eligibility]]\nlabel = \"at most 70\"\nrequire = \"age <= 70\"",
    );
    let file = SiteFile::new(format!(
        "{HEADER}\nP1,old,50,I,0,1\nP2,new,60,,0,1\nP3,new,71,II,0,1\nP4,new,,II,0,1\nP5,,65,II,0,1\nP6,new,70,II,1,9\n"
    ));
    let cohort = load(&file.path(), &protocol, BadValues::Refuse).unwrap().cohort;
    let count = |control, treated, neither| FlowCount { control, treated, neither };
    assert_eq!(cohort.flow, [count(1, 4, 1), count(1, 3, 1), count(1, 1, 1), count(1, 1, 0)]);
    assert_eq!(cohort.treated, [false, true]);
    assert!(cohort.columns[4] == Column::Days(vec![1, 9]));
}

#[test]
fn decimal_comma() {
    one_problem(
        &[GOOD, "P-0042,old,\"63,25\",I,0,10", "B2,old,\"63,25\",I,0,10"],
        "source.decimal_comma",
        "column `age`: 2 rows (lines 3, 4): a comma in a number; write a decimal point and no thousands separator \
         (expected a number from 18 to 110 years)",
    );
}

#[test]
fn not_a_number() {
    one_problem(
        &[GOOD, "P-0042,old,CANARY,I,0,10"],
        "source.not_a_number",
        "column `age`: 1 row (line 3): not a number; expected a number from 18 to 110 years; are two columns swapped?",
    );
}

#[test]
fn out_of_range() {
    one_problem(
        &["B1,old,7777,I,0,10", "B2,old,7777,I,0,10", GOOD, "B3,old,7777,I,0,10", "B4,old,7777,I,0,10"],
        "source.out_of_range",
        "column `age`: 4 rows (lines 2, 3, 5, ...): out of range; expected a number from 18 to 110 years; \
         check the unit and the column",
    );
}

#[test]
fn missing_markers() {
    one_problem(
        &["B1,old,NA,I,0,10", "B2,old,.,I,0,10", "B3,old,NULL,I,0,10"],
        "source.missing_marker",
        "column `age`: 3 rows (lines 2, 3, 4): a text that stands for missing (NA, NULL, a dot and the like); \
         leave the field empty",
    );
}

#[test]
fn blanks() {
    one_problem(
        &["B1,old, 63.25,I,0,10"],
        "source.blanks",
        "column `age`: 1 row (line 2): blanks around the value or alone; remove them \
         (expected a number from 18 to 110 years)",
    );
}

#[test]
fn days_are_whole() {
    one_problem(
        &["B1,old,50,I,0,1.0", "B2,old,50,I,0,10"],
        "source.not_whole",
        "column `os_days`: 1 row (line 2): not written as a whole number; expected whole days from 0 to 4000, digits only",
    );
}

#[test]
fn unknown_level() {
    one_problem(
        &["B1,old,50,CANARY,0,10", "B2,old,50,II,0,10"],
        "source.unknown_level",
        "column `stage`: 1 row (line 2): a level that the dictionary lacks; expected exactly one of: I, II, III; \
         are two columns swapped?",
    );
}

#[test]
fn level_but_for_case() {
    one_problem(
        &["B1,OLD,50,I,0,10", "B2,New ,50,I,0,10"],
        "source.level_spelling",
        "column `regimen`: 2 rows (lines 2, 3): a declared level but for upper or lower case, accents or blanks; \
         expected exactly one of: old, new",
    );
}

#[test]
fn level_as_a_decimal_number() {
    one_problem(
        &["B1,old,50,I,1.0,10"],
        "source.level_decimal",
        "column `response`: 1 row (line 2): a declared level written as a decimal number; export whole numbers \
         (expected exactly one of: 0, 1)",
    );
}

#[test]
fn duplicate_patient() {
    one_problem(
        &["P-0042,old,50,I,0,10", GOOD, "P-0042,new,60,I,0,10", "P-0042,new,60,I,0,10"],
        "source.duplicate_patient",
        "column `patient`: 2 rows (lines 4, 5): the patient stands in an earlier row too; one row per patient is wanted",
    );
}

#[test]
fn empty_patient() {
    one_problem(
        &[",old,50,I,0,10", " ,old,50,I,0,10"],
        "source.empty_patient",
        "column `patient`: 2 rows (lines 2, 3): no patient identifier; every row needs one",
    );
}

#[test]
fn ragged_rows() {
    // A decimal comma without quotation marks is one field too many.
    one_problem(
        &["B1,old,63,25,I,0,10", GOOD, "P-0042,old,50"],
        "source.field_count",
        "2 rows (lines 2, 4): not as many fields as the header; look for a comma inside a text or number that is not quoted",
    );
}

#[test]
fn a_quotation_mark_that_is_not_closed_swallows_no_row_unseen() {
    let open_in_last_column =
        format!("{HEADER},remark\n{GOOD},\"CANARY\nA2,old,50,I,0,10,fine\nA3,old,50,I,0,10,fine\n");
    let error = refused(loaded(open_in_last_column));
    assert_eq!(
        error.to_string(),
        "site.csv: 1 row (line 2): a quotation mark opens a field and nothing closes it; close or remove it"
    );
    assert_eq!(error.codes(), ["source.quotation"]);
    // The next mark closes it: the row between them is a text as any other, but for its commas.
    let closed_by_the_next = format!("{HEADER},remark\n{GOOD},\"CANARY\nA2,old,50,II,0,10,\"\nA3,old,50,I,0,10,fine\n");
    let error = refused(loaded(closed_by_the_next));
    assert_eq!(error.codes(), ["source.quotation"]);
    assert!(error.to_string().starts_with("site.csv: 1 row (line 3): looks like a row, yet"), "{error}");
    // In a column that is read, and in the header.
    let error = refused(rows(&["B1,\"old,50,I,0,10", "B2,old,50,I,0,10"]));
    assert_eq!(error.codes(), ["source.line_break", "source.quotation"]);
    let error = refused(loaded(format!("\"{HEADER}\n{GOOD}\n")));
    assert_eq!(error.problems[0].kind, ProblemKind::Unclosed);
}

#[test]
fn swapped_columns_are_counted_in_both() {
    // Header names in order, values of regimen and age swapped.
    let error = refused(rows(&["B1,63.25,old,I,0,10", "B2,63.25,new,I,0,10"]));
    assert_eq!(error.codes(), ["source.not_a_number", "source.unknown_level"]);
    let text = error.to_string();
    assert!(text.contains("site.csv: column `regimen`: 2 rows (lines 2, 3): a level that the dictionary lacks"));
    assert!(text.contains("site.csv: column `age`: 2 rows (lines 2, 3): not a number"));
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn missing_and_repeated_columns_come_out_together() {
    let error = refused(loaded("Patient,regimen,agee,response,response\nP-0042,old,50,0,0\n"));
    assert_eq!(
        error.to_string(),
        "site.csv: column `patient`: is not in the header; rename `Patient` if that is it\n\
         site.csv: column `age`: is not in the header; rename `agee` if that is it\n\
         site.csv: column `stage`: is not in the header; add the column (its values may be empty where missing)\n\
         site.csv: column `response`: stands 2 times in the header; keep one and remove or rename the others\n\
         site.csv: column `os_days`: is not in the header; add the column (its values may be empty where missing)"
    );
    assert_eq!(error.codes(), ["source.missing_column", "source.repeated_column"]);
}

#[test]
fn other_separators_are_named() {
    let error = refused(loaded(format!("{}\nP-0042;old;63,25;I;0;10\n", HEADER.replace(',', ";"))));
    assert_eq!(
        error.to_string(),
        "site.csv: the header is separated by semicolons; export with commas and a decimal point"
    );
    let error = refused(loaded(HEADER.replace(',', "\t")));
    assert!(error.to_string().contains("separated by tabs"));
}

#[test]
fn empty_files() {
    for content in ["", "\n\n", "\u{feff}"] {
        let error = refused(loaded(content));
        assert_eq!(error.to_string(), "site.csv: the file is empty; the first line must hold the column names");
        assert_eq!(error.codes(), ["source.empty"]);
    }
}

#[test]
fn other_encodings() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(HEADER.bytes().flat_map(|b| [b, 0])).collect();
    let error = refused(loaded(utf16));
    assert_eq!(error.to_string(), "site.csv: the text is in UTF-16; export the file again as \"CSV UTF-8\"");
    assert_eq!(error.codes(), ["source.not_utf8"]);
    let header = [HEADER.as_bytes(), b",\xfc\n"].concat();
    let error = refused(loaded(header));
    assert_eq!(error.to_string(), "site.csv: the header is not UTF-8 text; export the file again as \"CSV UTF-8\"");
    let latin1 = [HEADER.as_bytes(), b"\nP\xfc,old,50,I,0,10\nP2,old,50,\xc4,0,10\n"].concat();
    let error = refused(loaded(latin1));
    assert_eq!(error.codes(), ["source.not_utf8"]);
    assert!(error.to_string().contains("column `stage`: 1 row (line 3): not UTF-8 text"));
    let ignored = [HEADER.as_bytes(), b",remark\nP1,old,50,I,0,10,\xfc\n"].concat();
    assert!(loaded(ignored).is_ok(), "columns that are not read may hold anything");
}

#[test]
fn unreadable_files() {
    let folder = tempfile::tempdir().unwrap();
    let error = refused(load(&folder.path().join("none.csv"), &protocol(""), BadValues::Refuse));
    assert_eq!(error.problems[0].kind, ProblemKind::Unreadable(Access::NotFound));
    assert_eq!(error.to_string(), "none.csv: there is no such file; check the path");
    let error = refused(load(folder.path(), &protocol(""), BadValues::Refuse));
    assert_eq!(error.codes(), ["source.unreadable"]);
    assert_eq!(refused(load(Path::new(""), &protocol(""), BadValues::Refuse)).codes(), ["source.unreadable"]);
}

#[test]
fn line_numbers_are_those_of_the_file() {
    for end in ["\n", "\r\n", "\r"] {
        let content = [HEADER, GOOD, "", "B1,old,CANARY,I,0,10", "", "", "B2,old,CANARY,I,0,10"].join(end);
        let text = refused(loaded(content)).to_string();
        assert!(text.contains("2 rows (lines 4, 7)"), "{end:?}: {text}");
        let remark =
            [&format!("{HEADER},remark"), "A1,old,50,I,0,10,\"two", "lines\"", "B1,old,CANARY,I,0,10,x"].join(end);
        let text = refused(loaded(remark)).to_string();
        assert!(text.contains("1 row (line 4): not a number"), "{end:?}: {text}");
    }
}

#[test]
fn all_classes_at_once() {
    let error = refused(rows(&[
        "P-0042,old,\"63,25\",CANARY,1.0,7777",
        "P-0042,OLD,NA,i,canary,1.0",
        "P-0043,old,CANARY,I,0",
        ",old,7777,I,0,10",
    ]));
    assert_eq!(
        error.codes(),
        [
            "source.decimal_comma",
            "source.duplicate_patient",
            "source.empty_patient",
            "source.field_count",
            "source.level_decimal",
            "source.level_spelling",
            "source.missing_marker",
            "source.not_whole",
            "source.out_of_range",
            "source.unknown_level",
        ]
    );
    assert!(error.to_string().lines().all(|line| line.starts_with("site.csv: ")));
}

#[test]
fn debug_shows_no_row() {
    let loaded = rows(&["P-0042,old,63.25,I,0,10"]).unwrap();
    let text = format!("{loaded:?}");
    assert!(text.contains("1 rows"), "{text}");
    assert!(CANARIES.iter().all(|canary| !text.contains(canary)), "{text}");
}

/// `cargo test --release -p site-agent -- --ignored --nocapture a_million_rows`
#[test]
#[ignore = "takes seconds; run in release mode"]
fn a_million_rows() {
    use std::fmt::Write;
    let mut content = format!("{HEADER}\n");
    for i in 0..1_000_000_u32 {
        let arm = ["old", "new"][(i % 2) as usize];
        writeln!(content, "P{},{arm},{}.5,II,{},{}", i.wrapping_mul(2_654_435_761), 18 + i % 90, i % 2, i % 4000)
            .unwrap();
    }
    let file = SiteFile::new(content);
    let protocol = protocol("[[eligibility]]\nlabel = \"at most 70\"\nrequire = \"age <= 70 AND stage = 'II'\"");
    let start = std::time::Instant::now();
    let loaded = load(&file.path(), &protocol, BadValues::Refuse).unwrap();
    println!("{} rows analysed of 1,000,000 in {:.2?}", loaded.cohort.rows(), start.elapsed());
}
