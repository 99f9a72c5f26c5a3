//! Random variates from 64-bit words. The caller brings the words; the same words give the same bits everywhere.
//!
//! Normal and exponential variates are inverse distribution functions of the 53 top bits k of one word. Their tail
//! probability is t = (k + 1/2) / 2^53 in the lower half (k < 2^52) and the mirror image of that in the upper half, so
//! t is exact, never 0, and below 1/2.

/// 2^-53.
const STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// Which half of the distribution a word falls in, and how far from its end.
struct Tail {
    upper: bool,
    probability: f64,
}

impl Tail {
    fn of(word: u64) -> Self {
        const TOP: u64 = (1 << 53) - 1;
        let k = word >> 11;
        let upper = k >= 1 << 52;
        let from_end = if upper { TOP - k } else { k };
        Self { upper, probability: (from_end as f64 + 0.5) * STEP }
    }
}

/// A uniform variate (k + 1/2) / 2^52 of the 52 top bits k: exact, inside (0, 1), symmetric about 1/2.
pub fn uniform(word: u64) -> f64 {
    ((word >> 12) as f64 + 0.5) * (2.0 * STEP)
}

/// An exponential variate with mean 1: -log(1 - t) in the lower half, -log(t) in the upper. All 2^53 values are
/// positive and finite, from 2^-54 to 54 log 2 = 37.4.
pub fn exponential(word: u64) -> f64 {
    let Tail { upper, probability } = Tail::of(word);
    if upper { -libm::log(probability) } else { -libm::log1p(-probability) }
}

/// A standard normal variate, R's `qnorm` of t or of 1 - t; between -8.3 and 8.3.
pub fn normal(word: u64) -> f64 {
    let Tail { upper, probability } = Tail::of(word);
    let z = normal_upper_quantile(probability);
    if upper { z } else { -z }
}

/// The z >= 0 with P(Z > z) = `tail`, 0 < tail <= 1/2.
///
/// Abramowitz and Stegun 26.2.23 is within 4.5e-4; each step of Halley's method cubes the error, so that two reach the
/// last digits.
fn normal_upper_quantile(tail: f64) -> f64 {
    const NUMERATOR: [f64; 3] = [2.515_517, 0.802_853, 0.010_328];
    const DENOMINATOR: [f64; 4] = [1.0, 1.432_788, 0.189_269, 0.001_308];
    let polynomial = |coefficients: &[f64], x: f64| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    let r = (-2.0 * libm::log(tail)).sqrt();
    let mut z = (r - polynomial(&NUMERATOR, r) / polynomial(&DENOMINATOR, r)).max(0.0);
    for _ in 0..2 {
        let scaled = z * std::f64::consts::FRAC_1_SQRT_2;
        // Above 1/4 the distance from 1/2 keeps more digits than the tail.
        let excess = if tail > 0.25 { (0.5 - tail) - 0.5 * libm::erf(scaled) } else { 0.5 * libm::erfc(scaled) - tail };
        let density =
            libm::exp(-0.5 * z * z) * 0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
        let step = excess / density;
        z += step / (1.0 - 0.5 * step * z);
    }
    z
}

/// A chi-square variate with `df` degrees of freedom: twice a gamma variate of shape df / 2, by the rejection of
/// Marsaglia and Tsang (2000); the square of a normal variate for df = 1. It takes as many words as it needs.
///
/// # Panics
/// When `df` is 0.
pub fn chi_square(df: usize, mut words: impl FnMut() -> u64) -> f64 {
    assert!(df > 0, "a chi-square variate needs a degree of freedom");
    if df == 1 {
        let z = normal(words());
        return z * z;
    }
    let d = df as f64 / 2.0 - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = normal(words());
        let root = 1.0 + c * z;
        let log_u = libm::log(uniform(words()));
        if root > 0.0 {
            let cube = root * root * root;
            if log_u < 0.5 * z * z + d - d * cube + d * libm::log(cube) {
                return 2.0 * d * cube;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_by_hand() {
        let ln_2 = std::f64::consts::LN_2;
        assert_eq!(uniform(0), 0.5 / 4_503_599_627_370_496.0);
        assert_eq!(uniform(u64::MAX), 1.0 - 0.5 / 4_503_599_627_370_496.0);
        assert_eq!(exponential(0), STEP / 2.0);
        assert!((exponential(u64::MAX) - 54.0 * ln_2).abs() < 1e-14);
        // The two words at the median are half a step on either side of log 2.
        assert!((exponential(1 << 63) - ln_2).abs() < 2e-16 && (exponential((1 << 63) - 1) - ln_2).abs() < 2e-16);
        assert_eq!(normal(0), -normal(u64::MAX));
        assert!((normal(u64::MAX) / 8.292_361_075_813_595 - 1.0).abs() < 1e-14, "{:.17}", normal(u64::MAX));
        assert!(normal(1 << 63) > 0.0 && normal(1 << 63) < 2e-16);
    }

    #[test]
    fn variates_ascend_with_their_word() {
        let words: Vec<u64> = (0..4096).map(|k| k << 52).chain([u64::MAX]).collect();
        for pair in words.windows(2) {
            assert!(normal(pair[0]) < normal(pair[1]));
            assert!(exponential(pair[0]) < exponential(pair[1]));
        }
    }
}
