//! Outcomes on one time column, whose cells tell of days together.

use crate::dictionary::Kind;
use crate::document::Table;
use crate::protocol::{Protocol, TimeGrid, narrowest};

/// Under a floor, no two outcomes tell of fewer days together than the finest of their grids says.
pub(super) fn check(root: &Table<'_, '_>, protocol: &Protocol) {
    if !protocol.release.any_floor() {
        return;
    }
    let tables = root.tables("outcome");
    for column in protocol.time_columns() {
        let grids = protocol.grids_of(&column);
        let Some(near) = narrowest(&grids, finest(&grids)) else { continue };
        let (later, earlier) = (near.from.1.max(near.to.1), near.from.1.min(near.to.1));
        let name = |index: usize| protocol.outcomes[index].name.as_str();
        let Some(t) = tables.iter().find(|t| t.raw_text("name") == Some(name(later))) else { continue };
        let days = protocol.dictionary.variable(column.time);
        let column = Grids { protocol, all: &grids, tables: &tables, days: &days.name, last: last_day(&days.kind) };
        let (key, advice) = column.advice(later);
        t.mistake(
            key,
            format!(
                "with `{}` on the same days (`{}`), it tells who leaves from day {} to {}, fewer days than a cell has; {advice}",
                name(earlier),
                days.name,
                near.from.0 + 1,
                near.to.0,
            ),
        );
    }
}

fn last_day(kind: &Kind) -> u32 {
    if let Kind::Days { high } = kind { *high } else { 0 }
}

/// The grids of one time column, of which some cut each other's cells.
struct Grids<'p> {
    protocol: &'p Protocol,
    all: &'p [(usize, TimeGrid)],
    /// The tables of all outcomes.
    tables: &'p [Table<'p, 'p>],
    /// Name of the column.
    days: &'p str,
    /// Its largest number of days.
    last: u32,
}

impl Grids<'_> {
    /// A grid that is tried in place of others, and which key it changes; what it says is what the check would take.
    fn advice(&self, later: usize) -> (&'static str, String) {
        let others = self.all.iter().map(|(index, _)| *index).filter(|index| *index != later);
        for changed in [later].into_iter().chain(others) {
            let Some((_, old)) = self.all.iter().find(|(index, _)| *index == changed) else { continue };
            if let Some(new) = self.candidates(*old).into_iter().find(|new| self.accepts(&[changed], *new)) {
                let whose = if changed == later {
                    " here".to_owned()
                } else {
                    format!(" for `{}`", self.protocol.outcomes[changed].name)
                };
                return (key(*old, new), format!("write {}{whose}", self.written(changed, *old, new)));
            }
        }
        let all: Vec<usize> = self.all.iter().map(|(index, _)| *index).collect();
        let mut grids: Vec<TimeGrid> = self.all.iter().map(|(_, grid)| *grid).collect();
        grids.sort_by(|a, b| b.horizon_days.cmp(&a.horizon_days).then(a.days.total_cmp(&b.days)));
        let fits = grids.into_iter().find(|grid| self.accepts(&all, *grid));
        let advice = match fits {
            Some(grid) => {
                let days = grid.days;
                let horizon = grid.horizon_days;
                format!("write `grid_days = {days}` and `horizon_days = {horizon}` for each outcome on `{}`", self.days)
            }
            None => format!(
                "give each outcome on `{}` the same `grid_days` and `horizon_days`, and its times one cell each",
                self.days
            ),
        };
        ("grid_days", advice)
    }

    /// Grids near to one, those that change least first: other horizons, then other cells, then both.
    fn candidates(&self, old: TimeGrid) -> Vec<TimeGrid> {
        let mut widths: Vec<f64> =
            self.all.iter().map(|(_, grid)| grid.days).filter(|days| *days != old.days).collect();
        widths.sort_by(|a, b| (a - old.days).abs().total_cmp(&(b - old.days).abs()));
        let mut found = Vec::new();
        for days in [old.days].into_iter().chain(widths) {
            let mut horizons = vec![old.horizon_days];
            for (_, grid) in self.all {
                let cell = grid.cell(old.horizon_days);
                horizons.extend([cell.saturating_sub(1), cell, cell + 1].map(|cell| grid.last_day(cell)));
                horizons.push(grid.horizon_days);
            }
            horizons.retain(|day| *day > 0 && *day <= self.last.max(old.horizon_days));
            horizons.sort_by_key(|day| (day.abs_diff(old.horizon_days), *day));
            horizons.dedup();
            found.extend(horizons.into_iter().map(|horizon_days| TimeGrid { days, horizon_days }));
        }
        found
    }

    /// Would the protocol be taken with this grid for some of the outcomes?
    fn accepts(&self, changed: &[usize], new: TimeGrid) -> bool {
        let with = |(index, grid): &(usize, TimeGrid)| (*index, if changed.contains(index) { new } else { *grid });
        let grids: Vec<(usize, TimeGrid)> = self.all.iter().map(with).collect();
        narrowest(&grids, finest(&grids)).is_none() && changed.iter().all(|index| self.holds_times(*index, new))
    }

    /// The keys that change, as they are written.
    fn written(&self, index: usize, old: TimeGrid, new: TimeGrid) -> String {
        let name = self.protocol.outcomes[index].name.as_str();
        let table = self.tables.iter().find(|t| t.raw_text("name") == Some(name));
        let instead = |months: &'static str| match table {
            Some(t) if t.has(months) => format!(" in place of `{months}`"),
            _ => String::new(),
        };
        let days = (old.days != new.days).then(|| format!("`grid_days = {}`{}", new.days, instead("grid_months")));
        let horizon = (old.horizon_days != new.horizon_days)
            .then(|| format!("`horizon_days = {}`{}", new.horizon_days, instead("horizon_months")));
        days.into_iter().chain(horizon).collect::<Vec<_>>().join(" and ")
    }

    /// Are all times of an outcome within the grid, in cells of their own?
    fn holds_times(&self, index: usize, grid: TimeGrid) -> bool {
        let name = &self.protocol.outcomes[index].name;
        let Protocol { analyses, curves, incidences, .. } = self.protocol;
        let curves = curves.iter().filter(|curve| curve.outcomes.contains(name));
        let analyses = analyses.iter().filter(|analysis| analysis.outcomes.contains(name));
        let incidences = incidences.iter().filter(|incidence| incidence.outcomes.contains(name));
        let times = curves.map(|curve| (&curve.times_days, curve.rmst_days));
        let times = times.chain(analyses.map(|a| (&a.standardised.times_days, a.standardised.rmst_days)));
        times.chain(incidences.map(|incidence| (&incidence.times_days, None))).all(|(times, mean)| {
            times.iter().chain(&mean).all(|day| *day <= grid.horizon_days)
                && times.windows(2).all(|pair| grid.cell(pair[0]) != grid.cell(pair[1]))
        })
    }
}

/// The key that a change is about.
fn key(old: TimeGrid, new: TimeGrid) -> &'static str {
    if old.days == new.days { "horizon_days" } else { "grid_days" }
}

/// Days of the narrowest cells.
fn finest(grids: &[(usize, TimeGrid)]) -> u32 {
    grids.iter().map(|(_, grid)| grid.width_days()).min().unwrap_or(0)
}
