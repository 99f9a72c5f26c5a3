//! Comparison of the files that a run wrote with what pooled R computes (`tests/reference/golden`).
//!
//! Every number of the golden file is compared, exempt by name, or of another section; one that is none of these, or
//! that the run's files do not have, fails the comparison like a changed digit does.

mod baseline;
mod comparison;
mod competing;
mod curves;
mod files;
#[cfg(test)]
mod forms;
mod lung;
mod models;
mod modification;
mod myeloma;
#[cfg(test)]
mod pooled;
mod rotterdam;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod variants;
#[cfg(test)]
mod weight_variants;
mod weights;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use comparison::Comparison;
pub use comparison::Report;
use files::Files;

/// The reference studies that golden numbers exist for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Study {
    /// `examples/relapsed-myeloma`; sections `survival_day` and `survival_month`.
    RelapsedMyeloma,
    /// `examples/rotterdam`; sections `day`, `month` and `quarter`.
    Rotterdam,
    /// `examples/lung`; sections `curves` and `cox`, of which the second leaves out a patient.
    Lung,
    /// `examples/relapsed-myeloma` in what follows from its models: `golden/modification.json`; sections `main` and
    /// `further`.
    Modification,
    /// Competing causes in relapsed myeloma (`protocol-competing.toml` of its example) and in Rotterdam, by day and month.
    Competing,
}

impl Study {
    /// Parts of the golden file of which a run has one: its time grid's, or its patients'. The first is the default.
    pub fn sections(self) -> &'static [&'static str] {
        match self {
            Study::RelapsedMyeloma => &["survival_day", "survival_month"],
            Study::Rotterdam => &["day", "month", "quarter"],
            Study::Lung => &["curves", "cox"],
            Study::Modification => &["main", "further"],
            Study::Competing => &["myeloma/day", "myeloma/month", "rotterdam/day", "rotterdam/month"],
        }
    }

    /// Entries of the golden file that a section has. Entries that no section has are those of every run.
    fn entries(self, section: &str) -> Vec<&str> {
        match (self, section) {
            (Study::Lung, "curves") => lung::CURVES.to_vec(),
            _ => vec![section],
        }
    }

    /// Name on the command line and stem of the golden file.
    pub fn name(self) -> &'static str {
        match self {
            Study::RelapsedMyeloma => "relapsed-myeloma",
            Study::Rotterdam => "rotterdam",
            Study::Lung => "lung",
            Study::Modification => "modification",
            Study::Competing => "competing",
        }
    }
}

impl FromStr for Study {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Study::RelapsedMyeloma, Study::Rotterdam, Study::Lung, Study::Modification, Study::Competing];
        all.into_iter().find(|s| s.name() == name).ok_or_else(|| format!("no golden numbers for a study `{name}`"))
    }
}

/// Relative difference that a run may have from R.
pub const TOLERANCE: f64 = 1e-8;

/// Why a comparison could not start.
#[derive(Debug)]
pub enum GoldenError {
    /// A file cannot be read or is not what it should be.
    File(String),
    /// The golden file has no such section.
    Section(String),
}

impl fmt::Display for GoldenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GoldenError::File(what) => f.write_str(what),
            GoldenError::Section(name) => write!(f, "the golden file has no section `{name}` of this study"),
        }
    }
}

impl std::error::Error for GoldenError {}

fn read(golden: &Path) -> Result<serde_json::Value, GoldenError> {
    let wrong = |what: String| GoldenError::File(format!("the golden file {}: {what}", golden.display()));
    let text = std::fs::read_to_string(golden).map_err(|e| wrong(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))
}

/// Compares the CSV files in `out` with the golden file, for the part that `section` names.
pub fn compare(out: &Path, golden: &Path, study: Study, section: &str, tolerance: f64) -> Result<Report, GoldenError> {
    compare_with(out, golden, &[], study, section, tolerance)
}

/// The same with the numbers of `further` golden files, which stand beside the study's own under the names of their files.
pub fn compare_with(
    out: &Path,
    golden: &Path,
    further: &[PathBuf],
    study: Study,
    section: &str,
    tolerance: f64,
) -> Result<Report, GoldenError> {
    if !study.sections().contains(&section) {
        return Err(GoldenError::Section(section.to_owned()));
    }
    let mut golden = read(golden)?;
    for path in further {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        golden[name] = read(path)?;
    }
    if study.entries(section).into_iter().any(|entry| golden.pointer(&format!("/{entry}")).is_none()) {
        return Err(GoldenError::Section(section.to_owned()));
    }
    let files = Files::read(out)?;
    let mut comparison = Comparison::new(&golden, tolerance, files.minimum_cell);
    for other in study.sections().iter().filter(|s| **s != section) {
        for entry in study.entries(other) {
            comparison.leave_out(entry, "of another protocol of the study");
        }
    }
    match study {
        Study::RelapsedMyeloma => myeloma::compare(&mut comparison, &files, section),
        Study::Rotterdam => rotterdam::compare(&mut comparison, &files, section),
        Study::Lung => lung::compare(&mut comparison, &files, section),
        Study::Modification => modification::compare(&mut comparison, &files, section),
        Study::Competing => competing::compare(&mut comparison, &files, section),
    }
    models::agree(&mut comparison, &files);
    Ok(comparison.finish())
}
