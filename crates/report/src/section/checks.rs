//! Tests of proportional hazards, and how well the models tell patients apart.

use study::results::{FitRow, TestRow};

use super::Block;
use crate::labels;
use crate::page::{FITS, Page, TESTS};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    blocks.extend(Block::table(proportional(page)));
    blocks.extend(Block::table(concordance(page)));
    if blocks.is_empty() {
        blocks.push(Block::words("The protocol declares no check of a Cox model."));
    }
    blocks
}

/// The name of a model with what tells it apart from others of its outcome: handling of ties, effect modifier.
fn model(page: &Page<'_>, outcome: &str, model: &str, ties: Option<&str>, modifier: &str) -> String {
    let ties = ties.map_or_else(String::new, |ties| format!(", ties: {}", labels::ties(ties)));
    let with = match modifier {
        "" => String::new(),
        modifier => format!(" (by {})", page.labels.variables(modifier)),
    };
    format!("{outcome}, {}{with}{ties}", labels::model(model))
}

/// One line per model and transform: the treatment's test and that of all terms; then every other term with P below
/// 0.05. All others are in tests.csv.
fn proportional(page: &Page<'_>) -> Table {
    let treatment = &page.protocol.dictionary.variable(page.protocol.treatment.variable).name;
    let mut rows = Vec::new();
    for test in page.results.tests.iter().filter(|test| test.name.starts_with("zph_")) {
        let of_model = |other: &&TestRow| {
            (&other.name, &other.outcome, &other.cause, &other.model, &other.modifier, &other.ties)
                == (&test.name, &test.outcome, &test.cause, &test.model, &test.modifier, &test.ties)
        };
        let outcome = page.outcome(&test.outcome, &test.cause);
        let label = model(page, &outcome, &test.model, test.ties.as_deref(), &test.modifier);
        let p = |test: &TestRow| page.p(test.test.p_value, &TESTS, test, "p_value");
        let statistic = |test: &TestRow| page.decimals(test.test.statistic, 2, &TESTS, test, "statistic");
        if test.term == *treatment {
            let global = page.results.tests.iter().filter(of_model).find(|other| other.term == "global");
            let all = global.map_or_else(
                || vec![Cell::none(), Cell::none(), Cell::none()],
                |global| vec![statistic(global), Cell::text(global.test.df.to_string()), p(global)],
            );
            let cells = [vec![Cell::text(transform(&test.name)), statistic(test), p(test)], all].concat();
            rows.push(Row::new(label, cells));
        } else if test.term != "global" && test.test.p_value < 0.05 {
            let term = format!("{label}: {}", page.labels.variables(&test.term));
            let rest = vec![Cell::empty(), Cell::empty(), Cell::empty()];
            let cells = [vec![Cell::text(transform(&test.name)), statistic(test), p(test)], rest].concat();
            rows.push(Row::indented(term, cells));
        }
    }
    let header = ["Model", "Transform\nof time", "Chi-square", "P", "Chi-square", "df", "P"];
    Table {
        caption: "Tests of proportional hazards".into(),
        spans: vec![(String::new(), 2), ("Treatment".into(), 2), ("All terms".into(), 3)],
        header: header.map(str::to_owned).into(),
        rows,
        texts: 2,
        notes: vec![
            "Indented: other terms with P below 0.05; tests.csv has all of them. A small P says that a hazard ratio is an \
             average over time that changes: read the survival curves and restricted means beside it."
                .into(),
        ],
    }
}

fn transform(name: &str) -> &str {
    match name {
        "zph_km" => "Kaplan-Meier",
        "zph_rank" => "rank",
        "zph_identity" => "identity",
        "zph_log" => "log",
        other => other,
    }
}

fn concordance(page: &Page<'_>) -> Table {
    let row = |fit: &FitRow| {
        let found = fit.outcome_of_fit.as_ref().ok()?.concordance?;
        let value = page.decimals(found.value, 3, &FITS, fit, "concordance");
        let bound = page.decimals(found.bound, 3, &FITS, fit, "concordance_bound");
        Some(Row::new(
            model(page, &page.outcome(&fit.outcome, &fit.cause), &fit.model, fit.ties.as_deref(), &fit.modifier),
            vec![value, bound],
        ))
    };
    Table {
        caption: "Concordance of the Cox models".into(),
        header: ["Model", "Concordance", "Off by at most"].map(str::to_owned).into(),
        rows: page.results.fits.iter().filter_map(row).collect(),
        texts: 1,
        notes: vec![
            "Pairs are counted on bins of the linear predictor; the last column bounds what that costs.".into(),
        ],
        ..Table::default()
    }
}
