//! The rows of the result files with their columns in the order of the contract.
//!
//! CSV and JSON are written from the same records, so a number stands in both with the same digits. A number that is not
//! finite becomes empty (JSON: null) and its column is named in `notes`.

use super::survival::TOLD_TOO_MUCH;
use serde::Serialize;
use study::results::{EstimateRow, FitRow, FlowRow, FollowUp, OutcomeRow, TestRow};

/// A row whose fields, as serialised, are the columns of its file.
pub(super) trait Record: Serialize {
    /// Name of the CSV file.
    const FILE: &'static str;
    /// Header of the CSV file: the same names, in the same order, as the fields.
    const COLUMNS: &'static str;
}

/// What a cell is that a floor of the study leaves empty.
pub(super) const HIDDEN: &str = "is hidden: it is a small count, or one would follow from it";

/// Why cells of one row are empty.
#[derive(Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    /// The number, or nothing and a note that names the column.
    pub(super) fn finite(&mut self, column: &str, x: f64) -> Option<f64> {
        if x.is_finite() {
            return Some(x);
        }
        self.0.push(format!("{column} is not finite"));
        None
    }

    /// A number that may not be there, and why it is not.
    pub(super) fn present(&mut self, column: &str, x: Option<f64>, why: &str) -> Option<f64> {
        if x.is_none() {
            self.0.push(format!("{column} {why}"));
        }
        self.finite(column, x?)
    }

    /// A count, or nothing and a note that a floor hides it.
    pub(super) fn count(&mut self, column: &str, n: Option<u64>) -> Option<u64> {
        if n.is_none() {
            self.0.push(format!("{column} {HIDDEN}"));
        }
        n
    }

    /// Any other reason.
    pub(super) fn add(&mut self, why: &str) {
        self.0.push(why.into());
    }

    pub(super) fn text(self) -> String {
        self.0.join("; ")
    }
}

/// A row of `estimates.csv`.
#[derive(Serialize)]
pub(super) struct EstimateRecord<'a> {
    analysis: &'a str,
    outcome: &'a str,
    model: &'a str,
    term: &'a str,
    variance: &'static str,
    estimate: Option<f64>,
    std_error: Option<f64>,
    statistic: Option<f64>,
    p_value: Option<f64>,
    conf_low: Option<f64>,
    conf_high: Option<f64>,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    n: Option<u64>,
    events: Option<u64>,
    sites: usize,
    iterations: usize,
    notes: String,
    ties: Option<&'a str>,
    modifier: &'a str,
    e_value: Option<f64>,
    e_value_limit: Option<f64>,
    cause: &'a str,
    df: Option<f64>,
    fmi: Option<f64>,
    replicates: Option<usize>,
    failed_replicates: Option<usize>,
}

impl Record for EstimateRecord<'_> {
    const FILE: &'static str = "estimates.csv";
    const COLUMNS: &'static str = "analysis,outcome,model,term,variance,estimate,std_error,statistic,p_value,conf_low,conf_high,ratio,\
        ratio_low,ratio_high,n,events,sites,iterations,notes,ties,modifier,e_value,e_value_limit,cause,df,fmi,replicates,failed_replicates";
}

impl<'a> EstimateRecord<'a> {
    /// `sites` is the size of the roster: every site feeds every model.
    pub(super) fn new(row: &'a EstimateRow, sites: usize) -> Self {
        let mut notes = Notes::default();
        if let Some(note) = row.note {
            notes.add(&note.to_string());
        }
        EstimateRecord {
            analysis: &row.analysis,
            outcome: &row.outcome,
            model: &row.model,
            term: &row.term,
            variance: row.variance.name(),
            estimate: notes.finite("estimate", row.estimate),
            std_error: notes.finite("std_error", row.std_error),
            statistic: notes.finite("statistic", row.statistic),
            p_value: notes.finite("p_value", row.p_value),
            conf_low: notes.finite("conf_low", row.conf_low),
            conf_high: notes.finite("conf_high", row.conf_high),
            ratio: notes.finite("ratio", row.estimate.exp()),
            ratio_low: notes.finite("ratio_low", row.conf_low.exp()),
            ratio_high: notes.finite("ratio_high", row.conf_high.exp()),
            n: notes.count("n", row.n),
            events: notes.count("events", row.events),
            sites,
            iterations: row.iterations,
            e_value: row.e_value.and_then(|e| notes.finite("e_value", e.estimate)),
            e_value_limit: row.e_value.and_then(|e| notes.finite("e_value_limit", e.limit)),
            df: row.df.and_then(|df| notes.finite("df", df)),
            fmi: row.fmi.and_then(|fmi| notes.finite("fmi", fmi)),
            replicates: row.replicates,
            failed_replicates: row.failed_replicates,
            notes: notes.text(),
            ties: row.ties.as_deref(),
            modifier: &row.modifier,
            cause: &row.cause,
        }
    }
}

/// A row of `fits.csv`.
#[derive(Serialize)]
pub(super) struct FitRecord<'a> {
    analysis: &'a str,
    outcome: &'a str,
    model: &'a str,
    ties: Option<&'a str>,
    n: Option<u64>,
    events: Option<u64>,
    loglik_null: Option<f64>,
    loglik: Option<f64>,
    deviance_null: Option<f64>,
    deviance: Option<f64>,
    lr_statistic: Option<f64>,
    lr_df: Option<usize>,
    lr_p: Option<f64>,
    score_statistic: Option<f64>,
    wald_statistic: Option<f64>,
    concordance: Option<f64>,
    iterations: Option<usize>,
    max_score: Option<f64>,
    converged: bool,
    notes: String,
    concordance_bound: Option<f64>,
    modifier: &'a str,
    penalised_loglik: Option<f64>,
    effective_df: Option<f64>,
    cause: &'a str,
}

impl Record for FitRecord<'_> {
    const FILE: &'static str = "fits.csv";
    const COLUMNS: &'static str = "analysis,outcome,model,ties,n,events,loglik_null,loglik,deviance_null,deviance,lr_statistic,lr_df,\
        lr_p,score_statistic,wald_statistic,concordance,iterations,max_score,converged,notes,concordance_bound,\
        modifier,penalised_loglik,effective_df,cause";
}

impl<'a> FitRecord<'a> {
    pub(super) fn new(row: &'a FitRow) -> Self {
        let mut notes = Notes::default();
        let empty = FitRecord {
            analysis: &row.analysis,
            outcome: &row.outcome,
            model: &row.model,
            ties: row.ties.as_deref(),
            n: notes.count("n", row.n),
            events: notes.count("events", row.events),
            loglik_null: None,
            loglik: None,
            deviance_null: None,
            deviance: None,
            lr_statistic: None,
            lr_df: None,
            lr_p: None,
            score_statistic: None,
            wald_statistic: None,
            concordance: None,
            iterations: None,
            max_score: None,
            converged: false,
            notes: String::new(),
            concordance_bound: None,
            modifier: &row.modifier,
            penalised_loglik: None,
            effective_df: None,
            cause: &row.cause,
        };
        let numbers = match &row.outcome_of_fit {
            Ok(numbers) => numbers,
            Err(why) => {
                notes.0.push(format!("{}: {}; {}", why.code, why.message, why.hint));
                return FitRecord { notes: notes.text(), ..empty };
            }
        };
        if let Some(imputations) = row.imputations {
            let iterations = Some(numbers.iterations);
            notes.0.push(format!("pooled over {imputations} imputations"));
            notes.0.extend(numbers.notes.iter().cloned());
            return FitRecord { iterations, converged: true, notes: notes.text(), ..empty };
        }
        // The saturated model of 0/1 outcomes has log likelihood 0, weighted or not.
        let deviance = |loglik: f64| numbers.logistic.then_some(-2.0 * loglik);
        let ratio = numbers.likelihood_ratio;
        if ratio.is_none() {
            let models = if row.analysis == "fine_gray" { "Fine-Gray" } else { "weighted or penalised" };
            notes.0.push(format!("no likelihood ratio test of a {models} model"));
        }
        notes.0.extend(numbers.notes.iter().cloned());
        notes.0.extend(numbers.unchecked.iter().map(|why| format!("{why} ({})", why.code())));
        FitRecord {
            loglik_null: notes.finite("loglik_null", numbers.loglik_null),
            loglik: notes.finite("loglik", numbers.loglik),
            deviance_null: deviance(numbers.loglik_null).and_then(|x| notes.finite("deviance_null", x)),
            deviance: deviance(numbers.loglik).and_then(|x| notes.finite("deviance", x)),
            lr_statistic: ratio.and_then(|t| notes.finite("lr_statistic", t.statistic)),
            lr_df: ratio.map(|t| t.df),
            lr_p: ratio.and_then(|t| notes.finite("lr_p", t.p_value)),
            score_statistic: numbers.score.and_then(|x| notes.finite("score_statistic", x)),
            wald_statistic: notes.finite("wald_statistic", numbers.wald),
            concordance: numbers.concordance.map(|c| c.value),
            concordance_bound: numbers.concordance.map(|c| c.bound),
            iterations: Some(numbers.iterations),
            max_score: notes.finite("max_score", numbers.max_score),
            converged: true,
            penalised_loglik: numbers.penalised.and_then(|p| notes.finite("penalised_loglik", p.loglik)),
            effective_df: numbers.penalised.and_then(|p| notes.finite("effective_df", p.df?)),
            notes: notes.text(),
            ..empty
        }
    }
}

/// A row of `flow.csv`.
#[derive(Serialize)]
pub(super) struct FlowRecord<'a> {
    step: usize,
    label: &'a str,
    n: Option<u64>,
    control: Option<u64>,
    treated: Option<u64>,
    excluded: Option<u64>,
    notes: String,
}

impl Record for FlowRecord<'_> {
    const FILE: &'static str = "flow.csv";
    const COLUMNS: &'static str = "step,label,n,control,treated,excluded,notes";
}

impl<'a> From<&'a FlowRow> for FlowRecord<'a> {
    fn from(row: &'a FlowRow) -> Self {
        let FlowRow { step, label, control, treated, n, excluded } = row;
        let mut notes = Notes::default();
        FlowRecord {
            step: *step,
            label,
            n: notes.count("n", *n),
            control: notes.count("control", *control),
            treated: notes.count("treated", *treated),
            excluded: notes.count("excluded", *excluded),
            notes: notes.text(),
        }
    }
}

/// A row of `outcomes.csv`.
#[derive(Serialize)]
pub(super) struct OutcomeRecord<'a> {
    outcome: &'a str,
    arm: &'a str,
    n: Option<u64>,
    events: Option<u64>,
    cause: &'a str,
    notes: String,
    missing: Option<u64>,
    person_days: Option<f64>,
    rate_100_years: Option<f64>,
    rate_low: Option<f64>,
    rate_high: Option<f64>,
}

impl Record for OutcomeRecord<'_> {
    const FILE: &'static str = "outcomes.csv";
    const COLUMNS: &'static str =
        "outcome,arm,n,events,cause,notes,missing,person_days,rate_100_years,rate_low,rate_high";
}

impl<'a> From<&'a OutcomeRow> for OutcomeRecord<'a> {
    fn from(row: &'a OutcomeRow) -> Self {
        let OutcomeRow { outcome, cause, arm, n, events, missing, follow_up, follow_up_hidden } = row;
        let mut notes = Notes::default();
        let (n, events) = (notes.count("n", *n), notes.count("events", *events));
        let missing = notes.count("missing", *missing);
        let mut of_follow_up = |column: &'static str, part: fn(FollowUp) -> f64| {
            if *follow_up_hidden { notes.present(column, None, TOLD_TOO_MUCH) } else { follow_up.map(part) }
        };
        let person_days = of_follow_up("person_days", |time| time.person_days);
        let rate = of_follow_up("rate_100_years", |time| time.rate);
        let [low, high] = [of_follow_up("rate_low", |time| time.low), of_follow_up("rate_high", |time| time.high)];
        OutcomeRecord {
            outcome,
            arm,
            n,
            events,
            cause,
            notes: notes.text(),
            missing,
            person_days,
            rate_100_years: rate,
            rate_low: low,
            rate_high: high,
        }
    }
}

/// A row of `tests.csv`.
#[derive(Serialize)]
pub(super) struct TestRecord<'a> {
    name: &'a str,
    outcome: &'a str,
    model: &'a str,
    term: &'a str,
    statistic: Option<f64>,
    df: usize,
    p_value: Option<f64>,
    ties: Option<&'a str>,
    notes: String,
    modifier: &'a str,
    cause: &'a str,
}

impl Record for TestRecord<'_> {
    const FILE: &'static str = "tests.csv";
    const COLUMNS: &'static str = "name,outcome,model,term,statistic,df,p_value,ties,notes,modifier,cause";
}

impl<'a> From<&'a TestRow> for TestRecord<'a> {
    fn from(row: &'a TestRow) -> Self {
        let mut notes = Notes::default();
        TestRecord {
            name: &row.name,
            outcome: &row.outcome,
            model: &row.model,
            term: &row.term,
            statistic: notes.finite("statistic", row.test.statistic),
            df: row.test.df,
            p_value: notes.finite("p_value", row.test.p_value),
            ties: row.ties.as_deref(),
            notes: notes.text(),
            modifier: &row.modifier,
            cause: &row.cause,
        }
    }
}
