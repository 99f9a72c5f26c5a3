//! Survival curves, medians, restricted means and log-rank tests from the two-arm tables.
//!
//! The estimators count in cells; rows are in days: the right end of the cell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stats::inference::wald;
use stats::survival::{
    ArmTable, Curve, Estimate, IntervalKind, Point, Who, difference, log_rank, median, reaches, restricted_mean,
};

use super::boundaries::Shown;
use super::hazard_ratio;
use super::rows::{FitProblem, FitRow, Name, TestRow};
use super::tables::{Results, arm_names};
use crate::plan::{Branch, CurveKey, Facts, Family};
use crate::protocol::{CurveAnalysis, Protocol, TimeToEvent};
use crate::question::time_to_event;
use crate::term::Term;

/// Name of the analysis in `estimates.csv` and `fits.csv`: hazard ratios from tables of curves, and curves that failed.
pub const KAPLAN_MEIER: &str = "kaplan_meier";

/// Which rows of `survival.csv` or `incidence.csv` a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum At {
    /// A time that the protocol declares.
    Declared,
    /// End of a cell of the curve, merged from cells of the grid until it hides single leavers.
    MergedCell,
}

impl At {
    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            At::Declared => "declared",
            At::MergedCell => "merged_cell",
        }
    }
}

/// A survival curve at one time, with an interval of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SurvivalRow {
    /// Name of the outcome.
    pub outcome: String,
    /// `all`, or level of the arm.
    pub arm: String,
    /// With the study's weights?
    pub weighted: bool,
    /// Right end of the cell in days.
    pub time_days: f64,
    /// At risk just before, sum of weights; none when hidden, as below.
    pub n_risk: Option<f64>,
    /// Events since the row before of the same kind; none under a floor of leavers where patients are weighted.
    pub n_event: Option<f64>,
    /// Censored since the row before of the same kind, likewise.
    pub n_censor: Option<f64>,
    /// Patients who have not left by this time, whose curve is unweighted: all of the arm without those of this and the
    /// rows before.
    pub n_after: Option<f64>,
    /// Survival; none, too, where nobody of the arm is at risk any more.
    pub survival: Option<f64>,
    /// Is nobody at risk any more? Then nothing is known of the curve, and n_risk is 0.
    pub after_end: bool,
    /// Its standard error, where there is one.
    pub std_error: Option<f64>,
    /// 95% interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// log, log-log, plain.
    pub conf_type: Name,
    /// Declared time or merged cell.
    pub at: At,
}

/// A quantity of a curve, or of two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MedianRow {
    /// Name of the outcome.
    pub outcome: String,
    /// `all`, level of the arm, or for differences the treatment's term.
    pub arm: String,
    /// With the study's weights?
    pub weighted: bool,
    /// Which one.
    pub quantity: Quantity,
    /// Day it refers to: time of survival, or horizon of a restricted mean.
    pub at_days: Option<f64>,
    /// Days, or a probability; none where the curve does not come down to one half.
    pub value: Option<f64>,
    /// Is there no value because nobody of the arm (or of one of both) is at risk until then?
    pub after_end: bool,
    /// Its standard error, where there is one.
    pub std_error: Option<f64>,
    /// Lower limit, 95%; none where it is not reached.
    pub conf_low: Option<f64>,
    /// Upper limit, 95%; none where it is not reached.
    pub conf_high: Option<f64>,
    /// log, log-log, plain.
    pub conf_type: Name,
}

/// What a [`MedianRow`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quantity {
    /// Median survival.
    Median,
    /// Median follow-up, by reverse Kaplan-Meier.
    FollowUp,
    /// Restricted mean.
    RestrictedMean,
    /// Probability of survival.
    SurvivalAt,
    /// Risk of the treated minus that of the control arm.
    RiskDifferenceAt,
    /// Restricted mean of the treated minus that of the control arm.
    RestrictedMeanDifference,
    /// Survival of the treated minus that of the control arm.
    SurvivalDifferenceAt,
}

impl Quantity {
    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Median => "median",
            Quantity::FollowUp => "follow_up",
            Quantity::RestrictedMean => "rmst",
            Quantity::SurvivalAt => "survival_at",
            Quantity::RiskDifferenceAt => "risk_difference_at",
            Quantity::RestrictedMeanDifference => "rmst_difference",
            Quantity::SurvivalDifferenceAt => "survival_difference_at",
        }
    }
}

/// Adds the rows of every curve that has ended.
pub(super) fn add(results: &mut Results, branch: &Branch, facts: &Facts, shown: &BTreeMap<usize, Shown>) {
    let protocol = branch.protocol();
    for (key, outcome) in branch.curves() {
        let name = &protocol.outcomes[key.outcome].name;
        match outcome {
            None => {}
            Some(Ok(table)) => {
                let shown = shown.get(&key.outcome);
                let merged = shown.filter(|shown| shown.merges).map(|shown| table.merged(shown.ends(key.weighted)));
                let table = merged.as_ref().unwrap_or(table);
                if let Some(rows) = shown.and_then(|shown| Rows::new(protocol, key, table, shown)) {
                    rows.add(results);
                }
                // of merged cells without one there is no table
                if shown.is_none_or(|shown| !shown.lacks_cells(key.weighted)) {
                    hazard_ratio::add(results, protocol, key, table, facts);
                }
            }
            Some(Err(failure)) => results.fits.push(FitRow {
                analysis: KAPLAN_MEIER.into(),
                outcome: name.clone(),
                cause: String::new(),
                model: key.model_name().into(),
                modifier: String::new(),
                ties: None,
                n: Some(facts.rows_with(protocol, key.outcome)),
                events: Some(facts.events.get(&key.outcome).map_or(0, |e| e.events.iter().sum())),
                imputations: None,
                outcome_of_fit: Err(FitProblem::of(failure, Family::Curve)),
            }),
        }
    }
}

pub(super) fn conf_type(kind: IntervalKind) -> &'static str {
    match kind {
        IntervalKind::Log => "log",
        IntervalKind::LogLog => "log-log",
        IntervalKind::Plain => "plain",
    }
}

/// A curve at a time that is given out, or why there is nothing.
#[derive(Debug, Clone, Copy)]
enum Known {
    Point(Point),
    /// Nobody is at risk any more.
    AfterEnd(Point),
    /// Too few leave between this time and the next.
    Hidden,
}

impl Known {
    fn point(&self) -> Option<Point> {
        match self {
            Known::Point(point) => Some(*point),
            Known::AfterEnd(_) | Known::Hidden => None,
        }
    }
}

/// One table and what its rows share.
struct Rows<'a> {
    key: &'a CurveKey,
    outcome: &'a str,
    analysis: &'a CurveAnalysis,
    grid: &'a TimeToEvent,
    table: &'a ArmTable,
    shown: &'a Shown,
    arms: [(String, Curve); 3],
    /// Declared times in cells.
    times: Vec<f64>,
    /// Are those at risk, events and censored rows given? Under a floor of leavers not their weights: with those at risk,
    /// survival tells what the events of a cell weigh, and what is left of its leavers are the weights of the censored.
    counts: bool,
    treatment: String,
}

impl<'a> Rows<'a> {
    fn new(protocol: &'a Protocol, key: &'a CurveKey, table: &'a ArmTable, shown: &'a Shown) -> Option<Rows<'a>> {
        let [control, treated] = arm_names(protocol);
        let curve = |name, who| (name, Curve::kaplan_meier(table, who));
        let analysis = key.analysis(protocol)?;
        let grid = time_to_event(protocol, key.outcome);
        Some(Rows {
            key,
            outcome: &protocol.outcomes[key.outcome].name,
            analysis,
            grid,
            table,
            shown,
            arms: [curve("all".into(), Who::All), curve(control, Who::Control), curve(treated, Who::Treated)],
            times: analysis.times_days.iter().map(|day| f64::from(grid.cell(*day))).collect(),
            counts: !key.weighted || protocol.release.minimum_leavers <= 1,
            treatment: Term::Treatment.name(protocol),
        })
    }

    fn add(&self, results: &mut Results) {
        self.curves(results);
        if self.shown.lacks_cells(self.key.weighted) {
            return;
        }
        self.medians(results);
        self.survival_at(results);
        self.restricted_means(results);
        results.tests.extend(log_rank(self.table).map(|log_rank| TestRow {
            name: "log_rank".into(),
            outcome: self.outcome.into(),
            cause: String::new(),
            model: self.key.model_name().into(),
            modifier: String::new(),
            ties: None,
            term: self.treatment.clone(),
            test: log_rank.test,
        }));
    }

    fn days(&self, cells: f64) -> f64 {
        cells * self.grid.grid_days
    }

    /// The curve at the declared times, none where it is hidden. What has left since the time before counts from the last
    /// time that is shown.
    fn declared(&self, arm: usize) -> Vec<(f64, Known)> {
        let shown =
            |time: &&f64| self.shown.declared.iter().any(|cell| f64::from(*cell) == **time && self.tells(*cell));
        let times: Vec<f64> = self.times.iter().filter(shown).copied().collect();
        let mut points = self.arms[arm].1.at(&times).into_iter().peekable();
        let known = |point: Point| {
            if self.is_over(arm, point.time) { Known::AfterEnd(point) } else { Known::Point(point) }
        };
        let at = |time: &f64| (*time, points.next_if(|point| point.time == *time).map_or(Known::Hidden, known));
        self.times.iter().map(at).collect()
    }

    /// May a curve with these weights be told at a time that is given out?
    fn tells(&self, cell: u32) -> bool {
        !self.key.weighted || self.shown.tells_weights(cell)
    }

    /// Is nobody of an arm (of both, for all) at risk any more?
    fn is_over(&self, arm: usize, time: f64) -> bool {
        let arms = if arm == 0 { &self.arms[1..] } else { &self.arms[arm..=arm] };
        let last = |curve: &Curve| curve.points().last().map(|last| (last.time, last.risk.n));
        arms.iter().all(|(_, curve)| self.shown.is_over(time, last(curve)))
    }

    /// The curve at the ends of merged cells. The cell in which the last patient of the arm leaves is the last of the arm:
    /// its own end would be that patient's day.
    fn merged(&self, curve: &Curve) -> Vec<(f64, Known)> {
        let merged = self.shown.merged.iter().filter(|cell| self.tells(**cell));
        let ends: Vec<f64> = merged.map(|cell| f64::from(*cell)).collect();
        let mut before = None;
        let known = |point: Point| {
            let after = before >= curve.end();
            before = Some(point.time);
            (point.time, if after { Known::AfterEnd(point) } else { Known::Point(point) })
        };
        curve.at(&ends).into_iter().map(known).collect()
    }

    /// The curves at the declared times, and at the ends of merged cells: none when an arm has too few patients for that.
    fn curves(&self, results: &mut Results) {
        for (index, (arm, curve)) in self.arms.iter().enumerate() {
            let (declared, merged) = (self.declared(index), self.merged(curve));
            for kind in &self.analysis.conf_types {
                for (at, points) in [(At::Declared, &declared), (At::MergedCell, &merged)] {
                    let row = |(time, known): &(f64, Known)| match known {
                        Known::Point(point) => self.survival_row(arm, point, *kind, at),
                        Known::AfterEnd(point) => SurvivalRow {
                            survival: None,
                            std_error: None,
                            interval: None,
                            after_end: true,
                            ..self.survival_row(arm, point, *kind, at)
                        },
                        Known::Hidden => self.hidden_row(arm, *time, *kind, at),
                    };
                    results.survival.extend(points.iter().map(row));
                }
            }
        }
    }

    fn hidden_row(&self, arm: &str, time: f64, kind: IntervalKind, at: At) -> SurvivalRow {
        SurvivalRow {
            outcome: self.outcome.into(),
            arm: arm.into(),
            weighted: self.key.weighted,
            time_days: self.days(time),
            n_risk: None,
            n_event: None,
            n_censor: None,
            n_after: None,
            survival: None,
            after_end: false,
            std_error: None,
            interval: None,
            conf_type: conf_type(kind).into(),
            at,
        }
    }

    fn survival_row(&self, arm: &str, point: &Point, kind: IntervalKind, at: At) -> SurvivalRow {
        let at_risk = self.shown.tells_at_risk(point.time);
        SurvivalRow {
            n_risk: (at_risk && self.counts).then_some(point.risk.w),
            n_event: self.counts.then_some(point.events.w),
            n_censor: self.counts.then_some(point.censored.w),
            n_after: (!self.key.weighted).then_some(point.remaining.n),
            survival: Some(point.survival),
            std_error: point.std_error,
            interval: point.interval(kind),
            ..self.hidden_row(arm, point.time, kind, at)
        }
    }

    fn row(&self, arm: &str, quantity: Quantity, kind: IntervalKind) -> MedianRow {
        MedianRow {
            outcome: self.outcome.into(),
            arm: arm.into(),
            weighted: self.key.weighted,
            quantity,
            at_days: None,
            value: None,
            after_end: false,
            std_error: None,
            conf_low: None,
            conf_high: None,
            conf_type: conf_type(kind).into(),
        }
    }

    fn medians(&self, results: &mut Results) {
        let flipped = self.table.flipped();
        for (who, (arm, curve)) in [Who::All, Who::Control, Who::Treated].into_iter().zip(&self.arms) {
            let follow_up = Curve::kaplan_meier(&flipped, who);
            for (quantity, curve) in [(Quantity::Median, curve), (Quantity::FollowUp, &follow_up)] {
                for kind in &self.analysis.conf_types {
                    let found = median(curve, *kind);
                    let [value, conf_low, conf_high] = [found.estimate, found.conf_low, found.conf_high]
                        .map(|cells| cells.map(|cells| self.days(cells)));
                    let row = self.row(arm, quantity, *kind);
                    results.medians.push(MedianRow { value, conf_low, conf_high, ..row });
                }
            }
        }
    }

    fn survival_at(&self, results: &mut Results) {
        let at = [0, 1, 2].map(|arm| self.declared(arm));
        for ((arm, _), points) in self.arms.iter().zip(&at) {
            for (time, known) in points {
                let point = known.point();
                results.medians.extend(self.analysis.conf_types.iter().map(|kind| {
                    let ends = point.and_then(|point| point.interval(*kind));
                    MedianRow {
                        at_days: Some(self.days(*time)),
                        after_end: matches!(known, Known::AfterEnd(_)),
                        value: point.map(|point| point.survival),
                        std_error: point.and_then(|point| point.std_error),
                        conf_low: ends.map(|ends| ends.0),
                        conf_high: ends.map(|ends| ends.1),
                        ..self.row(arm, Quantity::SurvivalAt, *kind)
                    }
                }));
            }
        }
        let [_, control, treated] = &at;
        for ((time, control), (_, treated)) in control.iter().zip(treated) {
            let both = control.point().zip(treated.point());
            let after_end = [control, treated].iter().any(|known| matches!(known, Known::AfterEnd(_)));
            let survival = both.map(|(control, treated)| treated.survival - control.survival);
            let estimates = both.and_then(|(control, treated)| control.estimate().zip(treated.estimate()));
            // 1 - S has the standard error of S; the difference of risks is that of survival the other way round.
            for (quantity, sign) in [(Quantity::RiskDifferenceAt, -1.0), (Quantity::SurvivalDifferenceAt, 1.0)] {
                let row = MedianRow {
                    at_days: Some(self.days(*time)),
                    after_end,
                    value: survival.map(|survival| sign * survival),
                    ..self.row(&self.treatment, quantity, IntervalKind::Plain)
                };
                results.medians.push(match estimates {
                    None => row,
                    Some((control, treated)) => {
                        let Estimate { estimate, std_error } = difference(treated, control);
                        symmetric(row, Estimate { estimate: sign * estimate, std_error }, 1.0)
                    }
                });
            }
        }
    }

    fn restricted_means(&self, results: &mut Results) {
        let Some(day) = self.analysis.rmst_days else { return };
        let horizon = f64::from(self.grid.cell(day));
        let grid_days = self.grid.grid_days;
        let reached = [0, 1, 2]
            .map(|arm| reaches(&self.arms[arm].1, if self.is_over(arm, horizon) { f64::INFINITY } else { horizon }));
        let means = self.arms.each_ref().map(|(_, curve)| restricted_mean(curve, horizon));
        let row = |arm: &str, quantity| MedianRow {
            at_days: Some(self.days(horizon)),
            ..self.row(arm, quantity, IntervalKind::Plain)
        };
        let cell = self.grid.cell(day);
        let told = self.shown.tells_mean(cell) && self.tells(cell);
        let filled = |row, mean, reached: bool| match (told, reached) {
            (false, _) => row,
            (true, false) => MedianRow { after_end: true, ..row },
            (true, true) => symmetric(row, mean, grid_days),
        };
        for (((arm, _), mean), reached) in self.arms.iter().zip(&means).zip(reached) {
            let row = row(arm, Quantity::RestrictedMean);
            results.medians.extend(mean.map(|mean| filled(row, mean, reached)));
        }
        if let [_, Some(control), Some(treated)] = means {
            let row = row(&self.treatment, Quantity::RestrictedMeanDifference);
            results.medians.push(filled(row, difference(treated, control), reached[1] && reached[2]));
        }
    }
}

/// The row with an estimate times `unit` and its symmetric interval.
fn symmetric(row: MedianRow, estimate: Estimate, unit: f64) -> MedianRow {
    let (value, std_error) = (estimate.estimate * unit, estimate.std_error * unit);
    let interval = wald(value, std_error);
    MedianRow {
        value: Some(value),
        std_error: Some(std_error),
        conf_low: Some(interval.conf_low),
        conf_high: Some(interval.conf_high),
        ..row
    }
}
