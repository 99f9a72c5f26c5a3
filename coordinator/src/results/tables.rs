//! All tables of a run as records, and one table as CSV bytes.

use std::io;

use report::neutral;
use serde::Serialize;
use serde_json::{Map, Value};
use study::results::{Results, ScenarioResults};

use super::balance::BalanceRecord;
use super::incidence::IncidenceRecord;
use super::provenance::{Provenance, ProvenanceRecord, SCHEMA_VERSION};
use super::records::{EstimateRecord, FitRecord, FlowRecord, OutcomeRecord, Record, TestRecord};
use super::standardised::EffectRecord;
use super::subgroups::SubgroupRecord;
use super::survival::{MedianRecord, SurvivalRecord};
use super::weights::{HistogramRecord, OverlapRecord, WarningRecord, WeightRecord};

/// A record of the main analysis, or of a scenario.
#[derive(Serialize)]
pub(super) struct Scoped<'a, R> {
    #[serde(flatten)]
    record: R,
    /// Name of the scenario; empty for the main analysis.
    scenario: &'a str,
}

/// `results.json`: provenance, then every table.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    schema_version: u32,
    provenance: ProvenanceRecord<'a>,
    scenarios: Vec<ScenarioRecord<'a>>,
    estimates: Vec<Scoped<'a, EstimateRecord<'a>>>,
    fits: Vec<Scoped<'a, FitRecord<'a>>>,
    flow: Vec<Scoped<'a, FlowRecord<'a>>>,
    outcomes: Vec<Scoped<'a, OutcomeRecord<'a>>>,
    weights: Vec<Scoped<'a, WeightRecord<'a>>>,
    propensity_histogram: Vec<Scoped<'a, HistogramRecord<'a>>>,
    balance: Vec<Scoped<'a, BalanceRecord<'a>>>,
    tests: Vec<Scoped<'a, TestRecord<'a>>>,
    survival: Vec<Scoped<'a, SurvivalRecord<'a>>>,
    medians: Vec<Scoped<'a, MedianRecord<'a>>>,
    overlap: Vec<Scoped<'a, OverlapRecord<'a>>>,
    subgroups: Vec<Scoped<'a, SubgroupRecord<'a>>>,
    warnings: Vec<Scoped<'a, WarningRecord<'a>>>,
    effects: Vec<Scoped<'a, EffectRecord<'a>>>,
    incidence: Vec<Scoped<'a, IncidenceRecord<'a>>>,
}

/// What a scenario is called.
#[derive(Serialize)]
struct ScenarioRecord<'a> {
    name: &'a str,
    label: &'a str,
}

impl<'a> Document<'a> {
    pub(super) fn new(results: &'a Results, provenance: &'a Provenance) -> Self {
        let named = |s: &'a ScenarioResults| ScenarioRecord { name: &s.name, label: &s.label };
        let mut document = Document {
            schema_version: SCHEMA_VERSION,
            provenance: provenance.into(),
            scenarios: results.scenarios.iter().map(named).collect(),
            estimates: Vec::new(),
            fits: Vec::new(),
            flow: Vec::new(),
            outcomes: Vec::new(),
            weights: Vec::new(),
            propensity_histogram: Vec::new(),
            balance: Vec::new(),
            tests: Vec::new(),
            survival: Vec::new(),
            medians: Vec::new(),
            overlap: Vec::new(),
            subgroups: Vec::new(),
            warnings: Vec::new(),
            effects: Vec::new(),
            incidence: Vec::new(),
        };
        document.add("", results, provenance.sites.len());
        for scenario in &results.scenarios {
            document.add(&scenario.name, &scenario.results, provenance.sites.len());
        }
        document
    }

    fn add(&mut self, scenario: &'a str, results: &'a Results, sites: usize) {
        // Exhaustive: a new table must be written somewhere.
        let Results {
            estimates,
            fits,
            flow,
            outcomes,
            weights,
            histogram,
            balance,
            survival,
            medians,
            effects,
            incidences,
            tests,
            overlap,
            subgroups,
            warnings,
            // labels of terms say so, and `notes`
            references: _,
            scenarios: _,
        } = results;
        self.estimates.extend(scoped(scenario, estimates.iter().map(|row| EstimateRecord::new(row, sites))));
        self.fits.extend(scoped(scenario, fits.iter().map(FitRecord::new)));
        self.flow.extend(scoped(scenario, flow.iter().map(Into::into)));
        self.outcomes.extend(scoped(scenario, outcomes.iter().map(Into::into)));
        self.weights.extend(scoped(scenario, weights.iter().map(Into::into)));
        self.propensity_histogram.extend(scoped(scenario, histogram.iter().map(Into::into)));
        self.balance.extend(scoped(scenario, balance.iter().map(Into::into)));
        self.tests.extend(scoped(scenario, tests.iter().map(Into::into)));
        self.survival.extend(scoped(scenario, survival.iter().map(Into::into)));
        self.medians.extend(scoped(scenario, medians.iter().map(Into::into)));
        self.overlap.extend(scoped(scenario, overlap.iter().map(Into::into)));
        self.subgroups.extend(scoped(scenario, subgroups.iter().map(Into::into)));
        self.warnings.extend(scoped(scenario, warnings.iter().map(Into::into)));
        self.effects.extend(scoped(scenario, effects.iter().map(Into::into)));
        self.incidence.extend(scoped(scenario, incidences.iter().map(Into::into)));
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
            table(&self.overlap)?,
            table(&self.subgroups)?,
            table(&self.warnings)?,
            table(&self.effects)?,
            table(&self.incidence)?,
        ])
    }

    pub(super) fn json(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

fn scoped<R>(scenario: &str, records: impl Iterator<Item = R>) -> impl Iterator<Item = Scoped<'_, R>> {
    records.map(move |record| Scoped { record, scenario })
}

/// Name and content of one CSV file; the header stands there even when there is no row.
fn table<R: Record>(rows: &[Scoped<'_, R>]) -> io::Result<(&'static str, Vec<u8>)> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let columns = || R::COLUMNS.split(',').chain(["scenario"]);
    csv.write_record(columns())?;
    for row in rows {
        let fields = fields(row)?;
        csv.write_record(columns().map(|column| fields.get(column).map_or_else(String::new, cell)))?;
    }
    let bytes = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok((R::FILE, bytes))
}

/// The fields of a record by name.
pub(super) fn fields<R: Serialize>(row: &R) -> io::Result<Map<String, Value>> {
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
        // As R writes them: base R keeps `true` and `false` as text, and a comparison with TRUE then finds no row.
        Value::Bool(holds) => if *holds { "TRUE" } else { "FALSE" }.into(),
        number => number.to_string(),
    }
}
