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

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
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
    table.set_header(header);
    table.add_rows(rows);
    for (i, column) in table.column_iter_mut().enumerate() {
        if i >= texts.wrap {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        if i >= texts.left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "\n{heading}\n{}", table.trim_fmt())
}
