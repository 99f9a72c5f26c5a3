//! What is collected from every site.

use super::fault::Fault;

/// One item per site until all are there.
#[derive(Debug)]
pub(super) struct Gathered<T>(pub(super) Vec<Option<T>>);

impl<T> Gathered<T> {
    pub(super) fn new(sites: usize) -> Gathered<T> {
        Gathered((0..sites).map(|_| None).collect())
    }

    pub(super) fn put(&mut self, site: u16, item: T) -> Result<(), Fault> {
        let slot = self.0.get_mut(usize::from(site)).ok_or(Fault::Unexpected)?;
        if slot.is_some() {
            return Err(Fault::Unexpected);
        }
        *slot = Some(item);
        Ok(())
    }

    pub(super) fn complete(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    pub(super) fn missing(&self) -> Vec<u16> {
        self.0.iter().enumerate().filter(|(_, s)| s.is_none()).map(|(i, _)| i as u16).collect()
    }

    pub(super) fn take(&mut self) -> Vec<T> {
        self.0.drain(..).flatten().collect()
    }
}
