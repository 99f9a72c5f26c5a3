//! A release against the fits, row by row.

use std::fmt;
use std::sync::Arc;

use stats::fit::Fit;
use stats::inference::ChiSquare;

use super::follow::End;
use super::{Differs, Model, Refits};
use crate::plan::FitKey;
use crate::protocol::Protocol;
use crate::results::{
    EstimateRow, FitNumbers, FitRow, KAPLAN_MEIER, Results, TestRow, Told, Variance, rows_of_model, ties_name,
};
use crate::term::Term;

/// How many released fits were compared, and how many could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// The same as the coordinator's own, to the last bit.
    pub same: u32,
    /// Of a ridge: its penalties are made of the spread of the columns.
    pub ridge: u32,
    /// Pooled over completed data sets.
    pub imputed: u32,
    /// Hazard ratios from the table of a curve.
    pub curves: u32,
    /// Models with a bootstrap, whose replicates are sealed; the models themselves are compared.
    pub bootstrapped: u32,
}

impl Compared {
    /// Fits that could not be compared.
    pub fn not_compared(&self) -> u32 {
        self.ridge + self.imputed + self.curves
    }

    /// What could not be compared, in words; empty where everything could.
    pub fn exceptions(&self) -> Vec<String> {
        let count = |n: u32, what: &str| (n > 0).then(|| format!("{n} {what}"));
        let parts = [
            count(self.ridge, "of a ridge"),
            count(self.imputed, "pooled over imputations"),
            count(self.curves, "from the table of a curve"),
        ];
        parts.into_iter().flatten().collect()
    }

    fn add(&mut self, more: Compared) {
        self.same += more.same;
        self.ridge += more.ridge;
        self.imputed += more.imputed;
        self.curves += more.curves;
        self.bootstrapped += more.bootstrapped;
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} released fits are the coordinator's own to the last bit", self.same)?;
        match &self.exceptions()[..] {
            [] => write!(f, ", none could not be compared")?,
            exceptions => {
                write!(f, ", {} could not be compared ({})", self.not_compared(), exceptions.join(", "))?;
            }
        }
        if self.bootstrapped > 0 {
            write!(f, "; of {} the replicates were not", self.bootstrapped)?;
        }
        Ok(())
    }
}

/// What tells the rows of one model from those of another.
#[derive(Debug, Clone, PartialEq)]
struct Rows<'a> {
    analysis: &'a str,
    outcome: &'a str,
    cause: &'a str,
    model: &'a str,
    modifier: &'a str,
    ties: Option<&'a str>,
}

impl<'a> Rows<'a> {
    fn of_fit(row: &'a FitRow) -> Rows<'a> {
        Rows {
            analysis: &row.analysis,
            outcome: &row.outcome,
            cause: &row.cause,
            model: &row.model,
            modifier: &row.modifier,
            ties: row.ties.as_deref(),
        }
    }

    fn of_estimate(row: &'a EstimateRow) -> Rows<'a> {
        Rows {
            analysis: &row.analysis,
            outcome: &row.outcome,
            cause: &row.cause,
            model: &row.model,
            modifier: &row.modifier,
            ties: row.ties.as_deref(),
        }
    }

    fn of_test(row: &'a TestRow) -> Rows<'a> {
        Rows {
            analysis: "",
            outcome: &row.outcome,
            cause: &row.cause,
            model: &row.model,
            modifier: &row.modifier,
            ties: row.ties.as_deref(),
        }
    }

    fn is_regression(&self) -> bool {
        matches!(self.analysis, "propensity" | "logistic" | "cox" | "fine_gray")
    }

    fn name(&self, scenario: &str) -> String {
        let scenario = if scenario.is_empty() { String::new() } else { format!("scenario `{scenario}`") };
        let by = if self.modifier.is_empty() { String::new() } else { format!("by {}", self.modifier) };
        let parts =
            [&scenario, self.analysis, self.outcome, self.cause, self.model, &by, self.ties.unwrap_or_default()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// How a model is named where its sums or its rows are not as they should be.
pub(super) fn name((scenario, protocol): &(String, Arc<Protocol>), key: &FitKey) -> String {
    let modifier = key.modifier_name(protocol);
    rows_of(key, &modifier).name(scenario)
}

fn rows_of<'a>(key: &'a FitKey, modifier: &'a str) -> Rows<'a> {
    Rows {
        analysis: key.analysis_name(),
        outcome: &key.outcome,
        cause: key.cause.as_deref().unwrap_or_default(),
        model: key.model_name(),
        modifier,
        ties: key.ties().map(ties_name),
    }
}

pub(super) fn compare(refits: &Refits, results: &Results) -> Result<Compared, Differs> {
    let mut all = Compared::default();
    for (index, (scenario, protocol)) in refits.analyses.iter().enumerate() {
        let results = match index.checked_sub(1).map(|index| results.scenarios.get(index)) {
            None => results,
            Some(Some(released)) if released.name == *scenario => &released.results,
            Some(_) => {
                let model = format!("scenario `{scenario}`");
                return Err(Differs { model, quantity: "it is not in the release".into() });
            }
        };
        let models: Vec<&Model> = refits.models.iter().filter(|model| model.analysis == index).collect();
        all.add(Analysis { scenario, protocol, models: &models, results }.compare()?);
    }
    if results.scenarios.len() + 1 > refits.analyses.len() {
        return Err(Differs { model: "scenarios".into(), quantity: "the protocol declares fewer".into() });
    }
    Ok(all)
}

/// The main analysis or a scenario.
struct Analysis<'a> {
    scenario: &'a str,
    protocol: &'a Protocol,
    models: &'a [&'a Model],
    results: &'a Results,
}

impl Analysis<'_> {
    fn compare(&self) -> Result<Compared, Differs> {
        let mut compared = Compared::default();
        let mut tests = Vec::new();
        let fits: Vec<Option<Fit>> = self.models.iter().map(|model| on_users_scale(model)).collect();
        let own: Vec<Option<Told<'_>>> =
            self.models.iter().zip(&fits).map(|(model, fit)| told(model, fit.as_ref()?)).collect();
        let fitted: Vec<Told<'_>> = own.iter().flatten().copied().collect();
        let analysed = self.models.iter().find(|model| model.key.analysis.is_none());
        let analysed = analysed.and_then(|model| model.followed.rows());
        let names: Vec<String> = self.models.iter().map(|model| model.key.modifier_name(self.protocol)).collect();
        let declared: Vec<Rows<'_>> =
            self.models.iter().zip(&names).map(|(model, modifier)| rows_of(&model.key, modifier)).collect();
        for ((model, own), of) in self.models.iter().zip(&own).zip(&declared) {
            let differs = |quantity: &str| Differs { model: of.name(self.scenario), quantity: quantity.into() };
            let released: Vec<&FitRow> = self.results.fits.iter().filter(|row| Rows::of_fit(row) == *of).collect();
            let row = match (&released[..], model.followed.end()) {
                ([row], _) => row,
                // what never began has no row
                ([], End::None | End::Sealed) => continue,
                ([], End::Fitted | End::Open) => return Err(differs("it is not in the release")),
                ([_, _, ..], _) => return Err(differs("it is in the release more than once")),
            };
            // Those without a value of the outcome are not in its model.
            let rows = model.followed.rows();
            let other = |n: f64| rows.is_some_and(|rows| rows != n) || analysed.is_some_and(|all| n > all);
            if row.n.is_some_and(|n| other(n as f64)) {
                return Err(differs("n"));
            }
            match (model.followed.end(), &row.outcome_of_fit) {
                (End::Sealed, outcome) => compared.ridge += u32::from(outcome.is_ok()),
                (End::Fitted, Err(_)) => return Err(differs("its sums have a fit, the release has none")),
                (End::None | End::Open, Ok(_)) => return Err(differs("its sums have no fit, the release has one")),
                (End::Open, Err(_)) => return Err(differs("its fit ended before its sums say so")),
                (End::None, Err(_)) => {}
                (End::Fitted, Ok(numbers)) => {
                    let Some(own) = *own else { continue };
                    let n = row.n.or(rows.map(|rows| rows as u64));
                    tests.extend(self.model(own, &fitted, of, (row, n), numbers)?);
                    compared.same += 1;
                    let mut estimates = self.results.estimates.iter().filter(|row| Rows::of_estimate(row) == *of);
                    compared.bootstrapped += u32::from(estimates.any(|row| is_bootstrap(row.variance)));
                }
            }
        }
        // Imputed models are those of every draw, none of which has a place among the models of its scenario.
        let imputed = self.models.is_empty();
        for row in &self.results.fits {
            let of = Rows::of_fit(row);
            let fitted = u32::from(row.outcome_of_fit.is_ok());
            if row.analysis == KAPLAN_MEIER {
                compared.curves += fitted;
            } else if imputed && row.imputations.is_some() {
                compared.imputed += fitted;
            } else if of.is_regression() && !declared.contains(&of) {
                return Err(self.undeclared(&of));
            }
        }
        for row in self.results.estimates.iter().filter(|_| !imputed) {
            let of = Rows::of_estimate(row);
            let fit = self.results.fits.iter().find(|row| Rows::of_fit(row) == of);
            if of.is_regression() && fit.is_none_or(|row| row.outcome_of_fit.is_err()) {
                return Err(self.undeclared(&of));
            }
        }
        self.tests(&tests).map_or(Ok(compared), Err)
    }

    fn undeclared(&self, of: &Rows<'_>) -> Differs {
        Differs { model: of.name(self.scenario), quantity: "the release has numbers of no fit".into() }
    }

    /// Holds the rows of one model against its own fit; gives its tests.
    fn model(
        &self,
        own: Told<'_>,
        fitted: &[Told<'_>],
        of: &Rows<'_>,
        (row, n): (&FitRow, Option<u64>),
        numbers: &FitNumbers,
    ) -> Result<Vec<TestRow>, Differs> {
        let differs = |quantity: String| Differs { model: of.name(self.scenario), quantity };
        // Where the number of events is hidden, it decides over the form of an E-value alone: rare or not.
        // Where that of the patients is hidden, it decides over that and over errors as in a survey.
        let patients = n.unwrap_or(u64::from(u32::MAX));
        let events = row.events.filter(|_| n.is_some()).map_or([0, patients], |events| [events; 2]);
        let [rare, common] = events.map(|events| rows_of_model(self.protocol, own, fitted, (patients, events)));
        let (estimates, own_numbers, tests) = rare;
        let released: Vec<&EstimateRow> =
            self.results.estimates.iter().filter(|row| Rows::of_estimate(row) == *of).collect();
        let (released, replicated): (Vec<_>, Vec<_>) =
            released.into_iter().partition(|row| !is_bootstrap(row.variance));
        let intercept = Term::Intercept.name(self.protocol);
        if replicated
            .iter()
            .filter(|row| row.term != intercept)
            .any(|row| !estimates.iter().any(|own| same(own.estimate, row.estimate) && own.term == row.term))
        {
            return Err(differs("estimate of the bootstrap".into()));
        }
        if released.len() != estimates.len() {
            return Err(differs("number of estimates".into()));
        }
        for ((ours, common), theirs) in estimates.iter().zip(&common.0).zip(released) {
            let place = |quantity: &str| format!("{quantity} of {} ({})", ours.term, ours.variance.name());
            if (&ours.term, ours.variance) != (&theirs.term, theirs.variance) {
                return Err(differs(place("row")));
            }
            if theirs.n != row.n || theirs.iterations != ours.iterations || theirs.events != row.events {
                return Err(differs(place("counts")));
            }
            if (theirs.declared, theirs.note) != (ours.declared, ours.note) {
                return Err(differs(place("note")));
            }
            // the centres of the columns, which move it, are sealed
            if ours.term == intercept {
                continue;
            }
            let unknown = n.is_none() && ours.variance == Variance::Survey;
            let compared = if unknown { 1 } else { 6 };
            let quantities = [
                ("estimate", ours.estimate, theirs.estimate),
                ("std_error", ours.std_error, theirs.std_error),
                ("statistic", ours.statistic, theirs.statistic),
                ("p_value", ours.p_value, theirs.p_value),
                ("conf_low", ours.conf_low, theirs.conf_low),
                ("conf_high", ours.conf_high, theirs.conf_high),
            ];
            for (quantity, ours, theirs) in quantities.into_iter().take(compared) {
                if !same(ours, theirs) {
                    return Err(differs(place(quantity)));
                }
            }
            if !unknown && theirs.e_value != ours.e_value && theirs.e_value != common.e_value {
                return Err(differs(place("e_value")));
            }
        }
        if let Some(quantity) = other_number(&own_numbers, numbers) {
            return Err(differs(quantity.into()));
        }
        Ok(tests)
    }

    /// The first test of the models that is not the same in the release. Their rows do not say which regression they are of,
    /// so those of all models are looked for together.
    fn tests(&self, ours: &[TestRow]) -> Option<Differs> {
        let is_of_fit = |row: &&TestRow| row.name.starts_with("interaction_") || row.name.starts_with("zph_");
        let theirs: Vec<&TestRow> = self.results.tests.iter().filter(is_of_fit).collect();
        let equal = |a: &TestRow, b: &TestRow| {
            (&a.name, &a.term, Rows::of_test(a)) == (&b.name, &b.term, Rows::of_test(b)) && same_test(&a.test, &b.test)
        };
        let theirs_alone = theirs.iter().copied().find(|row| !ours.iter().any(|own| equal(own, row)));
        let ours_alone = || ours.iter().find(|own| !theirs.iter().any(|row| equal(own, row)));
        let row = theirs_alone.or_else(ours_alone).or(theirs.get(ours.len()).copied())?;
        let model = Rows::of_test(row).name(self.scenario);
        Some(Differs { model, quantity: format!("{} of {}", row.name, row.term) })
    }
}

/// The fit of the columns as they are; the intercept is still that of centred ones.
fn on_users_scale(model: &Model) -> Option<Fit> {
    Some(model.followed.fit()?.0.rescale(&model.units()))
}

fn told<'a>(model: &'a Model, fit: &'a Fit) -> Option<Told<'a>> {
    let (measured, at) = model.followed.fit()?;
    Some(Told { key: &model.key, fit, measured, trends: (at, model.followed.trends()) })
}

fn is_bootstrap(variance: Variance) -> bool {
    matches!(variance, Variance::Bootstrap | Variance::BootstrapPercentile)
}

/// To the last bit; two that are no numbers are the same.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn same_test(a: &ChiSquare, b: &ChiSquare) -> bool {
    a.df == b.df && same(a.statistic, b.statistic) && same(a.p_value, b.p_value)
}

/// The first number of a fit that is not the same. Concordance and the checks without a number are counts of the sites.
fn other_number(ours: &FitNumbers, theirs: &FitNumbers) -> Option<&'static str> {
    let FitNumbers {
        loglik_null,
        loglik,
        logistic,
        likelihood_ratio,
        score,
        wald,
        iterations,
        max_score,
        penalised,
        concordance: _,
        unchecked: _,
        notes,
    } = theirs;
    let pairs = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (a, b) => a.is_none() && b.is_none(),
    };
    let ratio = match (&ours.likelihood_ratio, likelihood_ratio) {
        (Some(a), Some(b)) => same_test(a, b),
        (a, b) => a.is_none() && b.is_none(),
    };
    let (own, released) = (ours.penalised, *penalised);
    let penalty = pairs(own.map(|p| p.loglik), released.map(|p| p.loglik))
        && pairs(own.and_then(|p| p.df), released.and_then(|p| p.df));
    [
        ("loglik_null", same(ours.loglik_null, *loglik_null)),
        ("loglik", same(ours.loglik, *loglik)),
        ("kind of regression", ours.logistic == *logistic),
        ("likelihood_ratio", ratio),
        ("score", pairs(ours.score, *score)),
        ("wald", same(ours.wald, *wald)),
        ("iterations", ours.iterations == *iterations),
        ("max_score", same(ours.max_score, *max_score)),
        ("penalised loglik", penalty),
        ("notes", ours.notes == *notes),
    ]
    .into_iter()
    .find_map(|(quantity, same)| (!same).then_some(quantity))
}
