//! Bins of the propensity score, the overlap of the arms, and weights at their bounds.

use super::super::suppress::Table;
use super::Arms;
use crate::results::{HistogramRow, OverlapRow, WeightRow};

/// Rows of the histogram alternate between control and treated arm; each arm is a table of its own.
pub(super) fn histogram(rows: &mut [HistogramRow], overlap: &mut [OverlapRow], arms: Arms, minimum: u64) {
    for (arm, n) in arms.into_iter().enumerate() {
        let bins = rows.iter_mut().skip(arm).step_by(2).collect();
        scores_of_arm(bins, overlap.get_mut(arm), n, minimum);
    }
}

fn scores_of_arm(mut bins: Vec<&mut HistogramRow>, overlap: Option<&mut OverlapRow>, n: u64, minimum: u64) {
    let mut table = Table::default();
    let cells: Vec<usize> =
        bins.iter().enumerate().map(|(group, bin)| table.shown(bin.n.unwrap_or_default(), group)).collect();
    table.known(cells.iter().map(|cell| (*cell, 1)).collect());
    let counts = overlap.map(|row| {
        let cells = add_overlap(&mut table, row, &bins, &cells, n);
        ([&mut row.equipoise, &mut row.below, &mut row.above], cells)
    });
    table.suppress(minimum);
    for (bin, _) in bins.iter_mut().zip(cells).filter(|(_, cell)| table.hides(*cell)) {
        (bin.n, bin.weighted) = (None, None);
    }
    for (count, cell) in counts.into_iter().flat_map(|(counts, cells)| counts.into_iter().zip(cells)) {
        if table.hides(cell) {
            *count = None;
        }
    }
}

/// Adds those in equipoise, below and above the bounds, and what these three leave: nobody shows that, but it follows. Below
/// and above follow from bins where the bounds lie between two of them.
fn add_overlap(table: &mut Table, row: &OverlapRow, bins: &[&mut HistogramRow], cells: &[usize], n: u64) -> [usize; 3] {
    let [in_equipoise, of_low, of_high] = [row.equipoise, row.below, row.above].map(Option::unwrap_or_default);
    let group = cells.len();
    let equipoise = table.shown(in_equipoise, group);
    let below = table.shown(of_low, group + 1);
    let above = table.shown(of_high, group + 2);
    let outside = table.implied(n.saturating_sub(in_equipoise), group + 3);
    let between = table.implied(n.saturating_sub(of_low + of_high), group + 4);
    table.known(vec![(equipoise, 1), (outside, 1)]);
    table.known(vec![(below, 1), (between, 1), (above, 1)]);
    let (low, high) = row.bounds;
    let is_edge =
        |bound: f64| bins.iter().any(|bin| [bin.low, bin.high].iter().any(|edge| (edge - bound).abs() < EDGE));
    let mut sum = |tail: usize, inside: &dyn Fn(&HistogramRow) -> bool| {
        let parts = bins.iter().zip(cells).filter(|(bin, _)| inside(bin)).map(|(_, cell)| (*cell, -1));
        table.known(parts.chain([(tail, 1)]).collect());
    };
    if is_edge(low) {
        sum(below, &|bin| bin.high < low + EDGE);
    }
    if is_edge(high) {
        sum(above, &|bin| bin.low > high - EDGE);
    }
    [equipoise, below, above]
}

/// Bins and bounds are decimals of the protocol: nearer than this they are the same.
const EDGE: f64 = 1e-9;

/// Nothing else is counted of the weights, so that a small count is hidden alone.
pub(super) fn truncated(rows: &mut [WeightRow], minimum: u64) {
    for count in rows.iter_mut().filter_map(|row| row.truncated.as_mut()).flatten() {
        *count = count.filter(|n| !(1..minimum).contains(n));
    }
}
