//! All tables of a run as records, and one table as CSV bytes.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value};
use study::results::Results;

use super::balance::BalanceRecord;
use super::provenance::{Provenance, ProvenanceRecord, SCHEMA_VERSION};
use super::records::{
    EstimateRecord, FitRecord, FlowRecord, HistogramRecord, OutcomeRecord, Record, TestRecord, WeightRecord,
};
use super::survival::{MedianRecord, SurvivalRecord};

/// `results.json`: provenance, then every table.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    schema_version: u32,
    provenance: ProvenanceRecord<'a>,
    estimates: Vec<EstimateRecord<'a>>,
    fits: Vec<FitRecord<'a>>,
    flow: Vec<FlowRecord<'a>>,
    outcomes: Vec<OutcomeRecord<'a>>,
    weights: Vec<WeightRecord<'a>>,
    propensity_histogram: Vec<HistogramRecord<'a>>,
    balance: Vec<BalanceRecord<'a>>,
    tests: Vec<TestRecord<'a>>,
    survival: Vec<SurvivalRecord<'a>>,
    medians: Vec<MedianRecord<'a>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(results: &'a Results, provenance: &'a Provenance) -> Self {
        // Exhaustive: a new table must be written somewhere.
        let Results { estimates, fits, flow, outcomes, weights, histogram, balance, survival, medians, tests } =
            results;
        let sites = provenance.sites.len();
        Document {
            schema_version: SCHEMA_VERSION,
            provenance: provenance.into(),
            estimates: estimates.iter().map(|row| EstimateRecord::new(row, sites)).collect(),
            fits: fits.iter().map(FitRecord::new).collect(),
            flow: flow.iter().map(Into::into).collect(),
            outcomes: outcomes.iter().map(Into::into).collect(),
            weights: weights.iter().map(Into::into).collect(),
            propensity_histogram: histogram.iter().map(Into::into).collect(),
            balance: balance.iter().map(Into::into).collect(),
            tests: tests.iter().map(Into::into).collect(),
            survival: survival.iter().map(Into::into).collect(),
            medians: medians.iter().map(Into::into).collect(),
        }
    }

    /// Name and content of every CSV file.
    pub(super) fn csv(&self) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
        Ok(vec![
            table(&self.estimates)?,
            table(&self.fits)?,
            table(&self.flow)?,
            table(&self.outcomes)?,
            table(&self.weights)?,
            table(&self.propensity_histogram)?,
            table(&self.balance)?,
            table(&self.tests)?,
            table(&self.survival)?,
            table(&self.medians)?,
        ])
    }

    pub(super) fn json(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Name and content of one CSV file; the header stands there even when there is no row.
fn table<R: Record>(rows: &[R]) -> io::Result<(&'static str, Vec<u8>)> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let columns = || R::COLUMNS.split(',');
    csv.write_record(columns())?;
    for row in rows {
        let fields = fields(row)?;
        csv.write_record(columns().map(|column| fields.get(column).map_or_else(String::new, cell)))?;
    }
    let bytes = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok((R::FILE, bytes))
}

/// The fields of a record by name.
pub(super) fn fields<R: Record>(row: &R) -> io::Result<Map<String, Value>> {
    match serde_json::to_value(row)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(io::Error::other("a record is no object")),
    }
}

/// A CSV cell. `serde_json` writes the shortest decimal that parses to the same f64, at most 17 significant digits.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => neutral(text),
        number_or_bool => number_or_bool.to_string(),
    }
}

/// Text that a spreadsheet would run as a formula gets a leading apostrophe, which spreadsheets read as "this is text".
fn neutral(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}
