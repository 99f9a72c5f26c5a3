//! Bounds of numbers that say nothing of the patients at the ends: made of quantiles, and widened to round numbers.

/// Most steps of a value grid that a draft declares; finer ones open more than a table needs.
const STEPS: f64 = 10_000.0;

/// Most decimals of a step.
const DECIMALS: usize = 4;

/// Values farther from the middle nine tenths than so many times their spread have another unit, or are mistakes.
const FAR: f64 = 3.0;

/// Decimals of a number as it is written without an exponent.
pub(super) fn decimals(x: f64) -> usize {
    x.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// 10 to the power of minus `decimals`.
pub(super) fn step(decimals: usize) -> f64 {
    1.0 / 10_f64.powf(decimals as f64)
}

/// Round bounds for a column: half the spread of the middle nine tenths beyond them, and around every value that is not
/// far outside. How many are far outside comes with them.
pub(super) fn bounds(values: &[f64]) -> (f64, f64, usize) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |p: f64| sorted[(p * (sorted.len() - 1) as f64).round() as usize];
    let (low, high) = (at(0.05), at(0.95));
    let spread = high - low;
    let near = |x: &f64| spread == 0.0 || (*x >= low - FAR * spread && *x <= high + FAR * spread);
    let kept: Vec<f64> = sorted.iter().copied().filter(near).collect();
    let (smallest, largest) = (kept[0], kept[kept.len() - 1]);
    let beneath = (low - spread / 2.0).min(smallest);
    let beneath = if smallest >= 0.0 { beneath.max(0.0) } else { beneath };
    let (low, high) = widened(beneath, (high + spread / 2.0).max(largest));
    (low, high, values.iter().filter(|x| !(low..=high).contains(*x)).count())
}

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

/// The step of values with so many decimals, coarser where the range would have too many of them; and whether it is.
pub(super) fn resolution(decimals: usize, low: f64, high: f64) -> (f64, bool) {
    let fitting = (0..=decimals.min(DECIMALS)).rev().find(|n| (high - low) / step(*n) <= STEPS);
    let chosen = fitting.unwrap_or(0);
    (step(chosen), chosen < decimals)
}
