//! Fine-Gray regression by Newton from global sums, two exchanges per iteration.

use crate::competing::{Subdistribution, fine_gray_curves};
use crate::cox::Curves;
use crate::influence::MeatKind;

use super::newton::Newton;
use super::sandwich::Sandwich;
use super::{Fit, MeatRequest, State, Tolerances, Why};

/// Regression of the subdistribution hazard of one cause (Fine & Gray 1999), R's `finegray` followed by `coxph`.
///
/// The robust variance is by patient, as with `cluster = id`. It is the one to report: the falling weights of the rows that
/// stay are no counts, and the naive variance takes them for such.
#[derive(Debug, Clone, PartialEq)]
pub struct FineGrayFit {
    cells: Subdistribution,
    meat: MeatRequest,
    phase: Phase,
}

/// What a Fine-Gray regression asks of every site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FineGrayAsk<'a> {
    /// [`crate::competing::fine_gray_risk`].
    Risk {
        /// Event cells and censoring.
        cells: &'a Subdistribution,
        /// Coefficients (p).
        beta: &'a [f64],
    },
    /// [`crate::competing::fine_gray_step`], with [`Curves::correction`] added once.
    Step {
        /// Event cells and censoring.
        cells: &'a Subdistribution,
        /// Curves at the same coefficients.
        curves: &'a Curves,
        /// Coefficients (p).
        beta: &'a [f64],
    },
    /// [`crate::influence::meat`] of [`crate::competing::fine_gray_residuals`].
    Meat {
        /// Event cells and censoring.
        cells: &'a Subdistribution,
        /// Curves at the same coefficients.
        curves: &'a Curves,
        /// Coefficients (p) of the last evaluation, less than 1e-10 standard errors from the solution.
        beta: &'a [f64],
        /// Which sums.
        kind: &'a MeatKind,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Risk(Newton),
    Step(Newton, Curves),
    /// The fit, and the point whose curves are at hand.
    Meat(Box<Fit>, Vec<f64>, Curves),
    Done(Box<Fit>),
    Failed(Why),
}

impl FineGrayFit {
    /// As many columns as `scale` has SDs. The model is weighted when the table behind `cells` was.
    pub fn new(scale: Vec<f64>, cells: Subdistribution, meat: MeatRequest) -> Self {
        let phase = match Newton::new(scale, None, Tolerances::default()) {
            _ if cells.events().cells.is_empty() => Phase::Failed(Why::NoEvents),
            Err(why) => Phase::Failed(why),
            Ok(newton) => Phase::Risk(newton),
        };
        Self { cells, meat, phase }
    }

    /// Factor by which the step to the coefficients that are asked about was shortened for its length.
    pub fn shortened(&self) -> Option<f64> {
        match &self.phase {
            Phase::Risk(newton) | Phase::Step(newton, _) => newton.shortened(),
            Phase::Meat(..) | Phase::Done(_) | Phase::Failed(_) => None,
        }
    }

    /// What is needed next, or how it ended.
    pub fn state(&self) -> State<'_, FineGrayAsk<'_>> {
        let cells = &self.cells;
        match &self.phase {
            Phase::Risk(newton) => State::Ask(FineGrayAsk::Risk { cells, beta: newton.beta() }),
            Phase::Step(newton, curves) => State::Ask(FineGrayAsk::Step { cells, curves, beta: newton.beta() }),
            Phase::Meat(_, beta, curves) => {
                State::Ask(FineGrayAsk::Meat { cells, curves, beta, kind: &self.meat.kind })
            }
            Phase::Done(fit) => State::Done(fit),
            Phase::Failed(why) => State::Failed(why),
        }
    }

    /// Takes the sums over all sites of what [`FineGrayFit::state`] asked. Nothing changes after the end.
    ///
    /// # Panics
    /// When `sums` does not have the length of the answer.
    pub fn tell(&mut self, sums: &[f64]) {
        // The placeholder is overwritten on every path.
        let phase = std::mem::replace(&mut self.phase, Phase::Failed(Why::NotFinite));
        self.phase = self.advance(phase, sums).unwrap_or_else(Phase::Failed);
    }

    fn advance(&self, phase: Phase, sums: &[f64]) -> Result<Phase, Why> {
        match phase {
            Phase::Risk(mut newton) => match fine_gray_curves(&self.cells, newton.beta().len(), sums) {
                Ok(curves) => Ok(Phase::Step(newton, curves)),
                Err(why) => newton.refuse(&why).map(|()| Phase::Risk(newton)),
            },
            Phase::Step(mut newton, curves) => {
                let Some(maximum) = newton.tell(sums)? else { return Ok(Phase::Risk(newton)) };
                let fit = Box::new(maximum.into_cox()?);
                Ok(if self.meat.kind.is_empty() {
                    Phase::Done(fit)
                } else {
                    Phase::Meat(fit, newton.beta().to_vec(), curves)
                })
            }
            Phase::Meat(fit, ..) => {
                let Sandwich { robust, cluster, clusters, m_estimation } = Sandwich::new(&fit.naive, &self.meat, sums)?;
                Ok(Phase::Done(Box::new(Fit { robust, cluster, clusters, m_estimation, ..*fit })))
            }
            ended @ (Phase::Done(_) | Phase::Failed(_)) => Ok(ended),
        }
    }
}
