//! Fixed point against exact integer arithmetic that shares nothing with the implementation.

use proptest::prelude::*;
use secagg::{FixedError, check_headroom, decode, encode};

const BOUND: f64 = 4e18;

/// Whether `word` is `x * 2^64` rounded to nearest, ties to even, by the definition: `|x 2^64 - word| <= 1/2`, and an
/// even word on a tie. With `x = m 2^e`, everything is multiplied by `2^-e` until it is an integer.
fn is_nearest(x: f64, word: i128) -> bool {
    let bits = x.abs().to_bits();
    let (m, e) = match (bits >> 52, bits & ((1 << 52) - 1)) {
        (0, fraction) => (fraction, -1074),
        (exponent, fraction) => (fraction | 1 << 52, exponent as i32 - 1075),
    };
    let scaled = i128::from(m);
    let word = if x < 0.0 { -word } else { word };
    let shift = e + 64;
    if shift >= 0 {
        return word == scaled << shift;
    }
    if shift < -60 {
        // m < 2^53, so |x 2^64| < 2^-7.
        return word == 0;
    }
    let unit = 1i128 << -shift;
    let twice_off = 2 * (scaled - word * unit).abs();
    twice_off < unit || (twice_off == unit && word % 2 == 0)
}

/// Whether `value` is the f64 nearest to `word / 2^64`: no neighbour is nearer, and a tie has an even last bit.
fn is_nearest_f64(word: i128, value: f64) -> bool {
    if word == 0 {
        return value == 0.0 && value.is_sign_positive();
    }
    let magnitude = word.unsigned_abs();
    let length = 128 - magnitude.leading_zeros();
    // The 53 bits from the top, rounded by looking at what is cut off.
    let cut = length.saturating_sub(53);
    let head = magnitude >> cut;
    let tail = magnitude - (head << cut);
    let up = cut > 0 && (tail > 1 << (cut - 1) || (tail == 1 << (cut - 1) && head % 2 == 1));
    // A head of 2^53 after rounding is exact as well.
    let rounded = (head as u64 + u64::from(up)) as f64;
    let expected = rounded * 2f64.powi(cut.cast_signed() - 64);
    value == if word < 0 { -expected } else { expected }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn encode_rounds_to_nearest_even(x in prop::num::f64::ANY) {
        match encode(x, BOUND) {
            Ok(word) => {
                prop_assert!(x.abs() <= BOUND);
                prop_assert!(is_nearest(x, word));
            }
            Err(FixedError::OutOfBound) => prop_assert!(x.is_finite() && x.abs() > BOUND),
            Err(error) => prop_assert!(!x.is_finite() && error == FixedError::NotFinite),
        }
    }

    #[test]
    fn encode_rounds_where_rounding_matters(m in 0u64..1 << 53, e in -130i32..8, negative: bool) {
        let magnitude = m as f64 * 2f64.powi(e);
        let x = if negative { -magnitude } else { magnitude };
        prop_assert!(is_nearest(x, encode(x, BOUND).unwrap()));
    }

    #[test]
    fn encode_takes_ties_to_even(whole in 0u64..1 << 51, negative: bool) {
        // (whole + 1/2) 2^-64.
        let magnitude = (2 * whole + 1) as f64 * 2f64.powi(-65);
        let x = if negative { -magnitude } else { magnitude };
        let word = encode(x, 1.0).unwrap();
        prop_assert!(word % 2 == 0);
        prop_assert!(is_nearest(x, word));
    }

    #[test]
    fn decode_is_the_nearest_f64(word: i128, shift in 0u32..128) {
        let word = word >> shift;
        prop_assert!(is_nearest_f64(word, decode(word)));
    }

    #[test]
    fn decode_takes_ties_to_even(head in 1u64 << 52..1 << 53, cut in 1u32..74, off in -1i128..=1) {
        let word = (i128::from(head) << cut) + (1 << (cut - 1)) + off;
        prop_assert!(is_nearest_f64(word, decode(word)));
    }

    #[test]
    fn decode_undoes_encode_where_encode_is_exact(m in 0u64..1 << 53, e in -64i32..8) {
        let x = m as f64 * 2f64.powi(e);
        prop_assert_eq!(decode(encode(x, BOUND).unwrap()), x);
        prop_assert_eq!(decode(encode(-x, BOUND).unwrap()), -x);
    }
}

#[test]
fn edges() {
    let one = 1i128 << 64;
    assert_eq!(encode(1.0, 1.0), Ok(one));
    assert_eq!(encode(-1.0, 1.0), Ok(-one));
    assert_eq!(encode(-0.0, 0.0), Ok(0));
    assert_eq!(encode(5e-324, 1.0), Ok(0));
    let below = 2f64.powi(62).next_down();
    assert_eq!(encode(below, below), Ok((1 << 126) - (1 << (126 - 53))));
    assert_eq!(decode(i128::MAX), 2f64.powi(63));
    assert_eq!(decode(i128::MIN), -(2f64.powi(63)));
    assert_eq!(decode(1), 2f64.powi(-64));
}

#[test]
fn refusals_do_not_name_the_value() {
    assert_eq!(encode(f64::NAN, 1.0), Err(FixedError::NotFinite));
    assert_eq!(encode(f64::INFINITY, 1.0), Err(FixedError::NotFinite));
    let error = encode(1234.5, 1234.0).unwrap_err();
    assert_eq!(error, FixedError::OutOfBound);
    assert_eq!(error.to_string(), "the number is out of the declared bound");
    for bound in [2f64.powi(62), f64::INFINITY, f64::NAN, -1.0] {
        assert_eq!(encode(0.0, bound), Err(FixedError::Bound));
    }
}

#[test]
fn headroom() {
    let bound = 2f64.powi(57);
    assert_eq!(check_headroom(63, bound), Ok(()));
    assert_eq!(check_headroom(64, bound), Err(FixedError::Headroom { sites: 64 }));
    assert_eq!(check_headroom(1_000_000, 1e9), Ok(()));
    assert_eq!(check_headroom(2, 2f64.powi(62)), Err(FixedError::Bound));
}
