//! The weighted bootstrap against R's refits over the same weights, and the variates against their distributions.

use std::path::Path;
use std::slice::from_ref;

use stats::cox::Ties;
use stats::fit::{Fit, Why};
use stats::inference::chi_square_upper;
use stats::random;
use stats::resample::{Bootstrap, Replicates, weights};

use crate::compare::Comparison;
use crate::myeloma::{Cohort, scores};
use crate::sites::{Rows, centred, fit_cox, fit_logistic, naive, with_intercept};
use crate::table::{Golden, Table};

const REPLICATES: usize = 20;

/// Words for tests: SplitMix64 (Steele, Lea and Flood 2014).
pub fn words(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

/// The weights of the fixture, one list per replicate.
fn drawn() -> Vec<Vec<f64>> {
    let mut words = words(3);
    (0..REPLICATES).map(|_| weights(277, &mut words)).collect()
}

fn name(replicate: usize) -> String {
    format!("b{:02}", replicate + 1)
}

/// Writes the fixture that `golden_resampling.R` reads: `cargo test -p stats -- --ignored write_bootstrap_weights`.
#[test]
#[ignore = "writes a file"]
fn write_bootstrap_weights() {
    let drawn = drawn();
    let mut text = (0..REPLICATES).map(name).collect::<Vec<_>>().join(",");
    for i in 0..277 {
        let row: Vec<String> = drawn.iter().map(|replicate| format!("{:.16e}", replicate[i])).collect();
        text = text + "\n" + &row.join(",");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/golden/bootstrap_weights.csv");
    std::fs::write(file, text + "\n").expect("a writable fixture");
}

/// Every weight of the fixture bit by bit.
#[test]
fn the_generator_still_gives_the_fixture() {
    let table = Table::read("golden/bootstrap_weights.csv");
    for (replicate, weights) in drawn().iter().enumerate() {
        assert_eq!(&table.numbers(&name(replicate)), weights, "replicate {replicate}");
    }
}

/// The whole analysis of one replicate: weighted propensity model, stabilised weights with the weighted share, Cox model
/// of progression-free survival in days.
fn weighted_cox(cohort: &Cohort, b: &[f64]) -> Result<Fit, Why> {
    let (z, _, scale) = with_intercept(&cohort.covariates);
    let rows = Rows { columns: z.clone(), y: cohort.treated.clone(), w: Some(b.to_vec()), ..Rows::default() };
    let ps = fit_logistic(&[rows], &scale, naive())?;
    let treated: f64 = b.iter().zip(&cohort.treated).map(|(b, a)| b * a).sum();
    let share = treated / b.iter().sum::<f64>();
    let e = scores(&z, &ps.beta);
    let weight = |a: f64, e: f64| if a == 1.0 { share / e } else { (1.0 - share) / (1.0 - e) };
    let w = (0..b.len()).map(|i| b[i] * weight(cohort.treated[i], e[i])).collect();
    let (columns, _, scale) = centred(from_ref(&cohort.treated));
    let rows = Rows { columns, w: Some(w), ..cohort.survival("pfs_days", "pfs_event", 1.0) };
    fit_cox(&[rows], &scale, Ties::Efron, naive())
}

/// Treatment and covariates on response.
fn adjusted(cohort: &Cohort, b: &[f64]) -> Result<Fit, Why> {
    let (columns, _, scale) = with_intercept(&cohort.adjusted());
    let rows = Rows { columns, y: cohort.table.numbers("response"), w: Some(b.to_vec()), ..Rows::default() };
    fit_logistic(&[rows], &scale, naive())
}

type Model = fn(&Cohort, &[f64]) -> Result<Fit, Why>;

#[test]
fn replicates_and_their_summary_equal_r() {
    let cohort = Cohort::read();
    let table = Table::read("golden/bootstrap_weights.csv");
    let golden = Golden::read("golden/resampling.json").at("bootstrap");
    let mut comparison = Comparison::new();
    for (model, treatment, fit) in [("pfs", 0, weighted_cox as Model), ("response", 1, adjusted as Model)] {
        let golden = golden.at(model);
        let one = vec![1.0; 277];
        let estimate = fit(&cohort, &one).expect("regular").beta[treatment];
        comparison.number(&format!("{model} estimate"), estimate, golden.number("estimate"));
        let mut replicates = Replicates::default();
        for replicate in 0..REPLICATES {
            let b = table.numbers(&name(replicate));
            replicates.push(fit(&cohort, &b).ok().map(|fit| fit.beta[treatment]));
        }
        comparison.list(&format!("{model} replicates"), &replicates.values, &golden.list("replicates"));
        let Bootstrap { std_error, bias, normal, percentile, failed, .. } =
            replicates.summary(estimate).expect("enough replicates");
        assert_eq!(failed, 0);
        comparison.number(&format!("{model} std_error"), std_error, golden.number("std_error"));
        comparison.number(&format!("{model} bias"), bias, golden.number("bias"));
        comparison.list(&format!("{model} normal"), &normal, &golden.list("normal"));
        comparison.list(&format!("{model} percentile"), &percentile, &golden.list("percentile"));
    }
    comparison.report("bootstrap");
}

/// Sites that draw for their own rows make the replicate that one site would: a weight goes with its row.
#[test]
fn any_split_of_a_replicate_equals_pooled() {
    let cohort = Cohort::read();
    let b = &drawn()[1];
    let (columns, _, scale) = with_intercept(&cohort.adjusted());
    let rows = Rows { columns, y: cohort.table.numbers("response"), w: Some(b.clone()), ..Rows::default() };
    let pooled = adjusted(&cohort, b).expect("regular");
    for sites in [2, 45, 277] {
        let split = rows.split(&(0..277).map(|i| i * 7 % sites).collect::<Vec<_>>());
        let split = fit_logistic(&split, &scale, naive()).expect("regular");
        for (a, b) in pooled.beta.iter().zip(&split.beta) {
            assert!((a / b - 1.0).abs() < 1e-11);
        }
    }
}

/// The treatment effect does not see the scale of the weights.
#[test]
fn the_sum_of_the_weights_does_not_matter() {
    let cohort = Cohort::read();
    let b = &drawn()[0];
    let scaled: Vec<f64> = b.iter().map(|b| 8.0 * b).collect();
    for fit in [weighted_cox, adjusted] {
        let (one, eight) = (fit(&cohort, b).expect("regular"), fit(&cohort, &scaled).expect("regular"));
        for (a, b) in one.beta.iter().zip(&eight.beta) {
            assert!((a / b - 1.0).abs() < 1e-11);
        }
    }
}

#[test]
fn variates_equal_rs_quantiles() {
    let golden = Golden::read("golden/resampling.json").at("variates");
    let mut comparison = Comparison::exact();
    let (normal, exponential) = (golden.list("normal"), golden.list("exponential"));
    for (i, (high, low)) in golden.list("k_high").into_iter().zip(golden.list("k_low")).enumerate() {
        // The word of the lower half and its mirror image.
        let k = high as u64 * (1 << 26) + low as u64;
        let word = k << 11;
        comparison.number(&format!("normal {k}"), random::normal(word), normal[i]);
        comparison.number(&format!("normal {k}, mirrored"), random::normal(!word), -normal[i]);
        comparison.number(&format!("exponential {k}"), random::exponential(word), exponential[i]);
    }
    comparison.report("normal and exponential variates");
}

/// Counts in 20 equal parts of the distribution, over 20,000 draws: chi-square with 19 degrees of freedom.
fn uniform_p(u: impl Iterator<Item = f64>) -> f64 {
    let mut counts = [0.0; 20];
    for u in u.take(20_000) {
        counts[((u * 20.0) as usize).min(19)] += 1.0;
    }
    chi_square_upper(counts.iter().map(|n| (n - 1000.0) * (n - 1000.0) / 1000.0).sum(), 19)
}

#[test]
fn variates_have_their_distribution() {
    let mut words = words(11);
    let mut p = Vec::new();
    p.push(uniform_p(std::iter::from_fn(|| Some(random::uniform(words())))));
    p.push(uniform_p(std::iter::from_fn(|| Some(libm::exp(-random::exponential(words()))))));
    p.push(uniform_p(std::iter::from_fn(|| Some(0.5 * libm::erfc(random::normal(words()) / 2.0_f64.sqrt())))));
    for df in [1, 2, 3, 7, 268] {
        let mut draw = || random::chi_square(df, &mut words);
        p.push(uniform_p(std::iter::from_fn(|| Some(chi_square_upper(draw(), df)))));
    }
    println!("variates: p values of uniformity {p:.2?}");
    assert!(p.iter().all(|p| *p > 1e-3), "{p:?}");
}
