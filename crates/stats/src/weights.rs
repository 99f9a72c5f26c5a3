//! Weights from a propensity score: whom they make the arms stand for, how they change with the score, and what they
//! look like over all sites.
//!
//! Weights themselves stay at their site. Sums leave it: [`quantiles`] counts weights on a declared grid, [`positivity`]
//! counts the rows that are comparable between the arms.

pub mod positivity;
pub mod quantiles;

/// Whom the weighted arms stand for, by the weight of a row with propensity score e and treatment a.
///
/// Li, Morgan and Zaslavsky (2018) for the overlap weights, Li and Greene (2013) for the matching weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimand {
    /// Everybody (average treatment effect): a / e + (1 - a) / (1 - e).
    Ate,
    /// Those who were treated: a + (1 - a) e / (1 - e).
    Att,
    /// Those who were not: a (1 - e) / e + (1 - a).
    Atc,
    /// Those who could have been either (overlap): a (1 - e) + (1 - a) e.
    Ato,
    /// Those whom pair matching would keep: min(e, 1 - e) / (a e + (1 - a)(1 - e)).
    Atm,
}

/// Why there is no such scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// Another estimand was to be stabilised.
    #[error("only weights of the average treatment effect are stabilised")]
    Stabilised,
    /// The share is not inside (0, 1).
    #[error("stabilised weights need rows in both arms")]
    Share,
    /// Not 0 <= low <= high with a positive, finite high.
    #[error("truncation needs a lower bound from 0 to the upper bound, and an upper bound above 0")]
    Truncation,
}

/// The bound that replaces a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The lower one.
    Low,
    /// The upper one.
    High,
}

/// How weights are made of propensity scores.
///
/// ```text
/// w = clamp(h(e, a) x s, low, high)     h by the estimand; s = p (treated) or 1 - p (controls) when stabilised, else 1
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scheme {
    estimand: Estimand,
    stabilised: Option<f64>,
    truncation: Option<(f64, f64)>,
}

impl Scheme {
    /// Weights of `estimand`, multiplied by the share of the own arm when `stabilised` holds the share of the treated, then
    /// held inside the bounds of `truncation`.
    pub fn new(
        estimand: Estimand,
        stabilised: Option<f64>,
        truncation: Option<(f64, f64)>,
    ) -> Result<Self, SchemeError> {
        if stabilised.is_some() && estimand != Estimand::Ate {
            return Err(SchemeError::Stabilised);
        }
        if stabilised.is_some_and(|share| !(share > 0.0 && share < 1.0)) {
            return Err(SchemeError::Share);
        }
        if truncation.is_some_and(|(low, high)| !(low >= 0.0 && low <= high && high > 0.0 && high.is_finite())) {
            return Err(SchemeError::Truncation);
        }
        Ok(Self { estimand, stabilised, truncation })
    }

    /// Weights of the average treatment effect without truncation, stabilised when `stabilised` holds the share of the
    /// treated.
    ///
    /// # Panics
    /// When the share is not inside (0, 1).
    pub fn ate(stabilised: Option<f64>) -> Self {
        Self::new(Estimand::Ate, stabilised, None).expect("a share inside (0, 1)")
    }

    /// Whom the weights stand for.
    pub fn estimand(&self) -> Estimand {
        self.estimand
    }

    /// Share of the treated when the weights are stabilised; only then do they depend on it.
    pub fn stabilised(&self) -> Option<f64> {
        self.stabilised
    }

    /// Bounds of the weights.
    pub fn truncation(&self) -> Option<(f64, f64)> {
        self.truncation
    }

    /// Weight of a row with propensity score `e`, inside (0, 1).
    pub fn weight(&self, e: f64, treated: bool) -> f64 {
        let w = self.untruncated(e, treated);
        self.truncation.map_or(w, |(low, high)| w.clamp(low, high))
    }

    /// The bound that replaces the row's weight; none where the weight is inside both, or on one of them.
    pub fn clamped(&self, e: f64, treated: bool) -> Option<Bound> {
        let (low, high) = self.truncation?;
        let w = self.untruncated(e, treated);
        if w < low {
            Some(Bound::Low)
        } else if w > high {
            Some(Bound::High)
        } else {
            None
        }
    }

    /// d w / d eta with e = 1 / (1 + exp(-eta)), so that d w / d alpha = gradient x z for eta = z'alpha; 0 where a bound
    /// replaces the weight.
    ///
    /// The matching weight has a corner at e = 1/2, where this is the derivative from the left: 0 for the treated, 1 for
    /// controls.
    pub fn gradient(&self, e: f64, treated: bool) -> f64 {
        if self.clamped(e, treated).is_some() {
            return 0.0;
        }
        let (p1, p0) = self.shares();
        match (self.estimand, treated) {
            (Estimand::Ate, true) => -p1 * (1.0 - e) / e,
            (Estimand::Ate, false) => p0 * e / (1.0 - e),
            (Estimand::Att, true) | (Estimand::Atc, false) => 0.0,
            (Estimand::Att, false) => e / (1.0 - e),
            (Estimand::Atc, true) => -(1.0 - e) / e,
            (Estimand::Ato, true) => -e * (1.0 - e),
            (Estimand::Ato, false) => e * (1.0 - e),
            (Estimand::Atm, true) => {
                if e > 0.5 {
                    -(1.0 - e) / e
                } else {
                    0.0
                }
            }
            (Estimand::Atm, false) => {
                if e > 0.5 {
                    0.0
                } else {
                    e / (1.0 - e)
                }
            }
        }
    }

    /// d w / d p of a stabilised weight, with p the share of the treated: 1 / e or -1 / (1 - e); 0 where a bound replaces
    /// the weight, and for weights that are not stabilised.
    pub fn share_gradient(&self, e: f64, treated: bool) -> f64 {
        if self.stabilised.is_none() || self.clamped(e, treated).is_some() {
            return 0.0;
        }
        if treated { 1.0 / e } else { -1.0 / (1.0 - e) }
    }

    fn untruncated(&self, e: f64, treated: bool) -> f64 {
        let (p1, p0) = self.shares();
        match (self.estimand, treated) {
            (Estimand::Ate, true) => p1 / e,
            (Estimand::Ate, false) => p0 / (1.0 - e),
            (Estimand::Att, true) | (Estimand::Atc, false) => 1.0,
            (Estimand::Att, false) => e / (1.0 - e),
            (Estimand::Atc, true) => (1.0 - e) / e,
            (Estimand::Ato, true) => 1.0 - e,
            (Estimand::Ato, false) => e,
            (Estimand::Atm, true) => {
                if e > 0.5 {
                    (1.0 - e) / e
                } else {
                    1.0
                }
            }
            (Estimand::Atm, false) => {
                if e > 0.5 {
                    1.0
                } else {
                    e / (1.0 - e)
                }
            }
        }
    }

    /// Factors of the treated and of the controls.
    fn shares(&self) -> (f64, f64) {
        self.stabilised.map_or((1.0, 1.0), |share| (share, 1.0 - share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Estimand; 5] = [Estimand::Ate, Estimand::Att, Estimand::Atc, Estimand::Ato, Estimand::Atm];

    fn plain(estimand: Estimand) -> Scheme {
        Scheme::new(estimand, None, None).expect("a scheme")
    }

    #[test]
    fn by_hand() {
        // Both arms at e = 1/4 and e = 3/4: odds 1/3 and 3.
        let weights = |estimand| {
            let scheme = plain(estimand);
            [(0.25, true), (0.25, false), (0.75, true), (0.75, false)].map(|(e, a)| scheme.weight(e, a))
        };
        let third = 0.25 / 0.75;
        assert_eq!(weights(Estimand::Ate), [4.0, 1.0 / 0.75, 1.0 / 0.75, 4.0]);
        assert_eq!(weights(Estimand::Att), [1.0, third, 1.0, 3.0]);
        assert_eq!(weights(Estimand::Atc), [3.0, 1.0, third, 1.0]);
        assert_eq!(weights(Estimand::Ato), [0.75, 0.25, 0.25, 0.75]);
        assert_eq!(weights(Estimand::Atm), [1.0, third, third, 1.0]);
        let stabilised = Scheme::ate(Some(0.5));
        assert_eq!((stabilised.weight(0.25, true), stabilised.weight(0.75, false)), (2.0, 2.0));
    }

    #[test]
    fn gradients_are_the_slopes_of_the_weights() {
        let score = |eta: f64| 1.0 / (1.0 + libm::exp(-eta));
        let slope = |f: &dyn Fn(f64) -> f64| {
            let by = |h: f64| (f(h) - f(-h)) / (2.0 * h);
            (4.0 * by(5e-4) - by(1e-3)) / 3.0
        };
        let mut schemes: Vec<Scheme> = ALL.map(plain).to_vec();
        schemes.push(Scheme::ate(Some(0.3)));
        schemes.push(Scheme::new(Estimand::Ate, Some(0.3), Some((0.5, 1.5))).expect("a scheme"));
        for scheme in schemes {
            for k in -30..=30 {
                // Off the corner at 0.
                let eta = 0.1 * f64::from(k) + 0.03;
                for treated in [false, true] {
                    let e = score(eta);
                    let numeric = slope(&|h| scheme.weight(score(eta + h), treated));
                    assert!((scheme.gradient(e, treated) - numeric).abs() < 1e-9, "{scheme:?} {eta} {treated}");
                    let by_share = |h: f64| {
                        let stabilised = scheme.stabilised().map(|share| share + h);
                        Scheme { stabilised, ..scheme }.weight(e, treated)
                    };
                    let numeric = slope(&by_share);
                    assert!((scheme.share_gradient(e, treated) - numeric).abs() < 1e-9, "{scheme:?} {eta} {treated}");
                }
            }
        }
    }

    #[test]
    fn matching_at_one_half() {
        let scheme = plain(Estimand::Atm);
        assert_eq!((scheme.weight(0.5, true), scheme.weight(0.5, false)), (1.0, 1.0));
        assert_eq!((scheme.gradient(0.5, true), scheme.gradient(0.5, false)), (0.0, 1.0));
    }

    #[test]
    fn bounds_replace_weights() {
        let scheme = Scheme::new(Estimand::Ate, None, Some((1.25, 4.0))).expect("a scheme");
        let row = |e| (scheme.weight(e, true), scheme.clamped(e, true), scheme.gradient(e, true));
        assert_eq!(row(0.125), (4.0, Some(Bound::High), 0.0));
        assert_eq!(row(0.25), (4.0, None, -3.0));
        assert_eq!(row(0.5), (2.0, None, -1.0));
        assert_eq!(row(0.875), (1.25, Some(Bound::Low), 0.0));
        // A score that rounded to 0 has a weight all the same.
        assert_eq!(row(0.0), (4.0, Some(Bound::High), 0.0));
    }

    #[test]
    fn what_is_no_scheme() {
        let scheme = |estimand, share, bounds| Scheme::new(estimand, share, bounds).expect_err("no scheme");
        assert_eq!(scheme(Estimand::Att, Some(0.5), None), SchemeError::Stabilised);
        for share in [0.0, 1.0, f64::NAN] {
            assert_eq!(scheme(Estimand::Ate, Some(share), None), SchemeError::Share);
        }
        for bounds in [(2.0, 1.0), (-1.0, 1.0), (0.0, 0.0), (0.0, f64::INFINITY), (f64::NAN, 1.0)] {
            assert_eq!(scheme(Estimand::Ate, None, Some(bounds)), SchemeError::Truncation);
        }
    }
}
