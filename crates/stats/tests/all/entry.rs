//! Late entry: a patient who is followed in two pieces is one patient.

use std::slice::from_ref;

use stats::cox::{self, Curves, EventCells, Ties};
use stats::total::Plain;

use crate::myeloma::Cohort;
use crate::sites::{Rows, centred, fit_cox, naive};

/// Months after time zero, cell 0 being time zero itself, with weights that are no constant.
fn followed() -> (Rows, Vec<f64>) {
    let cohort = Cohort::read();
    let (columns, _, scale) = centred(&cohort.adjusted());
    let mut rows = Rows { columns, ..cohort.survival("os_days", "death", 30.4375) };
    rows.exit.iter_mut().for_each(|exit| *exit += 1);
    rows.w = Some((0..rows.exit.len()).map(|i| 0.5 + (i % 4) as f64).collect());
    rows.entry = Some(vec![0; rows.exit.len()]);
    (rows, scale)
}

/// Every follow-up of more than one month is cut; returns for each piece the row it comes from.
fn cut(rows: &Rows) -> (Rows, Vec<usize>) {
    let mut origin = Vec::new();
    let mut pieces: Vec<(u32, u32, bool)> = Vec::new();
    for (i, (&exit, &event)) in rows.exit.iter().zip(&rows.event).enumerate() {
        let middle = 1 + (i as u32 * 5) % exit;
        if middle < exit {
            origin.push(i);
            pieces.push((0, middle, false));
        }
        origin.push(i);
        pieces.push((if middle < exit { middle } else { 0 }, exit, event));
    }
    let mut cut = rows.pick(&origin);
    cut.entry = Some(pieces.iter().map(|piece| piece.0).collect());
    cut.exit = pieces.iter().map(|piece| piece.1).collect();
    cut.event = pieces.iter().map(|piece| piece.2).collect();
    (cut, origin)
}

#[test]
fn pieces_fit_like_the_whole() {
    let (rows, scale) = followed();
    let (pieces, origin) = cut(&rows);
    assert!(origin.len() > rows.exit.len() + 200);
    for ties in [Ties::Efron, Ties::Breslow] {
        let entered = fit_cox(from_ref(&rows), &scale, ties, naive()).expect("regular");
        let without = Rows { entry: None, ..rows.clone() };
        let from_start = fit_cox(&[without], &scale, ties, naive()).expect("regular");
        assert_eq!(entered, from_start);
        let pieced = fit_cox(from_ref(&pieces), &scale, ties, naive()).expect("regular");
        for (a, b) in entered.beta.iter().zip(&pieced.beta) {
            assert!((a / b - 1.0).abs() < 1e-11);
        }
        for (a, b) in entered.naive.diagonal().iter().zip(pieced.naive.diagonal()) {
            assert!((a / b - 1.0).abs() < 1e-11);
        }
    }
}

#[test]
fn score_residuals_of_pieces_add_up_and_sum_to_the_score() {
    let (rows, scale) = followed();
    let (pieces, origin) = cut(&rows);
    let beta: Vec<f64> = scale.iter().map(|s| 0.3 / s).collect();
    let p = scale.len();
    let residuals = |rows: &Rows| {
        rows.cox(|rows| {
            let mut deaths = Plain::zero(200);
            cox::deaths(rows, 200, &mut deaths);
            let mut events = EventCells::new((0..200).collect(), deaths.0, Ties::Efron);
            let mut weight = Plain::zero(events.cells.len());
            cox::death_weights(rows, &events.cells, &mut weight);
            events.weight = weight.0;
            let mut risk = Plain::zero(cox::risk_len(p, &events));
            cox::risk(rows, &events, &beta, &mut risk);
            let curves = Curves::derive(&events, p, &risk.0).expect("regular");
            let mut sums = Plain::zero(cox::step_len(p));
            cox::step(rows, &events, &curves, &beta, &mut sums);
            (cox::score_residuals(rows, &events, &curves, &beta), sums.0)
        })
    };
    let (whole, sums) = residuals(&rows);
    let (pieced, _) = residuals(&pieces);
    let mut added = vec![0.0; whole.values().len()];
    for (piece, &i) in origin.iter().enumerate() {
        for (sum, value) in added[i * p..(i + 1) * p].iter_mut().zip(pieced.row(piece)) {
            *sum += value;
        }
    }
    for (a, b) in added.iter().zip(whole.values()) {
        assert!((a - b).abs() < 1e-10 * (1.0 + b.abs()));
    }
    let w = rows.w.as_ref().expect("weighted");
    for k in 0..p {
        let score: f64 = (0..whole.rows()).map(|i| w[i] * whole.row(i)[k]).sum();
        assert!((score - sums[1 + k]).abs() < 1e-9 * scale[k] * 277.0, "{score} {}", sums[1 + k]);
    }
}
