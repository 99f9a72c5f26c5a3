//! Outcomes on one time column, whose cells tell of days together.

use crate::document::Table;
use crate::protocol::{Narrow, Protocol, TimeGrid, narrowest};

/// Under a floor, no two outcomes tell of fewer days together than the finest of their grids says.
pub(super) fn check(root: &Table<'_, '_>, protocol: &Protocol) {
    if !protocol.release.any_floor() {
        return;
    }
    let tables = root.tables("outcome");
    for column in protocol.time_columns() {
        let grids = protocol.grids_of(&column);
        let finest = grids.iter().map(|(_, grid)| grid.width_days()).min().unwrap_or(0);
        let Some(near) = narrowest(&grids, finest) else { continue };
        let (later, earlier) = (near.from.1.max(near.to.1), near.from.1.min(near.to.1));
        let name = |index: usize| protocol.outcomes[index].name.as_str();
        let Some(t) = tables.iter().find(|t| t.raw_text("name") == Some(name(later))) else { continue };
        let of = |index: usize| grids.iter().find(|(i, _)| *i == index).map(|(_, grid)| *grid);
        let (Some(grid), Some(other)) = (of(later), of(earlier)) else { continue };
        let key = if grid.days == other.days { "horizon_days" } else { "grid_days" };
        let time = &protocol.dictionary.variable(column.time).name;
        t.mistake(
            key,
            format!(
                "with `{}` on the same days (`{time}`), it tells who leaves from day {} to {}, fewer days than a cell has; {}",
                name(earlier),
                near.from.0 + 1,
                near.to.0,
                advice(grid, other, &near),
            ),
        );
    }
}

/// A horizon at the end of a cell of the other grid, or a grid of whole cells of it.
fn advice(grid: TimeGrid, other: TimeGrid, near: &Narrow<usize>) -> String {
    let horizon_of = |grid: TimeGrid| [near.from.0, near.to.0].contains(&grid.horizon_days);
    let (cut, by) = if horizon_of(grid) { (grid, other) } else { (other, grid) };
    if grid.days != other.days && (!horizon_of(grid) && !horizon_of(other) || grid.horizon_days == other.horizon_days) {
        return "give both the same `grid_days`, or the wider one a multiple of the other".into();
    }
    let cell = by.cell(cut.horizon_days);
    let ends = [cell.saturating_sub(1), cell].map(|cell| by.last_day(cell));
    let ends: Vec<String> = ends.iter().filter(|day| **day > 0).map(u32::to_string).collect();
    format!(
        "give both the same `horizon_days`, or each one at the end of a cell of both grids, such as {}",
        ends.join(" or ")
    )
}
