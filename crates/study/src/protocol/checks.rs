//! Checks of a Cox model that an analysis declares beside its estimates.

use stats::zph::Transform;

/// Which checks every model of a Cox analysis gets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checks {
    /// Transforms of time of the test of proportional hazards, each a test of its own.
    pub zph: Vec<Transform>,
    /// Width of the bins of the linear predictor on which concordance counts pairs; none when it is not wanted.
    pub concordance: Option<f64>,
}

impl Checks {
    /// Is nothing declared?
    pub fn is_empty(&self) -> bool {
        self.zph.is_empty() && self.concordance.is_none()
    }
}

/// Every transform with its name in the protocol, which is R's.
pub const TRANSFORMS: [(&str, Transform); 4] = [
    ("km", Transform::KaplanMeier),
    ("rank", Transform::Rank),
    ("identity", Transform::Identity),
    ("log", Transform::Log),
];
