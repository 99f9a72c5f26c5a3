//! Opened answers beside their questions, as far as a coordinator can work them out.
//!
//! The questions are not on the wire. Their order and columns follow from the protocol, coefficients from Newton's steps
//! on what is opened, means from the released tables; here the attacker is simply told them.

use std::sync::Arc;

use study::plan::Plan;
use study::protocol::Protocol;
use study::view::Asked;

use super::transcript::Transcript;

/// The questions of every round, from the sums that every site holds.
pub fn questions<'s>(protocol: &Arc<Protocol>, sums: impl IntoIterator<Item = &'s [f64]>) -> Vec<Arc<[Asked]>> {
    let mut plan = Plan::new(Arc::clone(protocol));
    let mut rounds = Vec::new();
    for sums in sums {
        rounds.push(Arc::clone(plan.ask()));
        plan.tell(sums);
    }
    rounds
}

/// What the coordinator opened, with the question that it answers.
///
/// # Panics
/// When the questions are not those of the transcript.
pub fn opened<'t>(
    transcript: &'t Transcript,
    rounds: &'t [Arc<[Asked]>],
    protocol: &Protocol,
) -> Vec<(&'t Asked, &'t [f64])> {
    let mut answers = transcript.answers.iter().peekable();
    let mut opened = Vec::new();
    for (round, questions) in (1..).zip(rounds) {
        let mut sealed = 0;
        for asked in questions.iter() {
            let words = asked.words(protocol);
            if sealed == 0 {
                let answer = answers.next().expect("an answer to each question");
                assert_eq!((answer.round, &*answer.kind), (round, asked.question.kind()), "the answer of the question");
                match &answer.opened {
                    Some(sums) => {
                        assert_eq!(sums.len(), words, "words of the question");
                        opened.push((asked, &sums[..]));
                        continue;
                    }
                    None => sealed = answer.words,
                }
            }
            sealed -= words;
        }
    }
    opened
}
