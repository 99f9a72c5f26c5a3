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

/// The name of a model with its handling of ties.
fn model(outcome: String, model: &str, ties: Option<&str>) -> String {
    let ties = ties.map_or_else(String::new, |ties| format!(", ties: {}", labels::ties(ties)));
    format!("{outcome}, {}{ties}", labels::model(model))
}

/// Treatment, global test, and every term with P below 0.05; all others are in tests.csv.
fn proportional(page: &Page<'_>) -> Table {
    let treatment = &page.protocol.dictionary.variable(page.protocol.treatment.variable).name;
    let shown = |test: &&TestRow| {
        test.name.starts_with("zph_")
            && (test.term == *treatment || test.term == "global" || test.test.p_value < 0.05)
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut last = String::new();
    for test in page.results.tests.iter().filter(shown) {
        let heading = model(page.outcome(&test.outcome, &test.cause), test.model, test.ties);
        if heading != last {
            rows.push(Row::Heading(heading.clone()));
            last = heading;
        }
        let term = if test.term == "global" { "all terms together".into() } else { page.labels.variables(&test.term) };
        let transform = match test.name {
            "zph_km" => "Kaplan-Meier",
            "zph_rank" => "rank",
            "zph_identity" => "identity",
            "zph_log" => "log",
            other => other,
        };
        let cells = vec![
            Cell::text(transform),
            page.decimals(test.test.statistic, 2, &TESTS, test, "statistic"),
            Cell::text(test.test.df.to_string()),
            page.p(test.test.p_value, &TESTS, test, "p_value"),
        ];
        rows.push(Row::indented(term, cells));
    }
    Table {
        caption: "Tests of proportional hazards (score tests of a course over time)".into(),
        header: ["Term", "Transform of time", "Chi-square", "df", "P"].map(str::to_owned).into(),
        rows,
        texts: 2,
        notes: vec![
            "Shown are the treatment, all terms together, and every term with P below 0.05; tests.csv has the others. A \
             small P says that a hazard ratio is an average over time that changes: read the survival curves and \
             restricted means beside it."
                .into(),
        ],
        ..Table::default()
    }
}

fn concordance(page: &Page<'_>) -> Table {
    let row = |fit: &FitRow| {
        let found = fit.outcome_of_fit.as_ref().ok()?.concordance?;
        let value = page.decimals(found.value, 3, &FITS, fit, "concordance");
        let bound = page.decimals(found.bound, 3, &FITS, fit, "concordance_bound");
        Some(Row::new(model(page.outcome(&fit.outcome, &fit.cause), fit.model, fit.ties), vec![value, bound]))
    };
    Table {
        caption: "Concordance of the Cox models".into(),
        header: ["Model", "Concordance", "Off by at most"].map(str::to_owned).into(),
        rows: page.results.fits.iter().filter_map(row).collect(),
        texts: 1,
        notes: vec!["Pairs are counted on bins of the linear predictor; the last column bounds what that costs.".into()],
        ..Table::default()
    }
}
