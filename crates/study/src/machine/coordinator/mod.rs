//! The coordinator's end of one run: waits for the whole roster, relays the key agreement, adds masked answers.

mod end;
mod epoch;
mod fault;
mod gathered;
mod record;
mod round;

use std::sync::Arc;

use secagg::{Announcement, Confirmation, Digest, Masked, SealedBox, Signature, SigningIdentity};

use crate::layout::Layout;
use crate::manifest::{Approval, Manifest, Withdrawal};
use crate::message::{Closed, Finished, FromSite, ModelCounts, Next, RoundOpen, RoundResult, ToSite};
use crate::protocol::Protocol;
use crate::refit::Refits;
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
    /// Newest head of its ledger that each site has signed.
    known: Vec<Digest>,
    /// The newest request.
    requested: Option<Box<RoundOpen>>,
    /// The last round that was opened.
    last: Option<Last>,
    /// Its own fits, where it opens the sums of the models.
    refits: Option<Refits>,
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
        protocol: &Arc<Protocol>,
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
            known: vec![digest; sites],
            requested: None,
            last: None,
            refits: Refits::new(protocol, sites),
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
                self.know(&open);
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
                self.opened(Last { q0, layout, result });
            }
            CoordinatorRecord::Released { bytes, .. } => {
                let release = Release::from_bytes(&bytes).map_err(|_| Fault::NoRelease)?;
                if let Some(refits) = &self.refits {
                    refits.compare(release.results())?;
                }
                self.release = Some(bytes);
            }
            CoordinatorRecord::Closed { closed } => {
                self.counts = closed.finished.first().map_or(self.counts, |finished| finished.counts);
                self.stage = Stage::Closed(closed);
            }
            CoordinatorRecord::Agreed { announcements, .. } => {
                self.known = announcements.iter().map(|announcement| announcement.head).collect();
            }
            CoordinatorRecord::Refused { .. } | CoordinatorRecord::Compared { .. } => {}
        }
        Ok(())
    }

    /// A round has its sum: the models go on, as far as it reads them.
    fn opened(&mut self, last: Last) {
        if let Some(refits) = &mut self.refits {
            refits.round(&last.layout, &last.result.sum.words);
        }
        self.last = Some(last);
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
            // an approval binds the rows: in the middle of a run there is no other one
            if self.approvals[site].is_some() && self.requested.is_some() {
                return Err(Fault::OtherApproval);
            }
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
}
