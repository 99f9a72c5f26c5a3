//! The same rows however they are spread, ordered, copied, weighted or written down.

use proptest::prelude::*;
use stats::competing::{CauseTable, Incidence, Subdistribution, gray};
use stats::cox::Ties;
use stats::fit::Fit;
use stats::survival::Who;

use crate::sites::{self, fit_cox, naive, robust};

use super::{MONTH, Rows, fine_gray, myeloma, rotterdam, table};

const WHO: [Who; 3] = [Who::All, Who::Control, Who::Treated];

/// Numbers that follow from a table.
fn of_table(table: &CauseTable) -> Vec<f64> {
    let mut numbers = Vec::new();
    for who in WHO {
        for point in Incidence::aalen_johansen(table, who).points() {
            for estimate in point.causes.iter().chain([&point.event_free]) {
                numbers.extend([estimate.estimate, estimate.std_error]);
            }
        }
    }
    for cause in 1..=2 {
        numbers.push(gray(table, cause).expect("both arms at risk").test.statistic);
    }
    numbers
}

fn of_fit(fit: &Fit) -> Vec<f64> {
    let robust = fit.robust.as_ref().expect("asked for").diagonal();
    fit.beta.iter().copied().chain(fit.naive.diagonal()).chain(robust).chain([fit.loglik, fit.wald_test]).collect()
}

fn same(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-10 * b.abs(), "{a:e} and {b:e}");
    }
}

/// Everything about rows at sites.
fn answers(sites: &[Rows], scale: &[f64]) -> Vec<f64> {
    let mut numbers = of_table(&table(sites));
    for (cause, ties) in [(1, Ties::Efron), (1, Ties::Breslow), (2, Ties::Efron), (2, Ties::Breslow)] {
        numbers.extend(of_fit(&fine_gray(sites, scale, cause, ties, robust()).expect("regular")));
    }
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_equals_pooled(
        sites in 1usize..=40,
        weighted: bool,
        assignment in prop::collection::vec(0usize..10_000, 277),
    ) {
        let (rows, scale) = myeloma(MONTH).centred();
        let rows = if weighted { rows } else { rows.unweighted() };
        // Site 0 has no rows, site 1 one.
        let split = rows.split(sites + 2, |i| if i == 0 { 1 } else { 2 + assignment[i] % sites });
        same(&answers(&split, &scale), &answers(&[rows], &scale));
    }
}

#[test]
fn order_of_rows_does_not_matter() {
    let (rows, scale) = myeloma(1.0).centred();
    let order: Vec<usize> = (0..277).map(|i| (i * 100 + 3) % 277).collect();
    same(&answers(&[rows.pick(&order)], &scale), &answers(&[rows], &scale));
}

#[test]
fn the_same_sums_give_the_same_bits() {
    let (rows, scale) = myeloma(MONTH).centred();
    let split = rows.split(7, |i| i % 7);
    assert_eq!(answers(&split, &scale), answers(&split, &scale));
}

#[test]
fn weights_of_one_change_nothing() {
    let (rows, scale) = rotterdam(MONTH).centred();
    let ones = Rows { w: Some(vec![1.0; rows.len()]), ..rows.clone() };
    assert_eq!(answers(&[ones], &scale), answers(&[rows.unweighted()], &scale));
}

/// A row of weight 0 is nobody, also for the distribution of censoring.
#[test]
fn rows_without_weight_do_not_count() {
    let (rows, scale) = myeloma(MONTH).centred();
    let kept: Vec<usize> = (0..rows.len()).filter(|i| i % 5 != 0).collect();
    let mut zeroed = rows.clone();
    for weight in zeroed.w.iter_mut().flatten().step_by(5) {
        *weight = 0.0;
    }
    same(&answers(&[zeroed], &scale), &answers(&[rows.pick(&kept)], &scale));
}

/// Weights are known up to a factor: only the naive variance takes them for counts.
#[test]
fn the_scale_of_weights_does_not_matter() {
    let (rows, scale) = rotterdam(MONTH).centred();
    let scaled = Rows { w: rows.w.as_ref().map(|w| w.iter().map(|w| 7.3 * w).collect()), ..rows.clone() };
    let robust_of = |rows: &Rows| {
        let fit = fine_gray(std::slice::from_ref(rows), &scale, 1, Ties::Efron, robust()).expect("regular");
        let variances = fit.robust.as_ref().expect("asked for").diagonal();
        (fit.beta.into_iter().chain(variances).collect::<Vec<_>>(), fit.naive.diagonal())
    };
    let ((one, naive), (other, smaller)) = (robust_of(&rows), robust_of(&scaled));
    same(&other, &one);
    same(&smaller.iter().map(|v| v * 7.3).collect::<Vec<_>>(), &naive);
    same(&of_table(&table(&[scaled])), &of_table(&table(&[rows])));
}

/// Copies of every row leave curves and the Breslow fit where they are and divide variances.
#[test]
fn copies_of_rows() {
    let (rows, scale) = myeloma(MONTH).centred();
    let copies = rows.pick(&(0..4 * rows.len()).map(|i| i % rows.len()).collect::<Vec<_>>());
    for who in WHO {
        let [one, four] =
            [&rows, &copies].map(|rows| Incidence::aalen_johansen(&table(std::slice::from_ref(rows)), who));
        for (one, four) in one.points().iter().zip(four.points()) {
            for (one, four) in one.causes.iter().zip(&four.causes) {
                same(&[four.estimate, 2.0 * four.std_error], &[one.estimate, one.std_error]);
            }
        }
    }
    let [one, four] =
        [rows, copies].map(|rows| fine_gray(&[rows], &scale, 1, Ties::Breslow, robust()).expect("regular"));
    same(&four.beta, &one.beta);
    for (one, four) in [(&one.naive, &four.naive), (one.robust.as_ref().unwrap(), four.robust.as_ref().unwrap())] {
        same(&four.diagonal().iter().map(|v| v * 4.0).collect::<Vec<_>>(), &one.diagonal());
    }
}

/// Everybody is in one state, and its probabilities share one set of derivatives.
#[test]
fn probabilities_sum_to_one() {
    for rows in [rotterdam(1.0), myeloma(MONTH).unweighted()] {
        for who in WHO {
            for point in Incidence::aalen_johansen(&table(std::slice::from_ref(&rows)), who).points() {
                let sum: f64 = point.causes.iter().chain([&point.event_free]).map(|e| e.estimate).sum();
                assert!((sum - 1.0).abs() < 1e-13);
            }
        }
    }
}

#[test]
fn swapping_the_arms_turns_the_sign() {
    let rows = rotterdam(MONTH);
    let swapped = Rows { treated: rows.treated.iter().map(|a| !a).collect(), ..rows.clone() };
    for cause in 1..=2 {
        let [one, other] = [&rows, &swapped].map(|rows| gray(&table(std::slice::from_ref(rows)), cause).expect("both"));
        same(&[-other.score, other.variance], &[one.score, one.variance]);
    }
}

/// Swapping the names of the causes swaps the answers.
#[test]
fn causes_are_names() {
    let (rows, scale) = rotterdam(MONTH).centred();
    let renamed =
        Rows { cause: rows.cause.iter().map(|cause| [0, 2, 1][usize::from(*cause)]).collect(), ..rows.clone() };
    let [one, two] = [(rows, 1), (renamed, 2)].map(|(rows, cause)| {
        let fit = fine_gray(std::slice::from_ref(&rows), &scale, cause, Ties::Efron, robust()).expect("regular");
        let curve = Incidence::aalen_johansen(&table(&[rows]), Who::All);
        let curve = curve.points().iter().map(|point| point.causes[usize::from(cause) - 1]).collect::<Vec<_>>();
        (of_fit(&fit), curve)
    });
    assert_eq!(one, two);
}

/// The rows that R's `finegray` writes down, as an ordinary weighted Cox model with entry.
#[test]
fn expanded_rows_give_the_same_fit() {
    for (rows, ties) in
        [(myeloma(MONTH), Ties::Efron), (myeloma(MONTH), Ties::Breslow), (myeloma(1.0).unweighted(), Ties::Efron)]
    {
        let (rows, scale) = rows.centred();
        for cause in 1..=2 {
            let cells = Subdistribution::new(&table(std::slice::from_ref(&rows)), cause, ties);
            let g = cells.uncensored();
            let mut long = sites::Rows { columns: vec![Vec::new(); scale.len()], ..sites::Rows::default() };
            let (mut w, mut entry) = (Vec::new(), Vec::new());
            for i in 0..rows.len() {
                let mut push = |from: u32, to: u32, event: bool, weight: f64| {
                    for (column, values) in long.columns.iter_mut().zip(&rows.columns) {
                        column.push(values[i]);
                    }
                    long.exit.push(to);
                    long.event.push(event);
                    entry.push(from);
                    w.push(weight * rows.w.as_ref().map_or(1.0, |w| w[i]));
                };
                push(0, rows.exit[i], rows.cause[i] == cause, 1.0);
                if rows.cause[i] != 0 && rows.cause[i] != cause {
                    for &cell in cells.events().cells.iter().filter(|cell| **cell > rows.exit[i]) {
                        push(cell - 1, cell, false, g[cell as usize] / g[rows.exit[i] as usize]);
                    }
                }
            }
            (long.w, long.entry) = (Some(w), Some(entry));
            let expected = fit_cox(&[long], &scale, ties, naive()).expect("regular");
            let fit = fine_gray(std::slice::from_ref(&rows), &scale, cause, ties, naive()).expect("regular");
            same(&fit.beta, &expected.beta);
            same(fit.naive.values(), expected.naive.values());
            same(&[fit.loglik, fit.loglik_null], &[expected.loglik, expected.loglik_null]);
        }
    }
}

/// A table of counts with the weights of the events says what a weighted table says.
#[test]
fn event_weights_beside_counts_are_the_weighted_table() {
    let (rows, _) = rotterdam(MONTH).centred();
    for cause in 1..=2 {
        let weighted = Subdistribution::new(&table(std::slice::from_ref(&rows)), cause, Ties::Efron);
        let counts = Subdistribution::new(&table(&[rows.unweighted()]), cause, Ties::Efron);
        assert_ne!(counts, weighted);
        assert_eq!(counts.weighted(weighted.events().weight.clone()), weighted);
    }
}
