//! Figures of a published analysis beside the same quantities of a run.
//!
//! A study folder may hold `published.toml`: where the figures come from, how rows of the result files are printed, and
//! tables whose rows hold a label, the published text and the rows of the result files that show the same quantity.
//! `docs/results.md` describes the file. Nothing is computed here but months, percentages and the largest of several.

mod file;
mod page;
mod rows;
mod show;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::results::{Texts, plain, ruled};
use serde_json::{Map, Value};
use study::document::{Mistake, Mistakes};

use rows::Selector;
use show::Show;

/// Name of the file in a study folder.
pub const FILE: &str = "published.toml";

/// No line is longer, however wide the terminal is.
const WIDTH: u16 = 100;

/// The figures of one publication and where a run shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    citation: String,
    doi: String,
    studies: Vec<String>,
    notes: Vec<String>,
    tables: Vec<PublishedTable>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PublishedTable {
    title: String,
    /// Section of the report that shows it; none is the end of the page.
    section: Option<String>,
    rows: Vec<Entry>,
    notes: Vec<String>,
}

/// A row of a table; a heading when it has no cells.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    line: usize,
    label: String,
    /// Of a heading: section of the report that shows the rows from here on.
    section: Option<String>,
    published: Option<String>,
    cells: Option<Cells>,
}

/// What a run shows: on each line one or more rows of the results, the first line beside the published text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cells {
    show: Show,
    lines: Vec<Vec<Selector>>,
    /// Only the row with the largest number in the first column of `show`.
    largest: bool,
}

/// Why published figures are not shown. The results of the run do not depend on it.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// The file cannot be read.
    #[error("`{FILE}` cannot be read ({0})")]
    File(io::ErrorKind),
    /// The file has mistakes; nothing of it is shown.
    #[error("`{FILE}` has mistakes")]
    Document(Mistakes),
    /// Rows name what the results do not have; they are shown as such, the others as usual.
    #[error("`{FILE}` names rows or columns that the results do not have")]
    Dangling(Mistakes),
}

impl PublishedError {
    /// What is wrong, line by line.
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            PublishedError::File(_) => &[],
            PublishedError::Document(mistakes) | PublishedError::Dangling(mistakes) => &mistakes.0,
        }
    }
}

impl Published {
    /// Reads `published.toml` of a study folder; none when there is no such file.
    pub fn read(dir: &Path) -> Result<Option<Published>, PublishedError> {
        match Published::read_file(&dir.join(FILE)) {
            Ok(published) => Ok(Some(published)),
            Err(PublishedError::File(io::ErrorKind::NotFound)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Reads a file with the content of a `published.toml`.
    pub fn read_file(path: &Path) -> Result<Published, PublishedError> {
        Published::parse(&fs::read_to_string(path).map_err(|e| PublishedError::File(e.kind()))?)
    }

    /// Reads the text of a `published.toml`.
    pub fn parse(text: &str) -> Result<Published, PublishedError> {
        file::parse(text).map_err(PublishedError::Document)
    }

    /// Is the study with this id one that the figures belong to?
    pub fn is_about(&self, study: &str) -> bool {
        self.studies.iter().any(|id| id == study)
    }

    /// The studies that the figures belong to.
    pub fn studies(&self) -> &[String] {
        &self.studies
    }

    /// Every published text in the order of the file.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().flat_map(|table| &table.rows).filter_map(|row| row.published.as_deref())
    }

    /// The tables beside `results` (as in `results.json`), for a terminal of `width` columns; a month has `month_days`.
    /// Rows that the results do not have are shown as such and returned with their line in `published.toml`.
    pub fn print(
        &self,
        out: &mut impl Write,
        results: &Value,
        month_days: f64,
        width: u16,
    ) -> io::Result<Result<(), PublishedError>> {
        let width = width.min(WIDTH);
        writeln!(out)?;
        wrapped(out, width, &format!("Published figures: {}, doi {}", self.citation, self.doi))?;
        let header = ["", "published", "this run", "variance, test"].map(str::to_owned);
        // Where there is room, only labels wrap.
        let texts = Texts { wrap: if width < WIDTH { 4 } else { 1 }, left: 4 };
        let mut mistakes = Vec::new();
        for table in &self.tables {
            let rows = table.rows.iter().flat_map(|row| row.lines(results, month_days, &mut mistakes)).collect();
            ruled(out, width, &plain(&table.title), texts, &header, rows)?;
            table.notes.iter().try_for_each(|note| wrapped(out, width, note))?;
        }
        writeln!(out)?;
        wrapped(out, width, LEGEND)?;
        self.notes.iter().try_for_each(|note| wrapped(out, width, note))?;
        writeln!(out)?;
        Ok(if mistakes.is_empty() { Ok(()) } else { Err(PublishedError::Dangling(Mistakes(mistakes))) })
    }
}

const LEGEND: &str = "-: no published figure. n.r.: not reached. The last column names the variance or test behind this run's \
                      interval and p value; log: a curve's interval on the log scale; LR: likelihood ratio test.";

impl Entry {
    /// Label, published text, this run's and how it was computed; one line, or one for each further variance.
    fn lines(&self, results: &Value, month_days: f64, mistakes: &mut Vec<Mistake>) -> Vec<Vec<String>> {
        let label = plain(&self.label);
        let Some(cells) = &self.cells else { return vec![vec![label, String::new(), String::new(), String::new()]] };
        let published = plain(self.published.as_deref().unwrap_or("-"));
        let mut before = [label, published];
        let line = |selectors: &Vec<Selector>| {
            let [run, method] = cells.print(selectors, results, month_days).unwrap_or_else(|message| {
                mistakes.push(Mistake { line: self.line, key: self.label.trim().into(), message });
                ["not in the results".into(), String::new()]
            });
            let [label, published] = std::mem::take(&mut before);
            vec![label, published, run, method]
        };
        cells.lines.iter().map(line).collect()
    }
}

impl Cells {
    fn print(&self, selectors: &[Selector], results: &Value, month_days: f64) -> Result<[String; 2], String> {
        let mut found = Vec::new();
        for selector in selectors {
            found.push((selector.file.as_str(), selector.find(results)?));
        }
        if self.largest {
            let size = |row: &Map<String, Value>| self.show.first(row).unwrap_or(f64::NEG_INFINITY);
            found.sort_by(|(_, a), (_, b)| size(b).total_cmp(&size(a)));
            found.truncate(1);
        }
        let (mut texts, mut methods) = (Vec::new(), Vec::new());
        for (file, row) in found {
            texts.push(self.show.print(row, month_days)?);
            let method = method(file, row, &self.show);
            if !method.is_empty() && !methods.contains(&method) {
                methods.push(method);
            }
        }
        Ok([texts.join(" / "), methods.join(", ")])
    }
}

/// By which variance, test or scale the numbers that are shown were computed: read from the row, so it cannot be
/// another's.
fn method(file: &str, row: &Map<String, Value>, show: &Show) -> String {
    let shows = |columns: &[&str]| show.columns().any(|column| columns.contains(&column));
    let column = match file {
        "estimates"
            if shows(&["std_error", "statistic", "p_value", "conf_low", "conf_high", "ratio_low", "ratio_high"]) =>
        {
            "variance"
        }
        "medians" | "survival" if shows(&["conf_low", "conf_high"]) => "conf_type",
        "balance" if shows(&["p_value", "statistic"]) => "test",
        "balance" if shows(&["smd"]) => "smd_kind",
        "tests" => "name",
        _ => return String::new(),
    };
    match row.get(column).and_then(Value::as_str).unwrap_or_default() {
        "m_estimation" => "M-estimation".into(),
        "cluster_site" => "clustered by site".into(),
        "mann_whitney" => "Mann-Whitney".into(),
        "chi_square" => "chi-square".into(),
        "chi_square_yates" => "chi-square, Yates".into(),
        "fisher" => "Fisher".into(),
        "interaction_wald" => "Wald, naive".into(),
        "interaction_lr" => "LR".into(),
        "log_rank" => "log-rank".into(),
        other => other.into(),
    }
}

/// A paragraph of at most `width` columns.
fn wrapped(out: &mut impl Write, width: u16, text: &str) -> io::Result<()> {
    let mut line = String::new();
    for word in plain(text).split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > usize::from(width) {
            writeln!(out, "{line}")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests;
