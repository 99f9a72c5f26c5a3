//! The rows of `weights.csv`, `propensity_histogram.csv`, `overlap.csv` and `warnings.csv`.

use serde::Serialize;
use study::results::{HistogramRow, OverlapRow, WarningRow, WeightRow};

use super::records::{Notes, Record};

/// A row of `weights.csv`.
#[derive(Serialize)]
pub(super) struct WeightRecord<'a> {
    scheme: &'a str,
    arm: &'a str,
    n: u64,
    sum: Option<f64>,
    ess: Option<f64>,
    mean: Option<f64>,
    max: Option<f64>,
    truncated_at_low: Option<f64>,
    truncated_at_high: Option<f64>,
    notes: String,
    q01_type3: Option<f64>,
    q99_type3: Option<f64>,
    q01_type7: Option<f64>,
    q99_type7: Option<f64>,
    n_truncated_low: Option<u64>,
    n_truncated_high: Option<u64>,
}

impl Record for WeightRecord<'_> {
    const FILE: &'static str = "weights.csv";
    const COLUMNS: &'static str = "scheme,arm,n,sum,ess,mean,max,truncated_at_low,truncated_at_high,notes,q01_type3,q99_type3,q01_type7,\
        q99_type7,n_truncated_low,n_truncated_high";
}

impl<'a> From<&'a WeightRow> for WeightRecord<'a> {
    fn from(row: &'a WeightRow) -> Self {
        let mut notes = Notes::default();
        let max = match (&row.counted, row.bounds) {
            (Some(counted), _) => notes.present("max", counted.max, "lies beyond the grid of weights"),
            (None, Some(_)) => notes.present("max", None, "of truncated weights is not opened"),
            (None, None) => notes.present("max", None, "is not opened: these weights are not counted on a grid"),
        };
        let quantiles = row.counted.map_or([None; 4], |counted| {
            if counted.quantiles.contains(&None) {
                notes.add("a quantile lies beyond the grid of weights");
            }
            counted.quantiles
        });
        let [q01_type3, q99_type3, q01_type7, q99_type7] = quantiles;
        let [low, high] = row.truncated.map_or([None; 2], |[low, high]| {
            [notes.count("n_truncated_low", low), notes.count("n_truncated_high", high)]
        });
        WeightRecord {
            scheme: &row.scheme,
            arm: &row.arm,
            n: row.n,
            sum: notes.finite("sum", row.sum),
            ess: notes.finite("ess", row.ess),
            mean: notes.finite("mean", row.sum / row.n as f64),
            max,
            truncated_at_low: row.bounds.map(|(low, _)| low),
            truncated_at_high: row.bounds.map(|(_, high)| high),
            q01_type3,
            q99_type3,
            q01_type7,
            q99_type7,
            n_truncated_low: low,
            n_truncated_high: high,
            notes: notes.text(),
        }
    }
}

/// A row of `propensity_histogram.csv`.
#[derive(Serialize)]
pub(super) struct HistogramRecord<'a> {
    low: f64,
    high: f64,
    arm: &'a str,
    n: Option<u64>,
    weighted: Option<f64>,
    notes: String,
}

impl Record for HistogramRecord<'_> {
    const FILE: &'static str = "propensity_histogram.csv";
    const COLUMNS: &'static str = "low,high,arm,n,weighted,notes";
}

impl<'a> From<&'a HistogramRow> for HistogramRecord<'a> {
    fn from(row: &'a HistogramRow) -> Self {
        let HistogramRow { low, high, arm, n, weighted } = row;
        let mut notes = Notes::default();
        let n = notes.count("n", *n);
        let weighted = weighted.and_then(|weighted| notes.finite("weighted", weighted));
        HistogramRecord { low: *low, high: *high, arm, n, weighted, notes: notes.text() }
    }
}

/// A row of `overlap.csv`.
#[derive(Serialize)]
pub(super) struct OverlapRecord<'a> {
    arm: &'a str,
    n: u64,
    equipoise: Option<u64>,
    equipoise_share: Option<f64>,
    below: Option<u64>,
    above: Option<u64>,
    bound_low: f64,
    bound_high: f64,
    notes: String,
}

impl Record for OverlapRecord<'_> {
    const FILE: &'static str = "overlap.csv";
    const COLUMNS: &'static str = "arm,n,equipoise,equipoise_share,below,above,bound_low,bound_high,notes";
}

impl<'a> From<&'a OverlapRow> for OverlapRecord<'a> {
    fn from(row: &'a OverlapRow) -> Self {
        let OverlapRow { arm, n, equipoise, below, above, bounds } = row;
        let mut notes = Notes::default();
        let equipoise = notes.count("equipoise", *equipoise);
        OverlapRecord {
            arm,
            n: *n,
            equipoise,
            equipoise_share: equipoise.filter(|_| *n > 0).map(|rows| rows as f64 / *n as f64),
            below: notes.count("below", *below),
            above: notes.count("above", *above),
            bound_low: bounds.0,
            bound_high: bounds.1,
            notes: notes.text(),
        }
    }
}

/// A row of `warnings.csv`.
#[derive(Serialize)]
pub(super) struct WarningRecord<'a> {
    code: &'a str,
    about: &'a str,
    text: &'a str,
}

impl Record for WarningRecord<'_> {
    const FILE: &'static str = "warnings.csv";
    const COLUMNS: &'static str = "code,about,text";
}

impl<'a> From<&'a WarningRow> for WarningRecord<'a> {
    fn from(row: &'a WarningRow) -> Self {
        let WarningRow { code, about, text } = row;
        WarningRecord { code, about, text }
    }
}
