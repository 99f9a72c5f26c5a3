//! Times at which weighted curves are given out.
//!
//! Between two times a weighted curve falls by the weights of the events: by one weight where there is one event, and a
//! weight follows from the covariates of its patient. So the events between two such times, too, are none or as many as the
//! floor wants, in each arm, by each cause, and between the outcomes of one column.

use super::leavers::Leavers;

/// Events up to days of one time column.
pub(super) struct Events<'a> {
    of: Vec<&'a Leavers>,
    minimum: f64,
}

impl<'a> Events<'a> {
    /// Of the outcomes that have a weighted curve or incidence.
    pub(super) fn new(of: Vec<&'a Leavers>, minimum: f64) -> Events<'a> {
        Events { of, minimum }
    }

    /// Those of the days whose neighbours have enough events between them. Days of the first list come first, and the earlier
    /// ones of each; a day of none is the end of the grid.
    pub(super) fn days(&self, lists: [&[Option<u32>]; 2]) -> Vec<Option<u32>> {
        let mut kept: Vec<(Option<u32>, Vec<f64>)> = Vec::new();
        let place = |day: Option<u32>| day.unwrap_or(u32::MAX);
        for day in lists.into_iter().flatten() {
            let at = kept.partition_point(|(kept, _)| place(*kept) < place(*day));
            let counts = self.until(*day);
            let before = at.checked_sub(1).map(|before| &kept[before].1);
            let after = kept.get(at).map(|(_, counts)| counts);
            let is_new = kept.get(at).is_none_or(|(kept, _)| kept != day);
            if is_new && self.enough(before, Some(&counts)) && self.enough(Some(&counts), after) {
                kept.insert(at, (*day, counts));
            }
        }
        kept.into_iter().map(|(day, _)| day).collect()
    }

    /// By outcome, cause and arm; then the differences of the outcomes.
    fn until(&self, day: Option<u32>) -> Vec<f64> {
        let of_cells = |leavers: &Leavers, cells: &[[f64; 2]]| {
            let within = |cell: u32| day.is_none_or(|day| leavers.grid.last_day(cell) <= day);
            let cells = (0..).zip(cells).filter(|(cell, _)| within(*cell));
            cells.fold([0.0; 2], |sum, (_, arms)| [sum[0] + arms[0], sum[1] + arms[1]])
        };
        let mut counts = Vec::new();
        let mut outcomes: Vec<[f64; 2]> = Vec::new();
        for leavers in &self.of {
            let causes: Vec<[f64; 2]> = leavers.events.iter().map(|cells| of_cells(leavers, cells)).collect();
            let all = causes.iter().fold([0.0; 2], |sum, arms| [sum[0] + arms[0], sum[1] + arms[1]]);
            counts.extend(outcomes.iter().flat_map(|other| [all[0] - other[0], all[1] - other[1]]));
            counts.extend(causes.into_iter().flatten());
            outcomes.push(all);
        }
        counts
    }

    fn enough(&self, before: Option<&Vec<f64>>, after: Option<&Vec<f64>>) -> bool {
        // nothing is told after the last time
        let Some(after) = after else { return true };
        let few = |n: f64| n != 0.0 && n.abs() < self.minimum;
        (0..after.len()).all(|at| !few(after[at] - before.map_or(0.0, |before| before[at])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::TimeGrid;

    fn leavers(outcome: usize, events: &[[f64; 2]]) -> Leavers {
        let grid = TimeGrid { days: 1.0, horizon_days: events.len() as u32 - 1 };
        Leavers { outcome, grid, cells: events.to_vec(), events: vec![events.to_vec()], staying: [0.0; 2] }
    }

    #[test]
    fn events_between_two_times_are_none_or_enough_in_each_arm() {
        let one = leavers(0, &[[0.0, 0.0], [2.0, 0.0], [1.0, 3.0], [0.0, 0.0], [0.0, 1.0], [4.0, 2.0]]);
        let events = Events::new(vec![&one], 3.0);
        let all: Vec<Option<u32>> = (0..5).map(Some).chain([None]).collect();
        assert_eq!(events.days([&[], &all]), [Some(0), Some(2), Some(3), None]);
        // a declared time with too few events before it is none, with enough it comes first
        assert_eq!(events.days([&[Some(1), Some(3)], &all]), [Some(0), Some(2), Some(3), None]);
        // nobody looks at the events behind the last time
        assert_eq!(events.days([&[], &all[..4]]), [Some(0), Some(2), Some(3)]);
    }

    #[test]
    fn outcomes_of_one_column_do_not_tell_the_events_in_which_they_differ() {
        let one = leavers(0, &[[3.0, 3.0], [3.0, 3.0]]);
        let other = leavers(1, &[[4.0, 3.0], [5.0, 3.0]]);
        let of = |both: Vec<&Leavers>| Events::new(both, 3.0).days([&[], &[Some(0), None]]);
        assert_eq!(of(vec![&other]), [Some(0), None]);
        assert_eq!(of(vec![&one, &other]), [None], "4 - 3 is one patient, 9 - 6 are three");
    }
}
