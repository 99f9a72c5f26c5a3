//! Cox regression stratified by site: one exchange per iteration.

use super::newton::Newton;
use super::{Fit, State, Tolerances, Why};

/// Cox regression with one baseline hazard per site.
#[derive(Debug, Clone, PartialEq)]
pub struct StratifiedCoxFit {
    phase: Phase,
}

/// What a stratified Cox regression asks of every site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StratifiedCoxAsk<'a> {
    /// [`crate::cox::stratified_step`].
    Step {
        /// Coefficients (p).
        beta: &'a [f64],
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Step(Box<Newton>),
    Done(Box<Fit>),
    Failed(Why),
}

impl StratifiedCoxFit {
    /// `p` columns with SDs `scale`.
    ///
    /// # Panics
    /// When `scale` does not have `p` elements.
    pub fn new(p: usize, scale: Vec<f64>) -> Self {
        assert_eq!(scale.len(), p, "one scale per column");
        let phase = Newton::new(scale, None, Tolerances::default())
            .map_or_else(Phase::Failed, |newton| Phase::Step(Box::new(newton)));
        Self { phase }
    }

    /// The same fit followed from its sums by somebody who does not know the SDs.
    pub fn of_sums(p: usize) -> Self {
        Self { phase: Phase::Step(Box::new(Newton::of_sums(p, None, Tolerances::default()))) }
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
    pub fn state(&self) -> State<'_, StratifiedCoxAsk<'_>> {
        match &self.phase {
            Phase::Step(newton) => State::Ask(StratifiedCoxAsk::Step { beta: newton.beta() }),
            Phase::Done(fit) => State::Done(fit),
            Phase::Failed(why) => State::Failed(why),
        }
    }

    /// Takes the sums over all sites of what [`StratifiedCoxFit::state`] asked. Nothing changes after the end.
    ///
    /// # Panics
    /// When `sums` does not have the length of the answer.
    pub fn tell(&mut self, sums: &[f64]) {
        // The placeholder is overwritten on every path.
        let phase = std::mem::replace(&mut self.phase, Phase::Failed(Why::NotFinite));
        self.phase = advance(phase, sums).unwrap_or_else(Phase::Failed);
    }
}

fn advance(phase: Phase, sums: &[f64]) -> Result<Phase, Why> {
    match phase {
        Phase::Step(mut newton) => {
            // Without an event that has a second row at risk, every stratum's likelihood is 1.
            if newton.is_first() && sums.iter().all(|word| *word == 0.0) {
                return Err(Why::NoEvents);
            }
            Ok(match newton.tell(sums)? {
                None => Phase::Step(newton),
                Some(maximum) => Phase::Done(Box::new(maximum.into_cox()?)),
            })
        }
        ended @ (Phase::Done(_) | Phase::Failed(_)) => Ok(ended),
    }
}
