//! Answers by hand, and data in which something is missing.

use stats::competing::{Incidence, Subdistribution, gray};
use stats::cox::Ties;
use stats::fit::Why;
use stats::survival::{ArmTable, Curve, TableRows, Who, arm_table, arm_table_len};
use stats::total::Plain;

use crate::sites::{self, fit_cox, naive, robust};

use super::{MONTH, Rows, fine_gray, myeloma, rotterdam, table};

/// One row each: death in cell 1, censored in 2, relapse in 3, censored in 4.
fn four() -> Rows {
    Rows {
        columns: vec![vec![1.0, -1.0, 0.5, -0.5]],
        exit: vec![1, 2, 3, 4],
        cause: vec![2, 0, 1, 0],
        treated: vec![true, false, true, false],
        ..Rows::default()
    }
}

fn without(rows: &Rows, cause: u8) -> Rows {
    Rows { cause: rows.cause.iter().map(|own| if *own == cause { 0 } else { *own }).collect(), ..rows.clone() }
}

fn estimates(curve: &Incidence, k: usize) -> Vec<f64> {
    curve.points().iter().map(|point| point.causes[k].estimate).collect()
}

#[test]
fn incidence_by_hand() {
    let curve = Incidence::aalen_johansen(&table(&[four()]), Who::All);
    assert_eq!(estimates(&curve, 0), [0.0, 0.0, 3.0 / 8.0, 3.0 / 8.0]);
    assert_eq!(estimates(&curve, 1), [0.25; 4]);
    assert_eq!(curve.points()[3].event_free.estimate, 3.0 / 8.0);
    // Before the censored row leaves, the incidence is a share of four.
    let error = curve.points()[1].causes[1].std_error;
    assert!((error - (0.25f64 * 0.75 / 4.0).sqrt()).abs() < 1e-16);
    let before = &curve.at(&[0.5])[0];
    assert_eq!((before.event_free.estimate, before.event_free.std_error, before.risk.n), (1.0, 0.0, 4.0));
    let after = &curve.at(&[9.0])[0];
    assert_eq!((after.causes[0].estimate, after.risk.n), (3.0 / 8.0, 0.0));
}

/// Two rows at risk in the only event cell, and the dead one with the chance of 2/3 not to have been censored since.
#[test]
fn censoring_by_hand() {
    let cells = Subdistribution::new(&table(&[four()]), 1, Ties::Efron);
    assert_eq!(cells.uncensored(), [1.0, 1.0, 1.0, 2.0 / 3.0, 2.0 / 3.0]);
    assert_eq!((cells.events().cells.as_slice(), cells.joined()), ([3].as_slice(), [0].as_slice()));
    // Row 3 is neither the largest nor the smallest of its risk set, so there is a maximum.
    let fit = fine_gray(&[four()], &[1.0], 1, Ties::Efron, naive()).expect("regular");
    assert!((fit.loglik_null + (8.0f64 / 3.0).ln()).abs() < 1e-15);
    // After the last event nobody needs to stay.
    let cells = Subdistribution::new(&table(&[four()]), 2, Ties::Efron);
    assert_eq!((cells.events().cells.as_slice(), cells.joined()), ([1].as_slice(), [].as_slice()));
}

/// In a tied cell events come before censoring: those who leave by an event are not at risk of censoring there.
#[test]
fn censoring_in_a_tied_cell() {
    let rows = Rows {
        columns: vec![vec![0.0; 5]],
        exit: vec![0, 0, 0, 1, 1],
        cause: vec![0, 1, 2, 0, 2],
        treated: vec![false; 5],
        ..Rows::default()
    };
    let cells = Subdistribution::new(&table(&[rows]), 1, Ties::Efron);
    assert_eq!(cells.uncensored(), [1.0, 2.0 / 3.0]);
}

/// Without competing events Fine-Gray is Cox, to the last bit.
#[test]
fn no_competing_events_is_cox() {
    for ties in [Ties::Efron, Ties::Breslow] {
        let (rows, scale) = without(&rotterdam(MONTH), 2).centred();
        let cox = |rows: &Rows| sites::Rows {
            columns: rows.columns.clone(),
            exit: rows.exit.clone(),
            event: rows.cause.iter().map(|cause| *cause == 1).collect(),
            w: rows.w.clone(),
            ..sites::Rows::default()
        };
        let plain = rows.unweighted();
        let expected = fit_cox(&[cox(&plain)], &scale, ties, robust()).expect("regular");
        assert_eq!(fine_gray(&[plain], &scale, 1, ties, robust()), Ok(expected));
        // Weights of events are summed by arm, so their last bit may differ.
        let expected = fit_cox(&[cox(&rows)], &scale, ties, robust()).expect("regular");
        let fit = fine_gray(&[rows], &scale, 1, ties, robust()).expect("regular");
        for (a, b) in fit.beta.iter().zip(&expected.beta) {
            assert!((a - b).abs() < 1e-12 * b.abs());
        }
    }
}

/// With one cause the incidence is 1 - S of Kaplan and Meier, with the same error.
#[test]
fn one_cause_is_kaplan_meier() {
    for rows in [without(&myeloma(MONTH), 2), without(&myeloma(1.0).unweighted(), 2)] {
        let event: Vec<bool> = rows.cause.iter().map(|cause| *cause == 1).collect();
        let (exit, treated, w) = (&rows.exit, &rows.treated, rows.w.as_deref());
        let cells = super::cells(std::slice::from_ref(&rows));
        let mut sums = Plain::zero(arm_table_len(cells, w.is_some()));
        arm_table(&TableRows { exit, event: &event, treated, w }, cells, &mut sums);
        let two_arms = ArmTable::new(cells, w.is_some(), &sums.0).expect("a table");
        let table = table(std::slice::from_ref(&rows));
        for who in [Who::All, Who::Control, Who::Treated] {
            let curve = Incidence::aalen_johansen(&table, who);
            let expected = Curve::kaplan_meier(&two_arms, who);
            assert_eq!(curve.points().len(), expected.points().len());
            for (point, expected) in curve.points().iter().zip(expected.points()) {
                assert_eq!(point.event_free.estimate, expected.survival);
                assert!((point.causes[0].estimate - (1.0 - expected.survival)).abs() < 1e-14);
                assert_eq!(point.causes[1].estimate, 0.0);
                assert_eq!(point.causes[1].std_error, 0.0);
                let error = expected.std_error.unwrap_or(0.0);
                assert!((point.event_free.std_error - error).abs() < 1e-13);
                assert!((point.causes[0].std_error - error).abs() < 1e-13);
            }
        }
    }
}

#[test]
fn an_arm_without_the_cause() {
    let mut rows = rotterdam(MONTH).unweighted();
    for (cause, treated) in rows.cause.iter_mut().zip(&rows.treated) {
        if *treated && *cause == 2 {
            *cause = 0;
        }
    }
    let table = table(std::slice::from_ref(&rows));
    let curve = Incidence::aalen_johansen(&table, Who::Treated);
    assert!(curve.points().iter().all(|point| point.causes[1].estimate == 0.0 && point.causes[1].std_error == 0.0));
    assert!(curve.points().iter().any(|point| point.causes[0].estimate > 0.0));
    // The other arm still has it, so there is a difference to test but no finite ratio.
    assert!(gray(&table, 2).expect("control has it").test.p_value < 1e-3);
    let (rows, scale) = rows.centred();
    let fit = fine_gray(&[rows], &scale, 2, Ties::Efron, naive());
    assert_eq!(fit, Err(Why::Separation { columns: vec![0] }));
}

#[test]
fn one_arm_alone() {
    let mut rows = myeloma(MONTH);
    rows.treated.fill(true);
    let table = table(std::slice::from_ref(&rows));
    assert!(Incidence::aalen_johansen(&table, Who::Control).points().is_empty());
    let now = &Incidence::aalen_johansen(&table, Who::Control).at(&[12.0])[0];
    assert_eq!((now.event_free.estimate, now.causes[0].estimate, now.risk.n), (1.0, 0.0, 0.0));
    assert_eq!((gray(&table, 1), gray(&table, 2)), (None, None));
}

#[test]
fn everybody_censored() {
    let rows = without(&without(&myeloma(MONTH), 1), 2);
    let table = table(std::slice::from_ref(&rows));
    for point in Incidence::aalen_johansen(&table, Who::All).points() {
        assert_eq!((point.event_free.estimate, point.event_free.std_error), (1.0, 0.0));
        assert!(point.causes.iter().all(|cause| cause.estimate == 0.0 && cause.std_error == 0.0));
    }
    assert_eq!(gray(&table, 1), None);
    let (rows, scale) = rows.centred();
    assert_eq!(fine_gray(&[rows], &scale, 1, Ties::Efron, naive()), Err(Why::NoEvents));
}

/// Only competing events: no model of the cause; its incidence is 0 while the other one's is not.
#[test]
fn the_other_cause_alone() {
    let rows = without(&myeloma(MONTH), 1);
    let table = table(std::slice::from_ref(&rows));
    assert_eq!(gray(&table, 1), None);
    let curve = Incidence::aalen_johansen(&table, Who::All);
    assert!(estimates(&curve, 0).iter().all(|incidence| *incidence == 0.0));
    let (rows, scale) = rows.centred();
    assert_eq!(fine_gray(std::slice::from_ref(&rows), &scale, 1, Ties::Efron, naive()), Err(Why::NoEvents));
    assert!(fine_gray(&[rows], &scale, 2, Ties::Efron, naive()).is_ok());
}

#[test]
fn a_constant_column() {
    let (mut rows, mut scale) = myeloma(MONTH).centred();
    rows.columns[1].fill(0.0);
    assert_eq!(
        fine_gray(std::slice::from_ref(&rows), &scale, 1, Ties::Efron, naive()),
        Err(Why::Constant { column: 1 })
    );
    scale[1] = 0.0;
    assert_eq!(fine_gray(&[rows], &scale, 1, Ties::Efron, naive()), Err(Why::Constant { column: 1 }));
}

#[test]
fn no_rows() {
    let table = table(&[Rows::default()]);
    assert!(Incidence::aalen_johansen(&table, Who::All).points().is_empty());
    assert_eq!(gray(&table, 1), None);
    assert_eq!(fine_gray(&[Rows::default()], &[1.0], 1, Ties::Efron, naive()), Err(Why::NoEvents));
}
