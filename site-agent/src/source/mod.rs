//! From a hospital's file to the cohort of one study.
//!
//! Every value is parsed by the protocol's data dictionary; the ordered eligibility criteria, which the protocol's parser
//! checked, are evaluated over the rows; what remains is the columnar [`Cohort`]. Everything that is wrong with what an
//! analysis needs is reported together, by file, column and count of rows: no value and no patient's key ever enters an
//! error.

pub mod csv;
mod eligibility;
mod faults;
mod grid;
mod lines;
mod nearest;
mod notice;
mod patients;
mod problem;
mod table;
mod value;
mod written;

use study::cohort::Cohort;

pub use faults::Fate;
pub use notice::Warning;
pub use patients::Patients;
pub use problem::{Access, Blame, Counted, Problem, ProblemKind, SourceError};
pub use value::Fault;

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
