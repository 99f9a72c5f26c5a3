//! Answers derived by hand.

use stats::cox::Ties;
use stats::fit::Fit;

use crate::sites::{Rows, fit_cox, naive};

/// Time 1 1 2 2 2 2 3 4 5; status 1 0 1 1 1 0 0 1 0; x 2 0 1 1 0 1 0 1 0; weight 1 2 3 4 3 2 1 2 1.
fn weighted_example(origin: u32) -> Rows {
    Rows {
        columns: vec![vec![2.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]],
        exit: [1, 1, 2, 2, 2, 2, 3, 4, 5].map(|cell| cell - 1 + origin).to_vec(),
        event: [1, 0, 1, 1, 1, 0, 0, 1, 0].map(|status| status == 1).to_vec(),
        w: Some(vec![1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0, 2.0, 1.0]),
        ..Rows::default()
    }
}

/// Log likelihood, score and information of the example at b, with r = exp(b).
///
/// Time 1: one death with x = 2, weight 1. All are at risk: one with x = 2 (weight 1), those with x = 1 weigh
/// 3 + 4 + 2 + 2 = 11, those with x = 0 weigh 2 + 3 + 1 + 1 = 7: S0 = r^2 + 11 r + 7.
/// Time 2: three deaths, x = 1, 1, 0 with weights 3, 4, 3: W = 10, mean weight 10/3, E0 = 7 r + 3. At risk:
/// x = 1 weighs 11, x = 0 weighs 5: S0 = 11 r + 5. Efron: phi = S0 - l/3 E0 for l = 0, 1, 2.
/// Time 4: one death with x = 1, weight 2, beside x = 0 with weight 1: S0 = 2 r + 1.
/// Deaths give b (2 x 1 + 3 + 4 + 2) = 11 b.
fn by_hand(b: f64) -> (f64, f64, f64) {
    let r = libm::exp(b);
    // Of each term: multiplier, weight of x = 2, of x = 1, of x = 0.
    let tied = |l: f64| (10.0 / 3.0, 0.0, 11.0 - l / 3.0 * 7.0, 5.0 - l / 3.0 * 3.0);
    let terms = [(1.0, 1.0, 11.0, 7.0), tied(0.0), tied(1.0), tied(2.0), (2.0, 0.0, 2.0, 1.0)];
    let (mut loglik, mut score, mut information) = (11.0 * b, 11.0, 0.0);
    for (multiplier, two, one, zero) in terms {
        let s0 = two * r * r + one * r + zero;
        let mean = (2.0 * two * r * r + one * r) / s0;
        let square = (4.0 * two * r * r + one * r) / s0;
        loglik -= multiplier * libm::log(s0);
        score -= multiplier * mean;
        information += multiplier * (square - mean * mean);
    }
    (loglik, score, information)
}

/// The root of the score, which falls in b.
fn maximum_by_hand() -> f64 {
    let (mut low, mut high) = (0.0, 2.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if by_hand(middle).1 > 0.0 { low = middle } else { high = middle }
    }
    low
}

fn close(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} instead of {expected}");
}

fn fit_example(origin: u32) -> Fit {
    fit_cox(&[weighted_example(origin)], &[0.7], Ties::Efron, naive()).expect("regular")
}

#[test]
fn weighted_efron_example() {
    let b = maximum_by_hand();
    let (loglik, _, information) = by_hand(b);
    // The numbers that Therneau's validation document prints.
    close(b, 0.872_604_25, 1e-8);
    close(by_hand(0.0).0, -30.292_18, 1e-5);
    close(loglik, -29.416_78, 1e-5);
    close(information, 1.969_447, 1e-6);

    let fit = fit_example(1);
    close(fit.beta[0], b, 1e-13);
    close(fit.loglik_null, by_hand(0.0).0, 1e-13);
    close(fit.loglik, loglik, 1e-13);
    // Taken where the last step began, less than 1e-10 standard errors away.
    close(fit.information[0], information, 1e-10);
    close(fit.naive[(0, 0)], 1.0 / information, 1e-10);
    let (_, score, information) = by_hand(0.0);
    close(fit.score_test.expect("Cox"), score * score / information, 1e-12);
}

#[test]
fn events_on_cell_zero_count_like_any_other() {
    assert_eq!(fit_example(0), fit_example(1));
    assert_eq!(fit_example(0), fit_example(900));
}

#[test]
fn breslow_of_two_tied_deaths() {
    // Deaths x = 1 and x = 0 tied, a second x = 1 censored later: 2 at risk with x = 1, 1 with x = 0.
    // Score 1 - 2 x 2 r / (2 r + 1) = 0 at r = 1/2; information 2 x 1/2 x 1/2.
    let rows = Rows {
        columns: vec![vec![1.0, 0.0, 1.0]],
        exit: vec![4, 4, 5],
        event: vec![true, true, false],
        ..Rows::default()
    };
    let fit = fit_cox(&[rows], &[0.5], Ties::Breslow, naive()).expect("regular");
    close(fit.beta[0], libm::log(0.5), 1e-14);
    close(fit.loglik, libm::log(0.5) - 2.0 * libm::log(2.0), 1e-14);
    close(fit.information[0], 0.5, 1e-14);
}

#[test]
fn rows_of_weight_zero_are_left_out() {
    let rows = weighted_example(0);
    let mut more = rows.pick(&[0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    more.w.as_mut().expect("weighted")[0] = 0.0;
    // In a cell of its own, so that it would add an event cell; and with a value that would overflow.
    more.exit[0] = 8;
    more.columns[0][0] = 1e6;
    let fit = |rows| fit_cox(&[rows], &[0.7], Ties::Efron, naive()).expect("regular");
    assert_eq!(fit(more), fit(rows));
}
