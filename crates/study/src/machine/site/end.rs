//! The end of a run at a site: what it signs, the release, what all sites signed.

use secagg::Signature;

use super::{Refusal, SiteContext, SiteMachine, SiteRecord};
use crate::message::{Closed, Finished, FromSite};
use crate::release::Release;
use crate::results::results_digest;
use crate::roster::Member;

impl SiteMachine {
    pub(super) fn say_finished(&mut self, context: &mut dyn SiteContext) {
        let results = results_digest(&self.manifest, &self.plan);
        let release = Release::of(&self.plan).digest(&self.manifest);
        if !self.finished {
            self.finished = true;
            context.persist(SiteRecord::Finished { results, release });
        }
        let finished = Finished {
            results,
            release,
            counts: self.plan.progress().into(),
            head: context.head(),
            witnessed: self.witnessed,
            signature: Signature([0; 64]),
        };
        context.send(FromSite::Finished(finished.signed(&self.config.identity, &self.manifest)));
    }

    pub(super) fn send_release(&mut self, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        if !self.finished {
            return Err(Refusal::Unexpected);
        }
        context.send(FromSite::Release { bytes: Release::of(&self.plan).to_bytes() });
        Ok(())
    }

    /// The end of the run: every site signed the same results and the same release, this one among them.
    pub(super) fn close(&mut self, closed: Closed, context: &mut dyn SiteContext) -> Result<(), Refusal> {
        if self.closed {
            return Ok(());
        }
        let roster = &self.config.manifest.roster;
        closed.verify(&self.config.manifest.coordinator, &self.manifest).map_err(|_| Refusal::Signature)?;
        let Some(own) = closed.finished.get(usize::from(self.config.site)).filter(|_| self.finished) else {
            return Err(Refusal::Unexpected);
        };
        let signed = |(finished, member): (&Finished, &Member)| finished.verify(&member.identity, &self.manifest);
        if closed.finished.len() != roster.len()
            || closed.finished.iter().zip(roster.members()).map(signed).any(|s| s.is_err())
        {
            return Err(Refusal::Signature);
        }
        if !closed.finished.iter().all(|finished| finished.agrees_with(own)) {
            return Err(Refusal::OtherResults);
        }
        self.closed = true;
        context.persist(SiteRecord::Closed { closed: Box::new(closed) });
        Ok(())
    }
}
