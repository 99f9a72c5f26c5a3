//! The coordinator's ledger: what it asked, added and opened, and the release that all sites signed.

use secagg::Digest;

use super::bundle::Party;
use super::findings::{Findings, Summary};
use super::run::{Past, Run};
use super::witness::Seen;
use crate::ledger::Entry;
use crate::machine::coordinator::CoordinatorRecord;
use crate::message::{Finished, RoundOpen, RoundResult};
use crate::refit::{Compared, Refits};
use crate::release::Release;
use crate::request::epoch_digest;

/// The ledger, entry by entry.
pub(super) struct Walk<'r> {
    run: &'r Run,
    epoch: u64,
    transcript: Option<Digest>,
    /// What all sites saw last in this epoch.
    before: Past,
    open: Option<RoundOpen>,
    approved: Vec<bool>,
    /// The fits of what the coordinator opened, made again.
    refits: Option<Refits>,
    /// What it says of the release beside them.
    compared: Option<Compared>,
    release: Option<(Digest, Option<Release>)>,
    finished: Option<Finished>,
    /// Is the release the one that all sites signed?
    released: bool,
    summary: Summary,
}

impl<'r> Walk<'r> {
    pub(super) fn new(run: &'r Run) -> Walk<'r> {
        Walk {
            run,
            epoch: 0,
            transcript: None,
            before: Past::Nothing,
            open: None,
            approved: vec![false; run.manifest.roster.len()],
            refits: Refits::new(&run.protocol, run.manifest.roster.len()),
            compared: None,
            release: None,
            finished: None,
            released: false,
            summary: Summary::new(Party::Coordinator),
        }
    }

    pub(super) fn record(&mut self, entry: Entry<CoordinatorRecord>, findings: &mut Findings, seen: &mut Seen) {
        self.summary.entry(entry.time);
        let speaks = !matches!(entry.record, CoordinatorRecord::Refused { .. });
        findings.check(!(self.summary.closed && speaks), "the run goes on after its end");
        match entry.record {
            CoordinatorRecord::Approved { approval } => {
                self.summary.signatures += 1;
                let holds = approval.verify(&self.run.manifest.roster).is_ok() && approval.manifest == self.run.digest;
                if findings.check(holds, "an approval is not signed by its site") {
                    seen.approved(approval.site, approval.policy, approval.cohort);
                    self.approved[usize::from(approval.site)] = true;
                }
            }
            CoordinatorRecord::Withdrawn { withdrawal } => {
                self.summary.signatures += 1;
                let roster = &self.run.manifest.roster;
                let holds = withdrawal.verify(roster).is_ok() && withdrawal.manifest == self.run.digest;
                if findings.check(holds, "a withdrawal is not signed by its site") {
                    self.approved[usize::from(withdrawal.site)] = false;
                    self.summary.withdrawn = true;
                }
            }
            CoordinatorRecord::Epoch { epoch } => {
                findings.check(epoch > self.epoch, "the epoch is not newer than the one before");
                findings.check(self.approved.iter().all(|a| *a), "an epoch before every site has approved");
                self.epoch = epoch;
                self.before = Past::Nothing;
                self.transcript = None;
            }
            CoordinatorRecord::Agreed { epoch, announcements, confirmations } => {
                findings.check(epoch == self.epoch, "the agreement is not that of the epoch");
                let transcript = self.run.agreed(epoch, &announcements, &confirmations, findings, &mut self.summary);
                seen.agreed(&announcements);
                self.before = Past::Transcript(transcript);
                self.transcript = Some(transcript);
            }
            CoordinatorRecord::Requested { open } => {
                self.summary.requests += 1;
                let digest = self.run.requested(&open, self.before, findings, seen, &mut self.summary);
                self.before = Past::Request(digest);
                self.open = Some(*open);
            }
            CoordinatorRecord::Opened { q0, result } => self.opened(&q0, &result, findings, seen),
            CoordinatorRecord::Refused { site, rule } => {
                let name = Party::Site(site).name(&self.run.manifest);
                self.summary.refusals.push((format!("{rule} ({name})"), entry.number));
            }
            CoordinatorRecord::Compared { outcome } => {
                findings.check(self.refits.is_some(), "a comparison without fits");
                match outcome {
                    Ok(compared) => self.compared = Some(compared),
                    Err(differs) => self.summary.refusals.push((format!("a release: {differs}"), entry.number)),
                }
            }
            CoordinatorRecord::Released { site: _, bytes } => {
                let release = Release::from_bytes(&bytes).ok();
                findings.check(release.is_some(), "the release does not read");
                findings.check(self.release.is_none(), "a second release");
                self.release = Some((Release::digest_of(&self.run.digest, &bytes), release));
            }
            CoordinatorRecord::Closed { closed } => {
                self.run.closed(&closed, self.before, findings, seen, &mut self.summary);
                self.finished = closed.finished.into_iter().next();
                let signed = self.finished.as_ref().map(|finished| finished.release);
                let same = signed.is_some() && self.release.as_ref().map(|(digest, _)| *digest) == signed;
                self.released = findings.check(same, "the release is not the one that all sites signed");
            }
        }
    }

    fn opened(&mut self, q0: &Digest, result: &RoundResult, findings: &mut Findings, seen: &mut Seen) {
        let proof = result.proof();
        self.run.result(&proof, findings, &mut self.summary);
        seen.result(&proof);
        let open = self.open.take().filter(|open| open.round == result.round && open.q0 == *q0);
        let Some(open) = open.filter(|open| open.layout.words() == result.sum.words.len()) else {
            findings.here("a sum of what was not requested");
            return;
        };
        let digest = open.digest(&self.run.digest);
        let bound = self.transcript.is_some_and(|t| epoch_digest(q0, self.epoch, &t, &digest) == result.q);
        findings.check(bound && result.epoch == self.epoch, "the sum is not bound to the epoch's keys and the request");
        let next = self.summary.rounds + 1 == u64::from(result.round);
        findings.check(next, "the rounds do not follow each other");
        self.summary.rounds += 1;
        self.summary.opened += open.layout.opened() as u64;
        self.summary.sealed += (open.layout.words() - open.layout.opened()) as u64;
        if let Some(refits) = &mut self.refits {
            refits.round(&open.layout, &result.sum.words);
        }
    }

    pub(super) fn end(mut self, findings: &mut Findings) -> (Summary, Option<Release>) {
        findings.check(self.summary.entries > 0, "the ledger is empty");
        let release = self.release.filter(|_| self.released).and_then(|(_, release)| release);
        if let (Some(release), Some(refits)) = (&release, &self.refits) {
            match refits.compare(release.results()) {
                Ok(compared) => {
                    let said = self.compared == Some(compared);
                    findings.check(said, "the ledger says other of the release than its sums do");
                    self.summary.fits = Some(compared);
                }
                Err(differs) => findings.here(format!("the release is not that of the opened sums: {differs}")),
            }
        }
        (self.summary, release)
    }
}
