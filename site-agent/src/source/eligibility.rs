//! From the filled table to the cohort: flow chart, criteria in order, rows of the two arms in key order.

use study::cohort::{Cohort, Column, FlowCount};
use study::protocol::Protocol;

use super::expression::{self, ExpressionError};
use super::problem::ProblemKind;
use super::table::{Table, append, empty_column, level_of};

/// Arm of a row of the file.
#[derive(Clone, Copy, PartialEq)]
enum Arm {
    Control,
    Treated,
    Neither,
}

/// The rows of the main analysis, and those of every scenario.
pub(super) fn cohort(table: &mut Table, protocol: &Protocol) -> Result<Cohort, ProblemKind> {
    let mut cohort = rows(table, protocol)?;
    for scenario in &protocol.scenarios {
        let mut other = rows(table, &scenario.protocol)?;
        scenario.recode(&mut other);
        cohort.scenarios.push(other);
    }
    Ok(cohort)
}

/// Applies the criteria in order and gathers what remains.
fn rows(table: &mut Table, protocol: &Protocol) -> Result<Cohort, ProblemKind> {
    let arms = arms(table, protocol).map_err(|_| ProblemKind::Engine)?;
    let mut kept = vec![true; arms.len()];
    let mut flow = vec![count(&arms, &kept)];
    for criterion in &protocol.eligibility {
        let met = expression::evaluate(table, &protocol.dictionary, &criterion.require, arms.len())
            .map_err(|refusal| ProblemKind::Expression(ExpressionError { label: criterion.label.clone(), refusal }))?;
        for (kept, met) in kept.iter_mut().zip(met) {
            *kept &= met;
        }
        flow.push(count(&arms, &kept));
    }
    for (kept, arm) in kept.iter_mut().zip(&arms) {
        *kept &= *arm != Arm::Neither;
    }
    flow.push(count(&arms, &kept));
    gather(table, protocol, &arms, &kept, flow).map_err(|_| ProblemKind::Engine)
}

fn arms(table: &Table, protocol: &Protocol) -> rusqlite::Result<Vec<Arm>> {
    let treatment = &protocol.treatment;
    let variable = protocol.dictionary.variable(treatment.variable);
    table.scan(variable, |value| match level_of(value, variable) {
        Some(level) if level == treatment.treated => Arm::Treated,
        Some(level) if level == treatment.control => Arm::Control,
        _ => Arm::Neither,
    })
}

fn count(arms: &[Arm], kept: &[bool]) -> FlowCount {
    let mut count = FlowCount::default();
    for (arm, _) in arms.iter().zip(kept).filter(|(_, kept)| **kept) {
        match arm {
            Arm::Control => count.control += 1,
            Arm::Treated => count.treated += 1,
            Arm::Neither => count.neither += 1,
        }
    }
    count
}

fn gather(
    table: &Table,
    protocol: &Protocol,
    arms: &[Arm],
    kept: &[bool],
    flow: Vec<FlowCount>,
) -> rusqlite::Result<Cohort> {
    let variables = protocol.dictionary.variables();
    let mut columns: Vec<Column> = variables.iter().map(|v| empty_column(&v.kind)).collect();
    let mut treated = Vec::new();
    table.visit_by_key(&protocol.dictionary, |at, row| {
        if kept[at] {
            treated.push(arms[at] == Arm::Treated);
            for (i, (column, variable)) in columns.iter_mut().zip(variables).enumerate() {
                append(column, row.get_ref(i + 1)?, variable);
            }
        }
        Ok(())
    })?;
    Ok(Cohort { treated, columns, flow, scenarios: Vec::new() })
}
