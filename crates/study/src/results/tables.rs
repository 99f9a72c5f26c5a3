//! All tables of a run, and the rows of its models, counts and tests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stats::cox::Ties;
use stats::fit::Fit;
use stats::inference::{self, ChiSquare};
use stats::matrix::Matrix;

use super::balance::{self, BalanceRow};
use super::bootstrap;
use super::boundaries::{Boundaries, Shown};
use super::checks;
use super::effects;
use super::follow_up;
use super::incidence::{self, IncidenceRow};
use super::pooled;
use super::rows::{
    EstimateRow, FitNumbers, FitProblem, FitRow, FlowRow, Name, OutcomeRow, TestRow, Variance, VarianceNote,
};
use super::standardised::{self, EffectRow};
use super::subgroups::{self, SubgroupRow};
use super::survival::{self, MedianRow, SurvivalRow};
use super::warnings::{self, WarningRow};
use super::weights::{self, HistogramRow, OverlapRow, WeightRow};
use crate::plan::{Branch, Facts, FitKey, FitOutcome, Plan};
use crate::protocol::{AnalysisKind, Model, OutcomeKind, Protocol, Scenario};
use crate::term::Term;

/// All tables of one run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Results {
    /// `estimates.csv`.
    pub estimates: Vec<EstimateRow>,
    /// `fits.csv`.
    pub fits: Vec<FitRow>,
    /// `flow.csv`.
    pub flow: Vec<FlowRow>,
    /// `outcomes.csv`.
    pub outcomes: Vec<OutcomeRow>,
    /// `weights.csv`.
    pub weights: Vec<WeightRow>,
    /// `propensity_histogram.csv`.
    pub histogram: Vec<HistogramRow>,
    /// `balance.csv`.
    pub balance: Vec<BalanceRow>,
    /// `survival.csv`.
    pub survival: Vec<SurvivalRow>,
    /// `medians.csv`.
    pub medians: Vec<MedianRow>,
    /// `effects.csv`.
    pub effects: Vec<EffectRow>,
    /// `incidence.csv`.
    pub incidences: Vec<IncidenceRow>,
    /// `tests.csv`.
    pub tests: Vec<TestRow>,
    /// `overlap.csv`.
    pub overlap: Vec<OverlapRow>,
    /// `subgroups.csv`.
    pub subgroups: Vec<SubgroupRow>,
    /// `warnings.csv`.
    pub warnings: Vec<WarningRow>,
    /// Categorical variables whose first level nobody has: the level that is the reference of the models, by its index.
    pub references: BTreeMap<String, usize>,
    /// The same tables of every scenario. A derived encoding leaves them out, so that no input nests scenarios in
    /// scenarios; [`crate::release::Release`] writes them beside.
    #[serde(skip)]
    pub scenarios: Vec<ScenarioResults>,
}

/// What one scenario of the protocol ended with.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioResults {
    /// Its name.
    pub name: String,
    /// What a person reads.
    pub label: String,
    /// Its tables; it has no scenarios of its own.
    pub results: Results,
}

impl Results {
    /// The tables of a plan that is done (of what is fitted, when it is not).
    pub fn of(plan: &Plan) -> Results {
        Results::within(plan, &Boundaries::of(plan))
    }

    /// The tables with the times that are given out.
    pub(crate) fn within(plan: &Plan, boundaries: &Boundaries) -> Results {
        let scenario = |(index, (scenario, branch)): (usize, (&Scenario, &Branch))| ScenarioResults {
            name: scenario.name.clone(),
            label: scenario.label.clone(),
            results: Results::of_branch(branch, boundaries.of_analysis(index)),
        };
        let mut main = Results::of_branch(plan.main(), boundaries.of_analysis(0));
        bootstrap::add(&mut main, plan);
        Results { scenarios: (1..).zip(plan.scenarios()).map(scenario).collect(), ..main }
    }

    fn of_branch(branch: &Branch, shown: &BTreeMap<usize, Shown>) -> Results {
        let Some(facts) = branch.facts() else { return Results::default() };
        let protocol = branch.protocol();
        let mut results = Results {
            flow: flow(protocol, facts),
            outcomes: outcomes(protocol, facts),
            weights: weights::weights(branch),
            histogram: weights::histogram(branch),
            overlap: weights::overlap(branch),
            subgroups: subgroups::rows(branch),
            warnings: warnings::rows(branch, facts),
            balance: balance::rows(branch, facts),
            tests: chi_squares(protocol, facts),
            references: references(protocol, facts),
            ..Results::default()
        };
        for (key, outcome) in branch.fits() {
            let Some(outcome) = outcome else { continue };
            let (n, events) = (model_rows(protocol, facts, key), events_of(protocol, facts, key));
            let mut row = fit_row(protocol, key, outcome, n, events);
            if let FitOutcome::Fitted(fit) = outcome {
                results.estimates.extend(estimates(protocol, key, fit, n, events));
                let without = branch.fits().find_map(|(other, outcome)| match outcome {
                    Some(FitOutcome::Fitted(fit)) if is_without_products(other, key) => Some(fit),
                    Some(FitOutcome::Fitted(_) | FitOutcome::Failed(_)) | None => None,
                });
                results.tests.extend(interaction_tests(protocol, key, fit, without));
                results.tests.extend(checks::add(&mut row, branch, key));
            }
            results.fits.push(row);
        }
        results.warnings.extend(warnings::without_variance(&results.estimates));
        survival::add(&mut results, branch, facts, shown);
        pooled::add(&mut results, branch, facts);
        standardised::add(&mut results, branch, facts, shown);
        incidence::add(&mut results, branch, facts, shown);
        follow_up::add(&mut results, branch, shown);
        results
    }

    /// Did any declared model or curve fail, be it in a scenario?
    pub fn any_failed(&self) -> bool {
        self.fits.iter().any(|f| f.outcome_of_fit.is_err()) || self.scenarios.iter().any(|s| s.results.any_failed())
    }
}

pub(crate) fn ties_name(ties: Ties) -> &'static str {
    match ties {
        Ties::Efron => "efron",
        Ties::Breslow => "breslow",
    }
}

/// What the rows of one model share.
pub(super) struct RowsOfModel {
    pub(super) analysis: &'static str,
    pub(super) outcome: String,
    pub(super) cause: String,
    pub(super) model: &'static str,
    pub(super) ties: Option<&'static str>,
    pub(super) modifier: String,
    pub(super) n: u64,
    pub(super) events: u64,
    pub(super) iterations: usize,
    /// Are its ratios hazard ratios?
    pub(super) hazard: bool,
    /// Are they ratios of subdistribution hazards? Those have no E-value.
    pub(super) subdistribution: bool,
    /// Is the naive variance declared?
    pub(super) naive: bool,
}

impl RowsOfModel {
    pub(super) fn new(protocol: &Protocol, key: &FitKey, n: u64, events: u64, iterations: usize) -> RowsOfModel {
        RowsOfModel {
            analysis: key.analysis_name(),
            outcome: key.outcome.clone(),
            cause: cause_of(key),
            model: key.model_name(),
            ties: key.ties().map(ties_name),
            modifier: key.modifier_name(protocol),
            n,
            events,
            iterations,
            hazard: key.ties().is_some(),
            subdistribution: matches!(key.analysis, Some(AnalysisKind::FineGray(_))),
            naive: !key.variances.without_naive,
        }
    }

    /// A row of estimates; `effect` says whether the term is an effect of the treatment on the outcome.
    pub(super) fn row(
        &self,
        term: String,
        variance: Variance,
        estimate: f64,
        std_error: f64,
        effect: bool,
    ) -> EstimateRow {
        // a release has the same bits at all sites; which bits "not a number" gets in arithmetic is the machine's choice
        let same = |x: f64| if x.is_nan() { f64::NAN } else { x };
        let std_error = same(std_error);
        let wald = inference::wald(estimate, std_error);
        let limits = [wald.conf_low, wald.conf_high].map(same);
        let e_value = || effects::of_ratio(self.hazard, estimate, limits, self.n, self.events);
        EstimateRow {
            analysis: self.analysis.into(),
            outcome: self.outcome.clone(),
            cause: self.cause.clone(),
            model: self.model.into(),
            ties: self.ties.map(Name::from),
            modifier: self.modifier.clone(),
            term,
            variance,
            declared: variance != Variance::Naive || self.naive,
            note: None,
            estimate,
            std_error,
            statistic: same(wald.statistic),
            p_value: same(wald.p_value),
            conf_low: limits[0],
            conf_high: limits[1],
            n: Some(self.n),
            events: Some(self.events),
            iterations: self.iterations,
            e_value: (effect && !self.subdistribution).then(e_value).flatten(),
            df: None,
            fmi: None,
            replicates: None,
            failed_replicates: None,
        }
    }

    /// The row of the model.
    pub(super) fn fit(self, outcome_of_fit: Result<FitNumbers, FitProblem>) -> FitRow {
        FitRow {
            analysis: self.analysis.into(),
            outcome: self.outcome,
            cause: self.cause,
            model: self.model.into(),
            modifier: self.modifier,
            ties: self.ties.map(Name::from),
            n: Some(self.n),
            events: Some(self.events),
            imputations: None,
            outcome_of_fit,
        }
    }
}

/// Does its likelihood take weights for counts?
fn weighted(key: &FitKey) -> bool {
    key.model.is_some_and(Model::weighted) || matches!(key.analysis, Some(AnalysisKind::FineGray(_)))
}

pub(super) fn cause_of(key: &FitKey) -> String {
    key.cause.clone().unwrap_or_default()
}

pub(super) fn arm_names(protocol: &Protocol) -> [String; 2] {
    let arm = &protocol.treatment;
    let levels = protocol.dictionary.variable(arm.variable).levels();
    [levels[arm.control].clone(), levels[arm.treated].clone()]
}

/// Rows of a model: those with a value of its outcome.
pub(super) fn model_rows(protocol: &Protocol, facts: &Facts, key: &FitKey) -> u64 {
    let index = protocol.outcomes.iter().position(|o| o.name == key.outcome);
    index.map_or_else(|| facts.analysed(), |index| facts.rows_with(protocol, index))
}

pub(super) fn events_of(protocol: &Protocol, facts: &Facts, key: &FitKey) -> u64 {
    let Some(index) = protocol.outcomes.iter().position(|o| o.name == key.outcome) else {
        return facts.treated();
    };
    let counts = outcome_counts(protocol, facts, index);
    let of_key = counts.iter().filter(|(cause, _)| key.cause.as_ref().is_none_or(|name| name == cause));
    of_key.flat_map(|(_, arms)| arms).map(|(_, events)| events).sum()
}

/// By cause (one without a name where none compete) and arm: rows with a value, events.
fn outcome_counts(protocol: &Protocol, facts: &Facts, index: usize) -> Vec<(String, Vec<(u64, u64)>)> {
    let OutcomeKind::Competing(competing) = &protocol.outcomes[index].kind else {
        return vec![(String::new(), single_event_counts(protocol, facts, index))];
    };
    let Some(causes) = facts.causes.get(&index) else { return Vec::new() };
    let counts = competing.causes.iter().zip(1..).map(|(cause, number)| {
        let arms = causes.rows().into_iter().zip(causes.events(number)).collect();
        (cause.name.clone(), arms)
    });
    counts.collect()
}

fn single_event_counts(protocol: &Protocol, facts: &Facts, index: usize) -> Vec<(u64, u64)> {
    match &protocol.outcomes[index].kind {
        OutcomeKind::Binary { variable } => facts
            .levels
            .get(variable)
            .map_or(Vec::new(), |arms| arms.iter().map(|counts| (counts[0] + counts[1], counts[1])).collect()),
        OutcomeKind::TimeToEvent(_) => facts
            .events
            .get(&index)
            .map_or(Vec::new(), |e| (0..2).map(|arm| (e.censored[arm] + e.events[arm], e.events[arm])).collect()),
        OutcomeKind::Competing(_) => Vec::new(),
    }
}

fn outcomes(protocol: &Protocol, facts: &Facts) -> Vec<OutcomeRow> {
    let mut rows = Vec::new();
    let analysed = facts.flow.last().map_or([0, 0], |last| [last.control, last.treated]);
    for (index, outcome) in protocol.outcomes.iter().enumerate() {
        for (cause, arms) in outcome_counts(protocol, facts, index) {
            for (((n, events), arm), analysed) in arms.into_iter().zip(arm_names(protocol)).zip(analysed) {
                rows.push(OutcomeRow {
                    outcome: outcome.name.clone(),
                    cause: cause.clone(),
                    arm,
                    n: Some(n),
                    events: Some(events),
                    missing: Some(analysed.saturating_sub(n)),
                    follow_up: None,
                    follow_up_hidden: false,
                });
            }
        }
    }
    rows
}

fn flow(protocol: &Protocol, facts: &Facts) -> Vec<FlowRow> {
    let mut labels = vec!["Patients in the files".to_owned()];
    labels.extend(protocol.eligibility.iter().map(|c| c.label.clone()));
    labels.push("Received one of the two treatments".into());
    labels.extend(protocol.trimming.map(|(low, high)| format!("Propensity score from {low} to {high}")));
    let mut before = None;
    let mut rows = Vec::new();
    for (step, (count, label)) in facts.flow.iter().zip(labels).enumerate() {
        let n = count.control + count.treated + count.neither;
        let excluded = Some(before.map_or(0, |b: u64| b - n));
        let (control, treated) = (Some(count.control), Some(count.treated));
        rows.push(FlowRow { step, label, control, treated, n: Some(n), excluded });
        before = Some(n);
    }
    rows
}

fn references(protocol: &Protocol, facts: &Facts) -> BTreeMap<String, usize> {
    let moved = facts.levels.keys().filter_map(|id| {
        let reference = facts.reference(*id).filter(|level| *level > 0)?;
        Some((protocol.dictionary.variable(*id).name.clone(), reference))
    });
    moved.collect()
}

fn chi_squares(protocol: &Protocol, facts: &Facts) -> Vec<TestRow> {
    let mut rows = Vec::new();
    for outcome in &protocol.outcomes {
        let OutcomeKind::Binary { variable } = outcome.kind else { continue };
        let Some([control, treated]) = facts.levels.get(&variable) else { continue };
        let numbers = |counts: &[u64]| counts[..2].iter().map(|n| *n as f64).collect::<Vec<_>>();
        if let Some(test) = inference::pearson(&numbers(control), &numbers(treated)) {
            let term = Term::Treatment.name(protocol);
            rows.push(TestRow {
                name: "chi_square".into(),
                outcome: outcome.name.clone(),
                cause: String::new(),
                model: "unadjusted".into(),
                modifier: String::new(),
                ties: None,
                term,
                test,
            });
        }
    }
    rows
}

/// Covariances of a fit with their names, as far as they were asked for.
pub(super) fn covariances(key: &FitKey, fit: &Fit, n: u64) -> Vec<(Variance, Matrix)> {
    let mut all = vec![(Variance::Naive, fit.naive.clone())];
    if let Some(robust) = &fit.robust {
        if key.variances.robust {
            all.push((Variance::Robust, robust.clone()));
        }
        if key.variances.survey {
            let factor = n as f64 / (n as f64 - 1.0);
            let values = robust.values().iter().map(|v| v * factor).collect();
            all.push((Variance::Survey, Matrix::new(robust.rows(), robust.columns(), values)));
        }
    }
    all.extend(fit.cluster.clone().map(|v| (Variance::ClusterSite, v)));
    all.extend(fit.m_estimation.clone().map(|v| (Variance::MEstimation, v)));
    all
}

pub(super) fn estimates(protocol: &Protocol, key: &FitKey, fit: &Fit, n: u64, events: u64) -> Vec<EstimateRow> {
    let covariances = covariances(key, fit, n);
    let of = RowsOfModel::new(protocol, key, n, events, fit.iterations);
    let mut rows = Vec::new();
    let mut add = |name: String, variance: Variance, estimate: f64, std_error: f64, effect: bool| {
        let note = variance_note(variance, fit, std_error);
        rows.push(EstimateRow { note, ..of.row(name, variance, estimate, std_error, effect) });
    };
    for (j, term) in key.terms.iter().enumerate().filter(|(_, term)| key.meant(term)) {
        for (variance, covariance) in &covariances {
            let effect = *term == Term::Treatment;
            add(term.name(protocol), *variance, fit.beta[j], covariance.diagonal()[j].sqrt(), effect);
        }
    }
    for contrast in effects::within_levels(protocol, key) {
        let estimate = contrast.estimate(fit);
        for (variance, covariance) in &covariances {
            add(contrast.name.clone(), *variance, estimate, contrast.std_error(covariance), true);
        }
    }
    rows
}

/// Fewer clusters than this are few: sandwich errors are too small with them, the more the fewer they are.
const FEW_CLUSTERS: u64 = 40;

/// What a reader must know of the standard error of a fit.
pub(super) fn variance_note(variance: Variance, fit: &Fit, std_error: f64) -> Option<VarianceNote> {
    let clusters = fit.clusters.filter(|_| variance == Variance::ClusterSite).map(|clusters| clusters as u64);
    let coefficients = fit.beta.len() as u64;
    match clusters {
        Some(clusters) if clusters <= coefficients => Some(VarianceNote::TooFewClusters { clusters, coefficients }),
        _ if std_error.is_nan() => Some(VarianceNote::LowRank),
        Some(clusters) if clusters < FEW_CLUSTERS => Some(VarianceNote::FewClusters { clusters }),
        _ => None,
    }
}

fn fit_row(protocol: &Protocol, key: &FitKey, outcome: FitOutcome<'_>, n: u64, events: u64) -> FitRow {
    let outcome_of_fit = match outcome {
        FitOutcome::Fitted(fit) => Ok(fit_numbers(protocol, key, fit)),
        FitOutcome::Failed(failure) => Err(FitProblem::of(failure, key.family())),
    };
    RowsOfModel::new(protocol, key, n, events, 0).fit(outcome_of_fit)
}

pub(super) fn fit_numbers(protocol: &Protocol, key: &FitKey, fit: &Fit) -> FitNumbers {
    let slopes: Vec<usize> = (0..key.terms.len()).filter(|j| key.terms[*j] != Term::Intercept).collect();
    let robust = fit.robust.as_ref().filter(|_| weighted(key));
    let robust_wald = robust.map(|v| inference::wald_test(&fit.beta, v, &slopes).map_or(f64::NAN, |t| t.statistic));
    FitNumbers {
        loglik_null: fit.loglik_null,
        loglik: fit.loglik,
        logistic: key.ties().is_none(),
        likelihood_ratio: (!weighted(key) && fit.penalised.is_none())
            .then(|| inference::likelihood_ratio(fit.loglik, fit.loglik_null, slopes.len())),
        score: fit.score_test,
        wald: robust_wald.unwrap_or(fit.wald_test),
        iterations: fit.iterations,
        max_score: fit.max_score,
        penalised: fit.penalised,
        concordance: None,
        unchecked: Vec::new(),
        notes: key.notes(protocol),
    }
}

/// Is the first of two models the adjusted one that the second has its products beside?
pub(super) fn is_without_products(adjusted: &FitKey, key: &FitKey) -> bool {
    adjusted.analysis == key.analysis
        && adjusted.outcome == key.outcome
        && adjusted.cause == key.cause
        && adjusted.model == Some(Model::Adjusted)
        && adjusted.terms.iter().eq(key.terms.iter().filter(|term| !matches!(term, Term::Product(..))))
}

/// A test of a model.
pub(super) fn test_row(
    protocol: &Protocol,
    key: &FitKey,
    name: &'static str,
    term: String,
    test: ChiSquare,
) -> TestRow {
    TestRow {
        name: Name::from(name),
        outcome: key.outcome.clone(),
        cause: cause_of(key),
        model: key.model_name().into(),
        modifier: key.modifier_name(protocol),
        ties: key.ties().map(ties_name).map(Name::from),
        term,
        test,
    }
}

/// Wald test of the product terms (with the robust variance where the model is weighted and it is there), and the
/// likelihood ratio against the adjusted model, `without`, where that is fitted.
pub(super) fn interaction_tests(protocol: &Protocol, key: &FitKey, fit: &Fit, without: Option<&Fit>) -> Vec<TestRow> {
    let products: Vec<usize> = (0..key.terms.len()).filter(|j| matches!(key.terms[*j], Term::Product(..))).collect();
    if products.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = products.iter().map(|j| key.terms[*j].name(protocol)).collect();
    let row = |name, test| test_row(protocol, key, name, names.join(" + "), test);
    let mut rows = Vec::new();
    let covariance = fit.robust.as_ref().filter(|_| weighted(key)).unwrap_or(&fit.naive);
    if let Ok(test) = inference::wald_test(&fit.beta, covariance, &products) {
        rows.push(row("interaction_wald", test));
    }
    if weighted(key) {
        return rows;
    }
    rows.extend(
        without.map(|without| {
            row("interaction_lr", inference::likelihood_ratio(fit.loglik, without.loglik, products.len()))
        }),
    );
    rows
}
