//! Which rows a question is about: those of the main analysis, or of a scenario of the protocol, as they are or drawn.

use std::sync::Arc;

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Reader};
use stats::zph::Transform;

use crate::imputation::DrawnModel;
use crate::plan::Reason;
use crate::protocol::Protocol;
use crate::question::{FittedPropensity, Question};

/// The rows that a question is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// Index of the scenario in [`Protocol::scenarios`]; none is the main analysis.
    pub scenario: Option<usize>,
    /// Of a scenario: which of its rows; none is all.
    pub trim: Option<Trim>,
    /// What is drawn about them at the site.
    pub draw: Draw,
}

/// What a site draws about its rows, with its own key: nobody else knows it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Draw {
    /// Nothing: the rows as they are.
    #[default]
    Nothing,
    /// Case weights of a bootstrap replicate, by its number.
    Replicate(u32),
    /// Missing values of a scenario's covariates.
    Imputed(Imputed),
}

/// One draw of the missing values.
#[derive(Debug, Clone, PartialEq)]
pub struct Imputed {
    /// Number of the draw.
    pub number: u32,
    /// The variables that are imputed, in this order.
    pub variables: Vec<Arc<DrawnModel>>,
}

impl Draw {
    fn write(&self, out: Canonical) -> Canonical {
        match self {
            Draw::Nothing => out.u8(0),
            Draw::Replicate(number) => out.u8(1).u32(*number),
            Draw::Imputed(imputed) => {
                out.u8(2).u32(imputed.number).list(&imputed.variables, |out, model| model.write(out))
            }
        }
    }
}

/// The rows with a propensity score inside two bounds, these included.
#[derive(Debug, Clone, PartialEq)]
pub struct Trim {
    /// The propensity model of all rows.
    pub propensity: Arc<FittedPropensity>,
    /// Smallest and largest score that stay.
    pub bounds: (f64, f64),
}

impl View {
    /// The protocol that says what is done with these rows.
    pub fn protocol<'p>(&self, protocol: &'p Protocol) -> &'p Protocol {
        let Some(index) = self.scenario else { return protocol };
        let scenario = &protocol.scenarios[index];
        match (&scenario.untrimmed, &self.trim) {
            (Some(untrimmed), None) => untrimmed,
            _ => &scenario.protocol,
        }
    }

    fn write(&self, out: Canonical) -> Canonical {
        let out = out
            .option(self.scenario, |out, index| out.u32(index as u32))
            .option(self.trim.as_ref(), |out, trim| trim.propensity.write(out).f64(trim.bounds.0).f64(trim.bounds.1));
        self.draw.write(out)
    }
}

/// A question and the rows it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The rows; one allocation is shared by all questions about the same rows in a round.
    pub view: Arc<View>,
    /// What is asked.
    pub question: Question,
    /// The model it is of, where whoever reads the sums of the model's steps can fit it again ([`crate::refit`]).
    pub of: Option<OfModel>,
}

/// To which model of a protocol a sum belongs, and what its fit did that the sums before do not show.
#[derive(Debug, Clone, PartialEq)]
pub struct OfModel {
    /// Its number, from 0: the models of the main analysis before those of each scenario, that of the propensity score
    /// before the others.
    pub model: u32,
    /// What became of its declared columns, in their order.
    pub columns: Arc<[Column]>,
    /// Of a test of proportional hazards.
    pub transform: Option<Transform>,
    /// Factor by which the step to the coefficients in question was shortened, where it was too long.
    pub shortened: Option<f64>,
}

/// A declared column of a model, as far as it follows from counts that are sealed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Column {
    /// The model has it.
    Kept {
        /// What it is measured in: a power of two, 1 for columns of 0 and 1.
        unit: f64,
    },
    /// The model does not have it.
    LeftOut(Reason),
}

impl Column {
    pub(crate) fn write(self, out: Canonical) -> Canonical {
        match self {
            Column::Kept { unit } => out.u8(0).f64(unit),
            Column::LeftOut(why) => out.u8(1).u8(why.code()),
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Column, CanonicalError> {
        Ok(match r.u8()? {
            0 => Column::Kept { unit: r.f64()? },
            1 => Column::LeftOut(Reason::of_code(r.u8()?).ok_or(CanonicalError::Label)?),
            _ => return Err(CanonicalError::Label),
        })
    }
}

impl From<Question> for Asked {
    /// About the rows of the main analysis.
    fn from(question: Question) -> Asked {
        Asked { view: Arc::default(), question, of: None }
    }
}

impl Asked {
    /// Number of words of its answer.
    pub fn words(&self, protocol: &Protocol) -> usize {
        self.question.words(self.view.protocol(protocol))
    }

    /// Canonical encoding into a request digest.
    pub fn write(&self, out: Canonical) -> Canonical {
        self.question.write(self.view.write(out))
    }
}
