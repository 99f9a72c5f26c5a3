//! Rows of the checks of Cox models: tests of proportional hazards, concordance, and what has none.

use serde::{Deserialize, Serialize};
use stats::fit::Fit;
use stats::zph::{self, Transform, Untestable};

use super::rows::{FitRow, Name, TestRow};
use super::tables::test_row;
use crate::plan::{Branch, FitKey};
use crate::protocol::{Protocol, TRANSFORMS};
use crate::term::Term;

/// Concordance of a model and how far it can be from that of the predictor itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Concordance {
    /// Share of concordant pairs, ties counted half.
    pub value: f64,
    /// 0 where pairs are counted exactly; else half the share of the pairs that fall into one bin of the predictor.
    pub bound: f64,
}

/// Why a check has no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum CheckProblem {
    /// All events in one cell.
    #[error("zph_{transform}: the events do not spread over time")]
    NoSpread {
        /// Name of the transform.
        transform: Name,
    },
    /// Cell 0 has events.
    #[error("zph_{transform}: events at time 0 have no logarithm")]
    LogOfZero {
        /// Name of the transform.
        transform: Name,
    },
    /// There are no counts of those who leave, or they do not fit the events.
    #[error("zph_{transform}: the counts of exits do not fit the events")]
    Counts {
        /// Name of the transform.
        transform: Name,
    },
    /// The columns of a term vary in one event cell at most, or follow from others.
    #[error("zph_{transform}: the data do not tell whether `{term}` changes with time")]
    NoCourse {
        /// Name of the transform.
        transform: Name,
        /// Name of the term, or `global`.
        term: String,
    },
    /// A sum left the range of its word.
    #[error("{check}: the sums are not finite")]
    NotFinite {
        /// Name of the check.
        check: String,
    },
    /// No two rows can be compared.
    #[error("concordance: no pair of patients can be compared")]
    NoPairs,
}

impl CheckProblem {
    /// Stable code for notes and the documentation.
    pub fn code(&self) -> &'static str {
        match self {
            CheckProblem::NoSpread { .. } => "check.no_spread",
            CheckProblem::LogOfZero { .. } => "check.log_of_zero",
            CheckProblem::Counts { .. } => "check.counts",
            CheckProblem::NoCourse { .. } => "check.no_course",
            CheckProblem::NotFinite { .. } => "check.not_finite",
            CheckProblem::NoPairs => "check.no_pairs",
        }
    }

    fn of(why: Untestable, transform: Name) -> CheckProblem {
        match why {
            Untestable::NoSpread => CheckProblem::NoSpread { transform },
            Untestable::LogOfZero => CheckProblem::LogOfZero { transform },
            Untestable::Counts => CheckProblem::Counts { transform },
        }
    }
}

/// Name in the protocol, and of the test in `tests.csv`.
fn names(kind: Transform) -> (&'static str, &'static str) {
    let name = TRANSFORMS.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| name);
    let test = match kind {
        Transform::KaplanMeier => "zph_km",
        Transform::Rank => "zph_rank",
        Transform::Identity => "zph_identity",
        Transform::Log => "zph_log",
    };
    (name, test)
}

/// Adds the checks of a fitted model to its row, and its tests; none where nothing was declared.
pub(super) fn add(row: &mut FitRow, branch: &Branch, key: &FitKey) -> Vec<TestRow> {
    let (Some(sums), Some(fit), Ok(numbers)) = (branch.checks(key), branch.centred_fit(key), &mut row.outcome_of_fit)
    else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    let mut tests = Vec::new();
    for (kind, trend) in &sums.trends {
        match trend {
            Err(why) => problems.push(CheckProblem::of(*why, names(*kind).0.into())),
            Ok(trend) => {
                let trend = (*kind, &trend[..]);
                tests.extend(proportional_hazards(branch.protocol(), key, fit, &sums.beta, trend, &mut problems));
            }
        }
    }
    if let Some(pairs) = sums.pairs {
        match pairs.concordance().zip(pairs.bound()) {
            Some((value, bound)) if value.is_finite() => {
                let bound = if sums.exact { 0.0 } else { bound };
                numbers.concordance = Some(Concordance { value, bound });
            }
            _ if [pairs.concordant, pairs.discordant, pairs.tied].iter().any(|x| !x.is_finite()) => {
                problems.push(CheckProblem::NotFinite { check: "concordance".into() });
            }
            _ => problems.push(CheckProblem::NoPairs),
        }
    }
    numbers.unchecked = problems;
    tests
}

/// The tests of one transform: each term in the order of the model, then all together. `at` are the coefficients at which
/// the sums were formed.
pub(super) fn proportional_hazards(
    protocol: &Protocol,
    key: &FitKey,
    fit: &Fit,
    at: &[f64],
    (kind, trend): (Transform, &[f64]),
    problems: &mut Vec<CheckProblem>,
) -> Vec<TestRow> {
    let (transform, name) = names(kind);
    let row = |term, test| test_row(protocol, key, name, term, test);
    if !trend.iter().all(|word| word.is_finite()) {
        problems.push(CheckProblem::NotFinite { check: name.into() });
        return Vec::new();
    }
    let step: Vec<f64> = fit.beta.iter().zip(at).map(|(end, last)| end - last).collect();
    let terms = whole_terms(protocol, &key.terms);
    let columns: Vec<Vec<usize>> = terms.iter().map(|(_, columns)| columns.clone()).collect();
    let tests = zph::tests(&fit.information, &zph::moved(trend, &step), step.len(), &columns);
    let all = terms.into_iter().map(|(name, _)| name).chain([GLOBAL.to_owned()]);
    let mut rows = Vec::new();
    for (term, test) in all.zip(tests.terms.into_iter().chain([tests.global])) {
        match test {
            Some(test) => rows.push(row(term, test)),
            None => problems.push(CheckProblem::NoCourse { transform: transform.into(), term }),
        }
    }
    rows
}

/// Name of the test of all terms together.
const GLOBAL: &str = "global";

/// The terms of a model as the protocol names them, with their columns: a variable's levels are one term.
fn whole_terms(protocol: &Protocol, columns: &[Term]) -> Vec<(String, Vec<usize>)> {
    let mut terms: Vec<(String, Vec<usize>)> = Vec::new();
    for (column, term) in columns.iter().enumerate() {
        let name = whole_name(protocol, term);
        match terms.iter_mut().find(|(known, _)| *known == name) {
            Some((_, columns)) => columns.push(column),
            None => terms.push((name, vec![column])),
        }
    }
    terms
}

fn whole_name(protocol: &Protocol, term: &Term) -> String {
    match term {
        Term::Treatment => protocol.dictionary.variable(protocol.treatment.variable).name.clone(),
        Term::Level(id, _) => protocol.dictionary.variable(*id).name.clone(),
        Term::Product(a, b) => format!("{} x {}", whole_name(protocol, a), whole_name(protocol, b)),
        Term::Intercept | Term::Number(_) => term.name(protocol),
    }
}
