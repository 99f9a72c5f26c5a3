//! Competing causes: pooled R (`tests/reference/golden_competing.R`), masks, and data without an answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use coordinator::results::{Provenance, print, write};
use entente_tests::federation::{Federation, Rows, bits, plain};
use entente_tests::golden::{Study, TOLERANCE, compare};
use study::protocol::Protocol;
use study::release::Release;
use study::results::Results;

use crate::reference::{self, centre, cohorts};
use crate::small::{protocol_with, rows};

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn text(relative: &str) -> String {
    std::fs::read_to_string(path(relative)).unwrap()
}

fn parse(text: &str) -> Arc<Protocol> {
    Arc::new(Protocol::parse(text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)))
}

const MONTH: &str = "grid_days = 30.4375";

/// What the column of the example's site files says.
fn first_event(rows: &Rows, i: usize) -> String {
    let event = match (rows.get(i, "pfs_event"), rows.get(i, "progression_date")) {
        ("1", "") => "death",
        ("1", _) => "progression",
        _ => "none",
    };
    event.into()
}

fn myeloma() -> (String, Vec<Rows>) {
    let rows = reference::rows().with_column("first_event", first_event);
    (text("../examples/relapsed-myeloma/protocol-competing.toml"), rows.split(45, centre))
}

/// Relapse and death without one in the Rotterdam cohort, as the golden numbers have them.
const ROTTERDAM: &str = r#"
[[variable]]
name = "first_event"
kind = "categorical"
levels = ["relapse", "none", "death"]

[[outcome]]
name = "first_event"
kind = "competing"
time = "t"
status = "first_event"
censored = "none"
causes = ["relapse", "death"]
grid_days = 1
horizon_days = 7305

[[analysis]]
kind = "cumulative_incidence"
outcome = "first_event"
times_days = [100, 365, 1000, 1826, 3000, 5000, 7000]
"#;

fn rotterdam() -> (String, Vec<Rows>) {
    let mut protocol = text("../examples/rotterdam/protocol.toml") + ROTTERDAM;
    for cause in ["relapse", "death"] {
        for ties in ["efron", "breslow"] {
            let analysis = format!(
                "[[analysis]]\nkind = \"fine_gray\"\noutcome = \"first_event\"\ncause = \"{cause}\"\nties = \"{ties}\"\n\
                models = [\"adjusted\"]\ncovariates = [\"age\", \"meno\", \"size_c\", \"hormon\"]\n"
            );
            protocol += &analysis;
        }
    }
    let event = |rows: &Rows, i: usize| {
        let death = rows.get(i, "death") == "1" && rows.get(i, "t") == rows.get(i, "dtime");
        let event = match (rows.get(i, "s"), death) {
            ("0", _) => "none",
            (_, true) => "death",
            (_, false) => "relapse",
        };
        event.to_owned()
    };
    let rows = Rows::read(&path("reference/rotterdam.csv")).with_column("first_event", event);
    (protocol, rows.split(14, |_, i| i % 14))
}

/// Runs a study without network and compares its files with pooled R: how many numbers are equal, or hidden by a floor.
fn compare_with_r(protocol: &str, sites: &[Rows], section: &str) -> usize {
    let protocol = parse(protocol);
    let plan = plain(&protocol, &cohorts(&protocol, sites)).unwrap();
    let out = tempfile::tempdir().unwrap();
    let provenance = Provenance {
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
        release: protocol.release,
        rounds: 0,
        opened_scalars: 0,
        bytes_sent_per_site: 0,
        sites: (1..=sites.len()).map(|i| (format!("S{i:02}"), String::new())).collect(),
    };
    write(out.path(), Release::of(&plan).results(), &provenance).unwrap();
    let golden = path("reference/golden/competing.json");
    let report = compare(out.path(), &golden, Study::Competing, section, TOLERANCE).unwrap();
    println!("{section}, {} rounds: {report}", plan.progress().round - 1);
    assert!(report.passed(), "{section}: {report}");
    report.compared + report.hidden.iter().sum::<usize>()
}

#[test]
fn relapsed_myeloma_is_equal_to_r_on_both_grids() {
    let (protocol, sites) = myeloma();
    assert!(compare_with_r(&protocol, &sites, "myeloma/day") > 500);
    // the declared days lie in R's months
    let month = protocol.replace("grid_days = 1\n", &format!("{MONTH}\n"));
    assert!(compare_with_r(&month, &sites, "myeloma/month") > 500);
}

#[test]
fn rotterdam_is_equal_to_r_on_both_grids() {
    let (protocol, sites) = rotterdam();
    assert!(compare_with_r(&protocol, &sites, "rotterdam/day") > 350);
    let days = "[100, 365, 1000, 1826, 3000, 5000, 7000]";
    let months = "[91, 365, 1095, 1826, 3043, 4870, 6970]";
    let month = protocol.replace("grid_days = 1\n", &format!("{MONTH}\n")).replace(days, months);
    assert!(compare_with_r(&month, &sites, "rotterdam/month") > 350);
}

#[test]
fn masks_do_not_change_a_bit() {
    let (protocol, sites) = myeloma();
    let protocol = parse(&protocol.replace("grid_days = 1\n", &format!("{MONTH}\n")));
    let cohorts = cohorts(&protocol, &sites);
    let mut run = Federation::new(Arc::clone(&protocol), cohorts.clone(), 5);
    run.run();
    assert!(run.refusals.is_empty() && run.faults.is_empty(), "{:?} {:?}", run.refusals, run.faults);
    assert_eq!(run.bits(), bits(&plain(&protocol, &cohorts).unwrap()));
}

#[test]
fn a_person_reads_the_example() {
    let (protocol, sites) = myeloma();
    let protocol = parse(&protocol);
    let results = Results::of(&plain(&protocol, &cohorts(&protocol, &sites)).unwrap());
    for width in [80, 120] {
        let mut page = Vec::new();
        print(&mut page, &results, &protocol, width).unwrap();
        let page = String::from_utf8(page).unwrap();
        println!("{page}");
        assert!(page.lines().all(|line| line.chars().count() <= usize::from(width)), "width {width}");
    }
}

/// A competing outcome beside the small study's others.
const MODELS: &str = r#"
[[variable]]
name = "first_event"
kind = "categorical"
levels = ["none", "progression", "death"]

[[outcome]]
name = "first_event"
kind = "competing"
time = "pfs_days"
status = "first_event"
censored = "none"
causes = ["progression", "death"]
grid_days = 30
horizon_days = 1500

[propensity]
covariates = ["age", "sex"]

[[analysis]]
kind = "cumulative_incidence"
outcome = "first_event"
weighted = [false, true]
times_days = [365]

[[analysis]]
kind = "fine_gray"
outcome = "first_event"
cause = "progression"
models = ["unadjusted", "iptw"]
variance = ["m_estimation"]

[[analysis]]
kind = "fine_gray"
outcome = "first_event"
cause = "death"
models = ["unadjusted", "iptw"]

[[analysis]]
kind = "cox"
outcome = "first_event"
cause = "death"
models = ["unadjusted", "stratified"]
covariates = ["age"]

[[analysis]]
kind = "logistic"
outcome = "response"
models = ["unadjusted"]
"#;

/// The small study on five sites, of which the first has no rows, with another first event.
fn results(event: impl Fn(&Rows, usize) -> String) -> Results {
    let protocol = protocol_with(MODELS);
    let rows = rows(240).with_column("first_event", event);
    let cohorts = cohorts(&protocol, &rows.split(5, |_, i| 1 + i % 4));
    Results::of(&plain(&protocol, &cohorts).expect("every sum fits its word"))
}

/// The failed models with code and message; every other one has finite errors.
fn failures(results: &Results) -> Vec<(String, &str, String)> {
    let mut failed = Vec::new();
    for fit in &results.fits {
        let name = format!("{} {} {}", fit.analysis, fit.cause, fit.model);
        let mut rows = results.estimates.iter().filter(|row| {
            (&row.analysis, &row.outcome, &row.cause, &row.model)
                == (&fit.analysis, &fit.outcome, &fit.cause, &fit.model)
        });
        match &fit.outcome_of_fit {
            Ok(_) => assert!(rows.all(|row| row.std_error.is_finite()), "{name}"),
            Err(problem) => {
                assert_eq!(rows.count(), 0, "{name}");
                failed.push((name, &*problem.code, problem.message.clone()));
            }
        }
    }
    failed
}

/// Name of a failed model, code, message.
type Failed = (String, &'static str, String);

fn no_events(models: &[&str], place: &str) -> Vec<Failed> {
    let failed = |model: &&str| {
        let cause = model.split(' ').nth(1).unwrap();
        ((*model).to_owned(), "fit.no_events", format!("no event of `first_event: {cause}` in {place}"))
    };
    models.iter().map(failed).collect()
}

const OF_PROGRESSION: [&str; 2] = ["fine_gray progression unadjusted", "fine_gray progression iptw"];
const OF_DEATH: [&str; 4] =
    ["fine_gray death unadjusted", "fine_gray death iptw", "cox death unadjusted", "cox death stratified"];

fn incidence_of(results: &Results, cause: &str) -> Vec<f64> {
    let rows = results.incidences.iter().filter(|row| row.cause == cause);
    // of few events a weighted incidence is hidden
    assert!(rows.clone().all(|row| row.weighted || row.incidence.is_some()));
    rows.filter_map(|row| row.incidence).collect()
}

fn tests_of(results: &Results, cause: &str) -> usize {
    results.tests.iter().filter(|test| test.name == "gray" && test.cause == cause).count()
}

#[test]
fn the_study_itself_has_an_answer() {
    let results = results(first_event);
    assert_eq!(failures(&results), []);
    assert_eq!(results.fits.len(), 1 + 2 + 2 + 2 + 1);
    assert_eq!((tests_of(&results, "progression"), tests_of(&results, "death")), (1, 1));
    // merged cells hide single leavers, and the causes and the rest add up to one in each row
    let merged: Vec<_> = results.incidences.iter().filter(|row| row.at.name() == "merged_cell").collect();
    assert!(!merged.is_empty());
    // where a cause has a time that the others do not have, the rest is not told
    let told = |row: &&study::results::IncidenceRow| row.event_free.is_some();
    assert!(merged.iter().all(|row| row.weighted || row.event_free.is_some()));
    assert!(merged.iter().any(|row| row.weighted && row.event_free.is_none()));
    for row in merged.into_iter().filter(told) {
        let other = results.incidences.iter().find(|other| {
            (other.time_days.to_bits(), &other.arm, other.weighted, other.at.name())
                == (row.time_days.to_bits(), &row.arm, row.weighted, "merged_cell")
                && other.cause != row.cause
        });
        let free = row.event_free.unwrap().estimate;
        assert!((row.incidence.unwrap() + other.unwrap().incidence.unwrap() + free - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_cause_that_never_occurs() {
    let results = results(|rows, i| first_event(rows, i).replace("death", "none"));
    assert_eq!(failures(&results), no_events(&OF_DEATH, "either arm"));
    assert!(incidence_of(&results, "death").iter().all(|incidence| *incidence == 0.0));
    assert!(incidence_of(&results, "progression").iter().any(|incidence| *incidence > 0.3));
    assert_eq!((tests_of(&results, "progression"), tests_of(&results, "death")), (1, 0));
}

#[test]
fn a_cause_that_one_arm_does_not_have() {
    let event = |rows: &Rows, i: usize| {
        let treated = rows.get(i, "regimen") == "IsaPd";
        if treated { first_event(rows, i).replace("death", "progression") } else { first_event(rows, i) }
    };
    let results = results(event);
    assert_eq!(failures(&results), no_events(&OF_DEATH, "the IsaPd arm"));
    assert!(incidence_of(&results, "death").iter().any(|incidence| *incidence > 0.0));
    assert_eq!((tests_of(&results, "progression"), tests_of(&results, "death")), (1, 1));
}

#[test]
fn nobody_has_an_event() {
    let results = results(|_, _| "none".into());
    let failed = failures(&results);
    assert_eq!(failed, [no_events(&OF_PROGRESSION, "either arm"), no_events(&OF_DEATH, "either arm")].concat());
    for cause in ["progression", "death"] {
        assert!(incidence_of(&results, cause).iter().all(|incidence| *incidence == 0.0));
        assert_eq!(tests_of(&results, cause), 0);
    }
}

#[test]
fn a_patient_without_a_status_has_no_part_in_the_causes() {
    let lacking = |rows: &Rows, i: usize| if i % 13 == 7 { String::new() } else { first_event(rows, i) };
    let missing = results(lacking);
    assert_eq!(failures(&missing), []);
    let protocol = protocol_with(MODELS);
    let complete =
        rows(240).with_column("first_event", lacking).filter(|rows, i| !rows.get(i, "first_event").is_empty());
    let only = Results::of(&plain(&protocol, &cohorts(&protocol, &complete.split(5, |_, i| i % 5))).unwrap());
    let plain = |results: &Results| -> Vec<(f64, f64, Option<u64>)> {
        let rows = results.estimates.iter().filter(|row| !row.cause.is_empty() && row.model == "unadjusted");
        rows.map(|row| (row.estimate, row.std_error, row.n)).collect()
    };
    let (ours, theirs) = (plain(&missing), plain(&only));
    assert!(ours.len() >= 3 && ours.len() == theirs.len());
    for (a, b) in ours.iter().zip(&theirs) {
        assert!((a.0 - b.0).abs() < 1e-10 && (a.1 - b.1).abs() < 1e-10, "{a:?} {b:?}");
        assert_eq!(a.2, b.2);
    }
}

#[test]
fn a_failed_propensity_model_takes_the_weighted_ones_with_it() {
    let protocol = protocol_with(MODELS);
    let rows = rows(240)
        .with_column("first_event", first_event)
        .with("sex", |rows, i| if rows.get(i, "regimen") == "IsaPd" { "F" } else { "M" }.into());
    let results = Results::of(&plain(&protocol, &cohorts(&protocol, &rows.split(5, |_, i| i % 5))).unwrap());
    let mut failed: Vec<(String, &str)> = failures(&results).into_iter().map(|(name, code, _)| (name, code)).collect();
    assert_eq!(failed.remove(0).1, "fit.separation");
    let weighted = ["fine_gray progression iptw", "fine_gray death iptw", "cumulative_incidence  iptw"];
    assert_eq!(failed, weighted.map(|name| (name.to_owned(), "fit.propensity")));
    assert!(results.incidences.iter().all(|row| !row.weighted));
}
