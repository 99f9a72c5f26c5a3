//! Standardised and raw differences between the arms, as tableone and cobalt define them.
//!
//! tableone: absolute, with the variances of the same (weighted or unweighted) rows. cobalt: signed (treated minus
//! control), over a spread that is the same before and after weighting; levels of a category by their raw difference.

use crate::inference::{self, ChiSquare};
use crate::matrix::Matrix;

use super::moments::Arms;
use crate::weights::Estimand;

/// Standardised mean difference |m1 - m0| / sqrt((v1 + v0) / 2) of tableone, weighted when the moments are; None when an
/// arm has fewer than two rows, or neither varies ([`separated_continuous`] tells why).
pub fn smd_continuous(arms: &Arms) -> Option<f64> {
    if separated_continuous(arms) {
        return None;
    }
    let spread = arms.control.variance()?.midpoint(arms.treated.variance()?).sqrt();
    difference(arms, spread).map(f64::abs)
}

/// What cobalt divides a difference of means by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// sqrt of the mean of the two unweighted variances: for the average effect in all (ATE).
    Pooled,
    /// Unweighted standard deviation of the treated: for the effect in the treated (ATT).
    Treated,
    /// Unweighted standard deviation of the controls: for the effect in the controls (ATC).
    Control,
    /// Weighted standard deviation of both arms together: for the overlap and the matching population (ATO, ATM).
    Weighted,
}

impl Spread {
    /// What cobalt 5.0.0 takes where it knows the estimand of the weights.
    pub fn of(estimand: Estimand) -> Self {
        match estimand {
            Estimand::Ate => Spread::Pooled,
            Estimand::Att => Spread::Treated,
            Estimand::Atc => Spread::Control,
            Estimand::Ato | Estimand::Atm => Spread::Weighted,
        }
    }

    /// The standard deviation from the moments of the same rows without weights and with them; None when an arm has too
    /// few rows.
    pub fn deviation(self, unweighted: &Arms, weighted: &Arms) -> Option<f64> {
        let (control, treated) = (&unweighted.control, &unweighted.treated);
        let variance = match self {
            Spread::Pooled => control.variance()?.midpoint(treated.variance()?),
            Spread::Treated => treated.variance()?,
            Spread::Control => control.variance()?,
            Spread::Weighted => weighted.all().reliability_variance()?,
        };
        Some(variance.sqrt())
    }
}

/// Standardised mean difference of cobalt, m1 - m0 of the rows with or without weights over a [`Spread`] that is the same
/// for both. None when an arm is empty, or the spread is 0.
pub fn cobalt_continuous(arms: &Arms, spread: f64) -> Option<f64> {
    difference(arms, spread)
}

/// (m1 - m0) / `spread`.
fn difference(arms: &Arms, spread: f64) -> Option<f64> {
    let difference = arms.treated.mean()? - arms.control.mean()?;
    (spread > 0.0).then(|| difference / spread)
}

/// Standardised difference sqrt(d' S^-1 d) of a category (Yang and Dalton 2012; tableone), from the rows or the weights
/// per level: d the differences of the shares without one level, S the mean of the two multinomial covariances.
///
/// Levels that are empty in both arms are left out, which is what tableone's pseudo-inverse of S amounts to. Then S is
/// singular only if no level is filled in both arms: a category that tells the arms apart has no finite difference, and
/// the answer is None, as it is with fewer than two levels or an empty arm.
///
/// # Panics
/// When the arms do not have the same number of levels.
pub fn smd_categorical(control: &[f64], treated: &[f64]) -> Option<f64> {
    let (p0, p1) = (shares(control)?, shares(treated)?);
    assert_eq!(p0.len(), p1.len(), "the same levels in both arms");
    let filled: Vec<(f64, f64)> = p0.into_iter().zip(p1).filter(|(a, b)| a + b > 0.0).collect();
    if filled.len() < 2 || filled.iter().all(|(a, b)| *a == 0.0 || *b == 0.0) {
        return None;
    }
    let k = filled.len() - 1;
    let mut covariance = Matrix::zero(k, k);
    for (i, (a, b)) in filled[1..].iter().enumerate() {
        for (j, (c, d)) in filled[1..].iter().enumerate() {
            covariance[(i, j)] =
                if i == j { f64::midpoint(a * (1.0 - a), b * (1.0 - b)) } else { -f64::midpoint(a * c, b * d) };
        }
    }
    let d: Vec<f64> = filled[1..].iter().map(|(a, b)| b - a).collect();
    let all: Vec<usize> = (0..k).collect();
    let ChiSquare { statistic, .. } = inference::wald_test(&d, &covariance, &all).ok()?;
    Some(statistic.sqrt())
}

/// Do the levels tell the arms apart: at least two levels, none of them in both arms? Then there is no finite
/// standardised difference.
///
/// # Panics
/// When the arms do not have the same number of levels.
pub fn separated_categorical(control: &[f64], treated: &[f64]) -> bool {
    let (Some(p0), Some(p1)) = (shares(control), shares(treated)) else { return false };
    assert_eq!(p0.len(), p1.len(), "the same levels in both arms");
    p0.iter().zip(&p1).all(|(a, b)| *a == 0.0 || *b == 0.0)
}

/// Does a number have one value in each arm, and not the same? Then there is no finite standardised difference.
pub fn separated_continuous(arms: &Arms) -> bool {
    /// What rounding of the sums leaves of a variance, as a share of the squared difference.
    const ROUNDING: f64 = 1e-13;
    let (Some(v0), Some(v1)) = (arms.control.variance(), arms.treated.variance()) else { return false };
    let (Some(m0), Some(m1)) = (arms.control.mean(), arms.treated.mean()) else { return false };
    let (difference, size) = (m1 - m0, m0.abs() + m1.abs());
    difference.abs() > 1e-12 * size && v0.max(v1) <= ROUNDING * difference * difference
}

/// Differences of the shares of each level, treated minus control, as cobalt reports categories, from the rows or the
/// weights per level; None when an arm is empty.
///
/// # Panics
/// When the arms do not have the same number of levels.
pub fn raw_differences(control: &[f64], treated: &[f64]) -> Option<Vec<f64>> {
    let (p0, p1) = (shares(control)?, shares(treated)?);
    assert_eq!(p0.len(), p1.len(), "the same levels in both arms");
    Some(p0.into_iter().zip(p1).map(|(a, b)| b - a).collect())
}

/// Share of each level; None when there is nothing.
fn shares(counts: &[f64]) -> Option<Vec<f64>> {
    let n: f64 = counts.iter().sum();
    (n > 0.0).then(|| counts.iter().map(|count| count / n).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptive::moments::{MOMENTS_LEN, MomentRows, moments};
    use crate::total::Plain;

    fn arms(x: &[f64], treated: &[bool], w: Option<&[f64]>) -> Arms {
        let mut total = Plain::zero(MOMENTS_LEN);
        moments(&MomentRows { x, treated, w }, 1.0, &mut total);
        Arms::new(&total.0, 1.0)
    }

    #[test]
    fn continuous_by_hand() {
        // Control 0, 2 (mean 1, variance 2); treated 2, 6 (mean 4, variance 8; mean 3 with weights 3, 1).
        let (x, treated) = ([0.0, 2.0, 2.0, 6.0], [false, false, true, true]);
        let unweighted = arms(&x, &treated, None);
        let weighted = arms(&x, &treated, Some(&[1.0, 1.0, 3.0, 1.0]));
        let close = |a: Option<f64>, b: f64| assert!((a.expect("a number") - b).abs() < 1e-15, "{a:?} {b}");
        close(smd_continuous(&unweighted), 3.0 / 5f64.sqrt());
        // Weighted variance of the treated: (3 x 1 + 9) / 4 x 2 = 6.
        close(smd_continuous(&weighted), 2.0 / 4f64.sqrt());
        let cobalt = |arms: &Arms, spread: Spread| cobalt_continuous(arms, spread.deviation(&unweighted, &weighted)?);
        close(cobalt(&weighted, Spread::Pooled), 2.0 / 5f64.sqrt());
        close(cobalt(&weighted, Spread::Treated), 2.0 / 8f64.sqrt());
        close(cobalt(&weighted, Spread::Control), 2.0 / 2f64.sqrt());
        // All: mean 14 / 6, sum w x^2 = 4 + 12 + 36 = 52, squares 52 - 14^2 / 6, scale 6 - 12 / 6.
        let spread = ((52.0 - 196.0 / 6.0) / 4.0f64).sqrt();
        close(cobalt(&weighted, Spread::Weighted), 2.0 / spread);
        close(cobalt(&unweighted, Spread::Weighted), 3.0 / spread);
        // Signed.
        close(cobalt(&arms(&x, &treated.map(|t| !t), None), Spread::Control), -3.0 / 2f64.sqrt());
    }

    #[test]
    fn two_levels_by_hand() {
        // Shares 1/4 and 1/2: (1/4) / sqrt((3/16 + 1/4) / 2).
        let expected = 0.25 / (7.0 / 32.0f64).sqrt();
        for (control, treated) in
            [(vec![3.0, 1.0], vec![2.0, 2.0]), (vec![0.0, 6.0, 0.0, 2.0], vec![0.0, 1.0, 0.0, 1.0])]
        {
            let smd = smd_categorical(&control, &treated).expect("a number");
            assert!((smd - expected).abs() < 1e-15);
        }
        assert_eq!(raw_differences(&[3.0, 1.0], &[2.0, 2.0]), Some(vec![-0.25, 0.25]));
    }

    #[test]
    fn the_level_left_out_does_not_matter() {
        let (control, treated) = ([5.0, 1.0, 0.0, 9.0], [2.0, 4.0, 3.0, 8.0]);
        let turned = |v: [f64; 4]| [v[2], v[3], v[0], v[1]];
        let (a, b) = (smd_categorical(&control, &treated), smd_categorical(&turned(control), &turned(treated)));
        assert!((a.expect("a number") - b.expect("a number")).abs() < 1e-14);
    }

    #[test]
    fn no_finite_difference() {
        assert_eq!(smd_categorical(&[3.0, 0.0], &[0.0, 2.0]), None);
        assert_eq!(smd_categorical(&[3.0, 0.0, 1.0], &[0.0, 2.0, 0.0]), None);
        assert_eq!(smd_categorical(&[3.0, 0.0], &[2.0, 0.0]), None);
        assert_eq!(smd_categorical(&[0.0, 0.0], &[2.0, 1.0]), None);
        assert_eq!(raw_differences(&[0.0], &[2.0]), None);
        assert_eq!(smd_continuous(&arms(&[3.0; 4], &[false, false, true, true], None)), None);
        assert_eq!(smd_continuous(&arms(&[3.0, 4.0, 5.0], &[false, false, true], None)), None);
    }
}
