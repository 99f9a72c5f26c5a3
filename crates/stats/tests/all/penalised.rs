//! Firth and ridge fits against direct maximisation in R (`golden_checking.R`).

use std::slice::from_ref;

use stats::cox::{self, Ties};
use stats::fit::{
    CoxAsk, FirthAsk, FirthFit, Fit, LogisticAsk, MeatRequest, Penalised, Penalty, RidgeCoxFit, RidgeLogisticFit,
    State, Why,
};
use stats::logistic;

use crate::compare::{Comparison, errors};
use crate::myeloma::Cohort;
use crate::sites::{Rows, centred, fit_cox, fit_logistic, naive, robust, summed, with_intercept};
use crate::table::Golden;

/// The fit, its penalised log likelihood, and the number of exchanges.
fn fit_firth(sites: &[Rows], scale: &[f64]) -> Result<(Fit, f64, usize), Why> {
    let q = scale.len();
    let mut fit = FirthFit::new(q, scale.to_vec());
    let mut exchanges = 0;
    loop {
        let sums = match fit.state() {
            State::Ask(FirthAsk::Step { beta }) => summed(sites, logistic::step_len(q), |site, total| {
                site.logistic(|rows| logistic::step(rows, beta, total));
            }),
            State::Ask(FirthAsk::Leverage { beta, inverse }) => summed(sites, q, |site, total| {
                site.logistic(|rows| logistic::leverage_score(rows, beta, inverse, total));
            }),
            State::Done(done) => return Ok((done.clone(), done.penalised.expect("of Firth").loglik, exchanges)),
            State::Failed(why) => return Err(why.clone()),
        };
        exchanges += 1;
        fit.tell(&sums);
    }
}

fn fit_ridge_logistic(sites: &[Rows], scale: &[f64], penalty: &Penalty) -> Result<Fit, Why> {
    let q = scale.len();
    let mut fit = RidgeLogisticFit::new(q, scale.to_vec(), penalty.clone(), naive());
    loop {
        let sums = match fit.state() {
            State::Ask(LogisticAsk::Step { beta }) => summed(sites, logistic::step_len(q), |site, total| {
                site.logistic(|rows| logistic::step(rows, beta, total));
            }),
            State::Ask(LogisticAsk::Meat { .. }) => unreachable!("not asked for"),
            State::Done(fit) => return Ok(fit.clone()),
            State::Failed(why) => return Err(why.clone()),
        };
        fit.tell(&sums);
    }
}

fn fit_ridge_cox(sites: &[Rows], scale: &[f64], ties: Ties, penalty: &Penalty, meat: MeatRequest) -> Result<Fit, Why> {
    let p = scale.len();
    let cells = sites.iter().flat_map(|site| &site.exit).max().map_or(0, |last| last + 1);
    let deaths = summed(sites, cells as usize, |site, total| {
        site.cox(|rows| cox::deaths(rows, cells as usize, total));
    });
    let weighted = sites.iter().any(|site| site.w.is_some());
    let mut fit = RidgeCoxFit::new(scale.to_vec(), (0..cells).collect(), deaths, ties, weighted, penalty.clone(), meat);
    loop {
        let sums = match fit.state() {
            State::Ask(CoxAsk::DeathWeights { cells }) => summed(sites, cells.len(), |site, total| {
                site.cox(|rows| cox::death_weights(rows, cells, total));
            }),
            State::Ask(CoxAsk::Risk { events, beta }) => summed(sites, cox::risk_len(p, events), |site, total| {
                site.cox(|rows| cox::risk(rows, events, beta, total));
            }),
            State::Ask(CoxAsk::Step { events, curves, beta }) => {
                let mut sums = summed(sites, cox::step_len(p), |site, total| {
                    site.cox(|rows| cox::step(rows, events, curves, beta, total));
                });
                for (sum, correction) in sums.iter_mut().zip(curves.correction()) {
                    *sum += correction;
                }
                sums
            }
            State::Ask(CoxAsk::Meat { events, curves, beta, kind }) => {
                summed(sites, stats::influence::meat_len(p, kind), |site, total| {
                    let residuals = site.cox(|rows| cox::score_residuals(rows, events, curves, beta));
                    stats::influence::meat(&residuals, site.w.as_deref(), kind, None, total);
                })
            }
            State::Done(fit) => return Ok(fit.clone()),
            State::Failed(why) => return Err(why.clone()),
        };
        fit.tell(&sums);
    }
}

/// Ten rows that x separates: y = 1 exactly where x > 5.
fn separated() -> Rows {
    let x = (1..=10).map(f64::from).collect();
    let z = [0, 1, 1, 0, 0, 1, 0, 1, 1, 0].map(f64::from).to_vec();
    let y = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1].map(f64::from).to_vec();
    Rows { columns: vec![x, z], y, ..Rows::default() }
}

/// Sample variances of the columns, with n - 1.
fn variances(columns: &[Vec<f64>]) -> Vec<f64> {
    let (_, _, scale) = centred(columns);
    let n = columns[0].len() as f64;
    scale.iter().map(|sd| sd * sd * n / (n - 1.0)).collect()
}

#[test]
fn firth() {
    let golden = Golden::read("golden/checking.json").at("firth");
    let cohort = Cohort::read();
    let (w, ..) = cohort.weights(true);
    let small = separated();
    let outcome = |terms: &[Vec<f64>], name: &str| Rows {
        columns: terms.to_vec(),
        y: cohort.table.numbers(name),
        ..Rows::default()
    };
    let treatment = Rows { w: Some(w), ..outcome(from_ref(&cohort.treated), "disc_ae") };
    let mut comparison = Comparison::new();
    for (name, rows) in [
        ("separated", small),
        ("disc_ae", outcome(&cohort.adjusted(), "disc_ae")),
        ("disc_ae_weighted", treatment),
        ("response", outcome(&cohort.adjusted(), "response")),
    ] {
        let golden = golden.at(name);
        let (columns, centre, scale) = with_intercept(&rows.columns);
        let rows = Rows { columns, ..rows };
        let sites: Vec<usize> = (0..rows.y.len()).map(|i| i % 5).collect();
        let (fit, penalised, exchanges) = fit_firth(&rows.split(&sites), &scale).expect("always finite");
        println!("firth {name}: {exchanges} exchanges");
        assert!(exchanges <= 40, "{name}: {exchanges} exchanges");
        let fit = fit.uncentre(&centre, Some(0));
        comparison.coefficients(name, &fit.beta, &fit.naive, &golden);
        comparison.number(&format!("{name} loglik"), fit.loglik, golden.number("loglik"));
        comparison.number(&format!("{name} penalised"), penalised, golden.number("penalised_loglik"));
    }
    comparison.report("firth");
}

/// Without covariates Firth adds half an event and half a non-event to each arm.
#[test]
fn firth_of_a_two_by_two_table_by_hand() {
    // 0 of 4 controls, 3 of 5 treated.
    let a = [0, 0, 0, 0, 1, 1, 1, 1, 1].map(f64::from).to_vec();
    let y = [0, 0, 0, 0, 1, 1, 1, 0, 0].map(f64::from).to_vec();
    let (columns, centre, scale) = with_intercept(&[a]);
    let (fit, ..) = fit_firth(&[Rows { columns, y, ..Rows::default() }], &scale).expect("finite");
    let fit = fit.uncentre(&centre, Some(0));
    assert!((fit.beta[0] - libm::log(0.5 / 4.5)).abs() < 1e-13);
    assert!((fit.beta[1] - libm::log(3.5 / 2.5 * 4.5 / 0.5)).abs() < 1e-13);
}

#[test]
fn firth_pathology() {
    let (columns, _, scale) = with_intercept(&separated().columns);
    let rows = Rows { columns, ..separated() };
    // The likelihood alone has no maximum here.
    assert!(matches!(fit_logistic(from_ref(&rows), &scale, naive()), Err(Why::Separation { .. })));
    // Sites without rows, or with one, change nothing.
    let (pooled, ..) = fit_firth(from_ref(&rows), &scale).expect("finite");
    let mut sites = vec![rows.pick(&[])];
    sites.extend((0..10).map(|i| rows.pick(&[i])));
    let (split, ..) = fit_firth(&sites, &scale).expect("finite");
    for (a, b) in pooled.beta.iter().zip(&split.beta) {
        assert!((a / b - 1.0).abs() < 1e-11, "{a} {b}");
    }
    // What Firth does not repair still has its name.
    let twice = Rows {
        columns: vec![rows.columns[0].clone(), rows.columns[1].clone(), rows.columns[1].clone()],
        ..rows.clone()
    };
    assert_eq!(fit_firth(&[twice], &[1.0, scale[1], scale[1]]).err(), Some(Why::Collinear { column: 2 }));
    let constant = Rows { columns: vec![rows.columns[0].clone(), vec![0.0; 10]], ..rows.clone() };
    assert_eq!(fit_firth(&[constant], &[1.0, 1.0]).err(), Some(Why::Constant { column: 1 }));
    let none = Rows { y: vec![0.0; 10], ..rows.clone() };
    // Without an event the intercept alone has no maximum, and the penalised likelihood has one.
    let (fitted, ..) = fit_firth(&[none], &scale).expect("finite");
    assert!(fitted.beta.iter().all(|b| b.is_finite()) && fitted.beta[0] < 0.0);
    assert_eq!(fitted.loglik_null, 0.0);
    assert_eq!(fit_firth(&[rows.pick(&[])], &scale).err(), Some(Why::NoRows));
}

/// A weight of 2 is two rows, and a column in other units has its coefficient in other units.
#[test]
fn firth_copies_and_units() {
    let cohort = Cohort::read();
    let (columns, _, scale) = with_intercept(&cohort.adjusted());
    let rows = Rows { columns, y: cohort.table.numbers("disc_ae"), ..Rows::default() };
    let (once, ..) = fit_firth(from_ref(&rows), &scale).expect("finite");

    let copied = rows.pick(&(0..2 * 277).map(|i| i % 277).collect::<Vec<_>>());
    let weighted = Rows { w: Some(vec![2.0; 277]), ..rows.clone() };
    let (a, ..) = fit_firth(&[copied], &scale).expect("finite");
    let (b, ..) = fit_firth(&[weighted], &scale).expect("finite");
    let units: Vec<f64> = (0..11).map(|j| [1.0, 1e-3, 1e3, 7.0][j % 4]).collect();
    let scaled = |(column, unit): (&Vec<f64>, &f64)| column.iter().map(|x| x * unit).collect();
    let rescaled = Rows { columns: rows.columns.iter().zip(&units).map(scaled).collect(), ..rows };
    let scales: Vec<f64> = scale.iter().zip(&units).map(|(s, u)| s * u).collect();
    let (c, ..) = fit_firth(&[rescaled], &scales).expect("finite");
    for j in 0..11 {
        assert!((a.beta[j] / b.beta[j] - 1.0).abs() < 1e-11);
        assert!((a.naive[(j, j)] / b.naive[(j, j)] - 1.0).abs() < 1e-11);
        assert!((c.beta[j] * units[j] / once.beta[j] - 1.0).abs() < 1e-9);
    }
}

fn compare_ridge(comparison: &mut Comparison, name: &str, fit: &Fit, penalty: &Penalty, golden: &Golden) {
    comparison.coefficients(name, &fit.beta, &fit.naive, golden);
    comparison.list(&format!("{name} var2"), &errors(&penalty.sampling(&fit.naive)), &golden.list("std_error2"));
    comparison.number(&format!("{name} df"), penalty.degrees_of_freedom(&fit.naive), golden.number("df"));
    comparison.number(&format!("{name} loglik"), fit.loglik, golden.number("loglik"));
    let penalised = fit.penalised.expect("of a ridge");
    comparison.number(&format!("{name} penalised"), penalised.loglik, golden.number("penalised_loglik"));
    assert_eq!(penalised.df, Some(penalty.degrees_of_freedom(&fit.naive)), "{name}");
}

#[test]
fn ridge() {
    let golden = Golden::read("golden/checking.json").at("ridge");
    let cohort = Cohort::read();
    let mut comparison = Comparison::new();
    let mut spread = vec![0.0];
    spread.extend(variances(&cohort.adjusted()));
    let (columns, centre, scale) = with_intercept(&cohort.adjusted());
    for (name, outcome, penalty) in [
        ("response_raw", "response", Penalty::raw(2.0, 11, Some(0))),
        ("response_standardised", "response", Penalty::standardised(5.0, &spread, Some(0))),
        ("disc_ae_standardised", "disc_ae", Penalty::standardised(0.5, &spread, Some(0))),
    ] {
        let rows = Rows { columns: columns.clone(), y: cohort.table.numbers(outcome), ..Rows::default() };
        let fit = fit_ridge_logistic(&rows.split(&cohort.table.text("site")), &scale, &penalty).expect("regular");
        let fit = fit.uncentre(&centre, Some(0));
        compare_ridge(&mut comparison, name, &fit, &penalty, &golden.at(name));
    }
    let (w, ..) = cohort.weights(true);
    let (columns, _, scale) = centred(&cohort.adjusted());
    let plain = Rows { columns, ..cohort.survival("pfs_days", "pfs_event", 30.4375) };
    let weighted = Rows { w: Some(w), ..plain.clone() };
    let standardised = Penalty::standardised(5.0, &spread[1..], None);
    for (name, rows, ties, penalty) in [
        ("pfs_raw", &plain, Ties::Efron, Penalty::raw(2.0, 10, None)),
        ("pfs_standardised", &plain, Ties::Efron, standardised.clone()),
        ("pfs_breslow_weighted", &weighted, Ties::Breslow, standardised),
    ] {
        let sites = rows.split(&cohort.table.text("site"));
        let fit = fit_ridge_cox(&sites, &scale, ties, &penalty, naive()).expect("regular");
        assert_eq!(fit.score_test, None);
        compare_ridge(&mut comparison, name, &fit, &penalty, &golden.at(name));
    }
    comparison.report("ridge");
}

#[test]
fn ridge_without_a_penalty_is_the_plain_fit() {
    let cohort = Cohort::read();
    let (w, ..) = cohort.weights(true);
    let (columns, _, scale) = centred(&cohort.adjusted());
    let rows = Rows { columns, w: Some(w), ..cohort.survival("os_days", "death", 30.4375) };
    let plain = fit_cox(from_ref(&rows), &scale, Ties::Efron, robust()).expect("regular");
    let none = Penalty::raw(0.0, scale.len(), None);
    let ridge = fit_ridge_cox(from_ref(&rows), &scale, Ties::Efron, &none, robust()).expect("regular");
    let penalised = Some(Penalised { loglik: plain.loglik, df: Some(10.0) });
    assert_eq!(ridge, Fit { score_test: None, penalised, ..plain });
    assert_eq!(none.degrees_of_freedom(&ridge.naive), 10.0);
}

/// A penalty makes separated and collinear models estimable.
#[test]
fn ridge_is_a_way_out() {
    let (columns, _, scale) = with_intercept(&separated().columns);
    let rows = Rows { columns, ..separated() };
    let penalty = Penalty::raw(0.1, 3, Some(0));
    let fit = fit_ridge_logistic(from_ref(&rows), &scale, &penalty).expect("finite");
    assert!(fit.beta.iter().all(|b| b.is_finite()));

    let mut twice = rows;
    twice.columns.push(twice.columns[2].clone());
    let penalty = Penalty::raw(0.1, 4, Some(0));
    let both = fit_ridge_logistic(&[twice], &[1.0, scale[1], scale[2], scale[2]], &penalty).expect("finite");
    assert!((both.beta[2] / both.beta[3] - 1.0).abs() < 1e-12);
}
