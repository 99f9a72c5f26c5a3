//! The rows of `survival.csv` and `medians.csv`.

use serde::Serialize;
use study::results::{MedianRow, Quantity, SurvivalRow};

use super::records::{HIDDEN, Notes, Record};

/// A row of `survival.csv`.
#[derive(Serialize)]
pub(super) struct SurvivalRecord<'a> {
    outcome: &'a str,
    arm: &'a str,
    weighted: bool,
    time_days: f64,
    n_risk: Option<f64>,
    n_event: Option<f64>,
    n_censor: Option<f64>,
    n_after: Option<f64>,
    survival: Option<f64>,
    std_error: Option<f64>,
    conf_low: Option<f64>,
    conf_high: Option<f64>,
    conf_type: &'a str,
    at: &'static str,
    notes: String,
}

impl Record for SurvivalRecord<'_> {
    const FILE: &'static str = "survival.csv";
    const COLUMNS: &'static str = "outcome,arm,weighted,time_days,n_risk,n_event,n_censor,n_after,survival,std_error,conf_low,conf_high,conf_type,at,notes";
}

impl<'a> From<&'a SurvivalRow> for SurvivalRecord<'a> {
    fn from(row: &'a SurvivalRow) -> Self {
        let mut notes = Notes::default();
        let hidden = row.survival.is_none() && !row.after_end;
        let few = if row.weighted { FEW_EVENTS } else { TOO_FEW_LEAVE };
        let counts = if hidden { few } else { HIDDEN };
        let why = match (hidden, row.after_end) {
            (true, _) => few,
            (false, true) => NOBODY_AT_RISK,
            (false, false) => NOT_DEFINED,
        };
        let at_risk = if hidden { few } else { FEW_AT_ONCE };
        let at_risk = if row.weighted && !hidden { SINGLE_WEIGHTS } else { at_risk };
        let apart = if row.weighted && !hidden { SINGLE_WEIGHTS } else { counts };
        SurvivalRecord {
            outcome: &row.outcome,
            arm: &row.arm,
            weighted: row.weighted,
            time_days: row.time_days,
            n_risk: notes.present("n_risk", row.n_risk, at_risk),
            n_event: notes.present("n_event", row.n_event, apart),
            n_censor: notes.present("n_censor", row.n_censor, apart),
            // Those who stay are counted, not weighted.
            n_after: if row.weighted { None } else { notes.present("n_after", row.n_after, counts) },
            survival: notes.present("survival", row.survival, why),
            std_error: notes.present("std_error", row.std_error, why),
            conf_low: notes.present("conf_low", row.interval.map(|ends| ends.0), why),
            conf_high: notes.present("conf_high", row.interval.map(|ends| ends.1), why),
            conf_type: &row.conf_type,
            at: row.at.name(),
            notes: notes.text(),
        }
    }
}

/// Released times of a curve lie as far apart as the floor of leavers wants.
pub(super) const TOO_FEW_LEAVE: &str = "is hidden: too few patients of an arm leave between this time and the next";

/// The number at risk just before a time counts those who leave at it.
pub(super) const FEW_AT_ONCE: &str =
    "is hidden: with the rows around it, it would tell of too few patients who leave at once";

/// Those at risk, events and censored rows of a weighted curve, under a floor of leavers.
const SINGLE_WEIGHTS: &str = "is hidden: with the curve it would tell weights of too few patients";

/// A weighted curve falls by the weights of the events.
pub(super) const FEW_EVENTS: &str =
    "is hidden: too few patients of an arm leave, or have the event, between this time and the next";

/// A mean over time is an equation for who leaves when.
pub(super) const TOLD_TOO_MUCH: &str = "is hidden: with the times around it, it would tell when too few patients leave";

/// What R's `summary(fit, times)` leaves out.
pub(super) const NOBODY_AT_RISK: &str = "is not known: nobody of the arm is at risk any more";

/// What survRM2 refuses.
const FOLLOWED_TOO_SHORT: &str = "is not known: nobody of the arm was followed so long";

/// Where a curve is at its edges, R has NA.
const NOT_DEFINED: &str = "is not defined where the curve is 0 or 1";

/// A row of `medians.csv`.
#[derive(Serialize)]
pub(super) struct MedianRecord<'a> {
    outcome: &'a str,
    arm: &'a str,
    weighted: bool,
    quantity: &'static str,
    at_days: Option<f64>,
    value_days: Option<f64>,
    std_error: Option<f64>,
    conf_low: Option<f64>,
    conf_high: Option<f64>,
    conf_type: &'a str,
    notes: String,
}

impl Record for MedianRecord<'_> {
    const FILE: &'static str = "medians.csv";
    const COLUMNS: &'static str =
        "outcome,arm,weighted,quantity,at_days,value_days,std_error,conf_low,conf_high,conf_type,notes";
}

impl<'a> From<&'a MedianRow> for MedianRecord<'a> {
    fn from(row: &'a MedianRow) -> Self {
        let mut notes = Notes::default();
        let median = matches!(row.quantity, Quantity::Median | Quantity::FollowUp);
        let mean = matches!(row.quantity, Quantity::RestrictedMean | Quantity::RestrictedMeanDifference);
        let why = match (median, row.value) {
            (true, _) => "is not reached",
            _ if row.after_end && mean => FOLLOWED_TOO_SHORT,
            _ if row.after_end => NOBODY_AT_RISK,
            (false, Some(_)) => NOT_DEFINED,
            (false, None) if mean => TOLD_TOO_MUCH,
            (false, None) if row.weighted => FEW_EVENTS,
            (false, None) => TOO_FEW_LEAVE,
        };
        MedianRecord {
            outcome: &row.outcome,
            arm: &row.arm,
            weighted: row.weighted,
            quantity: row.quantity.name(),
            at_days: row.at_days,
            value_days: notes.present("value_days", row.value, why),
            // A median has an interval and no standard error.
            std_error: if median { None } else { notes.present("std_error", row.std_error, why) },
            conf_low: notes.present("conf_low", row.conf_low, why),
            conf_high: notes.present("conf_high", row.conf_high, why),
            conf_type: &row.conf_type,
            notes: notes.text(),
        }
    }
}
