//! Cox regression stratified by site: a site is its own stratum and needs nothing of the others.

use crate::design::Design;
use crate::total::{Plain, Total};

use super::curves::Curves;
use super::events::{CoxRows, EventCells, Ties, death_weights, deaths};
use super::risk::{risk_len, risk_shifted};
use super::step::step_shifted;
use super::step_len;

/// Adds log likelihood, score and information of the site's own stratum at `beta` (p): [`step_len`] words in one block.
///
/// The partial likelihood of a stratum does not change when a constant is added to a column or to the predictor: terms
/// are measured from the site's first row, so that a column that is constant here contributes exactly nothing, and the
/// predictor from its largest value, so that nothing overflows. When a whole risk set underflows (a predictor 700 below
/// the largest), the log likelihood is -infinity.
///
/// # Panics
/// When lengths do not agree.
pub fn stratified_step(rows: &CoxRows<'_>, ties: Ties, beta: &[f64], total: &mut dyn Total) {
    rows.check();
    let p = rows.x.columns();
    let local = from_first_row(rows);
    let rows = CoxRows { x: &local, ..*rows };
    let events = local_events(&rows, ties);
    if events.cells.is_empty() {
        return;
    }
    let shift = largest_predictor(&rows, beta);
    let mut risk = Plain::zero(risk_len(p, &events));
    risk_shifted(&rows, &events, beta, shift, &mut risk);
    let mut sums = Plain::zero(step_len(p));
    match Curves::derive(&events, p, &risk.0) {
        Ok(curves) => {
            step_shifted(&rows, &events, &curves, beta, shift, &mut sums);
            sums.add(0, &curves.correction());
        }
        Err(_) => sums.0[0] = f64::NEG_INFINITY,
    }
    total.add(0, &sums.0);
}

pub(super) fn from_first_row(rows: &CoxRows<'_>) -> Design {
    let (n, p) = (rows.len(), rows.x.columns());
    let values = (0..n).flat_map(|i| rows.x.row(i).iter().zip(rows.x.row(0)).map(|(x, first)| x - first)).collect();
    Design::new(n, p, values)
}

pub(super) fn local_events(rows: &CoxRows<'_>, ties: Ties) -> EventCells {
    let cells = rows.exit.iter().zip(rows.event).filter(|(_, event)| **event).map(|(exit, _)| exit + 1).max();
    let cells = cells.unwrap_or(0);
    let mut counts = Plain::zero(cells as usize);
    deaths(rows, cells as usize, &mut counts);
    let mut events = EventCells::new((0..cells).collect(), counts.0, ties);
    if rows.w.is_some() {
        let mut weight = Plain::zero(events.cells.len());
        death_weights(rows, &events.cells, &mut weight);
        events.weight = weight.0;
    }
    events
}

pub(super) fn largest_predictor(rows: &CoxRows<'_>, beta: &[f64]) -> f64 {
    (0..rows.len())
        .filter(|&i| rows.weight(i) > 0.0)
        .map(|i| rows.x.row(i).iter().zip(beta).map(|(x, b)| x * b).sum())
        .fold(f64::NEG_INFINITY, f64::max)
}
