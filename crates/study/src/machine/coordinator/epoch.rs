//! The key agreement, relayed.

use secagg::{Announcement, Confirmation, SealedBox};

use super::{CoordinatorContext, CoordinatorMachine, CoordinatorRecord, Fault, Gathered, Stage};
use crate::message::ToSite;

impl CoordinatorMachine {
    pub(super) fn open_epoch(&mut self, context: &mut dyn CoordinatorContext) {
        self.epoch += 1;
        context.persist(CoordinatorRecord::Epoch { epoch: self.epoch });
        self.stage = Stage::Announcing(Gathered::new(self.sites()));
        for (site, known) in self.known.iter().enumerate() {
            context.send(site as u16, ToSite::EpochOpen { epoch: self.epoch, known: *known });
        }
    }

    pub(super) fn announcement(
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
            self.stage = Stage::Boxing(Gathered::new(self.sites()), announcements.clone());
            self.broadcast(&ToSite::Bundle { announcements }, context);
        }
        Ok(())
    }

    pub(super) fn boxes(
        &mut self,
        site: u16,
        epoch: u64,
        boxes: Vec<SealedBox>,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let Stage::Boxing(gathered, announcements) = &mut self.stage else { return Err(Fault::Unexpected) };
        if epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        gathered.put(site, boxes)?;
        if gathered.complete() {
            let mut boxes: Vec<SealedBox> = gathered.take().into_iter().flatten().collect();
            boxes.sort_by_key(|b| (b.from, b.to));
            let announcements = std::mem::take(announcements);
            self.stage = Stage::Confirming(Gathered::new(self.sites()), announcements);
            self.broadcast(&ToSite::Boxes { boxes }, context);
        }
        Ok(())
    }

    pub(super) fn confirmation(
        &mut self,
        site: u16,
        epoch: u64,
        confirmation: Confirmation,
        context: &mut dyn CoordinatorContext,
    ) -> Result<(), Fault> {
        let Stage::Confirming(gathered, announcements) = &mut self.stage else { return Err(Fault::Unexpected) };
        if epoch != self.epoch {
            return Err(Fault::Unexpected);
        }
        gathered.put(site, confirmation)?;
        if gathered.complete() {
            let (epoch, announcements, confirmations) = (self.epoch, std::mem::take(announcements), gathered.take());
            self.known = announcements.iter().map(|announcement| announcement.head).collect();
            let agreed = confirmations.clone();
            context.persist(CoordinatorRecord::Agreed { epoch, announcements, confirmations: agreed });
            self.expect_next();
            self.broadcast(&ToSite::Confirmations { confirmations }, context);
        }
        Ok(())
    }
}
