//! The coordinator's end of one run: waits for the whole roster, relays the key agreement, adds masked answers.

mod fault;
mod gathered;

use std::sync::Arc;

use secagg::{Announcement, Confirmation, Digest, Masked, SealedBox, SigningIdentity, open_unsealed};

use crate::manifest::{Approval, Manifest, Withdrawal};
use crate::message::{Answer, Finished, FromSite, Next, RoundOpen, RoundResult, ToSite};
use crate::plan::{Plan, Progress};
use crate::protocol::Protocol;
use crate::results::results_digest;
use crate::word;
pub use fault::Fault;
use gathered::Gathered;

/// What a coordinator writes down before it speaks.
#[derive(Debug, Clone, PartialEq)]
pub enum CoordinatorRecord {
    /// It opens an epoch.
    Epoch {
        /// Number.
        epoch: u64,
    },
    /// It has the sum of a round.
    Opened {
        /// Round.
        round: u32,
        /// Request digest.
        q0: Digest,
        /// The sum, as it is sent to the sites.
        result: Box<RoundResult>,
    },
    /// All sites ended with the same results.
    Finished {
        /// Digest of the results.
        results: Digest,
    },
}

/// Where the machine leaves what it wants done.
pub trait CoordinatorContext {
    /// To be durable before anything is sent.
    fn persist(&mut self, record: CoordinatorRecord);
    /// To be sent to one site.
    fn send(&mut self, site: u16, message: ToSite);
}

/// Digest and signature of each site's answer, and the sum so far.
#[derive(Debug)]
struct Round {
    open: RoundOpen,
    q: Option<Digest>,
    sum: Masked,
    answers: Gathered<(Digest, secagg::Signature)>,
}

#[derive(Debug)]
enum Stage {
    /// Until every site has approved and is connected.
    Waiting,
    Announcing(Gathered<Announcement>),
    Boxing(Gathered<Vec<SealedBox>>),
    Confirming(Gathered<Confirmation>),
    Nexts(Gathered<Option<Next>>, Gathered<Digest>),
    Answering(Box<Round>),
    Finished,
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
    plan: Plan,
    /// Round before the plan's next one: its request and result.
    last: Option<(u32, Digest, Box<RoundResult>)>,
    stage: Stage,
    bytes_per_site: u64,
}

impl CoordinatorMachine {
    /// A run from its journal; an empty one for a run that has not begun. A journal that does not lead where the plan
    /// leads is a fault.
    pub fn recover(
        manifest: Manifest,
        protocol: Arc<Protocol>,
        identity: SigningIdentity,
        approvals: impl IntoIterator<Item = Approval>,
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
            plan: Plan::new(protocol),
            last: None,
            stage: Stage::Waiting,
            bytes_per_site: 0,
        };
        for approval in approvals {
            let slot = machine.approvals.get_mut(usize::from(approval.site)).ok_or(Fault::Unexpected)?;
            *slot = Some(approval);
        }
        for record in records {
            match record {
                CoordinatorRecord::Epoch { epoch } => machine.epoch = epoch,
                CoordinatorRecord::Opened { round, q0, result } => machine.replay(round, q0, result)?,
                CoordinatorRecord::Finished { .. } => machine.stage = Stage::Finished,
            }
        }
        Ok(machine)
    }

    /// A sum from the journal must be the one that the plan asks next.
    fn replay(&mut self, round: u32, q0: Digest, result: Box<RoundResult>) -> Result<(), Fault> {
        if self.plan.done() || round != self.plan.progress().round {
            return Err(Fault::OtherPlan { round });
        }
        let (expected, got) = (self.plan.words(), result.sum.words.len());
        if expected != got {
            return Err(Fault::Length { expected, got });
        }
        self.advance(round, q0, result);
        Ok(())
    }

    /// The manifest of the run.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The plan as the coordinator holds it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where the plan stands.
    pub fn progress(&self) -> Progress {
        self.plan.progress()
    }

    /// Are all results there, and the same at every site?
    pub fn finished(&self) -> bool {
        matches!(self.stage, Stage::Finished)
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
            Stage::Boxing(g) => Waiting::Message(g.missing()),
            Stage::Confirming(g) => Waiting::Message(g.missing()),
            Stage::Nexts(g, _) => Waiting::Message(g.missing()),
            Stage::Answering(round) => Waiting::Message(round.answers.missing()),
            Stage::Finished => Waiting::Nothing,
        }
    }

    /// A site is connected and shows its approval.
    pub fn joined(&mut self, approval: Approval, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        approval.verify(&self.manifest.roster).map_err(|_| Fault::Signature)?;
        if approval.manifest != self.digest {
            return Err(Fault::Unexpected);
        }
        let site = usize::from(approval.site);
        self.approvals[site] = Some(approval);
        self.connected[site] = true;
        if self.finished() {
            context.send(site as u16, ToSite::Finished);
            return Ok(());
        }
        self.stage = Stage::Waiting;
        if self.connected.iter().all(|c| *c) {
            self.open_epoch(context);
        }
        Ok(())
    }

    /// A site takes its approval back. A run that is not finished waits from now on.
    pub fn withdrawn(&mut self, withdrawal: &Withdrawal) -> Result<(), Fault> {
        withdrawal.verify(&self.manifest.roster).map_err(|_| Fault::Signature)?;
        if withdrawal.manifest != self.digest {
            return Err(Fault::Unexpected);
        }
        let site = usize::from(withdrawal.site);
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
            FromSite::Finished(finished) => self.site_finished(site, &finished, context),
            FromSite::Refused { code } => Err(Fault::Refused { code }),
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
            self.stage = Stage::Boxing(Gathered::new(self.sites()));
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
        let Stage::Boxing(gathered) = &mut self.stage else { return Err(Fault::Unexpected) };
        if epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        gathered.put(site, boxes)?;
        if gathered.complete() {
            let mut boxes: Vec<SealedBox> = gathered.take().into_iter().flatten().collect();
            boxes.sort_by_key(|b| (b.from, b.to));
            self.stage = Stage::Confirming(Gathered::new(self.sites()));
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
        let Stage::Confirming(gathered) = &mut self.stage else { return Err(Fault::Unexpected) };
        if epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        gathered.put(site, confirmation)?;
        if gathered.complete() {
            let confirmations = gathered.take();
            self.expect_next();
            self.broadcast(&ToSite::Confirmations { confirmations }, context);
        }
        Ok(())
    }

    fn expect_next(&mut self) {
        self.stage = Stage::Nexts(Gathered::new(self.sites()), Gathered::new(self.sites()));
    }

    fn next(&mut self, site: u16, next: Next, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        let member = self.manifest.roster.members().get(usize::from(site)).ok_or(Fault::Unexpected)?;
        next.verify(&member.identity, &self.digest).map_err(|_| Fault::Signature)?;
        let Stage::Nexts(nexts, _) = &mut self.stage else { return Err(Fault::Unexpected) };
        if next.epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        nexts.put(site, Some(next))?;
        self.maybe_open_round(context)
    }

    fn site_finished(
        &mut self,
        site: u16,
        finished: &Finished,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let member = self.manifest.roster.members().get(usize::from(site)).ok_or(Fault::Unexpected)?;
        finished.verify(&member.identity, &self.digest).map_err(|_| Fault::Signature)?;
        let Stage::Nexts(nexts, results) = &mut self.stage else { return Err(Fault::Unexpected) };
        nexts.put(site, None)?;
        results.put(site, finished.results)?;
        self.maybe_open_round(context)
    }

    /// When all sites have said what comes next: the round that the last of them is at, or the end.
    fn maybe_open_round(&mut self, context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        let Stage::Nexts(nexts, results) = &mut self.stage else { return Ok(()) };
        if !nexts.complete() {
            return Ok(());
        }
        let nexts: Vec<Next> = nexts.take().into_iter().flatten().collect();
        let Some(first) = nexts.iter().min_by_key(|n| n.round) else {
            let results = results.take();
            return self.finish(&results, context);
        };
        let (round, q0, words) = (first.round, first.q0, first.words as usize);
        if nexts.iter().any(|n| n.round == round && n.q0 != q0) {
            return Err(Fault::OtherPlan { round });
        }
        let expected = self.expected_words(round, &q0)?;
        if words != expected {
            return Err(Fault::Length { expected, got: words });
        }
        let open = RoundOpen::sign(&self.identity, &self.digest, self.epoch, round, q0);
        self.stage = Stage::Answering(Box::new(Round {
            open: open.clone(),
            q: None,
            sum: Masked::zero(words),
            answers: Gathered::new(self.sites()),
        }));
        self.broadcast(&ToSite::RoundOpen(open), context);
        Ok(())
    }

    /// The round must be the plan's next one, or the last opened one again.
    fn expected_words(&self, round: u32, q0: &Digest) -> Result<usize, Fault> {
        if round == self.plan.progress().round && !self.plan.done() {
            return Ok(self.plan.words());
        }
        match &self.last {
            Some((last, last_q0, result)) if *last == round && last_q0 == q0 => Ok(result.sum.words.len()),
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
        if open.round == self.plan.progress().round {
            let record = CoordinatorRecord::Opened { round: open.round, q0: open.q0, result: Box::new(result.clone()) };
            context.persist(record);
            self.advance(open.round, open.q0, Box::new(result.clone()));
        } else {
            let same = self.last.as_ref().is_some_and(|(_, _, last)| last.sum.words == result.sum.words);
            if !same {
                return Err(Fault::OtherSum { round: open.round });
            }
        }
        self.expect_next();
        self.broadcast(&ToSite::RoundResult(result), context);
        Ok(())
    }

    fn advance(&mut self, round: u32, q0: Digest, result: Box<RoundResult>) {
        let words: Vec<i128> = open_unsealed(&result.sum, &[]).into_iter().map(Option::unwrap_or_default).collect();
        self.plan.tell(&word::read(&words, self.sites()));
        self.last = Some((round, q0, result));
    }

    fn finish(&mut self, results: &[Digest], context: &mut dyn CoordinatorContext) -> Result<(), Fault> {
        if !self.plan.done() {
            return Err(Fault::OtherPlan { round: self.plan.progress().round });
        }
        let own = results_digest(&self.digest, &self.plan);
        if results.iter().any(|r| *r != own) {
            return Err(Fault::OtherResults);
        }
        context.persist(CoordinatorRecord::Finished { results: own });
        self.stage = Stage::Finished;
        self.broadcast(&ToSite::Finished, context);
        Ok(())
    }
}
