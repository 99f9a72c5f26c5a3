//! A step whose answers are longer than a message of a good length: it is cut into rounds at questions, a question that is
//! longer has a round of its own, and the numbers are those of the values themselves.

use std::sync::Arc;

use entente_tests::federation::{Federation, Rows, bits, plain};
use study::machine::coordinator::CoordinatorRecord;
use study::plan::ROUND_WORDS;
use study::protocol::Protocol;

use crate::{reference, small};

/// Quartiles of two numbers on fine grids: 920 001 steps of one, 250 001 of the other, in two arms.
const TABLE: &str = "[[analysis]]\nkind = \"baseline\"\nvariables = [\"age\", \"crcl\"]\n";
const AGE: usize = 920_001;
const CRCL: usize = 250_001;

fn protocol() -> Arc<Protocol> {
    let text = small::text_with(TABLE)
        .replace("range = [18, 110]\nresolution = 0.1", "range = [18, 110]\nresolution = 0.0001")
        .replace("range = [0, 250]\nresolution = 0.1", "range = [0, 250]\nresolution = 0.001");
    Arc::new(Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.0)))
}

/// Ages as exact as their grid, and no two alike.
fn rows() -> Rows {
    small::rows(90).with("age", |rows, i| {
        let age: f64 = rows.get(i, "age").parse().unwrap_or(60.0);
        format!("{:.4}", age.floor() + (i as f64 * 37.0 % 100.0) / 100.0 + i as f64 * 0.0001)
    })
}

/// R's quantile of type 7.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = (sorted.len() - 1) as f64 * p;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (at - at.floor()) * (high - low)
}

#[test]
fn a_step_longer_than_a_round_is_cut_and_its_numbers_are_exact() {
    let (protocol, rows) = (protocol(), rows());
    let cohorts = reference::cohorts(&protocol, &rows.split(3, |_, i| i % 3));

    let mut run = Federation::new(Arc::clone(&protocol), cohorts.clone(), 11);
    run.run();
    assert!(run.finished(), "{:?} {:?}", run.refusals, run.faults);
    // the rounds that were held are those of the plan: the long question alone, its neighbours before and after it
    let words: Vec<usize> = run
        .coordinator_journal()
        .iter()
        .filter_map(|record| match record {
            CoordinatorRecord::Requested { open } => Some(open.layout.words()),
            _ => None,
        })
        .collect();
    let long = words.iter().position(|words| *words > ROUND_WORDS).expect("a long round");
    assert_eq!(words[long], 2 * AGE);
    assert!(words.iter().enumerate().all(|(i, words)| i == long || *words <= ROUND_WORDS));
    assert!(words.len() > long + 1 && words[long + 1] >= 2 * CRCL, "the next question follows in another round");
    // masks cancel exactly over all of it
    assert_eq!(run.bits(), bits(&plain(&protocol, &cohorts).unwrap()));

    let results = run.results();
    for (variable, at) in [("age", "age"), ("crcl", "crcl")] {
        let row = results.balance.iter().find(|row| row.variable == variable).unwrap();
        for (arm, cells) in [("EloPd", &row.control), ("IsaPd", &row.treated)] {
            let of_arm = (0..rows.len()).filter(|i| rows.get(*i, "regimen") == arm);
            let mut values: Vec<f64> = of_arm.filter_map(|i| rows.get(i, at).parse().ok()).collect();
            values.sort_by(f64::total_cmp);
            for (got, p) in [(cells.q25, 0.25), (cells.median, 0.5), (cells.q75, 0.75)] {
                let (got, expected) = (got.unwrap(), quantile(&values, p));
                assert!((got - expected).abs() <= 1e-12 * expected, "{variable} {arm} {p}: {got} {expected}");
            }
        }
    }
}
