//! A random source that gives bytes chosen by a test. Used by the unit tests and, by path, by the integration tests.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// Gives the bytes in order; panics when they are used up.
pub(crate) struct Chosen(Vec<u8>);

impl Chosen {
    /// All parts, one after the other.
    pub(crate) fn new(parts: &[&[u8]]) -> Self {
        Self(parts.concat())
    }
}

impl TryRng for Chosen {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("the crate draws bytes only")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("the crate draws bytes only")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(dst.len());
        dst.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Chosen {}
