//! Times at which the curves of one outcome are released: far enough apart to hide single leavers.

/// Cells of the grid at which curves are released, ascending each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Released {
    /// Those of the declared cells at which the curves are released.
    pub declared: Vec<u32>,
    /// Ends of merged cells. They end as early as they can; the last one reaches to the end of the grid, not to the last
    /// leaver. None when there is nobody, or when an arm has too few leavers in the whole study.
    pub merged: Vec<u32>,
    /// Of both, the cells at which the number at risk is released as well: it counts who leaves in the cell itself, so
    /// that beside the leavers up to the cell it tells those of this one cell.
    pub at_risk: Vec<u32>,
}

/// Chooses the cells from the leavers of each arm (one or more curves, two arms each) in each cell of the grid: between
/// neighbouring cells that are released, before the first and after the last, each arm has `minimum` leavers or more, or
/// none. Declared cells come first, and the earlier ones of these; merged cells end where there is room between them.
///
/// [`super::Curve::at`] these cells has the exact values of the curve on the grid.
pub fn released(leavers: &[Vec<f64>], declared: &[u32], minimum: f64) -> Released {
    let grid = leavers.len();
    let before = cumulated(leavers);
    // Leavers of cells `from` to `to` - 1.
    let enough = |from: usize, to: usize| {
        before[to].iter().zip(&before[from]).map(|(to, from)| to - from).all(|n| n == 0.0 || n >= minimum)
    };
    let some = |from: usize, to: usize| before[to] != before[from];
    let mut kept = vec![0];
    for cell in declared.iter().map(|cell| *cell as usize + 1).filter(|end| *end <= grid) {
        let last = kept[kept.len() - 1];
        if cell > last && enough(last, cell) {
            kept.push(cell);
        }
    }
    while !enough(kept[kept.len() - 1], grid) {
        kept.pop();
        if kept.is_empty() {
            return Released::default();
        }
    }
    let declared = kept[1..].to_vec();
    let mut merged = Vec::new();
    for (i, start) in kept.iter().enumerate() {
        let end = kept.get(i + 1).copied().unwrap_or(grid);
        let mut open = *start;
        for cell in *start + 1..=end {
            if some(open, cell) && enough(open, cell) && enough(cell, end) {
                merged.push(cell);
                open = cell;
            }
        }
        // Nobody leaves between the last end and a declared cell: it takes that one's place.
        if let Some(last) = merged.last_mut().filter(|last| **last > *start) {
            *last = end;
        }
    }
    // Nobody leaves after the last end, be it that of a declared cell: the curve is known to the end of the grid.
    if let Some(last) = merged.last_mut().filter(|last| !some(**last, grid)) {
        *last = grid;
    }
    let mut all: Vec<usize> = [&declared[..], &merged].concat();
    all.sort_unstable();
    all.dedup();
    let previous = std::iter::once(0).chain(all.iter().copied());
    let at_risk = previous.zip(&all).filter(|(from, to)| enough(*from, **to - 1) && enough(**to - 1, **to));
    let at_risk = at_risk.map(|(_, to)| *to).collect();
    let cells = |ends: Vec<usize>| ends.into_iter().map(|end| end as u32 - 1).collect();
    Released { declared: cells(declared), merged: cells(merged), at_risk: cells(at_risk) }
}

/// Leavers of each arm in the cells before each cell, and in all.
fn cumulated(leavers: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut sum = leavers.first().map_or(Vec::new(), |arms| vec![0.0; arms.len()]);
    let mut all = vec![sum.clone()];
    for arms in leavers {
        for (sum, n) in sum.iter_mut().zip(arms) {
            *sum += n;
        }
        all.push(sum.clone());
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Leavers between any neighbouring cells that are released, and those of the last cell where the number at risk
        /// is: none, or enough, in each arm.
        #[test]
        fn neighbours_are_far_apart(
            leavers in vec((0_u8..4, 0_u8..3).prop_map(|(a, b)| vec![f64::from(a / 2), f64::from(b)]), 1..40),
            declared in btree_set(0_u32..40, 0..6),
            minimum in 1_u8..7,
        ) {
            let minimum = f64::from(minimum);
            let declared: Vec<u32> = declared.into_iter().collect();
            let found = released(&leavers, &declared, minimum);
            prop_assert!(found.declared.iter().all(|cell| declared.contains(cell)));
            let mut ends: Vec<usize> = [&found.declared[..], &found.merged].concat().iter().map(|c| *c as usize + 1).collect();
            let before: Vec<usize> = found.at_risk.iter().map(|cell| *cell as usize).collect();
            prop_assert!(before.iter().all(|cell| ends.contains(&(cell + 1))));
            if !ends.is_empty() {
                ends.extend(before.into_iter().chain([0, leavers.len()]));
                ends.sort_unstable();
                for pair in ends.windows(2) {
                    for arm in 0..2 {
                        let n: f64 = leavers[pair[0]..pair[1]].iter().map(|arms| arms[arm]).sum();
                        prop_assert!(n == 0.0 || n >= minimum, "{found:?}");
                    }
                }
            }
            let enough = |arm: usize| [0.0, minimum].contains(&leavers.iter().map(|arms| arms[arm]).sum::<f64>().min(minimum));
            if enough(0) && enough(1) && leavers.iter().flatten().any(|n| *n > 0.0) {
                prop_assert_eq!(found.merged.last(), Some(&(leavers.len() as u32 - 1)));
            } else {
                prop_assert!(found.merged.is_empty());
            }
        }
    }

    #[test]
    fn the_last_merged_cell_reaches_to_the_end_behind_a_declared_one() {
        let leavers: Vec<Vec<f64>> = [1.0, 1.0, 0.0, 0.0].map(|n| vec![n]).to_vec();
        let found = released(&leavers, &[1], 1.0);
        assert_eq!((&found.declared[..], &found.merged[..]), (&[1][..], &[0, 3][..]));
    }

    fn merged(leavers: &[[f64; 2]], minimum: f64) -> Vec<u32> {
        let leavers: Vec<Vec<f64>> = leavers.iter().map(|arms| arms.to_vec()).collect();
        released(&leavers, &[], minimum).merged
    }

    #[test]
    fn cells_close_when_every_arm_has_enough_or_none() {
        let leavers = [[1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [2.0, 1.0], [0.0, 1.0], [0.0, 2.0], [0.0, 0.0]];
        assert_eq!(merged(&leavers, 2.0), [1, 4, 6]);
        assert_eq!(merged(&leavers, 1.0), [0, 1, 3, 4, 6]);
        assert_eq!(merged(&leavers, 4.0), [6]);
        assert!(merged(&leavers, 5.0).is_empty());
    }

    #[test]
    fn the_rest_joins_as_many_cells_as_it_needs() {
        // The last treated leaver is alone; joined to the cell before, still alone in it; only the first one has others.
        assert_eq!(merged(&[[3.0, 2.0], [2.0, 0.0], [0.0, 1.0]], 2.0), [2]);
    }

    #[test]
    fn nobody_has_no_merged_cell_and_all_declared_ones() {
        assert!(merged(&[[0.0, 0.0]], 2.0).is_empty());
        assert_eq!(released(&[], &[], 2.0), Released::default());
        assert_eq!(released(&[vec![0.0; 2]], &[0], 2.0).declared, [0]);
    }

    #[test]
    fn declared_cells_come_before_merged_ones() {
        let leavers: Vec<Vec<f64>> = [2.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 3.0, 1.0, 0.0].map(|n| vec![n]).to_vec();
        // Without a declared cell the third merged cell would be the fifth and sixth.
        assert_eq!(released(&leavers, &[], 2.0).merged, [0, 3, 5, 7 + 2]);
        let around = released(&leavers, &[1, 4, 5], 2.0);
        // 1 and 4 have two and three leavers; one leaver alone lies between 4 and 5.
        assert_eq!((&around.declared[..], &around.merged[..]), (&[1, 4][..], &[1, 4, 9][..]));
        // In cell 4 one patient leaves: the number at risk there would tell.
        assert_eq!(around.at_risk, [1, 9]);
        // After 7 there is one leaver: nothing is released there.
        assert_eq!(released(&leavers, &[7], 2.0).declared, [0; 0]);
        assert_eq!(released(&leavers, &[8], 2.0).declared, [8]);
    }
}
