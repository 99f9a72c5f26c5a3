//! A table as it is meant, before it becomes HTML, a page of a word processor or CSV.
//!
//! A number knows where it comes from: the place in `results.json` that holds it with all its digits.

pub(crate) mod html;
pub(crate) mod plotted;
pub(crate) mod word;

use crate::labels::plain;
use crate::number;

/// One table.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Table {
    /// Stands above it.
    pub(crate) caption: String,
    /// Heads over several columns, with the number of columns; empty for none.
    pub(crate) spans: Vec<(String, usize)>,
    /// Heads of the columns, the first of which names the rows.
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// So many columns hold text, which is left aligned.
    pub(crate) texts: usize,
    /// Stand below it.
    pub(crate) notes: Vec<Cell>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Row {
    /// A heading of the rows that follow.
    Heading(String),
    /// A label and what stands beside it.
    Cells { label: String, indented: bool, cells: Vec<Cell> },
}

/// What stands in a cell, or in a sentence.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Cell(pub(crate) Vec<Piece>);

/// A part of a cell or sentence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// Words of ours.
    Text(String),
    /// Words of a protocol, a site or a file; shown as they are, whatever their direction.
    Foreign(String),
    /// A number of the results.
    Number(Number),
    /// Stands where a floor of the study hides a number.
    Hidden,
    /// What is typed at a terminal.
    Code(&'static str),
    /// A link to a section of the page.
    Link { to: &'static str, text: String },
    /// The end of a line.
    Break,
}

/// A number as it is printed and as it stands in the results.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) text: String,
    pub(crate) value: f64,
    /// Pointer into `results.json`.
    pub(crate) from: String,
    pub(crate) unit: Unit,
}

/// In what a number is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// As it stands in the results.
    Plain,
    /// A proportion as a percentage.
    Percent,
    /// Days as months.
    Months,
    /// Days as years of 365.25 days.
    Years,
    /// The number without its sign.
    Absolute,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Plain => "plain",
            Unit::Percent => "percent",
            Unit::Months => "months",
            Unit::Years => "years",
            Unit::Absolute => "absolute",
        }
    }
}

impl Table {
    /// Does a floor hide something of it?
    pub(crate) fn hides(&self) -> bool {
        let of_row = |row: &Row| match row {
            Row::Heading(_) => false,
            Row::Cells { cells, .. } => cells.iter().any(Cell::hides),
        };
        self.rows.iter().any(of_row) || self.notes.iter().any(Cell::hides)
    }

    /// The table without columns in which no row has anything. It must have no heads over several columns.
    #[must_use]
    pub(crate) fn without_empty_columns(mut self) -> Table {
        let has = |row: &Row, at: usize| match row {
            Row::Heading(_) => false,
            Row::Cells { cells, .. } => cells.get(at).is_some_and(|cell| !cell.0.is_empty() && *cell != Cell::none()),
        };
        let kept: Vec<bool> = (1..self.header.len()).map(|i| self.rows.iter().any(|row| has(row, i - 1))).collect();
        let mut at = kept.iter();
        let mut first = true;
        self.header.retain(|_| std::mem::take(&mut first) || at.next().copied().unwrap_or(true));
        for row in &mut self.rows {
            if let Row::Cells { cells, .. } = row {
                let mut at = kept.iter();
                cells.retain(|_| at.next().copied().unwrap_or(true));
            }
        }
        self
    }
}

impl Row {
    /// Puts cells before the others.
    pub(crate) fn lead(&mut self, first: impl IntoIterator<Item = Cell>) {
        if let Row::Cells { cells, .. } = self {
            cells.splice(0..0, first);
        }
    }

    pub(crate) fn new(label: impl AsRef<str>, cells: Vec<Cell>) -> Row {
        Row::Cells { label: plain(label.as_ref()), indented: false, cells }
    }

    pub(crate) fn indented(label: impl AsRef<str>, cells: Vec<Cell>) -> Row {
        Row::Cells { label: plain(label.as_ref()), indented: true, cells }
    }
}

impl Cell {
    pub(crate) fn empty() -> Cell {
        Cell::default()
    }

    pub(crate) fn text(text: impl Into<String>) -> Cell {
        Cell(vec![Piece::Text(text.into())])
    }

    pub(crate) fn foreign(text: impl AsRef<str>) -> Cell {
        Cell(vec![Piece::Foreign(plain(text.as_ref()))])
    }

    pub(crate) fn hidden() -> Cell {
        Cell(vec![Piece::Hidden])
    }

    /// Words of a file, in which a number may be hidden.
    pub(crate) fn foreign_or_hidden(text: &str) -> Cell {
        let mut parts = text.split(number::HIDDEN).map(Cell::foreign);
        let first = parts.next().unwrap_or_default();
        parts.fold(first, |cell, part| cell.and(Cell::hidden()).and(part))
    }

    /// Does a floor hide something of it?
    pub(crate) fn hides(&self) -> bool {
        self.0.contains(&Piece::Hidden)
    }

    pub(crate) fn none() -> Cell {
        Cell::text(number::NONE)
    }

    /// The cell with more behind it.
    #[must_use]
    pub(crate) fn and(mut self, other: Cell) -> Cell {
        self.0.extend(other.0);
        self
    }

    #[must_use]
    pub(crate) fn and_text(self, text: impl Into<String>) -> Cell {
        self.and(Cell::text(text))
    }

    #[must_use]
    pub(crate) fn and_line(mut self, other: Cell) -> Cell {
        self.0.push(Piece::Break);
        self.and(other)
    }

    /// Its words without markup; lines are parted by `line`.
    pub(crate) fn words(&self, line: &str) -> String {
        let word = |piece: &Piece| match piece {
            Piece::Text(text) | Piece::Foreign(text) | Piece::Link { text, .. } => text.clone(),
            Piece::Hidden => number::HIDDEN.to_owned(),
            Piece::Code(text) => (*text).to_owned(),
            Piece::Number(number) => number.text.clone(),
            Piece::Break => line.to_owned(),
        };
        self.0.iter().map(word).collect()
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::text(text)
    }
}

impl From<Number> for Cell {
    fn from(number: Number) -> Cell {
        Cell(vec![Piece::Number(number)])
    }
}
