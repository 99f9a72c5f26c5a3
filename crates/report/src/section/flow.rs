//! Who was analysed.

use study::protocol::OutcomeKind;

use super::Block;
use crate::figure;
use crate::page::Page;
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    blocks.extend(Block::figures(figure::flow::figure(page)));
    blocks.extend(Block::table(events(page)));
    if blocks.is_empty() {
        blocks.push(Block::words("This run has not counted its patients."));
    }
    blocks
}

/// Events of every outcome by arm.
fn events(page: &Page<'_>) -> Table {
    let mut rows = Vec::new();
    for outcome in &page.protocol.outcomes {
        let causes = match &outcome.kind {
            OutcomeKind::Competing(competing) => competing.causes.iter().map(|cause| cause.name.clone()).collect(),
            OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => vec![String::new()],
        };
        for cause in causes {
            let arm = |level: &str| {
                let of = |row: &&study::results::OutcomeRow| row.outcome == outcome.name && row.cause == cause;
                let row = page.results.outcomes.iter().filter(of).find(|row| row.arm == level);
                let share = |row: &study::results::OutcomeRow| {
                    page.share([row.events.into(), row.n.into()], &crate::page::OUTCOMES, row, ["events", "n"])
                };
                row.map_or_else(Cell::none, share)
            };
            rows.push(Row::new(page.outcome(&outcome.name, &cause), page.arm_levels().map(arm).into()));
        }
    }
    Table {
        caption: "Events among the analysed patients".into(),
        header: ["Outcome".to_owned()].into_iter().chain(page.arms().iter().cloned()).collect(),
        rows,
        texts: 1,
        ..Table::default()
    }
}
