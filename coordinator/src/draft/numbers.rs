//! Bounds of numbers that say nothing of the patients at the ends: widened to round numbers.

/// Most steps of a value grid that a draft declares; finer ones open more than a table needs.
const STEPS: f64 = 10_000.0;

/// The power of ten that has as many digits before the point as this number, at least 10^-4.
fn magnitude(x: f64) -> i32 {
    if x > 0.0 { (x.log10().floor() as i32).max(-4) } else { 0 }
}

/// Round numbers beyond the smallest and the largest value: multiples of the power of ten of their distance. Zero alone
/// may be a bound that stands in the file.
pub(super) fn widened(smallest: f64, largest: f64) -> (f64, f64) {
    let spread = largest - smallest;
    let power = magnitude(if spread > 0.0 { spread } else { largest.abs() });
    // Whole multiples first: 3 * 0.1 is not 0.3.
    let multiple = |x: f64| if power >= 0 { x * 10_f64.powi(power) } else { x / 10_f64.powi(-power) };
    let in_steps = |x: f64| if power >= 0 { x / 10_f64.powi(power) } else { x * 10_f64.powi(-power) };
    let (low, high) = (in_steps(smallest).floor(), in_steps(largest).ceil());
    let low = if multiple(low) == smallest && smallest != 0.0 { low - 1.0 } else { low };
    let high = if multiple(high) == largest { high + 1.0 } else { high };
    let low = if smallest >= 0.0 { low.max(0.0) } else { low };
    (multiple(low), multiple(high))
}

/// A round number of days above the largest.
pub(super) fn widened_days(largest: u32) -> u32 {
    let step = 10_u32.pow(largest.max(1).ilog10().saturating_sub(1)).max(10);
    (largest / step + 1).saturating_mul(step)
}

/// The step of values with so many decimals, coarser where the range would have too many of them.
pub(super) fn resolution(decimals: usize, low: f64, high: f64) -> f64 {
    let mut steps = 1.0;
    for _ in 0..decimals.min(4) {
        if (high - low) * steps * 10.0 <= STEPS {
            steps *= 10.0;
        }
    }
    1.0 / steps
}
