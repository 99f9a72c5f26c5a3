//! Nothing is said of an arm at times when nobody of it is at risk any more.

use coordinator::results::print;
use report::number;
use study::protocol::Protocol;
use study::release::Release;
use study::results::{At, MedianRow, Quantity, Results};

use super::{close, parse, results, run, sites, text};

const CASE: &str = "21-beyond-follow-up";

fn found() -> Results {
    results(&text(CASE, "protocol.toml"), &sites(CASE))
}

fn medians<'r>(results: &'r Results, quantity: Quantity, arm: &'r str) -> impl Iterator<Item = &'r MedianRow> {
    results.medians.iter().filter(move |row| row.quantity == quantity && row.arm == arm)
}

#[test]
fn survival_ends_with_the_last_patient_of_an_arm() {
    let results = found();
    let mut rows = 0;
    for row in results.survival.iter().filter(|row| row.arm == "A" && row.at == At::Declared) {
        let known = row.time_days <= 120.0;
        let there = [row.survival.is_some(), row.std_error.is_some(), row.interval.is_some(), !row.after_end];
        assert_eq!(there, [known; 4], "{} {}", row.weighted, row.time_days);
        assert!(known || row.n_risk == Some(0.0));
        rows += 1;
    }
    assert_eq!(rows, 2 * 3);
    // the curve itself ends there, and not at the horizon
    let merged = || results.survival.iter().filter(|row| row.at == At::MergedCell);
    let last = |arm: &str| {
        let of_arm = merged().filter(|row| row.arm == arm && row.survival.is_some());
        of_arm.map(|row| row.time_days).fold(0.0, f64::max)
    };
    assert_eq!(last("A"), 120.0);
    assert!(last("B") > 120.0);
    assert!(merged().all(|row| row.survival.is_some() != row.after_end));
}

#[test]
fn differences_and_means_need_both_arms() {
    let results = found();
    for row in medians(&results, Quantity::SurvivalAt, "A") {
        assert_eq!((row.value.is_some(), row.after_end), (row.at_days == Some(60.0), row.at_days != Some(60.0)));
    }
    for row in medians(&results, Quantity::RiskDifferenceAt, "arm:A") {
        assert_eq!((row.value.is_some(), row.after_end), (row.at_days == Some(60.0), row.at_days != Some(60.0)));
    }
    let mean = |quantity, arm| medians(&results, quantity, arm).map(|row| (row.value.is_some(), row.after_end)).next();
    assert_eq!(mean(Quantity::RestrictedMean, "A"), Some((false, true)));
    assert_eq!(mean(Quantity::RestrictedMeanDifference, "arm:A"), Some((false, true)));
    // the median of the arm stays where its curve reaches one half
    assert!(medians(&results, Quantity::Median, "A").all(|row| !row.after_end));
}

/// survRM2: a mean may go beyond the largest time where the curve has come down to 0.
#[test]
fn a_curve_that_has_come_down_to_zero_has_its_mean() {
    let died = sites(CASE).into_iter().map(|rows| rows.with("died", |_, _| "1".into())).collect::<Vec<_>>();
    let results = results(&text(CASE, "protocol.toml"), &died);
    let row = medians(&results, Quantity::RestrictedMean, "A").next().unwrap();
    let days: Vec<f64> = died
        .iter()
        .flat_map(|rows| (0..rows.len()).filter(|row| rows.get(*row, "arm") == "A").map(|row| rows.get(row, "days")))
        .map(|days| days.parse().unwrap())
        .collect();
    // everybody's day is known: the plain mean
    close(row.value.unwrap(), days.iter().sum::<f64>() / days.len() as f64, 1e-12, "mean");
}

#[test]
fn the_terminal_says_that_there_is_nothing() {
    let (results, protocol): (Results, std::sync::Arc<Protocol>) = (found(), parse(&text(CASE, "protocol.toml")));
    let mut out = Vec::new();
    print(&mut out, &results, &protocol, 160).unwrap();
    let text = String::from_utf8(out).unwrap();
    let line = text.lines().find(|line| line.trim_start().starts_with("% event-free at 12.0")).unwrap();
    assert!(line.contains(number::NONE) && !line.contains("46.6"), "{line}");
    assert!(text.contains("nobody of the arm was followed so long"), "{text}");
}

/// Under a floor of leavers a curve steps where so many have left, so that the end of follow-up is not told by a step of
/// fewer: what is beyond the last patient of the arm stays without a number, hidden or not.
#[test]
fn a_floor_of_leavers_tells_nothing_beyond_the_last_patient() {
    let floored = text(CASE, "protocol.toml").replace("minimum_leavers = 1", "minimum_leavers = 5");
    assert_ne!(floored, text(CASE, "protocol.toml"));
    let plan = run(&floored, &sites(CASE));
    let results = Release::of(&plan).into_results();
    let open = found();
    let mut known = 0;
    for row in results.survival.iter().filter(|row| row.arm == "A" && row.at == At::Declared) {
        let beyond = row.time_days > 120.0;
        assert!(!beyond || row.survival.is_none() && row.interval.is_none(), "{row:?}");
        let same = open.survival.iter().find(|other| {
            (&other.arm, other.at, other.weighted, other.time_days) == (&row.arm, row.at, row.weighted, row.time_days)
        });
        if let Some(survival) = row.survival {
            assert_eq!(Some(survival), same.unwrap().survival, "a number that is told is the number");
            known += 1;
        }
    }
    for quantity in [Quantity::RestrictedMean, Quantity::RestrictedMeanDifference] {
        for arm in ["A", "arm:A"] {
            assert!(medians(&results, quantity, arm).all(|row| row.value.is_none()));
        }
    }
    // five of the arm have left between any two days at which its unweighted curve is told
    for arm in ["A", "B"] {
        let told = results.survival.iter().filter(|row| row.arm == arm && !row.weighted && row.survival.is_some());
        let mut remaining: Vec<(u64, u64)> =
            told.filter_map(|row| Some((row.time_days.to_bits(), row.n_after?.to_bits()))).collect();
        remaining.sort_unstable();
        remaining.dedup();
        let after: Vec<f64> = remaining.iter().map(|(_, n)| f64::from_bits(*n)).collect();
        assert!(after.windows(2).all(|pair| pair[0] - pair[1] == 0.0 || pair[0] - pair[1] >= 5.0), "{arm} {after:?}");
    }
    assert!(known > 0, "a number before the last patient is told");
    let protocol = parse(&floored);
    let mut out = Vec::new();
    print(&mut out, &results, &protocol, 160).unwrap();
    let page = String::from_utf8(out).unwrap();
    // what a curve that went on would say: 46.6% at 365 and 800 days
    let later = page.lines().filter(|line| line.contains("at 12.0") || line.contains("at 26.3"));
    assert!(later.clone().count() >= 2 && later.clone().all(|line| !line.contains("46.6")), "{page}");
}

/// Cumulative incidences likewise.
#[test]
fn incidences_end_with_the_last_patient_of_an_arm() {
    let competing = r#"
[[variable]]
name = "cause"
kind = "categorical"
levels = ["none", "cancer", "other"]

[[outcome]]
name = "why"
kind = "competing"
time = "days"
status = "cause"
censored = "none"
causes = ["cancer", "other"]
grid_days = 1
horizon_days = 900

[[analysis]]
kind = "cumulative_incidence"
outcome = "why"
weighted = [false, true]
times_days = [60, 365]
"#;
    let why = |rows: &entente_tests::federation::Rows, row: usize| {
        let cause = match (rows.get(row, "died"), row % 3) {
            ("0", _) => "none",
            (_, 0) => "other",
            _ => "cancer",
        };
        cause.to_owned()
    };
    let sites: Vec<_> = sites(CASE).into_iter().map(|rows| rows.with_column("cause", why)).collect();
    let results = results(&format!("{}{competing}", text(CASE, "protocol.toml")), &sites);
    let declared = || results.incidences.iter().filter(|row| row.at == At::Declared);
    assert!(declared().any(|row| row.arm == "A" && row.after_end));
    for row in declared() {
        let known = row.arm == "B" || row.arm == "all" || row.time_days <= 120.0;
        assert_eq!((row.incidence.is_some(), row.after_end), (known, !known), "{} {}", row.arm, row.time_days);
    }
}
