//! The treatment's effect in the scenarios beside that of the main analysis, each model with the one variance that accounts
//! for most; the others stand in `estimates.csv`.

use std::io::{self, Write};

use study::results::{EstimateRow, KAPLAN_MEIER, Results, Variance};

use super::effects::effect;
use super::{Page, Texts, labels, number, table};

/// One row per outcome, model and variance of a scenario, after the same of the main analysis.
pub(super) fn effects(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let mut rows = Vec::new();
    for of in repeated(page) {
        let same = |row: &&EstimateRow| Effect::of(row) == of.effect && row.variance == of.variance;
        let mut first = true;
        for (label, results) in all(page) {
            let Some(row) = results.estimates.iter().filter(|r| treatment(page, r)).find(same) else { continue };
            let head = if first {
                let Effect { analysis, outcome, cause, model, ties } = of.effect;
                let ties = ties.map_or_else(String::new, |ties| format!("; {}", labels::ties(ties)));
                let kind = if analysis == "fine_gray" { "Fine-Gray, " } else { "" };
                [
                    labels::event(page.protocol, outcome, cause),
                    format!("{kind}{}{ties}", labels::model(model)),
                    labels::variance(of.variance).to_owned(),
                ]
            } else {
                [const { String::new() }; 3]
            };
            first = false;
            rows.push(
                [head.to_vec(), vec![labels::plain(label), number::count(row.n)], effect(page, row).into()].concat(),
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
    let regression = !["propensity", KAPLAN_MEIER].contains(&&*row.analysis) && row.modifier.is_empty();
    regression && row.term == page.labels.treatment()
}

/// Which effect of the treatment a row is.
#[derive(Clone, Copy, PartialEq)]
struct Effect<'a> {
    analysis: &'a str,
    outcome: &'a str,
    cause: &'a str,
    model: &'a str,
    ties: Option<&'a str>,
}

impl<'a> Effect<'a> {
    fn of(row: &'a EstimateRow) -> Self {
        let EstimateRow { analysis, outcome, cause, model, ties, .. } = row;
        Effect { analysis, outcome, cause, model, ties: ties.as_deref() }
    }
}

/// An effect that some scenario repeats, and the variance that accounts for most.
struct Repeated<'a> {
    effect: Effect<'a>,
    variance: Variance,
}

/// Each once.
fn repeated<'a>(page: &'a Page<'_>) -> Vec<Repeated<'a>> {
    let mut all: Vec<Repeated<'_>> = Vec::new();
    for row in page.results.scenarios.iter().flat_map(|s| &s.results.estimates).filter(|r| treatment(page, r)) {
        let (effect, variance) = (Effect::of(row), row.variance);
        match all.iter_mut().find(|other| other.effect == effect) {
            None => all.push(Repeated { effect, variance }),
            Some(other) if rank(variance) > rank(other.variance) => other.variance = variance,
            Some(_) => {}
        }
    }
    all
}

/// How much a variance accounts for.
fn rank(variance: Variance) -> usize {
    let order = [Variance::Naive, Variance::Survey, Variance::Robust, Variance::ClusterSite, Variance::MEstimation];
    order.iter().position(|v| *v == variance).unwrap_or_default()
}
