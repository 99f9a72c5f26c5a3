//! Terms of a regression: what a column of a design matrix is, made from the dictionary.

use secagg::Canonical;

use crate::dictionary::{Kind, VariableId};
use crate::protocol::Protocol;

/// One column of a design matrix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// Constant 1.
    Intercept,
    /// 1 in the treated arm, 0 in the control arm.
    Treatment,
    /// A continuous variable.
    Number(VariableId),
    /// 1 at one level of a categorical variable (treatment contrasts), else 0.
    Level(VariableId, usize),
    /// Product of two columns (an interaction).
    Product(Box<Term>, Box<Term>),
}

impl Term {
    /// The columns of a covariate: itself, or its levels without the reference (R's `contr.treatment`).
    pub fn of_variable(protocol: &Protocol, id: VariableId) -> Vec<Term> {
        match &protocol.dictionary.variable(id).kind {
            Kind::Categorical { levels, .. } => (1..levels.len()).map(|l| Term::Level(id, l)).collect(),
            Kind::Continuous { .. } | Kind::Days { .. } => vec![Term::Number(id)],
        }
    }

    /// Name in results.
    pub fn name(&self, protocol: &Protocol) -> String {
        match self {
            Term::Intercept => "(intercept)".into(),
            Term::Treatment => {
                let arm = &protocol.treatment;
                let variable = protocol.dictionary.variable(arm.variable);
                format!("{}:{}", variable.name, variable.levels()[arm.treated])
            }
            Term::Number(id) => protocol.dictionary.variable(*id).name.clone(),
            Term::Level(id, level) => protocol.dictionary.variable(*id).term(*level),
            Term::Product(a, b) => format!("{} x {}", a.name(protocol), b.name(protocol)),
        }
    }

    /// Variables it reads.
    pub fn variables(&self) -> Vec<VariableId> {
        match self {
            Term::Intercept | Term::Treatment => Vec::new(),
            Term::Number(id) | Term::Level(id, _) => vec![*id],
            Term::Product(a, b) => [a.variables(), b.variables()].concat(),
        }
    }

    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        match self {
            Term::Intercept => out.u8(0),
            Term::Treatment => out.u8(1),
            Term::Number(id) => out.u8(2).u32(id.0 as u32),
            Term::Level(id, level) => out.u8(3).u32(id.0 as u32).u32(*level as u32),
            Term::Product(a, b) => b.write(a.write(out.u8(4))),
        }
    }
}

/// The columns of a design matrix with the values that are subtracted from them: rounds after the first use columns
/// centred at the global mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Column by column.
    pub terms: Vec<Term>,
    /// Subtracted from each column; 0 for the intercept.
    pub centre: Vec<f64>,
}

impl Columns {
    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        out.list(self.terms.iter().zip(&self.centre), |out, (term, centre)| term.write(out).f64(*centre))
    }
}
