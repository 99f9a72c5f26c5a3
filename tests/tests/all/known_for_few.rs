//! What two patients of an arm have: a number, a level, an outcome. Their mean and spread are their values, their curve is
//! their days, so that nothing of it is told.

use std::path::Path;
use std::sync::Arc;

use entente_tests::federation::{Rows, plain};
use study::cohort::Cohort;
use study::protocol::Protocol;
use study::release::Release;
use study::results::Results;

/// Arm A has 65 patients, B as many. Of A only `p001` and `p003` have the number, the level and the outcome; of B all have.
const PROTOCOL: &str = r#"
[study]
id = "few"
title = "Known for few"
patient = "pid"

[[variable]]
name = "arm"
kind = "categorical"
levels = ["B", "A"]

[[variable]]
name = "marker"
kind = "continuous"
range = [0, 100]
resolution = 1

[[variable]]
name = "stage"
kind = "categorical"
levels = ["I", "II"]

[[variable]]
name = "days"
kind = "days"
max = 5000

[[variable]]
name = "died"
kind = "binary"

[treatment]
variable = "arm"
treated = "A"
control = "B"

[[outcome]]
name = "os"
kind = "time_to_event"
time = "days"
event = "died"
grid_days = 7
horizon_days = 700

[[analysis]]
kind = "baseline"
variables = ["marker", "stage"]

[[analysis]]
kind = "kaplan_meier"
outcomes = ["os"]
times_days = [175]
rmst_days = 350
"#;

fn sites(protocol: &Protocol) -> Vec<Cohort> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/24-overlapping-horizons/sites");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let of_few = |value: fn(&Rows, usize) -> String| {
        move |rows: &Rows, i: usize| {
            let has = rows.get(i, "arm") == "B" || ["p001", "p003"].contains(&rows.get(i, "pid"));
            if has { value(rows, i) } else { String::new() }
        }
    };
    let number = |rows: &Rows, i: usize| (rows.get(i, "days").parse::<u32>().unwrap() % 90).to_string();
    let level = |_: &Rows, i: usize| ["I", "II"][i % 2].to_string();
    let event = |rows: &Rows, i: usize| rows.get(i, "died").to_string();
    let read = |file| {
        let rows = Rows::read(file).with_column("marker", of_few(number)).with_column("stage", of_few(level));
        rows.with_column("dead", of_few(event)).cohort(protocol)
    };
    files.iter().map(|file| read(file)).collect()
}

fn results(release: &str) -> Results {
    let text = PROTOCOL.replace("\"died\"", "\"dead\"") + release;
    let protocol = Arc::new(Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)));
    Release::of(&plain(&protocol, &sites(&protocol)).unwrap()).into_results()
}

const OPEN: &str = "[release]\nminimum_cell = 1\nminimum_leavers = 1\n";

#[test]
fn a_number_that_two_have_is_hidden_with_all_that_tells_it() {
    let of_number = |results: &Results| {
        results.balance.iter().find(|row| row.variable == "marker").cloned().expect("a row of the number")
    };
    let open = of_number(&results(OPEN));
    // 706 and 43 days leave 76 and 43 of 90
    let (mean, sd) = (open.treated.value.unwrap(), open.treated.spread.unwrap());
    let [low, high] = [-1.0, 1.0].map(|sign: f64| mean + sign * sd / 2_f64.sqrt());
    assert!(
        (low - 43.0).abs() < 1e-9 && (high - 76.0).abs() < 1e-9,
        "mean and spread of two are the two: {low} {high}"
    );
    let hidden = of_number(&results(""));
    assert!(hidden.floored && hidden.missing == [None; 2]);
    for cells in [hidden.control, hidden.treated, hidden.all] {
        assert_eq!([cells.value, cells.spread, cells.q25, cells.median, cells.q75], [None; 5]);
    }
    assert_eq!([hidden.statistic, hidden.p_value, hidden.smd, hidden.smd_cobalt], [None; 4]);
}

#[test]
fn how_many_have_a_level_is_hidden_where_two_of_an_arm_do() {
    let results = results("");
    let rows: Vec<_> = results.balance.iter().filter(|row| row.variable == "stage").collect();
    assert_eq!(rows.len(), 3);
    // nobody of the two has the second level, which is no secret
    for row in rows.iter().filter(|row| row.level.as_deref() != Some("II")) {
        assert_eq!((row.missing, row.treated.value, row.control.value, row.all.value), ([None; 2], None, None, None));
    }
    assert!(rows.iter().all(|row| row.all.spread.is_none() && row.p_value.is_none()));
}

#[test]
fn of_an_outcome_that_two_have_nothing_is_told() {
    let open = results(OPEN);
    assert_eq!(open.outcomes[1].n, Some(2));
    assert!(!open.medians.is_empty() && open.survival.iter().any(|row| row.arm == "A" && row.survival.is_some()));
    assert!(open.outcomes[1].follow_up.is_some());
    let hidden = results("");
    for row in &hidden.outcomes {
        assert_eq!((row.n, row.events, row.missing), (None, None, None), "{row:?}");
        assert!(row.follow_up.is_none());
    }
    assert!(hidden.survival.iter().all(|row| row.survival.is_none() && row.n_risk.is_none() && row.n_after.is_none()));
    assert!(hidden.medians.iter().all(|row| row.value.is_none() && row.conf_low.is_none()), "{:?}", hidden.medians);
    assert!(hidden.tests.iter().all(|test| test.outcome != "os"));
}
