//! Models that missing values of a covariate are drawn from.
//!
//! A model is fitted over the rows in which its variable is observed. Its coefficients are drawn by every party alike; with
//! them, each site draws the missing values of its own rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use secagg::Canonical;
use stats::impute::posterior::LinearDraw;
use stats::impute::rows::Stage;

use crate::dictionary::VariableId;
use crate::protocol::Protocol;
use crate::term::Term;

/// One column of an imputation model.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictor {
    /// A column as in other models; of a binary outcome, its level 1.
    Term(Term),
    /// Whether the row has the event of a time-to-event outcome (its index in the protocol).
    Event(usize),
    /// The Nelson-Aalen estimate at the cell in which the row leaves, for the same outcome.
    Hazard(usize),
}

/// By index of the outcome: the cumulative hazard at every cell of its grid, over all sites.
pub type Hazards = BTreeMap<usize, Vec<f64>>;

/// The model of one variable: intercept, treatment, covariates, outcomes.
#[derive(Debug, Clone, PartialEq)]
pub struct ImputationModel {
    /// What is imputed.
    pub variable: VariableId,
    /// Column by column, the intercept first.
    pub predictors: Vec<Predictor>,
    /// Subtracted from each column; 0 for the intercept.
    pub centre: Vec<f64>,
    /// Each column is divided by it afterwards; a power of two.
    pub unit: Vec<f64>,
    /// Cumulative hazards of the outcomes among the predictors.
    pub hazards: Arc<Hazards>,
}

/// Drawn coefficients of a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawn {
    /// A category: one stage per level but the last.
    Levels(Vec<Stage>),
    /// A number.
    Number(LinearDraw),
}

/// A model with drawn coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnModel {
    /// The model.
    pub model: Arc<ImputationModel>,
    /// Its coefficients for the columns of the model; of a number, for the number itself.
    pub drawn: Drawn,
}

impl Predictor {
    /// Name in messages.
    pub fn name(&self, protocol: &Protocol) -> String {
        match self {
            Predictor::Term(term) => term.name(protocol),
            Predictor::Event(outcome) => format!("event of {}", protocol.outcomes[*outcome].name),
            Predictor::Hazard(outcome) => format!("cumulative hazard of {}", protocol.outcomes[*outcome].name),
        }
    }

    fn write(&self, out: Canonical) -> Canonical {
        match self {
            Predictor::Term(term) => term.write(out.u8(0)),
            Predictor::Event(outcome) => out.u8(1).u32(*outcome as u32),
            Predictor::Hazard(outcome) => out.u8(2).u32(*outcome as u32),
        }
    }
}

impl ImputationModel {
    /// Hazards follow from the first round's sums and are not encoded again.
    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        let columns = self.predictors.iter().zip(self.centre.iter().zip(&self.unit));
        out.u32(self.variable.0 as u32)
            .list(columns, |out, (predictor, (centre, unit))| predictor.write(out).f64(*centre).f64(*unit))
    }
}

impl DrawnModel {
    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        let out = self.model.write(out);
        match &self.drawn {
            Drawn::Levels(stages) => out.u8(0).list(stages, |out, stage| match stage {
                Stage::Never => out.u8(0),
                Stage::Always => out.u8(1),
                Stage::Model(beta) => out.u8(2).list(beta, |out, x| out.f64(*x)),
            }),
            Drawn::Number(LinearDraw { beta, sigma }) => out.u8(1).list(beta, |out, x| out.f64(*x)).f64(*sigma),
        }
    }
}
