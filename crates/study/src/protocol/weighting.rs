//! The weighting schemes that a protocol declares. Shares and bounds come from the data.

use stats::descriptive::quantile::QuantileType;
use stats::weights::Estimand;
use stats::weights::quantiles::WeightGrid;

use super::{Model, Propensity};

/// One declared weighting scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weighting {
    /// Whom the weighted arms stand for.
    pub estimand: Estimand,
    /// Is a weight multiplied by the share of its arm? Only with the average treatment effect.
    pub stabilized: bool,
    /// Are weights beyond the declared quantiles replaced by these?
    pub truncated: bool,
}

impl Weighting {
    /// Neither stabilised nor truncated.
    pub fn plain(estimand: Estimand) -> Weighting {
        Weighting { estimand, stabilized: false, truncated: false }
    }

    /// The scheme whose quantiles are the bounds.
    #[must_use]
    pub fn untruncated(self) -> Weighting {
        Weighting { truncated: false, ..self }
    }

    /// Name in results.
    pub fn name(self) -> &'static str {
        match (self.estimand, self.stabilized, self.truncated) {
            (Estimand::Ate, false, false) => "ate",
            (Estimand::Ate, true, false) => "ate_stabilized",
            (Estimand::Att, _, false) => "att",
            (Estimand::Atc, _, false) => "atc",
            (Estimand::Ato, _, false) => "ato",
            (Estimand::Atm, _, false) => "atm",
            (Estimand::Ate, false, true) => "ate_truncated",
            (Estimand::Ate, true, true) => "ate_stabilized_truncated",
            (Estimand::Att, _, true) => "att_truncated",
            (Estimand::Atc, _, true) => "atc_truncated",
            (Estimand::Ato, _, true) => "ato_truncated",
            (Estimand::Atm, _, true) => "atm_truncated",
        }
    }
}

/// Where weights are truncated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truncation {
    /// Probability of the lower bound, below that of the upper.
    pub low: f64,
    /// Probability of the upper bound.
    pub high: f64,
    /// Which quantile.
    pub kind: QuantileType,
}

/// What is opened of the weights beside their sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightDetail {
    /// Values at which weights are counted.
    pub grid: WeightGrid,
    /// Bounds of the truncated scheme.
    pub truncation: Option<Truncation>,
}

impl Propensity {
    /// The study's own weights.
    pub fn weighting(&self) -> Weighting {
        Weighting { estimand: self.estimand, stabilized: self.stabilized, truncated: false }
    }
}

impl Model {
    /// The weights of a weighted model; none for the others.
    pub fn weighting(self, propensity: &Propensity) -> Option<Weighting> {
        match self {
            Model::Iptw | Model::IptwAdjusted | Model::IptwInteraction => Some(propensity.weighting()),
            Model::IptwStabilized => Some(Weighting { stabilized: true, ..Weighting::plain(Estimand::Ate) }),
            Model::IptwUnstabilized => Some(Weighting::plain(Estimand::Ate)),
            Model::IptwAtt => Some(Weighting::plain(Estimand::Att)),
            Model::IptwAtc => Some(Weighting::plain(Estimand::Atc)),
            Model::IptwOverlap => Some(Weighting::plain(Estimand::Ato)),
            Model::IptwMatching => Some(Weighting::plain(Estimand::Atm)),
            Model::IptwTruncated => Some(Weighting { truncated: true, ..propensity.weighting() }),
            Model::Unadjusted
            | Model::Adjusted
            | Model::Stratified
            | Model::Interaction
            | Model::Firth
            | Model::Ridge => None,
        }
    }
}
