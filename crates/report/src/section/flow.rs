//! Who was analysed.

use study::protocol::OutcomeKind;
use study::results::OutcomeRow;

use super::Block;
use crate::figure;
use crate::page::{OUTCOMES, Page};
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

/// Events of every outcome by arm; person-time and rates where a curve tells them.
fn events(page: &Page<'_>) -> Table {
    let mut rows = Vec::new();
    let timed = page.results.outcomes.iter().any(|row| row.follow_up.is_some() || row.follow_up_hidden);
    for outcome in &page.protocol.outcomes {
        let causes = match &outcome.kind {
            OutcomeKind::Competing(competing) => competing.causes.iter().map(|cause| cause.name.clone()).collect(),
            OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => vec![String::new()],
        };
        for cause in causes {
            let arm = |level: &str| {
                let of = |row: &&OutcomeRow| row.outcome == outcome.name && row.cause == cause;
                page.results.outcomes.iter().filter(of).find(|row| row.arm == level)
            };
            let arms = page.arm_levels().map(arm);
            let share =
                |row: &OutcomeRow| page.share([row.events.into(), row.n.into()], &OUTCOMES, row, ["events", "n"]);
            let mut cells: Vec<Cell> = arms.map(|row| row.map_or_else(Cell::none, share)).into();
            if timed {
                cells.extend(arms.map(|row| row.map_or_else(Cell::none, |row| years(page, row))));
                cells.extend(arms.map(|row| row.map_or_else(Cell::none, |row| rate(page, row))));
            }
            rows.push(Row::new(page.outcome(&outcome.name, &cause), cells));
        }
    }
    let arms = || page.arms().iter().cloned();
    let mut header: Vec<String> = ["Outcome".to_owned()].into_iter().chain(arms()).collect();
    let mut spans = Vec::new();
    let mut notes = Vec::new();
    if timed {
        header.extend(arms().chain(arms()));
        let of = [("", 1), ("Events", 2), ("Patient-years", 2), ("Per 100 patient-years (95% CI)", 2)];
        spans.extend(of.map(|(title, columns)| (title.to_owned(), columns)));
        notes.push(
            "Patient-years until the event, censoring or the horizon; intervals of rates are exact (Poisson). Rates are not \
             adjusted for anything."
                .into(),
        );
    }
    Table { caption: "Events among the analysed patients".into(), spans, header, rows, texts: 1, notes }
}

/// What stands where a row has no person-time.
fn without(row: &OutcomeRow) -> Cell {
    if row.follow_up_hidden { Cell::hidden() } else { Cell::none() }
}

fn years(page: &Page<'_>, row: &OutcomeRow) -> Cell {
    row.follow_up.map_or_else(|| without(row), |time| page.years(time.person_days, &OUTCOMES, row, "person_days"))
}

fn rate(page: &Page<'_>, row: &OutcomeRow) -> Cell {
    let Some(time) = row.follow_up else { return without(row) };
    let part = |x, column| page.decimals(x, 1, &OUTCOMES, row, column);
    let limits = part(time.low, "rate_low").and_text("–").and(part(time.high, "rate_high"));
    part(time.rate, "rate_100_years").and_text(" (").and(limits).and_text(")")
}
