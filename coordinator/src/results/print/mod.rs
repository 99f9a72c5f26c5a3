//! What a statistician reads in the terminal when a study has ended.
//!
//! Every interval names its variance. The full precision, and every variance of every model, stands in the CSV files.

mod effects;
mod further;
mod labels;
mod number;
mod sections;

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use study::protocol::{OutcomeKind, Protocol};
use study::results::Results;

use labels::Labels;

/// What every section reads.
struct Page<'a> {
    results: &'a Results,
    protocol: &'a Protocol,
    labels: Labels,
    width: u16,
}

/// Prints the tables of a run for a terminal of `width` columns: flow, hazard ratios of each time-to-event outcome, odds
/// ratios, further models, effect modification, weights, and the models that failed.
pub fn print(out: &mut impl Write, results: &Results, protocol: &Protocol, width: u16) -> io::Result<()> {
    let page = Page { results, protocol, labels: Labels::new(protocol), width };
    writeln!(out, "{}", labels::plain(&protocol.title))?;
    sections::flow(out, &page)?;
    for outcome in &protocol.outcomes {
        if matches!(outcome.kind, OutcomeKind::TimeToEvent(_)) {
            effects::hazard_ratios(out, &page, outcome)?;
        }
    }
    effects::odds_ratios(out, &page)?;
    further::models(out, &page)?;
    sections::effect_modification(out, &page)?;
    sections::weights(out, &page)?;
    sections::failures(out, &page)
}

/// Lines above and below, and under the header.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// Prints one table under its heading; nothing when it has no row. The first `texts` columns are text, the others numbers.
fn table(
    out: &mut impl Write,
    page: &Page<'_>,
    heading: &str,
    texts: usize,
    header: &[String],
    rows: Vec<Vec<String>>,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_width(page.width);
    let cells = |cells: Vec<String>| -> Vec<Cell> {
        cells
            .into_iter()
            .enumerate()
            .map(|(i, text)| {
                let side = if i < texts { CellAlignment::Left } else { CellAlignment::Right };
                Cell::new(text).set_alignment(side)
            })
            .collect()
    };
    table.set_header(cells(header.to_vec()));
    for row in rows {
        table.add_row(cells(row));
    }
    writeln!(out, "\n{heading}\n{}", table.trim_fmt())
}
