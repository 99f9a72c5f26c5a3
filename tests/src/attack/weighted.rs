//! Weights of a few patients in weighted curves: between two times that are told, the curve falls by the weights of the
//! events.

use study::cohort::{Cohort, Column};
use study::dictionary::VariableId;
use study::protocol::{OutcomeKind, Protocol};
use study::results::Results;

use super::Group;

/// A fall of a weighted curve with the patients whose weights it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Fall {
    /// Outcome, cause, and the days after which and by which they leave.
    pub group: Group,
    /// The sum of their weights, where the number at risk tells it: the only leavers of a cell of the grid.
    pub weights: Option<f64>,
}

/// One weighted curve of an arm.
struct Curve {
    outcome: String,
    /// Number of the cause; 0 is the event.
    cause: u8,
    arm: String,
    /// Cell, weights at risk, and the probability of no event.
    points: Vec<(u32, Option<f64>, Option<f64>)>,
}

/// All falls of the weighted curves of the main analysis by the weights of fewer patients than `minimum`, and all that two
/// outcomes on one column tell by their falls between the same two times.
pub fn falls(results: &Results, protocol: &Protocol, sites: &[Cohort], minimum: u64) -> Vec<Fall> {
    let arms = protocol.dictionary.variable(protocol.treatment.variable).levels();
    let of_arms = [protocol.treatment.control, protocol.treatment.treated];
    let curves = curves(results, protocol);
    let mut found = Vec::new();
    for curve in &curves {
        let Some(arm) = of_arms.iter().position(|a| arms[*a] == curve.arm) else { continue };
        let few = |count: u64| (1..minimum).contains(&count);
        let group = |place: String, count| Group { place, arm, count, who: None };
        let (mut after, mut before) = (None, Some(1.0));
        for (cell, at_risk, free) in &curve.points {
            let count = events(protocol, sites, curve, arm, after, *cell);
            if few(count) {
                let place = format!("{} {} from {after:?} to {cell}", curve.outcome, curve.cause);
                // survival falls by the part of the weights at risk, where nobody leaves between the two cells
                let single = after.is_some_and(|after| after + 1 == *cell);
                let fall = free.zip(before).map(|(free, before)| 1.0 - free / before);
                let weights = fall.zip(*at_risk).map(|(fall, at_risk)| fall * at_risk).filter(|_| single);
                found.push(Fall { group: group(place, count), weights });
            }
            (after, before) = (Some(*cell), *free);
        }
        let same_column = |other: &&Curve| {
            let kind = |name: &str| &protocol.outcome(name).expect("an outcome").kind;
            let (one, two) = (kind(&curve.outcome), kind(&other.outcome));
            curve.outcome < other.outcome
                && curve.arm == other.arm
                && one.time() == two.time()
                && one.grid() == two.grid()
        };
        for other in curves.iter().filter(same_column) {
            let told = |cell: &u32| other.points.iter().any(|point| point.0 == *cell);
            let mut after = None;
            for cell in curve.points.iter().map(|point| point.0).filter(told) {
                let count = |curve: &Curve| events(protocol, sites, curve, arm, after, cell);
                let more = count(curve).abs_diff(count(other));
                if few(more) {
                    let place = format!(
                        "{} {} beside {} {} from {after:?} to {cell}",
                        curve.outcome, curve.cause, other.outcome, other.cause
                    );
                    found.push(Fall { group: group(place, more), weights: None });
                }
                after = Some(cell);
            }
        }
    }
    found
}

fn curves(results: &Results, protocol: &Protocol) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    let mut add = |outcome: &str, cause: u8, arm: &str, point: (u32, Option<f64>, Option<f64>)| {
        let same = |c: &&mut Curve| (&*c.outcome, c.cause, &*c.arm) == (outcome, cause, arm);
        match curves.iter_mut().find(same) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve { outcome: outcome.into(), cause, arm: arm.into(), points: vec![point] }),
        }
    };
    let cell = |outcome: &str, days: f64| {
        let grid = protocol.outcome(outcome).and_then(|outcome| outcome.kind.grid()).expect("a grid");
        (days / grid.days).round() as u32
    };
    for row in results.survival.iter().filter(|row| row.weighted && row.survival.is_some()) {
        add(&row.outcome, 0, &row.arm, (cell(&row.outcome, row.time_days), row.n_risk, row.survival));
    }
    for row in results.incidences.iter().filter(|row| row.weighted && row.incidence.is_some()) {
        let OutcomeKind::Competing(competing) = &protocol.outcome(&row.outcome).expect("an outcome").kind else {
            continue;
        };
        let cause = competing.cause(&row.cause).expect("a cause");
        add(&row.outcome, cause, &row.arm, (cell(&row.outcome, row.time_days), None, None));
    }
    for curve in &mut curves {
        curve.points.sort_by_key(|point| point.0);
        curve.points.dedup_by_key(|point| point.0);
    }
    curves
}

/// Patients of an arm with the event after one cell and up to another.
fn events(protocol: &Protocol, sites: &[Cohort], curve: &Curve, arm: usize, after: Option<u32>, until: u32) -> u64 {
    let kind = &protocol.outcome(&curve.outcome).expect("an outcome").kind;
    let (time, grid) = (kind.time().expect("a time"), kind.grid().expect("a grid"));
    let of_site = |rows: &Cohort| {
        let (Column::Days(days), Column::Levels(status)) = (&rows.columns[time.0], &rows.columns[status_of(kind).0])
        else {
            return 0;
        };
        let is_event = |row: &usize| match kind {
            OutcomeKind::Competing(competing) => competing.of_level(status[*row]) == curve.cause,
            OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => status[*row] == 1,
        };
        let within = |row: &usize| {
            let cell = grid.cell(days[*row].min(grid.horizon_days));
            days[*row] <= grid.horizon_days && cell <= until && after.is_none_or(|after| cell > after)
        };
        let of_arm = (0..rows.rows()).filter(|row| usize::from(rows.treated[*row]) == arm);
        of_arm.filter(is_event).filter(within).count()
    };
    sites.iter().map(of_site).sum::<usize>() as u64
}

fn status_of(kind: &OutcomeKind) -> VariableId {
    match kind {
        OutcomeKind::Binary { variable } => *variable,
        OutcomeKind::TimeToEvent(outcome) => outcome.event,
        OutcomeKind::Competing(competing) => competing.status,
    }
}
