//! The treatment's effect at each level or value of an effect modifier, and E-values.

use stats::evalue::{EValue, Ratio, e_value};
use stats::fit::Fit;
use stats::matrix::Matrix;

use crate::plan::FitKey;
use crate::protocol::Protocol;
use crate::term::Term;

/// A linear combination of the coefficients of a model.
pub(super) struct Contrast {
    /// Name in results, such as `regimen:IsaPd at dara_refr:1`.
    pub(super) name: String,
    /// One factor per term.
    factors: Vec<f64>,
}

impl Contrast {
    /// c'b.
    pub(super) fn estimate(&self, fit: &Fit) -> f64 {
        let mut sum = 0.0;
        for (c, b) in self.factors.iter().zip(&fit.beta) {
            sum += c * b;
        }
        sum
    }

    /// sqrt(c'Vc).
    pub(super) fn std_error(&self, covariance: &Matrix) -> f64 {
        let mut sum = 0.0;
        for (row, ci) in covariance.values().chunks_exact(self.factors.len()).zip(&self.factors) {
            for (v, cj) in row.iter().zip(&self.factors) {
                sum += ci * v * cj;
            }
        }
        sum.sqrt()
    }
}

/// The effect of the treatment at every level of the model's effect modifier that has patients of both arms, the reference
/// first, or at the declared values of a continuous one; none for a model without.
pub(super) fn within_levels(protocol: &Protocol, key: &FitKey) -> Vec<Contrast> {
    let treatment = Term::Treatment.name(protocol);
    let modifier = key.modifier_name(protocol);
    let places = key.places(protocol).into_iter();
    let told = places.filter(|place| key.estimable(|term| place.factor(term)));
    told.map(|place| Contrast {
        name: format!("{treatment} at {modifier}:{}", place.name),
        factors: key.terms.iter().map(|term| place.factor(term)).collect(),
    })
    .collect()
}

/// E-values of an odds ratio, or of a `hazard` ratio, on the log scale. An outcome is rare when fewer than 15% of the
/// analysed patients have the event: then the ratio stands for a risk ratio as it is.
pub(super) fn of_ratio(hazard: bool, estimate: f64, limits: [f64; 2], n: u64, events: u64) -> Option<EValue> {
    let ratio = match (events as f64 / (n as f64) < 0.15, hazard) {
        (true, _) => Ratio::Risk,
        (false, true) => Ratio::CommonHazard,
        (false, false) => Ratio::CommonOdds,
    };
    e_value(ratio, libm::exp(estimate), libm::exp(limits[0]), libm::exp(limits[1]))
}
