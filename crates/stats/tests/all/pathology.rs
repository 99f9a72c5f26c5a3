//! Data without an answer ends in a typed reason that names the column; small sites are no pathology.

use std::slice::from_ref;

use stats::cox::Ties;
use stats::fit::{Fit, Why};

use crate::sites::{Rows, centred, fit_cox, fit_logistic, fit_stratified, naive, with_intercept};

const N: usize = 60;

/// Two regular columns.
fn regular() -> Vec<Vec<f64>> {
    let wave = |k: usize| (0..N).map(|i| ((i * k) % 17) as f64 / 4.0).collect();
    vec![wave(5), wave(7)]
}

/// An outcome that both values of any regular column can have.
fn outcome() -> Vec<f64> {
    (0..N).map(|i| f64::from(u8::from((i * i + i / 3) % 5 < 2))).collect()
}

fn flag(of: impl Fn(usize) -> bool) -> Vec<f64> {
    (0..N).map(|i| f64::from(u8::from(of(i)))).collect()
}

fn logistic(terms: &[Vec<f64>], y: Vec<f64>) -> Result<Fit, Why> {
    let (columns, _, scale) = with_intercept(terms);
    fit_logistic(&[Rows { columns, y, ..Rows::default() }], &scale, naive())
}

/// Rows with tied times; `event` says who dies.
fn survival(terms: &[Vec<f64>], event: impl Fn(usize) -> bool) -> (Rows, Vec<f64>) {
    let (columns, _, scale) = centred(terms);
    let exit = (0..N).map(|i| ((i * 11) % 23) as u32).collect();
    (Rows { columns, exit, event: (0..N).map(event).collect(), ..Rows::default() }, scale)
}

fn cox(terms: &[Vec<f64>], event: impl Fn(usize) -> bool) -> Result<Fit, Why> {
    let (rows, scale) = survival(terms, event);
    fit_cox(&[rows], &scale, Ties::Efron, naive())
}

fn with(column: Vec<f64>) -> Vec<Vec<f64>> {
    let mut terms = regular();
    terms.push(column);
    terms
}

fn separation(columns: &[usize]) -> Why {
    Why::Separation { columns: columns.to_vec() }
}

#[test]
fn the_regular_columns_are_regular() {
    assert!(logistic(&regular(), outcome()).is_ok());
    assert!(cox(&regular(), |i| i % 3 != 0).is_ok());
}

#[test]
fn logistic_quasi_separation_names_the_column() {
    // Nobody with the flag has the outcome. The intercept moves with the centred flag and is named beside it.
    let y = outcome();
    let rare = flag(|i| y[i] == 0.0 && i % 7 == 0);
    assert!(rare.iter().sum::<f64>() >= 3.0);
    assert_eq!(logistic(&with(rare.clone()), y.clone()).err(), Some(separation(&[0, 3])));
    // One single patient with the flag.
    let first = y.iter().position(|y| *y == 1.0).expect("an event");
    assert_eq!(logistic(&with(flag(|i| i == first)), y).err(), Some(separation(&[0, 3])));
}

#[test]
fn logistic_complete_separation_is_named() {
    let x: Vec<f64> = (0..N).map(|i| i as f64 / 10.0).collect();
    let y = flag(|i| i >= 40);
    assert_eq!(logistic(&[x], y.clone()).err(), Some(separation(&[0, 1])));
    assert!(matches!(logistic(&with(y.clone()), y).err(), Some(Why::Separation { columns }) if columns.contains(&3)));
}

#[test]
fn cox_separation_names_the_column() {
    // No events in one arm.
    let arm = flag(|i| i % 2 == 0);
    assert_eq!(cox(&with(arm.clone()), |i| i % 2 == 1).err(), Some(separation(&[2])));
    assert_eq!(cox(from_ref(&arm), |i| i % 2 == 1).err(), Some(separation(&[0])));
    // All events in the other arm, and with strata.
    assert_eq!(cox(from_ref(&arm), |i| i % 2 == 0).err(), Some(separation(&[0])));
    let (rows, scale) = survival(&with(arm), |i| i % 2 == 1);
    let sites = rows.split(&(0..N).map(|i| i / 20).collect::<Vec<_>>());
    assert_eq!(fit_stratified(&sites, &scale, Ties::Efron).err(), Some(separation(&[2])));
}

#[test]
fn constant_column_is_named() {
    let constant = vec![3.7; N];
    assert_eq!(logistic(&with(constant.clone()), outcome()).err(), Some(Why::Constant { column: 3 }));
    assert_eq!(cox(&with(constant), |i| i % 3 == 0).err(), Some(Why::Constant { column: 2 }));
    // A column that varies only among rows that no event sees.
    let (mut rows, scale) = survival(&with(flag(|i| i == 0)), |i| i % 3 == 1);
    rows.exit.iter_mut().for_each(|exit| *exit += 1);
    rows.exit[0] = 0;
    assert_eq!(fit_cox(&[rows], &scale, Ties::Efron, naive()).err(), Some(Why::Constant { column: 2 }));
    // A column that is constant within every stratum.
    let site = |i: usize| i / 20;
    let (rows, scale) = survival(&with((0..N).map(|i| site(i) as f64 * 1.1).collect()), |i| i % 3 == 0);
    let sites = rows.split(&(0..N).map(site).collect::<Vec<_>>());
    assert_eq!(fit_stratified(&sites, &scale, Ties::Efron).err(), Some(Why::Constant { column: 2 }));
}

#[test]
fn collinear_column_is_named() {
    let terms = regular();
    let sum: Vec<f64> = terms[0].iter().zip(&terms[1]).map(|(a, b)| 2.0 * a - b / 3.0).collect();
    let Some(Why::Collinear { column }) = logistic(&with(sum.clone()), outcome()).err() else { panic!("collinear") };
    assert!((1..=3).contains(&column));
    let Some(Why::Collinear { column }) = cox(&with(sum), |i| i % 3 == 0).err() else { panic!("collinear") };
    assert!((0..=2).contains(&column));
    // A copy: the later column is named. All levels of a factor: not the intercept.
    let copy = regular()[0].clone();
    assert_eq!(cox(&with(copy), |i| i % 3 == 0).err(), Some(Why::Collinear { column: 2 }));
    let levels = [flag(|i| i % 3 == 0), flag(|i| i % 3 == 1), flag(|i| i % 3 == 2)];
    assert!(matches!(logistic(&levels, outcome()).err(), Some(Why::Collinear { column: 1..=3 })));
}

#[test]
fn outcomes_that_do_not_vary() {
    assert_eq!(logistic(&regular(), vec![0.0; N]).err(), Some(Why::NoEvents));
    assert_eq!(logistic(&regular(), vec![1.0; N]).err(), Some(Why::OnlyEvents));
    assert_eq!(cox(&regular(), |_| false).err(), Some(Why::NoEvents));
    let (rows, scale) = survival(&regular(), |_| false);
    assert_eq!(fit_stratified(&[rows], &scale, Ties::Efron).err(), Some(Why::NoEvents));
}

#[test]
fn no_rows_at_all() {
    let empty = Rows { columns: vec![Vec::new(); 2], ..Rows::default() };
    assert_eq!(fit_logistic(from_ref(&empty), &[1.0, 1.0], naive()).err(), Some(Why::NoRows));
    assert_eq!(fit_cox(from_ref(&empty), &[1.0, 1.0], Ties::Efron, naive()).err(), Some(Why::NoEvents));
    assert_eq!(fit_stratified(&[empty], &[1.0, 1.0], Ties::Efron).err(), Some(Why::NoEvents));
}

#[test]
fn sites_of_one_row_each() {
    let each: Vec<usize> = (0..N).collect();
    let (columns, _, scale) = with_intercept(&regular());
    let rows = Rows { columns, y: outcome(), ..Rows::default() };
    assert!(fit_logistic(&rows.split(&each), &scale, naive()).is_ok());
    let (rows, scale) = survival(&regular(), |i| i % 3 == 0);
    assert!(fit_cox(&rows.split(&each), &scale, Ties::Efron, naive()).is_ok());
    // As strata they hold no comparison.
    assert_eq!(fit_stratified(&rows.split(&each), &scale, Ties::Efron).err(), Some(Why::NoEvents));
}

#[test]
fn an_extreme_value_gives_no_wrong_number() {
    // One value 1e5 times the others: its predictor leaves the range of exp before the other rows have a say.
    for sign in [1.0, -1.0] {
        let mut wild = regular()[0].clone();
        wild[0] = sign * 1e5;
        let terms = vec![wild, regular()[1].clone()];
        for fit in [cox(&terms, |i| i % 3 == 0), logistic(&terms, outcome())] {
            match fit {
                Ok(fit) => assert!(fit.max_score < 1e-9 && fit.naive.values().iter().all(|v| v.is_finite())),
                Err(Why::Separation { .. } | Why::NotConverged { .. } | Why::NotFinite) => {}
                Err(why) => panic!("{why}"),
            }
        }
    }
}

#[test]
fn rare_events_are_not_separation() {
    // 3 events in 100,000 rows, both values of the flag among them.
    let n = 100_000;
    let y: Vec<f64> = (0..n).map(|i| f64::from(u8::from([17, 501, 70_000].contains(&i)))).collect();
    let flag: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i < 1000))).collect();
    let (columns, centre, scale) = with_intercept(&[flag]);
    let rows = Rows { columns, y, ..Rows::default() };
    let fit = fit_logistic(&[rows], &scale, naive()).expect("regular").uncentre(&centre, Some(0));
    let expected = libm::log(2.0 / 998.0) - libm::log(1.0 / 98_999.0);
    assert!((fit.beta[1] / expected - 1.0).abs() < 1e-12);
}
