//! A site's ledger: the plan runs again on the sums that the site accepted.

use secagg::{Digest, Opened};

use super::bundle::Party;
use super::findings::{Findings, Place, Summary};
use super::run::Run;
use super::witness::Seen;
use crate::layout::Layout;
use crate::ledger::Entry;
use crate::machine::site::SiteRecord;
use crate::message::{ResultProof, RoundOpen};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::release::Release;
use crate::request::{epoch_digest, first_digest, request_digest, sum_digest};
use crate::results::results_digest;
use crate::word;

/// A request as the plan derives it.
struct Derived {
    round: u32,
    q0: Digest,
    layout: Layout,
}

/// The plan, entry by entry.
pub(super) struct Walk<'r> {
    run: &'r Run,
    site: u16,
    policy: Option<Digest>,
    plan: Plan,
    current: Derived,
    previous: Option<(Derived, Digest)>,
    epoch: u64,
    transcript: Option<Digest>,
    /// What all sites saw last in this epoch.
    before: Option<Digest>,
    /// The newest request that is not answered yet.
    open: Option<RoundOpen>,
    /// The newest answer: request in its epoch, and digest of the masked words.
    answered: Option<(Digest, Digest)>,
    finished: bool,
    summary: Summary,
}

impl<'r> Walk<'r> {
    pub(super) fn new(run: &'r Run, site: u16, policy: &str) -> Walk<'r> {
        let plan = Plan::new(std::sync::Arc::clone(&run.protocol));
        let current = derived(run, 1, &plan, &first_digest(&run.digest));
        let policy = if policy.is_empty() { Ok(Policy::default()) } else { Policy::parse(policy) };
        Walk {
            run,
            site,
            policy: policy.ok().map(|policy| policy.digest()),
            plan,
            current,
            previous: None,
            epoch: 0,
            transcript: None,
            before: None,
            open: None,
            answered: None,
            finished: false,
            summary: Summary::new(Party::Site(site)),
        }
    }

    pub(super) fn record(&mut self, entry: Entry<SiteRecord>, findings: &mut Findings, seen: &mut Seen) {
        self.summary.entry(entry.time);
        match entry.record {
            SiteRecord::Consented => self.summary.people.push(entry.actor),
            SiteRecord::Approved { policy, cohort: _ } => {
                self.summary.people.push(entry.actor);
                if self.policy != Some(policy) {
                    findings.add(Place::Policy, "the policy is not the one under which the run was approved");
                }
            }
            SiteRecord::Epoch { epoch } => {
                findings.check(epoch > self.epoch, "the epoch is not newer than the one before");
                self.epoch = epoch;
                self.transcript = None;
            }
            SiteRecord::Agreed { epoch, announcements, confirmations } => {
                findings.check(epoch == self.epoch, "the agreement is not that of the epoch");
                let transcript = self.run.agreed(epoch, &announcements, &confirmations, findings, &mut self.summary);
                seen.agreed(&announcements);
                self.transcript = Some(transcript);
                self.before = Some(transcript);
            }
            SiteRecord::Requested { open } => self.requested(*open),
            SiteRecord::Answered { round, q0, q, masked } => self.answered(round, q0, q, masked, findings, seen),
            SiteRecord::Accepted { q0, proof, opened } => self.accepted(&q0, &proof, &opened, findings, seen),
            SiteRecord::Refused { rule } => self.summary.refusals.push((rule, entry.number)),
            SiteRecord::Finished { results, release } => self.end_of_plan(&results, &release, findings),
            SiteRecord::Closed { closed } => {
                self.run.closed(&closed, self.before, findings, seen, &mut self.summary);
                let own = closed.finished.get(usize::from(self.site));
                let same = own.is_some_and(|own| {
                    self.finished
                        && own.results == results_digest(&self.run.digest, &self.plan)
                        && own.release == Release::of(&self.plan).digest(&self.run.digest)
                });
                findings.check(same, "the end does not name what the plan ends with");
            }
            SiteRecord::Withdrawn => self.summary.withdrawn = true,
        }
    }

    fn requested(&mut self, open: RoundOpen) {
        // what it shows of the others counts once it is answered: a request may also be refused
        self.summary.requests += 1;
        self.open = Some(open);
    }

    /// Is it what the plan asks next, or the last round again?
    fn derives(&self, open: &RoundOpen) -> bool {
        let same = |d: &Derived| d.round == open.round && d.q0 == open.q0 && d.layout == open.layout;
        (!self.plan.done() && same(&self.current)) || self.previous.as_ref().is_some_and(|(d, _)| same(d))
    }

    fn answered(
        &mut self,
        round: u32,
        q0: Digest,
        q: Digest,
        masked: Digest,
        findings: &mut Findings,
        seen: &mut Seen,
    ) {
        findings.check(!self.summary.withdrawn, "an answer after the approval was withdrawn");
        findings.check(!self.summary.people.is_empty(), "an answer before anybody approved");
        let asked = self.open.take().filter(|open| open.round == round && open.q0 == q0);
        findings.check(asked.is_some(), "an answer to what was not requested");
        if let Some(open) = asked {
            findings.check(self.derives(&open), "an answer to what the plan does not ask");
            let digest = self.run.requested(&open, self.before, findings, seen, &mut self.summary);
            self.before = Some(digest);
        }
        let bound = self.transcript.is_some_and(|transcript| epoch_digest(&q0, self.epoch, &transcript) == q);
        findings.check(bound, "the answer is not bound to the epoch's keys");
        self.answered = Some((q, masked));
    }

    fn accepted(
        &mut self,
        q0: &Digest,
        proof: &ResultProof,
        opened: &Opened,
        findings: &mut Findings,
        seen: &mut Seen,
    ) {
        self.run.result(proof, findings, &mut self.summary);
        seen.result(proof);
        let named = proof.answers.get(usize::from(self.site)).map(|(digest, _)| (proof.q, *digest));
        let own = self.answered.is_some() && named == self.answered;
        findings.check(own, "the sum does not name the answer that the site sent");
        let fits = !self.plan.done()
            && self.current.round == proof.round
            && self.current.q0 == *q0
            && self.current.layout.words() == opened.words.len();
        if !findings.check(fits, "the sum is not of the round that the plan asks") {
            return;
        }
        let digest = sum_digest(q0, &opened.digest());
        self.plan.tell(&word::read(&opened.words, self.run.manifest.roster.len()));
        let next = derived(self.run, self.current.round + 1, &self.plan, &digest);
        self.previous = Some((std::mem::replace(&mut self.current, next), digest));
        self.summary.rounds += 1;
        self.summary.opened += opened.words.len() as u64;
    }

    fn end_of_plan(&mut self, results: &Digest, release: &Digest, findings: &mut Findings) {
        self.finished = true;
        findings.check(self.plan.done(), "the plan is not done");
        let same = results_digest(&self.run.digest, &self.plan) == *results;
        findings.check(same, "the sums do not lead to the results that the site signed");
        let same = Release::of(&self.plan).digest(&self.run.digest) == *release;
        findings.check(same, "the sums do not lead to the release that the site signed");
    }

    pub(super) fn end(self, findings: &mut Findings) -> (Summary, Option<Release>) {
        if self.summary.entries == 0 {
            findings.add(Place::Entry(1), "the ledger is empty");
        }
        let release = self.finished.then(|| Release::of(&self.plan));
        (self.summary, release)
    }
}

fn derived(run: &Run, round: u32, plan: &Plan, before: &Digest) -> Derived {
    Derived { round, q0: request_digest(&run.digest, round, plan, before), layout: Layout::of(plan) }
}
