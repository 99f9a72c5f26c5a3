//! Rows of an imputed scenario: every term of every model, pooled over the draws by Rubin's rules.

use stats::fit::Fit;
use stats::impute::pool::{PoolError, Pooled, pool};
use stats::matrix::Matrix;

use super::effects;
use super::rows::{EstimateRow, FitNumbers, FitProblem, FitRow, Variance};
use super::tables::{Results, RowsOfModel, covariances, events_of, variance_note};
use crate::plan::{Branch, Facts, Failure, FitKey, FitOutcome};
use crate::protocol::{AnalysisKind, Protocol};
use crate::term::Term;

/// Adds the rows of every model; nothing for a branch without imputation.
pub(super) fn add(results: &mut Results, branch: &Branch, facts: &Facts) {
    let Some(imputation) = branch.imputation() else { return };
    let protocol = branch.protocol();
    if let Some(failure) = imputation.failure() {
        results.fits.push(FitRow {
            analysis: "imputation".into(),
            outcome: String::new(),
            cause: String::new(),
            model: "imputation".into(),
            modifier: String::new(),
            ties: None,
            n: facts.analysed(),
            events: Some(0),
            imputations: None,
            outcome_of_fit: Err(FitProblem::of(failure)),
        });
        return;
    }
    let Some(first) = imputation.draws().first() else { return };
    for (at, (key, _)) in first.fits().enumerate() {
        let outcomes: Option<Vec<FitOutcome<'_>>> =
            imputation.draws().iter().map(|draw| draw.fits().nth(at).and_then(|(_, outcome)| outcome)).collect();
        let Some(outcomes) = outcomes else { continue };
        let (n, events) = (facts.analysed(), events_of(protocol, facts, key));
        let pooled = fits(&outcomes).and_then(|fits| {
            let iterations = fits.iter().map(|fit| fit.iterations).max().unwrap_or_default();
            let of = RowsOfModel::new(protocol, key, n, events, iterations);
            let rows = rows(&of, protocol, key, &fits).map_err(|why| FitProblem::of(&Failure::from(why)))?;
            Ok((rows, no_numbers(key, iterations)))
        });
        let outcome = pooled.map(|(rows, numbers)| {
            results.estimates.extend(rows);
            numbers
        });
        let row = RowsOfModel::new(protocol, key, n, events, 0).fit(outcome);
        results.fits.push(FitRow { imputations: Some(outcomes.len()), ..row });
    }
}

/// The fits of all draws, or why one of them has none.
fn fits<'a>(outcomes: &[FitOutcome<'a>]) -> Result<Vec<&'a Fit>, FitProblem> {
    let fit = |(number, outcome): (usize, &FitOutcome<'a>)| match outcome {
        FitOutcome::Fitted(fit) => Ok(*fit),
        FitOutcome::Failed(failure) => {
            Err(FitProblem { message: format!("imputation {}: {failure}", number + 1), ..FitProblem::of(failure) })
        }
    };
    outcomes.iter().enumerate().map(fit).collect()
}

/// A coefficient, or a combination of some: its estimate in each fit, and its variance for each of a fit's covariances.
struct Quantity {
    name: String,
    /// Is it an effect of the treatment?
    effect: bool,
    estimates: Vec<f64>,
    /// By covariance, then by fit.
    variances: Vec<Vec<f64>>,
}

fn rows(of: &RowsOfModel, protocol: &Protocol, key: &FitKey, fits: &[&Fit]) -> Result<Vec<EstimateRow>, PoolError> {
    let covariances: Vec<Vec<(Variance, Matrix)>> = fits.iter().map(|fit| covariances(key, fit, of.n)).collect();
    // As mice takes them: rows, or events of a Cox model, less coefficients.
    let information = if of.hazard { of.events } else { of.n };
    let complete_df = (information as f64 - key.terms.len() as f64).max(1.0);
    let mut rows = Vec::new();
    for quantity in quantities(protocol, key, fits, &covariances) {
        for ((variance, _), variances) in covariances[0].iter().zip(&quantity.variances) {
            // a variance that some draw does not have, is none
            let missing = variances.iter().position(|v| v.is_nan());
            let pooled = match missing {
                None => pool(&quantity.estimates, variances, complete_df)?,
                Some(_) => Pooled::without_variance(&quantity.estimates),
            };
            let note = variance_note(*variance, fits[missing.unwrap_or_default()], pooled.std_error);
            let limits = [pooled.conf_low, pooled.conf_high];
            let e_value = || effects::of_ratio(of.hazard, pooled.estimate, limits, of.n, of.events);
            rows.push(EstimateRow {
                statistic: pooled.statistic,
                p_value: pooled.p_value,
                conf_low: pooled.conf_low,
                conf_high: pooled.conf_high,
                e_value: quantity.effect.then(e_value).flatten(),
                df: Some(pooled.df),
                fmi: Some(pooled.fmi),
                note,
                ..of.row(quantity.name.clone(), *variance, pooled.estimate, pooled.std_error, false)
            });
        }
    }
    Ok(rows)
}

/// Every coefficient, and the treatment's effects within the levels of the effect modifier.
fn quantities(
    protocol: &Protocol,
    key: &FitKey,
    fits: &[&Fit],
    covariances: &[Vec<(Variance, Matrix)>],
) -> Vec<Quantity> {
    let by_covariance = |variance: &dyn Fn(&Matrix) -> f64| {
        let of = |at: usize| covariances.iter().map(|all| variance(&all[at].1)).collect();
        (0..covariances[0].len()).map(of).collect()
    };
    let coefficients = key.terms.iter().enumerate().map(|(j, term)| Quantity {
        name: term.name(protocol),
        effect: *term == Term::Treatment,
        estimates: fits.iter().map(|fit| fit.beta[j]).collect(),
        variances: by_covariance(&|covariance| covariance[(j, j)]),
    });
    let contrasts = effects::within_levels(protocol, key).into_iter().map(|contrast| Quantity {
        effect: true,
        estimates: fits.iter().map(|fit| contrast.estimate(fit)).collect(),
        variances: by_covariance(&|covariance| {
            let std_error = contrast.std_error(covariance);
            std_error * std_error
        }),
        name: contrast.name,
    });
    coefficients.chain(contrasts).collect()
}

/// Likelihoods and tests of several draws are not pooled.
fn no_numbers(key: &FitKey, iterations: usize) -> FitNumbers {
    FitNumbers {
        loglik_null: f64::NAN,
        loglik: f64::NAN,
        logistic: !matches!(key.analysis, Some(AnalysisKind::Cox(_))),
        likelihood_ratio: None,
        score: None,
        wald: f64::NAN,
        iterations,
        max_score: f64::NAN,
        penalised: None,
        concordance: None,
        unchecked: Vec::new(),
    }
}
