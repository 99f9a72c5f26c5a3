//! The context's random source for the cryptography crates.

use super::SiteContext;

/// The context's random source as the random generator that the cryptography crates expect.
pub(super) struct ContextRng<'c>(pub(super) &'c mut dyn SiteContext);

impl rand_core::TryRng for ContextRng<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let bytes = self.0.random();
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from(self.try_next_u32()?) << 32 | u64::from(self.try_next_u32()?))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in out.chunks_mut(32) {
            chunk.copy_from_slice(&self.0.random()[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for ContextRng<'_> {}
