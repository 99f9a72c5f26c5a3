//! Published figures beside this run's, at the top of the section that they belong to.

use super::{Block, SECTIONS};
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

fn shown(page: &Page<'_>, table: &PublishedTable) -> Vec<Block> {
    let Some(published) = page.published else { return Vec::new() };
    let mut rows: Vec<Row> = Vec::new();
    // Labels that a published figure further below refers to.
    let mut above: Vec<String> = Vec::new();
    let mut follows = false;
    for row in &table.rows {
        let depth = row.label.chars().take_while(|c| *c == ' ').count() / 2;
        if !row.label.trim().is_empty() {
            above.truncate(depth);
            above.resize(depth, String::new());
            above.push(row.label.trim().to_owned());
            follows = !row.published.is_empty();
        }
        if !follows {
            continue;
        }
        let label = if row.label.trim().is_empty() {
            String::new()
        } else {
            above.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(", ")
        };
        rows.push(Row::new(label, [&row.published, &row.ours, &row.method].map(Cell::foreign).into()));
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let source = Cell::text("Published: ").and(Cell::foreign(&published.citation)).and_text(", doi ");
    let source = source.and(Cell::foreign(&published.doi)).and_text(".");
    let shown = Table {
        caption: format!("Published and in this run: {}", table.title),
        header: ["", "Published", "This run", "Variance or test of this run"].map(str::to_owned).into(),
        rows,
        texts: 4,
        notes: table.notes.iter().chain(&published.notes).cloned().collect(),
        ..Table::default()
    };
    vec![Block::Heading("Beside the publication".into()), Block::Words(source), Block::Table(shown)]
}
