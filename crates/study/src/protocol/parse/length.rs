//! A sum that no message can carry: one question is not cut over rounds, so its length is known before anybody approves.

use stats::logistic::step_len;

use super::Declared;
use crate::dictionary::{Kind, VariableId};
use crate::document::Table;
use crate::layout::MOST_WORDS;
use crate::protocol::AnalysisKind;

/// Intercept and treatment.
const ALWAYS: usize = 2;

/// The longest questions of a regression, as long as they can get: the information of all columns, and the risk-set sums
/// of every column in every cell of time, with those of tied events and (Fine-Gray) of those who left by another cause.
pub(super) fn check(
    t: &Table<'_, '_>,
    kind: Option<AnalysisKind>,
    outcomes: &[String],
    variables: &[VariableId],
    declared: &Declared<'_>,
) {
    let columns = ALWAYS + variables.iter().map(|id| columns(declared, *id)).sum::<usize>();
    let information = step_len(columns);
    if information > MOST_WORDS {
        let what = format!("{columns} columns make sums of {information} numbers, at most {MOST_WORDS}");
        t.mistake("covariates", format!("{what}; leave variables out, or merge levels"));
    }
    let per_cell = match kind {
        Some(AnalysisKind::Cox(_)) => 2,
        Some(AnalysisKind::FineGray(_)) => 3,
        Some(AnalysisKind::Logistic) | None => return,
    };
    for name in outcomes {
        let Some(outcome) = declared.outcomes.iter().find(|o| o.name == *name) else { continue };
        let cells = outcome.kind.grid().map_or(0, |grid| grid.cells());
        let risk = (1 + columns) * per_cell * cells;
        if risk > MOST_WORDS {
            let what = format!(
                "{columns} columns in {cells} cells of `{name}` make sums of up to {risk} numbers, at most {MOST_WORDS}"
            );
            t.mistake("covariates", format!("{what}; leave variables out, or widen `grid_days` of the outcome"));
        }
    }
}

/// As an effect modifier it stands beside its product with the treatment, so that it is counted twice.
fn columns(declared: &Declared<'_>, id: VariableId) -> usize {
    match &declared.dictionary.variable(id).kind {
        Kind::Categorical { levels, .. } => levels.len().saturating_sub(1),
        Kind::Continuous { .. } | Kind::Days { .. } => 1,
    }
}
