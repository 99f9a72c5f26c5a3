//! A round: what all sites say comes next, the request, the answers, the sum.

use secagg::{Digest, Masked, Signature};

use super::{CoordinatorContext, CoordinatorMachine, CoordinatorRecord, Fault, Gathered, Last, Round, Said, Stage};
use crate::layout::{Layout, MOST_WORDS};
use crate::message::{Answer, Next, RoundOpen, RoundResult, ToSite};

impl CoordinatorMachine {
    pub(super) fn expect_next(&mut self) {
        self.stage = Stage::Nexts(Gathered::new(self.sites()));
    }

    pub(super) fn next(&mut self, site: u16, next: Next, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        let member = self.manifest.roster.members().get(usize::from(site)).ok_or(Fault::Unexpected)?;
        next.verify(&member.identity, &self.digest).map_err(|_| Fault::Signature)?;
        let Stage::Nexts(said) = &mut self.stage else { return Err(Fault::Unexpected) };
        if next.epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        said.put(site, Said::Next(next))?;
        self.maybe_open_round(context)
    }

    /// When all sites have said what comes next: the round that the last of them is at, or the end.
    pub(super) fn maybe_open_round(&mut self, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        let Stage::Nexts(said) = &mut self.stage else { return Ok(()) };
        if !said.complete() {
            return Ok(());
        }
        let said = said.take();
        let nexts = said.iter().map(|said| match said {
            Said::Next(next) => Some(next),
            Said::Finished(_) => None,
        });
        let nexts: Vec<Option<&Next>> = nexts.collect();
        let Some(first) = nexts.iter().flatten().min_by_key(|n| n.round) else {
            let finished = said.into_iter().filter_map(|said| match said {
                Said::Finished(finished) => Some(finished),
                Said::Next(_) => None,
            });
            return self.finish(finished.collect(), context);
        };
        let Next { round, q0, layout, counts, .. } = Next::clone(first);
        let here: Vec<Option<&Next>> = nexts.iter().map(|next| next.filter(|n| n.round == round)).collect();
        if here.iter().flatten().any(|n| n.q0 != q0 || n.layout != layout || n.counts != counts) {
            return Err(Fault::OtherPlan { round });
        }
        let words = layout.words();
        // a site that is done knows of no further round
        let ended = nexts.iter().any(Option::is_none);
        self.check_round(round, &q0, &layout, ended)?;
        self.counts = counts;
        let open = RoundOpen {
            epoch: self.epoch,
            round,
            q0,
            layout,
            counts,
            head: context.head(),
            witnesses: here.iter().map(|next| next.map(Next::witness)).collect(),
            signature: Signature([0; 64]),
        };
        let open = open.signed(&self.identity, &self.digest);
        self.know(&open);
        context.persist(CoordinatorRecord::Requested { open: Box::new(open.clone()) });
        self.stage = Stage::Answering(Box::new(Round {
            open: open.clone(),
            q: None,
            sum: Masked::zero(words),
            answers: Gathered::new(self.sites()),
        }));
        self.broadcast(&ToSite::RoundOpen(open), context);
        Ok(())
    }

    /// The heads that the sites signed with what they said.
    pub(super) fn know(&mut self, open: &RoundOpen) {
        for (known, witness) in self.known.iter_mut().zip(&open.witnesses) {
            if let Some(witness) = witness {
                *known = witness.head;
            }
        }
    }

    /// The round must be the next one, or the last opened one again.
    pub(super) fn check_round(&self, round: u32, q0: &Digest, layout: &Layout, ended: bool) -> Result<(), Fault> {
        if layout.words() > MOST_WORDS {
            return Err(Fault::Length { expected: MOST_WORDS, got: layout.words() });
        }
        match &self.last {
            _ if round == self.round() && !ended => Ok(()),
            Some(last) if last.result.round == round && last.q0 == *q0 && last.layout == *layout => Ok(()),
            // each of them chains the sum that this ledger lacks
            _ if round > self.round() => Err(Fault::Ahead { round }),
            _ => Err(Fault::OtherPlan { round }),
        }
    }

    pub(super) fn answer(
        &mut self,
        site: u16,
        answer: &Answer,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let member = self.manifest.roster.members().get(usize::from(site)).ok_or(Fault::Unexpected)?;
        let Stage::Answering(round) = &mut self.stage else { return Err(Fault::Unexpected) };
        if answer.epoch != self.epoch || answer.round != round.open.round {
            return Err(Fault::Unexpected);
        }
        let words = answer.verify(&member.identity).map_err(|_| Fault::Signature)?;
        if *round.q.get_or_insert(answer.q) != answer.q {
            return Err(Fault::OtherPlan { round: answer.round });
        }
        let (expected, got) = (round.sum.words.len(), answer.masked.words.len());
        if got != expected {
            return Err(Fault::Length { expected, got });
        }
        round.answers.put(site, (words, answer.signature))?;
        round.sum.add(&answer.masked).map_err(|e| Fault::Length { expected, got: e.got })?;
        if round.answers.complete() {
            self.close_round(answer.q, context)?;
        }
        Ok(())
    }

    pub(super) fn close_round(&mut self, q: Digest, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        let Stage::Answering(round) = std::mem::replace(&mut self.stage, Stage::Waiting) else {
            return Err(Fault::Unexpected);
        };
        let Round { open, sum, mut answers, .. } = *round;
        self.bytes_per_site += 16 * sum.words.len() as u64 + 48;
        let result = RoundResult::sign(&self.identity, self.epoch, open.round, q, sum, answers.take());
        if open.round == self.round() {
            context.persist(CoordinatorRecord::Opened { q0: open.q0, result: Box::new(result.clone()) });
            self.opened(Last { q0: open.q0, layout: open.layout, result: Box::new(result.clone()) });
        } else if !self.reopened(&result) {
            return Err(Fault::OtherSum { round: open.round });
        }
        self.expect_next();
        self.broadcast(&ToSite::RoundResult(result), context);
        Ok(())
    }

    /// Does a round that was answered again have the sum of the last one, as far as the coordinator reads it?
    pub(super) fn reopened(&self, result: &RoundResult) -> bool {
        self.last.as_ref().is_some_and(|last| {
            let mut opened = last.layout.ranges().filter(|(segment, _)| !segment.sealed);
            opened.all(|(_, range)| last.result.sum.words.get(range.clone()) == result.sum.words.get(range))
        })
    }
}
