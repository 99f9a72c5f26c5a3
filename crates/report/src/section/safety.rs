//! Binary outcomes: events of each arm and odds ratios of the treatment.

use study::protocol::OutcomeKind;
use study::results::Variance;

use super::Block;
use super::effects::{Group, spans};
use crate::labels;
use crate::models::{COLUMNS, Column};
use crate::page::{OUTCOMES, Page};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let binary = page.protocol.outcomes.iter().filter(|o| matches!(o.kind, OutcomeKind::Binary { .. }));
    let groups: Vec<(&study::protocol::Outcome, Option<Group<'_>>)> =
        binary.map(|outcome| (outcome, Group::first(page, &outcome.name))).collect();
    if groups.is_empty() {
        return vec![Block::words("The protocol declares no binary outcome.")];
    }
    let there =
        |column: &Column| groups.iter().any(|(_, group)| group.is_some_and(|group| group.columns().contains(column)));
    let columns: Vec<Column> = COLUMNS.into_iter().filter(there).collect();
    let row = |(outcome, group): &(&study::protocol::Outcome, Option<Group<'_>>)| {
        let counts = page.arm_levels().map(|level| {
            let row = page.results.outcomes.iter().find(|row| row.outcome == outcome.name && row.arm == level);
            row.map_or_else(Cell::none, |row| {
                page.share([row.events.into(), row.n.into()], &OUTCOMES, row, ["events", "n"])
            })
        });
        let effect =
            |column: &Column| group.map_or_else(Cell::none, |group| group.cell(page.labels.treatment(), *column));
        let cells = counts.into_iter().chain(columns.iter().map(effect));
        Row::new(labels::plain(&outcome.label), cells.collect())
    };
    let mut spans = spans(&columns, 1);
    spans.insert(1, ("Events".into(), 2));
    let variance = |(_, variance): &(&'static str, Variance)| labels::variance(*variance).to_owned();
    let header = ["Outcome".to_owned()].into_iter().chain(page.arms().iter().cloned());
    vec![Block::Table(Table {
        caption: format!("Binary outcomes: events and odds ratios, {} (95% CI)", page.contrast()),
        spans,
        header: header.chain(columns.iter().map(variance)).collect(),
        rows: groups.iter().map(row).collect(),
        texts: 1,
        notes: vec![
            "Below each model stands the variance of its intervals. Odds ratios of the covariates are in estimates.csv."
                .into(),
        ],
    })]
}
