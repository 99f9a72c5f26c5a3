//! The treatment's effect in the models that the main tables do not show.

use std::io::{self, Write};

use report::models::COLUMNS;
use study::results::{EstimateRow, KAPLAN_MEIER};

use super::effects::{Group, effect};
use super::{Page, Texts, labels, table};

/// One row per model and variance; outcome and model stand in the first of theirs.
pub(super) fn models(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let mut rows = Vec::new();
    let mut before = [String::new(), String::new()];
    for row in page.results.estimates.iter().filter(|r| shown(page, r)) {
        let names = [labels::outcome(page.protocol, &row.outcome), model(row)];
        let [outcome, model] = &names;
        let repeated = match (outcome == &before[0], model == &before[1]) {
            (true, true) => [String::new(), String::new()],
            (true, false) => [String::new(), model.clone()],
            (false, _) => names.clone(),
        };
        let variance = vec![labels::variance(row.variance).to_owned()];
        rows.push([repeated.into(), variance, effect(page, row).into()].concat());
        before = names;
    }
    let (treatment, _) = page.labels.term(page.labels.treatment());
    let header = ["", "Model", "Variance", "Ratio (95% CI)", ""].map(str::to_owned);
    table(out, page, &format!("Further models: {treatment}"), Texts { wrap: 2, left: 3 }, &header, rows)
}

/// The treatment's rows of every model without a column in a main table.
fn shown(page: &Page<'_>, row: &EstimateRow) -> bool {
    let single = row.cause.is_empty() && row.modifier.is_empty();
    let outcome_model = single && !["propensity", KAPLAN_MEIER].contains(&&*row.analysis);
    let main = Group::first(page, &row.outcome).is_some_and(|group| group.holds(row))
        && COLUMNS.iter().any(|(model, _)| *model == row.model);
    outcome_model && !main && row.term == page.labels.treatment()
}

fn model(row: &EstimateRow) -> String {
    match row.ties.as_deref() {
        Some(ties) => format!("{}; {}", labels::model(&row.model), labels::ties(ties)),
        None => labels::model(&row.model).to_owned(),
    }
}
