//! The data of a figure as CSV, with all digits of every number.

use super::{Cell, Piece, Row, Table};
use crate::neutral;

/// One line per row of the table; headings become the first column.
pub(crate) fn csv(table: &Table) -> Vec<u8> {
    let mut out = String::new();
    let grouped = table.rows.iter().any(|row| matches!(row, Row::Heading(_)));
    let mut group = String::new();
    let head =
        grouped.then(String::new).into_iter().chain(table.header.iter().map(|head| neutral(&head.replace('\n', " "))));
    line(&mut out, head);
    for row in &table.rows {
        match row {
            Row::Heading(text) => group.clone_from(text),
            Row::Cells { label, cells, .. } => {
                let first = grouped.then(|| neutral(&group)).into_iter().chain([neutral(label)]);
                line(&mut out, first.chain(cells.iter().map(field)));
            }
        }
    }
    out.into_bytes()
}

/// A number in full, words as they are; nothing where a number is hidden.
fn field(cell: &Cell) -> String {
    match &cell.0[..] {
        [Piece::Number(number)] => number.value.to_string(),
        _ if cell.hides() => String::new(),
        _ => neutral(&cell.words(" ")),
    }
}

fn line(out: &mut String, fields: impl Iterator<Item = String>) {
    let quoted = |field: String| {
        if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    };
    out.push_str(&fields.map(quoted).collect::<Vec<_>>().join(","));
    out.push('\n');
}
