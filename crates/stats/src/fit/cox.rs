//! Cox regression by Newton from global sums, two exchanges per iteration.

use crate::cox::{Curves, EventCells, Ties};
use crate::influence::MeatKind;

use super::newton::Newton;
use super::sandwich::Sandwich;
use super::{Fit, MeatRequest, State, Tolerances, Why};

/// Cox regression over pooled risk sets.
#[derive(Debug, Clone, PartialEq)]
pub struct CoxFit {
    events: EventCells,
    meat: MeatRequest,
    phase: Phase,
}

/// What a Cox regression asks of every site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CoxAsk<'a> {
    /// [`crate::cox::death_weights`], once, when the model is weighted.
    DeathWeights {
        /// Event cells, ascending.
        cells: &'a [u32],
    },
    /// [`crate::cox::risk`].
    Risk {
        /// Event cells.
        events: &'a EventCells,
        /// Coefficients (p).
        beta: &'a [f64],
    },
    /// [`crate::cox::step`], with [`Curves::correction`] added once.
    Step {
        /// Event cells.
        events: &'a EventCells,
        /// Curves at the same coefficients.
        curves: &'a Curves,
        /// Coefficients (p).
        beta: &'a [f64],
    },
    /// [`crate::influence::meat`] of [`crate::cox::score_residuals`].
    Meat {
        /// Event cells.
        events: &'a EventCells,
        /// Curves at the same coefficients.
        curves: &'a Curves,
        /// Coefficients (p) of the last evaluation, less than 1e-10 standard errors from the solution.
        beta: &'a [f64],
        /// Which sums.
        kind: &'a MeatKind,
    },
}

/// The last evaluation of a fit that has converged: what checks of the model start from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoxSolution<'a> {
    /// Event cells.
    pub events: &'a EventCells,
    /// Curves at these coefficients.
    pub curves: &'a Curves,
    /// Coefficients (p), less than 1e-10 standard errors from the maximum.
    pub beta: &'a [f64],
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    DeathWeights(Newton),
    Risk(Newton),
    Step(Newton, Curves),
    /// The fit, and the point whose curves are at hand.
    Meat(Box<Fit>, Vec<f64>, Curves),
    /// The same at the end.
    Done(Box<Fit>, Vec<f64>, Curves),
    Failed(Why),
}

impl CoxFit {
    /// `p` columns with SDs `scale`; `deaths` at `cells` (ascending; cells without deaths are left out) over all sites.
    /// A `weighted` model asks for the weights of the deaths first.
    ///
    /// # Panics
    /// When lengths do not agree or the cells do not ascend.
    pub fn new(
        p: usize,
        scale: Vec<f64>,
        cells: Vec<u32>,
        deaths: Vec<f64>,
        ties: Ties,
        weighted: bool,
        meat: MeatRequest,
    ) -> Self {
        assert_eq!(scale.len(), p, "one scale per column");
        let events = EventCells::new(cells, deaths, ties);
        let phase = match Newton::new(scale, None, Tolerances::default()) {
            _ if events.cells.is_empty() => Phase::Failed(Why::NoEvents),
            Err(why) => Phase::Failed(why),
            Ok(newton) if weighted => Phase::DeathWeights(newton),
            Ok(newton) => Phase::Risk(newton),
        };
        Self { events, meat, phase }
    }

    /// What is needed next, or how it ended.
    pub fn state(&self) -> State<'_, CoxAsk<'_>> {
        let events = &self.events;
        match &self.phase {
            Phase::DeathWeights(_) => State::Ask(CoxAsk::DeathWeights { cells: &events.cells }),
            Phase::Risk(newton) => State::Ask(CoxAsk::Risk { events, beta: newton.beta() }),
            Phase::Step(newton, curves) => State::Ask(CoxAsk::Step { events, curves, beta: newton.beta() }),
            Phase::Meat(_, beta, curves) => State::Ask(CoxAsk::Meat { events, curves, beta, kind: &self.meat.kind }),
            Phase::Done(fit, ..) => State::Done(fit),
            Phase::Failed(why) => State::Failed(why),
        }
    }

    /// Factor by which the step to the coefficients that are asked about was shortened for its length.
    pub fn shortened(&self) -> Option<f64> {
        match &self.phase {
            Phase::Risk(newton) | Phase::Step(newton, _) => newton.shortened(),
            Phase::DeathWeights(_) | Phase::Meat(..) | Phase::Done(..) | Phase::Failed(_) => None,
        }
    }

    /// The last evaluation once the fit has converged, be it that it still asks for the sums of its variances.
    pub fn solution(&self) -> Option<CoxSolution<'_>> {
        match &self.phase {
            Phase::Meat(_, beta, curves) | Phase::Done(_, beta, curves) => {
                Some(CoxSolution { events: &self.events, curves, beta })
            }
            Phase::DeathWeights(_) | Phase::Risk(_) | Phase::Step(..) | Phase::Failed(_) => None,
        }
    }

    /// Takes the sums over all sites of what [`CoxFit::state`] asked. Nothing changes after the end.
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
            Phase::DeathWeights(newton) => {
                assert_eq!(sums.len(), self.events.cells.len(), "one weight per event cell");
                if !sums.iter().all(|weight| *weight > 0.0 && weight.is_finite()) {
                    return Err(Why::NotFinite);
                }
                self.events.weight = sums.to_vec();
                Ok(Phase::Risk(newton))
            }
            Phase::Risk(mut newton) => match Curves::derive(&self.events, newton.beta().len(), sums) {
                Ok(curves) => Ok(Phase::Step(newton, curves)),
                Err(why) => newton.refuse(&why).map(|()| Phase::Risk(newton)),
            },
            Phase::Step(mut newton, curves) => {
                let Some(maximum) = newton.tell(sums)? else { return Ok(Phase::Risk(newton)) };
                let fit = Box::new(maximum.into_cox()?);
                let beta = newton.beta().to_vec();
                Ok(if self.meat.kind.is_empty() {
                    Phase::Done(fit, beta, curves)
                } else {
                    Phase::Meat(fit, beta, curves)
                })
            }
            Phase::Meat(fit, beta, curves) => {
                let Sandwich { robust, cluster, clusters, m_estimation } = Sandwich::new(&fit.naive, &self.meat, sums)?;
                Ok(Phase::Done(Box::new(Fit { robust, cluster, clusters, m_estimation, ..*fit }), beta, curves))
            }
            ended @ (Phase::Done(..) | Phase::Failed(_)) => Ok(ended),
        }
    }
}
