//! Rows of a bootstrap: the treatment's effect with the standard deviation of the replicates, and with their percentiles.

use stats::inference::wald;
use stats::resample::{Replicates, TooFewReplicates};

use super::effects;
use super::rows::{EstimateRow, FitProblem, FitRow, Variance};
use super::tables::{Results, ties_name};
use crate::plan::{Failure, FitOutcome, Plan};
use crate::term::Term;

/// Adds the rows of every model that the bootstrap repeats. `results` holds those of the main analysis.
pub(super) fn add(results: &mut Results, plan: &Plan) {
    let Some(bootstrap) = plan.bootstrap() else { return };
    let treatment = Term::Treatment.name(plan.protocol());
    for (key, outcome) in plan.main().fits() {
        let coefficients = bootstrap.coefficients(key, &Term::Treatment);
        let Some(FitOutcome::Fitted(_)) = outcome.filter(|_| !coefficients.is_empty()) else { continue };
        let same = |row: &&EstimateRow| {
            row.analysis == key.analysis_name()
                && row.outcome == key.outcome
                && row.model == key.model_name()
                && row.ties.as_deref() == key.ties().map(ties_name)
                && row.cause.is_empty()
                && row.term == treatment
                && row.variance == Variance::Naive
        };
        let Some(main) = results.estimates.iter().find(same).cloned() else { continue };
        let mut replicates = Replicates::default();
        for coefficient in coefficients {
            replicates.push(coefficient);
        }
        match rows(&main, &replicates) {
            Ok(rows) => results.estimates.extend(rows),
            Err(why) => results.fits.push(FitRow {
                analysis: "bootstrap".into(),
                outcome: main.outcome,
                cause: main.cause,
                model: main.model,
                modifier: main.modifier,
                ties: main.ties,
                n: main.n,
                events: main.events,
                imputations: None,
                outcome_of_fit: Err(FitProblem::of(&Failure::from(why), key.family())),
            }),
        }
    }
}

/// Both rows of one effect. Statistic and p value of both are those of estimate and standard error.
fn rows(main: &EstimateRow, replicates: &Replicates) -> Result<[EstimateRow; 2], TooFewReplicates> {
    let summary = replicates.summary(main.estimate)?;
    let test = wald(main.estimate, summary.std_error);
    let row = |variance, [conf_low, conf_high]: [f64; 2]| EstimateRow {
        variance,
        declared: true,
        note: None,
        std_error: summary.std_error,
        statistic: test.statistic,
        p_value: test.p_value,
        conf_low,
        conf_high,
        e_value: main.e_value.and_then(|_| {
            effects::of_ratio(main.ties.is_some(), main.estimate, [conf_low, conf_high], main.n?, main.events?)
        }),
        replicates: Some(summary.replicates),
        failed_replicates: Some(summary.failed),
        ..main.clone()
    };
    Ok([row(Variance::Bootstrap, summary.normal), row(Variance::BootstrapPercentile, summary.percentile)])
}
