//! Tails of Fisher's F and Student's t, with degrees of freedom that need not be whole. Replicated code: `libm` only.
//!
//! With b = k / 2, a = v / 2, the density of F(k, v) is c f^(b - 1) (1 + k f / v)^-(a + b), c = (k/2)^b / Gamma(b) x
//! Gamma(a + b) / (Gamma(a) a^b). Its tail beyond f is the density at f times the integral over d > 0 of
//! (1 + d / f)^(b - 1) exp(-(a + b) log1p(k d / (v + k f))), where nothing cancels, however large v is. Below v = 1/10
//! the tail is heavier than f64 reaches, and digits are lost. |T| > t of a Student's t with v degrees of freedom is
//! F(1, v) > t^2.

use crate::inference::{chi_square_upper, normal_two_sided};

/// P(F >= f) with `k` and `v` degrees of freedom, R's `pf(f, k, v, lower = FALSE)`; 1 for f <= 0, 0 where k f / v
/// overflows. An infinite `v` gives the chi-square distribution of k f.
///
/// # Panics
/// When `k` is 0 or `v` is not above 0.
pub fn f_upper(f: f64, k: usize, v: f64) -> f64 {
    assert!(k > 0 && v > 0.0, "degrees of freedom above zero");
    if f <= 0.0 {
        return 1.0;
    }
    if v == f64::INFINITY {
        return chi_square_upper(f * k as f64, k);
    }
    let (b, scale) = (k as f64 / 2.0, k as f64);
    if f.is_nan() || scale * f / v == f64::INFINITY {
        return if f.is_nan() { f64::NAN } else { 0.0 };
    }
    let power = b - 1.0;
    let decay = b + v / 2.0;
    // The distance over which the tail falls by about a factor e: the rule has its nodes around it.
    let rate = decay.max(1.0);
    let length = (v + scale * f) / (scale * rate);
    let relative = length / f;
    let rest = half_line(|y| libm::exp(power * libm::log1p(relative * y) - decay * libm::log1p(y / rate)));
    (density_times(length, f, k, v) * rest).min(1.0)
}

/// P(|T| >= |t|) of Student's t with `v` degrees of freedom, R's `2 * pt(-abs(t), v)`; the normal one when `v` is
/// infinite.
///
/// # Panics
/// When `v` is not above 0.
pub fn student_two_sided(t: f64, v: f64) -> f64 {
    if v == f64::INFINITY { normal_two_sided(t) } else { f_upper(t * t, 1, v) }
}

/// The t >= 0 with P(|T| >= t) = `p`, R's `qt(1 - p / 2, v)`; infinite beyond 1e150.
///
/// # Panics
/// When `p` is not inside (0, 1] or `v` is not above 0.
pub fn student_quantile(p: f64, v: f64) -> f64 {
    /// The square of it stays in f64, in any unit that the tail counts in.
    const FARTHEST: f64 = 1e150;
    /// More than bisection alone needs.
    const STEPS: usize = 200;
    assert!(p > 0.0 && p <= 1.0, "a probability above zero");
    let (mut low, mut high) = (0.0, 1.0);
    while student_two_sided(high, v) > p {
        (low, high) = (high, 2.0 * high);
        if high > FARTHEST {
            return f64::INFINITY;
        }
    }
    let mut t = 0.5 * (low + high);
    for _ in 0..STEPS {
        let tail = student_two_sided(t, v);
        if tail > p {
            low = t;
        } else {
            high = t;
        }
        let slope = density_times(2.0 * t, t * t, 1, v);
        let newton = t + (tail - p) / slope;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - t).abs() <= 4.0 * f64::EPSILON * t {
            return next;
        }
        t = next;
    }
    t
}

/// Density of F(k, v) at f > 0 times `factor`, which keeps a far density from underflow.
fn density_times(factor: f64, f: f64, k: usize, v: f64) -> f64 {
    let b = k as f64 / 2.0;
    let decay = if v == f64::INFINITY { b * f } else { (b + v / 2.0) * libm::log1p(2.0 * b * f / v) };
    constant(k) * ratio(v / 2.0, k) * libm::exp((b - 1.0) * libm::log(f) - decay + libm::log(factor))
}

/// b^b / Gamma(b) with b = k / 2, by Gamma(b + 1) = b Gamma(b) from Gamma(1) = 1 or Gamma(1/2) = sqrt(pi).
fn constant(k: usize) -> f64 {
    let b = k as f64 / 2.0;
    let odd = k % 2 == 1;
    let (mut product, mut at) = if odd { (b.sqrt() * std::f64::consts::FRAC_2_SQRT_PI / 2.0, 0.5) } else { (b, 1.0) };
    while at < b {
        product *= b / at;
        at += 1.0;
    }
    product
}

/// Gamma(a + k / 2) / (Gamma(a) a^(k / 2)); 1 for an infinite `a`.
fn ratio(a: f64, k: usize) -> f64 {
    if a == f64::INFINITY {
        return 1.0;
    }
    let (mut product, mut at) = if k % 2 == 1 { (half_ratio(a), a + 0.5) } else { (1.0, a) };
    for _ in 0..k / 2 {
        product *= at / a;
        at += 1.0;
    }
    product
}

/// Gamma(a + 1/2) / (Gamma(a) sqrt(a)).
///
/// Its logarithm is -1/(8a) + 1/(192a^3) - 1/(640a^5) + 17/(14336a^7) - ..., whose next term is below 3e-14 from a = 16
/// on; a smaller a climbs there by Gamma(a + 1) = a Gamma(a).
fn half_ratio(a: f64) -> f64 {
    let (mut product, mut at) = (1.0, a);
    while at < 16.0 {
        product *= at / (at + 0.5) * ((at + 1.0) / at).sqrt();
        at += 1.0;
    }
    let r = 1.0 / at;
    let r2 = r * r;
    product * libm::exp(r * (-1.0 / 8.0 + r2 * (1.0 / 192.0 + r2 * (-1.0 / 640.0 + r2 * (17.0 / 14336.0)))))
}

/// The integral of `g` over y > 0 by the double-exponential rule y = exp(pi/2 sinh x), in ascending x.
fn half_line(g: impl Fn(f64) -> f64) -> f64 {
    /// The trapezoidal rule in x has converged to 1e-13 at this step for every tail that the tests know.
    const STEP: f64 = 1.0 / 64.0;
    /// pi/2 sinh 6.8 = 705: beyond it y itself leaves f64.
    const REACH: i32 = 435;
    let mut sum = 0.0;
    for k in -REACH..=REACH {
        let x = f64::from(k) * STEP;
        let y = libm::exp(std::f64::consts::FRAC_PI_2 * libm::sinh(x));
        let value = g(y);
        if value > 0.0 {
            sum += value * y * libm::cosh(x);
        }
    }
    sum * STEP * std::f64::consts::FRAC_PI_2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64, tolerance: f64) {
        assert!((got / expected - 1.0).abs() < tolerance, "{got:e} {expected:e} {:e}", got / expected - 1.0);
    }

    #[test]
    fn closed_forms() {
        for t in [1e-3, 0.3, 1.0, 2.5, 40.0] {
            // Cauchy, and 2 degrees of freedom: 1 - t / sqrt(2 + t^2) = 2 / (s (s + t)) with s = sqrt(2 + t^2).
            close(student_two_sided(t, 1.0), 2.0 * libm::atan2(1.0, t) / std::f64::consts::PI, 1e-12);
            let s = (2.0 + t * t).sqrt();
            close(student_two_sided(t, 2.0), 2.0 / (s * (s + t)), 1e-12);
            // F(2, v): (1 + 2 f / v)^(-v / 2).
            for v in [0.5, 3.7, 1e3, 1e9] {
                close(f_upper(t, 2, v), libm::exp(-v / 2.0 * libm::log1p(2.0 * t / v)), 1e-12);
            }
        }
        assert_eq!((f_upper(0.0, 3, 2.0), student_two_sided(0.0, 4.0)), (1.0, 1.0));
        assert_eq!(student_two_sided(f64::NEG_INFINITY, 4.0), 0.0);
        assert!(student_two_sided(f64::NAN, 4.0).is_nan());
    }

    /// Regularised incomplete beta functions in 40-digit arithmetic (mpmath).
    #[test]
    fn far_ends() {
        for (t, v, p) in [
            (3.031_033_592_498_118_7e19, 0.3, 1.000_001_956_620_623_6e-6),
            (1.96, 2e8, 0.049_995_791_682_884_49),
            (5.0, 2e8, 5.733_036_269_423_941e-7),
            (0.2, 0.1, 0.944_453_556_561_750_2),
            (1e10, 0.1, 0.083_476_062_743_464_35),
        ] {
            close(student_two_sided(t, v), p, 1e-11);
        }
        for (f, k, v, p) in [
            (3.0, 8, 0.1, 0.831_254_351_142_883),
            (20.0, 30, 2e8, 2.963_491_765_760_179e-107),
            (1.5, 30, 2e8, 0.038_601_774_082_166_565),
            (3.0, 50, 12.5, 0.018_850_223_833_780_115),
        ] {
            close(f_upper(f, k, v), p, 1e-11);
        }
    }

    #[test]
    fn large_degrees_of_freedom_reach_the_limit() {
        // The tail exceeds the normal one by about t^4 / (4 v) of it.
        for t in [0.1, 1.0, 1.96, 5.0] {
            close(student_two_sided(t, 1e15), normal_two_sided(t), 1e-11);
            close(f_upper(t, 5, 1e15), chi_square_upper(5.0 * t, 5), 1e-11);
        }
        close(student_quantile(0.05, f64::INFINITY), crate::inference::NORMAL_975, 1e-14);
    }

    #[test]
    fn quantile_inverts_the_tail() {
        for v in [0.3, 1.0, 4.2, 33.0, 1e6] {
            for p in [1e-8, 0.05, 0.5, 0.999] {
                close(student_two_sided(student_quantile(p, v), v), p, 1e-12);
            }
        }
        assert_eq!(student_quantile(1e-40, 0.1), f64::INFINITY);
        assert!(student_quantile(1.0, 3.0) < 1e-15);
    }
}
