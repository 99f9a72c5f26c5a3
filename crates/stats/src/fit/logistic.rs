//! Logistic regression by Newton from global sums.

use crate::influence::MeatKind;

use super::newton::Newton;
use super::sandwich::Sandwich;
use super::{Fit, MeatRequest, State, Tolerances, Why};

/// Logistic regression with an intercept in column 0.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    loglik_null: f64,
    meat: MeatRequest,
    phase: Phase,
}

/// What a logistic regression asks of every site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LogisticAsk<'a> {
    /// [`crate::logistic::step`] at these coefficients.
    Step {
        /// Coefficients (q).
        beta: &'a [f64],
    },
    /// [`crate::influence::meat`] of [`crate::logistic::logistic_residuals`] at the solution.
    Meat {
        /// Coefficients (q).
        beta: &'a [f64],
        /// Which sums.
        kind: &'a MeatKind,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Step(Box<Newton>),
    Meat(Box<Fit>),
    Done(Box<Fit>),
    Failed(Why),
}

impl LogisticFit {
    /// `q` columns with the intercept first; `scale` holds the SD of each column, 1 for the intercept.
    ///
    /// # Panics
    /// When `scale` does not have `q` elements.
    pub fn new(q: usize, scale: Vec<f64>, meat: MeatRequest) -> Self {
        assert_eq!(scale.len(), q, "one scale per column");
        let phase = Newton::new(scale, Some(0), Tolerances::default())
            .map_or_else(Phase::Failed, |newton| Phase::Step(Box::new(newton)));
        Self { loglik_null: f64::NAN, meat, phase }
    }

    /// The same fit followed from its sums by somebody who does not know the SDs.
    pub fn of_sums(q: usize, meat: MeatRequest) -> Self {
        let newton = Newton::of_sums(q, Some(0), Tolerances::default());
        Self { loglik_null: f64::NAN, meat, phase: Phase::Step(Box::new(newton)) }
    }

    /// Factor by which the step to the coefficients that are asked about was shortened for its length.
    pub fn shortened(&self) -> Option<f64> {
        let Phase::Step(newton) = &self.phase else { return None };
        newton.shortened()
    }

    /// Shortens that step of a fit that is followed from its sums.
    pub fn shorten(&mut self, factor: f64) {
        if let Phase::Step(newton) = &mut self.phase {
            newton.shorten(factor);
        }
    }

    /// What is needed next, or how it ended.
    pub fn state(&self) -> State<'_, LogisticAsk<'_>> {
        match &self.phase {
            Phase::Step(newton) => State::Ask(LogisticAsk::Step { beta: newton.beta() }),
            Phase::Meat(fit) => State::Ask(LogisticAsk::Meat { beta: &fit.beta, kind: &self.meat.kind }),
            Phase::Done(fit) => State::Done(fit),
            Phase::Failed(why) => State::Failed(why),
        }
    }

    /// Takes the sums over all sites of what [`LogisticFit::state`] asked. Nothing changes after the end.
    ///
    /// # Panics
    /// When `sums` does not have the length of the answer.
    pub fn tell(&mut self, sums: &[f64]) {
        // The placeholder is overwritten on every path.
        let phase = std::mem::replace(&mut self.phase, Phase::Failed(Why::NotFinite));
        self.phase = self.advance(phase, sums).unwrap_or_else(Phase::Failed);
    }

    fn advance(&mut self, phase: Phase, sums: &[f64]) -> Result<Phase, Why> {
        match phase {
            Phase::Step(mut newton) => {
                if newton.is_first() {
                    self.loglik_null = null_model(sums, newton.beta().len())?;
                }
                let Some(maximum) = newton.tell(sums)? else { return Ok(Phase::Step(newton)) };
                let fit = Box::new(maximum.into_logistic(self.loglik_null)?);
                Ok(if self.meat.kind.is_empty() { Phase::Done(fit) } else { Phase::Meat(fit) })
            }
            Phase::Meat(fit) => {
                let Sandwich { robust, cluster, clusters, m_estimation } = Sandwich::new(&fit.naive, &self.meat, sums)?;
                Ok(Phase::Done(Box::new(Fit { robust, cluster, clusters, m_estimation, ..*fit })))
            }
            ended @ (Phase::Done(_) | Phase::Failed(_)) => Ok(ended),
        }
    }
}

/// Log likelihood with the intercept alone, from the sums at 0: there mu = 1/2, so the intercept's information is
/// sum w / 4 and its score sum w y - sum w / 2.
pub(super) fn null_model(sums: &[f64], q: usize) -> Result<f64, Why> {
    /// Relative rounding of a sum of weights; a rate of events below it is none.
    const NONE: f64 = 1e-13;
    let all = 4.0 * sums[1 + q];
    let events = sums[1] + all / 2.0;
    if !(all.is_finite() && events.is_finite()) {
        return Err(Why::NotFinite);
    }
    if all <= 0.0 {
        return Err(Why::NoRows);
    }
    let rate = events / all;
    if rate < NONE {
        return Err(Why::NoEvents);
    }
    if 1.0 - rate < NONE {
        return Err(Why::OnlyEvents);
    }
    Ok(events * libm::log(rate) + (all - events) * libm::log1p(-rate))
}
