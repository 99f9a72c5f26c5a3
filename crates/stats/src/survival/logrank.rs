//! Log-rank test of two arms.

use crate::inference::ChiSquare;

use super::table::{ArmTable, Tally};

/// A log-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogRank {
    /// Events of control and treated, weighted.
    pub observed: [f64; 2],
    /// Events expected under equal hazards.
    pub expected: [f64; 2],
    /// Variance of observed - expected of the treated arm.
    pub variance: f64,
    /// (observed - expected)^2 / variance with one degree of freedom.
    pub test: ChiSquare,
}

/// Compares the arms; None when no event happens while both are at risk, where there is nothing to compare.
///
/// Over event cells with n at risk and d events, r_1, r_0 and D sums of weights of those at risk per arm and of the events:
/// expected E_1 = sum r_1 D / (r_0 + r_1), variance sum d (n - d) / (n (n - 1)) \[r_0^2 sum_1 w^2 + r_1^2 sum_0 w^2\] /
/// (r_0 + r_1)^2, where sum_a w^2 runs over those at risk in arm a. This is the adjusted log-rank test of Xie & Liu (2005);
/// unweighted it is R's `survdiff`. For the unweighted test of a weighted table use [`ArmTable::unweighted`].
pub fn log_rank(table: &ArmTable) -> Option<LogRank> {
    let mut risk = [Tally::default(); 2];
    let (mut observed, mut expected, mut variance) = ([0.0; 2], [0.0; 2], 0.0);
    for arms in table.cells().iter().rev() {
        for (risk, leavers) in risk.iter_mut().zip(arms) {
            *risk = risk.plus(leavers.all());
        }
        let events = arms[0].events.plus(arms[1].events);
        if events.n == 0.0 {
            continue;
        }
        let [control, treated] = risk;
        let all = control.plus(treated);
        let (share0, share1) = (control.w / all.w, treated.w / all.w);
        for (arm, share) in [share0, share1].into_iter().enumerate() {
            observed[arm] += arms[arm].events.w;
            expected[arm] += share * events.w;
        }
        if all.n > 1.0 {
            let squares = share0 * share0 * treated.w2 + share1 * share1 * control.w2;
            variance += events.n * (all.n - events.n) / (all.n * (all.n - 1.0)) * squares;
        }
    }
    let difference = observed[1] - expected[1];
    (variance > 0.0).then(|| {
        let test = ChiSquare::new(difference * difference / variance, 1);
        LogRank { observed, expected, variance, test }
    })
}
