//! The rows of `balance.csv`.

use serde::Serialize;
use study::results::BalanceRow;

use super::records::Record;

/// A row of `balance.csv`.
#[derive(Serialize)]
pub(super) struct BalanceRecord<'a> {
    variable: &'a str,
    level: Option<&'a str>,
    kind: &'a str,
    weighted: bool,
    control: Option<f64>,
    control_percent_or_sd: Option<f64>,
    control_q25: Option<f64>,
    control_median: Option<f64>,
    control_q75: Option<f64>,
    treated: Option<f64>,
    treated_percent_or_sd: Option<f64>,
    treated_q25: Option<f64>,
    treated_median: Option<f64>,
    treated_q75: Option<f64>,
    all: Option<f64>,
    all_percent_or_sd: Option<f64>,
    all_q25: Option<f64>,
    all_median: Option<f64>,
    all_q75: Option<f64>,
    test: Option<&'a str>,
    statistic: Option<f64>,
    p_value: Option<f64>,
    smd: Option<f64>,
    smd_kind: Option<&'static str>,
    missing_control: Option<u64>,
    missing_treated: Option<u64>,
    smd_cobalt: Option<f64>,
    notes: String,
    table: &'a str,
}

impl Record for BalanceRecord<'_> {
    const FILE: &'static str = "balance.csv";
    const COLUMNS: &'static str = "variable,level,kind,weighted,control,control_percent_or_sd,control_q25,control_median,control_q75,\
        treated,treated_percent_or_sd,treated_q25,treated_median,treated_q75,all,all_percent_or_sd,all_q25,all_median,\
        all_q75,test,statistic,p_value,smd,smd_kind,missing_control,missing_treated,smd_cobalt,notes,table";
}

impl<'a> From<&'a BalanceRow> for BalanceRecord<'a> {
    fn from(row: &'a BalanceRow) -> Self {
        let finite = |x: Option<f64>| x.filter(|x| x.is_finite());
        let (control, treated, all) = (&row.control, &row.treated, &row.all);
        let mut notes = Vec::new();
        if row.floored {
            notes.push("small counts are hidden, and what they would follow from");
        } else if row.test.is_some() && row.p_value.is_none() {
            notes.push("no test: an arm is empty, all values are equal, or there are too many tables for an exact one");
        }
        let rounded = row.rounded_to.map(|step| format!("quartiles and test are of values rounded to steps of {step}"));
        notes.extend(rounded.as_deref());
        if row.level.is_none() && row.smd.is_none() && !row.floored {
            notes.push(if row.separated {
                "no standardised difference: the values tell the arms apart, it is infinite"
            } else {
                "no standardised difference: an arm has too few rows, or nothing varies in both"
            });
        }
        BalanceRecord {
            variable: &row.variable,
            level: row.level.as_deref(),
            kind: &row.kind,
            weighted: row.weighted,
            control: finite(control.value),
            control_percent_or_sd: finite(control.spread),
            control_q25: finite(control.q25),
            control_median: finite(control.median),
            control_q75: finite(control.q75),
            treated: finite(treated.value),
            treated_percent_or_sd: finite(treated.spread),
            treated_q25: finite(treated.q25),
            treated_median: finite(treated.median),
            treated_q75: finite(treated.q75),
            all: finite(all.value),
            all_percent_or_sd: finite(all.spread),
            all_q25: finite(all.q25),
            all_median: finite(all.median),
            all_q75: finite(all.q75),
            test: row.test.as_deref(),
            statistic: finite(row.statistic),
            p_value: finite(row.p_value),
            smd: finite(row.smd),
            smd_kind: row.smd.map(|_| "tableone"),
            missing_control: row.missing[0],
            missing_treated: row.missing[1],
            smd_cobalt: finite(row.smd_cobalt),
            notes: notes.join("; "),
            table: &row.table,
        }
    }
}
