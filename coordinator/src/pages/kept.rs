//! Things that never change once they are there, kept from one request to the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use secagg::Digest;

use super::error::PageError;

/// So many are kept; then it begins anew.
const MOST: usize = 32;

/// Values by the digest of what they follow from.
#[derive(Debug)]
pub(super) struct Kept<T>(Mutex<BTreeMap<Digest, Arc<T>>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept(Mutex::new(BTreeMap::new()))
    }
}

impl<T> Kept<T> {
    /// The value of a digest, made now if it is not kept. Two requests may make the same one.
    pub(super) fn of(&self, digest: Digest, make: impl FnOnce() -> Result<T, PageError>) -> Result<Arc<T>, PageError> {
        let found = self.0.lock().ok().and_then(|kept| kept.get(&digest).cloned());
        if let Some(value) = found {
            return Ok(value);
        }
        let value = Arc::new(make()?);
        if let Ok(mut kept) = self.0.lock() {
            if kept.len() >= MOST {
                kept.clear();
            }
            kept.insert(digest, Arc::clone(&value));
        }
        Ok(value)
    }
}
