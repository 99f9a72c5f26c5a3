//! The rows of `incidence.csv`.

use serde::Serialize;
use study::results::IncidenceRow;

use super::records::{Notes, Record};
use super::survival::{FEW_AT_ONCE, FEW_EVENTS, NOBODY_AT_RISK, TOO_FEW_LEAVE};

/// A row of `incidence.csv`.
#[derive(Serialize)]
pub(super) struct IncidenceRecord<'a> {
    outcome: &'a str,
    cause: &'a str,
    arm: &'a str,
    weighted: bool,
    time_days: f64,
    n_risk: Option<f64>,
    n_after: Option<f64>,
    incidence: Option<f64>,
    std_error: Option<f64>,
    conf_low: Option<f64>,
    conf_high: Option<f64>,
    conf_type: &'a str,
    at: &'static str,
    event_free: Option<f64>,
    event_free_std_error: Option<f64>,
    notes: String,
}

impl Record for IncidenceRecord<'_> {
    const FILE: &'static str = "incidence.csv";
    const COLUMNS: &'static str = "outcome,cause,arm,weighted,time_days,n_risk,n_after,incidence,std_error,conf_low,conf_high,conf_type,at,\
        event_free,event_free_std_error,notes";
}

impl<'a> From<&'a IncidenceRow> for IncidenceRecord<'a> {
    fn from(row: &'a IncidenceRow) -> Self {
        let mut notes = Notes::default();
        let ends = row.interval.unzip();
        let hidden = row.incidence.is_none() && !row.after_end;
        let few = if row.weighted { FEW_EVENTS } else { TOO_FEW_LEAVE };
        let why = match (hidden, row.after_end) {
            (true, _) => few,
            (false, true) => NOBODY_AT_RISK,
            (false, false) => "is not defined at this incidence",
        };
        // Nobody is at risk in a difference, and nothing is free of events.
        let remain = row.event_free.is_some() || row.n_risk.is_some() || row.n_after.is_some();
        let n_risk = if hidden || remain {
            notes.present("n_risk", row.n_risk, if hidden { few } else { FEW_AT_ONCE })
        } else {
            None
        };
        let n_after =
            row.event_free.and_then(|_| notes.present("n_after", row.n_after, super::records::HIDDEN)).or(row.n_after);
        let [event_free, event_free_std_error] = match row.event_free {
            Some(free) => {
                [notes.finite("event_free", free.estimate), notes.finite("event_free_std_error", free.std_error)]
            }
            // each cause has times of its own, and this probability those of all
            None if row.incidence.is_some() && row.n_after.is_some() => {
                ["event_free", "event_free_std_error"].map(|name| notes.present(name, None, FEW_EVENTS))
            }
            None if hidden || row.n_risk.is_some() => {
                ["event_free", "event_free_std_error"].map(|name| notes.present(name, None, why))
            }
            None => [None; 2],
        };
        IncidenceRecord {
            outcome: &row.outcome,
            cause: &row.cause,
            arm: &row.arm,
            weighted: row.weighted,
            time_days: row.time_days,
            n_risk,
            n_after,
            incidence: notes.present("incidence", row.incidence, why),
            std_error: notes.present("std_error", row.std_error, why),
            conf_low: notes.present("conf_low", ends.0, why),
            conf_high: notes.present("conf_high", ends.1, why),
            conf_type: &row.conf_type,
            at: row.at.name(),
            event_free,
            event_free_std_error,
            notes: notes.text(),
        }
    }
}
