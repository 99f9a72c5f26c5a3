//! What a statistician reads in the terminal when a study has ended.
//!
//! Every interval names its variance. The full precision, and every variance of every model, stands in the CSV files.

mod balance;
mod checks;
mod competing;
mod effects;
mod further;
mod modification;
mod scenarios;
mod sections;
mod standardised;
mod survival;
mod weights;

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};
use report::labels::{self, Labels};
use report::number;
use study::protocol::{OutcomeKind, Protocol};
use study::results::Results;

pub use report::labels::plain;

/// What every section reads.
struct Page<'a> {
    results: &'a Results,
    protocol: &'a Protocol,
    labels: Labels,
    width: u16,
}

/// Prints the tables of a run for a terminal of `width` columns: flow, baseline tables, survival and hazard ratios of each
/// time-to-event outcome, incidences and hazard ratios of competing causes, odds ratios, further models, absolute risks, effect
/// modification, E-values, proportional hazards, scenarios, weights, and the models that failed.
pub fn print(out: &mut impl Write, results: &Results, protocol: &Protocol, width: u16) -> io::Result<()> {
    let page = Page { results, protocol, labels: Labels::new(protocol, &results.references), width };
    writeln!(out, "{}", plain(&protocol.title))?;
    sections::flow(out, &page)?;
    balance::tables(out, &page)?;
    for outcome in &protocol.outcomes {
        if matches!(outcome.kind, OutcomeKind::TimeToEvent(_)) {
            survival::curves(out, &page, outcome)?;
            effects::hazard_ratios(out, &page, outcome)?;
        }
        if let OutcomeKind::Competing(causes) = &outcome.kind {
            competing::incidences(out, &page, outcome, causes)?;
            competing::hazard_ratios(out, &page, outcome, causes)?;
        }
    }
    effects::odds_ratios(out, &page)?;
    further::models(out, &page)?;
    standardised::absolute(out, &page)?;
    sections::effect_modification(out, &page)?;
    modification::within_levels(out, &page)?;
    modification::e_values(out, &page)?;
    checks::proportional_hazards(out, &page)?;
    scenarios::effects(out, &page)?;
    weights::tables(out, &page)?;
    sections::failures(out, &page)
}

/// Lines above and below, and under the header.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// Which of the first columns hold text; the columns after them hold numbers, right aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Texts {
    /// So many columns may wrap; the others stay on their line.
    pub wrap: usize,
    /// So many columns are left aligned.
    pub left: usize,
}

/// Prints one table of the page; nothing when it has no row.
fn table(
    out: &mut impl Write,
    page: &Page<'_>,
    heading: &str,
    texts: Texts,
    header: &[String],
    rows: Vec<Vec<String>>,
) -> io::Result<()> {
    ruled(out, page.width, heading, texts, header, rows)
}

/// Characters of a line of a header, where the numbers under it are narrower.
const HEADER: usize = 16;
/// A column of texts is no narrower than this.
const TEXTS: usize = 10;
/// Columns of a terminal beside the text of a cell.
const PADDING: u16 = 2;

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// Lines of at most `room` characters, broken at blanks and behind hyphens; a word that is longer stands alone.
fn broken(text: &str, room: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for piece in text.split_inclusive([' ', '-']) {
        match lines.last_mut().filter(|line| letters(line) + letters(piece.trim_end()) <= room) {
            Some(line) => line.push_str(piece),
            None => lines.push(piece.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// Prints one table under its heading for a terminal of `width` columns; nothing when it has no row.
pub fn ruled(
    out: &mut impl Write,
    width: u16,
    heading: &str,
    texts: Texts,
    header: &[String],
    rows: Vec<Vec<String>>,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    let widest = |at: usize| rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| cell.lines()).map(letters).max();
    let room = |at: usize| widest(at).unwrap_or(0).max(HEADER);
    // a long name over narrow numbers takes several lines, so that the texts keep theirs
    table.set_header(header.iter().enumerate().map(|(at, name)| broken(name, room(at))));
    let least = |at: usize| {
        let cells = header.get(at).into_iter().chain(rows.iter().filter_map(|row| row.get(at)));
        cells.flat_map(|cell| cell.split_whitespace()).map(letters).max().unwrap_or(0).min(TEXTS)
    };
    let least: Vec<usize> = (0..texts.wrap).map(least).collect();
    table.add_rows(rows);
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_constraint(match least.get(i) {
            Some(least) => ColumnConstraint::LowerBoundary(Width::Fixed(*least as u16 + PADDING)),
            None => ColumnConstraint::ContentWidth,
        });
        if i >= texts.left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "\n{heading}\n{}", table.trim_fmt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_over_numbers_take_lines_of_their_own() {
        assert_eq!(
            broken("Carfilzomib-lenalidomide-dexamethasone weekly", 16),
            "Carfilzomib-\nlenalidomide-\ndexamethasone\nweekly"
        );
        assert_eq!(broken("IsaPd vs EloPd", 16), "IsaPd vs EloPd");
        assert_eq!(broken("", 16), "");
        let arm = "Carfilzomib-lenalidomide-dexamethasone, twice weekly";
        let header = ["months or %", arm, arm].map(str::to_owned);
        let row = ["mean to 24.0", "10.2 (9.4–11.9)", "11.4 (10.0–12.5)"].map(str::to_owned).to_vec();
        let mut out = Vec::new();
        ruled(&mut out, 80, "heading", Texts { wrap: 1, left: 1 }, &header, vec![row]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.lines().any(|line| line.contains("mean to 24.0") && line.contains("11.4 (10.0–12.5)")), "{text}");
    }
}
