//! The tables of the report as a document of a word processor: a caption, a table with rules above, below and under its
//! head, and its notes. A4, landscape.

use std::io::Cursor;

use docx_rs::{
    AlignmentType, BorderType, Docx, PageMargin, PageOrientationType, Paragraph, Run, RunFonts, Table as WordTable,
    TableBorder, TableBorderPosition, TableBorders, TableCell, TableCellBorder, TableCellBorderPosition, TableRow,
    WidthType,
};

use super::{Row, Table};

/// Width of the text in twentieths of a point: A4 less the margins.
const WIDTH: usize = 16838 - 2 * MARGIN as usize;
const MARGIN: i32 = 1000;

/// Size of text in half points.
const SIZE: usize = 17;

/// The document.
pub(crate) fn document(title: &str, tables: &[&Table]) -> Result<Vec<u8>, docx_rs::DocxError> {
    let margin =
        PageMargin { top: MARGIN, left: MARGIN, bottom: MARGIN, right: MARGIN, header: 0, footer: 0, gutter: 0 };
    let mut docx = Docx::new()
        .page_size(16838, 11906)
        .page_orient(PageOrientationType::Landscape)
        .page_margin(margin)
        .default_fonts(RunFonts::new().ascii("Calibri").hi_ansi("Calibri").cs("Calibri"))
        .default_size(SIZE)
        .add_paragraph(Paragraph::new().add_run(run(title).bold().size(28)));
    for (i, table) in tables.iter().enumerate() {
        let caption = Paragraph::new().add_run(run(&table.caption).bold()).keep_next(true);
        docx = docx.add_paragraph(if i == 0 { caption } else { caption.page_break_before(true) });
        docx = docx.add_table(self::table(table));
        for note in &table.notes {
            docx = docx.add_paragraph(Paragraph::new().add_run(run(&note.words(" ")).italic()));
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    docx.build().pack(&mut bytes)?;
    Ok(bytes.into_inner())
}

fn run(text: &str) -> Run {
    Run::new().add_text(text)
}

fn table(table: &Table) -> WordTable {
    let columns = table.header.len();
    // The first column holds labels and gets twice the room of another.
    let one = WIDTH / (columns + 1);
    let width = |i: usize| if i == 0 { 2 * one } else { one };
    let mut rows = Vec::new();
    if !table.spans.is_empty() {
        let mut at = 0;
        let cells = table.spans.iter().map(|(text, columns)| {
            let room = (at..at + columns).map(width).sum();
            at += columns;
            cell(&[text], AlignmentType::Center, true).grid_span(*columns).width(room, WidthType::Dxa)
        });
        rows.push(TableRow::new(cells.collect()).cant_split());
    }
    let align = |i: usize| if i < table.texts.max(1) { AlignmentType::Left } else { AlignmentType::Right };
    let head = table.header.iter().enumerate().map(|(i, text)| {
        let lines: Vec<&str> = text.split('\n').collect();
        ruled(cell(&lines, align(i), true).width(width(i), WidthType::Dxa))
    });
    rows.push(TableRow::new(head.collect()).cant_split());
    for row in &table.rows {
        rows.push(match row {
            Row::Heading(text) => {
                let all = cell(&[text], AlignmentType::Left, true).grid_span(columns);
                TableRow::new(vec![all.width(WIDTH, WidthType::Dxa)]).cant_split()
            }
            Row::Cells { label, indented, cells } => {
                let label = if *indented { format!("\u{2003}{label}") } else { label.clone() };
                let first = cell(&[&label], AlignmentType::Left, false).width(width(0), WidthType::Dxa);
                let rest = cells.iter().enumerate().map(|(i, one)| {
                    let words = one.words("\n");
                    let lines: Vec<&str> = words.split('\n').collect();
                    cell(&lines, align(i + 1), false).width(width(i + 1), WidthType::Dxa)
                });
                TableRow::new([first].into_iter().chain(rest).collect()).cant_split()
            }
        });
    }
    let rule = |position| TableBorder::new(position).border_type(BorderType::Single).size(8);
    let borders = TableBorders::with_empty().set(rule(TableBorderPosition::Top)).set(rule(TableBorderPosition::Bottom));
    WordTable::new(rows).set_grid((0..columns).map(width).collect()).width(WIDTH, WidthType::Dxa).set_borders(borders)
}

/// One line per text.
fn cell(lines: &[&str], align: AlignmentType, bold: bool) -> TableCell {
    let mut cell = TableCell::new();
    for line in lines {
        let run = if bold { run(line).bold() } else { run(line) };
        cell = cell.add_paragraph(Paragraph::new().add_run(run).align(align));
    }
    cell
}

/// With the rule under a head.
fn ruled(cell: TableCell) -> TableCell {
    cell.set_border(TableCellBorder::new(TableCellBorderPosition::Bottom).border_type(BorderType::Single).size(4))
}
