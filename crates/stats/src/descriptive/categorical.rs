//! Counts of levels or bins per arm, and the chi-square test of them.

use crate::inference::{ChiSquare, pearson};
use crate::total::{BLOCK, Total};

/// One category, or one number's bins, of a site's rows.
#[derive(Clone, Copy)]
pub struct CategoryRows<'a> {
    /// Level or bin, n, from 0, none missing.
    pub level: &'a [u32],
    /// Arm, n.
    pub treated: &'a [bool],
    /// Weights, n, at least 0; all 1 when absent. A row of weight 0 is left out.
    pub w: Option<&'a [f64]>,
}

/// Words of [`counts`] for `levels` levels: rows per level of the control arm, of the treated arm; with weights the sums of
/// the weights in the same order after them.
pub const fn counts_len(levels: usize, weighted: bool) -> usize {
    if weighted { 4 * levels } else { 2 * levels }
}

/// Adds the rows per level of the control arm, then of the treated arm, and with weights the sums of the weights in the
/// same order, in blocks of [`BLOCK`] rows.
///
/// # Panics
/// When the lengths of the rows do not agree, or a level is not below `levels`.
pub fn counts(rows: &CategoryRows<'_>, levels: usize, total: &mut dyn Total) {
    let n = rows.level.len();
    assert_eq!(rows.treated.len(), n, "length of the arms");
    assert!(rows.w.is_none_or(|w| w.len() == n), "length of the weights");
    assert!(rows.level.iter().all(|&level| (level as usize) < levels), "a level below their number");
    let mut block = vec![0.0; counts_len(levels, rows.w.is_some())];
    for first in (0..n).step_by(BLOCK) {
        block.fill(0.0);
        for i in first..n.min(first + BLOCK) {
            let at = usize::from(rows.treated[i]) * levels + rows.level[i] as usize;
            match rows.w {
                None => block[at] += 1.0,
                Some(w) if w[i] > 0.0 => {
                    block[at] += 1.0;
                    block[2 * levels + at] += w[i];
                }
                Some(_) => {}
            }
        }
        total.add(0, &block);
    }
}

/// Counts per level of both arms.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Control arm, one per level.
    pub control: Vec<f64>,
    /// Treated arm, one per level.
    pub treated: Vec<f64>,
}

impl Counts {
    /// The rows per level, from the sums of [`counts`] over all sites.
    ///
    /// # Panics
    /// When `sums` has fewer than 2 x `levels` words.
    pub fn rows(sums: &[f64], levels: usize) -> Self {
        Self { control: sums[..levels].to_vec(), treated: sums[levels..2 * levels].to_vec() }
    }

    /// The weights per level, from the sums of [`counts`] with weights over all sites.
    ///
    /// # Panics
    /// When `sums` has fewer than 4 x `levels` words.
    pub fn weights(sums: &[f64], levels: usize) -> Self {
        Self::rows(&sums[2 * levels..], levels)
    }

    /// Both arms together, one per level.
    pub fn all(&self) -> Vec<f64> {
        self.control.iter().zip(&self.treated).map(|(c, t)| c + t).collect()
    }
}

/// Pearson's chi-square of the rows per level. `yates` takes min(1/2, |observed - expected|) off each difference of a 2 x 2
/// table and changes nothing in larger ones: R's `chisq.test(correct = yates)`. Levels that are empty in both arms are left
/// out; None when fewer than two levels or an empty arm remain.
///
/// # Panics
/// When the arms do not have the same number of levels.
pub fn chi_square(control: &[f64], treated: &[f64], yates: bool) -> Option<ChiSquare> {
    let plain = pearson(control, treated)?;
    if !yates || plain.df != 1 {
        return Some(plain);
    }
    // |observed - expected| is the same in all four cells, so the corrected statistic is a multiple of the plain one.
    let (n0, n1) = (control.iter().sum::<f64>(), treated.iter().sum::<f64>());
    let level = control.iter().zip(treated).position(|(c, t)| c + t > 0.0)?;
    let (observed, filled) = (treated[level], control[level] + treated[level]);
    let difference = (observed - filled * n1 / (n0 + n1)).abs();
    let factor = if difference > 0.5 { 1.0 - 0.5 / difference } else { 0.0 };
    Some(ChiSquare::new(plain.statistic * factor * factor, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::total::Plain;

    #[test]
    fn order_of_words() {
        let rows = CategoryRows {
            level: &[0, 1, 1, 2, 2],
            treated: &[false, true, true, false, true],
            w: Some(&[0.5, 2.0, 3.0, 7.0, 0.0]),
        };
        let mut total = Plain::zero(counts_len(3, true));
        counts(&rows, 3, &mut total);
        let (n, w) = (Counts::rows(&total.0, 3), Counts::weights(&total.0, 3));
        assert_eq!((n.control, n.treated), (vec![1.0, 0.0, 1.0], vec![0.0, 2.0, 0.0]));
        assert_eq!((w.control.clone(), w.treated.clone()), (vec![0.5, 0.0, 7.0], vec![0.0, 5.0, 0.0]));
        assert_eq!(w.all(), [0.5, 5.0, 7.0]);
        let mut unweighted = Plain::zero(counts_len(3, false));
        counts(&CategoryRows { w: None, ..rows }, 3, &mut unweighted);
        assert_eq!(unweighted.0, [1.0, 0.0, 1.0, 0.0, 2.0, 1.0]);
    }

    #[test]
    fn yates_by_hand() {
        // n (|ad - bc| - n / 2)^2 / (row and column totals).
        let test = chi_square(&[10.0, 0.0, 20.0], &[30.0, 0.0, 40.0], true).expect("two levels");
        let expected = 100.0 * (200.0 - 50.0) * (200.0 - 50.0) / (30.0 * 70.0 * 40.0 * 60.0);
        assert!((test.statistic / expected - 1.0).abs() < 1e-13);
        // Differences below one half vanish.
        let even = chi_square(&[2.0, 2.0], &[2.0, 3.0], true).expect("two levels");
        assert_eq!((even.statistic, even.p_value), (0.0, 1.0));
        // Three levels are not corrected.
        let (control, treated) = ([3.0, 4.0, 5.0], [5.0, 4.0, 2.0]);
        assert_eq!(chi_square(&control, &treated, true), pearson(&control, &treated));
        assert_eq!(chi_square(&[1.0, 0.0], &[1.0, 0.0], true), None);
    }
}
