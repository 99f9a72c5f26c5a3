//! Published figures as the report of the run shows them, each in its section.

use report::{PublishedRow, PublishedTable as Table};
use serde_json::Value;

use super::{Entry, Published, PublishedTable};

impl Published {
    /// The tables beside `results` (as in `results.json`); a month has `month_days`. Rows that the results do not have say
    /// so; [`Published::print`] names their lines.
    pub fn page(&self, results: &Value, month_days: f64) -> report::Published {
        report::Published {
            citation: self.citation.clone(),
            doi: self.doi.clone(),
            notes: self.notes.clone(),
            tables: self.tables.iter().flat_map(|table| tables(table, results, month_days)).collect(),
        }
    }
}

/// A table, parted where a heading belongs to another section.
fn tables(table: &PublishedTable, results: &Value, month_days: f64) -> Vec<Table> {
    let begun = |section: &Option<String>| Table {
        section: section.clone().unwrap_or_default(),
        title: table.title.clone(),
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let mut parts = vec![begun(&table.section)];
    for entry in &table.rows {
        if entry.section.is_some() {
            parts.push(begun(&entry.section));
        }
        if let Some(part) = parts.last_mut() {
            part.rows.extend(rows(entry, results, month_days));
        }
    }
    parts.retain(|part| !part.rows.is_empty());
    if let Some(last) = parts.last_mut() {
        last.notes.clone_from(&table.notes);
    }
    parts
}

fn rows(entry: &Entry, results: &Value, month_days: f64) -> Vec<PublishedRow> {
    let indent: String = entry.label.chars().take_while(|c| *c == ' ').collect();
    let lines = entry.lines(results, month_days, &mut Vec::new());
    let row = |(i, line): (usize, Vec<String>)| {
        let [label, published, ours, method] = line.try_into().unwrap_or_default();
        // The first line has a mark where nothing was published; the page leaves such lines out.
        let published = if entry.published.is_some() { published } else { String::new() };
        PublishedRow {
            label: if i == 0 { format!("{indent}{}", label.trim()) } else { label },
            published,
            ours,
            method,
        }
    };
    lines.into_iter().enumerate().map(row).collect()
}
