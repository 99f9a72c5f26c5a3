//! Concordance of a Cox model's predictor with survival, R's `concordance(fit)`.
//!
//! A pair counts when one row has the event while the other is at risk and does not have it in the same cell; it is
//! concordant when the row with the event has the larger predictor x'b. A pair weighs the product of the two weights.
//! Over several sites pairs are counted on a declared grid of the predictor, which orders all pairs but those that fall
//! into one bin: the error has a bound that comes with the number. Stratified by site, pairs lie within a site and the
//! count is exact.

use crate::cox::{Buckets, CoxRows};
use crate::total::Total;

/// Bins of the predictor: equal ones, or neighbours among them joined. Values beyond the ends count in the end bins.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictorGrid {
    low: f64,
    width: f64,
    bins: usize,
    /// The first of the equal bins in each joined one, ascending; none where nothing is joined.
    starts: Option<Vec<usize>>,
}

impl PredictorGrid {
    /// `bins` bins of width `width` from `low`; None unless the width is positive, both are finite and there is a bin.
    pub fn new(low: f64, width: f64, bins: usize) -> Option<Self> {
        (low.is_finite() && width.is_finite() && width > 0.0 && bins > 0).then_some(Self {
            low,
            width,
            bins,
            starts: None,
        })
    }

    /// The grid of a predictor that has no values but these two: a bin for each, so that pairs are counted exactly.
    /// One bin when they do not differ.
    pub fn of_two_values(a: f64, b: f64) -> Self {
        let width = (b - a).abs();
        // Each value lies in the middle of its bin, where rounding does not reach the edge.
        let grid = Self::new(a.min(b) - width / 2.0, width, 2);
        grid.unwrap_or(Self { low: a, width: 1.0, bins: 1, starts: None })
    }

    /// The same grid with bins joined, given the rows in each bin: empty bins go to the neighbour below, and when there
    /// are more than `most` others, bins are joined until there are at most so many, with about as many rows in each.
    ///
    /// # Panics
    /// When there is not one count per bin, `most` is 0, or bins are joined already.
    #[must_use]
    pub fn joined(&self, counts: &[f64], most: usize) -> Self {
        assert_eq!((counts.len(), self.starts.is_none(), most > 0), (self.bins, true, true), "counts of single bins");
        let occupied = counts.iter().filter(|n| **n > 0.0).count();
        let rows: f64 = counts.iter().sum();
        let (mut starts, mut before, mut last) = (vec![0], 0.0, 0.0);
        for (bin, n) in counts.iter().enumerate().filter(|(_, n)| **n > 0.0) {
            // Share of the rows below the bin, in units of one joined bin.
            let place = if occupied > most { (before * most as f64 / rows).floor() } else { before };
            if place > last {
                starts.push(bin);
                last = place;
            }
            before += n;
        }
        Self { starts: Some(starts), ..self.clone() }
    }

    /// Number of bins, joined ones counted once.
    pub fn bins(&self) -> usize {
        self.starts.as_ref().map_or(self.bins, Vec::len)
    }

    /// Lower edge of each bin, ascending; the first bin also takes what lies below it.
    pub fn edges(&self) -> Vec<f64> {
        let edge = |bin: usize| self.low + bin as f64 * self.width;
        match &self.starts {
            Some(starts) => starts.iter().map(|start| edge(*start)).collect(),
            None => (0..self.bins).map(edge).collect(),
        }
    }

    /// The bin of a value: never falls when the value rises. NaN is in bin 0.
    pub fn bin(&self, value: f64) -> usize {
        // A cast from f64 saturates: below the grid it gives 0.
        let bin = (((value - self.low) / self.width) as usize).min(self.bins - 1);
        self.starts.as_ref().map_or(bin, |starts| starts.partition_point(|start| *start <= bin) - 1)
    }
}

/// Pairs that count, by their order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairs {
    /// The row with the event has the larger predictor.
    pub concordant: f64,
    /// It has the smaller one.
    pub discordant: f64,
    /// Both have the same, or fall into one bin.
    pub tied: f64,
}

impl Pairs {
    /// (concordant + tied / 2) / all; None without a pair.
    pub fn concordance(&self) -> Option<f64> {
        let all = self.concordant + self.discordant + self.tied;
        (all > 0.0).then(|| (self.concordant + self.tied / 2.0) / all)
    }

    /// Largest distance of [`Pairs::concordance`] from that of the exact predictor: tied / 2 / all, as if every pair of
    /// one bin were concordant, or every one discordant. None without a pair.
    pub fn bound(&self) -> Option<f64> {
        let all = self.concordant + self.discordant + self.tied;
        (all > 0.0).then(|| self.tied / 2.0 / all)
    }
}

/// Words of [`table`].
pub fn table_len(cells: usize, grid: &PredictorGrid) -> usize {
    2 * cells * grid.bins()
}

/// Adds the table of time and predictor at `beta` (p), each entry in blocks of [`crate::total::BLOCK`] rows. Word 2
/// (j bins + b): sum of weights of the rows of bin b whose last event cell at risk is j (a row that enters late is
/// subtracted at the last event cell at or before its entry); the next word: the same over the deaths in j. Counts
/// when unweighted.
///
/// `cells` are the event cells of the study, ascending.
///
/// # Panics
/// When lengths do not agree.
pub fn table(rows: &CoxRows<'_>, cells: &[u32], grid: &PredictorGrid, beta: &[f64], total: &mut dyn Total) {
    rows.check();
    assert_eq!(beta.len(), rows.x.columns(), "length of the coefficients");
    let bins = grid.bins();
    let mut entries = Buckets::new(cells.len() * bins, 2);
    for i in 0..rows.len() {
        let (weight, bin) = (rows.weight(i), grid.bin(predictor(rows.x.row(i), beta)));
        let Some(last) = last_at(cells, rows.exit[i]) else { continue };
        entries.sum(last * bins + bin, 0, total)[0] += weight;
        if let Some(before) = rows.entry.and_then(|entry| last_at(cells, entry[i])) {
            entries.sum(before * bins + bin, 0, total)[0] -= weight;
        }
        if rows.event[i] && cells[last] == rows.exit[i] {
            entries.sum(last * bins + bin, 0, total)[1] += weight;
        }
    }
    entries.finish(0, total);
}

/// Adds the number of rows in each bin of the predictor at `beta` (p): words n (one per bin). Rows of weight 0 are left
/// out.
///
/// # Panics
/// When lengths do not agree.
pub fn counts(rows: &CoxRows<'_>, grid: &PredictorGrid, beta: &[f64], total: &mut dyn Total) {
    rows.check();
    assert_eq!(beta.len(), rows.x.columns(), "length of the coefficients");
    // Counts are whole numbers below 2^53: one block holds them exactly.
    let mut counts = vec![0.0; grid.bins()];
    for i in (0..rows.len()).filter(|&i| rows.weight(i) > 0.0) {
        counts[grid.bin(predictor(rows.x.row(i), beta))] += 1.0;
    }
    total.add(0, &counts);
}

/// Index of the last cell at or before `cell`.
fn last_at(cells: &[u32], cell: u32) -> Option<usize> {
    cells.partition_point(|event| *event <= cell).checked_sub(1)
}

fn predictor(x: &[f64], beta: &[f64]) -> f64 {
    x.iter().zip(beta).map(|(x, b)| x * b).sum()
}

/// The pairs of a study from the sums over all sites of [`table`].
///
/// # Panics
/// When `sums` does not have [`table_len`] words.
pub fn pairs(sums: &[f64], cells: usize, grid: &PredictorGrid) -> Pairs {
    assert_eq!(sums.len(), table_len(cells, grid), "length of the table");
    let bins = grid.bins();
    let mut at_risk = vec![0.0; bins];
    let mut pairs = Pairs { concordant: 0.0, discordant: 0.0, tied: 0.0 };
    for words in sums.chunks_exact(2 * bins).rev() {
        let (mut others, mut deaths) = (0.0, 0.0);
        for (at_risk, word) in at_risk.iter_mut().zip(words.as_chunks::<2>().0) {
            *at_risk += word[0];
            others += *at_risk - word[1];
            deaths += word[1];
        }
        if deaths == 0.0 {
            continue;
        }
        let mut below = 0.0;
        for (at_risk, word) in at_risk.iter().zip(words.as_chunks::<2>().0) {
            let same = at_risk - word[1];
            pairs.concordant += word[1] * below;
            pairs.tied += word[1] * same;
            pairs.discordant += word[1] * (others - below - same);
            below += same;
        }
    }
    pairs
}

/// Adds the pairs within the site at `beta` (p), exactly: words concordant, discordant, tied. The sum over sites is the
/// count of a model stratified by site; read it with [`stratified_pairs`].
///
/// # Panics
/// When lengths do not agree.
pub fn stratified(rows: &CoxRows<'_>, beta: &[f64], total: &mut dyn Total) {
    rows.check();
    assert_eq!(beta.len(), rows.x.columns(), "length of the coefficients");
    let eta: Vec<f64> = (0..rows.len()).map(|i| predictor(rows.x.row(i), beta)).collect();
    let mut levels = eta.clone();
    levels.sort_unstable_by(f64::total_cmp);
    levels.dedup();
    let bins: Vec<usize> = eta.iter().map(|eta| levels.partition_point(|level| level < eta)).collect();
    let mut deaths: Vec<usize> = (0..rows.len()).filter(|&i| rows.event[i]).collect();
    deaths.sort_by_key(|&i| std::cmp::Reverse(rows.exit[i]));
    let mut exits: Vec<usize> = (0..rows.len()).collect();
    exits.sort_by_key(|&i| std::cmp::Reverse(rows.exit[i]));
    let mut entries = if rows.entry.is_some() { exits.clone() } else { Vec::new() };
    let entry = |i: usize| rows.entry.map_or(0, |entry| entry[i]);
    entries.sort_by_key(|&i| std::cmp::Reverse(entry(i)));

    // Backwards in time: rows come in when they leave after the cell, and go when they enter at or after it.
    let mut at_risk = Tree::new(levels.len());
    let (mut come, mut gone) = (0, 0);
    let mut words = [0.0; 3];
    for same_cell in deaths.chunk_by(|&a, &b| rows.exit[a] == rows.exit[b]) {
        let cell = rows.exit[same_cell[0]];
        while come < exits.len() && rows.exit[exits[come]] >= cell {
            at_risk.add(bins[exits[come]], rows.weight(exits[come]));
            come += 1;
        }
        while gone < entries.len() && entry(entries[gone]) >= cell {
            at_risk.add(bins[entries[gone]], -rows.weight(entries[gone]));
            gone += 1;
        }
        for &i in same_cell {
            at_risk.add(bins[i], -rows.weight(i));
        }
        let all = at_risk.below(levels.len());
        for &i in same_cell {
            let (below, up_to) = (at_risk.below(bins[i]), at_risk.below(bins[i] + 1));
            words[0] += rows.weight(i) * below;
            words[1] += rows.weight(i) * (all - up_to);
            words[2] += rows.weight(i) * (up_to - below);
        }
        for &i in same_cell {
            at_risk.add(bins[i], rows.weight(i));
        }
    }
    total.add(0, &words);
}

/// The pairs of a model stratified by site from the sums over all sites of [`stratified`]; exact, so the bound of
/// [`Pairs::bound`] does not apply to them.
pub fn stratified_pairs(sums: [f64; 3]) -> Pairs {
    let [concordant, discordant, tied] = sums;
    Pairs { concordant, discordant, tied }
}

/// Sums over leading elements that can change: a binary indexed tree (Fenwick 1994).
struct Tree(Vec<f64>);

impl Tree {
    fn new(elements: usize) -> Self {
        Self(vec![0.0; elements + 1])
    }

    fn add(&mut self, element: usize, value: f64) {
        let mut at = element + 1;
        while at < self.0.len() {
            self.0[at] += value;
            at += at & at.wrapping_neg();
        }
    }

    /// Sum of the elements 0..`end`.
    fn below(&self, end: usize) -> f64 {
        let (mut at, mut sum) = (end, 0.0);
        while at > 0 {
            sum += self.0[at];
            at &= at - 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Design;
    use crate::total::Plain;

    /// Deaths in cells 1, 2, 2, a censored row in cell 2, one in cell 5; predictors 3, 1, 2, 2, 4.
    fn with_rows<T>(body: impl FnOnce(&CoxRows<'_>) -> T) -> T {
        let x = Design::new(5, 1, vec![3.0, 1.0, 2.0, 2.0, 4.0]);
        let event = [true, true, true, false, false];
        body(&CoxRows { x: &x, exit: &[1, 2, 2, 2, 5], event: &event, w: None, entry: None })
    }

    // The death in cell 1 is above 1, 2, 2 and below 4. In cell 2 the rows at risk without the event have 2 and 4: the
    // death with 1 is below both, that with 2 ties one and is below the other.
    const BY_HAND: Pairs = Pairs { concordant: 3.0, discordant: 4.0, tied: 1.0 };

    #[test]
    fn pairs_by_hand() {
        let grid = PredictorGrid::new(0.0, 1.0, 6).expect("bins");
        let mut sums = Plain::zero(table_len(2, &grid));
        with_rows(|rows| table(rows, &[1, 2], &grid, &[1.0], &mut sums));
        let got = pairs(&sums.0, 2, &grid);
        assert_eq!(got, BY_HAND);
        assert_eq!((got.concordance(), got.bound()), (Some(3.5 / 8.0), Some(0.5 / 8.0)));

        let mut own = Plain::zero(3);
        with_rows(|rows| stratified(rows, &[1.0], &mut own));
        assert_eq!(stratified_pairs([own.0[0], own.0[1], own.0[2]]), BY_HAND);
    }

    #[test]
    fn late_entry_by_hand() {
        // The row with 4 enters after cell 1: the death in cell 1 has no larger row beside it.
        let (mut sums, mut own) = (Plain::zero(12), Plain::zero(3));
        let grid = PredictorGrid::new(0.0, 1.0, 3).expect("bins");
        with_rows(|rows| {
            let rows = CoxRows { entry: Some(&[0, 0, 0, 0, 1]), ..*rows };
            table(&rows, &[1, 2], &grid, &[1.0 / 2.0], &mut sums);
            stratified(&rows, &[1.0], &mut own);
        });
        assert_eq!(own.0, [3.0, 3.0, 1.0]);
        // Halved predictors 1.5, .5, 1, 1, 2 in bins 1, 0, 1, 1, 2: two pairs of the first death are tied by the grid.
        assert_eq!(pairs(&sums.0, 2, &grid), Pairs { concordant: 1.0, discordant: 3.0, tied: 3.0 });
    }

    #[test]
    fn joined_bins_keep_the_order_of_values() {
        let grid = PredictorGrid::new(0.0, 1.0, 6).expect("bins");
        let mut rows_in = Plain::zero(6);
        with_rows(|rows| counts(rows, &grid, &[1.0], &mut rows_in));
        assert_eq!(rows_in.0, [0.0, 1.0, 2.0, 1.0, 1.0, 0.0]);
        // Room for every bin with rows: nothing is lost.
        let joined = grid.joined(&rows_in.0, 4);
        assert_eq!((joined.bins(), joined.edges()), (4, vec![0.0, 2.0, 3.0, 4.0]));
        assert_eq!([-1.0, 1.5, 2.0, 3.0, 4.0, 9.0].map(|v| joined.bin(v)), [0, 0, 1, 2, 3, 3]);
        let mut sums = Plain::zero(table_len(2, &joined));
        with_rows(|rows| table(rows, &[1, 2], &joined, &[1.0], &mut sums));
        assert_eq!(pairs(&sums.0, 2, &joined), BY_HAND);
        // Room for two: 1, 2, 2 below and 3, 4 above.
        let joined = grid.joined(&rows_in.0, 2);
        assert_eq!(joined.edges(), [0.0, 3.0]);
        let mut sums = Plain::zero(table_len(2, &joined));
        with_rows(|rows| table(rows, &[1, 2], &joined, &[1.0], &mut sums));
        let got = pairs(&sums.0, 2, &joined);
        assert_eq!(got, Pairs { concordant: 3.0, discordant: 2.0, tied: 3.0 });
        assert!((got.concordance().unwrap() - BY_HAND.concordance().unwrap()).abs() <= got.bound().unwrap());
        assert_eq!(grid.joined(&[0.0; 6], 2).bins(), 1);
    }

    #[test]
    fn two_values_have_a_bin_each() {
        for (a, b) in [(-0.25, 0.75), (0.3, -0.1), (1e-300, 3e-300)] {
            let grid = PredictorGrid::of_two_values(a, b);
            assert_eq!((grid.bins(), grid.bin(a) < grid.bin(b)), (2, a < b));
        }
        assert_eq!(PredictorGrid::of_two_values(0.0, -0.0).bins(), 1);
    }

    #[test]
    fn grid_ends_and_empty_studies() {
        let grid = PredictorGrid::new(-1.0, 0.5, 4).expect("bins");
        assert_eq!([-9.0, -1.0, -0.6, 0.9, 1.0, f64::INFINITY, f64::NAN].map(|v| grid.bin(v)), [0, 0, 0, 3, 3, 3, 0]);
        assert_eq!(PredictorGrid::new(0.0, 0.0, 4), None);
        let none = pairs(&[], 0, &grid);
        assert_eq!((none.concordance(), none.bound()), (None, None));
    }
}
