//! A site's answer to a question: rows in, fixed-point sums out.
//!
//! Sums are formed in f64 within blocks of rows in patient-key order and added in Z_2^128, so the answer has the same
//! bits however the questions are spread over threads.

mod baseline;
mod check;
mod competing;
mod drawn;
mod imputation;
mod standardise;
mod subgroups;
mod weights;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use secagg::DrawKey;
use secagg::fixed::{self, FixedError};
use stats::competing::{fine_gray_residuals, fine_gray_risk, fine_gray_step};
use stats::cox::{self, CoxRows};
use stats::design::Design;
use stats::influence::{self, MeatKind, PropensityRows};
use stats::logistic::{self, LogisticRows};
use stats::survival::{TableRows, arm_table, treatment_sums};
use stats::total::{BLOCK, Total};

use crate::cohort::{Cohort, Column, MISSING_DAYS, MISSING_LEVEL};
use crate::dictionary::VariableId;
use crate::protocol::{OutcomeKind, Protocol};
use crate::question::{
    CoxModel, EVENT_COUNTS, FittedPropensity, LogisticModel, OutcomeOf, Question, Response, Weights, time_to_event,
};
use crate::term::{Columns, Span, Term};
use crate::view::{Asked, Draw, Trim, View};
use crate::word;
use drawn::DrawnViews;

/// Why a site cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// A count, moment or sum of weights is NaN, infinite or beyond the bound that keeps the sum over all sites inside
    /// the word.
    #[error("an answer does not fit the fixed-point word")]
    OutOfBound,
    /// The question is about drawn rows, and there is no key to draw them with.
    #[error("there is no key to draw with")]
    NoKey,
}

impl From<FixedError> for EvaluateError {
    fn from(_: FixedError) -> EvaluateError {
        EvaluateError::OutOfBound
    }
}

/// Answers questions over one site's frozen rows.
#[derive(Debug, Clone)]
pub struct Evaluator<'a> {
    protocol: &'a Protocol,
    cohort: &'a Cohort,
    sites: usize,
    first: bool,
    /// By scenario, the rows that are left after trimming: the same for all questions of a round.
    trimmed: Vec<OnceLock<(Trim, Cohort)>>,
    key: Option<&'a DrawKey>,
    drawn: DrawnViews,
}

impl<'a> Evaluator<'a> {
    /// `sites` is the size of the roster, `first` whether this is its first site (which adds the global corrections).
    pub fn new(protocol: &'a Protocol, cohort: &'a Cohort, sites: usize, first: bool) -> Evaluator<'a> {
        let trimmed = vec![OnceLock::new(); cohort.scenarios.len()];
        Evaluator { protocol, cohort, sites, first, trimmed, key: None, drawn: DrawnViews::default() }
    }

    /// Draws with this key, and once for all of these questions that are about the same rows: they share one allocation
    /// of their view.
    #[must_use]
    pub fn drawing(self, key: &'a DrawKey, questions: &[Asked]) -> Evaluator<'a> {
        Evaluator { key: Some(key), drawn: DrawnViews::of(questions), ..self }
    }

    /// The words of the answer. When a sum of a fit does not fit its word, all words of the question are the mark that
    /// [`word::read`] reads as NaN, and the estimator shortens its step.
    pub fn answer(&self, asked: &Asked) -> Result<Vec<i128>, EvaluateError> {
        let question = &asked.question;
        let rows = self.rows(&asked.view)?;
        let bound = word::bound(self.sites);
        let mut sums = Sums { words: vec![0; question.words(rows.protocol)], bound, failed: false };
        rows.sum(question, &mut sums);
        let largest = fixed::encode(bound, bound)?.unsigned_abs();
        if !sums.failed && sums.words.iter().all(|w| w.unsigned_abs() <= largest) {
            Ok(sums.words)
        } else if question.is_of_a_fit() {
            Ok(vec![word::mark(self.sites); sums.words.len()])
        } else {
            Err(EvaluateError::OutOfBound)
        }
    }

    fn rows(&self, view: &Arc<View>) -> Result<Rows<'_>, EvaluateError> {
        let rows = self.observed(view);
        let key = || self.key.ok_or(EvaluateError::NoKey);
        match (&view.draw, &self.protocol.bootstrap, view.scenario.map(|index| &self.protocol.scenarios[index])) {
            (Draw::Replicate(number), Some(bootstrap), _) => {
                let key = key()?;
                let make = || drawn::case_weights(key, bootstrap, *number, rows.cohort.rows());
                Ok(Rows { case: Some(self.drawn.case_weights(view, make)), ..rows })
            }
            (Draw::Imputed(imputed), _, Some(scenario)) => {
                let key = key()?;
                let make = || drawn::completed(&rows, key, scenario, imputed);
                let cohort = self.drawn.completed(view, make);
                Ok(Rows { cohort, ..rows })
            }
            (Draw::Nothing | Draw::Replicate(_) | Draw::Imputed(_), _, _) => Ok(rows),
        }
    }

    /// The rows of a view before anything is drawn.
    fn observed(&self, view: &View) -> Rows<'_> {
        let protocol = view.protocol(self.protocol);
        let cohort = match (view.scenario, &view.trim) {
            (None, _) => Cow::Borrowed(self.cohort),
            (Some(index), None) => Cow::Borrowed(&self.cohort.scenarios[index]),
            (Some(index), Some(trim)) => {
                let make = || trimmed(protocol, &self.cohort.scenarios[index], trim);
                let (of, cohort) = self.trimmed[index].get_or_init(|| (trim.clone(), make()));
                if of == trim { Cow::Borrowed(cohort) } else { Cow::Owned(make()) }
            }
        };
        Rows { protocol, cohort, first: self.first, case: None, whole: None }
    }
}

/// The rows with a propensity score inside the bounds.
fn trimmed(protocol: &Protocol, cohort: &Cohort, trim: &Trim) -> Cohort {
    let rows = Rows { protocol, cohort: Cow::Borrowed(cohort), first: false, case: None, whole: None };
    let (low, high) = trim.bounds;
    let keep: Vec<bool> = rows.propensity(&trim.propensity).into_iter().map(|e| low <= e && e <= high).collect();
    cohort.filtered(&keep)
}

/// The rows of one view.
struct Rows<'a> {
    protocol: &'a Protocol,
    cohort: Cow<'a, Cohort>,
    first: bool,
    /// Case weights, one per row.
    case: Option<Cow<'a, [f64]>>,
    /// Where these are the rows with a value of an outcome: all rows, and which of them these are.
    whole: Option<(&'a Rows<'a>, Vec<bool>)>,
}

impl Rows<'_> {
    fn sum(&self, question: &Question, sums: &mut Sums) {
        if self.case.is_some() && !question.takes_case_weights() {
            return sums.refuse();
        }
        match question.outcome().and_then(|outcome| self.with_value(outcome)) {
            Some(rows) => rows.answer(question, sums),
            None => self.answer(question, sums),
        }
    }

    /// The rows with a value of an outcome, which are those of its models and curves; none when all rows have one.
    fn with_value(&self, outcome: OutcomeOf) -> Option<Rows<'_>> {
        let keep: Vec<bool> = match outcome {
            OutcomeOf::Variable(id) => self.observed(id),
            OutcomeOf::Index(index) => {
                let (time, status) = match &self.protocol.outcomes[index].kind {
                    OutcomeKind::Binary { variable } => (*variable, *variable),
                    OutcomeKind::TimeToEvent(spec) => (spec.time, spec.event),
                    OutcomeKind::Competing(spec) => (spec.time, spec.status),
                };
                self.observed(time)
                    .into_iter()
                    .zip(self.observed(status))
                    .map(|(time, status)| time && status)
                    .collect()
            }
        };
        if keep.iter().all(|keep| *keep) {
            return None;
        }
        let case = self.case.as_ref().map(|case| {
            let kept = case.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(weight, _)| *weight);
            Cow::Owned(kept.collect())
        });
        let cohort = Cow::Owned(self.cohort.filtered(&keep));
        Some(Rows { protocol: self.protocol, cohort, first: self.first, case, whole: Some((self, keep)) })
    }

    /// Which rows have a value of a variable.
    fn observed(&self, variable: VariableId) -> Vec<bool> {
        match self.cohort.column(variable) {
            Column::Numbers(v) => v.iter().map(|x| !x.is_nan()).collect(),
            Column::Levels(v) => v.iter().map(|x| *x != MISSING_LEVEL).collect(),
            Column::Days(v) => v.iter().map(|x| *x != MISSING_DAYS).collect(),
        }
    }

    fn answer(&self, question: &Question, sums: &mut Sums) {
        match question {
            Question::Flow => self.flow(sums),
            Question::Levels { variable } => self.levels(*variable, sums),
            Question::Missingness { variable } => self.missingness(*variable, sums),
            Question::Moments { terms } => self.moments(terms, sums),
            Question::Pairs { pairs } => self.pairs(pairs, sums),
            Question::Events { outcome } => self.events(*outcome, sums),
            Question::ArmTable { outcome, weighted } => self.arm_table(*outcome, weighted.as_ref(), sums),
            Question::Causes { outcome } => self.causes(*outcome, sums),
            Question::CauseTable { outcome, weights, cells } => self.cause_table(*outcome, weights, cells, sums),
            Question::FineGrayRisk { model, cells, beta } => {
                self.fine_gray(model, |rows| fine_gray_risk(rows, cells, beta, sums));
            }
            Question::FineGrayStep { model, cells, curves, beta } => {
                self.fine_gray(model, |rows| fine_gray_step(rows, cells, curves, beta, sums));
                if self.first {
                    sums.add(0, &curves.correction());
                }
            }
            Question::FineGrayMeat { model, cells, curves, beta, kind } => self.fine_gray(model, |rows| {
                let residuals = fine_gray_residuals(rows, cells, curves, beta);
                self.meat(&residuals, model.weights.as_ref(), rows.w, kind, sums);
            }),
            Question::LogisticStep { model, beta } => {
                self.logistic(model, |rows| logistic::step(rows, beta, sums));
            }
            Question::LogisticMeat { model, beta, kind } => self.logistic(model, |rows| {
                let residuals = logistic::logistic_residuals(rows, beta);
                self.meat(&residuals, model.weights.as_ref(), rows.w, kind, sums);
            }),
            Question::LeverageScore { model, beta, inverse } => {
                self.logistic(model, |rows| logistic::leverage_score(rows, beta, inverse, sums));
            }
            Question::DeathWeights { model, cells } => {
                self.cox(model, |rows| cox::death_weights(rows, cells, sums));
            }
            Question::CoxRisk { model, events, beta } => {
                self.cox(model, |rows| cox::risk(rows, events, beta, sums));
            }
            Question::CoxStep { model, events, curves, beta } => {
                self.cox(model, |rows| cox::step(rows, events, curves, beta, sums));
                if self.first {
                    sums.add(0, &curves.correction());
                }
            }
            Question::CoxMeat { model, events, curves, beta, kind } => self.cox(model, |rows| {
                let residuals = cox::score_residuals(rows, events, curves, beta);
                self.meat(&residuals, model.weights.as_ref(), rows.w, kind, sums);
            }),
            Question::TreatmentSums { outcome, weights, cells } => {
                let (exit, event) = self.exits(*outcome);
                let w = self.row_weights(weights.as_ref());
                let rows = TableRows { exit: &exit, event: &event, treated: &self.cohort.treated, w: w.as_deref() };
                treatment_sums(&rows, cells, sums);
            }
            Question::ImputationStep { model, level, beta } => self.imputation_step(model, *level, beta, sums),
            Question::ImputationEquations { model, centre, unit } => {
                self.imputation_equations(model, (*centre, *unit), sums);
            }
            Question::StratifiedCoxStep { model, beta } => {
                self.cox(model, |rows| cox::stratified_step(rows, model.ties, beta, sums));
            }
            Question::Leavers { outcome } => self.leavers(*outcome, sums),
            Question::CoxTrend { model, events, curves, g, beta, .. } => {
                self.trend(model, (events, curves), g, beta, sums);
            }
            Question::StratifiedCoxTrend { model, events, g, beta, .. } => {
                self.stratified_trend(model, g, beta, &events.cells, sums);
            }
            Question::PredictorHistogram { model, grid, beta } => self.predictor_histogram(model, grid, beta, sums),
            Question::ConcordanceTable { model, events, grid, beta } => {
                self.concordance_table(model, &events.cells, grid, beta, sums);
            }
            Question::StratifiedConcordance { model, beta } => self.stratified_concordance(model, beta, sums),
            Question::GFormula { model, beta } => self.g_formula(model, beta, sums),
            Question::Aipw { model, beta, propensity } => self.aipw(model, beta, propensity, sums),
            Question::StandardisedSurvival { cox, cells } => self.standardised_survival(cox, cells, sums),
            Question::RestrictedMean { cox, horizon } => self.restricted_mean(cox, *horizon, sums),
            Question::RestrictedMeanSpread { cox, profile, .. } => self.restricted_mean_spread(cox, profile, sums),
            Question::WeightSums { weights } => self.weight_sums(weights, sums),
            Question::PropensityHistogram { weights, bins } => self.histogram(weights, *bins, sums),
            Question::Overlap { propensity, share, bounds } => self.overlap(propensity, *share, *bounds, sums),
            Question::WeightHistogram { weights, grid } => self.weight_histogram(weights, grid, sums),
            Question::Truncated { weights } => self.truncated(weights, sums),
            Question::ValueHistogram { variable } => self.value_histogram(*variable, sums),
            Question::ArmMoments { variable, centre, unit, weights } => {
                self.arm_moments(*variable, (*centre, *unit), weights.as_ref(), sums);
            }
            Question::WeightedLevels { variable, weights } => self.weighted_levels(*variable, weights, sums),
            Question::Subgroups { outcome, variable } => self.subgroups(*outcome, *variable, sums),
        }
    }

    fn flow(&self, sums: &mut Sums) {
        for (i, count) in self.cohort.flow.iter().enumerate() {
            sums.count(3 * i, count.control);
            sums.count(3 * i + 1, count.treated);
            sums.count(3 * i + 2, count.neither);
        }
    }

    fn levels(&self, variable: VariableId, sums: &mut Sums) {
        let levels = self.protocol.dictionary.variable(variable).levels().len();
        let Column::Levels(column) = self.cohort.column(variable) else { return sums.refuse() };
        for (treated, level) in self.cohort.treated.iter().zip(column) {
            let level = if *level == MISSING_LEVEL { levels } else { usize::from(*level) };
            sums.count(usize::from(*treated) * (levels + 1) + level, 1);
        }
    }

    fn missingness(&self, variable: VariableId, sums: &mut Sums) {
        for (treated, observed) in self.cohort.treated.iter().zip(self.observed(variable)) {
            sums.count(usize::from(*treated), u64::from(!observed));
        }
    }

    fn moments(&self, terms: &[Term], sums: &mut Sums) {
        for (t, term) in terms.iter().enumerate() {
            let span = Span::of(term, self.protocol);
            for block in self.values(term).chunks(BLOCK) {
                let mut both = [0.0; 2];
                for x in block.iter().filter(|x| !x.is_nan()).map(|x| span.measure(*x)) {
                    both[0] += x;
                    both[1] += x * x;
                }
                sums.add(2 * t, &both);
            }
        }
    }

    fn pairs(&self, pairs: &[(Term, Term)], sums: &mut Sums) {
        for (at, (a, b)) in pairs.iter().enumerate() {
            let both = self.values(a).into_iter().zip(self.values(b)).filter(|pair| *pair == (1.0, 1.0));
            sums.count(at, both.count() as u64);
        }
    }

    fn events(&self, outcome: usize, sums: &mut Sums) {
        let spec = time_to_event(self.protocol, outcome);
        let (Column::Days(days), Column::Levels(status)) =
            (self.cohort.column(spec.time), self.cohort.column(spec.event))
        else {
            return sums.refuse();
        };
        for ((treated, days), status) in self.cohort.treated.iter().zip(days).zip(status) {
            if *days == MISSING_DAYS || *status == MISSING_LEVEL {
                sums.count(4, 1);
                continue;
            }
            let beyond = *days > spec.horizon_days;
            let event = *status == 1 && !beyond;
            sums.count(2 * usize::from(*treated) + usize::from(event), 1);
            sums.count(5, u64::from(beyond));
            if event {
                sums.count(EVENT_COUNTS + spec.cell(*days) as usize, 1);
            }
        }
    }

    fn logistic(&self, model: &LogisticModel, body: impl FnOnce(&LogisticRows<'_>)) {
        let x = self.design(&model.columns);
        let y = self.response(model.response);
        let w = self.row_weights(model.weights.as_ref());
        body(&LogisticRows { x: &x, y: &y, w: w.as_deref() });
    }

    /// 0 or 1 for every row; NaN where it is missing.
    fn response(&self, response: Response) -> Vec<f64> {
        match response {
            Response::Treatment => self.cohort.treated.iter().map(|t| f64::from(u8::from(*t))).collect(),
            Response::Binary(id) => match self.cohort.column(id) {
                Column::Levels(v) => v.iter().map(|l| if *l == MISSING_LEVEL { f64::NAN } else { f64::from(*l) }),
                Column::Numbers(_) | Column::Days(_) => unreachable!("the protocol's outcomes are binary variables"),
            }
            .collect(),
        }
    }

    fn cox(&self, model: &CoxModel, body: impl FnOnce(&CoxRows<'_>)) {
        let x = self.design(&model.columns);
        let (exit, event) = match model.cause {
            None => self.exits(model.outcome),
            Some(cause) => {
                let (exit, causes) = self.exits_by_cause(model.outcome);
                (exit, causes.into_iter().map(|own| own == cause).collect())
            }
        };
        let w = self.row_weights(model.weights.as_ref());
        body(&CoxRows { x: &x, exit: &exit, event: &event, w: w.as_deref(), entry: None });
    }

    fn arm_table(&self, outcome: usize, weighted: Option<&(Weights, Arc<[u32]>)>, sums: &mut Sums) {
        let (mut exit, event) = self.exits(outcome);
        let treated = &self.cohort.treated;
        let Some((weights, cells)) = weighted else {
            let rows = TableRows { exit: &exit, event: &event, treated, w: None };
            return arm_table(&rows, time_to_event(self.protocol, outcome).cells(), sums);
        };
        for exit in &mut exit {
            // every site's counts are in the table that named the cells: a row outside them is another cohort's
            let Ok(slot) = cells.binary_search(exit) else { return sums.refuse() };
            *exit = slot as u32;
        }
        let w = self.weights(weights, &self.propensity(&weights.propensity));
        arm_table(&TableRows { exit: &exit, event: &event, treated, w: Some(&w) }, cells.len(), sums);
    }

    /// The cell in which each row leaves, and whether by the event; rows without time or status are none of an outcome's.
    fn exits(&self, outcome: usize) -> (Vec<u32>, Vec<bool>) {
        let spec = time_to_event(self.protocol, outcome);
        let (Column::Days(days), Column::Levels(status)) =
            (self.cohort.column(spec.time), self.cohort.column(spec.event))
        else {
            unreachable!("the protocol's times are days and its events binary variables")
        };
        let exit = days.iter().map(|d| spec.cell((*d).min(spec.horizon_days))).collect();
        let event = days.iter().zip(status).map(|(d, s)| *s == 1 && *d <= spec.horizon_days).collect();
        (exit, event)
    }

    fn meat(&self, residuals: &Design, weights: Option<&Weights>, w: Option<&[f64]>, kind: &MeatKind, sums: &mut Sums) {
        let Some(weights) = weights.filter(|_| kind.m_estimation.is_some()) else {
            return influence::meat(residuals, w, kind, None, sums);
        };
        if let Some((whole, keep)) = &self.whole {
            // Patients without the outcome have a part in the propensity model, and none in the outcome's score.
            let w = whole.row_weights(Some(weights));
            return whole.meat(&spread(residuals, keep), Some(weights), w.as_deref(), kind, sums);
        }
        let z = self.design(&weights.propensity.columns);
        let e = self.propensity(&weights.propensity);
        let rows = PropensityRows { z: &z, treated: &self.cohort.treated, e: &e, scheme: weights.scheme };
        influence::meat(residuals, w, kind, Some(&rows), sums);
    }

    /// Propensity scores of the site's rows.
    fn propensity(&self, fitted: &FittedPropensity) -> Vec<f64> {
        let z = self.design(&fitted.columns);
        let score = |i| z.row(i).iter().zip(&fitted.alpha).map(|(z, a)| z * a).sum::<f64>();
        (0..z.rows()).map(|i| 1.0 / (1.0 + libm::exp(-score(i)))).collect()
    }

    fn weights(&self, weights: &Weights, e: &[f64]) -> Vec<f64> {
        self.cohort.treated.iter().zip(e).map(|(treated, e)| weights.scheme.weight(*e, *treated)).collect()
    }

    /// Weights of a model, times the case weights where the rows have them; none means 1.
    fn row_weights(&self, weights: Option<&Weights>) -> Option<Vec<f64>> {
        let w = weights.map(|w| self.weights(w, &self.propensity(&w.propensity)));
        match (w, &self.case) {
            (w, None) => w,
            (None, Some(case)) => Some(case.to_vec()),
            (Some(w), Some(case)) => Some(w.iter().zip(case.iter()).map(|(w, b)| w * b).collect()),
        }
    }

    fn design(&self, columns: &Columns) -> Design {
        let (n, p) = (self.cohort.rows(), columns.terms.len());
        let mut values = vec![0.0; n * p];
        for (j, term) in columns.terms.iter().enumerate() {
            for (i, x) in self.values(term).into_iter().enumerate() {
                values[i * p + j] = columns.measure(j, x);
            }
        }
        Design::new(n, p, values)
    }

    /// A term's value for every row; NaN where a variable is missing.
    fn values(&self, term: &Term) -> Vec<f64> {
        match term {
            Term::Intercept => vec![1.0; self.cohort.rows()],
            Term::Treatment => self.cohort.treated.iter().map(|t| f64::from(u8::from(*t))).collect(),
            Term::Number(id) => match self.cohort.column(*id) {
                Column::Numbers(v) => v.clone(),
                Column::Days(v) => {
                    v.iter().map(|d| if *d == MISSING_DAYS { f64::NAN } else { f64::from(*d) }).collect()
                }
                Column::Levels(_) => unreachable!("a categorical variable enters by its levels"),
            },
            Term::Level(id, level) => match self.cohort.column(*id) {
                Column::Levels(v) => {
                    let one = |l: &u8| f64::from(u8::from(usize::from(*l) == *level));
                    v.iter().map(|l| if *l == MISSING_LEVEL { f64::NAN } else { one(l) }).collect()
                }
                Column::Numbers(_) | Column::Days(_) => unreachable!("only a categorical variable has levels"),
            },
            Term::Product(a, b) => self.values(a).into_iter().zip(self.values(b)).map(|(a, b)| a * b).collect(),
        }
    }
}

/// The residuals of some rows among all of them; 0 for the others.
fn spread(residuals: &Design, keep: &[bool]) -> Design {
    let p = residuals.columns();
    let mut values = vec![0.0; keep.len() * p];
    let kept = (0..keep.len()).filter(|i| keep[*i]);
    for (row, i) in kept.enumerate() {
        values[i * p..(i + 1) * p].copy_from_slice(residuals.row(row));
    }
    Design::new(keep.len(), p, values)
}

/// Fixed-point sums under construction.
struct Sums {
    words: Vec<i128>,
    bound: f64,
    failed: bool,
}

impl Sums {
    /// Adds a whole number to one word.
    fn count(&mut self, at: usize, n: u64) {
        self.words[at] = self.words[at].wrapping_add(i128::from(n) << 64);
    }

    fn refuse(&mut self) {
        self.failed = true;
    }
}

impl Total for Sums {
    fn add(&mut self, at: usize, block: &[f64]) {
        for (word, x) in self.words[at..].iter_mut().zip(block) {
            match fixed::encode(*x, self.bound).ok().and_then(|x| word.checked_add(x)) {
                Some(sum) => *word = sum,
                None => self.failed = true,
            }
        }
    }
}
