//! The end of a run: the same results at all sites, the release, everybody's signatures.

use secagg::Signature;

use super::{CoordinatorContext, CoordinatorMachine, CoordinatorRecord, Fault, Said, Stage};
use crate::message::{Closed, Finished, ToSite};
use crate::release::Release;

impl CoordinatorMachine {
    pub(super) fn site_finished(
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

    /// All sites are done: the same results, the same release. One of them is asked for it.
    pub(super) fn finish(
        &mut self,
        finished: Vec<Finished>,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
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

    /// A release is the one that all sites signed, or the next site is asked. Where the coordinator has fits of its own, it
    /// takes no release that differs from them.
    pub(super) fn released(
        &mut self,
        site: u16,
        bytes: Vec<u8>,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let Stage::Releasing(finished, asked) = &mut self.stage else { return Err(Fault::Unexpected) };
        if site != *asked {
            return Err(Fault::Unexpected);
        }
        let signed = finished.first().map(|f| f.release);
        let same = signed == Some(Release::digest_of(&self.digest, &bytes));
        let Some(release) = Release::from_bytes(&bytes).ok().filter(|_| same) else {
            *asked += 1;
            let next = *asked;
            if usize::from(next) < self.manifest.roster.len() {
                context.send(next, ToSite::SendRelease);
                return Err(Fault::OtherRelease);
            }
            self.stage = Stage::Waiting;
            return Err(Fault::NoRelease);
        };
        let finished = std::mem::take(finished);
        if let Some(refits) = &self.refits {
            let outcome = refits.compare(release.results());
            context.persist(CoordinatorRecord::Compared { outcome: outcome.clone() });
            if let Err(differs) = outcome {
                self.stage = Stage::Waiting;
                return Err(differs.into());
            }
        }
        context.persist(CoordinatorRecord::Released { site, bytes: bytes.clone() });
        self.release = Some(bytes);
        self.close(finished, context);
        Ok(())
    }

    pub(super) fn close(&mut self, finished: Vec<Finished>, context: &mut dyn CoordinatorContext) {
        let closed = Closed { finished, head: context.head(), signature: Signature([0; 64]) };
        let closed = Box::new(closed.signed(&self.identity, &self.digest));
        context.persist(CoordinatorRecord::Closed { closed: closed.clone() });
        self.broadcast(&ToSite::Closed(closed.clone()), context);
        self.stage = Stage::Closed(closed);
    }
}
