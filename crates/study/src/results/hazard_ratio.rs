//! The treatment's hazard ratio from the two-arm table of a survival curve: no further sum is opened for it.

use stats::inference;
use stats::survival::{ArmTable, treatment_cox};

use super::rows::{FitNumbers, FitProblem, Variance};
use super::survival::KAPLAN_MEIER;
use super::tables::{Results, RowsOfModel, ties_name};
use crate::plan::{CurveKey, Facts, Failure, Family, Predicted};
use crate::protocol::Protocol;
use crate::term::Term;

/// Adds the model and its estimates where the protocol wants them.
pub(super) fn add(results: &mut Results, protocol: &Protocol, key: &CurveKey, table: &ArmTable, facts: &Facts) {
    let Some(ties) = key.analysis(protocol).and_then(|curve| curve.hazard_ratio) else { return };
    let outcome = protocol.outcomes[key.outcome].name.clone();
    let term = Term::Treatment.name(protocol);
    let fitted = facts.check_events(protocol, key.outcome, &outcome, None).and_then(|()| {
        let named = std::slice::from_ref(&term);
        treatment_cox(table, ties).map_err(|why| Failure::of(&why, named, &Predicted::Outcome(outcome.clone()), false))
    });
    let mut of = RowsOfModel {
        analysis: KAPLAN_MEIER,
        outcome,
        cause: String::new(),
        model: key.model_name(),
        ties: Some(ties_name(ties)),
        modifier: String::new(),
        n: facts.rows_with(protocol, key.outcome),
        events: facts.events[&key.outcome].events.iter().sum(),
        iterations: 0,
        hazard: true,
        subdistribution: false,
        naive: true,
    };
    let outcome_of_fit = match fitted {
        Err(failure) => Err(FitProblem::of(&failure, Family::Curve)),
        Ok(fit) => {
            of.iterations = fit.iterations;
            let robust = fit.robust.as_ref();
            for (variance, covariance) in [(Variance::Naive, Some(&fit.naive)), (Variance::Robust, robust)] {
                let rows = covariance.map(|v| of.row(term.clone(), variance, fit.beta[0], v[(0, 0)].sqrt(), true));
                results.estimates.extend(rows);
            }
            let robust = robust.filter(|_| key.weighted);
            let robust_wald = robust.and_then(|v| inference::wald_test(&fit.beta, v, &[0]).ok());
            Ok(FitNumbers {
                loglik_null: fit.loglik_null,
                loglik: fit.loglik,
                logistic: false,
                likelihood_ratio: (!key.weighted).then(|| inference::likelihood_ratio(fit.loglik, fit.loglik_null, 1)),
                score: fit.score_test,
                wald: robust_wald.map_or(fit.wald_test, |test| test.statistic),
                iterations: fit.iterations,
                max_score: fit.max_score,
                concordance: None,
                unchecked: Vec::new(),
                notes: Vec::new(),
                penalised: None,
            })
        }
    };
    results.fits.push(of.fit(outcome_of_fit));
}
