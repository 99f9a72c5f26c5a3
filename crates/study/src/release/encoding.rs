//! Bytes of a release: a label, then the tables as postcard writes them.
//!
//! A scenario's tables stand beside the main ones, never inside others, so reading recurses no deeper than a row. Bytes
//! that are read must be those that would be written: postcard alone would take a number that is written longer than
//! needed.

use secagg::{Canonical, Reader};
use serde::{Deserialize, Serialize};

use crate::results::{Results, ScenarioResults};

/// No release is longer. The reference study's with three scenarios takes some hundred thousand bytes.
pub const LONGEST: usize = 1 << 25;

/// Changes with the rows: a release of another layout is another label.
const LABEL: &str = "entente/v1/release";

/// Why bytes are not a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// More bytes than a release has.
    #[error("the release has {got} bytes, more than {LONGEST}")]
    Long {
        /// How many.
        got: usize,
    },
    /// Another label, another length, or bytes left over.
    #[error("the release is not framed as one of this version")]
    Frame,
    /// Bytes that are no rows.
    #[error("the tables of the release cannot be read")]
    Rows,
    /// Bytes that are read as tables whose own bytes are others.
    #[error("the release is not in its one encoding")]
    Encoding,
}

impl ReleaseError {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            ReleaseError::Long { .. } => "release.long",
            ReleaseError::Frame => "release.frame",
            ReleaseError::Rows => "release.rows",
            ReleaseError::Encoding => "release.encoding",
        }
    }

    /// What to do next.
    pub fn hint(self) -> &'static str {
        match self {
            ReleaseError::Long { .. } => {
                "keep the bytes and tell the operators of the sites: no site of a run sends that much"
            }
            ReleaseError::Frame | ReleaseError::Rows => {
                "compare the versions of coordinator and sites: one of them reads releases of another version"
            }
            ReleaseError::Encoding => {
                "keep the bytes and tell the operators of the sites: this software does not write them"
            }
        }
    }
}

/// A scenario as it is written.
#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    label: &'a str,
    results: &'a Results,
}

/// A scenario as it is read.
#[derive(Deserialize)]
struct Read {
    name: String,
    label: String,
    results: Results,
}

pub(super) fn write(results: &Results) -> Vec<u8> {
    let scenarios: Vec<Written<'_>> = results
        .scenarios
        .iter()
        .map(|ScenarioResults { name, label, results }| Written { name, label, results })
        .collect();
    let rows =
        postcard::to_allocvec(&(results, scenarios)).expect("rows have lengths and no type that postcard refuses");
    Canonical::new(LABEL).bytes(&rows).finish()
}

pub(super) fn read(bytes: &[u8]) -> Result<Results, ReleaseError> {
    if bytes.len() > LONGEST {
        return Err(ReleaseError::Long { got: bytes.len() });
    }
    let mut reader = Reader::new(bytes, LABEL).map_err(|_| ReleaseError::Frame)?;
    let rows = reader.bytes().map_err(|_| ReleaseError::Frame)?;
    reader.finish().map_err(|_| ReleaseError::Frame)?;
    let (results, scenarios): (Results, Vec<Read>) = postcard::from_bytes(rows).map_err(|_| ReleaseError::Rows)?;
    let named = |Read { name, label, results }| ScenarioResults { name, label, results };
    let results = Results { scenarios: scenarios.into_iter().map(named).collect(), ..results };
    if write(&results) == bytes { Ok(results) } else { Err(ReleaseError::Encoding) }
}
