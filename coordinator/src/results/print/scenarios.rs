//! The treatment's effect in the scenarios beside that of the main analysis, each model with the one variance that accounts
//! for most; the others stand in `estimates.csv`.

use std::io::{self, Write};

use study::results::{EstimateRow, KAPLAN_MEIER, Results, Variance};

use super::effects::effect;
use super::{Page, Texts, labels, table};

/// One row per outcome, model and variance of a scenario, after the same of the main analysis.
pub(super) fn effects(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let mut rows = Vec::new();
    for (outcome, model, variance, ties) in repeated(page) {
        let same = |row: &&EstimateRow| {
            row.outcome == outcome && row.model == model && row.variance == variance && row.ties == ties
        };
        let mut first = true;
        for (label, results) in all(page) {
            let Some(row) = results.estimates.iter().filter(|r| treatment(page, r)).find(same) else { continue };
            let head = if first {
                let model = ties.map_or_else(
                    || labels::model(model).to_owned(),
                    |ties| format!("{}; {}", labels::model(model), labels::ties(ties)),
                );
                [labels::outcome(page.protocol, outcome), model, labels::variance(row.variance).to_owned()]
            } else {
                [const { String::new() }; 3]
            };
            first = false;
            rows.push(
                [head.to_vec(), vec![labels::plain(label), row.n.to_string()], effect(page, row).into()].concat(),
            );
        }
    }
    let (treatment, _) = page.labels.term(page.labels.treatment());
    let header = ["", "Model", "Variance", "Scenario", "n", "Ratio (95% CI)", ""].map(str::to_owned);
    table(out, page, &format!("Scenarios: {treatment}"), Texts { wrap: 4, left: 4 }, &header, rows)
}

fn all<'a>(page: &'a Page<'_>) -> impl Iterator<Item = (&'a str, &'a Results)> {
    let scenarios = page.results.scenarios.iter().map(|s| (s.label.as_str(), &s.results));
    std::iter::once(("main analysis", page.results)).chain(scenarios)
}

fn treatment(page: &Page<'_>, row: &EstimateRow) -> bool {
    let regression = !["propensity", KAPLAN_MEIER].contains(&row.analysis) && row.modifier.is_empty();
    regression && row.term == page.labels.treatment()
}

/// Outcome, model, variance and ties of every effect that some scenario repeats, each once.
fn repeated<'a>(page: &'a Page<'_>) -> Vec<(&'a str, &'a str, Variance, Option<&'static str>)> {
    let mut keys: Vec<(&str, &str, Variance, Option<&str>)> = Vec::new();
    for row in page.results.scenarios.iter().flat_map(|s| &s.results.estimates).filter(|r| treatment(page, r)) {
        let (outcome, variance) = (row.outcome.as_str(), row.variance);
        match keys.iter_mut().find(|key| (key.0, key.1, key.3) == (outcome, row.model, row.ties)) {
            None => keys.push((outcome, row.model, variance, row.ties)),
            Some(key) if rank(variance) > rank(key.2) => key.2 = variance,
            Some(_) => {}
        }
    }
    keys
}

/// How much a variance accounts for.
fn rank(variance: Variance) -> usize {
    let order = [Variance::Naive, Variance::Survey, Variance::Robust, Variance::ClusterSite, Variance::MEstimation];
    order.iter().position(|v| *v == variance).unwrap_or_default()
}
