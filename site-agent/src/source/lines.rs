//! Line numbers of a file as an editor shows them, for a parser that reads ahead and skips blank lines.

use std::collections::VecDeque;
use std::io::{self, Read};

/// Passes a file on and remembers where its lines begin that are not blank and that nobody asked for yet.
pub(super) struct Lines<R> {
    file: R,
    offset: u64,
    line: u64,
    blank: bool,
    /// Offset of the first byte and number of the line, in order.
    begun: VecDeque<(u64, u64)>,
}

impl<R> Lines<R> {
    pub(super) fn new(file: R) -> Lines<R> {
        Lines { file, offset: 0, line: 1, blank: true, begun: VecDeque::new() }
    }

    /// Number of the first line that is not blank and begins at this offset or after it. Offsets may only grow.
    pub(super) fn line_from(&mut self, offset: u64) -> u64 {
        while self.begun.front().is_some_and(|(start, _)| *start < offset) {
            self.begun.pop_front();
        }
        self.begun.front().map_or(self.line, |(_, line)| *line)
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        for byte in &buffer[..length] {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.blank = true;
                }
                b'\r' => {}
                _ if self.blank => {
                    self.begun.push_back((self.offset, self.line));
                    self.blank = false;
                }
                _ => {}
            }
            self.offset += 1;
        }
        Ok(length)
    }
}
