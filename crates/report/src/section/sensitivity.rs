//! How much the effects depend on choices: scenarios, weights, ties, bootstrap, imputation, unmeasured confounding.

use study::results::{EstimateRow, Variance};

use super::Block;
use super::effects::{Group, forest, line, numbers};
use crate::figure::forest::Line;
use crate::figure::svg::Ink;
use crate::labels;
use crate::models::{preferred, without_e_value};
use crate::page::{ESTIMATES, Page};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    blocks.extend(scenarios(page));
    blocks.extend(Block::table(variants(page)));
    blocks.extend(Block::table(variances(page)));
    blocks.extend(Block::table(imputed(page)));
    blocks.extend(Block::table(e_values(page)));
    if blocks.is_empty() {
        blocks.push(Block::words("The protocol declares no sensitivity analysis."));
    }
    blocks
}

/// The treatment's rows of one model, by variance.
fn of_model<'r>(rows: &'r [EstimateRow], treatment: &str, like: &EstimateRow) -> Vec<&'r EstimateRow> {
    let same = |row: &&EstimateRow| {
        row.term == treatment
            && (&row.analysis, &row.outcome, &row.cause, &row.model, &row.ties, &row.modifier)
                == (&like.analysis, &like.outcome, &like.cause, &like.model, &like.ties, &like.modifier)
    };
    rows.iter().filter(same).collect()
}

/// The main analysis and every scenario, outcome by outcome.
fn scenarios(page: &Page<'_>) -> Vec<Block> {
    if page.results.scenarios.is_empty() {
        return Vec::new();
    }
    let treatment = page.labels.treatment();
    let (mut lines, mut data) = (Vec::new(), Vec::new());
    for outcome in &page.protocol.outcomes {
        let Some(group) = Group::first(page, &outcome.name) else { continue };
        for model in ["iptw", "adjusted"] {
            let Some(main) = preferred(&group.effects(model)) else { continue };
            let of_scenario = |scenario: &'_ study::results::ScenarioResults| {
                preferred(&of_model(&scenario.results.estimates, treatment, main)).is_some()
            };
            if !page.results.scenarios.iter().any(of_scenario) {
                continue;
            }
            let heading = format!("{}, {}", labels::plain(&outcome.label), labels::model(model));
            lines.push(Line::Heading(heading.clone()));
            data.push(Row::Heading(heading));
            let label = "Main analysis";
            lines.push(line(page, main, label, Ink::Control));
            data.push(numbers(page, main, label));
            for scenario in &page.results.scenarios {
                let rows = of_model(&scenario.results.estimates, treatment, main);
                let Some(row) = preferred(&rows) else { continue };
                let label = labels::plain(&scenario.label);
                lines.push(line(page, row, &label, Ink::Treated));
                data.push(numbers(page, row, &label));
            }
        }
    }
    let text = "The effect of the treatment in the main analysis and in every scenario of the protocol.";
    let figure = forest(page, "scenarios", "Effect of the treatment by scenario", text, lines, data);
    let mut blocks = vec![Block::Heading("Scenarios".into())];
    blocks.push(Block::List(page.results.scenarios.iter().map(|s| scenario(page, s)).collect()));
    blocks.extend(Block::figures(figure));
    blocks
}

/// "Label: 596 patients".
fn scenario(page: &Page<'_>, scenario: &study::results::ScenarioResults) -> Cell {
    let label = Cell::foreign(&scenario.label);
    match scenario.results.flow.last() {
        Some(last) => label.and_text(": ").and(page.count(last.n, &crate::page::FLOW, last, "n")).and_text(" patients"),
        None => label,
    }
}

/// Models beside the main three: other weights, other ties, strata, penalties.
fn variants(page: &Page<'_>) -> Table {
    let mut rows = Vec::new();
    for outcome in &page.protocol.outcomes {
        let Some(group) = Group::first(page, &outcome.name) else { continue };
        let mut seen: Vec<(&str, Option<&str>)> = Vec::new();
        let mut lines = Vec::new();
        for row in
            page.results.estimates.iter().filter(|row| {
                row.outcome == outcome.name && row.term == page.labels.treatment() && row.modifier.is_empty()
            })
        {
            let main = group.holds(row) && ["unadjusted", "iptw", "adjusted"].contains(&&*row.model);
            let known = seen.contains(&(&*row.model, row.ties.as_deref())) || !row.cause.is_empty();
            if main || known || row.analysis == study::results::KAPLAN_MEIER {
                continue;
            }
            seen.push((&*row.model, row.ties.as_deref()));
            let of = of_model(&page.results.estimates, page.labels.treatment(), row);
            let Some(row) = preferred(&of) else { continue };
            let ties = row.ties.as_deref().filter(|_| !group.holds(row));
            let ties = ties.map_or_else(String::new, |ties| format!(", ties: {}", labels::ties(ties)));
            let cells = vec![
                Cell::text(labels::variance(row.variance)),
                page.ratio(row),
                page.p(row.p_value, &ESTIMATES, row, "p_value"),
            ];
            lines.push(Row::indented(format!("{}{ties}", labels::model(&row.model)), cells));
        }
        if !lines.is_empty() {
            rows.push(Row::Heading(labels::plain(&outcome.label)));
            rows.extend(lines);
        }
    }
    Table {
        caption: format!("Other weights, ties and strata: {}", page.contrast()),
        header: ["Model", "Variance", "Ratio (95% CI)", "P"].map(str::to_owned).into(),
        rows,
        texts: 2,
        ..Table::default()
    }
}

/// The weighted effect under every variance, the bootstrap's included.
fn variances(page: &Page<'_>) -> Table {
    let bootstrapped = page.results.estimates.iter().any(|row| row.variance == Variance::Bootstrap);
    let mut rows = Vec::new();
    for outcome in &page.protocol.outcomes {
        let Some(group) = Group::first(page, &outcome.name) else { continue };
        for model in ["unadjusted", "iptw", "adjusted"] {
            let of = group.effects(model);
            let shown = model == "iptw" || of.iter().any(|row| row.replicates.is_some());
            if !shown || of.len() < 2 {
                continue;
            }
            rows.push(Row::Heading(format!("{}, {}", labels::plain(&outcome.label), labels::model(model))));
            for row in of {
                let mut cells = vec![
                    page.decimals(row.std_error, 3, &ESTIMATES, row, "std_error"),
                    page.ratio(row),
                    page.p(row.p_value, &ESTIMATES, row, "p_value"),
                ];
                if bootstrapped {
                    cells.push(match (row.replicates, row.failed_replicates) {
                        (Some(n), Some(0)) => Cell::text(n.to_string()),
                        (Some(n), Some(failed)) => Cell::text(format!("{n}, {failed} failed")),
                        _ => Cell::none(),
                    });
                }
                rows.push(Row::indented(labels::variance(row.variance), cells));
            }
        }
    }
    let header = ["Variance", "SE", "Ratio (95% CI)", "P", "Replicates"];
    let header = &header[..if bootstrapped { 5 } else { 4 }];
    let note = "SE: standard error of the logarithm of the ratio. Naive intervals of weighted models take the weights for \
                counts of patients and are given for comparison.";
    Table {
        caption: if bootstrapped { "Variances and bootstrap" } else { "Variances of the weighted models side by side" }
            .into(),
        header: header.iter().map(|head| (*head).to_owned()).collect(),
        rows,
        texts: 1,
        notes: vec![note.into()],
        ..Table::default()
    }
}

/// Pooled rows of imputed scenarios.
fn imputed(page: &Page<'_>) -> Table {
    let mut rows = Vec::new();
    for scenario in &page.results.scenarios {
        let of = |row: &&EstimateRow| row.fmi.is_some() && row.term == page.labels.treatment();
        for row in scenario.results.estimates.iter().filter(of) {
            let label = format!("{}: {}", labels::plain(&scenario.label), page.outcome(&row.outcome, &row.cause));
            let cells = vec![
                Cell::text(labels::model(&row.model)),
                Cell::text(labels::variance(row.variance)),
                page.ratio(row),
                page.p(row.p_value, &ESTIMATES, row, "p_value"),
                page.maybe(row.fmi, 3, &ESTIMATES, row, "fmi"),
                page.maybe(row.df, 1, &ESTIMATES, row, "df"),
            ];
            rows.push(Row::new(label, cells));
        }
    }
    Table {
        caption: "Multiple imputation, pooled by Rubin's rules".into(),
        header: ["Scenario and outcome", "Model", "Variance", "Ratio (95% CI)", "P", "FMI", "df"]
            .map(str::to_owned)
            .into(),
        rows,
        texts: 3,
        notes: vec!["FMI: fraction of missing information; df: degrees of freedom of Student's t.".into()],
        ..Table::default()
    }
}

/// How strong an unmeasured confounder would have to be.
fn e_values(page: &Page<'_>) -> Table {
    let (mut rows, mut without) = (Vec::new(), Vec::new());
    for outcome in &page.protocol.outcomes {
        let Some(group) = Group::first(page, &outcome.name) else { continue };
        let counted = page.results.outcomes.iter().any(|row| row.outcome == outcome.name);
        for model in ["iptw", "adjusted"] {
            let Some(row) = preferred(&group.effects(model)).filter(|_| counted) else { continue };
            let name = format!("{}, {}", labels::plain(&outcome.label), labels::model(model));
            if let Some(why) = without_e_value(row) {
                without.push(format!("No E-value for {name}: {why}."));
            }
            let [value, limit] = [row.e_value.map(|e| e.estimate), row.e_value.map(|e| e.limit)];
            let cells = vec![
                page.ratio(row),
                page.maybe(value, 2, &ESTIMATES, row, "e_value"),
                page.maybe(limit, 2, &ESTIMATES, row, "e_value_limit"),
            ];
            rows.push(Row::new(name, cells));
        }
    }
    let said = "The risk ratio that a confounder would need with both treatment and outcome to explain the estimate away, or \
                to move the interval to 1 (VanderWeele and Ding 2017).";
    Table {
        caption: "E-values: how strong unmeasured confounding would have to be".into(),
        header: ["Outcome and model", "Ratio (95% CI)", "E-value", "Of the limit nearer to 1"]
            .map(str::to_owned)
            .into(),
        rows,
        texts: 1,
        notes: [said.to_owned()].into_iter().chain(without).map(Cell::text).collect(),
        ..Table::default()
    }
}
