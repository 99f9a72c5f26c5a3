//! Up to which days means are given out: restricted means and person-time.
//!
//! A mean up to a day is one equation for who leaves when before it. It tells the only cell that nothing else tells; the
//! difference of two means tells the only one between their days. So enough days that are not told lie before a mean, and
//! between it and others of the column, or none; and patients leave there neither nearly all at the ends of the cells that
//! are told nor nearly all at their beginnings, which one number would say as well.

use std::collections::BTreeSet;

/// Who has left by which day of one column, and which days are told.
pub(super) struct Hidden {
    /// By place among the days (0 is before all), of each arm: days that are not told up to there, and by how many days the
    /// patients of their cells leave earlier than they might, and later.
    before: Vec<[[f64; 3]; 2]>,
    minimum: f64,
}

impl Hidden {
    /// `left` by each day and by the end of the grid; `known` are places of days that are told, from 1, with both ends.
    pub(super) fn new(left: &[[f64; 2]], known: &BTreeSet<usize>, minimum: f64) -> Hidden {
        let left_by = |place: usize, arm: usize| place.checked_sub(1).map_or(0.0, |day| left[day][arm]);
        let mut before = vec![[[0.0; 3]; 2]];
        for place in 1..=left.len() {
            let end = known.range(place..).next().copied().unwrap_or(left.len());
            let start = known.range(..place).next_back().copied().unwrap_or(0);
            let mut sums = before[place - 1];
            for (arm, sums) in sums.iter_mut().enumerate() {
                // a cell of one day, or one in which nobody leaves, hides nothing
                if end - start > 1 && left_by(end, arm) > left_by(start, arm) {
                    let leave = left_by(place, arm) - left_by(place - 1, arm);
                    sums[0] += if place == end { 0.0 } else { 1.0 };
                    sums[1] += leave * (end - place) as f64;
                    sums[2] += leave * (place - start - 1) as f64;
                }
            }
            before.push(sums);
        }
        Hidden { before, minimum }
    }

    /// Which of the places, in their order, a mean may reach to, beside those that are `kept` already; with these.
    pub(super) fn choose(&self, places: &[usize], mut kept: BTreeSet<usize>) -> BTreeSet<usize> {
        kept.insert(0);
        for place in places {
            let below = kept.range(..=*place).next_back().copied().unwrap_or(0);
            let above = kept.range(*place..).next().copied();
            if self.enough(below, *place) && above.is_none_or(|above| self.enough(*place, above)) {
                kept.insert(*place);
            }
        }
        kept.remove(&0);
        kept
    }

    fn enough(&self, from: usize, to: usize) -> bool {
        (0..2).all(|arm| {
            let sums = [0, 1, 2].map(|sum| self.before[to][arm][sum] - self.before[from][arm][sum]);
            sums[0] == 0.0 || sums.iter().all(|n| *n >= self.minimum)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leavers of the first arm day by day; nobody leaves in the second.
    fn hidden(leavers: &[f64], known: &[usize], minimum: f64) -> Hidden {
        let left: Vec<[f64; 2]> = leavers
            .iter()
            .scan(0.0, |sum, n| {
                *sum += n;
                Some([*sum, 0.0])
            })
            .collect();
        let known = known.iter().copied().chain([0, leavers.len()]).collect();
        Hidden::new(&left, &known, minimum)
    }

    fn chosen(hidden: &Hidden, places: &[usize]) -> Vec<usize> {
        hidden.choose(places, BTreeSet::new()).into_iter().collect()
    }

    #[test]
    fn a_mean_would_tell_the_only_day_that_is_not_told() {
        // days 1 and 2 are one cell
        let one = hidden(&[2.0, 3.0, 5.0, 5.0], &[2, 3], 2.0);
        assert_eq!(chosen(&one, &[4]), [0; 0]);
        // two cells of two days each
        let two = hidden(&[2.0, 3.0, 2.0, 3.0, 5.0], &[2, 4], 2.0);
        assert_eq!(chosen(&two, &[5]), [5]);
        assert_eq!(chosen(&two, &[5, 2]), [5], "the difference tells the second of the two cells");
        assert_eq!(chosen(&two, &[5, 4]), [4, 5], "between them everything is told");
        assert_eq!(chosen(&hidden(&[5.0, 5.0, 5.0], &[1, 2], 5.0), &[1, 2, 3]), [1, 2, 3]);
    }

    #[test]
    fn a_mean_would_tell_that_nobody_leaves_early_or_late() {
        // with everybody at the ends of the cells, person-time is as large as it can be
        assert_eq!(chosen(&hidden(&[0.0, 5.0, 0.0, 5.0], &[2], 2.0), &[4]), [0; 0]);
        assert_eq!(chosen(&hidden(&[5.0, 0.0, 5.0, 0.0], &[2], 2.0), &[4]), [0; 0]);
        assert_eq!(chosen(&hidden(&[2.0, 3.0, 2.0, 3.0], &[2], 5.0), &[4]), [0; 0], "four leave early");
    }

    #[test]
    fn cells_in_which_nobody_leaves_hide_nothing() {
        assert_eq!(chosen(&hidden(&[0.0, 0.0, 5.0], &[2], 5.0), &[2, 3]), [2, 3]);
    }
}
