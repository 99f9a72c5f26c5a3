//! What the coordinator of a run can read in its own ledger.

use std::collections::BTreeMap;

use secagg::open_unsealed;
use study::layout::{Layout, Segment};
use study::machine::coordinator::CoordinatorRecord;
use study::message::RoundResult;
use study::release::Release;
use study::word;

/// The answer to one question as the coordinator holds it, or to neighbouring questions that are sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Round.
    pub round: u32,
    /// Kind of the question.
    pub kind: String,
    /// Number of words.
    pub words: usize,
    /// The sum over all sites; none where it is sealed.
    pub opened: Option<Vec<f64>>,
}

/// Numbers of one kind of question, over a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Questions that the coordinator opened.
    pub questions: usize,
    /// Numbers in them.
    pub opened: usize,
    /// Numbers that the sites alone opened.
    pub sealed: usize,
}

/// The answers and the release that stand in a coordinator's ledger.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// Answers in the order of rounds and words.
    pub answers: Vec<Answer>,
    /// What all sites signed and one of them sent.
    pub release: Option<Release>,
}

impl Transcript {
    /// Reads a ledger as the coordinator can: the requests say what each word is, sealed ones stay sealed.
    ///
    /// # Panics
    /// When a sum was not requested, or a release does not read.
    pub fn of(records: &[CoordinatorRecord]) -> Transcript {
        let mut transcript = Transcript { answers: Vec::new(), release: None };
        let mut asked = None;
        for record in records {
            match record {
                CoordinatorRecord::Requested { open } => asked = Some(&open.layout),
                CoordinatorRecord::Opened { result, .. } => {
                    let layout = asked.expect("a sum follows its request");
                    transcript.answers.extend(answers(layout, result));
                }
                CoordinatorRecord::Released { bytes, .. } => {
                    transcript.release = Some(Release::from_bytes(bytes).expect("a release"));
                }
                CoordinatorRecord::Approved { .. }
                | CoordinatorRecord::Withdrawn { .. }
                | CoordinatorRecord::Epoch { .. }
                | CoordinatorRecord::Agreed { .. }
                | CoordinatorRecord::Refused { .. }
                | CoordinatorRecord::Compared { .. }
                | CoordinatorRecord::Closed { .. } => {}
            }
        }
        transcript
    }

    /// Numbers by kind of question.
    pub fn kinds(&self) -> BTreeMap<&str, Numbers> {
        let mut kinds: BTreeMap<&str, Numbers> = BTreeMap::new();
        for answer in &self.answers {
            let numbers = kinds.entry(&answer.kind).or_default();
            if answer.opened.is_some() {
                numbers.questions += 1;
                numbers.opened += answer.words;
            } else {
                numbers.sealed += answer.words;
            }
        }
        kinds
    }

    /// Numbers that the coordinator opened.
    pub fn opened(&self) -> usize {
        self.kinds().values().map(|numbers| numbers.opened).sum()
    }

    /// Numbers that the sites alone opened.
    pub fn sealed(&self) -> usize {
        self.kinds().values().map(|numbers| numbers.sealed).sum()
    }
}

fn answers(layout: &Layout, result: &RoundResult) -> Vec<Answer> {
    let sites = result.answers.len();
    let words = open_unsealed(&result.sum, &layout.sealed());
    let answer = |(segment, range): (&Segment, std::ops::Range<usize>)| {
        let opened: Option<Vec<i128>> = words[range.clone()].iter().copied().collect();
        Answer {
            round: result.round,
            kind: segment.kind.to_string(),
            words: range.len(),
            opened: opened.map(|words| word::read(&words, sites)),
        }
    };
    layout.ranges().map(answer).collect()
}
