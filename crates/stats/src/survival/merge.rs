//! Times at which the curves of one outcome are released: far enough apart to hide single leavers.

/// Cells of the grid at which curves are released, ascending each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Released {
    /// Those of the declared cells at which the curves are released.
    pub declared: Vec<u32>,
    /// Ends of merged cells. They end as early as they can; the last one reaches to the end of the grid, not to the last
    /// leaver. None when there is nobody, or when an arm has too few leavers in the whole study.
    pub merged: Vec<u32>,
}

/// Who leaves when, as far as a floor of leavers looks at it.
#[derive(Debug, Clone)]
pub struct Leaving {
    /// Leavers of each arm in the cells before each cell, and in all.
    before: Vec<Vec<f64>>,
    /// Of all arms, those who leave in the grid and are not only censored at its end.
    surely: Vec<f64>,
    minimum: f64,
}

impl Leaving {
    /// From the leavers of each arm (one or more curves, two arms each) in each cell of the grid. `staying` are those of the
    /// last cell who are censored there because they were followed beyond it: between the last time and the end of the
    /// grid they hide nobody.
    pub fn new(leavers: &[Vec<f64>], staying: &[f64], minimum: f64) -> Self {
        let before = cumulated(leavers);
        let surely = before[leavers.len()].iter().zip(staying).map(|(all, staying)| all - staying).collect();
        Self { before, surely, minimum }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.before.len() - 1
    }

    /// Do enough leave in the cells `from` to `to` - 1, or nobody, in each arm?
    pub fn enough(&self, from: usize, to: usize) -> bool {
        let fits = |to: &[f64]| {
            let leave = to.iter().zip(&self.before[from]).map(|(to, from)| to - from);
            leave.into_iter().all(|n| n == 0.0 || n >= self.minimum)
        };
        fits(&self.before[to]) && (to < self.cells() || from == to || fits(&self.surely))
    }

    fn some(&self, from: usize, to: usize) -> bool {
        self.before[to] != self.before[from]
    }
}

/// Chooses the cells from who leaves: between neighbouring cells that are released, before the first and after the last,
/// each arm has as many leavers as the floor wants or more, or none. Of the declared cells, those of the first list come
/// first, and the earlier ones of each; merged cells end where there is room between them. No cell is chosen that is not
/// `allowed`, but for the last.
///
/// [`super::Curve::at`] these cells has the exact values of the curve on the grid.
pub fn released(leaving: &Leaving, declared: &[&[u32]], allowed: impl Fn(u32) -> bool) -> Released {
    let grid = leaving.cells();
    if !leaving.enough(0, grid) {
        return Released::default();
    }
    let allowed = |end: usize| end == grid || allowed(end as u32 - 1);
    let mut kept = vec![0];
    for cell in declared.iter().flat_map(|cells| cells.iter()) {
        let end = *cell as usize + 1;
        let at = kept.partition_point(|kept| *kept < end);
        let next = kept.get(at).copied().unwrap_or(grid);
        let free = end <= grid && kept.get(at) != Some(&end);
        if free && allowed(end) && leaving.enough(kept[at - 1], end) && leaving.enough(end, next) {
            kept.insert(at, end);
        }
    }
    let mut merged = Vec::new();
    for (i, start) in kept.iter().enumerate() {
        let end = kept.get(i + 1).copied().unwrap_or(grid);
        let mut open = *start;
        for cell in *start + 1..=end {
            let room = leaving.some(open, cell) && leaving.enough(open, cell) && leaving.enough(cell, end);
            if room && (cell == end || allowed(cell)) {
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
    if let Some(last) = merged.last_mut().filter(|last| !leaving.some(**last, grid)) {
        *last = grid;
    }
    let cells = |ends: Vec<usize>| ends.into_iter().map(|end| end as u32 - 1).collect();
    Released { declared: cells(kept[1..].to_vec()), merged: cells(merged) }
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

    /// Everybody leaves inside the grid, and every cell is allowed.
    fn chosen(leavers: &[Vec<f64>], declared: &[u32], minimum: f64) -> Released {
        released(&Leaving::new(leavers, &[0.0; 2], minimum), &[declared], |_| true)
    }

    proptest! {
        /// Leavers between any neighbouring cells that are released: none, or enough, in each arm. Those who stay to the end
        /// of the grid do not count there.
        #[test]
        fn neighbours_are_far_apart(
            leavers in vec((0_u8..4, 0_u8..3).prop_map(|(a, b)| vec![f64::from(a / 2), f64::from(b)]), 1..40),
            declared in btree_set(0_u32..40, 0..6),
            minimum in 1_u8..7, stay in [0_u8..2, 0_u8..2], forbidden in btree_set(0_u32..40, 0..6),
        ) {
            let minimum = f64::from(minimum);
            let declared: Vec<u32> = declared.into_iter().collect();
            let last = leavers.len() as u32 - 1;
            let stay = [0, 1].map(|arm| f64::from(stay[arm]).min(leavers[last as usize][arm]));
            let leaving = Leaving::new(&leavers, &stay, minimum);
            let found = released(&leaving, &[&declared], |cell| !forbidden.contains(&cell));
            prop_assert!(found.declared.iter().all(|cell| declared.contains(cell)));
            prop_assert!(found.declared.iter().chain(&found.merged).all(|cell| *cell == last || !forbidden.contains(cell)));
            let mut ends: Vec<usize> = [&found.declared[..], &found.merged].concat().iter().map(|c| *c as usize + 1).collect();
            if !ends.is_empty() {
                ends.extend([0, leavers.len()]);
                ends.sort_unstable();
                ends.dedup();
                for pair in ends.windows(2) {
                    for arm in 0..2 {
                        let n: f64 = leavers[pair[0]..pair[1]].iter().map(|arms| arms[arm]).sum();
                        let stay = if pair[1] == leavers.len() { stay[arm] } else { 0.0 };
                        prop_assert!([n, n - stay].iter().all(|n| *n == 0.0 || *n >= minimum), "{found:?}");
                    }
                }
            }
            let all = |arm: usize| leavers.iter().map(|arms| arms[arm]).sum::<f64>();
            let enough = |arm: usize| [all(arm), all(arm) - stay[arm]].iter().all(|n| *n == 0.0 || *n >= minimum);
            if enough(0) && enough(1) && leavers.iter().flatten().any(|n| *n > 0.0) {
                prop_assert_eq!(found.merged.last(), Some(&last));
            } else {
                prop_assert!(found.merged.is_empty());
            }
        }
    }

    #[test]
    fn the_last_merged_cell_reaches_to_the_end_behind_a_declared_one() {
        let leavers: Vec<Vec<f64>> = [1.0, 1.0, 0.0, 0.0].map(|n| vec![n]).to_vec();
        let found = chosen(&leavers, &[1], 1.0);
        assert_eq!((&found.declared[..], &found.merged[..]), (&[1][..], &[0, 3][..]));
    }

    fn merged(leavers: &[[f64; 2]], minimum: f64) -> Vec<u32> {
        let leavers: Vec<Vec<f64>> = leavers.iter().map(|arms| arms.to_vec()).collect();
        chosen(&leavers, &[], minimum).merged
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
        assert_eq!(chosen(&[], &[], 2.0), Released::default());
        assert_eq!(chosen(&[vec![0.0; 2]], &[0], 2.0).declared, [0]);
    }

    #[test]
    fn declared_cells_come_before_merged_ones() {
        let leavers: Vec<Vec<f64>> = [2.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 3.0, 1.0, 0.0].map(|n| vec![n]).to_vec();
        // Without a declared cell the third merged cell would be the fifth and sixth.
        assert_eq!(chosen(&leavers, &[], 2.0).merged, [0, 3, 5, 7 + 2]);
        let around = chosen(&leavers, &[1, 4, 5], 2.0);
        // 1 and 4 have two and three leavers; one leaver alone lies between 4 and 5.
        assert_eq!((&around.declared[..], &around.merged[..]), (&[1, 4][..], &[1, 4, 9][..]));
        // After 7 there is one leaver: nothing is released there.
        assert_eq!(chosen(&leavers, &[7], 2.0).declared, [0; 0]);
        assert_eq!(chosen(&leavers, &[8], 2.0).declared, [8]);
    }

    #[test]
    fn those_who_stay_to_the_end_hide_nobody_and_earlier_lists_come_first() {
        // One event in the last cell, beside nine who were followed beyond it.
        let leavers = [vec![3.0], vec![2.0], vec![10.0]];
        let found = |stay: f64, lists: &[&[u32]]| released(&Leaving::new(&leavers, &[stay], 2.0), lists, |_| true);
        assert_eq!(found(0.0, &[]).merged, [0, 1, 2]);
        assert_eq!(found(9.0, &[]).merged, [0, 2]);
        assert_eq!(found(0.0, &[&[1], &[0]]).declared, [0, 1]);
        let few = [vec![1.0], vec![1.0], vec![2.0]];
        assert_eq!(released(&Leaving::new(&few, &[0.0], 2.0), &[&[1], &[0]], |_| true).declared, [1]);
        assert!(released(&Leaving::new(&few, &[2.0], 3.0), &[&[1]], |_| true).merged.is_empty(), "two leave at all");
    }
}
