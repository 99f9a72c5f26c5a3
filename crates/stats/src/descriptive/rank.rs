//! Mann-Whitney test from the histograms of two arms.

use crate::inference::normal_two_sided;

/// A rank sum test of two arms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs (treated, control) where the treated value is larger, ties counting half: R's `W` with the treated first.
    pub w: f64,
    /// Standardised statistic, positive when the treated tend to larger values.
    pub statistic: f64,
    /// Two-sided normal p value.
    pub p_value: f64,
}

/// Mann-Whitney test of two histograms on the same bins, by the normal approximation; None when an arm has no rows or all
/// rows share one bin.
///
/// var W = n1 n0 / 12 [(N + 1) - sum (t^3 - t) / (N (N - 1))] with t the rows per bin. `continuity` takes half a pair off
/// |W - n1 n0 / 2|. R: `wilcox.test(treated, control, exact = FALSE, correct = continuity)`.
///
/// # Panics
/// When the arms do not have the same number of bins.
pub fn mann_whitney(control: &[f64], treated: &[f64], continuity: bool) -> Option<MannWhitney> {
    assert_eq!(control.len(), treated.len(), "the same bins in both arms");
    let (n0, n1) = (control.iter().sum::<f64>(), treated.iter().sum::<f64>());
    if n0 < 1.0 || n1 < 1.0 {
        return None;
    }
    let n = n0 + n1;
    let (mut w, mut below, mut ties) = (0.0, 0.0, 0.0);
    for (c, t) in control.iter().zip(treated) {
        w += t * (below + c / 2.0);
        below += c;
        let tied = c + t;
        ties += tied * (tied - 1.0) * (tied + 1.0);
    }
    let variance = n1 * n0 / 12.0 * ((n + 1.0) - ties / (n * (n - 1.0)));
    // n + 1 and the ties term are equal when all rows are tied; else their difference is at least 3 / n.
    if variance <= n1 * n0 / 12.0 / n {
        return None;
    }
    let excess = w - n1 * n0 / 2.0;
    let half = if continuity { 0.5 * f64::from(i8::from(excess > 0.0) - i8::from(excess < 0.0)) } else { 0.0 };
    let statistic = (excess - half) / variance.sqrt();
    Some(MannWhitney { w, statistic, p_value: normal_two_sided(statistic) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Control 1, 2, treated 2, 3: of four pairs three are larger and one is tied; t = 2 once.
        let test = mann_whitney(&[1.0, 1.0, 0.0], &[0.0, 1.0, 1.0], false).expect("two arms");
        assert_eq!(test.w, 3.5);
        let variance: f64 = 4.0 / 12.0 * (5.0 - 6.0 / 12.0);
        assert!((test.statistic - 1.5 / variance.sqrt()).abs() < 1e-15);
        let corrected = mann_whitney(&[1.0, 1.0, 0.0], &[0.0, 1.0, 1.0], true).expect("two arms");
        assert!((corrected.statistic - 1.0 / variance.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn exchanging_the_arms_turns_the_sign() {
        let (a, b) = ([3.0, 0.0, 7.0, 1.0], [2.0, 5.0, 0.0, 9.0]);
        for continuity in [false, true] {
            let (forth, back) = (mann_whitney(&a, &b, continuity), mann_whitney(&b, &a, continuity));
            let (forth, back) = (forth.expect("two arms"), back.expect("two arms"));
            assert_eq!((forth.statistic, forth.p_value), (-back.statistic, back.p_value));
            assert_eq!(forth.w + back.w, 11.0 * 16.0);
        }
    }

    #[test]
    fn nothing_to_rank() {
        assert_eq!(mann_whitney(&[0.0, 0.0], &[1.0, 2.0], false), None);
        assert_eq!(mann_whitney(&[0.0, 4.0], &[0.0, 1e6], false), None);
        assert_eq!(mann_whitney(&[], &[], true), None);
    }
}
