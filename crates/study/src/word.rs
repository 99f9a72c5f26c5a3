//! Words of an answer: a sum in fixed point, or the mark that there is none.
//!
//! A sum leaves the range of its word when an estimator tries a coefficient that is far too large. A refusal would end
//! the run for a step that the estimator can halve; clipping would be a wrong sum. So the site answers with a mark, and
//! whoever adds up reads "not a number" there, without learning whose it was.
//!
//! With n sites, a sum of one site is at most 2^60 / n^2 and a mark is 2^62 / n. Without marks the total is at most
//! 2^60 / n; with one to n of them it is above 2^62 / n - 2^60 / n and at most 2^62 + 2^60 / n, inside the word's 2^63.
//! Between the two lies 2^61 / n.

use secagg::{decode, fixed};

/// Largest magnitude of one site's sum.
pub(crate) fn bound(sites: usize) -> f64 {
    let n = sites.max(1) as f64;
    2f64.powi(60) / (n * n)
}

/// What a site answers where it has no sum.
pub(crate) fn mark(sites: usize) -> i128 {
    fixed::encode(2f64.powi(61) / sites.max(1) as f64, 2f64.powi(61)).map_or(i128::MAX, |half| 2 * half)
}

/// The totals over all sites; NaN where at least one site had none.
pub fn read(words: &[i128], sites: usize) -> Vec<f64> {
    let limit = 2f64.powi(61) / sites.max(1) as f64;
    words.iter().map(|word| decode(*word)).map(|total| if total.abs() > limit { f64::NAN } else { total }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_marks_is_read_and_no_honest_total() {
        for sites in [1, 2, 3, 45, 1000] {
            let largest = fixed::encode(bound(sites), bound(sites)).unwrap();
            let all = largest * sites as i128;
            assert!(read(&[all, -all, 0, 1 << 64], sites).iter().all(|total| total.is_finite()));
            for marks in [1, 2, sites / 2, sites - 1, sites].into_iter().filter(|m| (1..=sites).contains(m)) {
                let honest = largest * (sites - marks) as i128;
                let marked = mark(sites).checked_mul(marks as i128).unwrap();
                let totals = [marked + honest, marked - honest, marked];
                assert!(read(&totals, sites).iter().all(|total| total.is_nan()), "{marks} of {sites}");
            }
        }
    }
}
