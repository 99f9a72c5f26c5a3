//! What all bundles of one run are held against, and the signatures that both kinds of ledger hold.

use std::sync::Arc;

use secagg::{Announcement, Confirmation, Digest};

use super::findings::{Findings, Summary};
use super::witness::Seen;
use crate::manifest::Manifest;
use crate::message::{Answer, Closed, ResultProof, RoundOpen};
use crate::protocol::Protocol;

/// The run that a bundle is about.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) manifest: Manifest,
    pub(super) digest: Digest,
    pub(super) protocol: Arc<Protocol>,
}

/// What all sites saw last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// No key agreement that holds.
    Nothing,
    /// The transcript of an epoch.
    Transcript(Digest),
    /// A request.
    Request(Digest),
}

impl Past {
    fn digest(self) -> Option<Digest> {
        match self {
            Past::Nothing => None,
            Past::Transcript(digest) | Past::Request(digest) => Some(digest),
        }
    }

    fn begins(self) -> bool {
        matches!(self, Past::Transcript(_))
    }
}

impl Run {
    fn sites(&self) -> usize {
        self.manifest.roster.len()
    }

    /// The key agreement of an epoch: gives its transcript.
    pub(super) fn agreed(
        &self,
        epoch: u64,
        announcements: &[Announcement],
        confirmations: &[Confirmation],
        findings: &mut Findings,
        summary: &mut Summary,
    ) -> Digest {
        let members = self.manifest.roster.members();
        let complete = announcements.len() == self.sites() && confirmations.len() == self.sites();
        findings.check(complete, "the key agreement is not that of the whole roster");
        let transcript = secagg::transcript(announcements);
        for (site, ((announcement, confirmation), member)) in
            announcements.iter().zip(confirmations).zip(members).enumerate()
        {
            summary.signatures += 2;
            let announced = announcement.is_signed_by(&member.identity)
                && announcement.manifest == self.digest
                && announcement.epoch == epoch
                && usize::from(announcement.site) == site;
            findings.check(announced, &format!("the announcement of site {} does not hold", member.id));
            let confirmed = confirmation.is_signed_by(&member.identity)
                && usize::from(confirmation.site) == site
                && confirmation.transcript == transcript
                && (confirmation.group, confirmation.boxes) == (confirmations[0].group, confirmations[0].boxes);
            findings.check(confirmed, &format!("the confirmation of site {} does not hold", member.id));
        }
        summary.epochs += 1;
        transcript
    }

    /// A request: signed by the coordinator, repeating what every site signed; `before` is what all of them saw last. Gives its digest.
    pub(super) fn requested(
        &self,
        open: &RoundOpen,
        before: Past,
        findings: &mut Findings,
        seen: &mut Seen,
        summary: &mut Summary,
    ) -> Digest {
        let digest = open.digest(&self.digest);
        seen.requested(open, digest);
        summary.signatures += 1;
        let signed = open.verify(&self.manifest.coordinator, &self.digest).is_ok();
        findings.check(signed, "the coordinator's signature under the request does not hold");
        let whole = open.witnesses.len() == self.sites();
        findings.check(whole, "the request does not repeat what every site said");
        for (site, member) in self.manifest.roster.members().iter().enumerate() {
            let Some(next) = open.next_of(site) else {
                // only where an epoch begins may a site be beyond the round
                findings.check(before.begins(), &format!("the request does not repeat what site {} said", member.id));
                continue;
            };
            summary.signatures += 1;
            let signed = next.verify(&member.identity, &self.digest).is_ok();
            findings.check(signed, &format!("what site {} said of the round is not signed by it", member.id));
            let same = before.digest() == Some(next.witnessed);
            findings.check(same, &format!("site {} saw another request before", member.id));
        }
        let said = open.witnesses.iter().any(Option::is_some);
        findings.check(said, "the request repeats what no site said");
        digest
    }

    /// The sum of a round: signed by the coordinator, with every site's signature under its answer.
    pub(super) fn result(&self, proof: &ResultProof, findings: &mut Findings, summary: &mut Summary) {
        summary.signatures += 1 + proof.answers.len() as u64;
        let signed = proof.verify(&self.manifest.coordinator).is_ok();
        findings.check(signed, "the coordinator's signature under the sum does not hold");
        findings.check(proof.answers.len() == self.sites(), "the sum does not name the answer of every site");
        for ((digest, signature), member) in proof.answers.iter().zip(self.manifest.roster.members()) {
            let signed = Answer::verify_digest(&member.identity, &proof.q, digest, signature).is_ok();
            findings.check(signed, &format!("site {}'s signature under its answer does not hold", member.id));
        }
    }

    /// The end of the run: signed by all, the same results and release at all.
    pub(super) fn closed(
        &self,
        closed: &Closed,
        before: Past,
        findings: &mut Findings,
        seen: &mut Seen,
        summary: &mut Summary,
    ) {
        summary.closed = true;
        summary.results = closed.finished.first().map(|finished| finished.results);
        summary.signatures += 1 + closed.finished.len() as u64;
        let signed = closed.verify(&self.manifest.coordinator, &self.digest).is_ok();
        findings.check(signed, "the coordinator's signature under the end does not hold");
        findings.check(closed.finished.len() == self.sites(), "the end does not name every site");
        for (finished, member) in closed.finished.iter().zip(self.manifest.roster.members()) {
            let signed = finished.verify(&member.identity, &self.digest).is_ok();
            findings.check(signed, &format!("site {}'s signature under the end does not hold", member.id));
            let same = closed.finished[0].agrees_with(finished);
            findings.check(same, &format!("site {} ended with other results", member.id));
            let same = before.digest() == Some(finished.witnessed);
            findings.check(same, &format!("site {} saw another last request", member.id));
        }
        seen.closed(closed);
    }
}
