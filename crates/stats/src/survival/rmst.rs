//! Restricted mean survival time.

use super::contrast::Estimate;
use super::curve::Curve;

/// Can the mean be restricted to `horizon`? As survRM2 has it: to the largest observed time, and beyond it only where the curve
/// has come down to 0, so that nothing is added.
pub fn reaches(curve: &Curve, horizon: f64) -> bool {
    curve.points().last().is_some_and(|last| horizon <= last.time || last.survival == 0.0)
}

/// Area under `curve` from 0 to `horizon` in cells, R's `summary(fit, rmean = horizon)`; beyond its last point the curve is
/// continued flat (see [`reaches`]). None when the horizon is not above 0.
///
/// Variance: with K_j the area from step j to the horizon, sum of K_j^2 d / (n (n - d)) unweighted, and the infinitesimal
/// jackknife ([`Curve::kaplan_meier`]) with slope K_j weighted. R's `survmean` takes the first formula for weighted curves
/// too, with sums of weights for d and n, as if these were counts.
pub fn restricted_mean(curve: &Curve, horizon: f64) -> Option<Estimate> {
    if horizon.is_nan() || horizon <= 0.0 || horizon.is_infinite() {
        return None;
    }
    let points = curve.points();
    let reached = points.partition_point(|point| point.time <= horizon);
    let mut slopes = vec![0.0; points.len()];
    let (mut area, mut end) = (0.0, horizon);
    for (point, slope) in points[..reached].iter().zip(&mut slopes).rev() {
        area += point.survival * (end - point.time);
        end = point.time;
        *slope = area;
    }
    let variance = if curve.is_weighted() { curve.jackknife(&slopes) } else { curve.greenwood(&slopes) };
    Some(Estimate { estimate: area + end, std_error: variance.sqrt() })
}
