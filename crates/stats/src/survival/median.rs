//! Median survival with its interval.

use super::curve::Curve;
use super::interval::IntervalKind;

/// Distance from .5 that counts as .5: the square root of the spacing of f64 at 1, as R has it.
const TOLERANCE: f64 = 1.490_116_119_384_765_6e-8;

/// A median and its 95% interval, in cells. None where a curve does not come down to .5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Median {
    /// Time at which the curve passes .5.
    pub estimate: Option<f64>,
    /// Time at which the lower ends of the curve's interval pass .5.
    pub conf_low: Option<f64>,
    /// Time at which the upper ends of the curve's interval pass .5.
    pub conf_high: Option<f64>,
}

/// Median of `curve` with the interval that intervals of `kind` give (Brookmeyer & Crowley 1982), R's
/// `summary(fit)$table`.
///
/// Each is the first time at which a curve is below .5 + 1.5e-8; where it is within 1.5e-8 of .5 there, the middle of that
/// time and the next one at which it is lower, if there is one. Times at which an end is missing are left out.
pub fn median(curve: &Curve, kind: IntervalKind) -> Median {
    let ends: Vec<_> = curve.points().iter().map(|point| point.interval(kind)).collect();
    let times = || curve.points().iter().map(|point| point.time);
    let pass = |end: fn((f64, f64)) -> f64| {
        crossing(times().zip(&ends).filter_map(|(time, ends)| ends.map(|ends| (time, end(ends)))))
    };
    Median {
        estimate: crossing(times().zip(curve.points()).map(|(time, point)| (time, point.survival))),
        conf_low: pass(|ends| ends.0),
        conf_high: pass(|ends| ends.1),
    }
}

/// The time at which a curve of (time, value) passes .5.
fn crossing(curve: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let mut below = curve.filter(|(_, value)| *value < 0.5 + TOLERANCE);
    let (time, value) = below.next()?;
    if (value - 0.5).abs() < TOLERANCE
        && let Some((next, _)) = below.find(|(_, later)| *later < value)
    {
        return Some(f64::midpoint(time, next));
    }
    Some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(values: &[f64]) -> Option<f64> {
        crossing(values.iter().enumerate().map(|(time, value)| (time as f64, *value)))
    }

    #[test]
    fn the_middle_at_exactly_half() {
        assert_eq!(pass(&[0.9, 0.4, 0.3]), Some(1.0));
        assert_eq!(pass(&[0.9, 0.5, 0.5, 0.3]), Some(2.0));
        assert_eq!(pass(&[0.9, 0.5 + 1e-9, 0.4]), Some(1.5));
        assert_eq!(pass(&[0.9, 0.5 + 2e-8, 0.4]), Some(2.0));
        assert_eq!(pass(&[0.9, 0.5, 0.5]), Some(1.0));
        assert_eq!(pass(&[0.9, 0.6]), None);
    }
}
