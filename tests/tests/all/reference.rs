//! The reference study: the example's protocol and the rows it was made of.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use entente_tests::federation::Rows;
use study::cohort::Cohort;
use study::protocol::Protocol;

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The example's protocol as text.
pub fn protocol_text() -> String {
    std::fs::read_to_string(path("../examples/relapsed-myeloma/protocol.toml")).unwrap()
}

/// The example's protocol.
pub fn protocol() -> Arc<Protocol> {
    Arc::new(Protocol::parse(&protocol_text()).unwrap())
}

/// All 596 patients with the column `site`.
pub fn rows() -> Rows {
    Rows::read(&path("reference/relapsed-myeloma-596.csv"))
}

/// Each row's site, by the centre that it came from: 45 sites.
pub fn centre(rows: &Rows, row: usize) -> usize {
    rows.get(row, "site")[1..].parse::<usize>().unwrap() - 1
}

/// What the sites make of their rows.
pub fn cohorts(protocol: &Protocol, sites: &[Rows]) -> Vec<Cohort> {
    sites.iter().map(|rows| rows.cohort(protocol)).collect()
}
