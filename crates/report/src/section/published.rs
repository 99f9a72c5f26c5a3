//! Published figures beside this run's, at the top of the section that they belong to.

use super::{Block, SECTIONS};
use crate::labels::plain;
use crate::page::Page;
use crate::published::PublishedTable;
use crate::table::{Cell, Row, Table};

/// The comparisons of one section: only lines with a published figure, and what this run adds to them.
pub(super) fn blocks(page: &Page<'_>, section: &str) -> Vec<Block> {
    let tables = page.published.iter().flat_map(|published| &published.tables);
    tables.filter(|table| table.section == section).flat_map(|table| shown(page, table)).collect()
}

/// The comparisons that name no section of this page.
pub(super) fn elsewhere(page: &Page<'_>) -> Vec<Block> {
    let tables = page.published.iter().flat_map(|published| &published.tables);
    tables.filter(|table| !SECTIONS.contains(&table.section.as_str())).flat_map(|table| shown(page, table)).collect()
}

const LEGEND: &str = "n.r.: not reached; log: interval on the log scale; LR: likelihood ratio test.";

/// A table for each heading: rows with a published figure, and the lines that this run adds to them.
fn shown(page: &Page<'_>, table: &PublishedTable) -> Vec<Block> {
    let Some(published) = page.published else { return Vec::new() };
    let mut parts: Vec<(String, Vec<Row>)> = vec![(plain(&table.title), Vec::new())];
    // Labels that a published figure further below belongs to.
    let mut above: Vec<String> = Vec::new();
    let mut follows = false;
    for row in &table.rows {
        let (depth, label) = indent(&row.label);
        if row.published.is_empty() && row.ours.is_empty() && depth == 0 && !label.is_empty() {
            parts.push((plain(label), Vec::new()));
            above.clear();
            continue;
        }
        if !label.is_empty() {
            above.truncate(depth);
            above.resize(depth, String::new());
            above.push(label.to_owned());
            follows = !row.published.is_empty();
        }
        if follows {
            let path: Vec<&str> = above.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            let label = if label.is_empty() { String::new() } else { path.join(", ") };
            let [published, method] = [&row.published, &row.method].map(Cell::foreign);
            let cells = vec![published, Cell::foreign_or_hidden(&row.ours), method];
            if let Some((_, rows)) = parts.last_mut() {
                rows.push(Row::new(label, cells));
            }
        }
    }
    parts.retain(|(_, rows)| !rows.is_empty());
    let last = parts.len().saturating_sub(1);
    let block = |(i, (title, rows)): (usize, (String, Vec<Row>))| {
        let mut notes: Vec<Cell> = if i == last { table.notes.iter().map(Cell::foreign).collect() } else { Vec::new() };
        if i == 0 && published.tables.first() == Some(table) {
            notes.push(Cell::foreign(format!("Published: {}, doi {}.", published.citation, published.doi)));
            notes.push(LEGEND.into());
            notes.extend(published.notes.iter().map(Cell::foreign));
        }
        let shown = Table {
            caption: format!("{title}: published and in this run"),
            header: ["", "Published", "This run", "Variance or test of this run"].map(str::to_owned).into(),
            rows,
            texts: 4,
            notes,
            ..Table::default()
        };
        [Block::Heading(format!("Beside the publication: {title}")), Block::Table(shown)]
    };
    parts.into_iter().enumerate().flat_map(block).collect()
}

/// Depth of a label by its leading blanks, and its words.
fn indent(label: &str) -> (usize, &str) {
    let words = label.trim_start();
    ((label.len() - words.len()) / 2, words.trim_end())
}
