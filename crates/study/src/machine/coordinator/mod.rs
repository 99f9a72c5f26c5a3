//! The coordinator's end of one run: waits for the whole roster, relays the key agreement, adds masked answers.

mod fault;
mod gathered;
mod record;

use secagg::{Announcement, Confirmation, Digest, Masked, SealedBox, Signature, SigningIdentity};

use crate::layout::{Layout, MOST_WORDS};
use crate::manifest::{Approval, Manifest, Withdrawal};
use crate::message::{Answer, Closed, Finished, FromSite, ModelCounts, Next, RoundOpen, RoundResult, ToSite};
use crate::release::Release;
pub use fault::Fault;
use gathered::Gathered;
pub use record::CoordinatorRecord;

/// Where the machine leaves what it wants done.
pub trait CoordinatorContext {
    /// To be durable before anything is sent.
    fn persist(&mut self, record: CoordinatorRecord);
    /// To be sent to one site.
    fn send(&mut self, site: u16, message: ToSite);
    /// Digest of the newest durable record: what was persisted in the same call does not count.
    fn head(&self) -> Digest;
}

/// Digest and signature of each site's answer, and the sum so far.
#[derive(Debug)]
struct Round {
    open: RoundOpen,
    q: Option<Digest>,
    sum: Masked,
    answers: Gathered<(Digest, Signature)>,
}

#[derive(Debug)]
enum Stage {
    /// Until every site has approved and is connected.
    Waiting,
    Announcing(Gathered<Announcement>),
    /// With the announcements.
    Boxing(Gathered<Vec<SealedBox>>, Vec<Announcement>),
    /// With the announcements.
    Confirming(Gathered<Confirmation>, Vec<Announcement>),
    Nexts(Gathered<Said>),
    Answering(Box<Round>),
    /// All sites signed the same release; the site that is asked for it.
    Releasing(Vec<Finished>, u16),
    Closed(Box<Closed>),
}

/// What a site says when it is asked nothing.
#[derive(Debug, Clone)]
enum Said {
    Next(Next),
    Finished(Finished),
}

/// What the run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// Approval of these sites.
    Approval(Vec<u16>),
    /// Connection of these sites.
    Connection(Vec<u16>),
    /// A message of these sites.
    Message(Vec<u16>),
    /// Nothing: it is finished.
    Nothing,
}

/// One run at the coordinator.
#[derive(Debug)]
pub struct CoordinatorMachine {
    manifest: Manifest,
    digest: Digest,
    identity: SigningIdentity,
    approvals: Vec<Option<Approval>>,
    connected: Vec<bool>,
    epoch: u64,
    /// The newest request.
    requested: Option<Box<RoundOpen>>,
    /// The last round that was opened.
    last: Option<Last>,
    /// The release, where it is there already.
    release: Option<Vec<u8>>,
    counts: ModelCounts,
    stage: Stage,
    bytes_per_site: u64,
}

/// The last round that was opened.
#[derive(Debug)]
struct Last {
    q0: Digest,
    layout: Layout,
    result: Box<RoundResult>,
}

impl CoordinatorMachine {
    /// A run from its ledger; an empty one for a run that has not begun. Records that do not follow are a fault.
    pub fn recover(
        manifest: Manifest,
        identity: SigningIdentity,
        records: impl IntoIterator<Item = CoordinatorRecord>,
    ) -> Result<CoordinatorMachine, Fault> {
        let sites = manifest.roster.len();
        let digest = manifest.digest();
        let mut machine = CoordinatorMachine {
            manifest,
            digest,
            identity,
            approvals: vec![None; sites],
            connected: vec![false; sites],
            epoch: 0,
            requested: None,
            last: None,
            release: None,
            counts: ModelCounts::default(),
            stage: Stage::Waiting,
            bytes_per_site: 0,
        };
        for record in records {
            machine.replay(record)?;
        }
        Ok(machine)
    }

    fn replay(&mut self, record: CoordinatorRecord) -> Result<(), Fault> {
        match record {
            CoordinatorRecord::Approved { approval } => {
                let slot = self.approvals.get_mut(usize::from(approval.site)).ok_or(Fault::Unexpected)?;
                *slot = Some(approval);
            }
            CoordinatorRecord::Withdrawn { withdrawal } => {
                let slot = self.approvals.get_mut(usize::from(withdrawal.site)).ok_or(Fault::Unexpected)?;
                *slot = None;
            }
            CoordinatorRecord::Epoch { epoch } => self.epoch = epoch,
            CoordinatorRecord::Requested { open } => {
                self.counts = open.counts;
                self.requested = Some(open);
            }
            CoordinatorRecord::Opened { q0, result } => {
                let round = result.round;
                let open = self.requested.as_ref().filter(|open| open.round == round && open.q0 == q0);
                let layout = open.ok_or(Fault::OtherPlan { round })?.layout.clone();
                let (expected, got) = (layout.words(), result.sum.words.len());
                if round != self.round() {
                    return Err(Fault::OtherPlan { round });
                }
                if expected != got {
                    return Err(Fault::Length { expected, got });
                }
                self.last = Some(Last { q0, layout, result });
            }
            CoordinatorRecord::Released { bytes, .. } => self.release = Some(bytes),
            CoordinatorRecord::Closed { closed } => {
                self.counts = closed.finished.first().map_or(self.counts, |finished| finished.counts);
                self.stage = Stage::Closed(closed);
            }
            CoordinatorRecord::Agreed { .. } | CoordinatorRecord::Refused { .. } => {}
        }
        Ok(())
    }

    /// The manifest of the run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Number of the next round.
    pub fn round(&self) -> u32 {
        self.last.as_ref().map_or(1, |last| last.result.round + 1)
    }

    /// How the models stand, as all sites said last.
    pub fn counts(&self) -> ModelCounts {
        self.counts
    }

    /// The release that all sites signed.
    pub fn release(&self) -> Option<&[u8]> {
        self.release.as_deref()
    }

    /// Are all results there, and the same at every site?
    pub fn finished(&self) -> bool {
        matches!(self.stage, Stage::Closed(_))
    }

    /// Bytes of masked words that each site has sent in the rounds of this process.
    pub fn bytes_per_site(&self) -> u64 {
        self.bytes_per_site
    }

    /// What it waits for.
    pub fn waiting(&self) -> Waiting {
        if self.finished() {
            return Waiting::Nothing;
        }
        let unapproved: Vec<u16> =
            (0..self.approvals.len()).filter(|i| self.approvals[*i].is_none()).map(|i| i as u16).collect();
        if !unapproved.is_empty() {
            return Waiting::Approval(unapproved);
        }
        match &self.stage {
            Stage::Waiting => Waiting::Connection(
                (0..self.connected.len()).filter(|i| !self.connected[*i]).map(|i| i as u16).collect(),
            ),
            Stage::Announcing(g) => Waiting::Message(g.missing()),
            Stage::Boxing(g, _) => Waiting::Message(g.missing()),
            Stage::Confirming(g, _) => Waiting::Message(g.missing()),
            Stage::Nexts(g) => Waiting::Message(g.missing()),
            Stage::Answering(round) => Waiting::Message(round.answers.missing()),
            Stage::Releasing(_, site) => Waiting::Message(vec![*site]),
            Stage::Closed(_) => Waiting::Nothing,
        }
    }

    /// A site is connected and shows its approval.
    pub fn joined(&mut self, approval: Approval, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        approval.verify(&self.manifest.roster).map_err(|_| Fault::Signature)?;
        if approval.manifest != self.digest {
            return Err(Fault::Unexpected);
        }
        let site = usize::from(approval.site);
        if self.approvals[site].as_ref() != Some(&approval) {
            context.persist(CoordinatorRecord::Approved { approval: approval.clone() });
            self.approvals[site] = Some(approval);
        }
        self.connected[site] = true;
        if let Stage::Closed(closed) = &self.stage {
            context.send(site as u16, ToSite::Closed(closed.clone()));
            return Ok(());
        }
        self.stage = Stage::Waiting;
        if self.connected.iter().all(|c| *c) {
            self.open_epoch(context);
        }
        Ok(())
    }

    /// A site takes its approval back. A run that is not finished waits from now on.
    pub fn withdrawn(&mut self, withdrawal: &Withdrawal, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        withdrawal.verify(&self.manifest.roster).map_err(|_| Fault::Signature)?;
        if withdrawal.manifest != self.digest {
            return Err(Fault::Unexpected);
        }
        let site = usize::from(withdrawal.site);
        if self.finished() || self.approvals[site].is_none() {
            return Ok(());
        }
        context.persist(CoordinatorRecord::Withdrawn { withdrawal: withdrawal.clone() });
        self.approvals[site] = None;
        self.left(withdrawal.site);
        Ok(())
    }

    /// A site's connection is gone: wait for it, then agree on new keys.
    pub fn left(&mut self, site: u16) {
        self.connected[usize::from(site)] = false;
        if !self.finished() {
            self.stage = Stage::Waiting;
        }
    }

    /// Takes one message of a site.
    pub fn handle(&mut self, site: u16, message: FromSite, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        match message {
            FromSite::Announcement(announcement) => self.announcement(site, announcement, context),
            FromSite::Boxes { epoch, boxes } => self.boxes(site, epoch, boxes, context),
            FromSite::Confirmation { epoch, confirmation } => self.confirmation(site, epoch, confirmation, context),
            FromSite::Next(next) => self.next(site, next, context),
            FromSite::Answer(answer) => self.answer(site, &answer, context),
            FromSite::Finished(finished) => self.site_finished(site, finished, context),
            FromSite::Release { bytes } => self.released(site, bytes, context),
            FromSite::Refused { code } => {
                context.persist(CoordinatorRecord::Refused { site, rule: code.clone() });
                Err(Fault::Refused { code })
            }
        }
    }

    fn sites(&self) -> usize {
        self.manifest.roster.len()
    }

    fn broadcast(&self, message: &ToSite, context: &mut dyn CoordinatorContext) {
        for site in 0..self.sites() {
            context.send(site as u16, message.clone());
        }
    }

    fn open_epoch(&mut self, context: &mut dyn CoordinatorContext) {
        self.epoch += 1;
        context.persist(CoordinatorRecord::Epoch { epoch: self.epoch });
        self.stage = Stage::Announcing(Gathered::new(self.sites()));
        self.broadcast(&ToSite::EpochOpen { epoch: self.epoch }, context);
    }

    fn announcement(
        &mut self,
        site: u16,
        announcement: Announcement,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let Stage::Announcing(gathered) = &mut self.stage else { return Err(Fault::Unexpected) };
        if announcement.epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        gathered.put(site, announcement)?;
        if gathered.complete() {
            let announcements = gathered.take();
            self.stage = Stage::Boxing(Gathered::new(self.sites()), announcements.clone());
            self.broadcast(&ToSite::Bundle { announcements }, context);
        }
        Ok(())
    }

    fn boxes(
        &mut self,
        site: u16,
        epoch: u64,
        boxes: Vec<SealedBox>,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let Stage::Boxing(gathered, announcements) = &mut self.stage else { return Err(Fault::Unexpected) };
        if epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        gathered.put(site, boxes)?;
        if gathered.complete() {
            let mut boxes: Vec<SealedBox> = gathered.take().into_iter().flatten().collect();
            boxes.sort_by_key(|b| (b.from, b.to));
            let announcements = std::mem::take(announcements);
            self.stage = Stage::Confirming(Gathered::new(self.sites()), announcements);
            self.broadcast(&ToSite::Boxes { boxes }, context);
        }
        Ok(())
    }

    fn confirmation(
        &mut self,
        site: u16,
        epoch: u64,
        confirmation: Confirmation,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let Stage::Confirming(gathered, announcements) = &mut self.stage else { return Err(Fault::Unexpected) };
        if epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        gathered.put(site, confirmation)?;
        if gathered.complete() {
            let (epoch, announcements, confirmations) = (self.epoch, std::mem::take(announcements), gathered.take());
            let agreed = confirmations.clone();
            context.persist(CoordinatorRecord::Agreed { epoch, announcements, confirmations: agreed });
            self.expect_next();
            self.broadcast(&ToSite::Confirmations { confirmations }, context);
        }
        Ok(())
    }

    fn expect_next(&mut self) {
        self.stage = Stage::Nexts(Gathered::new(self.sites()));
    }

    fn next(&mut self, site: u16, next: Next, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        let member = self.manifest.roster.members().get(usize::from(site)).ok_or(Fault::Unexpected)?;
        next.verify(&member.identity, &self.digest).map_err(|_| Fault::Signature)?;
        let Stage::Nexts(said) = &mut self.stage else { return Err(Fault::Unexpected) };
        if next.epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        said.put(site, Said::Next(next))?;
        self.maybe_open_round(context)
    }

    fn site_finished(
        &mut self,
        site: u16,
        finished: Finished,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let member = self.manifest.roster.members().get(usize::from(site)).ok_or(Fault::Unexpected)?;
        finished.verify(&member.identity, &self.digest).map_err(|_| Fault::Signature)?;
        let Stage::Nexts(said) = &mut self.stage else { return Err(Fault::Unexpected) };
        said.put(site, Said::Finished(finished))?;
        self.maybe_open_round(context)
    }

    /// When all sites have said what comes next: the round that the last of them is at, or the end.
    fn maybe_open_round(&mut self, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
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

    /// The round must be the next one, or the last opened one again.
    fn check_round(&self, round: u32, q0: &Digest, layout: &Layout, ended: bool) -> Result<(), Fault> {
        if layout.words() > MOST_WORDS {
            return Err(Fault::Length { expected: MOST_WORDS, got: layout.words() });
        }
        match &self.last {
            _ if round == self.round() && !ended => Ok(()),
            Some(last) if last.result.round == round && last.q0 == *q0 && last.layout == *layout => Ok(()),
            _ => Err(Fault::OtherPlan { round }),
        }
    }

    fn answer(&mut self, site: u16, answer: &Answer, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
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

    fn close_round(&mut self, q: Digest, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        let Stage::Answering(round) = std::mem::replace(&mut self.stage, Stage::Waiting) else {
            return Err(Fault::Unexpected);
        };
        let Round { open, sum, mut answers, .. } = *round;
        self.bytes_per_site += 16 * sum.words.len() as u64 + 48;
        let result = RoundResult::sign(&self.identity, self.epoch, open.round, q, sum, answers.take());
        if open.round == self.round() {
            context.persist(CoordinatorRecord::Opened { q0: open.q0, result: Box::new(result.clone()) });
            self.last = Some(Last { q0: open.q0, layout: open.layout, result: Box::new(result.clone()) });
        } else if !self.reopened(&result) {
            return Err(Fault::OtherSum { round: open.round });
        }
        self.expect_next();
        self.broadcast(&ToSite::RoundResult(result), context);
        Ok(())
    }

    /// Does a round that was answered again have the sum of the last one, as far as the coordinator reads it?
    fn reopened(&self, result: &RoundResult) -> bool {
        self.last.as_ref().is_some_and(|last| {
            let mut opened = last.layout.ranges().filter(|(segment, _)| !segment.sealed);
            opened.all(|(_, range)| last.result.sum.words.get(range.clone()) == result.sum.words.get(range))
        })
    }

    /// All sites are done: the same results, the same release. One of them is asked for it.
    fn finish(&mut self, finished: Vec<Finished>, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        if finished.windows(2).any(|pair| !pair[0].agrees_with(&pair[1])) {
            return Err(Fault::OtherResults);
        }
        self.counts = finished.first().map_or(self.counts, |finished| finished.counts);
        if self.release.is_some() {
            self.close(finished, context);
            return Ok(());
        }
        self.stage = Stage::Releasing(finished, 0);
        context.send(0, ToSite::SendRelease);
        Ok(())
    }

    /// A release is the one that all sites signed, or the next site is asked.
    fn released(&mut self, site: u16, bytes: Vec<u8>, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        let Stage::Releasing(finished, asked) = &mut self.stage else { return Err(Fault::Unexpected) };
        if site != *asked {
            return Err(Fault::Unexpected);
        }
        let signed = finished.first().map(|f| f.release);
        let same = signed == Some(Release::digest_of(&self.digest, &bytes));
        if !same || Release::from_bytes(&bytes).is_err() {
            *asked += 1;
            let next = *asked;
            if usize::from(next) < self.manifest.roster.len() {
                context.send(next, ToSite::SendRelease);
                return Err(Fault::OtherRelease);
            }
            self.stage = Stage::Waiting;
            return Err(Fault::NoRelease);
        }
        let finished = std::mem::take(finished);
        context.persist(CoordinatorRecord::Released { site, bytes: bytes.clone() });
        self.release = Some(bytes);
        self.close(finished, context);
        Ok(())
    }

    fn close(&mut self, finished: Vec<Finished>, context: &mut dyn CoordinatorContext) {
        let closed = Closed { finished, head: context.head(), signature: Signature([0; 64]) };
        let closed = Box::new(closed.signed(&self.identity, &self.digest));
        context.persist(CoordinatorRecord::Closed { closed: closed.clone() });
        self.broadcast(&ToSite::Closed(closed.clone()), context);
        self.stage = Stage::Closed(closed);
    }
}
