//! The rows of `effects.csv`.

use serde::Serialize;
use study::results::EffectRow;

use super::records::{Notes, Record};
use super::survival::TOO_FEW_LEAVE;

/// A row of `effects.csv`.
#[derive(Serialize)]
pub(super) struct EffectRecord<'a> {
    outcome: &'a str,
    model: &'a str,
    method: &'a str,
    quantity: &'static str,
    arm: &'a str,
    at_days: Option<f64>,
    variance: &'a str,
    estimate: Option<f64>,
    std_error: Option<f64>,
    conf_low: Option<f64>,
    conf_high: Option<f64>,
    n: Option<u64>,
    notes: String,
    ties: Option<&'a str>,
    modifier: &'a str,
}

impl Record for EffectRecord<'_> {
    const FILE: &'static str = "effects.csv";
    const COLUMNS: &'static str = "outcome,model,method,quantity,arm,at_days,variance,estimate,std_error,conf_low,conf_high,n,notes,ties,\
        modifier";
}

impl<'a> From<&'a EffectRow> for EffectRecord<'a> {
    fn from(row: &'a EffectRow) -> Self {
        const NO_RATIO: &str = "does not exist: a risk is 0 or 1";
        let why = match (row.hidden, row.after_end) {
            (true, _) => TOO_FEW_LEAVE,
            (false, true) => "is not known: nobody is at risk any more",
            (false, false) => NO_RATIO,
        };
        let mut notes = Notes::default();
        if row.after_last_event && !row.after_end {
            notes.add("after the last event survival stays as it is");
        }
        EffectRecord {
            outcome: &row.outcome,
            model: &row.model,
            method: &row.method,
            quantity: row.quantity.name(),
            arm: &row.arm,
            at_days: row.at_days,
            variance: &row.variance,
            estimate: notes.present("estimate", row.estimate, why),
            std_error: notes.present("std_error", row.std_error, why),
            conf_low: notes.present("conf_low", row.conf_low, why),
            conf_high: notes.present("conf_high", row.conf_high, why),
            n: notes.count("n", row.n),
            notes: notes.text(),
            ties: row.ties.as_deref(),
            modifier: &row.modifier,
        }
    }
}
