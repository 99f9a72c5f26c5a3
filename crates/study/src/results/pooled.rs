//! Rows of an imputed scenario: every term of every model, pooled over the draws by Rubin's rules.

use stats::fit::Fit;
use stats::impute::pool::{PoolError, Pooled, pool};
use stats::matrix::Matrix;

use super::effects::{self, Contrast};
use super::rows::{EstimateRow, FitNumbers, FitProblem, FitRow, Variance};
use super::tables::{Results, RowsOfModel, covariances, events_of, model_rows, variance_note};
use crate::dictionary::VariableId;
use crate::plan::{Branch, Facts, Failure, Family, FitKey, FitOutcome, Imputation};
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
            n: Some(facts.analysed()),
            events: Some(0),
            imputations: None,
            outcome_of_fit: Err(FitProblem::of(failure, Family::Imputation)),
        });
        return;
    }
    let Some(first) = imputation.draws().first() else { return };
    for (at, (key, _)) in first.fits().enumerate() {
        let models: Option<Vec<(&FitKey, FitOutcome<'_>)>> = imputation
            .draws()
            .iter()
            .map(|draw| draw.fits().nth(at).and_then(|(key, outcome)| Some((key, outcome?))))
            .collect();
        let Some(models) = models else { continue };
        let (n, events) = (model_rows(protocol, facts, key), events_of(protocol, facts, key));
        let pooled = fits(&models).and_then(|fits| {
            let iterations = fits.iter().map(|(_, fit)| fit.iterations).max().unwrap_or_default();
            let of = RowsOfModel::new(protocol, key, n, events, iterations);
            let rows =
                rows(&of, protocol, key, &fits).map_err(|why| FitProblem::of(&Failure::from(why), key.family()))?;
            let mut notes = imputation_notes(branch, imputation);
            for note in fits.iter().flat_map(|(key, _)| key.notes(protocol)) {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            Ok((rows, FitNumbers { notes, ..no_numbers(key, iterations) }))
        });
        let outcome = pooled.map(|(rows, numbers)| {
            results.estimates.extend(rows);
            numbers
        });
        let row = RowsOfModel::new(protocol, key, n, events, 0).fit(outcome);
        results.fits.push(FitRow { imputations: Some(models.len()), ..row });
    }
}

/// Which levels could not be imputed from the rows alone.
fn imputation_notes(branch: &Branch, imputation: &Imputation) -> Vec<String> {
    let note = |(id, level): &(VariableId, usize)| {
        let variable = branch.protocol().dictionary.variable(*id);
        let level = &variable.levels()[*level];
        format!(
            "level {level} of `{}` imputed with augmented data: its observed values have no finite fit",
            variable.name
        )
    };
    imputation.augmented().iter().map(note).collect()
}

/// The fits of all draws with their columns, or why one of them has none.
fn fits<'a>(models: &[(&'a FitKey, FitOutcome<'a>)]) -> Result<Vec<(&'a FitKey, &'a Fit)>, FitProblem> {
    let fit = |(number, (key, outcome)): (usize, &(&'a FitKey, FitOutcome<'a>))| match outcome {
        FitOutcome::Fitted(fit) => Ok((*key, *fit)),
        FitOutcome::Failed(failure) => {
            let problem = FitProblem::of(failure, key.family());
            Err(FitProblem { message: format!("imputation {}: {failure}", number + 1), ..problem })
        }
    };
    models.iter().enumerate().map(fit).collect()
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

fn rows(
    of: &RowsOfModel,
    protocol: &Protocol,
    key: &FitKey,
    fits: &[(&FitKey, &Fit)],
) -> Result<Vec<EstimateRow>, PoolError> {
    let covariances: Vec<Vec<(Variance, Matrix)>> = fits.iter().map(|(key, fit)| covariances(key, fit, of.n)).collect();
    // As mice takes them: rows, or events of a Cox model, less coefficients.
    let information = if of.hazard { of.events } else { of.n };
    let complete_df = (information as f64 - key.terms.len() as f64).max(1.0);
    let mut rows = Vec::new();
    for quantity in quantities(protocol, fits, &covariances) {
        for ((variance, _), variances) in covariances[0].iter().zip(&quantity.variances) {
            // a variance that some draw does not have, is none
            let missing = variances.iter().position(|v| v.is_nan());
            let pooled = match missing {
                None => pool(&quantity.estimates, variances, complete_df)?,
                Some(_) => Pooled::without_variance(&quantity.estimates),
            };
            let note = variance_note(*variance, fits[missing.unwrap_or_default()].1, pooled.std_error);
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

/// Every coefficient, and the treatment's effects within the levels of the effect modifier, that all draws have: what a
/// model leaves out can differ between them.
fn quantities(protocol: &Protocol, fits: &[(&FitKey, &Fit)], covariances: &[Vec<(Variance, Matrix)>]) -> Vec<Quantity> {
    let by_covariance = |variance: &dyn Fn(usize, &Matrix) -> f64| {
        let of = |at: usize| covariances.iter().enumerate().map(|(fit, all)| variance(fit, &all[at].1)).collect();
        (0..covariances[0].len()).map(of).collect()
    };
    let Some((first, _)) = fits.first() else { return Vec::new() };
    let coefficient = |term: &Term| {
        let place =
            |(key, _): &(&FitKey, &Fit)| key.terms.iter().position(|other| other == term).filter(|_| key.meant(term));
        let places: Vec<usize> = fits.iter().map(place).collect::<Option<_>>()?;
        Some(Quantity {
            name: term.name(protocol),
            effect: *term == Term::Treatment,
            estimates: fits.iter().zip(&places).map(|((_, fit), j)| fit.beta[*j]).collect(),
            variances: by_covariance(&|fit, covariance| covariance[(places[fit], places[fit])]),
        })
    };
    let contrasts: Vec<Vec<Contrast>> = fits.iter().map(|(key, _)| effects::within_levels(protocol, key)).collect();
    let contrast = |of_first: &Contrast| {
        let same = |all: &'_ Vec<Contrast>| all.iter().position(|contrast| contrast.name == of_first.name);
        let places: Vec<usize> = contrasts.iter().map(same).collect::<Option<_>>()?;
        let of = |fit: usize| &contrasts[fit][places[fit]];
        Some(Quantity {
            name: of_first.name.clone(),
            effect: true,
            estimates: fits.iter().enumerate().map(|(at, (_, fit))| of(at).estimate(fit)).collect(),
            variances: by_covariance(&|fit, covariance| {
                let std_error = of(fit).std_error(covariance);
                std_error * std_error
            }),
        })
    };
    first.terms.iter().filter_map(coefficient).chain(contrasts[0].iter().filter_map(contrast)).collect()
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
        notes: Vec::new(),
    }
}
