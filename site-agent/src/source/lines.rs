//! Line numbers of a file as an editor shows them, and its quotation marks, for a parser that reads ahead, skips blank
//! lines and takes any quotation mark as it comes.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};

use super::problem::Counted;

/// A line inside a quoted field with fewer commas is no row that somebody would miss.
const COMMAS_OF_A_ROW: usize = 3;

/// Passes a file on and remembers where its lines begin that are not blank and that nobody asked for yet.
#[allow(clippy::struct_excessive_bools, reason = "each is what the next byte has to know")]
pub(super) struct Lines<R> {
    file: R,
    offset: u64,
    line: u64,
    blank: bool,
    /// Was the last byte a carriage return? A line feed after it ends no second line.
    returned: bool,
    /// Offset of the first byte and number of the line, in order.
    begun: VecDeque<(u64, u64)>,
    place: Place,
    ended: bool,
    /// Line of the quotation mark that opened last.
    opened: u64,
    /// Did this line begin inside a quoted field?
    inside: bool,
    /// Commas of this line that stand inside a quoted field.
    commas: usize,
    after_closing: Counted,
    /// Lines that begin inside a quoted field, by their commas there.
    begun_inside: BTreeMap<usize, Counted>,
}

/// Where a byte stands, as RFC 4180 has it.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// First of a field.
    First,
    /// In a field without quotation marks; one inside it is a character as any other.
    Plain,
    /// Between quotation marks.
    Quoted,
    /// After a quotation mark that closes, or is the first of a doubled one.
    Closed,
}

/// What is wrong with the quotation marks of a file.
#[derive(Default)]
pub(super) struct Quotation {
    /// Lines with text behind a closing quotation mark.
    pub(super) after_closing: Counted,
    /// Line of a quotation mark that nothing closes.
    pub(super) unclosed: Counted,
    /// Lines between quotation marks that have as many fields as a row: probably a row that was swallowed.
    pub(super) rows: Counted,
}

impl<R> Lines<R> {
    pub(super) fn new(file: R) -> Lines<R> {
        Lines {
            file,
            offset: 0,
            line: 1,
            blank: true,
            returned: false,
            begun: VecDeque::new(),
            place: Place::First,
            ended: false,
            opened: 0,
            inside: false,
            commas: 0,
            after_closing: Counted::default(),
            begun_inside: BTreeMap::new(),
        }
    }

    /// Number of the first line that is not blank and begins at this offset or after it. Offsets may only grow.
    pub(super) fn line_from(&mut self, offset: u64) -> u64 {
        while self.begun.front().is_some_and(|(start, _)| *start < offset) {
            self.begun.pop_front();
        }
        self.begun.front().map_or(self.line, |(_, line)| *line)
    }

    /// What is wrong with the quotation marks of what was read, where rows have so many fields.
    pub(super) fn quotation(&self, fields: usize) -> Quotation {
        let mut unclosed = Counted::default();
        if self.ended && self.place == Place::Quoted {
            unclosed.count(self.opened);
        }
        // behind a mark that nothing closes every line is a text
        let commas = fields.checked_sub(1).filter(|_| unclosed.rows() == 0);
        let rows = commas.and_then(|commas| self.begun_inside.get(&commas));
        Quotation { after_closing: self.after_closing.clone(), unclosed, rows: rows.cloned().unwrap_or_default() }
    }

    fn see(&mut self, byte: u8) {
        let ends = byte == b'\n' || byte == b'\r';
        if ends {
            // of a carriage return and a line feed the first ends the line
            if !(byte == b'\n' && self.returned) {
                self.end_line();
            }
        } else if self.blank {
            self.begun.push_back((self.offset, self.line));
            self.blank = false;
        }
        self.returned = byte == b'\r';
        // A byte order mark is no part of the first field.
        let mark = matches!((self.offset, byte), (0, 0xef) | (1, 0xbb) | (2, 0xbf));
        self.place = match (self.place, byte) {
            (Place::First, _) if mark => Place::First,
            (Place::First, b'"') => {
                self.opened = self.line;
                Place::Quoted
            }
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, b',') => {
                self.commas += 1;
                Place::Quoted
            }
            (Place::Closed, b'"') | (Place::Quoted, _) => Place::Quoted,
            (_, b',') => Place::First,
            _ if ends => Place::First,
            (Place::Closed, _) => {
                self.after_closing.count(self.line);
                Place::Plain
            }
            (Place::First | Place::Plain, _) => Place::Plain,
        };
        self.offset += 1;
    }

    fn end_line(&mut self) {
        if self.inside && self.commas >= COMMAS_OF_A_ROW {
            self.begun_inside.entry(self.commas).or_default().count(self.line);
        }
        self.inside = self.place == Place::Quoted;
        self.commas = 0;
        self.line += 1;
        self.blank = true;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        for byte in &buffer[..length] {
            self.see(*byte);
        }
        if length == 0 && !self.ended {
            self.ended = true;
            if !self.blank {
                self.end_line();
            }
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines with text after a closing mark, of a mark that nothing closes, of swallowed rows of four fields.
    fn marks(text: &str) -> [Vec<u64>; 3] {
        let mut lines = Lines::new(text.as_bytes());
        io::copy(&mut lines, &mut io::sink()).expect("bytes are read");
        let Quotation { after_closing, unclosed, rows } = lines.quotation(4);
        [after_closing, unclosed, rows].map(|counted| counted.lines().to_vec())
    }

    #[test]
    fn quotation_marks() {
        let none: [Vec<u64>; 3] = [vec![], vec![], vec![]];
        for right in [
            "a,b,c,d\n1,\"x\",\"\",\"y\"\n",
            "\u{feff}\"a\",b\n1,\"say \"\"no\"\", then\"\n",
            "a,b\n=\"0017\",Z\"A\n",
            "a,\"two\nlines, of\r\ntext\"\n1,2\n",
            "\"a\"\r\"b\"\r",
        ] {
            assert_eq!(marks(right), none, "{right:?}");
        }
        assert_eq!(marks("a,b\n1,\"Z\"A\n2,\"\"x\n3,\"Z\" \n"), [vec![2, 3, 4], vec![], vec![]]);
        assert_eq!(marks("a,b\n1,\"Z\n2,x\n3,y\n")[1], [2]);
        assert_eq!(marks("a,b\r1,\"Z\r2,x\r")[1], [2]);
        // The mark of the second line is closed by one that was meant to open: a row is gone.
        assert_eq!(marks("a,b,c,d\n1,2,3,\"x\n2,3,4,\"\n3,4,5,6\n"), [vec![], vec![], vec![3]]);
    }
}
