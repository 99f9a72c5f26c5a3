//! What to do about a failure: it depends on what failed as much as on why.

use super::failure::{Arms, Failure};
use crate::protocol::{AnalysisKind, Model};

/// What has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A propensity model.
    Propensity,
    /// Logistic regression.
    Logistic,
    /// Firth's logistic regression.
    Firth,
    /// Logistic regression with a ridge penalty.
    RidgeLogistic,
    /// Cox regression.
    Cox,
    /// Cox regression stratified by site.
    Stratified,
    /// Cox regression with a ridge penalty.
    RidgeCox,
    /// Fine-Gray regression.
    FineGray,
    /// Models that missing values are drawn from.
    Imputation,
    /// Survival curves and incidences, and what follows from their tables.
    Curve,
    /// Averages over the predictions of a model.
    Standardised,
}

impl Family {
    /// Of a model; none is the propensity model.
    pub(crate) fn of(analysis: Option<AnalysisKind>, model: Option<Model>) -> Family {
        match (analysis, model) {
            (None, _) => Family::Propensity,
            (Some(AnalysisKind::FineGray(_)), _) => Family::FineGray,
            (Some(AnalysisKind::Logistic), Some(Model::Firth)) => Family::Firth,
            (Some(AnalysisKind::Logistic), Some(Model::Ridge)) => Family::RidgeLogistic,
            (Some(AnalysisKind::Logistic), _) => Family::Logistic,
            (Some(AnalysisKind::Cox(_)), Some(Model::Ridge)) => Family::RidgeCox,
            (Some(AnalysisKind::Cox(_)), Some(Model::Stratified)) => Family::Stratified,
            (Some(AnalysisKind::Cox(_)), _) => Family::Cox,
        }
    }
}

impl Failure {
    /// What to do next about it in a model of this family.
    pub fn hint(&self, family: Family) -> &'static str {
        match self {
            Failure::Missing { .. } if family == Family::Imputation => {
                "add an [[eligibility]] line to the scenario that requires it; a covariate can stand in `impute`, too"
            }
            Failure::Missing { .. } => "add an [[eligibility]] line that requires the variable, or leave it out",
            Failure::Constant { sites: true, .. } => {
                "the sites do not mix the arms: compare them in a model that is not stratified by site"
            }
            Failure::Constant { .. } if family == Family::Propensity => {
                "no covariate differs between patients: declare others, or leave [propensity] out"
            }
            Failure::Constant { .. } => "leave the variable out",
            Failure::Unresolved { .. } => "declare the `range` that the values really have",
            Failure::Collinear { .. } => "leave one of the columns out",
            Failure::Inseparable { .. } => "leave these covariates out: they say who has which treatment",
            Failure::Separation { .. } => separation(family),
            Failure::EmptyArm { .. } => "check the treatment's levels and the eligibility criteria",
            Failure::NoValues { .. } | Failure::NoRows => {
                "check the variables of the outcome and the eligibility criteria"
            }
            Failure::NoEvents { arms, .. } => no_events(family, arms),
            Failure::AllEvents { arms, .. } => all_events(family, arms),
            Failure::NoComparison { .. } => "declare a model that is not stratified by site, such as `adjusted`",
            Failure::NotConverged { .. } | Failure::NotFinite => "check the ranges and the scale of the covariates",
            Failure::Imputation { .. } => "fewer covariates or levels make its model simpler",
            Failure::Replicates(_) | Failure::Pool(_) => {
                "the model nearly fails on the data themselves; declare fewer levels or covariates"
            }
            Failure::Table(_) | Failure::CauseTable(_) => {
                "the sums do not come from this software; look at the coordinator's log"
            }
            Failure::Propensity(_) | Failure::Trimming(_) => "mend the propensity model first",
            Failure::Quantiles(_) => "raise `weight_max` in [propensity]",
            Failure::Weights(_) => "truncate at other quantiles of the weights",
        }
    }
}

fn separation(family: Family) -> &'static str {
    match family {
        Family::Propensity => {
            "leave the variable out of [propensity], merge or coarsen its levels, or restrict [[eligibility]] to patients who \
             could have had either treatment"
        }
        Family::Logistic => {
            "merge levels, leave the variable out of this model, or declare the model `firth` or a `ridge` beside it"
        }
        Family::Cox | Family::Stratified => {
            "merge levels, leave the variable out of this model, or declare a `ridge` beside it"
        }
        Family::FineGray => {
            "merge levels or leave the variable out of this model; cumulative incidences and the Cox regression of the cause \
             need neither"
        }
        Family::RidgeLogistic | Family::RidgeCox => {
            "raise `ridge`, merge levels, or leave the variable out of this model"
        }
        Family::Firth | Family::Imputation | Family::Curve | Family::Standardised => {
            "merge levels, or leave the variable out of this model"
        }
    }
}

fn no_events(family: Family, arms: &Arms) -> &'static str {
    match (family, arms) {
        (Family::Logistic, Arms::One(_)) => {
            "the contrast has no finite estimate; report counts, or declare the model `firth` or a `ridge`"
        }
        (Family::Logistic | Family::RidgeLogistic, _) => {
            "there is nothing to compare; report counts, or declare the model `firth`, which alone has a finite estimate"
        }
        (Family::Cox | Family::Stratified, Arms::One(_)) => {
            "the contrast has no finite estimate; report counts and curves, or declare a `ridge`"
        }
        (Family::FineGray, Arms::One(_)) => {
            "the contrast has no finite estimate; report cumulative incidences and Gray's test"
        }
        (Family::Curve, Arms::One(_)) => "the contrast has no finite estimate; report counts and curves",
        _ => "there is nothing to compare; report counts",
    }
}

fn all_events(family: Family, arms: &Arms) -> &'static str {
    match (family, arms) {
        (Family::Logistic, Arms::One(_)) => {
            "the contrast has no finite estimate; report counts, or declare the model `firth` or a `ridge`"
        }
        (Family::Logistic | Family::RidgeLogistic, Arms::Both) => {
            "there is nothing to compare; report counts, or declare the model `firth`, which alone has a finite estimate"
        }
        _ => "there is nothing to compare; report counts",
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::Predicted;
    use super::*;

    const FAMILIES: [Family; 11] = [
        Family::Propensity,
        Family::Logistic,
        Family::Firth,
        Family::RidgeLogistic,
        Family::Cox,
        Family::Stratified,
        Family::RidgeCox,
        Family::FineGray,
        Family::Imputation,
        Family::Curve,
        Family::Standardised,
    ];

    fn failures() -> Vec<Failure> {
        let (outcome, term, terms) = (|| "o".to_owned(), || "x".to_owned(), || vec!["x".to_owned()]);
        let arm = || Arms::One("A".into());
        let separation = |predicted| Failure::Separation { predicted, terms: vec!["x".into()] };
        let of =
            |failure: Failure| [Failure::Propensity(Box::new(failure.clone())), Failure::Trimming(Box::new(failure))];
        let mut all = vec![
            Failure::Missing { variable: term(), rows: 3 },
            Failure::Constant { term: term(), sites: false },
            Failure::Constant { term: term(), sites: true },
            Failure::Inseparable { terms: terms() },
            Failure::Unresolved { term: term() },
            Failure::Collinear { term: term() },
            separation(Predicted::Treatment),
            separation(Predicted::Outcome(outcome())),
            separation(Predicted::Variable(term())),
            Failure::EmptyArm { arm: "A".into() },
            Failure::NoValues { outcome: outcome(), arm: "A".into() },
            Failure::NoRows,
            Failure::NoEvents { outcome: outcome(), arms: Arms::Both },
            Failure::NoEvents { outcome: outcome(), arms: arm() },
            Failure::NoComparison { outcome: outcome() },
            Failure::AllEvents { outcome: outcome(), arms: Arms::Both },
            Failure::AllEvents { outcome: outcome(), arms: arm() },
            Failure::NotConverged { iterations: 60 },
            Failure::NotFinite,
            Failure::Weights(stats::weights::SchemeError::Truncation),
            Failure::Quantiles(stats::weights::quantiles::HistogramError::Beyond),
        ];
        all.extend(of(separation(Predicted::Treatment)));
        let cause = Box::new(Failure::NotFinite);
        all.push(Failure::Imputation { variable: term(), cause });
        all
    }

    /// A hint names a penalised model only where the protocol can declare one for the same outcome, never the one that
    /// failed, and stratification only of a model that has it.
    #[test]
    fn every_hint_names_only_what_the_family_has() {
        let mut walked = 0;
        for family in FAMILIES {
            for failure in failures() {
                let hint = failure.hint(family);
                assert!(hint.len() > 15, "{family:?} {failure}");
                let firth = matches!(family, Family::Logistic | Family::RidgeLogistic);
                assert!(firth || !hint.contains("firth"), "{family:?} {failure}: {hint}");
                let ridge = matches!(family, Family::Logistic | Family::Cox | Family::Stratified);
                assert!(ridge || !hint.contains("declare a `ridge`"), "{family:?} {failure}: {hint}");
                assert!(
                    !hint.contains("`ridge`") || ridge || hint.contains("raise `ridge`"),
                    "{family:?} {failure}: {hint}"
                );
                assert!(!hint.contains("incidence") || family == Family::FineGray, "{family:?} {failure}: {hint}");
                assert!(!failure.to_string().contains("any arm"), "{failure}");
                walked += 1;
            }
        }
        assert_eq!(walked, 11 * 24);
        // Nobody with the event in either arm: a free intercept has no maximum under a ridge.
        let none = Failure::NoEvents { outcome: "o".into(), arms: Arms::Both };
        assert!(!none.hint(Family::Logistic).contains("ridge") && none.hint(Family::Logistic).contains("`firth`"));
    }
}
