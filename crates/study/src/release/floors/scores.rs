//! Bins of the propensity score, the overlap of the arms, and weights at their bounds.

use super::super::suppress::Table;
use super::Arms;
use crate::results::{HistogramRow, OverlapRow, WeightRow};

/// Rows of the histogram alternate between control and treated arm. Of the overlap, `below` and `above` follow from the bins
/// where the bounds lie between two of them.
pub(super) fn histogram(rows: &mut [HistogramRow], overlap: &mut [OverlapRow], arms: Arms, minimum: u64) {
    for arm in 0..2 {
        let mut bins: Vec<&mut HistogramRow> = rows.iter_mut().skip(arm).step_by(2).collect();
        let mut table = Table::default();
        let cells: Vec<usize> =
            bins.iter().enumerate().map(|(group, bin)| table.shown(bin.n.unwrap_or_default(), group)).collect();
        if !cells.is_empty() {
            table.known(cells.iter().map(|cell| (*cell, 1)).collect());
        }
        let tails = overlap.get_mut(arm).map(|row| {
            let counts = [row.equipoise, row.below, row.above].map(Option::unwrap_or_default);
            let mut group = cells.len()..;
            let mut next = || group.next().unwrap_or_default();
            let [equipoise, below, above] = counts.map(|n| table.shown(n, next()));
            let outside = table.implied(arms[arm].saturating_sub(counts[0]), next());
            let middle = table.implied(arms[arm].saturating_sub(counts[1] + counts[2]), next());
            table.known(vec![(equipoise, 1), (outside, 1)]);
            table.known(vec![(below, 1), (middle, 1), (above, 1)]);
            let (low, high) = row.bounds;
            let edges = [(below, low, true), (above, high, false)];
            for (tail, bound, first) in edges {
                let between =
                    |bin: &&mut HistogramRow| (bin.low - bound).abs() < EDGE || (bin.high - bound).abs() < EDGE;
                if bins.iter().any(|bin| between(&bin)) {
                    let inside = bins
                        .iter()
                        .zip(&cells)
                        .filter(|(bin, _)| if first { bin.high < bound + EDGE } else { bin.low > bound - EDGE });
                    let parts = inside.map(|(_, cell)| (*cell, -1));
                    table.known(parts.chain([(tail, 1)]).collect());
                }
            }
            (row, [equipoise, below, above])
        });
        table.suppress(minimum);
        for (bin, _) in bins.iter_mut().zip(&cells).filter(|(_, cell)| table.hides(**cell)) {
            (bin.n, bin.weighted) = (None, None);
        }
        if let Some((row, cells)) = tails {
            for (count, cell) in [&mut row.equipoise, &mut row.below, &mut row.above].into_iter().zip(cells) {
                if table.hides(cell) {
                    *count = None;
                }
            }
        }
    }
}

/// Bins and bounds are decimals of the protocol: nearer than this they are the same.
const EDGE: f64 = 1e-9;

/// Nothing else is counted of the weights, so that a small count is hidden alone.
pub(super) fn truncated(rows: &mut [WeightRow], minimum: u64) {
    for count in rows.iter_mut().filter_map(|row| row.truncated.as_mut()).flatten() {
        *count = count.filter(|n| !(1..minimum).contains(n));
    }
}
