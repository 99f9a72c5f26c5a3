//! Few patients between two tables of a run: everything that a release tells of one time column, of events and of levels
//! is subtracted from everything else that it tells of them.

use std::collections::{BTreeMap, HashSet};

use study::cohort::{Cohort, Column};
use study::dictionary::VariableId;
use study::protocol::{OutcomeKind, Protocol, TimeGrid};
use study::results::{At, IncidenceRow, OutcomeRow, Results, SurvivalRow};

/// A difference of two numbers of a release that counts a few patients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Where the numbers stand.
    pub place: String,
    /// 0 is the control arm.
    pub arm: usize,
    /// How many they are.
    pub count: u64,
    /// Who they are, where one analysis tells it alone: those who leave after the first day and until the second one, by
    /// this event or by any way.
    pub who: Option<(VariableId, u32, u32, Option<VariableId>)>,
}

impl Group {
    /// Is it so, of the rows of all sites? None where rows alone do not say who is meant.
    pub fn is_true(&self, sites: &[Cohort]) -> Option<bool> {
        let (time, after, until, event) = self.who?;
        let of_site = |rows: &Cohort| {
            let Column::Days(days) = &rows.columns[time.0] else { return 0 };
            let by_event = |row: &usize| match event.map(|event| &rows.columns[event.0]) {
                Some(Column::Levels(levels)) => levels[*row] == 1,
                _ => true,
            };
            let of_arm = (0..rows.rows()).filter(|row| usize::from(rows.treated[*row]) == self.arm);
            of_arm.filter(by_event).filter(|row| days[*row] > after && days[*row] <= until).count()
        };
        Some(sites.iter().map(of_site).sum::<usize>() as u64 == self.count)
    }
}

/// What is told of one arm of an outcome by one day.
#[derive(Debug, Clone)]
struct Told {
    outcome: usize,
    time: VariableId,
    arm: usize,
    day: u32,
    /// Who has left, in whatever way.
    left: Option<u64>,
    /// Who has left by the event, and which event it is.
    events: Option<(u64, VariableId)>,
}

/// Name of the main analysis.
const MAIN: &str = "main";

/// One analysis of a run.
struct Analysis<'r> {
    name: String,
    protocol: &'r Protocol,
    results: &'r Results,
    told: Vec<Told>,
    /// Outcome, arm and day by which events are told.
    events_by: HashSet<(usize, usize, u32)>,
    n: [u64; 2],
    /// Is it of all rows? The rows of a scenario are some of them.
    of_all: bool,
}

/// All groups of fewer patients than the floors allow (`minimum`: of counts, and of leavers).
pub fn together(results: &Results, protocol: &Protocol, minimum: [u64; 2]) -> Vec<Group> {
    let mut analyses = vec![Analysis::new(MAIN, protocol, results)];
    for (scenario, declared) in results.scenarios.iter().zip(&protocol.scenarios) {
        analyses.push(Analysis::new(&scenario.name, &declared.protocol, &scenario.results));
    }
    let mut found: Vec<Group> = analyses.iter().flat_map(|analysis| analysis.within(minimum)).collect();
    for one in &analyses {
        found
            .extend(analyses.iter().filter(|other| one.is_part_of(other)).flat_map(|other| one.beside(other, minimum)));
    }
    found
}

impl<'r> Analysis<'r> {
    fn new(name: &str, protocol: &'r Protocol, results: &'r Results) -> Analysis<'r> {
        let last = results.flow.last();
        let n = last.map_or([0; 2], |last| [last.control, last.treated].map(Option::unwrap_or_default));
        let (told, events_by) = (Vec::new(), HashSet::new());
        let mut analysis = Analysis { name: name.into(), protocol, results, told, events_by, n, of_all: name == MAIN };
        for index in 0..protocol.outcomes.len() {
            analysis.tell(index);
        }
        let events = analysis.told.iter().filter(|told| told.events.is_some());
        analysis.events_by = events.map(|told| (told.outcome, told.arm, told.day)).collect();
        analysis
    }

    /// The patients of a scenario that leaves some out, or of one with the same patients.
    fn is_part_of(&self, other: &Analysis<'_>) -> bool {
        let has = |protocol: &Protocol, label: &str| protocol.eligibility.iter().any(|c| c.label == label);
        let criteria = other.protocol.eligibility.iter().all(|c| has(self.protocol, &c.label));
        let trimmed = other.protocol.trimming.is_none() || other.protocol.trimming == self.protocol.trimming;
        !std::ptr::eq(self, other) && criteria && trimmed
    }

    fn tell(&mut self, index: usize) {
        let outcome = &self.protocol.outcomes[index];
        let arms = [self.protocol.treatment.control, self.protocol.treatment.treated];
        let levels = self.protocol.dictionary.variable(self.protocol.treatment.variable).levels();
        let (Some(grid), Some(time)) = (outcome.kind.grid(), outcome.kind.time()) else { return };
        let event = match &outcome.kind {
            OutcomeKind::TimeToEvent(t) => Some(t.event),
            OutcomeKind::Binary { .. } | OutcomeKind::Competing(_) => None,
        };
        for arm in 0..2 {
            let of_arm = |name: &str| name == levels[arms[arm]];
            let empty = Told { outcome: index, time, arm, day: grid.horizon_days, left: None, events: None };
            let all: Vec<&OutcomeRow> =
                self.results.outcomes.iter().filter(|r| r.outcome == outcome.name && of_arm(&r.arm)).collect();
            let events: Option<u64> = all.iter().map(|row| row.events).sum();
            let status = event.unwrap_or(outcome.kind.variables()[1]);
            self.told.extend(
                events.filter(|_| !all.is_empty()).map(|n| Told { events: Some((n, status)), ..empty.clone() }),
            );
            for at in [At::Declared, At::MergedCell] {
                let of = |r: &&SurvivalRow| r.outcome == outcome.name && of_arm(&r.arm) && !r.weighted && r.at == at;
                let first = self.results.survival.iter().find(of).map(|row| row.conf_type.clone());
                let rows = self.results.survival.iter().filter(of).filter(|r| Some(&r.conf_type) == first.as_ref());
                let (mut left, mut events) = (Some(0), Some(0));
                for row in rows.filter(|row| row.survival.is_some()) {
                    let count = |sum: Option<u64>, n: Option<f64>| sum.zip(n).map(|(sum, n)| sum + n as u64);
                    events = count(events, row.n_event);
                    left = count(count(left, row.n_event), row.n_censor);
                    let told = left.or(row.n_after.map(|n| self.n[arm] - n as u64));
                    let place = Cell::of(grid, row.time_days);
                    self.told.extend(place.end(told).map(|(day, left)| Told { day, left, ..empty.clone() }));
                    self.told.extend(place.before(self.n[arm], row.n_risk).map(|(day, left)| Told {
                        day,
                        left,
                        ..empty.clone()
                    }));
                    if let (Some(n), Some(event)) = (events, event) {
                        self.told.push(Told { day: place.day(), events: Some((n, event)), ..empty.clone() });
                    }
                }
            }
            let of = |r: &&IncidenceRow| r.outcome == outcome.name && of_arm(&r.arm);
            for row in self.results.incidences.iter().filter(of) {
                let place = Cell::of(grid, row.time_days);
                let left = row.n_after.map(|n| self.n[arm] - n as u64);
                self.told.extend(place.end(left).map(|(day, left)| Told { day, left, ..empty.clone() }));
                self.told.extend(place.before(self.n[arm], row.n_risk).map(|(day, left)| Told {
                    day,
                    left,
                    ..empty.clone()
                }));
            }
        }
    }

    /// Everything of one time column against everything else of it.
    fn within(&self, [cells, leavers]: [u64; 2]) -> Vec<Group> {
        let mut found = Vec::new();
        let name = |told: &Told| &self.protocol.outcomes[told.outcome].name;
        for one in &self.told {
            for other in self.told.iter().filter(|o| (o.time, o.arm) == (one.time, one.arm)) {
                let place =
                    || format!("{}: {} day {}, {} day {}", self.name, name(one), one.day, name(other), other.day);
                let group = |count, event| Group {
                    place: place(),
                    arm: one.arm,
                    count,
                    who: self.of_all.then_some((one.time, one.day, other.day, event)),
                };
                if let (Some(a), Some(b)) = (one.left, other.left)
                    && one.day < other.day
                    && few(b, a, leavers)
                {
                    found.push(group(b - a, None));
                }
                // one outcome alone tells events among enough leavers
                if let (Some((a, x)), Some((b, y))) = (one.events, other.events)
                    && one.day <= other.day
                    && one.outcome != other.outcome
                    && !self.tells_both(one, other)
                {
                    let least = if one.day < other.day { cells.max(leavers) } else { cells };
                    if few(b, a, least) {
                        let sure = self.of_all && x == y && one.day < other.day;
                        found.push(Group {
                            who: sure.then_some((one.time, one.day, other.day, Some(x))),
                            ..group(b - a, None)
                        });
                    }
                }
            }
        }
        found
    }

    /// Does one outcome tell its events by both days?
    fn tells_both(&self, one: &Told, other: &Told) -> bool {
        let tells = |outcome: usize, day: u32| self.events_by.contains(&(outcome, one.arm, day));
        one.day < other.day && [one.outcome, other.outcome].iter().any(|o| tells(*o, one.day) && tells(*o, other.day))
    }

    /// Against an analysis that has the same patients and perhaps further ones.
    fn beside(&self, other: &Analysis<'_>, [cells, leavers]: [u64; 2]) -> Vec<Group> {
        let mut found = Vec::new();
        let mut push = |place: String, arm: usize, count: u64| found.push(Group { place, arm, count, who: None });
        for a in &self.told {
            for b in other.told.iter().filter(|b| (b.time, b.arm) == (a.time, a.arm)) {
                let place = || format!("{} day {}, {} day {}", self.name, a.day, other.name, b.day);
                if let (Some(x), Some(y)) = (a.left, b.left) {
                    if a.day <= b.day && few(y, x, leavers) {
                        push(place(), a.arm, y - x);
                    }
                    let rest = [self.n[a.arm] - x, other.n[a.arm] - y];
                    if a.day >= b.day && few(rest[1], rest[0], leavers) {
                        push(format!("{}, later", place()), a.arm, rest[1] - rest[0]);
                    }
                }
            }
        }
        for a in &self.results.outcomes {
            let same = |b: &&OutcomeRow| (&b.outcome, &b.cause, &b.arm) == (&a.outcome, &a.cause, &a.arm);
            let beside = other.results.outcomes.iter().find(same).and_then(|b| b.events);
            if let (Some(x), Some(y)) = (a.events, beside)
                && few(y, x, cells)
            {
                push(format!("{} and {}: events of {} {}", self.name, other.name, a.outcome, a.cause), 0, y - x);
            }
        }
        let beside: BTreeMap<(String, usize), u64> =
            levels(other.results).into_iter().map(|((key, n), arm)| ((key, arm), n)).collect();
        for ((key, x), arm) in levels(self.results) {
            if let Some(y) = beside.get(&(key.clone(), arm)).filter(|y| few(**y, x, cells)) {
                push(format!("{} and {}: {key}", self.name, other.name), arm, y - x);
            }
        }
        found
    }
}

fn few(more: u64, fewer: u64, minimum: u64) -> bool {
    more > fewer && more - fewer < minimum
}

/// Counts of levels, and of those without a value, by arm.
fn levels(results: &Results) -> Vec<((String, u64), usize)> {
    let mut found = BTreeMap::new();
    for row in results.balance.iter().filter(|row| !row.weighted) {
        for arm in 0..2 {
            let cells = [&row.control, &row.treated][arm];
            let name = format!("{} {}", row.variable, row.level.as_deref().unwrap_or("missing"));
            let count = if row.level.is_some() { cells.value.map(|n| n as u64) } else { row.missing[arm] };
            found.extend(count.map(|n| ((name, arm), n)));
        }
    }
    found.into_iter().map(|((name, arm), n)| ((name, n), arm)).collect()
}

/// A cell of an outcome's grid.
struct Cell {
    grid: TimeGrid,
    cell: u32,
}

impl Cell {
    fn of(grid: TimeGrid, days: f64) -> Cell {
        Cell { grid, cell: (days / grid.days).round() as u32 }
    }

    fn is_last(&self) -> bool {
        self.cell >= self.grid.cell(self.grid.horizon_days)
    }

    fn day(&self) -> u32 {
        if self.is_last() { self.grid.horizon_days } else { self.grid.last_day(self.cell) }
    }

    /// Who has left by its end; in the last cell everybody has, those who were followed beyond it as well.
    fn end(&self, left: Option<u64>) -> Option<(u32, Option<u64>)> {
        left.filter(|_| !self.is_last()).map(|left| (self.day(), Some(left)))
    }

    /// Who has left before it.
    fn before(&self, n: u64, at_risk: Option<f64>) -> Option<(u32, Option<u64>)> {
        let before = self.cell.checked_sub(1)?;
        at_risk.map(|at_risk| (self.grid.last_day(before), Some(n - at_risk as u64)))
    }
}
