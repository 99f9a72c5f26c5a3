//! What can be known of a study from one site's rows before anybody approves it. Nothing here stops a study: other sites
//! may have what this one lacks, and the protocol may deal with it.

use std::collections::BTreeSet;
use std::fmt;

use study::cohort::{Cohort, Column, MISSING_DAYS, MISSING_LEVEL};
use study::dictionary::VariableId;
use study::protocol::Protocol;

use super::faults::Fate;
use super::grid::off_grid;
use super::problem::{Counted, Problem};

/// Something unusual that does not stop a study.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// So many columns of the file are not in the data dictionary and were not read.
    ColumnsIgnored(usize),
    /// Columns whose names differ only in case or blanks from this one, which was read.
    AlikeColumns(String),
    /// Rows without any value, which were skipped.
    EmptyRows(Counted),
    /// The file holds a header and no row.
    NoRows,
    /// The file holds rows and none of them is analysed.
    NoneAnalysed,
    /// Values do not fit the dictionary, and nobody has to mend them.
    Values(Fate, Problem),
    /// An arm has no analysed patient here.
    EmptyArm(String),
    /// A variable that a model needs has no value in some of the analysed rows.
    Missing {
        /// The variable.
        variable: String,
        /// The scenario; none for the main analysis.
        scenario: Option<String>,
        /// Analysed rows without a value.
        rows: u64,
        /// Analysed rows.
        of: u64,
        /// What needs it: the names of outcomes, or nothing for a covariate.
        outcomes: Vec<String>,
    },
    /// Covariates that have one value in all analysed rows here.
    Constant(Vec<String>),
    /// Levels of covariates that no analysed row has here, as `variable level`.
    EmptyLevels(Vec<String>),
    /// Values are imputed in coarser steps than they are recorded in.
    ImputedSteps {
        /// The variable.
        variable: String,
        /// Analysed rows with a finer value.
        rows: u64,
    },
    /// Declared columns that neither a criterion nor a model nor a table uses.
    Unused(Vec<String>),
}

impl Warning {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Warning::ColumnsIgnored(_) => "data.columns_ignored",
            Warning::AlikeColumns(_) => "data.alike_columns",
            Warning::EmptyRows(_) => "data.empty_rows",
            Warning::NoRows => "data.no_rows",
            Warning::NoneAnalysed => "data.none_analysed",
            Warning::Values(..) => "data.bad_values",
            Warning::EmptyArm(_) => "data.empty_arm",
            Warning::Missing { .. } => "data.missing",
            Warning::Constant(_) => "data.constant",
            Warning::EmptyLevels(_) => "data.empty_levels",
            Warning::ImputedSteps { .. } => "data.imputed_steps",
            Warning::Unused(_) => "data.unused",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::ColumnsIgnored(1) => f.write_str("one column is not in the data dictionary and was not read"),
            Warning::ColumnsIgnored(n) => write!(f, "{n} columns are not in the data dictionary and were not read"),
            Warning::AlikeColumns(name) => write!(
                f,
                "the header has further columns that differ from `{name}` only in case or blanks; `{name}` itself was read"
            ),
            Warning::EmptyRows(rows) => write!(f, "{rows} without any value: skipped"),
            Warning::NoRows => {
                f.write_str("the file has a header and no rows: this site takes part with zero patients")
            }
            Warning::NoneAnalysed => f.write_str("no row meets all criteria: this site takes part with zero patients"),
            Warning::Values(Fate::LeftOut, problem) => {
                write!(f, "not analysed, eligibility leaves the rows out: {problem}")
            }
            Warning::Values(Fate::Unread, problem) => write!(f, "not analysed, nothing reads the column: {problem}"),
            Warning::Values(Fate::Censored, problem) => write!(f, "censored before, at the horizon: {problem}"),
            Warning::Values(Fate::Needed, problem) => {
                write!(f, "taken as missing, as the policy says (bad_values): {problem}")
            }
            Warning::EmptyArm(level) => write!(f, "nobody who is analysed here is in the arm {level}"),
            Warning::Missing { variable, scenario, rows, of, outcomes } => {
                write!(f, "`{variable}` has no value in {rows} of {of} analysed rows")?;
                if let Some(scenario) = scenario {
                    write!(f, " of scenario `{scenario}`")?;
                }
                match outcomes.as_slice() {
                    [] => f.write_str(
                        ", and models have it as a covariate: they fail unless a criterion requires it, or a scenario \
                         imputes it or makes a level of it; tell the study's statistician",
                    ),
                    names => write!(
                        f,
                        ", and it is part of the outcome {}: look how the protocol deals with these rows, or tell the study's \
                         statistician",
                        names.join(", ")
                    ),
                }
            }
            Warning::Constant(names) => write!(
                f,
                "the same value in all analysed rows here, which does no harm where other sites have others: {}",
                names.join(", ")
            ),
            Warning::EmptyLevels(names) => write!(
                f,
                "levels that nobody who is analysed here has, which does no harm where other sites have them: {}",
                names.join(", ")
            ),
            Warning::ImputedSteps { variable, rows } => write!(
                f,
                "`{variable}` is imputed in steps of its `resolution`, and {rows} analysed rows have finer values; tell the \
                 study's statistician"
            ),
            Warning::Unused(names) => write!(
                f,
                "columns that the study declares and uses nowhere; nothing needs them to be in the file: {}",
                names.join(", ")
            ),
        }
    }
}

/// What the analysed rows say.
pub(super) fn notices(protocol: &Protocol, cohort: &Cohort) -> Vec<Warning> {
    let mut found = Vec::new();
    if cohort.rows() > 0 {
        found.extend(empty_arms(protocol, cohort));
        found.extend(missing(protocol, cohort));
        found.extend(shapes(protocol, cohort));
        found.extend(imputed_steps(protocol, cohort));
    }
    let unused = unused(protocol);
    if !unused.is_empty() {
        found.push(Warning::Unused(unused));
    }
    found
}

fn empty_arms(protocol: &Protocol, cohort: &Cohort) -> Vec<Warning> {
    let arms = [(protocol.treatment.control, false), (protocol.treatment.treated, true)];
    let levels = protocol.dictionary.variable(protocol.treatment.variable).levels();
    let empty = arms.into_iter().filter(|(_, treated)| !cohort.treated.contains(treated));
    empty.map(|(level, _)| Warning::EmptyArm(levels[level].clone())).collect()
}

/// Of the main analysis, then of each scenario what is not the same there.
fn missing(protocol: &Protocol, cohort: &Cohort) -> Vec<Warning> {
    let main = missing_of(protocol, cohort, &[]);
    let mut all = main.clone();
    for (scenario, cohort) in protocol.scenarios.iter().zip(&cohort.scenarios) {
        let imputed = scenario.imputation.iter().flat_map(|i| &i.variables).copied().collect::<Vec<_>>();
        let of_scenario = missing_of(&scenario.protocol, cohort, &imputed);
        let new = of_scenario.into_iter().filter(|warning| !main.contains(warning));
        all.extend(new.map(|warning| match warning {
            Warning::Missing { variable, rows, of, outcomes, .. } => {
                Warning::Missing { variable, scenario: Some(scenario.name.clone()), rows, of, outcomes }
            }
            other => other,
        }));
    }
    all
}

fn missing_of(protocol: &Protocol, cohort: &Cohort, imputed: &[VariableId]) -> Vec<Warning> {
    let of = cohort.rows() as u64;
    let warning = |id: VariableId, outcomes: Vec<String>| {
        let rows = without_value(cohort.column(id));
        let variable = protocol.dictionary.variable(id).name.clone();
        (rows > 0).then_some(Warning::Missing { variable, scenario: None, rows, of, outcomes })
    };
    let covariates = protocol.covariates();
    let covariates = covariates.iter().filter(|id| !imputed.contains(id)).filter_map(|id| warning(*id, Vec::new()));
    let parts: BTreeSet<VariableId> = protocol.outcomes.iter().flat_map(|o| o.kind.variables()).collect();
    let of_outcomes = parts.into_iter().filter_map(|id| {
        let outcomes = protocol.outcomes.iter().filter(|o| o.kind.variables().contains(&id));
        warning(id, outcomes.map(|o| o.name.clone()).collect())
    });
    covariates.chain(of_outcomes).collect()
}

fn without_value(column: &Column) -> u64 {
    let rows = match column {
        Column::Numbers(values) => values.iter().filter(|x| x.is_nan()).count(),
        Column::Levels(values) => values.iter().map(|level| usize::from(*level == MISSING_LEVEL)).sum(),
        Column::Days(values) => values.iter().filter(|days| **days == MISSING_DAYS).count(),
    };
    rows as u64
}

/// Columns that do not vary, and levels that nobody has.
fn shapes(protocol: &Protocol, cohort: &Cohort) -> Vec<Warning> {
    let (mut constant, mut empty) = (Vec::new(), Vec::new());
    for id in protocol.covariates() {
        let variable = protocol.dictionary.variable(id);
        let varies = match cohort.column(id) {
            Column::Numbers(values) => {
                let mut values = values.iter().filter(|x| !x.is_nan());
                let first = values.next();
                values.any(|x| Some(x) != first)
            }
            Column::Levels(values) => {
                let seen: BTreeSet<u8> = values.iter().copied().filter(|level| *level != MISSING_LEVEL).collect();
                let lacking = (0..variable.levels().len()).filter(|level| !seen.contains(&(*level as u8)));
                // where one level is all there is, the others follow
                if seen.len() > 1 {
                    empty.extend(lacking.map(|level| format!("{} {}", variable.name, variable.levels()[level])));
                }
                seen.len() > 1
            }
            Column::Days(_) => true,
        };
        if !varies {
            constant.push(variable.name.clone());
        }
    }
    let constant = (!constant.is_empty() && cohort.rows() > 1).then_some(Warning::Constant(constant));
    let empty = (!empty.is_empty()).then_some(Warning::EmptyLevels(empty));
    constant.into_iter().chain(empty).collect()
}

fn imputed_steps(protocol: &Protocol, cohort: &Cohort) -> Vec<Warning> {
    let mut found = Vec::new();
    for (scenario, cohort) in protocol.scenarios.iter().zip(&cohort.scenarios) {
        for id in scenario.imputation.iter().flat_map(|imputation| &imputation.variables) {
            let rows = off_grid(protocol, *id, cohort);
            let warning = Warning::ImputedSteps { variable: protocol.dictionary.variable(*id).name.clone(), rows };
            if rows > 0 && !found.contains(&warning) {
                found.push(warning);
            }
        }
    }
    found
}

/// Declared variables that nothing reads; of an outcome that no analysis names, too.
fn unused(protocol: &Protocol) -> Vec<String> {
    let scenarios = protocol.scenarios.iter().map(|scenario| &*scenario.protocol);
    let used: BTreeSet<VariableId> =
        std::iter::once(protocol).chain(scenarios).flat_map(Protocol::used_variables).collect();
    let outcomes = protocol.outcomes.iter().flat_map(|outcome| outcome.kind.variables());
    let used: BTreeSet<VariableId> = used.into_iter().chain(outcomes).collect();
    let variables = protocol.dictionary.variables().iter().enumerate();
    variables.filter(|(i, _)| !used.contains(&VariableId(*i))).map(|(_, v)| v.name.clone()).collect()
}
