//! The same rows however they are spread: any split, order, copy or unit gives the same fit.

use std::slice::from_ref;

use proptest::prelude::*;
use stats::cox::Ties;
use stats::fit::{Fit, MeatRequest};
use stats::packed::unpack;

use crate::myeloma::Cohort;
use crate::sites::{Rows, centred, fit_cox, fit_logistic, fit_stratified, naive, with_intercept};

/// Asserts that two fits agree to `tolerance`: matrices relative to their diagonal, the rest relative to itself.
fn same(a: &Fit, b: &Fit, tolerance: f64) {
    let close = |x: f64, y: f64, size: f64| {
        assert!((x - y).abs() <= tolerance * size, "{x:e} and {y:e} differ by {:e}", (x - y).abs() / size);
    };
    let p = a.beta.len();
    for i in 0..p {
        close(a.beta[i], b.beta[i], a.beta[i].abs());
    }
    for (x, y) in [(a.loglik, b.loglik), (a.loglik_null, b.loglik_null), (a.wald_test, b.wald_test)] {
        close(x, y, x.abs());
    }
    let pairs = [
        (Some(&a.naive), Some(&b.naive)),
        (a.robust.as_ref(), b.robust.as_ref()),
        (a.m_estimation.as_ref(), b.m_estimation.as_ref()),
    ];
    for (x, y) in pairs {
        assert_eq!(x.is_some(), y.is_some());
        if let (Some(x), Some(y)) = (x, y) {
            for i in 0..p {
                for j in 0..p {
                    close(x[(i, j)], y[(i, j)], (x[(i, i)] * x[(j, j)]).sqrt());
                }
            }
        }
    }
    assert_eq!(a.iterations, b.iterations);
}

/// Weighted outcome models with every variance, and the adjusted ones.
struct Models {
    response: (Rows, Vec<f64>),
    response_weighted: (Rows, Vec<f64>),
    survival: (Rows, Vec<f64>),
    survival_weighted: (Rows, Vec<f64>),
    request: MeatRequest,
}

impl Models {
    fn read() -> Self {
        let cohort = Cohort::read();
        let (w, propensity, request) = cohort.weights(true);
        let weighted = |rows: &Rows| Rows { w: Some(w.clone()), propensity: Some(propensity.clone()), ..rows.clone() };
        let logistic = |terms: &[Vec<f64>]| {
            let (columns, _, scale) = with_intercept(terms);
            (Rows { columns, y: cohort.table.numbers("response"), ..Rows::default() }, scale)
        };
        let cox = |terms: &[Vec<f64>]| {
            let (columns, _, scale) = centred(terms);
            (Rows { columns, ..cohort.survival("pfs_days", "pfs_event", 30.4375) }, scale)
        };
        let treatment = [cohort.treated.clone()];
        let (unadjusted, scale) = logistic(&treatment);
        let response_weighted = (weighted(&unadjusted), scale);
        let (unadjusted, scale) = cox(&treatment);
        let survival_weighted = (weighted(&unadjusted), scale);
        Self {
            response: logistic(&cohort.adjusted()),
            response_weighted,
            survival: cox(&cohort.adjusted()),
            survival_weighted,
            request,
        }
    }

    /// All models after the rows of each have been spread.
    fn fit(&self, spread: impl Fn(&Rows) -> Vec<Rows>) -> Vec<Fit> {
        let logistic = |(rows, scale): &(Rows, Vec<f64>), meat| fit_logistic(&spread(rows), scale, meat);
        let cox = |(rows, scale): &(Rows, Vec<f64>), meat| fit_cox(&spread(rows), scale, Ties::Efron, meat);
        [
            logistic(&self.response, naive()),
            logistic(&self.response_weighted, self.request.clone()),
            cox(&self.survival, naive()),
            cox(&self.survival_weighted, self.request.clone()),
        ]
        .map(|fit| fit.expect("regular"))
        .to_vec()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_equals_pooled(sites in 1usize..=40, assignment in prop::collection::vec(0usize..10_000, 277)) {
        let models = Models::read();
        let pooled = models.fit(|rows| vec![rows.clone()]);
        // Site 0 has no rows, site 1 and 2 one and two; the first rows of the file go there.
        let site = |i: usize| match i {
            0 => 1,
            1 | 2 => 2,
            _ => 3 + assignment[i] % sites,
        };
        let split = models.fit(|rows| {
            (0..sites + 3)
                .map(|k| rows.pick(&(0..assignment.len()).filter(|&i| site(i) == k).collect::<Vec<_>>()))
                .collect()
        });
        for (a, b) in pooled.iter().zip(&split) {
            same(a, b, 1e-11);
        }
    }
}

#[test]
fn order_of_rows_does_not_matter() {
    let models = Models::read();
    let pooled = models.fit(|rows| vec![rows.clone()]);
    // 100 and 277 have no common divisor: every row once.
    let order: Vec<usize> = (0..277).map(|i| (i * 100 + 3) % 277).collect();
    for (a, b) in pooled.iter().zip(&models.fit(|rows| vec![rows.pick(&order)])) {
        same(a, b, 1e-11);
    }
}

#[test]
fn the_same_sums_give_the_same_bits() {
    let models = Models::read();
    let spread = |rows: &Rows| rows.split(&(0..277).map(|i| i % 7).collect::<Vec<_>>());
    assert_eq!(models.fit(spread), models.fit(spread));
}

#[test]
fn copies_in_strata_multiply_the_information() {
    let models = Models::read();
    let (rows, scale) = &models.survival;
    let one = fit_stratified(from_ref(rows), scale, Ties::Efron).expect("regular");
    let four = fit_stratified(&vec![rows.clone(); 4], scale, Ties::Efron).expect("regular");
    for i in 0..scale.len() {
        assert!((four.beta[i] / one.beta[i] - 1.0).abs() < 1e-11);
        assert!((four.naive[(i, i)] * 4.0 / one.naive[(i, i)] - 1.0).abs() < 1e-11);
    }
    assert!((four.loglik / one.loglik - 4.0).abs() < 1e-11);
    // One stratum is the model without strata.
    let unstratified = fit_cox(from_ref(rows), scale, Ties::Efron, naive()).expect("regular");
    same(&one, &unstratified, 1e-11);
}

#[test]
fn copies_of_rows_multiply_the_information_of_breslow_and_logistic() {
    let models = Models::read();
    let order: Vec<usize> = (0..277 * 3).map(|i| i % 277).collect();
    for ties in [Ties::Breslow, Ties::Efron] {
        let (rows, scale) = &models.survival;
        let weighted = Rows { w: Some(vec![3.0; 277]), ..rows.clone() };
        let copied = fit_cox(&[rows.pick(&order)], scale, ties, naive()).expect("regular");
        let weighted = fit_cox(&[weighted], scale, ties, naive()).expect("regular");
        // Efron sees copies as more ties, so only Breslow takes a weight of 3 for three rows.
        let agree = (copied.beta[0] / weighted.beta[0] - 1.0).abs() < 1e-11;
        assert_eq!(agree, ties == Ties::Breslow);
    }
    let (rows, scale) = &models.response;
    let once = fit_logistic(from_ref(rows), scale, naive()).expect("regular");
    let copied = fit_logistic(&[rows.pick(&order)], scale, naive()).expect("regular");
    for i in 0..scale.len() {
        assert!((copied.beta[i] / once.beta[i] - 1.0).abs() < 1e-11);
        assert!((copied.naive[(i, i)] * 3.0 / once.naive[(i, i)] - 1.0).abs() < 1e-11);
    }
}

#[test]
fn units_of_columns_scale_the_coefficients() {
    let models = Models::read();
    let units: Vec<f64> = (0..10).map(|j| [1e4, 1e-3, 1.0, 7.0][j % 4]).collect();
    let (rows, scale) = &models.survival;
    let rescaled = Rows {
        columns: rows.columns.iter().zip(&units).map(|(c, u)| c.iter().map(|x| x * u).collect()).collect(),
        ..rows.clone()
    };
    let scales: Vec<f64> = scale.iter().zip(&units).map(|(s, u)| s * u).collect();
    let a = fit_cox(from_ref(rows), scale, Ties::Efron, naive()).expect("regular");
    let b = fit_cox(&[rescaled], &scales, Ties::Efron, naive()).expect("regular");
    for (j, unit) in units.iter().enumerate() {
        assert!((b.beta[j] * unit / a.beta[j] - 1.0).abs() < 1e-11);
        assert!((b.naive[(j, j)] * unit * unit / a.naive[(j, j)] - 1.0).abs() < 1e-11);
    }
    assert!((a.loglik / b.loglik - 1.0).abs() < 1e-13);
}

#[test]
fn centring_is_undone() {
    let models = Models::read();
    let cohort = Cohort::read();
    let (rows, scale) = &models.response;
    let (_, centre, _) = with_intercept(&cohort.adjusted());
    let shifted = fit_logistic(from_ref(rows), scale, naive()).expect("regular").uncentre(&centre, Some(0));
    let mut raw = cohort.adjusted();
    raw.insert(0, vec![1.0; 277]);
    let raw = Rows { columns: raw, ..rows.clone() };
    let raw = fit_logistic(&[raw], scale, naive()).expect("regular");
    same(&shifted, &raw, 1e-10);
    let (a, b) = (unpack(&shifted.information, scale.len()), unpack(&raw.information, scale.len()));
    for i in 0..scale.len() {
        for j in 0..scale.len() {
            assert!((a[(i, j)] - b[(i, j)]).abs() < 1e-10 * (b[(i, i)] * b[(j, j)]).sqrt());
        }
    }
}
