//! What an analysis asks of its adjusted models beside their coefficients: outcomes with everybody treated and with
//! everybody untreated.

use super::{Analysis, Model};

/// Standardised outcomes of an analysis' models `adjusted` and `interaction`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standardised {
    /// Standardised risks of binary outcomes (logistic), in file order.
    pub marginal: Vec<Marginal>,
    /// Days at which survival is standardised, ascending (Cox); each stands for the right end of its cell.
    pub times_days: Vec<u32>,
    /// Day up to which standardised means are restricted (Cox), likewise.
    pub rmst_days: Option<u32>,
}

/// How the risks of a binary outcome are standardised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marginal {
    /// Predictions of the outcome model.
    GFormula,
    /// Predictions corrected by the propensity score.
    Aipw,
}

impl Marginal {
    /// Name in protocol and results.
    pub fn name(self) -> &'static str {
        match self {
            Marginal::GFormula => "g_formula",
            Marginal::Aipw => "aipw",
        }
    }
}

impl Standardised {
    /// Is nothing asked for?
    pub fn is_empty(&self) -> bool {
        self.marginal.is_empty() && self.times_days.is_empty() && self.rmst_days.is_none()
    }
}

impl Analysis {
    /// Does it tell of survival at single days without a curve?
    pub fn standardises_times(&self) -> bool {
        let Standardised { times_days, rmst_days, .. } = &self.standardised;
        let any = !times_days.is_empty() || rmst_days.is_some();
        any && self.fits().iter().any(|(model, _)| model.standardises())
    }
}

impl Model {
    /// Are outcomes standardised over this model? Its score sums to zero and nothing but its columns tells patients apart.
    pub fn standardises(self) -> bool {
        matches!(self, Model::Adjusted | Model::Interaction)
    }
}
