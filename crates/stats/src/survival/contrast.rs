//! Estimates of one arm and their difference between arms.

use serde::{Deserialize, Serialize};

use crate::inference::{Wald, wald};

use super::curve::Point;

/// An estimate with its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub std_error: f64,
}

impl Estimate {
    /// Test of 0 and 95% interval, symmetric.
    pub fn wald(&self) -> Wald {
        wald(self.estimate, self.std_error)
    }
}

impl Point {
    /// S with its standard error; None where that is missing.
    pub fn estimate(&self) -> Option<Estimate> {
        self.std_error.map(|std_error| Estimate { estimate: self.survival, std_error })
    }
}

/// Treated minus control, with standard error sqrt(se_1^2 + se_0^2): the arms share no row, and weights are taken as given.
/// Of two points, the survival difference; its negative is the difference in risk.
pub fn difference(treated: Estimate, control: Estimate) -> Estimate {
    let variance = treated.std_error * treated.std_error + control.std_error * control.std_error;
    Estimate { estimate: treated.estimate - control.estimate, std_error: variance.sqrt() }
}
