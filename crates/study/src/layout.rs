//! What the words of a round are, and who opens them.
//!
//! Every site derives the layout from its own plan and signs it; the coordinator holds no plan and learns from the
//! layouts that all sites signed alike which words it may read.

use std::borrow::Cow;
use std::ops::Range;

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Reader};

use crate::plan::Plan;
use crate::protocol::{Protocol, ReleaseOpening};
use crate::question::Opening;
use crate::view::{Asked, Draw};

/// Longest answer: its words fill a message.
pub const MOST_WORDS: usize = 4_000_000;

/// The words of one question that the coordinator opens, or of neighbours of one kind that the sites alone open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Kind of the questions, as [`crate::question::Question::kind`] names it.
    pub kind: Cow<'static, str>,
    /// May the sites alone open it?
    pub sealed: bool,
    /// Number of words.
    pub words: u32,
}

/// All words of a round in the order of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout(Vec<Segment>);

impl Layout {
    /// Of segments in order, as they came over the wire.
    pub fn new(segments: Vec<Segment>) -> Layout {
        Layout(segments)
    }

    /// Of the round that a plan asks next. With [`ReleaseOpening::Results`] every word is sealed; those of a replicate or of
    /// a completed data set always are: they are no model's own fit, and many of them say more of the rows than one.
    pub fn of(plan: &Plan) -> Layout {
        let protocol = plan.protocol();
        let mut segments: Vec<Segment> = Vec::new();
        for asked in plan.ask().iter() {
            let sealed = is_sealed(asked, protocol);
            let (kind, words) = (asked.question.kind(), asked.words(protocol) as u32);
            match segments.last_mut() {
                Some(last) if sealed && last.sealed && last.kind == kind => last.words += words,
                _ => segments.push(Segment { kind: Cow::Borrowed(kind), sealed, words }),
            }
        }
        Layout(segments)
    }

    /// Segments in order.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Number of words.
    pub fn words(&self) -> usize {
        self.0.iter().map(|segment| segment.words as usize).sum()
    }

    /// Number of words that the coordinator opens.
    pub fn opened(&self) -> usize {
        self.0.iter().filter(|segment| !segment.sealed).map(|segment| segment.words as usize).sum()
    }

    /// Each segment with the positions of its words.
    pub fn ranges(&self) -> impl Iterator<Item = (&Segment, Range<usize>)> {
        self.0.iter().scan(0, |end, segment| {
            let start = *end;
            *end += segment.words as usize;
            Some((segment, start..*end))
        })
    }

    /// Positions that the sites alone open; ascending, neighbours joined.
    pub fn sealed(&self) -> Vec<Range<usize>> {
        let mut sealed: Vec<Range<usize>> = Vec::new();
        for (_, range) in self.ranges().filter(|(segment, _)| segment.sealed) {
            match sealed.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => sealed.push(range),
            }
        }
        sealed
    }

    pub(crate) fn write(&self, out: Canonical) -> Canonical {
        out.list(&self.0, |out, Segment { kind, sealed, words }| out.str(kind).bool(*sealed).u32(*words))
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Layout, CanonicalError> {
        let segment = |r: &mut Reader<'_>| {
            Ok(Segment { kind: Cow::Owned(r.str()?.to_owned()), sealed: r.bool()?, words: r.u32()? })
        };
        Ok(Layout(r.list(segment)?))
    }
}

/// May the sites alone open the answer to a question?
pub fn is_sealed(asked: &Asked, protocol: &Protocol) -> bool {
    protocol.release.opening == ReleaseOpening::Results
        || asked.view.draw != Draw::Nothing
        || asked.question.opening() == Opening::Sites
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(segments: &[(bool, u32)]) -> Layout {
        let segment = |(sealed, words): &(bool, u32)| Segment { kind: "Flow".into(), sealed: *sealed, words: *words };
        Layout(segments.iter().map(segment).collect())
    }

    #[test]
    fn neighbours_that_are_sealed_are_one_range() {
        let layout = layout(&[(true, 2), (true, 3), (false, 4), (true, 1), (false, 2)]);
        assert_eq!(layout.sealed(), [0..5, 9..10]);
        assert_eq!((layout.words(), layout.opened()), (12, 6));
    }

    #[test]
    fn its_encoding_reads_back() {
        let layout = layout(&[(true, 2), (false, 4)]);
        let bytes = layout.write(Canonical::new("test/layout")).finish();
        let mut reader = Reader::new(&bytes, "test/layout").unwrap();
        assert_eq!(Layout::read(&mut reader).unwrap(), layout);
        reader.finish().unwrap();
    }
}
