//! Numbers that public reports of this field found wrong elsewhere, each with the right value and how it is known
//! (`tests/cases/*/expected.md`), and the rest of each kind.

mod cobalt;
mod follow_up;
mod rank;
mod rates;
mod units;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use entente_tests::federation::{Rows, plain};
use study::plan::Plan;
use study::protocol::Protocol;
use study::results::{EstimateRow, Results, Variance};

use crate::reference::cohorts;

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(case)
}

fn parse(text: &str) -> Arc<Protocol> {
    Arc::new(Protocol::parse(text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0)))
}

/// The protocol of a case as text.
fn text(case: &str, protocol: &str) -> String {
    std::fs::read_to_string(folder(case).join(protocol)).unwrap()
}

/// The files of a case's sites.
fn sites(case: &str) -> Vec<Rows> {
    ["S01", "S02", "S03"].map(|site| Rows::read(&folder(case).join(format!("sites/{site}.csv")))).into()
}

fn run(text: &str, sites: &[Rows]) -> Plan {
    let protocol = parse(text);
    plain(&protocol, &cohorts(&protocol, sites)).unwrap()
}

fn results(text: &str, sites: &[Rows]) -> Results {
    Results::of(&run(text, sites))
}

fn estimate<'r>(results: &'r Results, model: &str, term: &str, variance: Variance) -> &'r EstimateRow {
    let mut rows = results.estimates.iter();
    rows.find(|row| row.model == model && row.term == term && row.variance == variance)
        .unwrap_or_else(|| panic!("{model} {term} {}", variance.name()))
}

fn close(got: f64, expected: f64, tolerance: f64, what: &str) {
    let scale = got.abs().max(expected.abs());
    assert!((got - expected).abs() <= tolerance * scale, "{what}: {got:e}, expected {expected:e}");
}
