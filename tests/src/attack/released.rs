//! Patients who stand alone in the tables that a run gives out.

use std::collections::BTreeMap;

use study::results::{At, Results, SurvivalRow};

/// Places of a release where one number is one patient's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alone {
    /// Exactly one patient leaves an at-risk total between two times.
    pub leavers: Vec<String>,
    /// A sum of weights of exactly one patient.
    pub weights: Vec<String>,
    /// A count of exactly one in a table that floors hold: flow, levels, outcomes, bins, truncated weights.
    pub counts: Vec<String>,
    /// One event or one censored patient among several who leave a merged cell. No floor is on these: survival falls by
    /// them.
    pub events: Vec<String>,
}

/// Looks for all of them in the tables of a run and of its scenarios.
pub fn released(results: &Results) -> Alone {
    let mut alone = Alone::default();
    tables(results, "", &mut alone);
    for scenario in &results.scenarios {
        tables(&scenario.results, &scenario.name, &mut alone);
    }
    alone
}

fn tables(results: &Results, scenario: &str, alone: &mut Alone) {
    curves(&results.survival, scenario, alone);
    let mut count = |what: String, n: Option<u64>| {
        if n == Some(1) {
            alone.counts.push(format!("{scenario} {what}"));
        }
    };
    for row in &results.flow {
        for n in [row.control, row.treated, row.excluded] {
            count(format!("flow {}", row.label), n);
        }
    }
    for pair in results.flow.windows(2) {
        let left = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.saturating_sub(b));
        count(format!("flow to {}, control", pair[1].label), left(pair[0].control, pair[1].control));
        count(format!("flow to {}, treated", pair[1].label), left(pair[0].treated, pair[1].treated));
    }
    for row in &results.outcomes {
        count(format!("outcome {} {}", row.outcome, row.arm), row.events);
        let without = row.n.zip(row.events).map(|(n, events)| n - events);
        count(format!("outcome {} {} without", row.outcome, row.arm), without);
    }
    for row in &results.histogram {
        count(format!("propensity from {} {}", row.low, row.arm), row.n);
    }
    for row in &results.overlap {
        let outside = row.equipoise.map(|n| row.n - n);
        for n in [row.equipoise, outside, row.below, row.above] {
            count(format!("overlap {}", row.arm), n);
        }
    }
    for row in &results.weights {
        row.truncated.iter().flatten().for_each(|n| count(format!("truncated {} {}", row.scheme, row.arm), *n));
    }
    for row in results.balance.iter().filter(|row| !row.weighted && &*row.kind != "continuous") {
        let [control, treated, all] = [&row.control, &row.treated, &row.all].map(|cells| cells.value.map(|n| n as u64));
        let either = control.zip(treated).map(|(control, treated)| control + treated);
        for n in [control, treated, all, either, row.missing[0], row.missing[1]] {
            count(format!("level {} {:?}", row.variable, row.level), n);
        }
    }
}

type Times<'r> = BTreeMap<(bool, u64), &'r SurvivalRow>;

/// Rows of one kind of interval say all: the others have the same counts.
fn curves(rows: &[SurvivalRow], scenario: &str, alone: &mut Alone) {
    let mut curves: BTreeMap<(&str, &str, bool), Times<'_>> = BTreeMap::new();
    for row in rows {
        let at = (row.at == At::MergedCell, row.time_days.to_bits());
        curves.entry((&row.outcome, &row.arm, row.weighted)).or_default().insert(at, row);
    }
    for ((outcome, arm, weighted), times) in &curves {
        let place = |row: &SurvivalRow| format!("{scenario} {outcome} {arm} day {} ({})", row.time_days, row.at.name());
        // the same times without weights say of how many patients a sum of weights is
        let counts = curves.get(&(*outcome, *arm, false));
        let one = |n: Option<f64>| n == Some(1.0);
        for (at, row) in times {
            let Some(counted) = counts.and_then(|counts| counts.get(at)) else { continue };
            let single =
                one(counted.n_event) && row.n_event.is_some() || one(counted.n_censor) && row.n_censor.is_some();
            if single && *weighted {
                alone.weights.push(place(row));
            } else if single {
                alone.events.push(place(row));
            }
        }
        if !weighted {
            at_risk(times, |row| alone.leavers.push(place(row)));
        }
    }
}

/// Differences of at-risk totals in the order of time, those of declared times and of merged cells together. A total is
/// known just before a time where it is released, and after it where events and censored rows lead to it.
fn at_risk(times: &Times<'_>, mut found: impl FnMut(&SurvivalRow)) {
    let left = |row: &SurvivalRow| row.n_event.zip(row.n_censor).map(|(events, censored)| events + censored);
    let all: Option<f64> = times.iter().filter(|((merged, _), _)| *merged).map(|(_, row)| left(row)).sum();
    let mut totals: BTreeMap<(u64, bool), (f64, &SurvivalRow)> = BTreeMap::new();
    for kind in [true, false] {
        let mut rest = all;
        for ((_, time), row) in times.iter().filter(|((merged, _), _)| *merged == kind) {
            if let Some(n) = row.n_risk {
                totals.insert((*time, false), (n, row));
            }
            if let Some(n) = row.n_after {
                totals.insert((*time, true), (n, row));
            }
            rest = rest.zip(left(row)).map(|(rest, left)| rest - left);
            if let Some(n) = rest {
                totals.insert((*time, true), (n, row));
            }
        }
    }
    let mut before = all;
    for (total, row) in totals.values() {
        if before.is_some_and(|before| before - total == 1.0) {
            found(row);
        }
        before = Some(*total);
    }
}
