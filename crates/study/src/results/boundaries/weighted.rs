//! Times at which weighted curves are given out.
//!
//! Between two times a weighted curve falls by the weights of the events: by one weight where there is one event, and a
//! weight follows from the covariates of its patient. So the events between two such times, too, are none or as many as the
//! floor wants, in each arm; and between two times that two outcomes of the column share they differ so. Where causes
//! compete, each has times of its own; the probability of none of them is given out with all of them.

use super::leavers::Leavers;

/// A day of the column; none is the end of the grid.
pub(super) type Day = Option<u32>;

/// Days of one outcome.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Days {
    /// At which everything of it is given out.
    pub(super) all: Vec<Day>,
    /// The same and further ones of each cause.
    pub(super) by_cause: Vec<Vec<Day>>,
}

/// Chooses the days of each outcome that has a weighted curve or incidence. Days of the first list come first, and the
/// earlier ones of each.
pub(super) fn days(of: &[&Leavers], minimum: f64, lists: [&[Day]; 2]) -> Vec<Days> {
    let mut chosen: Vec<Days> = Vec::new();
    for (at, leavers) in of.iter().enumerate() {
        let others: Vec<(&Leavers, &Days)> = of[..at].iter().copied().zip(&chosen).collect();
        let choice = Choice { leavers, others: &others, minimum };
        let causes: Vec<Events> = (0..leavers.events.len()).map(Events::Of).collect();
        let all = choice.days(&[&[Events::All][..], &causes].concat(), Vec::new(), lists);
        let by_cause = causes.iter().map(|cause| choice.days(&[*cause], all.clone(), lists)).collect();
        chosen.push(Days { all, by_cause });
    }
    chosen
}

/// Which events of an outcome.
#[derive(Debug, Clone, Copy)]
enum Events {
    All,
    /// Of one cause.
    Of(usize),
}

/// The days of one outcome beside those of earlier ones.
struct Choice<'a> {
    leavers: &'a Leavers,
    others: &'a [(&'a Leavers, &'a Days)],
    minimum: f64,
}

impl Choice<'_> {
    fn days(&self, events: &[Events], mut kept: Vec<Day>, lists: [&[Day]; 2]) -> Vec<Day> {
        for day in lists.into_iter().flatten() {
            if !kept.contains(day) && events.iter().all(|events| self.fits(*events, &kept, *day)) {
                kept.push(*day);
                kept.sort_by_key(|day| place(*day));
            }
        }
        kept
    }

    /// Are there enough events between the day and its neighbours, and as many more or fewer than another outcome has between
    /// those neighbours that it has, too?
    fn fits(&self, events: Events, kept: &[Day], day: Day) -> bool {
        let own = |day| until(self.leavers, events, day);
        let alone = self.enough(kept, day, own);
        let beside = || {
            self.others.iter().all(|(other, days)| {
                let of_causes = days.by_cause.iter().enumerate().map(|(k, told)| (Events::Of(k), told));
                let mut all = of_causes.chain([(Events::All, &days.all)]).filter(|(_, told)| told.contains(&day));
                all.all(|(others, told)| {
                    let common: Vec<Day> = kept.iter().copied().filter(|day| told.contains(day)).collect();
                    let more = |day: Day| {
                        let (ours, theirs) = (own(day), until(other, others, day));
                        [ours[0] - theirs[0], ours[1] - theirs[1]]
                    };
                    self.enough(&common, day, more)
                })
            })
        };
        alone && beside()
    }

    /// Nothing is told after the last day.
    fn enough(&self, kept: &[Day], day: Day, count: impl Fn(Day) -> [f64; 2]) -> bool {
        let at = kept.partition_point(|kept| place(*kept) < place(day));
        let before = at.checked_sub(1).map_or([0.0; 2], |before| count(kept[before]));
        let now = count(day);
        let after = kept.get(at).map_or(now, |after| count(*after));
        let few = |n: f64| n != 0.0 && n.abs() < self.minimum;
        (0..2).all(|arm| !few(now[arm] - before[arm]) && !few(after[arm] - now[arm]))
    }
}

fn place(day: Day) -> u32 {
    day.unwrap_or(u32::MAX)
}

/// Events until the end of a day, by arm.
fn until(leavers: &Leavers, events: Events, day: Day) -> [f64; 2] {
    let within = |cell: u32| day.is_none_or(|day| leavers.grid.last_day(cell) <= day);
    let of = match events {
        Events::All => &leavers.events[..],
        Events::Of(k) => &leavers.events[k..=k],
    };
    let cells = of.iter().flat_map(|cells| (0..).zip(cells)).filter(|(cell, _)| within(*cell));
    cells.fold([0.0; 2], |sum, (_, arms)| [sum[0] + arms[0], sum[1] + arms[1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::TimeGrid;

    fn leavers(outcome: usize, events: &[&[[f64; 2]]]) -> Leavers {
        let grid = TimeGrid { days: 1.0, horizon_days: events[0].len() as u32 - 1 };
        let events: Vec<Vec<[f64; 2]>> = events.iter().map(|cells| cells.to_vec()).collect();
        Leavers { outcome, grid, cells: events[0].clone(), events, staying: [0.0; 2] }
    }

    fn of(all: &[&Leavers], lists: [&[Day]; 2]) -> Vec<Vec<Day>> {
        days(all, 3.0, lists).into_iter().map(|days| days.all).collect()
    }

    #[test]
    fn events_between_two_times_are_none_or_enough_in_each_arm() {
        let one = leavers(0, &[&[[0.0, 0.0], [2.0, 0.0], [1.0, 3.0], [0.0, 0.0], [0.0, 1.0], [4.0, 2.0]]]);
        let all: Vec<Day> = (0..5).map(Some).chain([None]).collect();
        assert_eq!(of(&[&one], [&[], &all]), [[Some(0), Some(2), Some(3), None]]);
        // a declared time with too few events before it is none, with enough it comes first
        assert_eq!(of(&[&one], [&[Some(1), Some(3)], &all]), [[Some(0), Some(2), Some(3), None]]);
        // nobody looks at the events behind the last time
        assert_eq!(of(&[&one], [&[], &all[..4]]), [[Some(0), Some(2), Some(3)]]);
    }

    #[test]
    fn outcomes_of_one_column_do_not_share_times_that_tell_the_events_in_which_they_differ() {
        let one = leavers(0, &[&[[3.0, 3.0], [3.0, 3.0]]]);
        let other = leavers(1, &[&[[4.0, 3.0], [5.0, 3.0]]]);
        let lists: [&[Day]; 2] = [&[], &[Some(0), None]];
        assert_eq!(of(&[&other], lists), [[Some(0), None]]);
        assert_eq!(
            of(&[&one, &other], lists),
            [vec![Some(0), None], vec![None]],
            "4 - 3 is one patient, 9 - 6 are three"
        );
        let same = leavers(1, &[&[[3.0, 3.0], [3.0, 3.0]]]);
        assert_eq!(of(&[&one, &same], lists), [[Some(0), None], [Some(0), None]]);
    }

    #[test]
    fn a_cause_has_times_between_those_of_all() {
        let both = leavers(0, &[&[[3.0, 3.0], [3.0, 3.0]], &[[1.0, 0.0], [2.0, 4.0]]]);
        let found = days(&[&both], 3.0, [&[], &[Some(0), None]]);
        let by_cause = vec![vec![Some(0), None], vec![None]];
        assert_eq!(found, [Days { all: vec![None], by_cause }], "one patient has the second cause on the first day");
        // of both causes together beside the first one alone: what is between them is the second
        let together = leavers(1, &[&[[4.0, 3.0], [5.0, 7.0]]]);
        let found = days(&[&both, &together], 3.0, [&[], &[Some(0), None]]);
        assert_eq!(found[1].all, [None]);
    }
}
