//! Tables and sentences as HTML. Everything that is not ours goes through maud, which escapes it.

use maud::{Markup, html};

use super::{Cell, Piece, Row, Table};
use crate::number::HIDDEN;

/// A table in a box of its own, which scrolls when the page is too narrow for it.
pub(crate) fn table(table: &Table) -> Markup {
    html! {
        div.wide role="group" aria-label=(table.caption) tabindex="0" {
            table class=[prose(table).then_some("prose")] {
                caption { span { bdi { (table.caption) } } }
                thead {
                    @if !table.spans.is_empty() {
                        tr {
                            @for (text, columns) in &table.spans {
                                @if text.is_empty() { td colspan=(columns) {} }
                                @else { th.span scope="colgroup" colspan=(columns) { bdi { (text) } } }
                            }
                        }
                    }
                    tr {
                        @for (i, head) in table.header.iter().enumerate() {
                            @if head.is_empty() { td {} }
                            @else { th scope="col" class=[(i < table.texts).then_some("text")] { (lines(head)) } }
                        }
                    }
                }
                tbody { @for row in &table.rows { (self::row(table, row)) } }
            }
        }
        @for note in &table.notes { p.note { (cell(note)) } }
    }
}

/// A table of words: where the page is narrow, its rows become paragraphs.
fn prose(table: &Table) -> bool {
    table.texts >= table.header.len()
}

fn row(table: &Table, row: &Row) -> Markup {
    let prose = prose(table);
    match row {
        Row::Heading(text) => html! {
            tr.group { th scope="rowgroup" colspan=(table.header.len()) { bdi { (text) } } }
        },
        Row::Cells { label, indented, cells } => html! {
            tr {
                @if label.is_empty() { td {} }
                @else { th scope="row" class=[indented.then_some("indented")] { bdi { (label) } } }
                @for (i, one) in cells.iter().enumerate() {
                    td class=[(i + 1 < table.texts).then_some("text")] data-head=[prose.then(|| &table.header[i + 1])] { (cell(one)) }
                }
            }
        },
    }
}

/// Words of a head whose lines are parted by a line feed.
fn lines(text: &str) -> Markup {
    html! {
        @for (i, line) in text.split('\n').enumerate() {
            @if i > 0 { br; }
            bdi { (line) }
        }
    }
}

/// The pieces of a cell or sentence.
pub(crate) fn cell(cell: &Cell) -> Markup {
    html! {
        @for piece in &cell.0 {
            @match piece {
                Piece::Text(text) => (text),
                Piece::Foreign(text) => bdi { (text) },
                Piece::Number(n) => data value=(n.value) data-from=(n.from) data-unit=(n.unit.name()) { (n.text) },
                Piece::Hidden => span.hidden { (HIDDEN) },
                Piece::Code(text) => code { (text) },
                Piece::Link { to, text } => a href={ "#" (to) } { (text) },
                Piece::Break => br;,
            }
        }
    }
}
