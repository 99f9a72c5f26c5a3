//! The CSV files of a run, read back: the rows of the main analysis.

use std::collections::BTreeMap;
use std::path::Path;

use super::GoldenError;

/// How the reason begins for a number that is not there because a floor of the study hides it.
pub(super) const HIDDEN: &str = "hidden: ";

/// The tables that golden numbers are in.
#[derive(Clone)]
pub(super) struct Files {
    pub estimates: Table,
    pub fits: Table,
    pub flow: Table,
    pub outcomes: Table,
    pub weights: Table,
    pub histogram: Table,
    pub overlap: Table,
    pub balance: Table,
    pub tests: Table,
    pub survival: Table,
    pub medians: Table,
    pub incidence: Table,
    /// Floor of counts that the run had.
    pub minimum_cell: f64,
}

impl Files {
    pub(super) fn read(out: &Path) -> Result<Files, GoldenError> {
        Ok(Files {
            estimates: Table::read(out, "estimates.csv")?,
            fits: Table::read(out, "fits.csv")?,
            flow: Table::read(out, "flow.csv")?,
            outcomes: Table::read(out, "outcomes.csv")?,
            weights: Table::read(out, "weights.csv")?,
            histogram: Table::read(out, "propensity_histogram.csv")?,
            overlap: Table::read(out, "overlap.csv")?,
            balance: Table::read(out, "balance.csv")?,
            tests: Table::read(out, "tests.csv")?,
            survival: Table::read(out, "survival.csv")?,
            medians: Table::read(out, "medians.csv")?,
            incidence: Table::read(out, "incidence.csv")?,
            minimum_cell: minimum_cell(out)?,
        })
    }

    /// The rows about one of several competing causes, in the tables that name one.
    pub(super) fn of_cause(mut self, cause: &str) -> Files {
        let tables = [&mut self.estimates, &mut self.fits, &mut self.outcomes, &mut self.tests, &mut self.incidence];
        for table in tables {
            table.rows.retain(|row| row.get("cause").is_some_and(|own| own == cause));
        }
        self
    }
}

fn minimum_cell(out: &Path) -> Result<f64, GoldenError> {
    let wrong = |e: String| GoldenError::File(format!("results.json: {e}"));
    let text = std::fs::read_to_string(out.join("results.json")).map_err(|e| wrong(e.to_string()))?;
    let document: serde_json::Value = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    document["provenance"]["minimum_cell"].as_f64().ok_or_else(|| wrong("no minimum_cell in the provenance".into()))
}

/// One CSV file.
#[derive(Clone)]
pub(super) struct Table {
    name: &'static str,
    rows: Vec<BTreeMap<String, String>>,
}

impl Table {
    fn read(out: &Path, name: &'static str) -> Result<Table, GoldenError> {
        let wrong = |e: csv::Error| GoldenError::File(format!("{name}: {e}"));
        let mut reader = csv::Reader::from_path(out.join(name)).map_err(wrong)?;
        let rows = reader.deserialize().collect::<Result<Vec<BTreeMap<String, String>>, _>>().map_err(wrong)?;
        let main = |row: &BTreeMap<String, String>| row.get("scenario").is_none_or(String::is_empty);
        Ok(Table { name, rows: rows.into_iter().filter(main).collect() })
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self.name, cells })
    }

    /// The one row with these cells, or what was looked for in vain.
    pub(super) fn row(&self, wanted: &[(&str, &str)]) -> Result<Row<'_>, String> {
        let mut found = self.rows().filter(|row| row.is(wanted));
        match (found.next(), found.next()) {
            (Some(row), None) => Ok(row),
            (first, _) => {
                let cells: Vec<String> = wanted.iter().map(|(column, text)| format!("{column} = {text}")).collect();
                let many = if first.is_some() { "several rows" } else { "no row" };
                Err(format!("{}: {many} with {}", self.name, cells.join(", ")))
            }
        }
    }
}

/// One row of a CSV file.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'static str,
    cells: &'a BTreeMap<String, String>,
}

impl<'a> Row<'a> {
    pub(super) fn is(&self, wanted: &[(&str, &str)]) -> bool {
        wanted.iter().all(|(column, text)| self.text(column) == *text)
    }

    /// The cell as text; empty when there is no such column.
    pub(super) fn text(&self, column: &str) -> &'a str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// The cell as a number, or which one is missing.
    pub(super) fn number(&self, column: &str) -> Result<f64, String> {
        let text = self.text(column);
        if text.is_empty() && self.is_hidden(column) {
            return Err(format!("{HIDDEN}{column} of {}", self.table));
        }
        text.parse().map_err(|_| format!("{}: `{text}` in column {column} is no number", self.table))
    }

    /// Do the notes of the row say that a floor of the study hides this cell?
    fn is_hidden(&self, column: &str) -> bool {
        let notes = self.text("notes");
        notes.split("; ").any(|note| note.starts_with(&format!("{column} is hidden")))
            || (self.table == "balance.csv" && notes.contains("small counts are hidden"))
    }
}
