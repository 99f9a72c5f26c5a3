//! The site's end of one run.

mod config;
mod end;
mod random;
mod record;
mod refusal;

use std::sync::Arc;

use secagg::{Announced, Announcement, Boxed, Canonical, Confirming, Digest, Epoch, Opened, Signature};

use crate::evaluate::{EvaluateError, Evaluator};
use crate::layout::Layout;
use crate::message::{Answer, FromSite, Next, RoundOpen, RoundResult, ToSite};
use crate::plan::{Plan, Progress};
use crate::request::{epoch_digest, first_digest, request_digest, sum_digest};
use crate::view::Asked;
use crate::word;
pub use config::SiteConfig;
use random::ContextRng;
pub use record::SiteRecord;
pub use refusal::Refusal;

/// Where the machine leaves what it wants done, and gets what it may not make itself.
pub trait SiteContext {
    /// To be durable before anything is sent.
    fn persist(&mut self, record: SiteRecord);
    /// To be sent.
    fn send(&mut self, message: FromSite);
    /// 32 fresh random bytes.
    fn random(&mut self) -> [u8; 32];
    /// Answers of all questions, in order; may use threads.
    fn answer(&self, evaluator: &Evaluator<'_>, questions: &[Asked]) -> Result<Vec<i128>, EvaluateError>;
    /// Seconds since 1970.
    fn now(&self) -> u64;
    /// Digest of the newest durable record: what was persisted in the same call does not count.
    fn head(&self) -> Digest;
    /// Was a digest the head of this ledger at some time? That of the manifest is the head of an empty one.
    fn holds(&self, head: &Digest) -> bool;
}

/// A round that was accepted or is next: what is needed to answer it.
#[derive(Debug, Clone)]
struct Turn {
    round: u32,
    q0: Digest,
    questions: Arc<[Asked]>,
    layout: Layout,
}

impl Turn {
    fn of(manifest: &Digest, round: u32, plan: &Plan, previous: &Digest) -> Turn {
        let q0 = request_digest(manifest, round, plan, previous);
        Turn { round, q0, questions: Arc::clone(plan.ask()), layout: Layout::of(plan) }
    }
}

#[derive(Debug)]
enum Stage {
    /// Waits for an epoch.
    Idle,
    Announced(Announced),
    Boxed(Boxed),
    Confirming(Confirming),
    Ready(Box<Epoch>),
    Stopped,
    Withdrawn,
}

#[derive(Debug)]
struct Sent {
    turn: Turn,
    answer: Answer,
    /// Digest of the masked words.
    words: Digest,
}

/// One run at one site.
#[derive(Debug)]
pub struct SiteMachine {
    config: SiteConfig,
    manifest: Digest,
    stage: Stage,
    epoch: u64,
    plan: Plan,
    current: Turn,
    /// The accepted round before, with the digest of its sum.
    previous: Option<(Turn, Digest)>,
    sent: Option<Sent>,
    /// Of all sites, until the epoch is confirmed.
    announcements: Vec<Announcement>,
    /// What was said last in this epoch about the round to come.
    said: Option<Next>,
    /// Digest of the last request of this epoch; before the first, its transcript.
    witnessed: Digest,
    /// The same when this site spoke last: what all sites signed that the request to come repeats.
    seen: Digest,
    finished: bool,
    closed: bool,
}

impl SiteMachine {
    /// A run from its journal; an empty one for a run that has not begun.
    pub fn recover(config: SiteConfig, records: impl IntoIterator<Item = SiteRecord>) -> Result<SiteMachine, Refusal> {
        let manifest = config.manifest.digest();
        let plan = Plan::new(Arc::clone(&config.protocol));
        let current = Turn::of(&manifest, 1, &plan, &first_digest(&manifest));
        let mut machine = SiteMachine {
            config,
            manifest,
            stage: Stage::Idle,
            epoch: 0,
            plan,
            current,
            previous: None,
            sent: None,
            announcements: Vec::new(),
            said: None,
            witnessed: manifest,
            seen: manifest,
            finished: false,
            closed: false,
        };
        for record in records {
            machine.replay(record)?;
        }
        Ok(machine)
    }

    fn replay(&mut self, record: SiteRecord) -> Result<(), Refusal> {
        match record {
            SiteRecord::Epoch { epoch } => self.epoch = epoch,
            SiteRecord::Accepted { q0, proof, opened } => {
                let round = proof.round;
                if round != self.current.round || q0 != self.current.q0 {
                    return Err(Refusal::NotThePlan { round });
                }
                if opened.words.len() != self.current.layout.words() {
                    return Err(Refusal::OtherSum);
                }
                self.advance(&opened);
            }
            SiteRecord::Finished { .. } => self.finished = true,
            SiteRecord::Closed { .. } => self.closed = true,
            SiteRecord::Withdrawn => self.stage = Stage::Withdrawn,
            SiteRecord::Consented
            | SiteRecord::Approved { .. }
            | SiteRecord::Agreed { .. }
            | SiteRecord::Requested { .. }
            | SiteRecord::Answered { .. }
            | SiteRecord::Refused { .. } => {}
        }
        Ok(())
    }

    /// Where the plan stands.
    pub fn progress(&self) -> Progress {
        self.plan.progress()
    }

    /// Is the plan done and acknowledged in the journal?
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Did all sites end with the same, as this site has seen?
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// The plan as this site holds it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The connection is gone: the keys of the epoch with it.
    pub fn disconnected(&mut self) {
        if !matches!(self.stage, Stage::Stopped | Stage::Withdrawn) {
            self.stage = Stage::Idle;
            self.sent = None;
        }
    }

    /// The site's people have withdrawn the approval: every later message is refused, the same after a restart.
    pub fn withdraw(&mut self, context: &mut dyn SiteContext) {
        if !matches!(self.stage, Stage::Withdrawn) {
            self.stage = Stage::Withdrawn;
            self.sent = None;
            context.persist(SiteRecord::Withdrawn);
        }
    }

    /// Answers one message. A refusal is recorded and told by its rule id; the caller shows it to the site's people.
    pub fn handle(&mut self, message: ToSite, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        let outcome = self.dispatch(message, context);
        if let Err(refusal) = &outcome {
            context.persist(SiteRecord::Refused { rule: refusal.rule().into() });
            context.send(FromSite::Refused { code: refusal.rule().into() });
            if refusal.stops() && !matches!(self.stage, Stage::Withdrawn) {
                self.stage = Stage::Stopped;
            }
        }
        outcome
    }

    fn dispatch(&mut self, message: ToSite, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        match self.stage {
            Stage::Withdrawn => return Err(Refusal::Withdrawn),
            Stage::Stopped => return Err(Refusal::Unexpected),
            _ => {}
        }
        // a closed run is never opened again, not even to say the same once more
        if self.closed && !matches!(message, ToSite::Closed(_)) {
            return Err(Refusal::Closed);
        }
        if context.now() > self.config.manifest.expires {
            return Err(Refusal::Expired);
        }
        self.config.policy.check_time(self.config.approved, context.now())?;
        match message {
            ToSite::EpochOpen { epoch, known } => self.open_epoch(epoch, &known, context),
            ToSite::Bundle { announcements } => self.bundle(announcements, context),
            ToSite::Boxes { boxes } => match std::mem::replace(&mut self.stage, Stage::Idle) {
                Stage::Boxed(boxed) => {
                    let (next, confirmation) = boxed.boxes(&self.config.identity, &boxes)?;
                    self.stage = Stage::Confirming(next);
                    context.send(FromSite::Confirmation { epoch: self.epoch, confirmation });
                    Ok(())
                }
                other => self.unexpected(other),
            },
            ToSite::Confirmations { confirmations } => match std::mem::replace(&mut self.stage, Stage::Idle) {
                Stage::Confirming(confirming) => {
                    let roster = self.config.manifest.roster.identities();
                    let epoch = confirming.confirmations(&roster, &confirmations)?;
                    self.witnessed = epoch.transcript();
                    self.stage = Stage::Ready(Box::new(epoch));
                    let announcements = std::mem::take(&mut self.announcements);
                    context.persist(SiteRecord::Agreed { epoch: self.epoch, announcements, confirmations });
                    self.say_next(context);
                    Ok(())
                }
                other => self.unexpected(other),
            },
            ToSite::RoundOpen(open) => self.round_open(&open, context),
            ToSite::RoundResult(result) => self.round_result(&result, context),
            ToSite::SendRelease => self.send_release(context),
            ToSite::Closed(closed) => self.close(*closed, context),
        }
    }

    fn unexpected(&mut self, stage: Stage) -> Result<(), Refusal> {
        self.stage = stage;
        Err(Refusal::Unexpected)
    }

    fn open_epoch(&mut self, epoch: u64, known: &Digest, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        // it was durable when it was signed: a ledger without it is older than what this site has said
        if !context.holds(known) {
            return Err(Refusal::Behind);
        }
        if epoch <= self.epoch {
            return Err(Refusal::StaleEpoch { got: epoch, last: self.epoch });
        }
        self.config.policy.check_study(&self.config.manifest, &self.config.protocol)?;
        self.epoch = epoch;
        self.sent = None;
        self.said = None;
        context.persist(SiteRecord::Epoch { epoch });
        let head = context.head();
        let (announced, announcement) = Announced::start(
            &mut ContextRng(context),
            &self.config.identity,
            self.manifest,
            epoch,
            self.config.site,
            self.config.commitment,
            head,
        );
        self.stage = Stage::Announced(announced);
        context.send(FromSite::Announcement(announcement));
        Ok(())
    }

    fn bundle(&mut self, all: Vec<Announcement>, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Announced(announced) => {
                let roster = self.config.manifest.roster.identities();
                let (next, boxes) = announced.bundle(&mut ContextRng(context), &roster, &all)?;
                self.stage = Stage::Boxed(next);
                self.announcements = all;
                context.send(FromSite::Boxes { epoch: self.epoch, boxes });
                Ok(())
            }
            other => self.unexpected(other),
        }
    }

    /// Says what the plan derives next, or that it is done.
    fn say_next(&mut self, context: &mut dyn SiteContext) {
        self.said = None;
        self.seen = self.witnessed;
        if self.plan.done() {
            return self.say_finished(context);
        }
        let Turn { round, q0, layout, .. } = &self.current;
        let next = Next {
            epoch: self.epoch,
            round: *round,
            q0: *q0,
            layout: layout.clone(),
            counts: self.plan.progress().into(),
            head: context.head(),
            witnessed: self.witnessed,
            signature: Signature([0; 64]),
        };
        let next = next.signed(&self.config.identity, &self.manifest);
        self.said = Some(next.clone());
        context.send(FromSite::Next(next));
    }

    fn round_open(&mut self, open: &RoundOpen, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        let Stage::Ready(epoch) = &self.stage else { return Err(Refusal::Unexpected) };
        open.verify(&self.config.manifest.coordinator, &self.manifest).map_err(|_| Refusal::Signature)?;
        if open.epoch != self.epoch {
            return Err(Refusal::StaleEpoch { got: open.epoch, last: self.epoch });
        }
        // The same request again in the same epoch: the stored bytes again.
        if let Some(sent) = &self.sent
            && sent.turn.round == open.round
            && sent.turn.q0 == open.q0
        {
            context.send(FromSite::Answer(sent.answer.clone()));
            return Ok(());
        }
        let turn = self.turn(open.round, &open.q0)?.clone();
        if open.layout != turn.layout {
            return Err(Refusal::NotThePlan { round: open.round });
        }
        self.check_witnesses(open)?;
        // what is not of this shape leaves a refusal and no copy: it could be of any size
        context.persist(SiteRecord::Requested { open: Box::new(open.clone()) });
        self.config.policy.check_round(open.round)?;
        self.config.policy.check_opened(&self.plan)?;
        let sites = self.config.manifest.roster.len();
        let first = self.config.site == 0;
        let evaluator = Evaluator::new(&self.config.protocol, &self.config.cohort, sites, first)
            .drawing(&self.config.draws, &turn.questions);
        let x = context.answer(&evaluator, &turn.questions)?;
        let digest = open.digest(&self.manifest);
        let q = epoch_digest(&open.q0, self.epoch, &epoch.transcript(), &digest);
        let masked = epoch.mask_salted(q, &x, self.salt(&open.q0), &turn.layout.sealed());
        let (answer, words) = Answer::sign(&self.config.identity, self.epoch, open.round, q, masked);
        context.persist(SiteRecord::Answered { round: open.round, q0: open.q0, q, masked: words });
        context.send(FromSite::Answer(answer.clone()));
        self.sent = Some(Sent { turn, answer, words });
        self.witnessed = digest;
        Ok(())
    }

    /// The request repeats what this site said, and the other sites saw the request before that this one saw.
    fn check_witnesses(&self, open: &RoundOpen) -> Result<(), Refusal> {
        let own = self.said.as_ref().filter(|next| next.round == open.round).map(Next::witness);
        let listed = open.witnesses.len() == self.config.manifest.roster.len();
        if !listed || open.witnesses.get(usize::from(self.config.site)) != Some(&own) {
            return Err(Refusal::Witness);
        }
        // only at the beginning of an epoch may a site be beyond the round and say nothing of it
        let first = matches!(&self.stage, Stage::Ready(epoch) if epoch.transcript() == self.seen);
        let silent = open.witnesses.iter().any(Option::is_none);
        if (silent && !first) || open.witnesses.iter().all(Option::is_none) {
            return Err(Refusal::Witness);
        }
        if open.witnesses.iter().flatten().any(|witness| witness.witnessed != self.seen) {
            return Err(Refusal::Witness);
        }
        Ok(())
    }

    /// The round that may be answered: the next one, or the last accepted one again.
    fn turn(&self, round: u32, q0: &Digest) -> Result<&Turn, Refusal> {
        let done = self.plan.done();
        [(!done).then_some(&self.current), self.previous.as_ref().map(|(turn, _)| turn)]
            .into_iter()
            .flatten()
            .find(|turn| turn.round == round && turn.q0 == *q0)
            .ok_or(Refusal::NotThePlan { round })
    }

    /// The first site's salt word: secret, and the same whenever the same request is answered again.
    fn salt(&self, q0: &Digest) -> u128 {
        if self.config.site != 0 {
            return 0;
        }
        let digest = Canonical::new("entente/v1/salt").array(&self.config.secret).digest_field(q0).digest();
        digest.0[..16].iter().fold(0, |word, byte| word << 8 | u128::from(*byte))
    }

    fn round_result(&mut self, result: &RoundResult, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        let Stage::Ready(epoch) = &self.stage else { return Err(Refusal::Unexpected) };
        let proof = result.proof();
        proof.verify(&self.config.manifest.coordinator).map_err(|_| Refusal::Signature)?;
        let Some(sent) = &self.sent else { return Err(Refusal::Unexpected) };
        if result.q != sent.answer.q || result.round != sent.turn.round || result.epoch != self.epoch {
            return Err(Refusal::Unexpected);
        }
        let own = (sent.words, sent.answer.signature);
        let complete = result.answers.len() == self.config.manifest.roster.len();
        if !complete || result.answers.get(usize::from(self.config.site)) != Some(&own) {
            return Err(Refusal::NotMyAnswer);
        }
        let opened = epoch.open(result.q, &result.sum, &sent.turn.layout.sealed())?;
        if opened.words.len() != sent.turn.layout.words() {
            return Err(Refusal::OtherSum);
        }
        let q0 = sent.turn.q0;
        if sent.turn.round != self.current.round {
            return self.reopened(&q0, &opened, context);
        }
        context.persist(SiteRecord::Accepted { q0, proof: Box::new(proof), opened: opened.clone() });
        self.advance(&opened);
        self.sent = None;
        self.say_next(context);
        Ok(())
    }

    /// A round that this site had accepted before others did: the sum must be the same.
    fn reopened(&mut self, q0: &Digest, opened: &Opened, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        let accepted = self.previous.as_ref().map(|(_, digest)| *digest);
        if accepted != Some(sum_digest(q0, &opened.digest())) {
            return Err(Refusal::OtherSum);
        }
        self.sent = None;
        self.say_next(context);
        Ok(())
    }

    fn advance(&mut self, opened: &Opened) {
        let digest = sum_digest(&self.current.q0, &opened.digest());
        self.plan.tell(&word::read(&opened.words, self.config.manifest.roster.len()));
        let next = Turn::of(&self.manifest, self.current.round + 1, &self.plan, &digest);
        let before = std::mem::replace(&mut self.current, next);
        self.previous = Some((before, digest));
    }
}
