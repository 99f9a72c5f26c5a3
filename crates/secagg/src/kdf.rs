//! HKDF-SHA-256 (RFC 5869) with canonical `info`, and the 32-byte secrets it makes.

use std::fmt;

use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::canonical::Canonical;

/// 32 secret bytes; wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret(pub(crate) [u8; 32]);

impl Secret {
    /// Fresh bytes from the random source.
    pub(crate) fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut secret = Self([0; 32]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    /// HKDF-Expand with this secret as the pseudorandom key: 32 bytes bound to `info`.
    pub(crate) fn expand(&self, info: Canonical) -> Self {
        let mut out = Self([0; 32]);
        Hkdf::<Sha256>::from_prk(&self.0)
            .expect("32 bytes are a whole pseudorandom key")
            .expand(&info.finish(), &mut out.0)
            .expect("32 bytes are within the output limit");
        out
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// HKDF-Extract.
pub(crate) fn extract(salt: &[u8], input: &[u8]) -> Secret {
    let (mut prk, _) = Hkdf::<Sha256>::extract(Some(salt), input);
    let secret = Secret(prk.into());
    prk.as_mut_slice().zeroize();
    secret
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    #[test]
    fn rfc_5869_case_1() {
        let salt = hex::parse::<13>("000102030405060708090a0b0c").unwrap();
        let prk = extract(&salt, &[0x0b; 22]);
        assert_eq!(hex::text(&prk.0), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        let info = hex::parse::<10>("f0f1f2f3f4f5f6f7f8f9").unwrap();
        let okm = prk.expand(Canonical::unlabelled().array(&info));
        assert_eq!(hex::text(&okm.0), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    }

    #[test]
    fn debug_shows_no_byte() {
        assert_eq!(format!("{:?}", Secret([7; 32])), "Secret(..)");
    }
}
