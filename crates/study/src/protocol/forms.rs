//! What an analysis declares beside its list of models: effect modifiers and a ridge penalty.

use stats::fit::Penalty;

use super::{Analysis, Model};
use crate::dictionary::VariableId;

/// A variable by which the effect of the treatment may differ.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectModifier {
    /// Categorical, binary or continuous.
    pub variable: VariableId,
    /// Values of a continuous variable at which the effect is reported; empty for the others, which have levels.
    pub at: Vec<f64>,
}

/// Penalty sum lambda b^2 / 2 on every coefficient but an intercept's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ridge {
    /// Penalty of one column, above 0.
    pub lambda: f64,
    /// Of the standardised column (sample standard deviation), or of the column as it is?
    pub standardised: bool,
}

impl Ridge {
    /// The penalty for columns that were divided by `units` and then have these sample standard deviations; `free` is the
    /// intercept's. A coefficient of the column as it is, is that of the divided one over the unit.
    pub(crate) fn penalty(self, deviations: &[f64], units: &[f64], free: Option<usize>) -> Penalty {
        let squares: Vec<f64> = if self.standardised {
            deviations.iter().map(|sd| sd * sd).collect()
        } else {
            units.iter().map(|unit| 1.0 / (unit * unit)).collect()
        };
        Penalty::standardised(self.lambda, &squares, free)
    }
}

impl Analysis {
    /// Every model that is fitted to each outcome: those of an interaction once per effect modifier.
    pub fn fits(&self) -> Vec<(Model, Option<&EffectModifier>)> {
        let mut fits = Vec::new();
        for model in &self.models {
            if model.interaction() {
                fits.extend(self.effect_modifiers.iter().map(|modifier| (*model, Some(modifier))));
            } else {
                fits.push((*model, None));
            }
        }
        fits
    }
}
