//! The table of causes: who leaves when, in which arm and why.

use crate::survival::{MOST_ROWS, Tally, Who, add_leavers};
use crate::total::Total;

/// Words of a cell x arm x cause of a weighted table: n, Sw, Sw^2.
const WIDTH: usize = 3;
/// Control and treated.
const ARMS: usize = 2;

/// The rows of a table of causes at a site, in any fixed order.
#[derive(Clone, Copy)]
pub struct CauseRows<'a> {
    /// Cell in which a row leaves, n.
    pub exit: &'a [u32],
    /// Why it leaves, n: 0 censored, 1 to the number of causes otherwise.
    pub cause: &'a [u8],
    /// Whether it is in the treated arm, n.
    pub treated: &'a [bool],
    /// Weights, n, at least 0; the table is unweighted when absent. A row of weight 0 is left out.
    pub w: Option<&'a [f64]>,
}

/// Words of a table of `cells` cells and `causes` causes: 2 (`causes` + 1) per cell, three times as many with weights.
pub const fn cause_table_len(cells: usize, causes: u8, weighted: bool) -> usize {
    cells * groups(causes) * if weighted { WIDTH } else { 1 }
}

/// Arms x (censored and causes) of a cell.
const fn groups(causes: u8) -> usize {
    ARMS * (causes as usize + 1)
}

/// Adds a site's leavers per cell 0..`cells` of the grid, arm and cause.
///
/// Words, cell by cell: control censored, control by cause 1 to `causes`, then the same of the treated; each n, Sw, Sw^2
/// with weights and n alone without. Weighted sums run over blocks of [`crate::total::BLOCK`] rows of the same cell, arm
/// and cause.
///
/// # Panics
/// When a row leaves at or beyond `cells` or by a cause beyond `causes`, or lengths do not agree.
pub fn cause_table(rows: &CauseRows<'_>, cells: usize, causes: u8, total: &mut dyn Total) {
    let n = rows.exit.len();
    assert_eq!((rows.cause.len(), rows.treated.len()), (n, n), "lengths of causes and arms");
    assert!(rows.w.is_none_or(|w| w.len() == n), "length of the weights");
    assert!(rows.exit.iter().all(|&cell| (cell as usize) < cells), "rows leave on the grid");
    assert!(rows.cause.iter().all(|&cause| cause <= causes), "rows leave by a declared cause");
    let group = |i: usize| {
        let arm = ARMS * rows.exit[i] as usize + usize::from(rows.treated[i]);
        arm * (usize::from(causes) + 1) + usize::from(rows.cause[i])
    };
    add_leavers(n, cells * groups(causes), group, rows.w, total);
}

/// Who leaves in one cell, of one arm or both.
#[derive(Debug, Clone, PartialEq)]
pub struct CauseLeavers {
    /// Censored.
    pub censored: Tally,
    /// By each cause; element 0 is cause 1.
    pub causes: Vec<Tally>,
}

impl CauseLeavers {
    /// By any cause.
    pub fn events(&self) -> Tally {
        self.causes.iter().fold(Tally::default(), |sum, tally| sum.plus(*tally))
    }

    /// Censored or by any cause.
    pub fn all(&self) -> Tally {
        self.censored.plus(self.events())
    }

    fn plus(&self, other: &Self) -> Self {
        let causes = self.causes.iter().zip(&other.causes).map(|(a, b)| a.plus(*b)).collect();
        Self { censored: self.censored.plus(other.censored), causes }
    }

    fn unweighted(&self) -> Self {
        Self { censored: count(self.censored.n), causes: self.causes.iter().map(|tally| count(tally.n)).collect() }
    }
}

/// The sums are no table: a count is not a whole number, or rows have no weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cell {cell} of the table of causes does not hold counts and weights")]
pub struct BadCauseTable {
    /// Index of the cell.
    pub cell: usize,
}

/// The sums of [`cause_table`] over all sites.
#[derive(Debug, Clone, PartialEq)]
pub struct CauseTable {
    causes: u8,
    weighted: bool,
    /// Control and treated leavers per cell of the grid.
    cells: Vec<[CauseLeavers; ARMS]>,
}

impl CauseTable {
    /// From the sums over all sites.
    ///
    /// # Panics
    /// When `sums` does not have [`cause_table_len`] words.
    pub fn new(cells: usize, causes: u8, weighted: bool, sums: &[f64]) -> Result<Self, BadCauseTable> {
        assert_eq!(sums.len(), cause_table_len(cells, causes, weighted), "length of the table");
        let width = if weighted { WIDTH } else { 1 };
        let mut table = Vec::with_capacity(cells);
        for (cell, words) in sums.chunks_exact(groups(causes) * width).enumerate() {
            let tallies: Vec<Tally> = words
                .chunks_exact(width)
                .map(|words| match words {
                    [n, w, w2] => Tally { n: *n, w: *w, w2: *w2 },
                    words => count(words[0]),
                })
                .collect();
            if !tallies.iter().all(is_valid) {
                return Err(BadCauseTable { cell });
            }
            let arm = |arm: &[Tally]| CauseLeavers { censored: arm[0], causes: arm[1..].to_vec() };
            let (control, treated) = tallies.split_at(usize::from(causes) + 1);
            table.push([arm(control), arm(treated)]);
        }
        Ok(Self { causes, weighted, cells: table })
    }

    /// Number of causes.
    pub fn causes(&self) -> u8 {
        self.causes
    }

    /// Whether the rows carry weights.
    pub fn is_weighted(&self) -> bool {
        self.weighted
    }

    /// Control and treated leavers, cell by cell.
    pub fn cells(&self) -> &[[CauseLeavers; ARMS]] {
        &self.cells
    }

    /// The leavers of `who`, cell by cell.
    pub fn leavers(&self, who: Who) -> Vec<CauseLeavers> {
        let pick = |[control, treated]: &[CauseLeavers; ARMS]| match who {
            Who::All => control.plus(treated),
            Who::Control => control.clone(),
            Who::Treated => treated.clone(),
        };
        self.cells.iter().map(pick).collect()
    }

    /// All rows of `who`: censored, and by each cause.
    pub fn totals(&self, who: Who) -> CauseLeavers {
        let none =
            CauseLeavers { censored: Tally::default(), causes: vec![Tally::default(); usize::from(self.causes)] };
        self.leavers(who).iter().fold(none, |sum, leavers| sum.plus(leavers))
    }

    /// The same rows as if each had left in the next of the cells that end one, or in the last.
    #[must_use]
    pub fn merged(&self, ends: impl Fn(u32) -> bool) -> Self {
        let none = [0; ARMS].map(|_| CauseLeavers {
            censored: Tally::default(),
            causes: vec![Tally::default(); usize::from(self.causes)],
        });
        let mut cells = vec![none.clone(); self.cells.len()];
        let mut open = none.clone();
        for (cell, [control, treated]) in self.cells.iter().enumerate() {
            open = [open[0].plus(control), open[1].plus(treated)];
            if ends(cell as u32) || cell + 1 == self.cells.len() {
                cells[cell] = std::mem::replace(&mut open, none.clone());
            }
        }
        Self { causes: self.causes, weighted: self.weighted, cells }
    }

    /// The same rows without their weights.
    #[must_use]
    pub fn unweighted(&self) -> Self {
        let cells = self.cells.iter().map(|[control, treated]| [control.unweighted(), treated.unweighted()]).collect();
        Self { causes: self.causes, weighted: false, cells }
    }
}

fn count(n: f64) -> Tally {
    Tally { n, w: n, w2: n }
}

/// Weights of more than fixed point holds, or rows without any, are no sums of this study.
fn is_valid(tally: &Tally) -> bool {
    let empty = *tally == Tally::default();
    let filled = tally.n >= 1.0 && tally.w > 0.0 && tally.w2 >= 0.0;
    tally.n.fract() == 0.0 && tally.n <= MOST_ROWS && tally.w.is_finite() && tally.w2.is_finite() && (empty || filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total::Plain;

    /// Control leaves cell 1 by cause 2; two treated leave cell 0, one censored; a row of weight 0 does not count.
    fn words(weighted: bool) -> Vec<f64> {
        let n = if weighted { 4 } else { 3 };
        let rows = CauseRows {
            exit: &[1, 0, 0, 1][..n],
            cause: &[2, 1, 0, 1][..n],
            treated: &[false, true, true, true][..n],
            w: weighted.then_some([3.0, 0.5, 2.0, 0.0].as_slice()),
        };
        let mut total = Plain::zero(cause_table_len(2, 2, weighted));
        cause_table(&rows, 2, 2, &mut total);
        total.0
    }

    #[test]
    fn order_of_words() {
        assert_eq!(words(false), [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        let mut expected = [0.0; 36];
        expected[9..12].copy_from_slice(&[1.0, 2.0, 4.0]);
        expected[12..15].copy_from_slice(&[1.0, 0.5, 0.25]);
        expected[24..27].copy_from_slice(&[1.0, 3.0, 9.0]);
        assert_eq!(words(true), expected);
    }

    #[test]
    fn reading_the_words() {
        let table = CauseTable::new(2, 2, true, &words(true)).expect("a table");
        let treated = table.leavers(Who::Treated);
        assert_eq!((treated[0].causes[0].w, treated[0].censored.w2, treated[1].all().n), (0.5, 4.0, 0.0));
        assert_eq!(table.leavers(Who::All)[1], table.leavers(Who::Control)[1]);
        assert_eq!(table.totals(Who::All).causes[1].w, 3.0);
        assert_eq!(table.unweighted(), CauseTable::new(2, 2, false, &words(false)).expect("a table"));
    }

    #[test]
    fn what_is_no_table() {
        for (at, value, cell) in [(12, 1.5, 0), (25, 0.0, 1), (0, f64::NAN, 0), (19, -1.0, 1), (13, f64::INFINITY, 0)] {
            let mut sums = words(true);
            sums[at] = value;
            assert_eq!(CauseTable::new(2, 2, true, &sums), Err(BadCauseTable { cell }), "word {at}");
        }
    }
}
