//! The logistic and Cox passes at 1,000,000 x 21 beside a plain read of the same matrix.

use divan::{Bencher, black_box};
use stats::cox::{self, CoxRows, Curves, EventCells, Ties};
use stats::design::Design;
use stats::logistic::{self, LogisticRows};
use stats::total::Plain;

const ROWS: usize = 1_000_000;
const COLUMNS: usize = 21;
const CELLS: u32 = 2000;

fn main() {
    divan::main();
}

/// Numbers in [-0.5, 0.5) from a linear congruential generator: the passes do not care which.
fn numbers(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    })
}

fn design() -> Design {
    Design::new(ROWS, COLUMNS, numbers(1).take(ROWS * COLUMNS).collect())
}

fn beta() -> Vec<f64> {
    numbers(2).take(COLUMNS).collect()
}

#[divan::bench(sample_count = 10)]
fn plain_read(bencher: Bencher<'_, '_>) {
    let x = design();
    bencher.bench_local(|| {
        // Eight running sums, so that memory and not the latency of an addition is the limit.
        let mut sums = [0.0; 8];
        for values in black_box(&x).values().as_chunks::<8>().0 {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value;
            }
        }
        sums
    });
}

#[divan::bench(sample_count = 10)]
fn logistic_step(bencher: Bencher<'_, '_>) {
    let x = design();
    let y: Vec<f64> = numbers(3).take(ROWS).map(|u| f64::from(u8::from(u > 0.2))).collect();
    let w: Vec<f64> = numbers(4).take(ROWS).map(|u| u + 1.0).collect();
    let beta = beta();
    bencher.bench_local(|| {
        let mut total = Plain::zero(logistic::step_len(COLUMNS));
        logistic::step(&LogisticRows { x: &x, y: &y, w: Some(&w) }, black_box(&beta), &mut total);
        total
    });
}

#[divan::bench(sample_count = 10)]
fn cox_risk_and_step(bencher: Bencher<'_, '_>) {
    let x = design();
    let exit: Vec<u32> = numbers(5).take(ROWS).map(|u| ((u + 0.5) * f64::from(CELLS)) as u32).collect();
    let event: Vec<bool> = numbers(6).take(ROWS).map(|u| u > 0.0).collect();
    let w: Vec<f64> = numbers(4).take(ROWS).map(|u| u + 1.0).collect();
    let rows = CoxRows { x: &x, exit: &exit, event: &event, w: Some(&w), entry: None };
    let mut deaths = Plain::zero(CELLS as usize);
    cox::deaths(&rows, CELLS as usize, &mut deaths);
    let mut events = EventCells::new((0..CELLS).collect(), deaths.0, Ties::Efron);
    let mut weight = Plain::zero(events.cells.len());
    cox::death_weights(&rows, &events.cells, &mut weight);
    events.weight = weight.0;
    let beta = beta();
    bencher.bench_local(|| {
        let mut risk = Plain::zero(cox::risk_len(COLUMNS, &events));
        cox::risk(&rows, &events, black_box(&beta), &mut risk);
        let curves = Curves::derive(&events, COLUMNS, &risk.0).expect("risk sets are not empty");
        let mut total = Plain::zero(cox::step_len(COLUMNS));
        cox::step(&rows, &events, &curves, &beta, &mut total);
        total
    });
}
