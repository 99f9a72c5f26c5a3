//! Ed25519 identities (RFC 8032). What is signed is `label | digest`, in canonical bytes, so that a signature for one
//! purpose is never one for another. Verification is always strict: small-order keys and non-canonical forms fail.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::canonical::Canonical;
use crate::digest::Digest;
use crate::hex::{self, HexError};

/// A signature is not one of this key over this label and digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureError;

/// The secret half of an identity; wiped on drop, never printed.
pub struct SigningIdentity(SigningKey);

impl SigningIdentity {
    /// A new identity from 32 bytes of the random source.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self::from_bytes(&seed)
    }

    /// The identity of a 32-byte RFC 8032 secret key.
    pub fn from_bytes(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The 32-byte secret key, for the file that only its owner can read.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicIdentity {
        PublicIdentity(self.0.verifying_key().to_bytes())
    }

    /// Signs `digest` for the purpose `label`.
    pub fn sign(&self, label: &str, digest: &Digest) -> Signature {
        Signature(self.0.sign(&signed_bytes(label, digest)).to_bytes())
    }
}

impl fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningIdentity({}, ..)", self.public())
    }
}

/// The public half of an identity: an Ed25519 public key. Text form: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicIdentity(pub [u8; 32]);

impl PublicIdentity {
    /// Verifies a signature over `digest` for the purpose `label`, strictly.
    pub fn verify(&self, label: &str, digest: &Digest, signature: &Signature) -> Result<(), SignatureError> {
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| {
                let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
                key.verify_strict(&signed_bytes(label, digest), &signature)
            })
            .map_err(|_| SignatureError)
    }

    /// What a person reads out over another channel: SHA-256 of `"entente/v1/fingerprint" | key`, as 16 groups of four
    /// hexadecimal digits joined by `-`.
    pub fn fingerprint(&self) -> String {
        let digest = Canonical::new("entente/v1/fingerprint").array(&self.0).digest();
        let groups: Vec<_> = digest.0.chunks(2).map(hex::text).collect();
        groups.join("-")
    }
}

impl fmt::Display for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::display(&self.0, f)
    }
}

impl fmt::Debug for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicIdentity({}..)", hex::text(&self.0[..4]))
    }
}

impl FromStr for PublicIdentity {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::parse(text).map(Self)
    }
}

/// An Ed25519 signature. Text form: 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::display(&self.0, f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}..)", hex::text(&self.0[..4]))
    }
}

impl FromStr for Signature {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::parse(text).map(Self)
    }
}

fn signed_bytes(label: &str, digest: &Digest) -> Vec<u8> {
    Canonical::new(label).digest_field(digest).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8032, section 7.1, test 1.
    const SECRET: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const EMPTY_SIGNED: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
                                5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

    fn identity() -> SigningIdentity {
        SigningIdentity::from_bytes(&hex::parse(SECRET).unwrap())
    }

    #[test]
    fn rfc_8032_test_1() {
        assert_eq!(identity().public().to_string(), PUBLIC);
        assert_eq!(hex::text(&identity().0.sign(b"").to_bytes()), EMPTY_SIGNED);
    }

    #[test]
    fn a_signature_is_for_its_label_digest_and_key() {
        let digest = Digest::of(b"a");
        let signature = identity().sign("label", &digest);
        let public = identity().public();
        let refused = Err(SignatureError);
        assert_eq!(public.verify("label", &digest, &signature), Ok(()));
        assert_eq!(public.verify("other", &digest, &signature), refused);
        let other = Digest::of(b"b");
        assert_eq!(public.verify("label", &other, &signature), refused);
        let stranger = SigningIdentity::from_bytes(&[1; 32]).public();
        assert_eq!(stranger.verify("label", &digest, &signature), refused);
    }

    #[test]
    fn a_second_form_of_a_signature_is_refused() {
        let digest = Digest::of(b"a");
        let mut signature = identity().sign("label", &digest);
        // s + L satisfies the same equation as s.
        let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
        let order = hex::parse::<32>(order).unwrap();
        let mut carry = 0;
        for (byte, addend) in signature.0[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(addend) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(identity().public().verify("label", &digest, &signature), Err(SignatureError));
    }

    #[test]
    fn a_key_of_small_order_verifies_nothing() {
        // With the neutral point as key and as R, and s = 0, the equation holds for every message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = Signature([0; 64]);
        signature.0[0] = 1;
        assert_eq!(PublicIdentity(neutral).verify("label", &Digest::of(b"a"), &signature), Err(SignatureError));
    }

    #[test]
    fn text_forms() {
        let public = identity().public();
        assert_eq!(PUBLIC.parse(), Ok(public));
        let signature = identity().sign("label", &Digest::of(b"a"));
        assert_eq!(signature.to_string().parse(), Ok(signature));
        assert_eq!(public.fingerprint().len(), 16 * 4 + 15);
        assert_eq!(format!("{public:?}"), "PublicIdentity(d75a9801..)");
    }
}
