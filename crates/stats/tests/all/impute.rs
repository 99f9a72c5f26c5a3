//! Imputation and pooling against R and mice, given the same variates.

use proptest::prelude::*;

use stats::descriptive::grid::ValueGrid;
use stats::design::Design;
use stats::fit::{Fit, LogisticAsk, State};
use stats::impute::pool::{PooledTest, pool, pool_test};
use stats::impute::posterior::{LinearDraw, around, coefficients};
use stats::impute::rows::{Stage, binary, level, number, stage_rows};
use stats::impute::{StageFit, cumulative_hazard};
use stats::linear::{LinearFit, LinearRows, normal_equations, normal_equations_len};
use stats::logistic::{LogisticRows, step, step_len};
use stats::matrix::Matrix;
use stats::random::{normal, uniform};
use stats::student::{f_upper, student_quantile, student_two_sided};

use crate::compare::Comparison;
use crate::resample::words;
use crate::sites::{Rows, design, fit_logistic, naive, summed, with_intercept};
use crate::table::{Golden, Table};

/// A column of the cohort by the name that the R script gives it.
fn column(table: &Table, name: &str) -> Vec<f64> {
    match name {
        "one" => vec![1.0; table.numbers("age").len()],
        "a" => table.is("regimen", "IsaPd"),
        "female" => table.is("sex", "F"),
        "iss2" => table.is("iss_stage", "II"),
        "iss3" => table.is("iss_stage", "III"),
        "dara_no" => table.is("dara_refr", "0"),
        "asct_no" => table.is("asct", "0"),
        "fish_high" => table.is("fish", "high"),
        as_is => table.numbers(as_is),
    }
}

fn columns(table: &Table, names: &str) -> Vec<Vec<f64>> {
    names.split(' ').map(|name| column(table, name)).collect()
}

fn analysed() -> Table {
    Table::read("relapsed-myeloma-596.csv").complete("fish")
}

fn fit_linear(sites: &[Rows]) -> LinearFit {
    let q = sites[0].columns.len();
    let sums = summed(sites, normal_equations_len(q), |site, total| {
        let x = if site.y.is_empty() { Design::new(0, q, Vec::new()) } else { site.design() };
        normal_equations(&LinearRows { x: &x, y: &site.y, w: site.w.as_deref() }, total);
    });
    LinearFit::new(q, &sums).expect("regular")
}

/// The logistic fit in the parametrisation of R: an intercept, nothing centred.
fn fit_raw(terms: &[Vec<f64>], y: Vec<f64>) -> Fit {
    let (columns, centre, scale) = with_intercept(terms);
    let rows = Rows { columns, y, ..Rows::default() };
    fit_logistic(&[rows], &scale, naive()).expect("regular").uncentre(&centre, Some(0))
}

const CLEARANCE: &str = "one age female iss2 iss3 ldh_high dara_no asct_no fish_high";

fn clearance(w: Option<Vec<f64>>) -> Rows {
    let table = analysed();
    Rows { columns: columns(&table, CLEARANCE), y: table.numbers("crcl"), w, ..Rows::default() }
}

#[test]
fn linear_regression_equals_lm() {
    let golden = Golden::read("golden/resampling.json").at("linear");
    let b01 = Table::read("golden/bootstrap_weights.csv").numbers("b01");
    let mut comparison = Comparison::new();
    for (name, w) in [("unweighted", None), ("weighted", Some(b01))] {
        let golden = golden.at(name);
        let fit = fit_linear(&[clearance(w)]);
        comparison.list(&format!("{name} estimate"), &fit.beta, &golden.list("estimate"));
        let covariance = fit.covariance().expect("degrees of freedom");
        comparison.list(&format!("{name} covariance"), covariance.values(), &golden.list("covariance"));
        let mut number = |key: &str, got: f64| comparison.number(&format!("{name} {key}"), got, golden.number(key));
        number("residual_sum", fit.residual_sum);
        number("df", fit.df());
        number("residual_variance", fit.residual_variance().expect("degrees of freedom"));
    }
    comparison.report("linear regression");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_has_the_same_linear_fit(sites in 1usize..=40, assignment in prop::collection::vec(0usize..10_000, 277)) {
        let rows = clearance(Some((0..277).map(|i| f64::from(i % 4)).collect()));
        let pooled = fit_linear(std::slice::from_ref(&rows));
        // Site 0 is empty, site 1 has one row.
        let site = |i: usize| if i == 0 { 1 } else { 2 + assignment[i] % sites };
        let split: Vec<Rows> = (0..sites + 2)
            .map(|k| rows.pick(&(0..277).filter(|&i| site(i) == k).collect::<Vec<_>>()))
            .collect();
        let split = fit_linear(&[&split[1..], &split[..1]].concat());
        prop_assert_eq!(pooled.n, split.n);
        for (a, b) in pooled.beta.iter().zip(&split.beta) {
            prop_assert!((a / b - 1.0).abs() < 1e-11);
        }
        prop_assert!((pooled.residual_sum / split.residual_sum - 1.0).abs() < 1e-11);
    }
}

#[test]
fn residuals_of_the_fit_have_its_sum() {
    let rows = clearance(None);
    let fit = fit_linear(std::slice::from_ref(&rows));
    let x = rows.design();
    let predicted = |i: usize| x.row(i).iter().zip(&fit.beta).map(|(x, b)| x * b).sum::<f64>();
    let residual_sum: f64 = (0..277).map(|i| (rows.y[i] - predicted(i)) * (rows.y[i] - predicted(i))).sum();
    assert!((fit.residual_sum / residual_sum - 1.0).abs() < 1e-12);
    // Copies of the rows: the same coefficients, three times the sum.
    let copied = fit_linear(&[rows.clone(), rows.clone(), rows]);
    assert!((copied.residual_sum / fit.residual_sum - 3.0).abs() < 1e-11);
    assert!((copied.beta[1] / fit.beta[1] - 1.0).abs() < 1e-11);
}

#[test]
fn cumulative_hazard_equals_survfit() {
    let golden = Golden::read("golden/resampling.json").at("cumulative_hazard");
    let table = Table::read("relapsed-myeloma-596.csv");
    let mut comparison = Comparison::exact();
    for (key, time, event, cell) in [
        ("pfs_day", "pfs_days", "pfs_event", 1.0),
        ("os_day", "os_days", "death", 1.0),
        ("pfs_month", "pfs_days", "pfs_event", 30.4375),
    ] {
        let exit: Vec<usize> = table.numbers(time).iter().map(|t| (t / cell).ceil() as usize).collect();
        let cells = exit.iter().max().expect("rows") + 1;
        let (mut events, mut at_risk) = (vec![0.0; cells], vec![0.0; cells]);
        for (&exit, event) in exit.iter().zip(table.numbers(event)) {
            events[exit] += event;
            at_risk[..=exit].iter_mut().for_each(|n| *n += 1.0);
        }
        let hazard = cumulative_hazard(&events, &at_risk);
        let own: Vec<f64> = exit.iter().map(|&exit| hazard[exit]).collect();
        comparison.list(key, &own, &golden.list(key));
    }
    comparison.report("cumulative hazard");
}

#[test]
fn draws_equal_rs_given_the_variates() {
    let golden = Golden::read("golden/resampling.json").at("draws");
    let (u, z) = (golden.list("u"), golden.list("z"));
    let (observed, all) = (analysed(), Table::read("relapsed-myeloma-596.csv"));
    let mut comparison = Comparison::new();

    let binary_golden = golden.at("binary");
    let names = "a age female crcl iss2 iss3 ldh_high dara_no asct_no response";
    let fit = fit_raw(&columns(&observed, names), column(&observed, "fish_high"));
    let beta = around(&fit.beta, &fit.naive, &binary_golden.list("z")).expect("positive");
    comparison.list("binary beta", &beta, &binary_golden.list("beta"));
    let x = design(&columns(&all, &format!("one {names}")));
    let drawn: Vec<f64> = (0..u.len()).map(|i| f64::from(u8::from(binary(x.row(i), &beta, u[i])))).collect();
    assert_eq!(drawn, binary_golden.list("drawn"));

    let linear_golden = golden.at("linear");
    let names = "one a age female ldh_high dara_no asct_no response";
    let rows = Rows { columns: columns(&observed, names), y: observed.numbers("crcl"), ..Rows::default() };
    let draw = LinearDraw::given(&fit_linear(&[rows]), linear_golden.number("chi_square"), &linear_golden.list("z"))
        .expect("positive");
    comparison.number("sigma", draw.sigma, linear_golden.number("sigma"));
    comparison.list("linear beta", &draw.beta, &linear_golden.list("beta"));
    let grid = ValueGrid::new(5.0, 150.0, 0.1).expect("a grid");
    let x = design(&columns(&all, names));
    let drawn: Vec<f64> =
        (0..z.len()).map(|i| f64::from(number(x.row(i), &draw, &grid, z[i]).expect("finite")) + 50.0).collect();
    assert_eq!(drawn, linear_golden.list("drawn"));

    let chain_golden = golden.at("chain");
    let names = "a age female crcl ldh_high";
    let levels: Vec<Option<u32>> =
        observed.text("iss_stage").iter().map(|stage| Some(stage.len() as u32 - 1)).collect();
    let terms = columns(&observed, names);
    let stages: Vec<Stage> = (0..2)
        .map(|l| {
            let (rows, y) = stage_rows(&levels, l);
            let terms: Vec<Vec<f64>> = terms.iter().map(|x| rows.iter().map(|&i| x[i]).collect()).collect();
            let fit = fit_raw(&terms, y);
            let beta = around(&fit.beta, &fit.naive, &chain_golden.list(&format!("z{l}"))).expect("positive");
            comparison.list(&format!("stage {l} beta"), &beta, &chain_golden.list(&format!("beta{l}")));
            Stage::Model(beta)
        })
        .collect();
    let x = design(&columns(&all, &format!("one {names}")));
    let drawn: Vec<f64> = (0..u.len()).map(|i| level(x.row(i), &stages, u[i]) as f64).collect();
    assert_eq!(drawn, chain_golden.list("drawn"));
    comparison.report("posterior draws");
}

/// Mean and covariance of many draws are those that they are drawn from, within five standard errors.
#[test]
fn coefficients_have_their_posterior() {
    const DRAWS: usize = 20_000;
    let (beta, v) = ([1.0, -2.0], Matrix::new(2, 2, vec![4.0, -1.2, -1.2, 1.0]));
    let mut words = words(5);
    let draws: Vec<Vec<f64>> = (0..DRAWS).map(|_| coefficients(&beta, &v, &mut words).expect("positive")).collect();
    let n = DRAWS as f64;
    let mean = |j: usize| draws.iter().map(|b| b[j]).sum::<f64>() / n;
    let error = |x: f64| 5.0 * (x / n).sqrt();
    for (i, j) in [(0, 0), (0, 1), (1, 1)] {
        let sum: f64 = draws.iter().map(|b| (b[i] - beta[i]) * (b[j] - beta[j])).sum();
        let spread = v[(i, i)] * v[(j, j)] + v[(i, j)] * v[(i, j)];
        assert!((sum / n - v[(i, j)]).abs() < error(spread), "{i} {j} {}", sum / n);
        assert!((mean(j) - beta[j]).abs() < error(v[(j, j)]));
    }
    // 1 / sigma^2 of linear draws has mean df / RSS; every party gets the same from the same words.
    let fit = LinearFit { n: 12.0, beta: vec![0.0; 2], inverse: v, residual_sum: 30.0 };
    let precision: f64 =
        (0..DRAWS).map(|_| LinearDraw::new(&fit, &mut words).expect("positive").sigma).map(|s| 1.0 / (s * s)).sum();
    assert!((precision / n - 10.0 / 30.0).abs() < error(2.0 * 10.0 / 900.0));
    let again = |seed| LinearDraw::new(&fit, crate::resample::words(seed));
    assert_eq!(again(1), again(1));
}

/// Values drawn from a model have its shares.
#[test]
fn rows_have_their_distribution() {
    const ROWS: usize = 20_000;
    let mut words = words(6);
    let stages = [Stage::Model(vec![-0.4]), Stage::Never, Stage::Model(vec![0.7])];
    let expit = |eta: f64| 1.0 / (1.0 + libm::exp(-eta));
    let (p0, p2) = (expit(-0.4), (1.0 - expit(-0.4)) * expit(0.7));
    let mut counts = [0.0; 4];
    let (mut ones, mut sum) = (0.0, 0.0);
    let grid = ValueGrid::new(-100.0, 100.0, 0.01).expect("a grid");
    let model = LinearDraw { beta: vec![3.0], sigma: 2.0 };
    for _ in 0..ROWS {
        counts[level(&[1.0], &stages, uniform(words()))] += 1.0;
        ones += f64::from(u8::from(binary(&[1.0], &[-0.4], uniform(words()))));
        sum += grid.value(number(&[1.0], &model, &grid, normal(words())).expect("finite") as usize);
    }
    let n = ROWS as f64;
    for (share, p) in [(counts[0], p0), (counts[2], p2), (counts[3], 1.0 - p0 - p2), (ones, p0)] {
        assert!((share / n - p).abs() < 5.0 * (p * (1.0 - p) / n).sqrt(), "{share} {p}");
    }
    assert_eq!(counts[1], 0.0);
    assert!((sum / n - 3.0).abs() < 5.0 * 2.0 / n.sqrt());
}

#[test]
fn student_and_f_equal_r() {
    let golden = Golden::read("golden/resampling.json").at("student");
    let mut comparison = Comparison::new();
    let (t, df, p) = (golden.list("t"), golden.list("df"), golden.list("p"));
    for i in 0..t.len() {
        comparison.number(&format!("t {} df {}", t[i], df[i]), student_two_sided(-t[i], df[i]), p[i]);
    }
    let (p, df, quantile) = (golden.list("quantile_p"), golden.list("quantile_df"), golden.list("quantile"));
    for i in 0..p.len() {
        comparison.number(&format!("quantile {} df {}", p[i], df[i]), student_quantile(p[i], df[i]), quantile[i]);
    }
    let (f, k, v, p) = (golden.list("f"), golden.list("f_df1"), golden.list("f_df2"), golden.list("f_p"));
    for i in 0..f.len() {
        comparison.number(&format!("F {} df {} {}", f[i], k[i], v[i]), f_upper(f[i], k[i] as usize, v[i]), p[i]);
    }
    comparison.report("t and F");
}

#[test]
fn pooled_numbers_equal_pool_scalar() {
    let golden = Golden::read("golden/resampling.json").at("pool_scalar");
    let mut comparison = Comparison::new();
    for name in golden.keys() {
        let golden = golden.at(&name);
        let complete_df = golden.options("complete_df")[0].unwrap_or(f64::INFINITY);
        let pooled = pool(&golden.list("estimates"), &golden.list("variances"), complete_df).expect("enough");
        let mut number = |key: &str, got: f64| comparison.number(&format!("{name} {key}"), got, golden.number(key));
        number("estimate", pooled.estimate);
        number("within", pooled.within);
        number("between", pooled.between);
        number("total", pooled.total);
        number("relative_increase", pooled.relative_increase);
        number("fmi", pooled.fmi);
        number("df", pooled.df);
        number("p_value", pooled.p_value);
        comparison.list(&format!("{name} conf"), &[pooled.conf_low, pooled.conf_high], &golden.list("conf"));
    }
    comparison.report("pool.scalar");
}

#[test]
fn pooled_models_equal_mice() {
    let golden = Golden::read("golden/resampling.json").at("pool");
    let mut comparison = Comparison::new();
    for model in ["logistic", "cox"] {
        let golden = golden.at(model);
        let (estimates, variances) = (golden.list("estimates"), golden.list("variances"));
        let terms = estimates.len() / 5;
        let term = |analyses: &[f64], j: usize| analyses.iter().skip(j).step_by(terms).copied().collect::<Vec<_>>();
        for j in 0..terms {
            let complete_df = golden.number("complete_df");
            let pooled = pool(&term(&estimates, j), &term(&variances, j), complete_df).expect("enough");
            let mut number = |key: &str, got: f64| {
                comparison.number(&format!("{model} {key}[{j}]"), got, golden.list(key)[j]);
            };
            number("estimate", pooled.estimate);
            number("within", pooled.within);
            number("between", pooled.between);
            number("total", pooled.total);
            number("relative_increase", pooled.relative_increase);
            number("lambda", pooled.lambda);
            number("fmi", pooled.fmi);
            number("df", pooled.df);
            number("std_error", pooled.std_error);
            number("statistic", pooled.statistic);
            number("p_value", pooled.p_value);
            number("conf_low", pooled.conf_low);
            number("conf_high", pooled.conf_high);
        }
    }
    comparison.report("mice::pool");
}

#[test]
fn pooled_tests_equal_their_definition() {
    let golden = Golden::read("golden/resampling.json").at("pool_test");
    let mut comparison = Comparison::new();
    for name in golden.keys() {
        let golden = golden.at(&name);
        let k = golden.number("k") as usize;
        let covariances: Vec<Matrix> =
            golden.list("covariances").chunks(k * k).map(|values| Matrix::new(k, k, values.to_vec())).collect();
        let estimates: Vec<Vec<f64>> = golden.list("estimates").chunks(k).map(<[f64]>::to_vec).collect();
        let PooledTest { statistic, df1, df2, relative_increase, p_value } =
            pool_test(&estimates, &covariances).expect("enough");
        assert_eq!(df1, k);
        let got = [statistic, df2, relative_increase, p_value];
        let expected = ["statistic", "df2", "relative_increase", "p_value"].map(|key| golden.number(key));
        comparison.list(&name, &got, &expected);
    }
    comparison.report("D1");
}

/// A stage of a chain over these rows, and whether it took pseudo-rows.
fn fit_stage(columns: &[Vec<f64>], y: &[f64], parts: usize) -> (Fit, bool) {
    let (columns, _, mut scale) = with_intercept(columns);
    // R's sd, by n - 1
    let n = y.len() as f64;
    scale[1..].iter_mut().for_each(|sd| *sd *= (n / (n - 1.0)).sqrt());
    let rows = Rows { columns, y: y.to_vec(), ..Rows::default() };
    let sites: Vec<Rows> = (0..parts).map(|k| rows.pick(&(k..y.len()).step_by(parts).collect::<Vec<_>>())).collect();
    let mut fit = StageFit::new(scale);
    loop {
        let beta = match fit.state() {
            State::Ask(LogisticAsk::Step { beta }) => beta.to_vec(),
            State::Done(done) => return (done.clone(), fit.augmented()),
            other => panic!("{other:?}"),
        };
        let sums = summed(&sites, step_len(beta.len()), |site, total| {
            step(&LogisticRows { x: &site.design(), y: &site.y, w: None }, &beta, total);
        });
        fit.tell(&sums);
    }
}

/// R: `glm` with weights on the rows and the pseudo-rows of White, Daniel and Royston without mice's cut at the range
/// (`tests/reference/augment.R`).
#[test]
fn a_level_that_is_predicted_perfectly_is_fitted_with_augmented_rows() {
    let columns = [
        vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        vec![2.0, 1.0, 0.0, 1.0, 3.0, 0.0, 1.0, 2.0, 2.0, 1.0],
    ];
    let y = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    for sites in [1, 2, 4] {
        let (fit, augmented) = fit_stage(&columns, &y, sites);
        assert!(augmented);
        for (b, r) in fit.beta.iter().zip([-1.456_631_868_885_129_4, -3.514_618_839_107_347, 1.070_529_984_301_843_4]) {
            assert!((b - r).abs() < 1e-12, "{b} {r}");
        }
        for (v, r) in
            fit.naive.diagonal().iter().zip([0.892_340_658_869_945_8, 2.191_371_196_609_166_5, 1.144_960_164_365_01])
        {
            assert!((v.sqrt() - r).abs() < 1e-11, "{} {r}", v.sqrt());
        }
        assert!((fit.loglik - -5.587_486_760_726_498).abs() < 1e-12);
    }
    // Two columns that are one.
    assert!(fit_stage(&[columns[1].clone(), columns[1].clone()], &y, 1).1);
    assert!(!fit_stage(&[columns[1].clone()], &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0], 2).1);
}
