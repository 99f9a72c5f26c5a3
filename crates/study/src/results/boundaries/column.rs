//! One time column of an analysis: the days after which its outcomes can tell who has left, and which of them are given out.

use std::collections::{BTreeMap, BTreeSet};

use stats::survival::{Leaving, Released, released};

use super::leavers::Leavers;
use super::means::Hidden;
use super::weighted::{self, Day};
use super::{Last, Shown, Told};
use crate::plan::{Branch, Facts};
use crate::protocol::{Protocol, ReleasedCurves, TimeColumn, TimeGrid};

/// What earlier analyses of a run tell of one time column.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    points: Vec<Point>,
    /// Days up to which there are means; none is the end of the grid.
    means: BTreeSet<Option<u32>>,
}

/// Who of an analysis has left after a day that is told, by arm.
#[derive(Debug, Clone, Copy)]
struct Point {
    day: u32,
    left: [f64; 2],
    n: [f64; 2],
}

impl Point {
    /// Do the leavers of two analyses up to two days, or those who stay, differ by a few of an arm? Where one analysis has
    /// no more patients of an arm than the other, it may have a part of them; then who has left by the same day or
    /// earlier is a part as well.
    fn near(&self, other: &Point, minimum: f64) -> bool {
        let within = |small: &Point, large: &Point, arm: usize| {
            let few = |x: f64| x > 0.0 && x < minimum;
            let (left, rest) = (large.left[arm] - small.left[arm], large.n[arm] - small.n[arm]);
            small.n[arm] <= large.n[arm]
                && (small.day <= large.day && few(left) || small.day >= large.day && few(rest - left))
        };
        (0..2).any(|arm| within(self, other, arm) || within(other, self, arm))
    }
}

/// A time column of one analysis: the days after which its outcomes can tell who has left, and how many have.
pub(super) struct Column<'a> {
    protocol: &'a Protocol,
    counted: Vec<Leavers>,
    /// Outcomes whose events are told, with their grids.
    told: Vec<(usize, TimeGrid)>,
    /// Leavers up to each day, by arm; after the last of them come those of the rest of the longest grid.
    days: Vec<(u32, [f64; 2])>,
    n: [f64; 2],
    minimum: f64,
}

impl<'a> Column<'a> {
    pub(super) fn new(
        branch: &'a Branch,
        facts: &Facts,
        column: &TimeColumn,
        shown: &BTreeMap<usize, Shown>,
    ) -> Column<'a> {
        let protocol = branch.protocol();
        let is_open = |outcome: &usize| shown.get(outcome).is_some_and(|shown| !shown.closed);
        let mut counted = Leavers::all(branch, facts, column);
        counted.retain(|leavers| is_open(&leavers.outcome));
        let floor = protocol.release.minimum_leavers > 1;
        let mut days: BTreeMap<u32, [f64; 2]> = BTreeMap::new();
        for Leavers { grid, cells, .. } in &counted {
            let mut left = [0.0; 2];
            for (cell, leavers) in (0..).zip(&cells[..cells.len().saturating_sub(1)]) {
                left = [left[0] + leavers[0], left[1] + leavers[1]];
                if !floor || grid.tells(cell) {
                    days.entry(grid.last_day(cell)).or_insert(left);
                }
            }
        }
        let n = counted.first().map_or([0.0; 2], |first| {
            first.cells.iter().fold([0.0; 2], |sum, arms| [sum[0] + arms[0], sum[1] + arms[1]])
        });
        let told = protocol.grids_of(column).into_iter().filter(|(outcome, _)| is_open(outcome)).collect();
        let minimum = f64::from(protocol.release.minimum_leavers);
        Column { protocol, counted, told, days: days.into_iter().collect(), n, minimum }
    }

    /// Chooses the days, and gives out those of each outcome; what they tell is added to what earlier analyses do.
    pub(super) fn choose(&self, earlier: &mut Earlier, shown: &mut BTreeMap<usize, Shown>) {
        let floor = self.minimum > 1.0;
        for (outcome, _) in &self.told {
            let told = if floor { Told::Nothing } else { Told::Everything };
            let shown = shown.entry(*outcome).or_default();
            (shown.told, shown.weighted, shown.means) = (told.clone(), told.clone(), told);
            shown.merges = self.merges();
        }
        let leaving = self.leaving();
        let point = |end: usize| self.days.get(end - 1).map(|(day, left)| Point { day: *day, left: *left, n: self.n });
        let allowed = |end: usize| {
            point(end).is_none_or(|point| !earlier.points.iter().any(|other| point.near(other, self.minimum)))
        };
        let horizons = self.earlier_horizons();
        let lists: Vec<Vec<u32>> = [self.cells(&horizons), self.declared(false), self.declared(true)].into();
        let lists: Vec<&[u32]> = lists.iter().map(Vec::as_slice).collect();
        let found = released(&leaving, &lists, |cell| allowed(cell as usize + 1));
        let ends: BTreeSet<usize> = found.declared.iter().chain(&found.merged).map(|cell| *cell as usize + 1).collect();
        let days: BTreeSet<u32> = ends.iter().filter_map(|end| Some(self.days.get(end - 1)?.0)).collect();
        if floor && !self.counted.is_empty() {
            // events up to a horizon are told, so that it is a time like the others
            for (outcome, grid) in self.told.iter().filter(|(_, grid)| horizons.contains(&grid.horizon_days)) {
                if !days.contains(&grid.horizon_days) {
                    *shown.entry(*outcome).or_default() = Shown { closed: true, ..Shown::default() };
                }
            }
        }
        if ends.is_empty() && self.n != [0.0; 2] {
            return;
        }
        let mut known: BTreeSet<usize> = ends.iter().copied().chain([0, leaving.cells()]).collect();
        for leavers in &self.counted {
            let Some(shown) = shown.get_mut(&leavers.outcome).filter(|shown| !shown.closed) else { continue };
            self.give(leavers, &found, &days, shown);
            shown.at_risk = self.at_risk(leavers, shown, &leaving, &mut known, allowed);
        }
        if floor {
            self.give_weighted(&found, shown);
            self.give_means(&known, &mut earlier.means, shown);
        }
        earlier.points.extend(known.into_iter().filter(|end| *end > 0).filter_map(point));
    }

    /// Times of weighted curves among those that are given out: declared ones come first.
    fn give_weighted(&self, found: &Released, shown: &mut BTreeMap<usize, Shown>) {
        let protocol = self.protocol;
        let is_weighted = |leavers: &&Leavers| {
            let name = &protocol.outcomes[leavers.outcome].name;
            let curve = protocol.curves.iter().any(|c| c.weighted.contains(&true) && c.outcomes.contains(name));
            curve || protocol.incidences.iter().any(|i| i.weighted.contains(&true) && i.outcomes.contains(name))
        };
        let of: Vec<&Leavers> = self.counted.iter().filter(is_weighted).collect();
        let day = |cell: &u32| self.days.get(*cell as usize).map(|(day, _)| *day);
        let lists = [&found.declared, &found.merged].map(|cells| cells.iter().map(day).collect::<Vec<_>>());
        let chosen = weighted::days(&of, self.minimum, [&lists[0], &lists[1]]);
        for (leavers, days) in of.iter().zip(chosen) {
            let told = |days: Vec<Day>| Told::days(leavers.grid, &days.into_iter().collect(), self.longest());
            let by_cause = days.by_cause.into_iter().map(told).collect();
            let all = told(days.all);
            shown.entry(leavers.outcome).and_modify(|shown| (shown.weighted, shown.by_cause) = (all, by_cause));
        }
    }

    fn merges(&self) -> bool {
        self.protocol.release.curves == ReleasedCurves::Merged
    }

    /// Days up to which means are given out: first restricted means, then the person-time of each outcome.
    fn give_means(
        &self,
        known: &BTreeSet<usize>,
        earlier: &mut BTreeSet<Option<u32>>,
        shown: &mut BTreeMap<usize, Shown>,
    ) {
        if self.merges() {
            // such a mean follows from the counts
            self.counted.iter().for_each(|l| _ = shown.entry(l.outcome).and_modify(|s| s.means = Told::Everything));
            return;
        }
        let end = self.days.len() + 1;
        let place = |day: Option<u32>| match day {
            None => Some(end),
            Some(day) => self.days.binary_search_by_key(&day, |(day, _)| *day).ok().map(|place| place + 1),
        };
        let up_to = |grid: TimeGrid, day: u32| {
            let day = grid.last_day(grid.cell(day)).min(grid.horizon_days);
            place(Some(day).filter(|day| Some(*day) < self.longest()))
        };
        let restricted = self.told.iter().flat_map(|(outcome, grid)| {
            let name = &self.protocol.outcomes[*outcome].name;
            let curves = self.protocol.curves.iter().filter(move |curve| curve.outcomes.contains(name));
            curves.filter_map(|curve| Some((*grid, curve.rmst_days?)))
        });
        let person_time = self.counted.iter().map(|leavers| (leavers.grid, leavers.grid.horizon_days));
        let wanted: Vec<usize> = restricted.chain(person_time).filter_map(|(grid, day)| up_to(grid, day)).collect();
        let left: Vec<[f64; 2]> = self.days.iter().map(|(_, left)| *left).chain([self.n]).collect();
        let kept = earlier.iter().filter_map(|day| place(*day)).collect();
        let chosen = Hidden::new(&left, known, self.minimum).choose(&wanted, kept);
        let days: BTreeSet<Option<u32>> =
            chosen.into_iter().map(|place| self.days.get(place - 1).map(|(day, _)| *day)).collect();
        for leavers in &self.counted {
            let told = Told::days(leavers.grid, &days, self.longest());
            shown.entry(leavers.outcome).and_modify(|shown| shown.means = told);
        }
        earlier.extend(days);
    }

    fn leaving(&self) -> Leaving {
        // An outcome of the longest grid each has its own patients who stay.
        let of: Vec<&Leavers> =
            self.counted.iter().filter(|leavers| Some(leavers.grid.horizon_days) == self.longest()).collect();
        let row = |arms: [f64; 2]| -> Vec<f64> { of.iter().flat_map(|_| arms).collect() };
        let mut before = [0.0; 2];
        let mut cells = Vec::with_capacity(self.days.len() + 1);
        for left in self.days.iter().map(|(_, left)| *left).chain((!of.is_empty()).then_some(self.n)) {
            cells.push(row([left[0] - before[0], left[1] - before[1]]));
            before = left;
        }
        let staying: Vec<f64> = of.iter().flat_map(|leavers| leavers.staying).collect();
        Leaving::new(&cells, &staying, self.minimum)
    }

    /// Horizons before that of the longest grid that is counted, ascending.
    fn earlier_horizons(&self) -> Vec<u32> {
        let all: BTreeSet<u32> = self.told.iter().map(|(_, grid)| grid.horizon_days).collect();
        all.into_iter().filter(|day| Some(*day) < self.longest()).collect()
    }

    /// Horizon of the longest grid that is counted.
    fn longest(&self) -> Option<u32> {
        self.counted.iter().map(|leavers| leavers.grid.horizon_days).max()
    }

    /// Places of days among all, those that are none left out.
    fn cells(&self, days: &[u32]) -> Vec<u32> {
        let place = |day: &u32| self.days.binary_search_by_key(day, |(day, _)| *day).ok();
        days.iter().filter_map(place).map(|place| place as u32).collect()
    }

    /// Declared times: those of curves and incidences, or else single days of what is told without a curve.
    fn declared(&self, alone: bool) -> Vec<u32> {
        let (mut days, mut last) = (BTreeSet::new(), false);
        for (outcome, grid) in &self.told {
            for cell in declared(self.protocol, *outcome, *grid, alone) {
                if cell >= grid.cell(grid.horizon_days) { last = true } else { _ = days.insert(grid.last_day(cell)) }
            }
        }
        let mut cells = self.cells(&days.into_iter().collect::<Vec<_>>());
        cells.extend(last.then_some(self.days.len() as u32));
        cells
    }

    /// The days of the column as cells of one outcome's grid.
    fn give(&self, leavers: &Leavers, found: &Released, days: &BTreeSet<u32>, shown: &mut Shown) {
        let Leavers { outcome, grid, .. } = leavers;
        let last = grid.cell(grid.horizon_days);
        let is_end = |cell: u32| cell >= last || days.contains(&grid.last_day(cell));
        let own = declared(self.protocol, *outcome, *grid, false);
        let is_cut = leavers.staying.iter().any(|n| *n > 0.0);
        shown.last = Last { least: self.minimum, cut: is_cut.then_some(f64::from(last)) };
        shown.declared = own.iter().copied().filter(|cell| is_end(*cell)).collect();
        let merged: BTreeSet<u32> =
            found.merged.iter().filter_map(|cell| Some(self.days.get(*cell as usize)?.0)).collect();
        let elsewhere = |day: u32| merged.contains(&day) || days.contains(&day) && !own.contains(&grid.cell(day));
        shown.merged = (0..last).filter(|cell| elsewhere(grid.last_day(*cell))).collect();
        shown.merged.extend((!found.merged.is_empty()).then_some(last));
        if self.minimum > 1.0 {
            let cells = (0..last).filter(|cell| days.contains(&grid.last_day(*cell))).collect();
            shown.told = Told::Cells(cells, Some(last));
        }
    }

    /// Cells that are given out where the time before them could be, too.
    fn at_risk(
        &self,
        leavers: &Leavers,
        shown: &Shown,
        leaving: &Leaving,
        known: &mut BTreeSet<usize>,
        allowed: impl Fn(usize) -> bool,
    ) -> Vec<u32> {
        let all: BTreeSet<u32> = shown.declared.iter().chain(&shown.merged).copied().collect();
        let before = |cell: &u32| {
            let Some(cell) = cell.checked_sub(1) else { return Some(0) };
            let day = leavers.grid.last_day(cell);
            self.days.binary_search_by_key(&day, |(day, _)| *day).ok().map(|place| place + 1)
        };
        let mut fits = |cell: &u32| {
            let Some(end) = before(cell) else { return false };
            let from = known.range(..=end).next_back().copied().unwrap_or(0);
            let to = known.range(end..).next().copied().unwrap_or(end);
            let fits = from == end || allowed(end) && leaving.enough(from, end) && leaving.enough(end, to);
            if fits {
                known.insert(end);
            }
            fits
        };
        all.into_iter().filter(|cell| fits(cell)).collect()
    }
}

/// Cells that the protocol declares of an outcome, ascending.
fn declared(protocol: &Protocol, outcome: usize, grid: TimeGrid, alone: bool) -> Vec<u32> {
    let name = &protocol.outcomes[outcome].name;
    let curves = protocol.curves.iter().filter(|curve| curve.outcomes.contains(name));
    let days: BTreeSet<u32> = if alone {
        let models = protocol.analyses.iter().filter(|a| a.outcomes.contains(name) && a.standardises_times());
        let models = models.flat_map(|a| a.standardised.times_days.iter().copied().chain(a.standardised.rmst_days));
        models.chain(curves.filter_map(|curve| curve.rmst_days)).collect()
    } else {
        let incidences = protocol.incidences.iter().filter(|incidence| incidence.outcomes.contains(name));
        let incidences = incidences.flat_map(|incidence| &incidence.times_days);
        curves.flat_map(|curve| &curve.times_days).chain(incidences).copied().collect()
    };
    let cells: BTreeSet<u32> = days.into_iter().map(|day| grid.cell(day)).collect();
    cells.into_iter().collect()
}
