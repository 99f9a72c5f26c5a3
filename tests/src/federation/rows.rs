//! Patient rows as text, to be changed, split over sites and loaded like a hospital's file.

use std::path::Path;

use study::cohort::Cohort;
use study::protocol::Protocol;

/// A table of patients under a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    /// Reads a CSV file with a header.
    ///
    /// # Panics
    /// When the file cannot be read.
    pub fn read(path: &Path) -> Rows {
        let mut reader = csv::Reader::from_path(path).expect("the file opens");
        let text = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        let header = text(reader.headers().expect("a header"));
        let rows = reader.records().map(|record| text(&record.expect("a row"))).collect();
        Rows { header, rows }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Is there no row?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The field of a row.
    pub fn get(&self, row: usize, column: &str) -> &str {
        &self.rows[row][self.at(column)]
    }

    /// Sets a column, row by row.
    #[must_use]
    pub fn with(mut self, column: &str, value: impl Fn(&Rows, usize) -> String) -> Rows {
        let at = self.at(column);
        for row in 0..self.rows.len() {
            let value = value(&self, row);
            self.rows[row][at] = value;
        }
        self
    }

    /// Adds a column at the end, row by row.
    #[must_use]
    pub fn with_column(mut self, column: &str, value: impl Fn(&Rows, usize) -> String) -> Rows {
        let values: Vec<String> = (0..self.rows.len()).map(|row| value(&self, row)).collect();
        self.header.push(column.to_owned());
        for (row, value) in self.rows.iter_mut().zip(values) {
            row.push(value);
        }
        self
    }

    /// Keeps the rows that `keep` says.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&Rows, usize) -> bool) -> Rows {
        let rows = (0..self.rows.len()).filter(|i| keep(self, *i)).map(|i| self.rows[i].clone()).collect();
        Rows { header: self.header.clone(), rows }
    }

    /// The same rows from the last to the first.
    #[must_use]
    pub fn reversed(&self) -> Rows {
        Rows { header: self.header.clone(), rows: self.rows.iter().rev().cloned().collect() }
    }

    /// Divides the rows over sites by `place`.
    pub fn split(&self, sites: usize, place: impl Fn(&Rows, usize) -> usize) -> Vec<Rows> {
        (0..sites).map(|site| self.filter(|rows, i| place(rows, i) == site)).collect()
    }

    /// What a site makes of them, through the loader of the agent.
    ///
    /// # Panics
    /// When the loader finds a mistake.
    pub fn cohort(&self, protocol: &Protocol) -> Cohort {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        self.write(file.path());
        let loaded = site_agent::source::csv::load(file.path(), protocol, study::policy::BadValues::Refuse);
        loaded.unwrap_or_else(|e| panic!("the rows do not load: {:?}", e.problems)).cohort
    }

    /// Writes them as a hospital's file.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for record in std::iter::once(&self.header).chain(&self.rows) {
            writer.write_record(record).expect("memory");
        }
        std::fs::write(path, writer.into_inner().expect("memory")).expect("the file is written");
    }

    fn at(&self, column: &str) -> usize {
        self.header.iter().position(|name| name == column).unwrap_or_else(|| panic!("no column `{column}`"))
    }
}
