//! The check word `c = sum_l rho_l X_l` in `Z_2^256`: linear, so the sum of the sites' check words is the check word of
//! the sum, and the `rho_l` are known to the sites only.
//!
//! `rho_l` is the `l`-th 256-bit word of ChaCha20 with key `Expand(G, "entente/v1/check" | q | d)`. The words `X_l` are
//! extended by their sign; the salt is the last term, `l = d`. An altered sum (words by `a_l`, not all 0, and check
//! word by `b`) passes if `sum_l rho_l a_l = b`: with `2^t` the largest power of two that divides all `a_l` this
//! happens with probability `2^(t - 256)`, at most `2^-129`. In `Z_2^128` adding `2^127` would pass half of the time.
//! The number of words is part of the key, and the salt is random, so that zero words cannot be cut off or appended.

use crate::canonical::Canonical;
use crate::digest::Digest;
use crate::kdf::Secret;
use crate::stream::{Buffer, Stream};
use crate::wide;

const LABEL: &str = "entente/v1/check";

/// The check word of `words` and `salt` for the request `q`.
pub(crate) fn check_word(
    group: &Secret,
    q: &Digest,
    words: impl ExactSizeIterator<Item = i128>,
    salt: u128,
) -> [u64; 4] {
    let count = words.len();
    let info = Canonical::new(LABEL).digest_field(q).u64(count as u64);
    let mut stream = Stream::new(&group.expand(info));
    let mut terms = words.chain([salt.cast_signed()]);
    let mut sum = [0; 4];
    Buffer::new().each_wide(&mut stream, count + 1, |_, rho| {
        if let Some(x) = terms.next() {
            sum = wide::multiply_add(sum, rho, x);
        }
    });
    sum
}
