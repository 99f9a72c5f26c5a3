//! 256 random bits that let somebody in.

use std::fmt;

use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A random secret, known by its text: 64 hexadecimal digits.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new one; none if the operating system gives no random bytes.
    pub fn random() -> Option<Secret> {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).ok().map(|()| Secret(bytes))
    }

    /// A secret that follows from this one and a name, and says nothing of either.
    #[must_use]
    pub fn derive(&self, name: &[u8]) -> Secret {
        let mut hash = Sha256::new_with_prefix("entente/v1/web derived secret");
        hash.update(self.0);
        hash.update(name);
        Secret(hash.finalize().into())
    }

    /// Reads what [`Secret::text`] wrote.
    pub fn parse(text: &str) -> Option<Secret> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = 16 * digit(pair[0])? + digit(pair[1])?;
        }
        Some(Secret(bytes))
    }

    /// The secret itself, for a cookie, a form or a link.
    pub fn text(&self) -> String {
        hexadecimal(&self.0)
    }

    /// A digest that says which secret it is without giving it away.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix("entente/v1/web secret");
        hash.update(self.0);
        hash.finalize().into()
    }

    /// Whether both are the same, in a time that does not depend on where they differ.
    pub fn same(&self, other: &Secret) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from_digit(u32::from(d), 16).unwrap_or('0')).collect()
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back_and_is_not_printed() {
        let secret = Secret::random().unwrap();
        let read = Secret::parse(&secret.text()).unwrap();
        assert!(read.same(&secret));
        assert_eq!(read.digest(), secret.digest());
        assert!(!Secret::random().unwrap().same(&secret));
        assert!(secret.derive(b"a").same(&secret.derive(b"a")));
        assert!(!secret.derive(b"a").same(&secret.derive(b"b")));
        assert!(!secret.derive(b"a").same(&Secret::random().unwrap().derive(b"a")));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        for wrong in ["", "00", &"g".repeat(64), &"A".repeat(64), &"0".repeat(65)] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }
}
