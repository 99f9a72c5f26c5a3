//! Fixed point in `Z_2^128`: `x` becomes the integer nearest to `x * 2^64`, ties to even.
//!
//! Integers add exactly, in any order and on any machine, so sums over sites have the same bits however they were
//! formed. The only loss is one rounding of at most `2^-65` per encoded number.

/// Exclusive upper limit of a bound: `|x| < 2^62` leaves one bit for the sign and one for rounding at the limit.
const BOUND_LIMIT: f64 = (1u64 << 62) as f64;

/// Why a number has no fixed-point form. The number itself is never part of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FixedError {
    /// The number is NaN or infinite.
    #[error("the number is not finite")]
    NotFinite,
    /// The magnitude exceeds the bound that the field declares.
    #[error("the number is out of the declared bound")]
    OutOfBound,
    /// The bound is negative, not a number, or not below 2^62.
    #[error("the bound is not a number from 0 to below 2^62")]
    Bound,
    /// The sum of this many sites at the bound may leave the signed 128-bit range.
    #[error("{sites} sites at the declared bound exceed the range of a sum")]
    Headroom {
        /// Size of the roster.
        sites: usize,
    },
}

/// The integer nearest to `x * 2^64`, ties to even. Needs `|x| <= bound` and `0 <= bound < 2^62`.
///
/// Exact for every `|x| >= 2^-12` (the last bit of such an `x` is at least `2^-64`) and for every dyadic number of at
/// most 64 fractional bits.
#[inline]
pub fn encode(x: f64, bound: f64) -> Result<i128, FixedError> {
    if !(0.0..BOUND_LIMIT).contains(&bound) {
        return Err(FixedError::Bound);
    }
    // One comparison accepts the usual case: NaN and infinities fail it as well.
    if x.abs() <= bound {
        return Ok(round_to_fixed(x));
    }
    Err(if x.is_finite() { FixedError::OutOfBound } else { FixedError::NotFinite })
}

/// Needs `|x| < 2^62`.
#[inline]
fn round_to_fixed(x: f64) -> i128 {
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    // Subnormals have no hidden bit and the exponent of the smallest normal.
    let mantissa = fraction | u64::from(exponent != 0) << 52;
    // x = mantissa * 2^(exponent - 1075), so x * 2^64 = mantissa * 2^shift.
    let shift = exponent.max(1) - (1075 - 64);
    let magnitude = if shift >= 0 {
        i128::from(mantissa) << shift
    } else {
        // mantissa < 2^53: from 54 bits on, the quotient is below one half and rounds to 0.
        let s = shift.unsigned_abs().min(54);
        let quotient = mantissa >> s;
        let remainder = mantissa & ((1 << s) - 1);
        let half = 1u64 << (s - 1);
        let up = remainder > half || (remainder == half && quotient & 1 == 1);
        i128::from(quotient + u64::from(up))
    };
    if x.is_sign_negative() { -magnitude } else { magnitude }
}

/// The f64 nearest to `x / 2^64`, ties to even.
///
/// Rust defines the conversion of an integer as correctly rounded, and the scaling by a power of two is exact: the
/// smallest magnitude, `2^-64`, is a normal number. The bits are the same on every machine.
#[inline]
pub fn decode(x: i128) -> f64 {
    const SCALE: f64 = 1.0 / (1u128 << 64) as f64;
    x as f64 * SCALE
}

/// Refuses a roster so large that the sum of all sites at `bound` could wrap: `sites * bound` must be below `2^63`.
pub fn check_headroom(sites: usize, bound: f64) -> Result<(), FixedError> {
    const SUM_LIMIT: f64 = (1u64 << 63) as f64;
    if !(0.0..BOUND_LIMIT).contains(&bound) {
        return Err(FixedError::Bound);
    }
    // Rounded up by at most one part in 2^52 where it matters, so a product just below the limit is refused, never
    // one above it accepted.
    let worst = sites as f64 * bound * (1.0 + 2.0 * f64::EPSILON);
    if worst < SUM_LIMIT { Ok(()) } else { Err(FixedError::Headroom { sites }) }
}
