//! The rows of `effects.csv`: what outcomes would be with everybody treated and with everybody untreated.
//!
//! The estimators count in cells; rows are in days: the right end of the cell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stats::inference::wald;
use stats::standardise::Means;
use stats::survival::{Curve, Estimate, Who as Arm};

use super::boundaries::Shown;
use super::rows::{FitProblem, FitRow, Name};
use super::tables::{Results, arm_names, model_rows, ties_name};
use crate::plan::{Branch, Contrast, Facts, Family, FitKey, Target};
use crate::protocol::TimeToEvent;
use crate::question::time_to_event;
use crate::term::Term;

/// One quantity of the two arms, or of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each says why a number of its own is not there")]
pub struct EffectRow {
    /// Name of the outcome.
    pub outcome: String,
    /// Name of the model that it is standardised over.
    pub model: Name,
    /// Handling of ties (Cox).
    pub ties: Option<Name>,
    /// Name of the effect modifier; empty for models without.
    pub modifier: String,
    /// `g_formula`, `aipw`, `standardised`.
    pub method: Name,
    /// Which one.
    pub quantity: EffectQuantity,
    /// Level of the arm; for contrasts the treatment's term.
    pub arm: String,
    /// Is it of the treated arm alone?
    pub treated: bool,
    /// Time of survival, or horizon of a restricted mean.
    pub at_days: Option<f64>,
    /// Kind of standard error.
    pub variance: Name,
    /// A probability, days, or a ratio; none where a ratio has no finite value.
    pub estimate: Option<f64>,
    /// Its standard error; of a ratio that of its logarithm.
    pub std_error: Option<f64>,
    /// Lower limit, 95%.
    pub conf_low: Option<f64>,
    /// Upper limit, 95%.
    pub conf_high: Option<f64>,
    /// Rows that it is averaged over; none when hidden.
    pub n: Option<u64>,
    /// Is the time one at which too few leave for it to be told?
    pub hidden: bool,
    /// Does it lie after the last event? There survival stays as it is.
    pub after_last_event: bool,
    /// Is nobody of either arm at risk any more, as far as the study counts who leaves? Then there is no estimate.
    pub after_end: bool,
}

/// What an [`EffectRow`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EffectQuantity {
    /// Probability of the event, of a time to event until `at_days`.
    Risk,
    /// Of the treated minus of the control arm.
    RiskDifference,
    /// Of the treated over that of the control arm.
    RiskRatio,
    /// Marginal odds ratio.
    OddsRatio,
    /// Probability of survival.
    SurvivalAt,
    /// Restricted mean in days.
    RestrictedMean,
    /// Of the treated minus of the control arm.
    RestrictedMeanDifference,
    /// Of the treated over that of the control arm.
    RestrictedMeanRatio,
}

impl EffectQuantity {
    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            EffectQuantity::Risk => "risk",
            EffectQuantity::RiskDifference => "risk_difference",
            EffectQuantity::RiskRatio => "risk_ratio",
            EffectQuantity::OddsRatio => "odds_ratio",
            EffectQuantity::SurvivalAt => "survival_at",
            EffectQuantity::RestrictedMean => "rmst",
            EffectQuantity::RestrictedMeanDifference => "rmst_difference",
            EffectQuantity::RestrictedMeanRatio => "rmst_ratio",
        }
    }
}

/// Adds the rows of everything that is standardised, and a row of `fits.csv` where there is nothing to add.
pub(super) fn add(results: &mut Results, branch: &Branch, facts: &Facts, shown: &BTreeMap<usize, Shown>) {
    let protocol = branch.protocol();
    for (key, target, outcome) in branch.standardised() {
        let modifier = key.modifier.as_ref().map(|m| protocol.dictionary.variable(m.variable).name.clone());
        let n = model_rows(protocol, facts, key);
        let rows = Rows { branch, key, target, shown, modifier: modifier.unwrap_or_default(), n };
        match outcome {
            None => {}
            Some(Ok(contrasts)) => contrasts.iter().for_each(|contrast| rows.add(results, facts, contrast)),
            Some(Err(failure)) => results.fits.push(FitRow {
                analysis: target.method().into(),
                outcome: key.outcome.clone(),
                cause: String::new(),
                model: key.model_name().into(),
                modifier: rows.modifier,
                ties: key.ties().map(ties_name).map(Name::from),
                n: Some(model_rows(protocol, facts, key)),
                events: Some(super::tables::events_of(protocol, facts, key)),
                imputations: None,
                outcome_of_fit: Err(FitProblem::of(failure, Family::Standardised)),
            }),
        }
    }
}

/// What the rows of one target share.
struct Rows<'a> {
    branch: &'a Branch,
    key: &'a FitKey,
    target: &'a Target,
    shown: &'a BTreeMap<usize, Shown>,
    modifier: String,
    n: u64,
}

/// Of an estimate on its own scale, or on the log scale of a ratio.
#[derive(Clone, Copy, PartialEq)]
enum Scale {
    Natural,
    Log,
}

impl Rows<'_> {
    fn add(&self, results: &mut Results, facts: &Facts, contrast: &Contrast) {
        let protocol = self.branch.protocol();
        let outcome = protocol.outcomes.iter().position(|o| o.name == self.key.outcome);
        let time = outcome.zip(contrast.cell).map(|(outcome, cell)| {
            let last = facts.events.get(&outcome).and_then(|events| events.cells.last());
            (time_to_event(protocol, outcome), cell, last.is_some_and(|last| cell > *last))
        });
        let told = |outcome: &usize, cell: u32| self.shown.get(outcome).is_some_and(|shown| shown.tells(cell));
        let hidden = outcome.zip(contrast.cell).is_some_and(|(outcome, cell)| !told(&outcome, cell));
        let empty = EffectRow {
            outcome: self.key.outcome.clone(),
            model: self.key.model_name().into(),
            ties: self.key.ties().map(ties_name).map(Name::from),
            modifier: self.modifier.clone(),
            method: self.target.method().into(),
            quantity: EffectQuantity::Risk,
            arm: String::new(),
            treated: false,
            at_days: time.map(|(grid, cell, _)| grid.days(cell)),
            variance: contrast.variance.name().into(),
            estimate: None,
            std_error: None,
            conf_low: None,
            conf_high: None,
            n: Some(self.n),
            hidden,
            after_last_event: !hidden && time.is_some_and(|(_, _, after)| after),
            after_end: !hidden
                && outcome.zip(contrast.cell).is_some_and(|(outcome, cell)| self.after_end(outcome, cell)),
        };
        let [control, treated] = arm_names(protocol);
        let term = Term::Treatment.name(protocol);
        for (quantity, who, estimate, scale) in quantities(self.target, &contrast.means, time.map(|(grid, ..)| grid)) {
            let arm = match who {
                Who::Control => &control,
                Who::Treated => &treated,
                Who::Both => &term,
            };
            let row = EffectRow { quantity, arm: arm.clone(), treated: who == Who::Treated, ..empty.clone() };
            results.effects.push(if hidden || row.after_end { row } else { filled(row, estimate, scale) });
        }
    }

    /// Has everybody left before a cell? The table of a curve of the outcome tells.
    fn after_end(&self, outcome: usize, cell: u32) -> bool {
        let mut tables = self.branch.curves().filter(|(key, _)| key.outcome == outcome);
        let table = tables.find_map(|(_, table)| table?.ok());
        let Some((table, shown)) = table.zip(self.shown.get(&outcome)) else { return false };
        [Arm::Control, Arm::Treated].into_iter().all(|arm| {
            let curve = Curve::kaplan_meier(table, arm);
            shown.is_over(f64::from(cell), curve.points().last().map(|last| (last.time, last.risk.n)))
        })
    }
}

/// Whose quantity it is.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Control,
    Treated,
    Both,
}

type Found = (EffectQuantity, Who, Option<Estimate>, Scale);

/// Every quantity of two means, those of restricted means in days.
fn quantities(target: &Target, means: &Means, grid: Option<&TimeToEvent>) -> Vec<Found> {
    let arms = |quantity, means: &Means| -> Vec<Found> {
        vec![
            (quantity, Who::Control, Some(means.control_estimate()), Scale::Natural),
            (quantity, Who::Treated, Some(means.treated_estimate()), Scale::Natural),
        ]
    };
    let difference = |quantity, means: &Means| (quantity, Who::Both, Some(means.difference()), Scale::Natural);
    let ratio = |quantity, estimate| (quantity, Who::Both, estimate, Scale::Log);
    let risks = |means: &Means| {
        let mut found = arms(EffectQuantity::Risk, means);
        found.push(difference(EffectQuantity::RiskDifference, means));
        found.push(ratio(EffectQuantity::RiskRatio, means.log_ratio()));
        found
    };
    match target {
        Target::Risk { .. } => {
            let mut found = risks(means);
            found.push(ratio(EffectQuantity::OddsRatio, means.log_odds_ratio()));
            found
        }
        Target::Survival(_) => {
            let mut found = arms(EffectQuantity::SurvivalAt, means);
            found.extend(risks(&means.complement()));
            found
        }
        Target::RestrictedMean(_) => {
            let days = grid.map_or(1.0, |grid| grid.grid_days);
            let [v11, v10, v00] = means.covariance.map(|v| v * days * days);
            let (treated, control) = (means.treated * days, means.control * days);
            let means = Means { treated, control, covariance: [v11, v10, v00] };
            let mut found = arms(EffectQuantity::RestrictedMean, &means);
            found.push(difference(EffectQuantity::RestrictedMeanDifference, &means));
            found.push(ratio(EffectQuantity::RestrictedMeanRatio, means.log_ratio()));
            found
        }
    }
}

/// The row with an estimate and its interval, of a ratio symmetric on the log scale.
fn filled(row: EffectRow, estimate: Option<Estimate>, scale: Scale) -> EffectRow {
    let Some(Estimate { estimate, std_error }) = estimate else { return row };
    let interval = wald(estimate, std_error);
    let natural = |x: f64| if scale == Scale::Log { libm::exp(x) } else { x };
    EffectRow {
        estimate: Some(natural(estimate)),
        std_error: Some(std_error),
        conf_low: Some(natural(interval.conf_low)),
        conf_high: Some(natural(interval.conf_high)),
        ..row
    }
}
