use std::fs;
use std::path::Path;

use coordinator::published::Published;
use coordinator::results::Provenance;
use study::protocol::ReleaseRules;
use tempfile::TempDir;

use super::{GoldenError, Report, Study, TOLERANCE, compare, compare_with, pooled};

pub(super) fn provenance(sites: usize, release: ReleaseRules) -> Provenance {
    Provenance {
        software_version: "0.0.0".into(),
        study: "reference".into(),
        title: "Reference".into(),
        run: "reference-00000000".into(),
        protocol_digest: String::new(),
        manifest_digest: String::new(),
        results_digest: String::new(),
        release_digest: String::new(),
        compared: None,
        sealed_scalars: 0,
        variables: 0,
        release,
        rounds: 0,
        opened_scalars: 0,
        bytes_sent_per_site: 0,
        sites: (1..=sites).map(|i| (format!("S{i:02}"), String::new())).collect(),
    }
}

/// Runs a reference study in this process and writes its files.
fn files(protocol: &str, rows: &str, required: Option<&str>) -> TempDir {
    files_under(None, protocol, rows, required)
}

fn files_under(release: Option<ReleaseRules>, protocol: &str, rows: &str, required: Option<&str>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (protocol, results, sites) = pooled::results_under(release, protocol, rows, required);
    coordinator::results::write(dir.path(), &results, &provenance(sites, protocol.release)).unwrap();
    dir
}

fn myeloma(protocol: &str) -> TempDir {
    let protocol = format!("examples/relapsed-myeloma/{protocol}");
    files(&protocol, "tests/reference/relapsed-myeloma-596.csv", Some("fish"))
}

pub(super) fn judge(out: &Path, study: Study, section: &str) -> Report {
    let golden = pooled::path(&format!("tests/reference/golden/{}.json", study.name()));
    let further: &[&str] =
        if (study, section) == (Study::RelapsedMyeloma, "survival_day") { &["weights.json"] } else { &[] };
    let further: Vec<_> = further.iter().map(|name| pooled::path(&format!("tests/reference/golden/{name}"))).collect();
    compare_with(out, &golden, &further, study, section, TOLERANCE).unwrap()
}

#[test]
fn myeloma_is_equal_to_r_on_both_grids() {
    for (protocol, section) in [("protocol.toml", "survival_day"), ("protocol-month.toml", "survival_month")] {
        let out = myeloma(protocol);
        let report = judge(out.path(), Study::RelapsedMyeloma, section);
        println!("{report}");
        assert!(report.passed(), "{report}");
        assert!(report.compared > 1000, "{report}");
    }
}

/// The example hides two bins of the propensity score and a weight at a bound, the curve of the last declared time, and
/// numbers at risk that tell who leaves on one day. Without floors these are R's as well.
#[test]
fn what_the_floors_hide_is_equal_to_r_too() {
    const ROWS: &str = "tests/reference/relapsed-myeloma-596.csv";
    let open = ReleaseRules { minimum_cell: 1, minimum_leavers: 1, ..ReleaseRules::default() };
    for (file, section) in [("protocol.toml", "survival_day"), ("protocol-month.toml", "survival_month")] {
        let protocol = format!("examples/relapsed-myeloma/{file}");
        let report = |release| {
            let out = files_under(release, &protocol, ROWS, Some("fish"));
            judge(out.path(), Study::RelapsedMyeloma, section)
        };
        let (floored, whole) = (report(None), report(Some(open)));
        assert!(whole.passed(), "{whole}");
        assert_eq!(whole.hidden, [0, 0]);
        assert_eq!(floored.hidden[0] > 0, section == "survival_day", "{floored}");
        assert!(floored.hidden[1] > 0 && floored.compared < whole.compared, "{floored}");
    }
}

#[test]
fn effects_within_levels_hazard_ratios_and_e_values_are_equal_to_r() {
    let out = myeloma("protocol.toml");
    let report = judge(out.path(), Study::Modification, "main");
    println!("{report}");
    assert!(report.passed() && report.compared > 250, "{report}");
}

#[test]
fn rotterdam_is_equal_to_r_on_three_grids() {
    let grids = [("protocol.toml", "day"), ("protocol-month.toml", "month"), ("protocol-quarter.toml", "quarter")];
    for (protocol, section) in grids {
        let out = files(&format!("examples/rotterdam/{protocol}"), "tests/reference/rotterdam.csv", None);
        let report = judge(out.path(), Study::Rotterdam, section);
        println!("{report}");
        assert!(report.passed(), "{report}");
        assert!(report.compared > 250, "{report}");
    }
}

#[test]
fn lung_is_equal_to_r_in_curves_and_model() {
    for (protocol, required, section, count) in
        [("protocol.toml", None, "curves", 200), ("protocol-cox.toml", Some("ecog"), "cox", 20)]
    {
        let out = files(&format!("examples/lung/{protocol}"), "tests/reference/lung.csv", required);
        let report = judge(out.path(), Study::Lung, section);
        println!("{report}");
        assert!(report.passed(), "{report}");
        assert!(report.compared > count, "{report}");
        // The curves are of another run than the model.
        let [first, second] = Study::Lung.sections() else { panic!() };
        let other = if section == *first { second } else { first };
        let report = judge(out.path(), Study::Lung, other);
        assert!(!report.passed() && !report.missing.is_empty(), "{report}");
    }
}

#[test]
fn a_changed_median_of_lung_is_found() {
    let out = files("examples/lung/protocol.toml", "tests/reference/lung.csv", None);
    let path = out.path().join("medians.csv");
    let before = fs::read_to_string(&path).unwrap();
    // The limits by which the three kinds of interval differ.
    for (line, column, day) in [
        ("os,all,FALSE,median,,310", 8, "363.0"),
        ("os,0,FALSE,median,,270", 7, "210.0"),
        ("os,1,FALSE,median,,426", 7, "348.0"),
    ] {
        let mut changed = 0;
        let lines = before.lines().map(|l| {
            let mut cells: Vec<&str> = l.split(',').collect();
            if l.starts_with(line) && cells[column] == day {
                changed += 1;
                cells[column] = "300.0";
            }
            cells.join(",") + "\n"
        });
        let after: String = lines.collect();
        assert_eq!(changed, 1, "{line}: {before}");
        fs::write(&path, after).unwrap();
        let report = judge(out.path(), Study::Lung, "curves");
        assert_eq!((report.differences.len(), report.missing.len()), (1, 0), "{report}");
    }
}

/// One file of a run with a change; the comparison's report.
fn changed(out: &Path, file: &str, change: impl Fn(&str) -> String) -> Report {
    let path = out.join(file);
    let before = fs::read_to_string(&path).unwrap();
    let after = change(&before);
    assert_ne!(before, after, "{file} is changed");
    fs::write(&path, after).unwrap();
    let report = judge(out, Study::RelapsedMyeloma, "survival_day");
    fs::write(&path, before).unwrap();
    report
}

/// The text with one number raised by 3e-8 of itself, in the 8th or 9th digit: the cell at `column` of the line that
/// starts with `line`.
fn with_digit_changed(text: &str, line: &str, column: usize) -> String {
    let lines = text.lines().map(|l| {
        if !l.starts_with(line) {
            return l.to_owned();
        }
        let mut cells: Vec<String> = l.split(',').map(str::to_owned).collect();
        let cell: f64 = cells[column].parse().unwrap();
        cells[column] = format!("{:e}", cell * (1.0 + 3e-8));
        cells.join(",")
    });
    lines.map(|l| l + "\n").collect()
}

#[test]
fn any_changed_digit_is_found() {
    let out = myeloma("protocol.toml");
    assert!(judge(out.path(), Study::RelapsedMyeloma, "survival_day").passed());
    let cells = [
        ("estimates.csv", "cox,pfs,adjusted,fish:high,naive,", 8),
        ("estimates.csv", "cox,os,iptw,regimen:IsaPd,m_estimation,", 9),
        ("estimates.csv", "logistic,response,iptw,regimen:IsaPd,survey,", 6),
        ("estimates.csv", "propensity,,propensity,crcl,naive,", 11),
        ("estimates.csv", "logistic,response,adjusted,age,naive,", 6),
        ("fits.csv", "cox,pfs,stratified,efron,", 7),
        ("fits.csv", "logistic,infection,interaction,,", 9),
        ("weights.csv", "ate_stabilized,EloPd,", 3),
        ("weights.csv", "ate,IsaPd,", 4),
        ("tests.csv", "interaction_lr,os,", 6),
        ("balance.csv", "age,,continuous,FALSE,", 4),
        ("balance.csv", "crcl,,continuous,TRUE,", 22),
        ("balance.csv", "fish,high,categorical,TRUE,", 9),
        ("balance.csv", "sex,,categorical,FALSE,", 21),
        ("tests.csv", "log_rank,pfs,unadjusted,", 4),
        ("tests.csv", "zph_km,pfs,adjusted,iss_stage,", 4),
        ("tests.csv", "zph_km,os,stratified,global,", 6),
        ("fits.csv", "cox,pfs,unadjusted,efron,", 15),
        ("survival.csv", "os,IsaPd,TRUE,365.0,", 8),
        ("survival.csv", "pfs,all,FALSE,91.0,", 4),
        ("medians.csv", "pfs,EloPd,FALSE,median,", 5),
        ("medians.csv", "os,all,FALSE,follow_up,", 5),
        ("medians.csv", "os,IsaPd,FALSE,rmst,", 6),
    ];
    for (file, line, column) in cells {
        let report = changed(out.path(), file, |text| with_digit_changed(text, line, column));
        assert!(!report.passed() && report.missing.is_empty(), "{file} {line}: {report}");
    }
    // On a grid the number is held to its bound, which a changed digit does not cross.
    let line = "cox,pfs,adjusted,efron,";
    let report = changed(out.path(), "fits.csv", |text| with_digit_changed(text, line, 15));
    assert!(report.passed(), "{report}");
    let report = changed(out.path(), "fits.csv", |text| text.replacen("0.6803", "0.7003", 1));
    assert_eq!(report.differences.len(), 1, "{report}");
    let report = changed(out.path(), "flow.csv", |text| text.replace("596", "597"));
    assert_eq!(report.differences.len(), 1, "{report}");
    let report = changed(out.path(), "outcomes.csv", |text| text.replace("disc_ae,EloPd,130,6", "disc_ae,EloPd,130,7"));
    assert_eq!(report.differences.len(), 1, "{report}");
}

#[test]
fn what_is_not_there_is_found() {
    let out = myeloma("protocol.toml");
    let without = |start: &'static str| {
        move |text: &str| text.lines().filter(|l| !l.starts_with(start)).map(|l| l.to_owned() + "\n").collect()
    };
    let report = changed(out.path(), "estimates.csv", without("cox,pfs,adjusted,fish:high,naive"));
    assert!(!report.missing.is_empty() && !report.passed());
    let report = changed(out.path(), "tests.csv", without("chi_square,disc_ae"));
    assert_eq!(report.missing.len(), 1, "{report}");
    let report = changed(out.path(), "fits.csv", |text| text.replacen(",TRUE,", ",FALSE,", 1));
    assert_eq!(report.missing.len(), 1, "{report}");
    let twice = |text: &str| text.to_owned() + text.lines().last().unwrap() + "\n";
    let report = changed(out.path(), "weights.csv", twice);
    assert!(!report.passed(), "{report}");
    // Daily rows are not monthly rows.
    assert!(!judge(out.path(), Study::RelapsedMyeloma, "survival_month").passed());
}

#[test]
fn a_new_golden_entry_is_not_passed_over() {
    let out = myeloma("protocol.toml");
    let golden = pooled::path("tests/reference/golden/relapsed-myeloma.json");
    let text = fs::read_to_string(golden).unwrap().replacen("\"flow\": {", "\"flow\": {\"screened\": 700,", 1);
    let changed = out.path().join("golden.json");
    fs::write(&changed, text).unwrap();
    let report = compare(out.path(), &changed, Study::RelapsedMyeloma, "survival_day", TOLERANCE).unwrap();
    assert_eq!(report.missing, ["/flow/screened: nothing is compared with this golden entry"]);
}

#[test]
fn nothing_to_compare_is_no_success() {
    assert!(!Report::default().passed());
    let empty = tempfile::tempdir().unwrap();
    let golden = pooled::path("tests/reference/golden/rotterdam.json");
    let error = compare(empty.path(), &golden, Study::Lung, "curves", TOLERANCE);
    assert!(matches!(error, Err(GoldenError::Section(_))));
    let error = compare(empty.path(), &golden, Study::Rotterdam, "day", TOLERANCE);
    assert!(matches!(error, Err(GoldenError::File(_))));
    let error = compare(empty.path(), &golden, Study::Rotterdam, "survival_day", TOLERANCE);
    assert!(matches!(error, Err(GoldenError::Section(_))));
}

#[test]
fn a_person_reads_the_reference_study() {
    let rows = "tests/reference/relapsed-myeloma-596.csv";
    let (protocol, results, _) = pooled::results("examples/relapsed-myeloma/protocol.toml", rows, Some("fish"));
    for width in [80, 120] {
        let mut page = Vec::new();
        coordinator::results::print(&mut page, &results, &protocol, width).unwrap();
        let page = String::from_utf8(page).unwrap();
        println!("{page}");
        assert!(page.lines().all(|line| line.chars().count() <= usize::from(width)), "width {width}");
    }
}

/// No entry dangles, on either grid; on the days of the publication each kind of row shows the number that it means.
#[test]
fn every_published_figure_has_its_number_on_both_grids() {
    let published = Published::read(&pooled::path("examples/relapsed-myeloma")).unwrap().unwrap();
    for protocol in ["protocol.toml", "protocol-month.toml"] {
        let out = myeloma(protocol);
        let results = serde_json::from_slice(&fs::read(out.path().join("results.json")).unwrap()).unwrap();
        let mut page = Vec::new();
        published.print(&mut page, &results, 30.4375, 140).unwrap().unwrap_or_else(|e| panic!("{:#?}", e.mistakes()));
        let page = String::from_utf8(page).unwrap();
        println!("{page}");
        assert!(page.lines().all(|line| line.chars().count() <= 100), "a line is too wide");
        if protocol != "protocol.toml" {
            continue;
        }
        let squeezed: Vec<String> = page.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for line in [
            "Left out: no FISH result 319 319",
            "SMD 1.394 1.394 tableone",
            "Largest SMD of the propensity model all < .07 0.066 tableone",
            "Sum of weights 130 / 150 129.6 / 149.3",
            "IsaPd vs EloPd 76.9% vs 55.4% 76.9% / 55.4%",
            "OR, IPTW 1.51 (P=.093) 1.51 (0.93–2.45), p = 0.099 naive",
            "events 168 168",
            "transplant: no vs yes .68 0.68 (0.48–0.97) naive",
            "IPTW 2.09 (P=.024) 2.08 (1.08–4.00), p = 0.028 robust",
        ] {
            assert!(squeezed.iter().any(|l| l == line), "`{line}` is not on the page");
        }
    }
}
