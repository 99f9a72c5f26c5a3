//! Fisher's exact test of a 2 x k table.
//!
//! Given both margins, the probability of a table is prod C(t_j, x_j) / C(N, m), with t_j the rows of level j, x_j those
//! of the smaller arm, m the size of that arm. The p value is the sum over all tables that are at most as probable as the
//! observed one. Levels are filled one after the other (the network of Mehta and Patel, 1983): a partial table all of
//! whose completions count is added at once, by sum prod C = C(rest, left); one none of whose completions counts is dropped;
//! partial tables of the same probability that leave the same number of rows are followed together.

use std::iter::once;

/// A 2 x 2 table counts when its probability is at most this much (relative) above the observed one: R's `fisher.test`.
const TWO_LEVELS: f64 = 1e-7;

/// The same for more levels, the tolerance of the network algorithm behind R's `fisher.test` (ACM algorithm 643).
const MORE_LEVELS: f64 = 3.4525e-7;

/// Partial tables whose log probabilities differ by less are followed together. It is above the rounding of the same
/// product in another order, and changes a p value by less than this, relatively.
const SAME: f64 = 1e-11;

/// Most rows: beyond them the rounding of log factorials reaches 1e-9 of a p value.
const MOST_ROWS: f64 = 1e6;

/// Most partial tables looked at: about a second.
const MOST_STEPS: usize = 50_000_000;

/// Why there is no exact p value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoExactTest {
    /// Fewer than two levels or an empty arm.
    #[error("an exact test needs two levels and two arms with rows")]
    Degenerate,
    /// More than a million rows, or too many tables have these margins: the chi-square test is the one to use.
    #[error("there are too many rows or tables for an exact test")]
    TooLarge,
}

/// Two-sided p value of Fisher's exact test of the rows per level; R's `fisher.test`. Levels that are empty in both arms are
/// left out. Log factorials limit the relative error to about 1e-16 N log N.
///
/// # Panics
/// When the arms do not have the same number of levels.
pub fn fisher(control: &[f64], treated: &[f64]) -> Result<f64, NoExactTest> {
    assert_eq!(control.len(), treated.len(), "the same levels in both arms");
    let (n0, n1) = (control.iter().sum::<f64>(), treated.iter().sum::<f64>());
    let smaller = if n1 < n0 { treated } else { control };
    let mut levels: Vec<(usize, usize)> = control
        .iter()
        .zip(treated)
        .zip(smaller)
        .map(|((c, t), x)| ((c + t) as usize, *x as usize))
        .filter(|(total, _)| *total > 0)
        .collect();
    if levels.len() < 2 || n0 < 1.0 || n1 < 1.0 {
        return Err(NoExactTest::Degenerate);
    }
    if n0 + n1 > MOST_ROWS {
        return Err(NoExactTest::TooLarge);
    }
    // The last level follows from the others: the largest costs nothing there.
    levels.sort_unstable();
    Network::new(&levels)?.p_value()
}

/// Ways to fill the levels, in logarithms.
struct Network {
    /// Rows per level.
    totals: Vec<usize>,
    /// Rows of the smaller arm.
    arm: usize,
    /// log i! for i = 0..=N.
    log_factorials: Vec<f64>,
    /// Rows in level j and after it.
    rest: Vec<usize>,
    /// Per level j and rows of the arm left for it and the levels after it: smallest and largest log product of them.
    bounds: Vec<Vec<(f64, f64)>>,
    /// Log product of a table that is just probable enough.
    limit: f64,
}

impl Network {
    /// `levels`: rows in both arms, rows in the smaller arm.
    fn new(levels: &[(usize, usize)]) -> Result<Self, NoExactTest> {
        let totals: Vec<usize> = levels.iter().map(|(total, _)| *total).collect();
        let arm: usize = levels.iter().map(|(_, x)| x).sum();
        let k = totals.len();
        let steps = totals[1..k - 1].iter().try_fold(arm, |steps, t| steps.checked_add((t + 1).checked_mul(arm + 1)?));
        if steps.is_none_or(|steps| steps > MOST_STEPS) {
            return Err(NoExactTest::TooLarge);
        }
        let mut rest = totals.clone();
        for j in (0..k - 1).rev() {
            rest[j] += rest[j + 1];
        }
        let log_factorials = (0..=rest[0]).map(|i| libm::lgamma(i as f64 + 1.0)).collect();
        let mut network = Self { totals, arm, log_factorials, rest, bounds: vec![Vec::new(); k], limit: 0.0 };
        let tolerance = if k == 2 { TWO_LEVELS } else { MORE_LEVELS };
        network.limit = libm::log1p(tolerance);
        for &(total, x) in levels {
            network.limit += network.log_choose(total, x);
        }
        for j in (1..k).rev() {
            network.bounds[j] = (0..=network.arm.min(network.rest[j])).map(|left| network.bound(j, left)).collect();
        }
        Ok(network)
    }

    fn log_choose(&self, n: usize, k: usize) -> f64 {
        self.log_factorials[n] - self.log_factorials[k] - self.log_factorials[n - k]
    }

    /// Numbers that level j may take of `left` rows, so that the levels after it can take the others.
    fn choices(&self, j: usize, left: usize) -> std::ops::RangeInclusive<usize> {
        let after = self.rest.get(j + 1).copied().unwrap_or(0);
        left.saturating_sub(after)..=left.min(self.totals[j])
    }

    /// Smallest and largest log product of the levels from j on, given those after j.
    fn bound(&self, j: usize, left: usize) -> (f64, f64) {
        let mut bound = (f64::INFINITY, f64::NEG_INFINITY);
        for x in self.choices(j, left) {
            let here = self.log_choose(self.totals[j], x);
            let (least, most) = self.bounds.get(j + 1).map_or((0.0, 0.0), |after| after[left - x]);
            bound = (bound.0.min(here + least), bound.1.max(here + most));
        }
        bound
    }

    fn p_value(&self) -> Result<f64, NoExactTest> {
        let all = self.log_choose(self.rest[0], self.arm);
        let mut p_value = 0.0;
        let mut steps = 0;
        // Per rows left: log product so far, and how many partial tables have it.
        let mut nodes: Vec<Vec<(f64, f64)>> = vec![Vec::new(); self.arm + 1];
        nodes[self.arm].push((0.0, 1.0));
        for j in 0..self.totals.len() - 1 {
            let mut next: Vec<Vec<(f64, f64)>> = vec![Vec::new(); self.arm + 1];
            for (left, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_empty()) {
                steps += node.len() * self.choices(j, left).count();
                if steps > MOST_STEPS {
                    return Err(NoExactTest::TooLarge);
                }
                for x in self.choices(j, left) {
                    let (least, most) = self.bounds[j + 1][left - x];
                    let here = self.log_choose(self.totals[j], x);
                    let completions = self.log_choose(self.rest[j + 1], left - x);
                    for &(past, tables) in node {
                        let past = past + here;
                        if past + most <= self.limit {
                            p_value += tables * libm::exp(past + completions - all);
                        } else if past + least <= self.limit {
                            next[left - x].push((past, tables));
                        }
                    }
                }
            }
            nodes = next.into_iter().map(together).collect();
        }
        Ok(f64::min(p_value, 1.0))
    }
}

/// Partial tables of the same probability as one.
fn together(mut node: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    node.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut merged: Vec<(f64, f64)> = Vec::with_capacity(node.len());
    for (past, tables) in node {
        match merged.last_mut() {
            Some(last) if past - last.0 <= SAME => last.1 += tables,
            _ => merged.extend(once((past, tables))),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lady_tasting_tea() {
        // 3 of 4 right: tables with 0..4 right have probabilities 1, 16, 36, 16, 1 of 70.
        let p = fisher(&[3.0, 1.0], &[1.0, 3.0]).expect("small");
        assert!((p - 34.0 / 70.0).abs() < 1e-14);
        assert!((fisher(&[4.0, 0.0], &[0.0, 4.0]).expect("small") - 2.0 / 70.0).abs() < 1e-15);
        assert!((fisher(&[2.0, 2.0], &[2.0, 2.0]).expect("small") - 1.0).abs() < 1e-14);
    }

    #[test]
    fn three_levels_in_exact_fractions() {
        // All tables in whole numbers of any length. R's network algorithm gives .117285435109775 and .164340666994971.
        let close = |p: Result<f64, NoExactTest>, exact: f64| assert!((p.expect("small") / exact - 1.0).abs() < 2e-12);
        close(fisher(&[50.0, 51.0, 29.0], &[70.0, 57.0, 20.0]), 0.117_285_435_109_473_4);
        close(fisher(&[600.0, 440.0, 300.0], &[590.0, 510.0, 310.0]), 0.164_340_666_948_368_46);
    }

    #[test]
    fn no_exact_test() {
        assert_eq!(fisher(&[3.0, 0.0], &[1.0, 0.0]), Err(NoExactTest::Degenerate));
        assert_eq!(fisher(&[0.0, 0.0], &[1.0, 2.0]), Err(NoExactTest::Degenerate));
        assert_eq!(fisher(&[], &[]), Err(NoExactTest::Degenerate));
        let large = [1e5, 2e5, 1e5];
        assert_eq!(fisher(&large, &large), Err(NoExactTest::TooLarge));
    }

    #[test]
    fn two_levels_of_many_rows_are_quick() {
        let p = fisher(&[50_000.0, 51_000.0], &[51_000.0, 50_000.0]).expect("two levels");
        assert!(p > 8e-6 && p < 9e-6, "{p}");
    }

    /// All tables with the margins, in exact integers.
    fn enumerate(levels: &[(u128, u128)], left: u128, product: u128, sums: &mut (u128, u128), observed: u128) {
        let Some(((total, _), after)) = levels.split_first() else {
            if left == 0 {
                sums.1 += product;
                sums.0 += if product <= observed { product } else { 0 };
            }
            return;
        };
        for x in 0..=left.min(*total) {
            enumerate(after, left - x, product * choose(*total, x), sums, observed);
        }
    }

    fn choose(n: u128, k: u128) -> u128 {
        (0..k).fold(1, |c, i| c * (n - i) / (i + 1))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn equals_enumeration(cells in prop::collection::vec((0u8..9, 0u8..9), 2..6)) {
            let control: Vec<f64> = cells.iter().map(|c| f64::from(c.0)).collect();
            let treated: Vec<f64> = cells.iter().map(|c| f64::from(c.1)).collect();
            let levels: Vec<(u128, u128)> = cells.iter().map(|c| (u128::from(c.0 + c.1), u128::from(c.1))).collect();
            let arm = levels.iter().map(|l| l.1).sum();
            let observed = levels.iter().map(|(t, x)| choose(*t, *x)).product();
            let mut sums = (0, 0);
            enumerate(&levels, arm, 1, &mut sums, observed);
            if let Ok(p) = fisher(&control, &treated) {
                prop_assert!((p / (sums.0 as f64 / sums.1 as f64) - 1.0).abs() < 1e-11);
            }
        }
    }
}
