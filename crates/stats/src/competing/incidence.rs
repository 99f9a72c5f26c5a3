//! Cumulative incidences with their errors, from a table of causes.

use crate::survival::{Estimate, Tally, Who};

use super::table::{CauseLeavers, CauseTable};

/// Cumulative incidences of all causes: one point per cell in which rows leave, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidence {
    causes: usize,
    points: Vec<IncidencePoint>,
}

/// The incidences at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidencePoint {
    /// Time in cells.
    pub time: f64,
    /// Rows that leave at this time or later.
    pub risk: Tally,
    /// Rows that leave later.
    pub remaining: Tally,
    /// Probability of no event of any cause up to this time.
    pub event_free: Estimate,
    /// Cumulative incidence of each cause; element 0 is cause 1. Its interval is that of [`crate::survival::interval`].
    pub causes: Vec<Estimate>,
}

impl Incidence {
    /// The curves of `who`, R's `survfit(Surv(time, factor(cause)) ~ 1, weights = w)` (Aalen & Johansen 1978).
    ///
    /// With Y the weights at risk, d_k and d those of cause k and of all causes in a cell, S = prod (1 - d / Y) the
    /// event-free probability: C_k = sum S(s-) d_k / Y. Errors are the infinitesimal jackknife over rows, R's for several
    /// causes with or without weights: the sum over rows of (w U)^2, U the derivative of C_k(t) in the row's weight,
    /// U = a_k(T) + \[left by k\] S(T-) / Y(T) + psi (C_k(t) - C_k(T)) for a row that left at T <= t, U = a_k(t) for one
    /// that has not. g = sum d / (Y (Y - d)) is the derivative of log S while at risk, a_k = sum S(s-) d_k / Y (g(s-) - 1 / Y)
    /// that of C_k, and psi = g(T) - \[left by any cause\] / (Y - d) that of log S ever after. U depends on cell and cause
    /// alone, so sums of squared weights suffice.
    pub fn aalen_johansen(table: &CauseTable, who: Who) -> Self {
        let causes = usize::from(table.causes());
        let steps = steps(&table.leavers(who), causes);
        let points = (0..steps.len()).map(|t| point(&steps[..=t], causes)).collect();
        Self { causes, points }
    }

    /// All points.
    pub fn points(&self) -> &[IncidencePoint] {
        &self.points
    }

    /// The last time at which somebody is at risk; none without rows. R's `summary(fit, times)` says nothing after it.
    pub fn end(&self) -> Option<f64> {
        self.points.last().map(|point| point.time)
    }

    /// The curves at `times`, ascending, R's `summary(fit, times, extend = TRUE)`: as left by the last point at or before
    /// each time (no event and no error before the first), with the rows at risk just before it.
    ///
    /// # Panics
    /// When the times do not ascend.
    pub fn at(&self, times: &[f64]) -> Vec<IncidencePoint> {
        assert!(times.is_sorted(), "times ascend");
        let now = |&time: &f64| {
            let at_or_after = self.points.partition_point(|point| point.time < time);
            let risk = self.points.get(at_or_after).map_or(Tally::default(), |point| point.risk);
            let reached = self.points.partition_point(|point| point.time <= time);
            let remaining = self.points.get(reached).map_or(Tally::default(), |point| point.risk);
            let (event_free, causes) = match reached.checked_sub(1).map(|last| &self.points[last]) {
                Some(last) => (last.event_free, last.causes.clone()),
                None => (certain(1.0), vec![certain(0.0); self.causes]),
            };
            IncidencePoint { time, risk, remaining, event_free, causes }
        };
        times.iter().map(now).collect()
    }
}

fn certain(estimate: f64) -> Estimate {
    Estimate { estimate, std_error: 0.0 }
}

/// A cell in which rows leave, and the curves and derivatives there.
struct Step {
    time: f64,
    leavers: CauseLeavers,
    /// Y and the rows among them that do not leave by an event here.
    risk: Tally,
    after: Tally,
    /// Rows that leave later.
    later: Tally,
    before_survival: f64,
    survival: f64,
    /// g, up to this cell.
    gradient: f64,
    /// C_k and a_k, up to this cell.
    incidence: Vec<f64>,
    derivative: Vec<f64>,
}

/// The cells in which rows leave, ascending.
fn steps(leavers: &[CauseLeavers], causes: usize) -> Vec<Step> {
    let mut later = Tally::default();
    let mut steps = Vec::new();
    for (cell, leavers) in leavers.iter().enumerate().rev().filter(|(_, leavers)| leavers.all().n > 0.0) {
        // Summed from the end, so that nobody left is exactly nobody.
        let after = later.plus(leavers.censored);
        let risk = after.plus(leavers.events());
        steps.push(Step {
            time: cell as f64,
            leavers: leavers.clone(),
            risk,
            after,
            later,
            before_survival: 1.0,
            survival: 1.0,
            gradient: 0.0,
            incidence: vec![0.0; causes],
            derivative: vec![0.0; causes],
        });
        later = risk;
    }
    steps.reverse();
    let (mut survival, mut gradient) = (1.0, 0.0);
    let (mut incidence, mut derivative) = (vec![0.0; causes], vec![0.0; causes]);
    for step in &mut steps {
        step.before_survival = survival;
        for k in 0..causes {
            let rise = survival * step.leavers.causes[k].w / step.risk.w;
            incidence[k] += rise;
            derivative[k] += rise * (gradient - 1.0 / step.risk.w);
        }
        let events = step.leavers.events();
        if events.n > 0.0 {
            survival *= step.after.w / step.risk.w;
            // At S = 0 nobody is left whose incidence could still rise.
            if step.after.n > 0.0 {
                gradient += events.w / (step.risk.w * step.after.w);
            }
        }
        (step.survival, step.gradient) = (survival, gradient);
        step.incidence.copy_from_slice(&incidence);
        step.derivative.copy_from_slice(&derivative);
    }
    steps
}

/// The point at the last of `steps`.
fn point(steps: &[Step], causes: usize) -> IncidencePoint {
    let now = steps.last().expect("a point has a step");
    let mut alive = now.later.w2 * now.gradient * now.gradient;
    let mut squares: Vec<f64> = now.derivative.iter().map(|a| now.later.w2 * a * a).collect();
    for step in steps {
        let own = if step.after.n > 0.0 { 1.0 / step.after.w } else { 0.0 };
        let direct = step.before_survival / step.risk.w;
        let psi = step.gradient - own;
        let (censored, events) = (step.leavers.censored.w2, step.leavers.events().w2);
        alive += censored * step.gradient * step.gradient + events * psi * psi;
        for k in 0..causes {
            let rise = now.incidence[k] - step.incidence[k];
            let of_censored = step.derivative[k] + step.gradient * rise;
            let of_others = step.derivative[k] + psi * rise;
            let of_own = of_others + direct;
            let by_k = step.leavers.causes[k].w2;
            squares[k] += censored * of_censored * of_censored + by_k * of_own * of_own;
            for (_, other) in step.leavers.causes.iter().enumerate().filter(|(other, _)| *other != k) {
                squares[k] += other.w2 * of_others * of_others;
            }
        }
    }
    let causes = now
        .incidence
        .iter()
        .zip(squares)
        .map(|(&estimate, squares)| Estimate { estimate, std_error: squares.sqrt() })
        .collect();
    let event_free = Estimate { estimate: now.survival, std_error: now.survival * alive.sqrt() };
    IncidencePoint { time: now.time, risk: now.risk, remaining: now.later, event_free, causes }
}
