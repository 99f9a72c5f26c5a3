//! How many numbers of each table a floor hides.

use study::results::Results;

use crate::page::Page;
use crate::table::{Cell, Row, Table};

/// What is counted of a table, and whether each number of it is there, given the tables of one analysis.
type Counted = (&'static str, fn(&Results) -> Vec<bool>);

const TABLES: [Counted; 10] = [
    ("Flow: patients left and left out, in all and by arm", |r| {
        r.flow.iter().flat_map(|row| [row.n, row.control, row.treated, row.excluded].map(|n| n.is_some())).collect()
    }),
    ("Characteristics: levels by arm, before and after weighting", |r| {
        let levels = r.balance.iter().filter(|row| row.level.is_some());
        levels.flat_map(|row| [row.control, row.treated].map(|c| c.value.is_some() || !row.floored)).collect()
    }),
    ("Characteristics: patients without a value by arm", |r| {
        let variables = r.balance.iter().filter(|row| row.level.is_none() && !row.weighted);
        variables.flat_map(|row| row.missing.map(|n| n.is_some())).collect()
    }),
    ("Outcomes: events and patients by arm", |r| {
        r.outcomes.iter().flat_map(|row| [row.events, row.n].map(|n| n.is_some())).collect()
    }),
    ("Subgroups: events and patients by arm", |r| {
        r.subgroups.iter().flat_map(|row| [row.events, row.n].map(|n| n.is_some())).collect()
    }),
    ("Propensity score: patients in bins", |r| r.histogram.iter().map(|row| row.n.is_some()).collect()),
    ("Overlap: in equipoise, below and above the bounds", |r| {
        r.overlap.iter().flat_map(|row| [row.equipoise, row.below, row.above].map(|n| n.is_some())).collect()
    }),
    ("Weights: patients at a bound", |r| {
        r.weights.iter().filter_map(|row| row.truncated).flatten().map(|n| n.is_some()).collect()
    }),
    ("Survival: times of curves", |r| r.survival.iter().map(|row| row.survival.is_some() || row.after_end).collect()),
    ("Incidence: times of curves", |r| {
        r.incidences.iter().map(|row| row.incidence.is_some() || row.after_end).collect()
    }),
];

/// One line per table that the run has; scenarios are counted with the main analysis.
pub(super) fn table(page: &Page<'_>) -> Table {
    let all = || std::iter::once(page.results).chain(page.results.scenarios.iter().map(|s| &s.results));
    let row = |(name, shown): Counted| {
        let shown: Vec<bool> = all().flat_map(shown).collect();
        let hidden = shown.iter().filter(|shown| !**shown).count();
        let cells = vec![Cell::text(hidden.to_string()), Cell::text(shown.len().to_string())];
        (!shown.is_empty()).then(|| Row::new(name, cells))
    };
    Table {
        caption: "How many numbers are hidden".into(),
        header: ["Table", "Hidden", "Of"].map(str::to_owned).into(),
        rows: TABLES.into_iter().filter_map(row).collect(),
        texts: 1,
        notes: vec![
            "With the scenarios. Sums of weights, percentages and tests are hidden with the counts that they tell."
                .into(),
        ],
        ..Table::default()
    }
}
