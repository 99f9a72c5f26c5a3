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

    /// Has it other values than 0 and 1?
    pub(crate) fn is_number(&self) -> bool {
        match self {
            Term::Intercept | Term::Treatment | Term::Level(..) => false,
            Term::Number(_) => true,
            Term::Product(a, b) => a.is_number() || b.is_number(),
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

/// The largest power of two that is not above `x`: dividing by it changes no digit. 1 where `x` is no ordinary positive
/// number.
pub(crate) fn power_of_two(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    if x.is_normal() && x > 0.0 { f64::from_bits(x.to_bits() & EXPONENT) } else { 1.0 }
}

/// How a column is measured before anything is known of the patients: from the middle of its declared range, in units of
/// half its width. What leaves a site is then of the order of 1 in any unit of measurement, and a word of 64 fractional
/// bits keeps its digits.
///
/// Columns of 0 and 1 stay as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub middle: f64,
    pub unit: f64,
}

impl Span {
    /// Of a column, by the ranges that the protocol declares.
    pub(crate) fn of(term: &Term, protocol: &Protocol) -> Span {
        match bounds(term, protocol) {
            None => Span { middle: 0.0, unit: 1.0 },
            Some((low, high)) => Span { middle: f64::midpoint(low, high), unit: power_of_two(high / 2.0 - low / 2.0) },
        }
    }

    pub(crate) fn measure(self, x: f64) -> f64 {
        (x - self.middle) / self.unit
    }
}

/// Smallest and largest value of a column that has a number in it; none for columns of 0 and 1.
fn bounds(term: &Term, protocol: &Protocol) -> Option<(f64, f64)> {
    match term {
        Term::Intercept | Term::Treatment | Term::Level(..) => None,
        Term::Number(id) => match &protocol.dictionary.variable(*id).kind {
            Kind::Continuous { low, high, .. } => Some((*low, *high)),
            Kind::Days { high } => Some((0.0, f64::from(*high))),
            Kind::Categorical { .. } => None,
        },
        Term::Product(a, b) => {
            let (a, b) = (bounds(a, protocol), bounds(b, protocol));
            if a.is_none() && b.is_none() {
                return None;
            }
            let ([a, b], [c, d]) = (a.map_or([0.0, 1.0], <[f64; 2]>::from), b.map_or([0.0, 1.0], <[f64; 2]>::from));
            let products = [a * c, a * d, b * c, b * d];
            Some((
                products.into_iter().fold(f64::INFINITY, f64::min),
                products.into_iter().fold(-f64::INFINITY, f64::max),
            ))
        }
    }
}

/// The columns of a design matrix as they are computed with: rounds after the first use columns centred at the global
/// mean, and those of numbers in units of about their standard deviation.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Column by column.
    pub terms: Vec<Term>,
    /// Subtracted from each column; 0 for the intercept.
    pub centre: Vec<f64>,
    /// Each column is divided by it afterwards: a power of two, 1 for columns of 0 and 1.
    pub unit: Vec<f64>,
}

impl Columns {
    /// Columns that are only centred.
    pub fn centred(terms: Vec<Term>, centre: Vec<f64>) -> Columns {
        let unit = vec![1.0; terms.len()];
        Columns { terms, centre, unit }
    }

    /// What is computed with in place of `x`, a value of column `j`.
    pub fn measure(&self, j: usize, x: f64) -> f64 {
        (x - self.centre[j]) / self.unit[j]
    }

    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        let columns = self.terms.iter().zip(self.centre.iter().zip(&self.unit));
        out.list(columns, |out, (term, (centre, unit))| term.write(out).f64(*centre).f64(*unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_two_at_most_as_large() {
        for (x, expected) in
            [(1.0, 1.0), (1.99, 1.0), (2.0, 2.0), (0.3, 0.25), (1.65e-9, 2f64.powi(-30)), (4e9, 2f64.powi(31))]
        {
            assert_eq!(power_of_two(x), expected);
        }
        assert_eq!([0.0, -3.0, f64::NAN, f64::INFINITY, 1e-310].map(power_of_two), [1.0; 5]);
    }
}
