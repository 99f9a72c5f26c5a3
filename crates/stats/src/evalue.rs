//! E-values: how strong an unmeasured confounder would have to be to explain an effect away.
//!
//! VanderWeele and Ding, Annals of Internal Medicine 2017;167:268-274: E = RR + sqrt(RR (RR - 1)) for RR >= 1, and the same
//! of 1 / RR below. It is the smallest risk ratio that the confounder must have with both treatment and outcome, given the
//! measured covariates. Odds and hazard ratios of outcomes that are not rare are first turned into risk ratios.

use serde::{Deserialize, Serialize};

/// What kind of ratio an estimate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ratio {
    /// A risk ratio; also an odds or hazard ratio of a rare outcome (below 15% at the end of follow-up).
    Risk,
    /// An odds ratio of a common outcome: RR is about sqrt(OR).
    CommonOdds,
    /// A hazard ratio of a common outcome: RR is about (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1 / HR)).
    CommonHazard,
}

impl Ratio {
    /// The risk ratio that `ratio` stands for.
    pub fn to_risk(self, ratio: f64) -> f64 {
        // 1 - 0.5^s, with its digits for small s.
        let half_life = |s: f64| -libm::expm1(-std::f64::consts::LN_2 * s);
        match self {
            Self::Risk => ratio,
            Self::CommonOdds => ratio.sqrt(),
            Self::CommonHazard => half_life(ratio.sqrt()) / half_life((1.0 / ratio).sqrt()),
        }
    }
}

/// E-values of an estimate and of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EValue {
    /// The estimate as a risk ratio.
    pub risk_ratio: f64,
    /// E-value of the estimate.
    pub estimate: f64,
    /// E-value of the end of the interval that is nearer to 1; exactly 1 when the interval holds 1.
    pub limit: f64,
}

/// E-values of `estimate` with the interval `conf_low` to `conf_high`; None unless 0 < low <= estimate <= high, all finite.
pub fn e_value(ratio: Ratio, estimate: f64, conf_low: f64, conf_high: f64) -> Option<EValue> {
    let ordered = 0.0 < conf_low && conf_low <= estimate && estimate <= conf_high && conf_high.is_finite();
    if !ordered {
        return None;
    }
    let risk_ratio = ratio.to_risk(estimate);
    let nearest = if conf_low > 1.0 {
        conf_low
    } else if conf_high < 1.0 {
        conf_high
    } else {
        1.0
    };
    Some(EValue { risk_ratio, estimate: of_risk_ratio(risk_ratio), limit: of_risk_ratio(ratio.to_risk(nearest)) })
}

/// E-value of a risk ratio.
fn of_risk_ratio(risk_ratio: f64) -> f64 {
    let away = if risk_ratio < 1.0 { 1.0 / risk_ratio } else { risk_ratio };
    away + (away * (away - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_example() {
        // Maternal smoking of the paper: RR 3.9 (1.8 to 8.7) gives 7.26 and 3.0.
        let value = e_value(Ratio::Risk, 3.9, 1.8, 8.7).expect("ordered");
        assert!((value.estimate - 7.263_034_344_160_05).abs() < 1e-13, "{}", value.estimate);
        assert!((value.limit - 3.0).abs() < 1e-15);
    }

    #[test]
    fn a_ratio_and_its_inverse_are_alike() {
        for ratio in [Ratio::Risk, Ratio::CommonOdds, Ratio::CommonHazard] {
            let (above, below) = (e_value(ratio, 2.5, 1.2, 5.0), e_value(ratio, 0.4, 0.2, 1.0 / 1.2));
            let (above, below) = (above.expect("ordered"), below.expect("ordered"));
            assert!((above.estimate - below.estimate).abs() < 1e-13);
            assert!((above.limit - below.limit).abs() < 1e-13);
            assert!((above.risk_ratio * below.risk_ratio - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn interval_that_holds_one() {
        let value = e_value(Ratio::CommonHazard, 0.8, 0.5, 1.3).expect("ordered");
        assert_eq!(value.limit, 1.0);
        assert_eq!(e_value(Ratio::Risk, 1.0, 1.0, 1.0).expect("ordered").estimate, 1.0);
    }

    #[test]
    fn no_ratio() {
        for (estimate, low, high) in [(1.0, 0.0, 2.0), (3.0, 1.0, 2.0), (1.0, 0.5, f64::INFINITY), (f64::NAN, 0.5, 2.0)]
        {
            assert_eq!(e_value(Ratio::Risk, estimate, low, high), None);
        }
    }
}
