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
use crate::question::{Opening, transform_code, transform_of};
use crate::view::{Asked, Column, OfModel};

/// Longest answer: its words fill a message.
pub const MOST_WORDS: usize = 4_000_000;

/// The words of one question that the coordinator opens, or of neighbours of one kind that the sites alone open.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Kind of the questions, as [`crate::question::Question::kind`] names it.
    pub kind: Cow<'static, str>,
    /// May the sites alone open it?
    pub sealed: bool,
    /// Number of words.
    pub words: u32,
    /// The model whose fit they are of: where the coordinator opens them, and of the risk sets of such a model.
    pub of: Option<OfModel>,
}

/// All words of a round in the order of the plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout(Vec<Segment>);

impl Layout {
    /// Of segments in order, as they came over the wire.
    pub fn new(segments: Vec<Segment>) -> Layout {
        Layout(segments)
    }

    /// Of the round that a plan asks next. With [`ReleaseOpening::Results`] every word is sealed. With
    /// [`ReleaseOpening::Totals`] the coordinator opens what it fits released models from, and nothing else: not the sums
    /// of a replicate, a completed data set, a penalty that it does not know, or a model that only says who stays.
    pub fn of(plan: &Plan) -> Layout {
        let protocol = plan.protocol();
        let mut segments: Vec<Segment> = Vec::new();
        for asked in plan.ask().iter() {
            let sealed = is_sealed(asked, protocol);
            let (kind, words) = (asked.question.kind(), asked.words(protocol) as u32);
            let told =
                protocol.release.opening == ReleaseOpening::Totals && (!sealed || asked.question.is_of_risk_sets());
            let of = asked.of.clone().filter(|_| told);
            match segments.last_mut() {
                Some(last) if sealed && last.sealed && last.kind == kind && last.of.is_none() && of.is_none() => {
                    last.words += words;
                }
                _ => segments.push(Segment { kind: Cow::Borrowed(kind), sealed, words, of }),
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
        out.list(&self.0, |out, Segment { kind, sealed, words, of }| {
            out.str(kind).bool(*sealed).u32(*words).option(of.as_ref(), |out, of| {
                let OfModel { model, columns, transform, shortened } = of;
                out.u32(*model)
                    .list(columns.iter(), |out, column| column.write(out))
                    .option(*transform, |out, transform| out.u8(transform_code(transform)))
                    .option(*shortened, Canonical::f64)
            })
        })
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Layout, CanonicalError> {
        let segment = |r: &mut Reader<'_>| {
            let (kind, sealed, words) = (Cow::Owned(r.str()?.to_owned()), r.bool()?, r.u32()?);
            let of = r.option(|r| {
                let (model, columns) = (r.u32()?, r.list(Column::read)?.into());
                let transform = r.option(|r| transform_of(r.u8()?).ok_or(CanonicalError::Label))?;
                Ok(OfModel { model, columns, transform, shortened: r.option(Reader::f64)? })
            })?;
            Ok(Segment { kind, sealed, words, of })
        };
        Ok(Layout(r.list(segment)?))
    }
}

/// May the sites alone open the answer to a question?
pub fn is_sealed(asked: &Asked, protocol: &Protocol) -> bool {
    protocol.release.opening == ReleaseOpening::Results
        || asked.of.is_none()
        || asked.question.opening() == Opening::Sites
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Reason;

    fn layout(segments: &[(bool, u32)]) -> Layout {
        let of = |sealed: bool| {
            let (transform, shortened) = (Some(stats::zph::Transform::Log), Some(0.25));
            let columns = [Column::Kept { unit: 0.125 }, Column::LeftOut(Reason::Cell(1))].into();
            (!sealed).then_some(OfModel { model: 7, columns, transform, shortened })
        };
        let segment = |(sealed, words): &(bool, u32)| Segment {
            kind: "Flow".into(),
            sealed: *sealed,
            words: *words,
            of: of(*sealed),
        };
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
