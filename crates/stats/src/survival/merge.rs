//! Merging grid cells until a released curve hides single leavers.

use super::table::ArmTable;

/// Merges neighbouring cells of the grid until each arm has at least `minimum` leavers in every merged cell, or none: the
/// last grid cell of each, ascending. None when there is nobody, or when an
/// arm does not have as many in the whole study.
///
/// A merged cell ends as early as it can; what is left over at the end joins the cells before, and the last merged cell
/// reaches to the end of the grid, not to the last leaver. [`super::Curve::at`] the ends has the exact values of the curve
/// on the grid and the leavers of each merged cell.
pub fn merge(table: &ArmTable, minimum: f64) -> Option<Vec<u32>> {
    merge_leavers(table.cells().iter().map(|arms| arms.each_ref().map(|leavers| leavers.all().n)), minimum)
}

/// [`merge`] from the number of leavers of both arms in each cell of a grid, whatever they leave by.
pub fn merge_leavers(cells: impl ExactSizeIterator<Item = [f64; 2]>, minimum: f64) -> Option<Vec<u32>> {
    let grid = cells.len() as u32;
    let enough = |leavers: &[f64; 2]| leavers.iter().all(|n| *n == 0.0 || *n >= minimum);
    let nobody = [0.0; 2];
    let mut merged: Vec<(u32, [f64; 2])> = Vec::new();
    let mut open = nobody;
    for (cell, arms) in cells.enumerate() {
        for (n, leavers) in open.iter_mut().zip(arms) {
            *n += leavers;
        }
        if open != nobody && enough(&open) {
            merged.push((cell as u32, open));
            open = nobody;
        }
    }
    while !enough(&open) {
        let (_, before) = merged.pop()?;
        open = [open[0] + before[0], open[1] + before[1]];
    }
    if open != nobody {
        merged.push((0, open));
    }
    let last = grid.checked_sub(1)?;
    let mut ends: Vec<u32> = merged.into_iter().map(|(end, _)| end).collect();
    *ends.last_mut()? = last;
    Some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survival::arm_table_len;

    /// A table with these leavers (control, treated) per cell.
    fn table(leavers: &[[f64; 2]]) -> ArmTable {
        let sums: Vec<f64> = leavers.iter().flat_map(|[control, treated]| [0.0, *control, *treated, 0.0]).collect();
        assert_eq!(sums.len(), arm_table_len(leavers.len(), false));
        ArmTable::new(leavers.len(), false, &sums).expect("counts")
    }

    #[test]
    fn cells_close_when_every_arm_has_enough_or_none() {
        let table = table(&[[1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [2.0, 1.0], [0.0, 1.0], [0.0, 2.0], [0.0, 0.0]]);
        assert_eq!(merge(&table, 2.0), Some(vec![1, 4, 6]));
        assert_eq!(merge(&table, 1.0), Some(vec![0, 1, 3, 4, 6]));
        assert_eq!(merge(&table, 4.0), Some(vec![6]));
        assert_eq!(merge(&table, 5.0), None);
    }

    #[test]
    fn the_rest_joins_as_many_cells_as_it_needs() {
        // The last treated leaver is alone; joined to the cell before, still alone in it; only the first one has others.
        let table = table(&[[3.0, 2.0], [2.0, 0.0], [0.0, 1.0]]);
        assert_eq!(merge(&table, 2.0), Some(vec![2]));
    }

    #[test]
    fn nobody_is_not_released() {
        assert_eq!(merge(&table(&[[0.0, 0.0]]), 2.0), None);
        assert_eq!(merge(&table(&[]), 2.0), None);
    }
}
