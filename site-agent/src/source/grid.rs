//! Values that are finer than the grid on which the study counts them. No study rounds them without a word.

use study::cohort::{Cohort, Column};
use study::dictionary::{Kind, ValueGrid, VariableId, WHOLE};
use study::protocol::Protocol;

use super::problem::{Problem, ProblemKind};

/// Decimals of the finest step that is offered.
const DECIMALS: i32 = 6;

/// One problem for each variable of a baseline table whose analysed values its grid does not hold.
pub(super) fn problems(protocol: &Protocol, cohort: &Cohort) -> Vec<Problem> {
    let scenarios = protocol.scenarios.iter().zip(&cohort.scenarios).map(|(s, cohort)| (&*s.protocol, cohort));
    let counted: Vec<(&Protocol, &Cohort)> = [(protocol, cohort)].into_iter().chain(scenarios).collect();
    let all = (0..protocol.dictionary.variables().len()).map(VariableId);
    all.filter_map(|id| {
        let in_table = |protocol: &Protocol| protocol.baselines.iter().any(|table| table.variables.contains(&id));
        let cohorts: Vec<&Cohort> = counted.iter().filter(|(p, _)| in_table(p)).map(|(_, cohort)| *cohort).collect();
        problem(protocol, id, &cohorts)
    })
    .collect()
}

/// How many analysed values of a variable its grid does not hold.
pub(super) fn off_grid(protocol: &Protocol, id: VariableId, cohort: &Cohort) -> u64 {
    match (protocol.dictionary.variable(id).grid(), cohort.column(id)) {
        (Some(Ok(grid)), Column::Numbers(column)) => {
            column.iter().filter(|x| !x.is_nan() && !grid.holds(**x)).count() as u64
        }
        _ => 0,
    }
}

fn problem(protocol: &Protocol, id: VariableId, cohorts: &[&Cohort]) -> Option<Problem> {
    let variable = protocol.dictionary.variable(id);
    let Kind::Continuous { low, high, resolution, rounded: false, .. } = variable.kind else { return None };
    let resolution = resolution.unwrap_or(WHOLE);
    // The rows of scenarios are mostly those of the main analysis: the largest count says it.
    let rows = cohorts.iter().map(|cohort| off_grid(protocol, id, cohort)).max().filter(|n| *n > 0)?;
    let values: Vec<f64> = cohorts.iter().flat_map(|cohort| numbers(cohort.column(id))).collect();
    let fitting = fitting(low, high, resolution, &values);
    Some(Problem::of_column(&variable.name, ProblemKind::FinerThanGrid { rows, resolution, fitting }))
}

fn numbers(column: &Column) -> impl Iterator<Item = f64> {
    let numbers: &[f64] = if let Column::Numbers(numbers) = column { numbers } else { &[] };
    numbers.iter().copied().filter(|x| !x.is_nan())
}

/// The coarsest power of ten below the declared step whose grid holds all values. It says how many decimals the column
/// has, and nothing of a single value.
fn fitting(low: f64, high: f64, resolution: f64, values: &[f64]) -> Option<f64> {
    let coarsest = -(resolution.log10().floor() as i32);
    (coarsest..=DECIMALS)
        .map(power_of_ten)
        .find(|step| ValueGrid::new(low, high, *step).is_ok_and(|grid| values.iter().all(|x| grid.holds(*x))))
}

/// 10 to the power of -n: the very number that is read from its decimal digits.
fn power_of_ten(n: i32) -> f64 {
    if n > 0 { 1.0 / 10_f64.powi(n) } else { 10_f64.powi(-n) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarsest_power_of_ten_that_holds_all() {
        assert_eq!(fitting(0.0, 15.0, 1.0, &[1.0, 1.19, 0.5]), Some(0.01));
        assert_eq!(fitting(0.0, 15.0, 0.25, &[0.25, 0.3]), Some(0.01));
        assert_eq!(fitting(0.0, 15.0, 5.0, &[7.0]), Some(1.0));
        assert_eq!(fitting(0.0, 2000.0, 250.0, &[700.0]), Some(100.0));
        assert_eq!(fitting(0.0, 15.0, 1.0, &[1.0 / 3.0]), None);
        assert_eq!(fitting(0.0, 1e6, 1.0, &[0.001]), None, "a thousand million values are no grid");
    }
}
