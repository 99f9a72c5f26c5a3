//! The coordinator's ledger: what it asked, added and opened, and the release that all sites signed.

use secagg::Digest;
use stats::logistic::step_len;
use stats::packed::Factor;

use super::bundle::Party;
use super::findings::{Findings, Summary};
use super::run::{Past, Run};
use super::witness::Seen;
use crate::ledger::Entry;
use crate::machine::coordinator::CoordinatorRecord;
use crate::message::{Finished, RoundOpen, RoundResult};
use crate::release::Release;
use crate::request::epoch_digest;
use crate::results::{Results, Variance};
use crate::word;

/// Where a fit evaluates its log likelihood, score and information.
const STEPS: [&str; 3] = ["LogisticStep", "CoxStep", "StratifiedCoxStep"];

/// A log likelihood that the coordinator opened, with the standard errors that the information beside it gives.
struct Evaluation {
    loglik: f64,
    std_errors: Vec<f64>,
}

/// The ledger, entry by entry.
pub(super) struct Walk<'r> {
    run: &'r Run,
    epoch: u64,
    transcript: Option<Digest>,
    /// What all sites saw last in this epoch.
    before: Past,
    open: Option<RoundOpen>,
    approved: Vec<bool>,
    evaluations: Vec<Evaluation>,
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
            evaluations: Vec::new(),
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
        let sites = self.run.manifest.roster.len();
        for (segment, range) in open.layout.ranges().filter(|(segment, _)| !segment.sealed) {
            if STEPS.contains(&&*segment.kind) {
                let words: Vec<i128> = result.sum.words[range].iter().map(|word| word.cast_signed()).collect();
                self.evaluations.extend(evaluations(&word::read(&words, sites)));
            }
        }
    }

    pub(super) fn end(mut self, findings: &mut Findings) -> (Summary, Option<Release>) {
        findings.check(self.summary.entries > 0, "the ledger is empty");
        let release = self.release.filter(|_| self.released).and_then(|(_, release)| release);
        if let Some(release) = &release
            && !self.evaluations.is_empty()
        {
            self.summary.fits = Some(fits(release.results(), &self.evaluations));
        }
        (self.summary, release)
    }
}

/// Log likelihood and standard errors at the coefficients of a step; none where its sums are not numbers, or the
/// information does not invert.
fn evaluations(sums: &[f64]) -> Option<Evaluation> {
    let columns = (0..sums.len()).find(|q| step_len(*q) == sums.len())?;
    let (loglik, information) = (*sums.first()?, &sums[1 + columns..]);
    if sums.iter().any(|sum| sum.is_nan()) {
        return None;
    }
    let inverse = Factor::new(information, columns).ok()?.inverse();
    Some(Evaluation { loglik, std_errors: inverse.diagonal().into_iter().map(f64::sqrt).collect() })
}

/// How many released fits have log likelihood and naive standard errors of an opened evaluation, of how many. Of the
/// opened standard errors one may be missing in the release: an intercept's is opened for centred columns.
fn fits(results: &Results, evaluations: &[Evaluation]) -> (u64, u64) {
    let (mut follow, mut all) = (0, 0);
    for row in &results.fits {
        let Ok(numbers) = &row.outcome_of_fit else { continue };
        let opened = matches!(&*row.analysis, "propensity" | "logistic" | "cox");
        if !opened || numbers.penalised.is_some() || row.imputations.is_some() {
            continue;
        }
        let of_row = results.estimates.iter().filter(|e| {
            e.variance == Variance::Naive
                && e.analysis == row.analysis
                && (&e.outcome, &e.cause, &e.model, &e.modifier)
                    == (&row.outcome, &row.cause, &row.model, &row.modifier)
                && e.ties == row.ties
                && !e.term.starts_with('(')
        });
        let std_errors: Vec<f64> = of_row.map(|e| e.std_error).collect();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-8 * (1.0 + b.abs());
        let same = |evaluation: &&Evaluation| {
            near(evaluation.loglik, numbers.loglik)
                && evaluation
                    .std_errors
                    .iter()
                    .filter(|opened| !std_errors.iter().any(|se| near(**opened, *se)))
                    .count()
                    <= 1
        };
        all += 1;
        follow += u64::from(evaluations.iter().any(|evaluation| same(&evaluation)));
    }
    let scenarios = results.scenarios.iter().map(|scenario| fits(&scenario.results, evaluations));
    scenarios.fold((follow, all), |(follow, all), (f, a)| (follow + f, all + a))
}
