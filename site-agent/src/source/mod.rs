//! From a hospital's file to the cohort of one study.
//!
//! Every value is parsed by the protocol's data dictionary and goes into an embedded in-memory `SQLite`; the ordered
//! eligibility criteria are single expressions over it, run under an authorizer; what remains is the columnar
//! [`Cohort`]. Everything that is wrong with a file is reported together, by file, column and count of rows: no value
//! and no patient's key ever enters an error.

pub mod csv;
mod eligibility;
mod expression;
mod grid;
mod lines;
mod nearest;
mod notice;
mod patients;
mod problem;
mod table;
mod value;
mod words;
mod written;

use study::cohort::Cohort;
use study::protocol::Protocol;

pub use expression::{ExpressionError, Refusal};
pub use notice::Warning;
pub use patients::Patients;
pub use problem::{Access, Counted, Problem, ProblemKind, SourceError};
pub use value::Fault;

use table::Table;

/// What a source gave.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The analysed rows and the flow chart.
    pub cohort: Cohort,
    /// Who the analysed rows are; for the site's memory alone.
    pub patients: Patients,
    /// What a person should know although nothing is wrong.
    pub warnings: Vec<Warning>,
}

/// Prepares every eligibility criterion of a protocol against an empty table, without any data.
///
/// All criteria that cannot be used are reported together.
pub fn check_expressions(protocol: &Protocol) -> Result<(), Vec<ExpressionError>> {
    let mut errors = Vec::new();
    let mut table = Table::create(&protocol.dictionary).ok();
    for criterion in &protocol.eligibility {
        let checked = match &mut table {
            Some(table) => expression::check(table, &protocol.dictionary, &criterion.require),
            None => Err(Refusal::Failed),
        };
        if let Err(refusal) = checked {
            errors.push(ExpressionError { label: criterion.label.clone(), refusal });
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
