use proptest::collection::vec;
use proptest::prelude::*;

use super::Table;

/// One row of counts whose total is known.
fn row(counts: &[u64], minimum: u64) -> Vec<bool> {
    let mut table = Table::default();
    let cells: Vec<usize> = counts.iter().enumerate().map(|(i, n)| table.shown(*n, i)).collect();
    table.known(cells.iter().map(|cell| (*cell, 1)).collect());
    table.suppress(minimum);
    cells.into_iter().map(|cell| table.hides(cell)).collect()
}

#[test]
fn a_small_count_is_not_hidden_alone() {
    assert_eq!(row(&[3, 20, 9, 0], 5), [true, false, true, false]);
    // 2 and 1 leave a sum of 3.
    assert_eq!(row(&[2, 1, 30, 12], 5), [true, true, false, true]);
    assert_eq!(row(&[2, 3, 30, 12], 5), [true, true, false, false]);
    assert_eq!(row(&[5, 0, 7], 5), [false; 3]);
    assert_eq!(row(&[4, 3], 1), [false; 2]);
    // Nobody else is there to hide it behind; the total is known whatever is done.
    assert_eq!(row(&[2, 0], 5), [true, true]);
}

#[test]
fn a_total_that_is_shown_gives_nothing_away() {
    // below + middle + above = n, below = first + second bin, and the bins add up.
    let mut table = Table::default();
    let bins: Vec<usize> = [2, 10, 30, 4, 9].iter().enumerate().map(|(i, n)| table.shown(*n, i)).collect();
    let below = table.shown(12, 5);
    table.known(bins.iter().map(|bin| (*bin, 1)).collect());
    table.known(vec![(below, 1), (bins[0], -1), (bins[1], -1)]);
    table.suppress(5);
    // The bins of 2 and 4 alone would do without `below`, which gives back the 2.
    assert!(table.hides(bins[0]) && table.hides(bins[3]) && (table.hides(below) || table.hides(bins[1])));
}

/// Rows, columns and totals of a table of two arms.
#[derive(Debug, Clone)]
struct TwoWay {
    counts: Vec<[u64; 2]>,
    table: Table,
    cells: Vec<[usize; 2]>,
    totals: Vec<usize>,
}

fn two_way(counts: Vec<[u64; 2]>) -> TwoWay {
    let mut table = Table::default();
    let (mut cells, mut totals) = (Vec::new(), Vec::new());
    for (i, [a, b]) in counts.iter().enumerate() {
        let pair = [table.shown(*a, i), table.shown(*b, i)];
        let total = table.shown(a + b, counts.len() + i);
        table.known(vec![(pair[0], 1), (pair[1], 1), (total, -1)]);
        cells.push(pair);
        totals.push(total);
    }
    for arm in 0..2 {
        table.known(cells.iter().map(|pair| (pair[arm], 1)).collect());
    }
    TwoWay { counts, table, cells, totals }
}

/// All tables of small numbers with the same shown cells and margins, each once.
fn consistent(tables: &TwoWay, most: u64) -> Vec<Vec<[u64; 2]>> {
    let margin = |counts: &[[u64; 2]], arm: usize| counts.iter().map(|pair| pair[arm]).sum::<u64>();
    let mut all = vec![Vec::new()];
    for (i, pair) in tables.counts.iter().enumerate() {
        let mut longer = Vec::new();
        for before in &all {
            for a in 0..=most {
                for b in 0..=most {
                    let fits = |arm: usize, n: u64| !tables.table.hides(tables.cells[i][arm]) && n != pair[arm];
                    let total = !tables.table.hides(tables.totals[i]) && a + b != pair[0] + pair[1];
                    if !fits(0, a) && !fits(1, b) && !total {
                        longer.push([&before[..], &[[a, b]]].concat());
                    }
                }
            }
        }
        longer.retain(|counts: &Vec<[u64; 2]>| (0..2).all(|arm| margin(counts, arm) <= margin(&tables.counts, arm)));
        all = longer;
    }
    all.retain(|counts| (0..2).all(|arm| margin(counts, arm) == margin(&tables.counts, arm)));
    all
}

proptest! {
    /// Whoever knows all shown cells, rows and columns solves for every table that fits them: a small count that is hidden
    /// has another value in another one, numbers below 0 allowed.
    #[test]
    fn no_small_count_of_a_two_way_table_is_determined(counts in vec([0_u64..12, 0_u64..12], 2..6), minimum in 2_u64..6) {
        let mut tables = two_way(counts);
        tables.table.suppress(minimum);
        let determined = tables.table.determined();
        for (pair, counts) in tables.cells.iter().zip(&tables.counts) {
            for (cell, n) in pair.iter().zip(counts) {
                let small = (1..minimum).contains(n);
                prop_assert!(!small || tables.table.hides(*cell));
                let all_hidden = tables.cells.iter().flatten().all(|cell| tables.table.hides(*cell));
                prop_assert!(!small || all_hidden || !determined.contains(cell));
            }
        }
    }

    /// The same without linear algebra: of three levels, every table of numbers from 0 on is tried.
    #[test]
    fn other_tables_fit_what_is_shown(counts in vec([0_u64..7, 0_u64..7], 3), minimum in 2_u64..4) {
        let mut tables = two_way(counts);
        tables.table.suppress(minimum);
        let fitting = consistent(&tables, 12);
        prop_assert!(fitting.contains(&tables.counts));
        let arms = [0, 1].map(|arm| tables.counts.iter().map(|pair| pair[arm]).sum::<u64>());
        for (i, pair) in tables.counts.iter().enumerate() {
            for arm in 0..2 {
                // An arm of so few patients is shown as such.
                if (1..minimum).contains(&pair[arm]) && arms[arm] >= minimum && arms[1 - arm] >= minimum {
                    prop_assert!(fitting.iter().any(|other| other[i][arm] != pair[arm]), "{:?}", tables.counts);
                }
            }
        }
    }

    #[test]
    fn hidden_counts_of_a_row_are_more_than_one_and_not_few(counts in vec(0_u64..30, 1..9), minimum in 2_u64..9) {
        let hidden = row(&counts, minimum);
        let sum: u64 = counts.iter().zip(&hidden).filter(|(_, hidden)| **hidden).map(|(n, _)| *n).sum();
        let number = hidden.iter().filter(|hidden| **hidden).count();
        let all = hidden.iter().all(|hidden| *hidden);
        prop_assert!(number == 0 || all || (number > 1 && sum >= minimum));
    }
}
