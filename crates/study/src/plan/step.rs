//! What all analyses ask at once, in as many rounds as messages of a good length take.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::protocol::Protocol;
use crate::view::Asked;

/// Words up to which questions share a round: 16 MiB of every site, which a coordinator of many sites holds at once. A
/// longer question has a round of its own, up to [`crate::layout::MOST_WORDS`].
pub const ROUND_WORDS: usize = 1 << 20;

/// Questions of one round with the number of their words.
type Round = (Arc<[Asked]>, usize);

/// The rounds that are left of a step, and the sums of those that are over.
#[derive(Debug, Clone, Default)]
pub(super) struct Step {
    rounds: VecDeque<Round>,
    told: Vec<f64>,
}

impl Step {
    pub(super) fn new(questions: Vec<Asked>, protocol: &Protocol) -> Step {
        Step { rounds: cut(questions, |asked| asked.words(protocol), ROUND_WORDS).into(), told: Vec::new() }
    }

    /// The questions of the next round and their words; nothing when nothing is asked.
    pub(super) fn round(&self) -> Round {
        self.rounds.front().cloned().unwrap_or_default()
    }

    /// Words of the rounds that are left.
    pub(super) fn words(&self) -> usize {
        self.rounds.iter().map(|(_, words)| words).sum()
    }

    /// Takes the sums of a round: those of the whole step after its last.
    pub(super) fn tell<'s>(&mut self, sums: &'s [f64]) -> Option<Cow<'s, [f64]>> {
        self.rounds.pop_front();
        if self.rounds.is_empty() && self.told.is_empty() {
            return Some(Cow::Borrowed(sums));
        }
        self.told.extend_from_slice(sums);
        self.rounds.is_empty().then(|| Cow::Owned(std::mem::take(&mut self.told)))
    }
}

/// Neighbours together while they fit.
fn cut<T>(questions: Vec<T>, words: impl Fn(&T) -> usize, most: usize) -> Vec<(Arc<[T]>, usize)> {
    let mut rounds: Vec<(Vec<T>, usize)> = Vec::new();
    for question in questions {
        let more = words(&question);
        match rounds.last_mut() {
            Some((round, length)) if *length + more <= most => {
                round.push(question);
                *length += more;
            }
            _ => rounds.push((vec![question], more)),
        }
    }
    rounds.into_iter().map(|(round, length)| (round.into(), length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(words: &[usize], most: usize) -> Vec<Vec<usize>> {
        let rounds = cut(words.to_vec(), |words| *words, most);
        for (round, length) in &rounds {
            assert_eq!(round.iter().sum::<usize>(), *length);
        }
        rounds.into_iter().map(|(round, _)| round.to_vec()).collect()
    }

    #[test]
    fn neighbours_share_a_round_while_they_fit() {
        assert_eq!(lengths(&[3, 4, 3, 1], 10), [vec![3, 4, 3], vec![1]]);
        assert_eq!(lengths(&[11, 1, 10, 12], 10), [vec![11], vec![1], vec![10], vec![12]]);
        assert!(lengths(&[], 10).is_empty());
    }

    #[test]
    fn sums_are_told_when_the_last_round_is_over() {
        let two = |parts: usize| Step { rounds: vec![Round::default(); parts].into(), told: Vec::new() };
        let mut step = two(1);
        assert!(matches!(step.tell(&[1.0]), Some(Cow::Borrowed([x])) if *x == 1.0));
        let mut step = two(3);
        assert!(step.tell(&[1.0, 2.0]).is_none() && step.tell(&[]).is_none());
        assert_eq!(step.tell(&[3.0]).as_deref(), Some(&[1.0, 2.0, 3.0][..]));
    }
}
