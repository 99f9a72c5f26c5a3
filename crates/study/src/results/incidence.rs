//! Cumulative incidences of competing causes, their differences and Gray's tests, from the tables of causes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stats::competing::{CauseTable, Incidence, IncidencePoint, gray};
use stats::inference::wald;
use stats::survival::{Estimate, IntervalKind, Who, difference, interval};

use super::boundaries::Shown;
use super::rows::{FitProblem, FitRow, Name, TestRow};
use super::survival::{At, conf_type};
use super::tables::{Results, arm_names};
use crate::plan::{Branch, Facts, Family, IncidenceKey};
use crate::protocol::{Competing, IncidenceAnalysis, Protocol};
use crate::question::competing;
use crate::term::Term;

/// Name of the analysis in `fits.csv`, where only incidences that failed have a row.
pub const CUMULATIVE_INCIDENCE: &str = "cumulative_incidence";

/// The incidence of one cause at one time, with an interval of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidenceRow {
    /// Name of the outcome.
    pub outcome: String,
    /// Name of the cause.
    pub cause: String,
    /// `all`, level of the arm, or for differences (treated minus control) the treatment's term.
    pub arm: String,
    /// With the study's weights?
    pub weighted: bool,
    /// Right end of the cell in days.
    pub time_days: f64,
    /// Patients at risk just before; none of a difference, and when hidden.
    pub n_risk: Option<f64>,
    /// Patients who have not left by this time, likewise.
    pub n_after: Option<f64>,
    /// Cumulative incidence, or difference of two; none when hidden.
    pub incidence: Option<f64>,
    /// Is there no incidence because nobody of the arm (or of one of both) is at risk any more?
    pub after_end: bool,
    /// Its standard error; none when hidden.
    pub std_error: Option<f64>,
    /// 95% interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// log, log-log, plain.
    pub conf_type: Name,
    /// Declared time or merged cell.
    pub at: At,
    /// Probability of no event of any cause, with its standard error; none of a difference.
    pub event_free: Option<Estimate>,
}

/// Adds the rows of all incidences that have ended.
pub(super) fn add(results: &mut Results, branch: &Branch, facts: &Facts, shown: &BTreeMap<usize, Shown>) {
    let protocol = branch.protocol();
    for (key, outcome) in branch.incidences() {
        match outcome {
            None => {}
            Some(Ok(table)) => {
                let Some(shown) = shown.get(&key.outcome) else { continue };
                let merged = shown.merges.then(|| table.merged(shown.ends(key.weighted)));
                Rows::new(protocol, key, merged.as_ref().unwrap_or(table), shown).add(results);
            }
            Some(Err(failure)) => results.fits.push(FitRow {
                analysis: CUMULATIVE_INCIDENCE.into(),
                outcome: protocol.outcomes[key.outcome].name.clone(),
                cause: String::new(),
                modifier: String::new(),
                model: key.model_name().into(),
                ties: None,
                n: Some(facts.rows_with(protocol, key.outcome)),
                events: Some(all_events(protocol, facts, key.outcome)),
                imputations: None,
                outcome_of_fit: Err(FitProblem::of(failure, Family::Curve)),
            }),
        }
    }
}

fn all_events(protocol: &Protocol, facts: &Facts, outcome: usize) -> u64 {
    let Some(causes) = facts.causes.get(&outcome) else { return 0 };
    (1..=competing(protocol, outcome).count()).flat_map(|cause| causes.events(cause)).sum()
}

/// One table and what its rows share.
struct Rows<'a> {
    key: &'a IncidenceKey,
    outcome: &'a str,
    analysis: &'a IncidenceAnalysis,
    competing: &'a Competing,
    table: &'a CauseTable,
    shown: &'a Shown,
    arms: [(String, Incidence); 3],
    treatment: String,
}

impl<'a> Rows<'a> {
    fn new(protocol: &'a Protocol, key: &'a IncidenceKey, table: &'a CauseTable, shown: &'a Shown) -> Rows<'a> {
        let [control, treated] = arm_names(protocol);
        let curves = |name, who| (name, Incidence::aalen_johansen(table, who));
        Rows {
            key,
            outcome: &protocol.outcomes[key.outcome].name,
            analysis: key.analysis(protocol),
            competing: competing(protocol, key.outcome),
            table,
            shown,
            arms: [curves("all".into(), Who::All), curves(control, Who::Control), curves(treated, Who::Treated)],
            treatment: Term::Treatment.name(protocol),
        }
    }

    fn add(&self, results: &mut Results) {
        let grid = self.competing.grid;
        let declared: Vec<f64> = self.analysis.times_days.iter().map(|day| f64::from(grid.cell(*day))).collect();
        for (k, cause) in self.competing.causes.iter().enumerate() {
            let merged = self.shown.merged.iter().filter(|cell| self.tells(k, **cell));
            let merged: Vec<f64> = merged.map(|cell| f64::from(*cell)).collect();
            for (index, (arm, curves)) in self.arms.iter().enumerate() {
                for kind in &self.analysis.conf_types {
                    for (at, times) in [(At::Declared, &declared), (At::MergedCell, &merged)] {
                        let mut before = None;
                        let rows = curves.at(times).into_iter().map(|point| {
                            // as of survival curves: the cell in which the last patient leaves is the arm's last
                            let last = before.replace(point.time);
                            let after = match at {
                                At::Declared => self.is_over(index, point.time),
                                At::MergedCell => last >= curves.end(),
                            };
                            if self.shown(k, &point, at) && after {
                                after_end(self.row(&cause.name, k, arm, &point, *kind, at))
                            } else if self.shown(k, &point, at) {
                                self.row(&cause.name, k, arm, &point, *kind, at)
                            } else {
                                self.hidden(&cause.name, arm, point.time, *kind, at)
                            }
                        });
                        results.incidences.extend(rows);
                    }
                }
            }
            let [_, (_, controls), (_, treateds)] = &self.arms;
            for (control, treated) in controls.at(&declared).iter().zip(treateds.at(&declared)) {
                results.incidences.push(if self.shown(k, control, At::Declared) {
                    let row = self.difference(&cause.name, k, control, &treated);
                    if [1, 2].iter().any(|arm| self.is_over(*arm, control.time)) { after_end(row) } else { row }
                } else {
                    self.hidden(&cause.name, &self.treatment, control.time, IntervalKind::Plain, At::Declared)
                });
            }
            self.test(results, &cause.name, k);
        }
    }

    /// Is nobody of an arm (of both, for all) at risk any more?
    fn is_over(&self, arm: usize, time: f64) -> bool {
        let arms = if arm == 0 { &self.arms[1..] } else { &self.arms[arm..=arm] };
        let last = |curves: &Incidence| curves.points().last().map(|last| (last.time, last.risk.n));
        arms.iter().all(|(_, curves)| self.shown.is_over(time, last(curves)))
    }

    fn shown(&self, k: usize, point: &IncidencePoint, at: At) -> bool {
        let declared = || self.shown.declared.iter().any(|cell| f64::from(*cell) == point.time && self.tells(k, *cell));
        at == At::MergedCell || declared()
    }

    /// May the incidence of a cause with these weights be told at a time that is given out?
    fn tells(&self, k: usize, cell: u32) -> bool {
        !self.key.weighted || self.shown.tells_weights_of(k, cell)
    }

    /// May the probability of no event be, which tells those of all causes?
    fn tells_all(&self, time: f64) -> bool {
        !self.key.weighted || self.shown.tells_weights(time as u32)
    }

    fn hidden(&self, cause: &str, arm: &str, time: f64, kind: IntervalKind, at: At) -> IncidenceRow {
        IncidenceRow {
            outcome: self.outcome.into(),
            cause: cause.into(),
            arm: arm.into(),
            weighted: self.key.weighted,
            time_days: time * self.competing.grid.days,
            n_risk: None,
            n_after: None,
            incidence: None,
            after_end: false,
            std_error: None,
            interval: None,
            conf_type: conf_type(kind).into(),
            at,
            event_free: None,
        }
    }

    fn row(
        &self,
        cause: &str,
        k: usize,
        arm: &str,
        point: &IncidencePoint,
        kind: IntervalKind,
        at: At,
    ) -> IncidenceRow {
        let Estimate { estimate, std_error } = point.causes[k];
        let at_risk = self.shown.tells_at_risk(point.time);
        IncidenceRow {
            n_risk: at_risk.then_some(point.risk.n),
            n_after: Some(point.remaining.n),
            incidence: Some(estimate),
            std_error: Some(std_error),
            interval: interval(estimate, Some(std_error), kind),
            event_free: Some(point.event_free).filter(|_| self.tells_all(point.time)),
            ..self.hidden(cause, arm, point.time, kind, at)
        }
    }

    /// Treated minus control at one time; the arms are independent.
    fn difference(&self, cause: &str, k: usize, control: &IncidencePoint, treated: &IncidencePoint) -> IncidenceRow {
        let Estimate { estimate, std_error } = difference(treated.causes[k], control.causes[k]);
        let limits = wald(estimate, std_error);
        IncidenceRow {
            n_risk: None,
            n_after: None,
            incidence: Some(estimate),
            std_error: Some(std_error),
            interval: Some((limits.conf_low, limits.conf_high)),
            event_free: None,
            ..self.row(cause, k, &self.treatment, control, IntervalKind::Plain, At::Declared)
        }
    }

    /// Gray's test, which counts patients: once, beside the unweighted incidences.
    fn test(&self, results: &mut Results, cause: &str, k: usize) {
        if self.key.weighted || self.shown.lacks_cells(false) {
            return;
        }
        results.tests.extend(gray(self.table, k as u8 + 1).map(|gray| TestRow {
            name: "gray".into(),
            outcome: self.outcome.into(),
            cause: cause.into(),
            modifier: String::new(),
            model: self.key.model_name().into(),
            ties: None,
            term: self.treatment.clone(),
            test: gray.test,
        }));
    }
}

/// The row without its numbers, but for those at risk.
fn after_end(row: IncidenceRow) -> IncidenceRow {
    IncidenceRow { incidence: None, std_error: None, interval: None, event_free: None, after_end: true, ..row }
}
