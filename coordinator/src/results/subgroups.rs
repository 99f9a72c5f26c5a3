//! The rows of `subgroups.csv`.

use serde::Serialize;
use study::results::SubgroupRow;

use super::records::{Notes, Record};

/// A row of `subgroups.csv`.
#[derive(Serialize)]
pub(super) struct SubgroupRecord<'a> {
    outcome: &'a str,
    cause: &'a str,
    modifier: &'a str,
    level: &'a str,
    arm: &'a str,
    n: Option<u64>,
    events: Option<u64>,
    notes: String,
}

impl Record for SubgroupRecord<'_> {
    const FILE: &'static str = "subgroups.csv";
    const COLUMNS: &'static str = "outcome,cause,modifier,level,arm,n,events,notes";
}

impl<'a> From<&'a SubgroupRow> for SubgroupRecord<'a> {
    fn from(row: &'a SubgroupRow) -> Self {
        let SubgroupRow { outcome, cause, modifier, level, arm, n, events } = row;
        let mut notes = Notes::default();
        let (n, events) = (notes.count("n", *n), notes.count("events", *events));
        SubgroupRecord { outcome, cause, modifier, level, arm, n, events, notes: notes.text() }
    }
}
