//! Arithmetic in `Z_2^256`, on four 64-bit limbs, least significant first.

/// `a + b`.
pub(crate) fn add(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut sum = [0; 4];
    let mut carry = false;
    for i in 0..4 {
        (sum[i], carry) = a[i].carrying_add(b[i], carry);
    }
    sum
}

/// `a - b`.
pub(crate) fn sub(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut difference = [0; 4];
    let mut borrow = false;
    for i in 0..4 {
        (difference[i], borrow) = a[i].borrowing_sub(b[i], borrow);
    }
    difference
}

/// `sum + a * x`, with `x` extended by its sign to 256 bits.
pub(crate) fn multiply_add(mut sum: [u64; 4], a: [u64; 4], x: i128) -> [u64; 4] {
    let bits = x.cast_unsigned();
    let limbs = [bits as u64, (bits >> 64) as u64];
    for (shift, limb) in limbs.into_iter().enumerate() {
        let mut carry = 0;
        for i in shift..4 {
            // limb * a + sum + carry is at most (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1.
            (sum[i], carry) = limb.carrying_mul_add(a[i - shift], sum[i], carry);
        }
    }
    // A negative x is its unsigned bits minus 2^128: take a * 2^128 off again, without a branch on the sign.
    let sign = (x >> 127) as u64;
    let (low, borrow) = sum[2].borrowing_sub(a[0] & sign, false);
    let (high, _) = sum[3].borrowing_sub(a[1] & sign, borrow);
    [sum[0], sum[1], low, high]
}

/// The number whose little-endian bytes these are.
pub(crate) fn from_bytes(bytes: &[u8; 32]) -> [u64; 4] {
    let mut limbs = [0; 4];
    let (chunks, _) = bytes.as_chunks::<8>();
    for (limb, chunk) in limbs.iter_mut().zip(chunks) {
        *limb = u64::from_le_bytes(*chunk);
    }
    limbs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `a * 2`.
    fn double(a: [u64; 4]) -> [u64; 4] {
        add(a, a)
    }

    /// `a * x` by doubling and adding, bit by bit over all 256 bits of the sign-extended `x`.
    fn product(a: [u64; 4], x: i128) -> [u64; 4] {
        (0..256)
            .rev()
            .map(|bit| x >> bit.min(127) & 1 == 1)
            .fold([0; 4], |p, set| if set { add(double(p), a) } else { double(p) })
    }

    proptest! {
        #[test]
        fn multiply_add_is_the_schoolbook_product(
            sum: [u64; 4],
            a: [u64; 4],
            x in prop_oneof![any::<i128>(), Just(i128::MIN), Just(i128::MAX), -3..=3i128],
        ) {
            prop_assert_eq!(multiply_add(sum, a, x), add(sum, product(a, x)));
        }

        #[test]
        fn sub_undoes_add(a: [u64; 4], b: [u64; 4]) {
            prop_assert_eq!(sub(add(a, b), b), a);
        }
    }

    #[test]
    fn carries_run_through_all_limbs() {
        let one = [1, 0, 0, 0];
        assert_eq!(add([u64::MAX; 4], one), [0; 4]);
        assert_eq!(sub([0; 4], one), [u64::MAX; 4]);
        assert_eq!(multiply_add([0; 4], one, -1), [u64::MAX; 4]);
    }
}
