//! From a hospital's file to the cohort of one study.
//!
//! Every value is parsed by the protocol's data dictionary; the ordered eligibility criteria, which the protocol's parser
//! checked, are evaluated over the rows; what remains is the columnar [`Cohort`]. Everything that is wrong with what an
//! analysis needs is reported together, by file, column and count of rows: no value and no patient's key ever enters an
//! error.

pub mod csv;
mod eligibility;
mod faults;
mod lines;
mod nearest;
mod patients;
mod problem;
mod table;
mod value;

use std::fmt;

use study::cohort::Cohort;

pub use faults::Fate;
pub use patients::Patients;
pub use problem::{Access, Problem, ProblemKind, SourceError};
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

/// Something unusual that does not stop a study.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// So many columns of the file are not in the data dictionary and were not read.
    ColumnsIgnored(usize),
    /// The file holds a header and no row.
    NoRows,
    /// The file holds rows and none of them is analysed.
    NoneAnalysed,
    /// Values do not fit the dictionary, and nobody has to mend them.
    Values(Fate, Problem),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::ColumnsIgnored(1) => f.write_str("one column is not in the data dictionary and was not read"),
            Warning::ColumnsIgnored(n) => write!(f, "{n} columns are not in the data dictionary and were not read"),
            Warning::NoRows => {
                f.write_str("the file has a header and no rows: this site takes part with zero patients")
            }
            Warning::NoneAnalysed => f.write_str("no row meets all criteria: this site takes part with zero patients"),
            Warning::Values(Fate::LeftOut, problem) => {
                write!(f, "not analysed, eligibility leaves the rows out: {problem}")
            }
            Warning::Values(Fate::Unread, problem) => write!(f, "not analysed, nothing reads the column: {problem}"),
            Warning::Values(Fate::Censored, problem) => write!(f, "censored before, at the horizon: {problem}"),
            Warning::Values(Fate::Needed, problem) => {
                write!(f, "taken as missing, as the policy says (bad_values): {problem}")
            }
        }
    }
}
