//! Times at which weighted curves are given out.
//!
//! Between two times a weighted curve falls by the weights of the events: by one weight where there is one event, and a
//! weight follows from the covariates of its patient. So the events between two such times, too, are none or as many as the
//! floor wants, in each arm, and so do they differ from those of the other outcomes of the column. Where causes compete, each
//! has times of its own; the probability of none of them is given out with all of them.

use super::leavers::Leavers;

/// A day of the column; none is the end of the grid.
type Day = Option<u32>;

/// Events of one outcome, by one cause where several compete.
struct Series<'a> {
    leavers: &'a Leavers,
    cells: &'a [[f64; 2]],
}

/// Events up to days of one time column.
pub(super) struct Events<'a> {
    of: Vec<Series<'a>>,
    minimum: f64,
}

impl<'a> Events<'a> {
    /// Of the outcomes that have a weighted curve or incidence.
    pub(super) fn new(of: &[&'a Leavers], minimum: f64) -> Events<'a> {
        let series = of.iter().flat_map(|leavers| leavers.events.iter().map(|cells| Series { leavers, cells }));
        Events { of: series.collect(), minimum }
    }

    /// Those of the days between which there are enough events of everything. Days of the first list come first, and the
    /// earlier ones of each.
    pub(super) fn days(&self, lists: [&[Day]; 2]) -> Vec<Day> {
        let all: Vec<usize> = (0..self.of.len()).collect();
        self.choose(&all, Vec::new(), lists)
    }

    /// Further days of one cause of an outcome beside those of everything.
    pub(super) fn days_of(&self, outcome: usize, cause: usize, days: &[Day], lists: [&[Day]; 2]) -> Vec<Day> {
        let of_outcome = self.of.iter().enumerate().filter(|(_, series)| series.leavers.outcome == outcome);
        let own = of_outcome.map(|(at, _)| at).nth(cause);
        own.map_or_else(Vec::new, |at| self.choose(&[at], days.to_vec(), lists))
    }

    fn choose(&self, series: &[usize], kept: Vec<Day>, lists: [&[Day]; 2]) -> Vec<Day> {
        let with_counts = |day: Day| (day, self.until(series, day));
        let mut kept: Vec<(Day, Vec<f64>)> = kept.into_iter().map(with_counts).collect();
        let place = |day: Day| day.unwrap_or(u32::MAX);
        for day in lists.into_iter().flatten() {
            let at = kept.partition_point(|(kept, _)| place(*kept) < place(*day));
            let (_, counts) = with_counts(*day);
            let before = at.checked_sub(1).map(|before| &kept[before].1);
            let after = kept.get(at).map(|(_, counts)| counts);
            let is_new = kept.get(at).is_none_or(|(kept, _)| kept != day);
            if is_new && self.enough(before, Some(&counts)) && self.enough(Some(&counts), after) {
                kept.insert(at, (*day, counts));
            }
        }
        kept.into_iter().map(|(day, _)| day).collect()
    }

    /// By arm: events of each of these series, and by how many they differ from those of other outcomes.
    fn until(&self, series: &[usize], day: Day) -> Vec<f64> {
        let of_series = |series: &Series<'_>| {
            let within = |cell: u32| day.is_none_or(|day| series.leavers.grid.last_day(cell) <= day);
            let cells = (0..).zip(series.cells).filter(|(cell, _)| within(*cell));
            cells.fold([0.0; 2], |sum, (_, arms)| [sum[0] + arms[0], sum[1] + arms[1]])
        };
        let all: Vec<[f64; 2]> = self.of.iter().map(of_series).collect();
        let mut counts = Vec::new();
        for at in series {
            counts.extend(all[*at]);
            let of_others = |other: &&usize| self.of[**other].leavers.outcome != self.of[*at].leavers.outcome;
            let others: Vec<usize> = (0..self.of.len()).collect();
            for other in others.iter().filter(of_others) {
                counts.extend([0, 1].map(|arm| all[*at][arm] - all[*other][arm]));
            }
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
        let events = Events::new(&[&one], 3.0);
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
        let of = |both: Vec<&Leavers>| Events::new(&both, 3.0).days([&[], &[Some(0), None]]);
        assert_eq!(of(vec![&other]), [Some(0), None]);
        assert_eq!(of(vec![&one, &other]), [None], "4 - 3 is one patient, 9 - 6 are three");
    }

    #[test]
    fn a_cause_has_times_between_those_of_all() {
        let events = [vec![[3.0, 3.0], [3.0, 3.0]], vec![[1.0, 0.0], [2.0, 4.0]]];
        let both = Leavers { events: events.to_vec(), ..leavers(0, &[[4.0, 3.0], [5.0, 7.0]]) };
        let of = Events::new(&[&both], 3.0);
        let lists: [&[Day]; 2] = [&[], &[Some(0), None]];
        let all = of.days(lists);
        assert_eq!(all, [None], "one patient has the second cause on the first day");
        assert_eq!(of.days_of(0, 0, &all, lists), [Some(0), None]);
        assert_eq!(of.days_of(0, 1, &all, lists), [None]);
    }
}
