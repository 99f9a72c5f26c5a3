//! Comparison of two result sets, number by number.

use study::results::{FitNumbers, Results, TestRow, WarningRow};

/// Largest relative difference between splits of the same rows. Sums over rows are exact to 2^-65 a block and some ulp
/// within one; solving with the information of the reference study multiplies that by less than a thousand.
const RELATIVE: f64 = 1e-11;

/// Compares all numbers of two results, `strata(site)` excepted: another split is another model.
///
/// A p value is the tail of the normal at z: d log p / d log z is close to -z^2 in the far tail, so an error of the
/// statistic stands in p multiplied by 1 + z^2. The same holds for a chi square, where x plays z^2.
pub fn assert_agree(left: &Results, right: &Results) {
    let mut pairs = Vec::new();
    let ours = left.estimates.iter().filter(|e| e.model != "stratified");
    let theirs = right.estimates.iter().filter(|e| e.model != "stratified");
    assert_eq!(ours.clone().count(), theirs.clone().count(), "number of estimates");
    for (a, b) in ours.zip(theirs) {
        assert_eq!((&a.term, &a.model, a.variance), (&b.term, &b.model, b.variance));
        let name = format!("{} {} {} {} {:?}", a.analysis, a.outcome, a.model, a.term, a.variance);
        pairs.extend([
            (format!("{name}: estimate"), a.estimate, b.estimate, 1.0),
            (format!("{name}: standard error"), a.std_error, b.std_error, 1.0),
            (format!("{name}: statistic"), a.statistic, b.statistic, 1.0),
            (format!("{name}: p value"), a.p_value, b.p_value, 1.0 + a.statistic * a.statistic),
        ]);
    }
    let ours = left.fits.iter().filter(|f| f.model != "stratified");
    let theirs = right.fits.iter().filter(|f| f.model != "stratified");
    assert_eq!(ours.clone().count(), theirs.clone().count(), "number of fits");
    for (a, b) in ours.zip(theirs) {
        let name = format!("{} {} {}", a.analysis, a.outcome, a.model);
        match (&a.outcome_of_fit, &b.outcome_of_fit) {
            (Ok(a), Ok(b)) => pairs.extend(numbers(&name, a, b)),
            (a, b) => assert_eq!(a, b, "{name}"),
        }
    }
    let ours = left.tests.iter().filter(|t| t.model != "stratified");
    let theirs = right.tests.iter().filter(|t| t.model != "stratified");
    assert_eq!(ours.clone().count(), theirs.clone().count(), "number of tests");
    for (a, b) in ours.zip(theirs) {
        let name = format!("{} {} {}", a.name, a.outcome, a.model);
        let factor = if a.name == "interaction_lr" { cancelled(a, left) } else { 1.0 };
        let of_p = factor * (1.0 + a.test.statistic);
        pairs.push((format!("{name}: statistic"), a.test.statistic, b.test.statistic, factor));
        pairs.push((format!("{name}: p value"), a.test.p_value, b.test.p_value, of_p));
    }
    assert_eq!(left.weights.len(), right.weights.len(), "number of weight rows");
    for (a, b) in left.weights.iter().zip(&right.weights) {
        assert_eq!((a.n, &a.counted, a.bounds, a.truncated), (b.n, &b.counted, b.bounds, b.truncated));
        pairs.push((format!("weights {} {}: sum", a.scheme, a.arm), a.sum, b.sum, 1.0));
        pairs.push((format!("weights {} {}: effective size", a.scheme, a.arm), a.ess, b.ess, 1.0));
    }
    assert_eq!(left.effects.len(), right.effects.len(), "number of standardised quantities");
    for (a, b) in left.effects.iter().zip(&right.effects) {
        let name = format!("{} {} {} {} {:?}", a.outcome, a.model, a.method, a.quantity.name(), a.at_days);
        let (error, other) = (a.std_error.unwrap_or(0.0), b.std_error.unwrap_or(0.0));
        // A difference keeps the rounding of the two numbers it is of: it is held to its standard error.
        let own = a.estimate.unwrap_or(0.0);
        let factor = 1.0 + error / own.abs().max(f64::MIN_POSITIVE);
        pairs.push((format!("{name}: estimate"), own, b.estimate.unwrap_or(0.0), factor));
        pairs.push((format!("{name}: standard error"), error, other, 1.0));
    }
    assert_eq!((&left.flow, &left.outcomes), (&right.flow, &right.outcomes));
    // how many sites carry a variance is no number that splits agree on
    let warnings = |results: &Results| -> Vec<WarningRow> {
        results.warnings.iter().filter(|row| row.code != "model.no_variance").cloned().collect()
    };
    assert_eq!((&left.overlap, warnings(left)), (&right.overlap, warnings(right)));
    let differ: Vec<String> = pairs
        .iter()
        .filter(|(_, a, b, factor)| {
            (a - b).abs() > RELATIVE * factor * a.abs().max(b.abs()) || a.is_nan() || b.is_nan()
        })
        .map(|(name, a, b, _)| format!("{name}: {a:e} and {b:e} ({:e})", (a - b).abs() / a.abs()))
        .collect();
    assert!(differ.is_empty(), "{} of {} numbers differ:\n{}", differ.len(), pairs.len(), differ.join("\n"));
}

fn numbers(name: &str, a: &FitNumbers, b: &FitNumbers) -> Vec<(String, f64, f64, f64)> {
    let mut pairs = vec![
        (format!("{name}: log likelihood at 0"), a.loglik_null, b.loglik_null, 1.0),
        (format!("{name}: log likelihood"), a.loglik, b.loglik, 1.0),
        (format!("{name}: Wald test"), a.wald, b.wald, 1.0),
    ];
    assert_eq!(a.unchecked, b.unchecked, "{name}: checks without a number");
    assert_eq!(a.concordance.is_some(), b.concordance.is_some(), "{name}: concordance");
    if let (Some(x), Some(y)) = (a.concordance, b.concordance) {
        pairs.push((format!("{name}: concordance"), x.value, y.value, 1.0));
        pairs.push((format!("{name}: bound of the concordance"), x.bound, y.bound, 1.0));
    }
    pairs.extend(a.score.zip(b.score).map(|(a, b)| (format!("{name}: score test"), a, b, 1.0)));
    if let (Some(x), Some(y)) = (&a.likelihood_ratio, &b.likelihood_ratio) {
        pairs.push((format!("{name}: likelihood ratio"), x.statistic, y.statistic, 1.0));
        pairs.push((format!("{name}: likelihood ratio p"), x.p_value, y.p_value, 1.0 + x.statistic));
    }
    pairs
}

/// A small difference of two log likelihoods keeps their rounding: relative to what is left it is larger by their
/// ratio.
fn cancelled(test: &TestRow, results: &Results) -> f64 {
    let fit = results.fits.iter().find(|f| (&f.outcome, &f.model, &f.ties) == (&test.outcome, &test.model, &test.ties));
    let loglik = fit.and_then(|f| f.outcome_of_fit.as_ref().ok()).map_or(0.0, |numbers| numbers.loglik.abs());
    1.0 + loglik / test.test.statistic
}
