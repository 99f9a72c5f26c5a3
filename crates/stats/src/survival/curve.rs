//! Kaplan-Meier curves with their errors, from a table.

use super::interval::{IntervalKind, interval};
use super::table::{ArmTable, Leavers, Tally, Who};

/// A Kaplan-Meier curve: one point per cell in which rows leave, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    weighted: bool,
    points: Vec<Point>,
}

/// The curve at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Time in cells.
    pub time: f64,
    /// Rows that leave at this time or later.
    pub risk: Tally,
    /// Rows that have left by the event since the point before.
    pub events: Tally,
    /// Rows that have left without it since the point before.
    pub censored: Tally,
    /// S, the product of (n - d) / n over cells up to this time, with sums of weights for n and d.
    pub survival: f64,
    /// Standard error of S. None where R's is not a number: Greenwood's at S = 0. The jackknife's is 0 there.
    pub std_error: Option<f64>,
    /// Rows at risk that do not leave by the event here: n - d, summed rather than subtracted, so that it is exactly 0 when
    /// the curve ends at 0 and keeps its digits before.
    pub(super) after: Tally,
    /// Rows that leave later.
    pub remaining: Tally,
    /// Whether nobody has left yet.
    before_all: bool,
}

impl Curve {
    /// The curve of `who`, R's `survfit(Surv(time, event) ~ 1, weights = w)`.
    ///
    /// Unweighted, Greenwood: var S = S^2 sum d / (n (n - d)). Weighted, the infinitesimal jackknife over rows, as R has it
    /// since survival 3: S^2 sum over rows of (w u)^2 with u = 1 / (n - d) if the row has died - sum over its cells at risk
    /// of d / (n (n - d)), both up to the time. With weights of 1 the two agree.
    pub fn kaplan_meier(table: &ArmTable, who: Who) -> Self {
        let mut curve = Self { weighted: table.is_weighted(), points: steps(&table.leavers(who)) };
        let (mut survival, mut greenwood) = (1.0, 0.0);
        for point in &mut curve.points {
            let after = point.after.w;
            if point.events.n > 0.0 {
                survival *= after / point.risk.w;
                greenwood += point.events.w / (point.risk.w * after);
            }
            point.survival = survival;
            point.std_error = (survival > 0.0).then(|| survival * greenwood.sqrt());
        }
        if curve.weighted {
            let errors = curve.jackknife_of_survival();
            for (point, error) in curve.points.iter_mut().zip(errors) {
                point.std_error = Some(error);
            }
        }
        curve
    }

    /// All points.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The last time at which somebody is at risk; none without rows. R's `summary(fit, times)` says nothing after it.
    pub fn end(&self) -> Option<f64> {
        self.points.last().map(|point| point.time)
    }

    /// Whether the rows carry weights.
    pub fn is_weighted(&self) -> bool {
        self.weighted
    }

    /// The curve at `times`, ascending, R's `summary(fit, times, extend = TRUE)`: S and its error as left by the last step
    /// at or before each time (1 and 0 before the first), rows at risk just before it, and the rows that have left since the
    /// time before. At the ends of merged cells these are the exact values of the curve on the declared grid.
    ///
    /// # Panics
    /// When the times do not ascend.
    pub fn at(&self, times: &[f64]) -> Vec<Point> {
        assert!(times.is_sorted(), "times ascend");
        let mut reached = 0;
        times
            .iter()
            .map(|&time| {
                let mut now = Point { time, ..Point::start() };
                let next = self.points.partition_point(|point| point.time <= time);
                if let Some(last) = next.checked_sub(1).map(|last| &self.points[last]) {
                    (now.survival, now.std_error, now.before_all) = (last.survival, last.std_error, false);
                }
                let at_or_after = self.points.partition_point(|point| point.time < time);
                now.risk = self.points.get(at_or_after).map_or(Tally::default(), |point| point.risk);
                for point in &self.points[reached..next] {
                    now.events = now.events.plus(point.events);
                    now.censored = now.censored.plus(point.censored);
                }
                now.remaining = self.points.get(next).map_or(Tally::default(), |point| point.risk);
                reached = next;
                now
            })
            .collect()
    }

    /// Variance of a functional of the curve whose derivative in the hazard h of step s, up to the sign and the factor
    /// 1 / (1 - h), is `slope[s]`: S(t) itself for the curve at a fixed t >= s, the area under the curve beyond s for the
    /// restricted mean; 0 for steps that do not enter.
    ///
    /// Infinitesimal jackknife over rows, sum over rows of (w dF/dw)^2. A row that leaves at step j has
    /// dF/dw = G_j - d slope_j / (n_j - d_j) with G_j = sum over s <= j of slope d / (n (n - d)), so that three sums per
    /// cell suffice: the variance is sum over j of Sw^2(events) (slope / (n - d) - G)^2 + Sw^2(censored) G^2.
    /// With weights of 1 it equals Greenwood's. A step that ends the curve at 0 has no part: nothing beyond it varies.
    pub(super) fn jackknife(&self, slope: &[f64]) -> f64 {
        let (mut gradient, mut variance) = (0.0, 0.0);
        for (point, slope) in self.points.iter().zip(slope) {
            let mut own = 0.0;
            if point.events.n > 0.0 && point.survival > 0.0 {
                own = slope / point.after.w;
                gradient += own * point.events.w / point.risk.w;
            }
            let by_event = own - gradient;
            variance += point.events.w2 * by_event * by_event + point.censored.w2 * gradient * gradient;
        }
        variance
    }

    /// Greenwood's variance of the same functionals: sum of slope^2 d / (n (n - d)).
    pub(super) fn greenwood(&self, slope: &[f64]) -> f64 {
        let mut variance = 0.0;
        for (point, slope) in self.points.iter().zip(slope) {
            if point.events.n > 0.0 && point.survival > 0.0 {
                variance += slope * slope * point.events.w / (point.risk.w * point.after.w);
            }
        }
        variance
    }

    /// Standard errors of S at every point: [`Curve::jackknife`] with slopes S up to the point and 0 beyond, in one pass.
    /// Between events it does not change.
    fn jackknife_of_survival(&self) -> Vec<f64> {
        let (mut gradient, mut left, mut error) = (0.0, 0.0, 0.0);
        let mut errors = Vec::with_capacity(self.points.len());
        for point in &self.points {
            if point.events.n > 0.0 {
                let mut own = 0.0;
                if point.survival > 0.0 {
                    own = 1.0 / point.after.w;
                    gradient += own * point.events.w / point.risk.w;
                }
                left += point.events.w2 * (own - gradient) * (own - gradient);
                error = point.survival * (left + point.after.w2 * gradient * gradient).sqrt();
            }
            left += point.censored.w2 * gradient * gradient;
            errors.push(error);
        }
        errors
    }
}

impl Point {
    /// The 95% interval of S, see [`interval`]; before anybody has left it is (1, 1) of every kind, as in R.
    pub fn interval(&self, kind: IntervalKind) -> Option<(f64, f64)> {
        if self.before_all { Some((1.0, 1.0)) } else { interval(self.survival, self.std_error, kind) }
    }

    /// Before anything happens.
    fn start() -> Self {
        let none = Tally::default();
        Self {
            time: 0.0,
            risk: none,
            events: none,
            censored: none,
            survival: 1.0,
            std_error: Some(0.0),
            after: none,
            remaining: none,
            before_all: true,
        }
    }
}

/// The cells in which rows leave, with those at risk.
fn steps(leavers: &[Leavers]) -> Vec<Point> {
    let mut risk = Tally::default();
    let mut points = Vec::new();
    for (cell, leavers) in leavers.iter().enumerate().rev().filter(|(_, leavers)| leavers.all().n > 0.0) {
        let Leavers { events, censored } = *leavers;
        let (remaining, after) = (risk, risk.plus(censored));
        risk = after.plus(events);
        let point = Point { time: cell as f64, risk, events, censored, after, remaining, ..Point::start() };
        points.push(Point { before_all: false, ..point });
    }
    points.reverse();
    points
}
