//! The bootstrap's part of the plan: every replicate is a branch that starts with the facts of the main analysis and asks
//! in the same rounds as the others.

use std::sync::Arc;

use super::{Branch, Facts, FitKey, FitOutcome};
use crate::protocol;
use crate::term::Term;
use crate::view::{Asked, Draw, View};

/// The replicates of the main analysis.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    declared: protocol::Bootstrap,
    replicates: Vec<Branch>,
}

impl Bootstrap {
    pub(super) fn new(declared: &protocol::Bootstrap) -> Bootstrap {
        Bootstrap { declared: declared.clone(), replicates: Vec::new() }
    }

    /// Begins with what the first round of the main analysis opened; nothing happens when it has begun.
    pub(super) fn begin(&mut self, facts: &Arc<Facts>) {
        if self.replicates.is_empty() {
            let replicate = |number| {
                let view = View { draw: Draw::Replicate(number), ..View::default() };
                Branch::drawn(Arc::clone(&self.declared.protocol), view, Arc::clone(facts))
            };
            self.replicates = (0..self.declared.replicates).map(replicate).collect();
        }
    }

    pub(super) fn ask(&self) -> impl Iterator<Item = Asked> {
        self.replicates.iter().flat_map(Branch::ask)
    }

    /// Takes the opened sums of what it asked from the front of those of the round.
    pub(super) fn tell<'s>(&mut self, sums: &'s [f64]) -> &'s [f64] {
        self.replicates.iter_mut().fold(sums, |rest, replicate| replicate.tell(rest))
    }

    /// Every replicate with its fits.
    pub fn replicates(&self) -> &[Branch] {
        &self.replicates
    }

    /// The coefficient of a term of a model in every replicate; none where the fit failed. Empty when the bootstrap does
    /// not have the model.
    pub fn coefficients(&self, of: &FitKey, term: &Term) -> Vec<Option<f64>> {
        let same = |key: &FitKey| {
            (key.analysis, &key.outcome, key.model, &key.modifier) == (of.analysis, &of.outcome, of.model, &of.modifier)
        };
        let coefficient = |replicate: &Branch| {
            let (key, outcome) = replicate.fits().find(|(key, _)| same(key))?;
            Some(match outcome {
                Some(FitOutcome::Fitted(fit)) => key.terms.iter().position(|t| t == term).map(|at| fit.beta[at]),
                Some(FitOutcome::Failed(_)) | None => None,
            })
        };
        self.replicates.iter().filter_map(coefficient).collect()
    }
}
