//! The treatment's effect in the models that the main tables do not show.

use std::io::{self, Write};

use study::results::EstimateRow;

use super::effects::{COLUMNS, Group};
use super::{Page, labels, number, table};

/// One row per model, one line per variance.
pub(super) fn models(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut before: Option<&EstimateRow> = None;
    for row in page.results.estimates.iter().filter(|r| shown(page, r)) {
        let same = before.is_some_and(|b| {
            (b.analysis, &b.outcome, b.model, b.ties) == (row.analysis, &row.outcome, row.model, row.ties)
        });
        let (_, digits) = page.labels.term(&row.term);
        let ratio = number::ratio_with_interval(row.estimate, row.conf_low, row.conf_high, digits);
        let line = [labels::variance(row.variance).to_owned(), ratio, number::p_value(row.p_value)];
        match rows.last_mut().filter(|_| same) {
            Some(last) => {
                for (cell, text) in last[2..].iter_mut().zip(line) {
                    cell.push('\n');
                    cell.push_str(&text);
                }
            }
            None => rows.push([vec![labels::outcome(page.protocol, &row.outcome), model(row)], line.into()].concat()),
        }
        before = Some(row);
    }
    let (treatment, _) = page.labels.term(page.labels.treatment());
    let header = ["Outcome", "Model", "Variance", "Ratio (95% CI)", ""].map(str::to_owned);
    table(out, page, &format!("Further models: {treatment}"), 3, &header, rows)
}

/// The treatment's rows of every model without a column in a main table.
fn shown(page: &Page<'_>, row: &EstimateRow) -> bool {
    let outcome_model = row.analysis != "propensity" && row.model != "interaction";
    let main = Group::first(page, &row.outcome).is_some_and(|group| group.holds(row))
        && COLUMNS.iter().any(|(model, _)| *model == row.model);
    outcome_model && !main && row.term == page.labels.treatment()
}

fn model(row: &EstimateRow) -> String {
    match row.ties {
        Some(ties) => format!("{}; ties: {}", labels::model(row.model), labels::ties(ties)),
        None => labels::model(row.model).to_owned(),
    }
}
