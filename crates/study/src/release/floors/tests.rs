use proptest::collection::vec;
use proptest::prelude::*;

use super::{balance as joint, flow, scores};
use crate::results::{
    BalanceCells, BalanceRow, FlowRow, HistogramRow, OverlapRow, Results, ScenarioResults, WeightRow,
};

fn chart(steps: &[[u64; 3]]) -> Vec<FlowRow> {
    let row = |(step, [control, treated, neither]): (usize, &[u64; 3])| FlowRow {
        step,
        label: format!("step {step}"),
        control: Some(*control),
        treated: Some(*treated),
        n: Some(control + treated + neither),
        excluded: Some(0),
    };
    steps.iter().enumerate().map(row).collect()
}

/// Patients and how many were left out, where they are shown.
fn shown(flow: &[FlowRow]) -> Vec<(Option<u64>, Option<u64>)> {
    flow.iter().map(|row| (row.n, row.excluded)).collect()
}

#[test]
fn steps_that_leave_out_few_are_hidden_and_the_last_is_shown() {
    let mut results = Results {
        flow: chart(&[[60, 50, 9], [58, 50, 9], [40, 30, 9], [40, 28, 0], [38, 20, 0]]),
        ..Results::default()
    };
    flow::apply(&mut results, 5);
    // 38 and 20 stand; 40 and 28 are two more in an arm; 40 and 30 likewise; 58 and 50 are far; 60 two more again.
    // Before the first step that is shown nobody is known.
    let expected = [(None, None), (Some(117), None), (None, None), (None, None), (Some(58), Some(59))];
    assert_eq!(shown(&results.flow), expected);
    assert_eq!((results.flow[3].control, results.flow[3].treated), (None, None));
}

#[test]
fn a_scenario_does_not_show_what_the_main_chart_hides() {
    let main = chart(&[[60, 50, 0], [57, 50, 0], [40, 30, 0]]);
    let scenario = Results { flow: chart(&[[60, 50, 0], [20, 20, 0]]), ..Results::default() };
    let scenarios = vec![ScenarioResults { name: "s".into(), label: "S".into(), results: scenario }];
    let mut results = Results { flow: main, scenarios, ..Results::default() };
    flow::apply(&mut results, 5);
    assert_eq!(shown(&results.flow), [(None, None), (Some(107), None), (Some(70), Some(37))]);
    assert_eq!(shown(&results.scenarios[0].results.flow), [(None, None), (Some(40), None)]);
}

/// The unweighted rows of one categorical variable, as `results` makes them: `counts` by level and arm, the last of them
/// those without a value.
fn variable(counts: &[[u64; 2]]) -> Vec<BalanceRow> {
    let (missing, levels) = counts.split_last().unwrap();
    let cells = |n: u64, total: Option<u64>| BalanceCells {
        value: Some(n as f64),
        spread: total.map(|total| 100.0 * n as f64 / total as f64),
        ..BalanceCells::default()
    };
    let total = [0, 1].map(|arm| levels.iter().map(|n| n[arm]).sum::<u64>());
    let row = |level: Option<String>, n: [u64; 2], totals: [Option<u64>; 3]| BalanceRow {
        table: "baseline".into(),
        variable: "x".into(),
        level,
        kind: "categorical".into(),
        weighted: false,
        control: cells(n[0], totals[0]),
        treated: cells(n[1], totals[1]),
        all: cells(n[0] + n[1], totals[2]),
        test: None,
        statistic: Some(0.5),
        p_value: Some(0.5),
        smd: Some(0.5),
        smd_cobalt: totals[2].map(|_| n[1] as f64 / total[1] as f64 - n[0] as f64 / total[0] as f64),
        separated: false,
        rounded_to: None,
        missing: missing.map(Some),
        floored: false,
    };
    let totals = [Some(total[0]), Some(total[1]), Some(total[0] + total[1])];
    let level = |(i, n): (usize, &[u64; 2])| row(Some(i.to_string()), *n, totals);
    let of_levels = levels.iter().enumerate().map(level);
    std::iter::once(row(None, total, [None; 3])).chain(of_levels).collect()
}

/// The table of an analysis with so many patients in its arms.
fn analysis(balance: Vec<BalanceRow>, [control, treated]: [u64; 2]) -> Results {
    Results { flow: chart(&[[control, treated, 0]]), balance, ..Results::default() }
}

/// Hides in the table of a run without scenarios.
fn balance(rows: &mut Vec<BalanceRow>, arms: [u64; 2], minimum: u64) {
    let mut results = analysis(std::mem::take(rows), arms);
    joint::apply(&mut [&mut results], minimum);
    *rows = results.balance;
}

fn arms(counts: &[[u64; 2]]) -> [u64; 2] {
    [0, 1].map(|arm| counts.iter().map(|n| n[arm]).sum())
}

fn value(row: &BalanceRow) -> [Option<f64>; 3] {
    [row.control.value, row.treated.value, row.all.value]
}

#[test]
fn a_level_is_hidden_in_both_arms_with_another() {
    let counts = [[30, 3], [40, 60], [8, 9], [0, 0]];
    let mut rows = variable(&counts);
    balance(&mut rows, arms(&counts), 5);
    assert_eq!(
        rows.iter().map(value).collect::<Vec<_>>(),
        [[Some(78.0), Some(72.0), Some(150.0)], [None; 3], [Some(40.0), Some(60.0), Some(100.0)], [None; 3],]
    );
    assert_eq!((rows[0].p_value, rows[0].smd, rows[1].control.spread, rows[1].smd_cobalt), (None, None, None, None));
    assert!(rows[2].smd_cobalt.is_some() && rows[0].missing == [Some(0); 2] && rows[0].floored);
    let mut rows = variable(&[[30, 13], [40, 60], [0, 0]]);
    let before = rows.clone();
    balance(&mut rows, [70, 73], 5);
    assert_eq!(rows, before, "nothing small, nothing hidden");
}

#[test]
fn few_without_a_value_take_the_totals_along() {
    let counts = [[30, 13], [40, 60], [2, 6]];
    let mut rows = variable(&counts);
    balance(&mut rows, arms(&counts), 5);
    assert_eq!((rows[0].missing, value(&rows[0])), ([None; 2], [None; 3]));
    // The level with fewer patients stands in for those without a value; a share would give back the total.
    assert_eq!((value(&rows[1]), value(&rows[2])), ([None; 3], [Some(40.0), Some(60.0), Some(100.0)]));
    assert_eq!((rows[2].control.spread, rows[2].smd_cobalt), (None, None));
}

/// What a reader sees of the rows.
fn seen(rows: &[BalanceRow]) -> Vec<Option<u64>> {
    let cells = |cells: &BalanceCells| [cells.value, cells.spread];
    let row = |row: &BalanceRow| {
        let numbers = [cells(&row.control), cells(&row.treated), cells(&row.all)].concat();
        let numbers: Vec<Option<u64>> =
            [numbers, vec![row.smd_cobalt]].concat().iter().map(|x| x.map(f64::to_bits)).collect();
        [&numbers[..], &row.missing].concat()
    };
    rows.iter().flat_map(row).collect()
}

/// All ways to write `n` as a sum of so many counts.
fn sums(n: u64, parts: usize) -> Vec<Vec<u64>> {
    if parts == 1 {
        return vec![vec![n]];
    }
    let with = |first: u64| sums(n - first, parts - 1).into_iter().map(move |rest| [&[first][..], &rest].concat());
    (0..=n).flat_map(with).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Everybody knows both arms. Of all tables with these arms, those that look the same, with the same cells hidden, are
    /// more than one, and no small count is the same in all of them.
    #[test]
    fn no_small_count_follows_from_the_rows(
        first in vec([0_u64..8, 0_u64..8], 3), third_is_a_level in any::<bool>(), minimum in 2_u64..5,
    ) {
        let counts = if third_is_a_level { [&first[..], &[[0, 0]]].concat() } else { first };
        let arms = arms(&counts);
        prop_assume!(arms.iter().all(|n| *n >= minimum));
        let original = variable(&counts);
        let mut rows = original.clone();
        balance(&mut rows, arms, minimum);
        let shown = seen(&rows);
        let parts = counts.len() - usize::from(third_is_a_level);
        let same: Vec<Vec<[u64; 2]>> = sums(arms[0], parts)
            .iter()
            .flat_map(|control| sums(arms[1], parts).into_iter().map(move |treated| {
                let pairs = control.iter().zip(treated).map(|(c, t)| [*c, t]).collect::<Vec<_>>();
                if third_is_a_level { [&pairs[..], &[[0, 0]]].concat() } else { pairs }
            }))
            .filter(|other| {
                let other = seen(&variable(other));
                shown.iter().zip(other).all(|(shown, other)| shown.is_none() || *shown == other)
            })
            .collect();
        prop_assert!(same.contains(&counts));
        for (level, pair) in counts.iter().enumerate() {
            for arm in 0..2 {
                let small = (1..minimum).contains(&pair[arm]);
                prop_assert!(!small || same.iter().any(|other| other[level][arm] != pair[arm]), "{counts:?}");
            }
        }
    }

    /// Bins, overlap and their sums: the same attack on one arm, with bounds on the edges of the bins.
    #[test]
    fn no_small_count_follows_from_the_scores(bins in vec(0_u64..9, 4), equipoise in 0_u64..36, minimum in 2_u64..5) {
        let n: u64 = bins.iter().sum();
        prop_assume!(n >= minimum && equipoise <= n);
        let made = |bins: &[u64]| -> (Vec<HistogramRow>, Vec<OverlapRow>) {
            let rows = bins.iter().enumerate().flat_map(|(i, n)| [*n, 0].map(|n| HistogramRow {
                low: i as f64 / 4.0,
                high: (i + 1) as f64 / 4.0,
                arm: String::new(),
                n: Some(n),
                weighted: Some(n as f64),
            }));
            let overlap = OverlapRow {
                arm: String::new(),
                n: bins.iter().sum(),
                equipoise: Some(equipoise),
                below: Some(bins[0]),
                above: Some(bins[2] + bins[3]),
                bounds: (0.25, 0.5),
            };
            (rows.collect(), vec![overlap])
        };
        let (mut rows, mut overlap) = made(&bins);
        scores::histogram(&mut rows, &mut overlap, [n, 0], minimum);
        let look = |rows: &[HistogramRow], overlap: &[OverlapRow]| -> Vec<Option<u64>> {
            let counts = [overlap[0].below, overlap[0].above];
            rows.iter().step_by(2).map(|row| row.n).chain(counts).collect()
        };
        let shown = look(&rows, &overlap);
        let same: Vec<Vec<u64>> = sums(n, 4).into_iter().filter(|other| {
            let (rows, overlap) = made(other);
            shown.iter().zip(look(&rows, &overlap)).all(|(shown, other)| shown.is_none() || *shown == other)
        }).collect();
        prop_assert!(same.contains(&bins));
        for (at, count) in bins.iter().enumerate() {
            let small = (1..minimum).contains(count);
            prop_assert!(!small || same.iter().any(|other| other[at] != *count), "{bins:?} {shown:?}");
            prop_assert!(rows[2 * at].n.is_some() || rows[2 * at].weighted.is_none());
        }
        let few_outside = (1..minimum).contains(&equipoise) || (1..minimum).contains(&(n - equipoise));
        prop_assert_eq!(overlap[0].equipoise.is_none(), few_outside);
    }
}

#[test]
fn few_weights_at_a_bound_are_hidden() {
    let mut rows = [WeightRow {
        scheme: "ate_truncated".into(),
        arm: "A".into(),
        n: 50,
        sum: 50.0,
        ess: 40.0,
        counted: None,
        bounds: Some((0.5, 3.0)),
        truncated: Some([Some(3), Some(9)]),
    }];
    scores::truncated(&mut rows, 5);
    assert_eq!(rows[0].truncated, Some([None, Some(9)]));
}

#[test]
fn levels_of_a_scenario_that_differ_by_few_are_hidden_there() {
    let main = [[30, 13], [40, 60], [20, 30], [0, 0]];
    let of = |counts: &[[u64; 2]]| analysis(variable(counts), arms(counts));
    let apply = |scenario: &[[u64; 2]]| {
        let (mut one, mut other) = (of(&main), of(scenario));
        joint::apply(&mut [&mut one, &mut other], 5);
        assert_eq!(one.balance, variable(&main), "the main analysis stays as it is");
        other.balance.iter().skip(1).map(|row| row.control.value.is_none()).collect::<Vec<_>>()
    };
    assert_eq!(apply(&main), [false; 3], "the same patients");
    assert_eq!(apply(&[[20, 5], [30, 50], [10, 20], [0, 0]]), [false; 3], "clearly fewer");
    // three fewer in one level; another one goes along, since the arm is known
    assert_eq!(apply(&[[30, 10], [30, 50], [14, 20], [0, 0]]), [true, false, true]);
    // the scenario has the patients without a value: their level and the arm tell
    assert_eq!(apply(&[[30, 13], [40, 60], [20, 30], [9, 2]]), [true, false, false]);
}
