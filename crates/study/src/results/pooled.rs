//! Rows of an imputed scenario: every term of every model, pooled over the draws by Rubin's rules.

use stats::fit::Fit;
use stats::impute::pool::{PoolError, pool};
use stats::matrix::Matrix;

use super::tables::{EstimateRow, FitNumbers, FitProblem, FitRow, Results, Variance, covariances, events_of};
use crate::plan::{Branch, Facts, Failure, FitKey, FitOutcome};
use crate::protocol::{AnalysisKind, Protocol};

/// Adds the rows of every model; nothing for a branch without imputation.
pub(super) fn add(results: &mut Results, branch: &Branch, facts: &Facts) {
    let Some(imputation) = branch.imputation() else { return };
    let protocol = branch.protocol();
    if let Some(failure) = imputation.failure() {
        results.fits.push(FitRow {
            analysis: "imputation",
            outcome: String::new(),
            model: "imputation",
            ties: None,
            n: facts.analysed(),
            events: 0,
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
        let row = |outcome_of_fit| FitRow {
            analysis: key.analysis_name(),
            outcome: key.outcome.clone(),
            model: key.model_name(),
            ties: key.ties_name(),
            n,
            events,
            imputations: Some(outcomes.len()),
            outcome_of_fit,
        };
        let pooled = fits(&outcomes).and_then(|fits| {
            let rows = rows(protocol, key, &fits, n, events);
            let iterations = fits.iter().map(|fit| fit.iterations).max().unwrap_or_default();
            rows.map(|rows| (rows, iterations)).map_err(|why| FitProblem::of(&Failure::from(why)))
        });
        match pooled {
            Ok((rows, iterations)) => {
                results.estimates.extend(rows);
                results.fits.push(row(Ok(no_numbers(key, iterations))));
            }
            Err(problem) => results.fits.push(row(Err(problem))),
        }
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

fn rows(protocol: &Protocol, key: &FitKey, fits: &[&Fit], n: u64, events: u64) -> Result<Vec<EstimateRow>, PoolError> {
    let covariances: Vec<Vec<(Variance, Matrix)>> = fits.iter().map(|fit| covariances(key, fit, n)).collect();
    // As mice takes them: rows, or events of a Cox model, less coefficients.
    let information = if matches!(key.analysis, Some(AnalysisKind::Cox(_))) { events } else { n };
    let complete_df = (information as f64 - key.terms.len() as f64).max(1.0);
    let iterations = fits.iter().map(|fit| fit.iterations).max().unwrap_or_default();
    let mut rows = Vec::new();
    for (j, term) in key.terms.iter().enumerate() {
        let estimates: Vec<f64> = fits.iter().map(|fit| fit.beta[j]).collect();
        for at in 0..covariances[0].len() {
            let variances: Vec<f64> = covariances.iter().map(|all| all[at].1[(j, j)]).collect();
            let pooled = pool(&estimates, &variances, complete_df)?;
            rows.push(EstimateRow {
                analysis: key.analysis_name(),
                outcome: key.outcome.clone(),
                model: key.model_name(),
                ties: key.ties_name(),
                term: term.name(protocol),
                variance: covariances[0][at].0,
                estimate: pooled.estimate,
                std_error: pooled.std_error,
                statistic: pooled.statistic,
                p_value: pooled.p_value,
                conf_low: pooled.conf_low,
                conf_high: pooled.conf_high,
                n,
                events,
                iterations,
                df: Some(pooled.df),
                fmi: Some(pooled.fmi),
                replicates: None,
                failed_replicates: None,
            });
        }
    }
    Ok(rows)
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
        concordance: None,
        unchecked: Vec::new(),
    }
}
