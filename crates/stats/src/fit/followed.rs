//! A Cox or Fine-Gray regression followed from log likelihood, score and information alone, by somebody who reads neither
//! risk sets nor the SDs of the columns.

use super::newton::Newton;
use super::sandwich::Sandwich;
use super::{Fit, MeatRequest, State, Tolerances, Why};

/// The same fit as [`super::CoxFit`] or [`super::FineGrayFit`], to the same bits, from what it was told at its steps.
#[derive(Debug, Clone, PartialEq)]
pub struct HazardFit {
    meat: MeatRequest,
    phase: Phase,
}

/// What a fit that is followed waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HazardAsk {
    /// That the risk sets of the next point are summed.
    Risk,
    /// Log likelihood, score and information there.
    Step,
    /// The sums of the variances.
    Meat,
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Risk(Box<Newton>),
    Step(Box<Newton>),
    /// With the point of the last evaluation.
    Meat(Box<Fit>, Vec<f64>),
    Done(Box<Fit>, Vec<f64>),
    Failed(Why),
}

impl HazardFit {
    /// With `p` columns.
    pub fn of_sums(p: usize, meat: MeatRequest) -> Self {
        Self { meat, phase: Phase::Risk(Box::new(Newton::of_sums(p, None, Tolerances::default()))) }
    }

    /// What it waits for, or how it ended.
    pub fn state(&self) -> State<'_, HazardAsk> {
        match &self.phase {
            Phase::Risk(_) => State::Ask(HazardAsk::Risk),
            Phase::Step(_) => State::Ask(HazardAsk::Step),
            Phase::Meat(..) => State::Ask(HazardAsk::Meat),
            Phase::Done(fit, _) => State::Done(fit),
            Phase::Failed(why) => State::Failed(why),
        }
    }

    /// Coefficients of the last evaluation, once it has converged.
    pub fn point(&self) -> Option<&[f64]> {
        match &self.phase {
            Phase::Meat(_, beta) | Phase::Done(_, beta) => Some(beta),
            Phase::Risk(_) | Phase::Step(_) | Phase::Failed(_) => None,
        }
    }

    /// Shortens the step that was taken last.
    pub fn shorten(&mut self, factor: f64) {
        if let Phase::Risk(newton) | Phase::Step(newton) = &mut self.phase {
            newton.shorten(factor);
        }
    }

    /// The risk sets of the next point are summed. Where a step is awaited, those of its point gave no curves: the fit
    /// comes nearer.
    pub fn risk(&mut self) {
        self.phase = match self.take() {
            Phase::Risk(newton) => Phase::Step(newton),
            Phase::Step(mut newton) => match newton.refuse(&Why::NotFinite) {
                Ok(()) => Phase::Step(newton),
                Err(why) => Phase::Failed(why),
            },
            ended => ended,
        };
    }

    /// Nothing more comes. Where a step is awaited, the risk sets gave no curves.
    pub fn end(&mut self) {
        self.phase = match self.take() {
            Phase::Step(mut newton) => match newton.refuse(&Why::NotFinite) {
                Ok(()) => Phase::Risk(newton),
                Err(why) => Phase::Failed(why),
            },
            other => other,
        };
    }

    /// Takes log likelihood, score and information, or the sums of the variances, whichever [`HazardFit::state`] waits for.
    ///
    /// # Panics
    /// When `sums` does not have the length of the answer.
    pub fn tell(&mut self, sums: &[f64]) {
        self.phase = self.advance(sums).unwrap_or_else(Phase::Failed);
    }

    fn advance(&mut self, sums: &[f64]) -> Result<Phase, Why> {
        match self.take() {
            Phase::Step(mut newton) => {
                let Some(maximum) = newton.tell(sums)? else { return Ok(Phase::Risk(newton)) };
                let (fit, beta) = (Box::new(maximum.into_cox()?), newton.beta().to_vec());
                Ok(if self.meat.kind.is_empty() { Phase::Done(fit, beta) } else { Phase::Meat(fit, beta) })
            }
            Phase::Meat(fit, beta) => {
                let Sandwich { robust, cluster, clusters, m_estimation } = Sandwich::new(&fit.naive, &self.meat, sums)?;
                Ok(Phase::Done(Box::new(Fit { robust, cluster, clusters, m_estimation, ..*fit }), beta))
            }
            other => Ok(other),
        }
    }

    /// The placeholder is overwritten by every caller.
    fn take(&mut self) -> Phase {
        std::mem::replace(&mut self.phase, Phase::Failed(Why::NotFinite))
    }
}
