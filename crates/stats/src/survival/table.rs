//! The two-arm table: who leaves when, in which arm and how.

use crate::cox::Buckets;
use crate::total::Total;

/// Words of a cell x arm x status of a weighted table: n, Sw, Sw^2.
const WIDTH: usize = 3;
/// Arms x statuses of a cell.
const GROUPS: usize = 4;

/// The rows of a two-arm table at a site, in any fixed order.
#[derive(Clone, Copy)]
pub struct TableRows<'a> {
    /// Cell in which a row leaves, n.
    pub exit: &'a [u32],
    /// Whether it leaves by the event, n.
    pub event: &'a [bool],
    /// Whether it is in the treated arm, n.
    pub treated: &'a [bool],
    /// Weights, n, at least 0; the table is unweighted when absent. A row of weight 0 is left out.
    pub w: Option<&'a [f64]>,
}

/// Words of a table of `cells` cells: 12 per cell with weights, 4 without.
pub const fn arm_table_len(cells: usize, weighted: bool) -> usize {
    cells * GROUPS * if weighted { WIDTH } else { 1 }
}

/// Adds a site's leavers per cell 0..`cells` of the grid, arm and status.
///
/// Words, cell by cell: control censored, control event, treated censored, treated event; each n, Sw, Sw^2 with weights
/// and n alone without. Weighted sums run over blocks of [`crate::total::BLOCK`] rows of the same cell, arm and status.
///
/// # Panics
/// When a row leaves at or beyond `cells`, or lengths do not agree.
pub fn arm_table(rows: &TableRows<'_>, cells: usize, total: &mut dyn Total) {
    let n = rows.exit.len();
    assert_eq!((rows.event.len(), rows.treated.len()), (n, n), "lengths of events and arms");
    assert!(rows.w.is_none_or(|w| w.len() == n), "length of the weights");
    assert!(rows.exit.iter().all(|&cell| (cell as usize) < cells), "rows leave on the grid");
    let group =
        |i: usize| GROUPS * rows.exit[i] as usize + 2 * usize::from(rows.treated[i]) + usize::from(rows.event[i]);
    add_leavers(n, cells * GROUPS, group, rows.w, total);
}

/// Adds each of `n` rows to its group: n, Sw, Sw^2 of every group with weights (rows of weight 0 left out), n alone
/// without.
pub(crate) fn add_leavers(
    n: usize,
    groups: usize,
    group: impl Fn(usize) -> usize,
    w: Option<&[f64]>,
    total: &mut dyn Total,
) {
    if let Some(w) = w {
        let mut buckets = Buckets::new(groups, WIDTH);
        for i in (0..n).filter(|&i| w[i] > 0.0) {
            let words = buckets.sum(group(i), 0, total);
            words[0] += 1.0;
            words[1] += w[i];
            words[2] += w[i] * w[i];
        }
        buckets.finish(0, total);
    } else {
        // Counts are whole numbers below 2^53: one block holds them exactly.
        let mut counts = vec![0.0; groups];
        for i in 0..n {
            counts[group(i)] += 1.0;
        }
        total.add(0, &counts);
    }
}

/// Sums over a group of rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Number of rows.
    pub n: f64,
    /// Sum of their weights; n when the table is unweighted.
    pub w: f64,
    /// Sum of the squares of their weights; n when the table is unweighted.
    pub w2: f64,
}

impl Tally {
    fn count(n: f64) -> Self {
        Self { n, w: n, w2: n }
    }

    /// The sums over both groups.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { n: self.n + other.n, w: self.w + other.w, w2: self.w2 + other.w2 }
    }

    /// Weights of more than fixed point holds, or rows without any, are no sums of this study.
    fn is_valid(self) -> bool {
        let empty = self.n == 0.0 && self.w == 0.0 && self.w2 == 0.0;
        let filled = self.n >= 1.0 && self.w > 0.0 && self.w2 >= 0.0;
        self.n.fract() == 0.0 && self.n <= MOST_ROWS && self.w.is_finite() && self.w2.is_finite() && (empty || filled)
    }
}

/// More rows than this in one cell are no study of ours: ties are summed one death at a time.
pub(crate) const MOST_ROWS: f64 = 1e7;

/// Who leaves in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Leavers {
    /// By the event.
    pub events: Tally,
    /// Without it.
    pub censored: Tally,
}

impl Leavers {
    /// Both together.
    pub fn all(self) -> Tally {
        self.events.plus(self.censored)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { events: self.events.plus(other.events), censored: self.censored.plus(other.censored) }
    }
}

/// Whose curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Both arms together.
    All,
    /// The control arm.
    Control,
    /// The treated arm.
    Treated,
}

/// The sums are no table: a count is not a whole number, or rows have no weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cell {cell} of the two-arm table does not hold counts and weights")]
pub struct BadTable {
    /// Index of the cell.
    pub cell: usize,
}

/// The sums of [`arm_table`] over all sites.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmTable {
    weighted: bool,
    /// Control and treated leavers per cell of the grid.
    cells: Vec<[Leavers; 2]>,
}

impl ArmTable {
    /// From the sums over all sites.
    ///
    /// # Panics
    /// When `sums` does not have [`arm_table_len`] words.
    pub fn new(cells: usize, weighted: bool, sums: &[f64]) -> Result<Self, BadTable> {
        assert_eq!(sums.len(), arm_table_len(cells, weighted), "length of the table");
        let width = if weighted { WIDTH } else { 1 };
        let mut table = Vec::with_capacity(cells);
        for (cell, words) in sums.chunks_exact(GROUPS * width).enumerate() {
            let tally = |group: usize| match &words[group * width..(group + 1) * width] {
                [n, w, w2] => Tally { n: *n, w: *w, w2: *w2 },
                words => Tally::count(words[0]),
            };
            let groups = [0, 1, 2, 3].map(tally);
            if !groups.iter().all(|tally| tally.is_valid()) {
                return Err(BadTable { cell });
            }
            let [control_censored, control_events, treated_censored, treated_events] = groups;
            table.push([
                Leavers { events: control_events, censored: control_censored },
                Leavers { events: treated_events, censored: treated_censored },
            ]);
        }
        Ok(Self { weighted, cells: table })
    }

    /// Whether the rows carry weights.
    pub fn is_weighted(&self) -> bool {
        self.weighted
    }

    /// Control and treated leavers, cell by cell.
    pub fn cells(&self) -> &[[Leavers; 2]] {
        &self.cells
    }

    /// The leavers of `who`, cell by cell.
    pub fn leavers(&self, who: Who) -> Vec<Leavers> {
        let pick = |[control, treated]: &[Leavers; 2]| match who {
            Who::All => control.plus(*treated),
            Who::Control => *control,
            Who::Treated => *treated,
        };
        self.cells.iter().map(pick).collect()
    }

    /// The same rows without their weights.
    #[must_use]
    pub fn unweighted(&self) -> Self {
        let count = |leavers: Leavers| Leavers {
            events: Tally::count(leavers.events.n),
            censored: Tally::count(leavers.censored.n),
        };
        Self { weighted: false, cells: self.cells.iter().map(|arms| arms.map(count)).collect() }
    }

    /// The same rows as if each had left in the next of the cells that end one, or in the last: the table of times that are
    /// rounded up to the ends. It has the same cells of the grid, most of them empty.
    #[must_use]
    pub fn merged(&self, ends: impl Fn(u32) -> bool) -> Self {
        let none = [Leavers::default(); 2];
        let mut cells = vec![none; self.cells.len()];
        let mut open = none;
        for (cell, arms) in self.cells.iter().enumerate() {
            open = [open[0].plus(arms[0]), open[1].plus(arms[1])];
            if ends(cell as u32) || cell + 1 == self.cells.len() {
                cells[cell] = std::mem::replace(&mut open, none);
            }
        }
        Self { weighted: self.weighted, cells }
    }

    /// The same rows with their status flipped: the table of follow-up (reverse Kaplan-Meier, Schemper & Smith 1996). Rows
    /// that leave by the event count as at risk of censoring in their own cell, R's `Surv(time, 1 - status)`.
    #[must_use]
    pub fn flipped(&self) -> Self {
        let flip = |leavers: Leavers| Leavers { events: leavers.censored, censored: leavers.events };
        Self { weighted: self.weighted, cells: self.cells.iter().map(|arms| arms.map(flip)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total::Plain;

    /// Control dies in cell 1; two treated leave cell 0, one by the event; a row of weight 0 does not count.
    fn words(weighted: bool) -> Vec<f64> {
        let w = weighted.then_some([3.0, 0.5, 2.0, 0.0].as_slice());
        let rows = TableRows {
            exit: &[1, 0, 0, 1][..if weighted { 4 } else { 3 }],
            event: &[true, true, false, true][..if weighted { 4 } else { 3 }],
            treated: &[false, true, true, true][..if weighted { 4 } else { 3 }],
            w,
        };
        let mut total = Plain::zero(arm_table_len(2, weighted));
        arm_table(&rows, 2, &mut total);
        total.0
    }

    #[test]
    fn order_of_words() {
        assert_eq!(words(false), [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
        let mut expected = [0.0; 24];
        expected[6..9].copy_from_slice(&[1.0, 2.0, 4.0]);
        expected[9..12].copy_from_slice(&[1.0, 0.5, 0.25]);
        expected[15..18].copy_from_slice(&[1.0, 3.0, 9.0]);
        assert_eq!(words(true), expected);
    }

    #[test]
    fn reading_the_words() {
        let table = ArmTable::new(2, true, &words(true)).expect("a table");
        let treated = table.leavers(Who::Treated);
        assert_eq!((treated[0].events.w, treated[0].censored.w2, treated[1]), (0.5, 4.0, Leavers::default()));
        assert_eq!(table.leavers(Who::All)[1], table.leavers(Who::Control)[1]);
        assert_eq!(table.unweighted(), ArmTable::new(2, false, &words(false)).expect("a table"));
        assert_eq!(table.flipped().leavers(Who::Treated)[0].events, treated[0].censored);
        assert_eq!(table.flipped().flipped(), table);
    }

    #[test]
    fn what_is_no_table() {
        let mut sums = words(true);
        sums[9] = 1.5;
        assert_eq!(ArmTable::new(2, true, &sums), Err(BadTable { cell: 0 }));
        let mut sums = words(true);
        sums[16] = 0.0;
        assert_eq!(ArmTable::new(2, true, &sums), Err(BadTable { cell: 1 }));
        assert_eq!(ArmTable::new(1, false, &[0.0, f64::NAN, 0.0, 0.0]), Err(BadTable { cell: 0 }));
        assert_eq!(ArmTable::new(1, false, &[0.0, -1.0, 0.0, 0.0]), Err(BadTable { cell: 0 }));
    }
}
