//! Person-time and rates equal pooled R (`tests/reference/golden_rates.R`), and go where the counts go.

use std::sync::Arc;

use entente_tests::federation::plain;
use serde_json::Value;
use study::protocol::Protocol;
use study::release::Release;
use study::results::{FollowUp, Results};

use crate::reference::{self, centre, cohorts};

fn golden(study: &str, arm: &str) -> [f64; 5] {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/golden/rates.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    ["events", "person_days", "rate", "low", "high"].map(|name| all[study][arm][name].as_f64().unwrap())
}

/// The reference study, or a variation of its protocol.
fn results(protocol: &str) -> Results {
    let protocol = Arc::new(Protocol::parse(protocol).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)));
    let rows = reference::rows().with_column("first_event", |rows, i| {
        match (rows.get(i, "pfs_event"), rows.get(i, "progression_date")) {
            ("1", "") => "death".into(),
            ("1", _) => "progression".into(),
            _ => "none".into(),
        }
    });
    let plan = plain(&protocol, &cohorts(&protocol, &rows.split(45, centre))).unwrap();
    Release::of(&plan).into_results()
}

fn example(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/relapsed-myeloma");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// Compares both arms of an outcome, or of one of its causes.
fn compare(results: &Results, outcome: &str, cause: &str, study: &str) {
    for (arm, name) in [("EloPd", "control"), ("IsaPd", "treated")] {
        let row = results.outcomes.iter().find(|r| r.outcome == outcome && r.cause == cause && r.arm == arm).unwrap();
        let FollowUp { person_days, rate, low, high } = row.follow_up.expect("person-time");
        let ours = [row.events.unwrap() as f64, person_days, rate, low, high];
        for (ours, r) in ours.into_iter().zip(golden(study, name)) {
            assert!((ours - r).abs() <= 1e-10 * r.abs(), "{study} {name}: {ours} {r}");
        }
    }
}

#[test]
fn person_time_and_rates_equal_r() {
    let days = results(&example("protocol.toml"));
    compare(&days, "pfs", "", "pfs_day");
    compare(&days, "os", "", "os_day");
    assert!(days.outcomes.iter().filter(|row| row.outcome == "response").all(|row| row.follow_up.is_none()));
    compare(&results(&example("protocol-month.toml")), "pfs", "", "pfs_month");
    let year = example("protocol.toml").replace("2922\n", "365\n").replace("365, 730]", "365]");
    let year = year.replace("91, 183, 365, 548, 730, 1000", "91, 183").replace("rmst_days = 730", "rmst_days = 365");
    compare(&results(&year), "os", "", "os_year");
    let causes = results(&example("protocol-competing.toml"));
    compare(&causes, "first_event", "progression", "progression_day");
    compare(&causes, "first_event", "death", "death_day");
}

#[test]
fn no_rate_stands_where_its_events_are_hidden() {
    let text = example("protocol-competing.toml");
    let hidden = results(&text.replace("minimum_cell = 3", "minimum_cell = 40"));
    let rows: Vec<_> = hidden.outcomes.iter().filter(|row| row.outcome == "first_event").collect();
    assert!(rows.iter().any(|row| row.events.is_none()), "{rows:?}");
    for row in rows {
        assert_eq!(row.follow_up.is_some(), row.events.is_some() && row.n.is_some(), "{row:?}");
    }
}
