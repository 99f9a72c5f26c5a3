//! A small study and files for it, each in a folder of its own.

use std::path::PathBuf;

use site_agent::source::csv::load;
use site_agent::source::{Loaded, SourceError};
use study::policy::BadValues;
use study::protocol::Protocol;
use tempfile::TempDir;

/// A protocol with one variable of each kind and these `[[eligibility]]` tables.
pub fn protocol(eligibility: &str) -> Protocol {
    Protocol::parse(&protocol_text(eligibility)).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0))
}

/// Its text.
pub fn protocol_text(eligibility: &str) -> String {
    format!(
        r#"
        [study]
        id = "small"
        title = "A small study"
        patient = "patient"
        [[variable]]
        name = "regimen"
        kind = "categorical"
        levels = ["old", "new"]
        [[variable]]
        name = "age"
        kind = "continuous"
        unit = "years"
        range = [18, 110]
        [[variable]]
        name = "stage"
        kind = "categorical"
        levels = ["I", "II", "III"]
        [[variable]]
        name = "response"
        kind = "binary"
        [[variable]]
        name = "os_days"
        kind = "days"
        max = 4000
        {eligibility}
        [treatment]
        variable = "regimen"
        treated = "new"
        control = "old"
        [[outcome]]
        name = "response"
        kind = "binary"
        variable = "response"
        [[outcome]]
        name = "os"
        kind = "time_to_event"
        time = "os_days"
        event = "response"
        grid_days = 30
        horizon_days = 3000
        [[analysis]]
        kind = "logistic"
        outcome = "response"
        models = ["adjusted"]
        covariates = ["age", "stage"]
        [[analysis]]
        kind = "cox"
        outcome = "os"
        models = ["unadjusted"]
        "#
    )
}

/// Header of a file of the small study.
pub const HEADER: &str = "patient,regimen,age,stage,response,os_days";

/// A file in a folder that is deleted with it.
pub struct SiteFile {
    folder: TempDir,
}

impl SiteFile {
    pub fn new(content: impl AsRef<[u8]>) -> SiteFile {
        let file = SiteFile { folder: tempfile::tempdir().unwrap() };
        std::fs::write(file.path(), content).unwrap();
        file
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("site.csv")
    }
}

/// Loads a file of the small study without criteria.
pub fn loaded(content: impl AsRef<[u8]>) -> Result<Loaded, SourceError> {
    load(&SiteFile::new(content).path(), &protocol(""), BadValues::Refuse)
}

/// Loads rows under the usual header.
pub fn rows(rows: &[&str]) -> Result<Loaded, SourceError> {
    loaded(format!("{HEADER}\n{}\n", rows.join("\n")))
}
