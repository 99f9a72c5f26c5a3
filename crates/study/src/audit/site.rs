//! A site's ledger: the plan runs again on the sums that the site accepted.

use std::collections::{BTreeMap, BTreeSet};

use secagg::{Digest, Opened};

use super::bundle::Party;
use super::findings::{Findings, Place, Summary};
use super::run::{Past, Run};
use super::witness::Seen;
use crate::account;
use crate::layout::Layout;
use crate::ledger::Entry;
use crate::machine::site::SiteRecord;
use crate::message::{ResultProof, RoundOpen};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::refit::Refits;
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
    policy: Option<Policy>,
    approved: Option<Digest>,
    plan: Plan,
    /// The fits of what the coordinator opened, as it makes them.
    refits: Option<Refits>,
    current: Derived,
    previous: Option<(Derived, Digest)>,
    epoch: u64,
    transcript: Option<Digest>,
    /// What all sites saw last in this epoch.
    before: Past,
    /// The newest request that is not answered yet.
    open: Option<RoundOpen>,
    /// The newest answer: request in its epoch, and digest of the masked words.
    answered: Option<(Digest, Digest)>,
    /// Every answer, by request in its epoch.
    answers: BTreeMap<Digest, Digest>,
    finished: bool,
    /// What all sites signed at the end, where it holds.
    released: bool,
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
            policy: policy.ok(),
            approved: None,
            plan,
            refits: Refits::new(&run.protocol, run.manifest.roster.len()),
            current,
            previous: None,
            epoch: 0,
            transcript: None,
            before: Past::Nothing,
            open: None,
            answered: None,
            answers: BTreeMap::new(),
            finished: false,
            released: false,
            summary: Summary::new(Party::Site(site)),
        }
    }

    pub(super) fn record(&mut self, entry: Entry<SiteRecord>, findings: &mut Findings, seen: &mut Seen) {
        self.summary.entry(entry.time);
        let speaks = !matches!(entry.record, SiteRecord::Refused { .. } | SiteRecord::Withdrawn);
        findings.check(!(self.summary.closed && speaks), "the run goes on after its end");
        match entry.record {
            SiteRecord::Consented => self.summary.people.push(entry.actor),
            SiteRecord::Approved { policy, cohort } => {
                self.summary.people.push(entry.actor);
                self.approved(policy, findings);
                self.approved = Some(cohort);
                seen.approved(self.site, policy, cohort);
            }
            SiteRecord::Epoch { epoch } => {
                findings.check(self.approved.is_some(), "an epoch before the site has approved");
                findings.check(epoch > self.epoch, "the epoch is not newer than the one before");
                self.epoch = epoch;
                self.transcript = None;
                self.before = Past::Nothing;
            }
            SiteRecord::Agreed { epoch, announcements, confirmations } => {
                findings.check(epoch == self.epoch, "the agreement is not that of the epoch");
                let transcript = self.run.agreed(epoch, &announcements, &confirmations, findings, &mut self.summary);
                seen.agreed(&announcements);
                let own = announcements.get(usize::from(self.site)).map(|announcement| announcement.cohort);
                findings.check(own == self.approved, "the site announced another cohort than it approved");
                self.transcript = Some(transcript);
                self.before = Past::Transcript(transcript);
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
                self.released = findings.check(same, "the end does not name what the plan ends with");
            }
            SiteRecord::Withdrawn => self.summary.withdrawn = true,
        }
    }

    /// The policy is the one of the bundle, and as many people consented as it asks for.
    fn approved(&mut self, policy: Digest, findings: &mut Findings) {
        let Some(own) = self.policy.as_ref().filter(|own| own.digest() == policy) else {
            findings.add(Place::Policy, "the policy is not the one under which the run was approved");
            return;
        };
        let people: Vec<&str> = self.summary.people.iter().map(String::as_str).collect();
        if let Some(one) = account::shared(&people) {
            findings.check(own.same_account, "two people approved by one account, which the policy does not allow");
            self.summary.one_account = Some(one.to_owned());
        }
        let people: BTreeSet<String> = people.into_iter().map(name_of).collect();
        findings.check(people.len() >= own.approvals as usize, "fewer people approved than the policy asks for");
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
        findings.check(self.approved.is_some(), "an answer before the site has approved");
        let asked = self.open.take().filter(|open| open.round == round && open.q0 == q0);
        findings.check(asked.is_some(), "an answer to what was not requested");
        if let Some(open) = asked {
            findings.check(self.derives(&open), "an answer to what the plan does not ask");
            findings.check(open.epoch == self.epoch, "an answer to a request of another epoch");
            let digest = self.run.requested(&open, self.before, findings, seen, &mut self.summary);
            self.before = Past::Request(digest);
            let bound = self.transcript.is_some_and(|t| epoch_digest(&q0, self.epoch, &t, &digest) == q);
            findings.check(bound, "the answer is not bound to the epoch's keys and to the request");
        }
        let other = self.answers.insert(q, masked).is_some_and(|before| before != masked);
        findings.check(!other, "two answers under one mask");
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
        self.summary.shared += self.current.layout.opened() as u64;
        if let Some(refits) = &mut self.refits {
            let words: Vec<u128> = opened.words.iter().map(|word| word.cast_unsigned()).collect();
            refits.round(&self.current.layout, &words);
        }
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

    pub(super) fn end(mut self, findings: &mut Findings) -> (Summary, Option<Release>) {
        if self.summary.entries == 0 {
            findings.add(Place::Entry(1), "the ledger is empty");
        }
        let release = self.released.then(|| Release::of(&self.plan));
        if let (Some(release), Some(refits)) = (&release, &self.refits) {
            match refits.compare(release.results()) {
                Ok(compared) => self.summary.fits = Some(compared),
                Err(differs) => findings.here(format!("the release is not that of the opened sums: {differs}")),
            }
        }
        (self.summary, release)
    }
}

/// What an actor is called beside the account, in one spelling.
fn name_of(actor: &str) -> String {
    let account = account::of_actor(actor).map_or(0, |account| account.len() + 2);
    account::plain(&actor[..actor.len() - account])
}

fn derived(run: &Run, round: u32, plan: &Plan, before: &Digest) -> Derived {
    Derived { round, q0: request_digest(&run.digest, round, plan, before), layout: Layout::of(plan) }
}
