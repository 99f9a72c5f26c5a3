//! Models that have no numbers, with the cause and what to do next; and reasons to doubt those that have.

use study::results::{FitProblem, FitRow, WarningRow};

use super::Block;
use crate::labels::{self, scheme};
use crate::models::noted;
use crate::page::Page;
use crate::table::{Cell, Row, Table};

/// Every model without a result, of the main analysis and of the scenarios, with the scenario's label.
pub(super) fn failed<'r>(page: &Page<'r>) -> impl Iterator<Item = (Option<&'r str>, &'r FitRow, &'r FitProblem)> {
    let main = page.results.fits.iter().map(|fit| (None, fit));
    let scenarios = page.results.scenarios.iter();
    let others = scenarios.flat_map(|s| s.results.fits.iter().map(|fit| (Some(s.label.as_str()), fit)));
    main.chain(others).filter_map(|(scenario, fit)| Some((scenario, fit, fit.outcome_of_fit.as_ref().err()?)))
}

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let failures = failures(page);
    if failures.rows.is_empty() {
        blocks.push(Block::words("Every declared model and curve has a result."));
    }
    blocks.extend(Block::table(failures));
    blocks.extend(Block::table(standard_errors(page)));
    blocks.extend(Block::table(unchecked(page)));
    let warnings = warnings(page);
    if warnings.rows.is_empty() {
        blocks.push(Block::words("There is no warning about what models leave out, overlap or weights."));
    }
    blocks.extend(Block::table(warnings));
    blocks
}

fn name(page: &Page<'_>, scenario: Option<&str>, fit: &FitRow) -> String {
    let ties = fit.ties.as_deref().map_or_else(String::new, |t| format!(", ties: {}", labels::ties(t)));
    let scenario = scenario.map_or_else(String::new, |label| format!(" ({})", labels::plain(label)));
    format!("{}, {}{ties}{scenario}", page.outcome(&fit.outcome, &fit.cause), labels::fitted(fit))
}

fn failures(page: &Page<'_>) -> Table {
    let row = |(scenario, fit, problem): (Option<&str>, &FitRow, &FitProblem)| {
        let why = Cell::foreign(&problem.message).and_text(format!(" ({})", problem.code));
        Row::new(name(page, scenario, fit), vec![why, Cell::text(&*problem.hint)])
    };
    Table {
        caption: "Models without a result".into(),
        header: ["Model", "Why it has none", "What to do"].map(str::to_owned).into(),
        rows: failed(page).map(row).collect(),
        texts: 3,
        ..Table::default()
    }
}

/// What a reader must know of standard errors, or why there are none.
fn standard_errors(page: &Page<'_>) -> Table {
    let rows = noted(page.results).into_iter().map(|row| {
        let model = format!("{}, {}", page.outcome(&row.outcome, &row.cause), labels::model(&row.model));
        let note = row.note.map_or_else(String::new, |note| note.to_string());
        Row::new(model, vec![Cell::text(labels::variance(row.variance)), Cell::text(note)])
    });
    Table {
        caption: "Standard errors".into(),
        header: ["Model", "Variance", "What to know of it"].map(str::to_owned).into(),
        rows: rows.collect(),
        texts: 3,
        ..Table::default()
    }
}

/// Declared checks of fitted models that have no number.
fn unchecked(page: &Page<'_>) -> Table {
    let mut rows = Vec::new();
    for fit in &page.results.fits {
        let Ok(numbers) = &fit.outcome_of_fit else { continue };
        for problem in &numbers.unchecked {
            let why = format!("{} ({})", labels::plain(&problem.to_string()), problem.code());
            rows.push(Row::new(name(page, None, fit), vec![Cell::foreign(why)]));
        }
    }
    Table {
        caption: "Checks without a number".into(),
        header: ["Model", "Why it has none"].map(str::to_owned).into(),
        rows,
        texts: 2,
        ..Table::default()
    }
}

fn warnings(page: &Page<'_>) -> Table {
    let line = |scenario: Option<&str>, warning: &WarningRow| {
        let about = scheme(&warning.about);
        let about = scenario.map_or_else(|| about.clone(), |label| format!("{}: {about}", labels::plain(label)));
        Row::new(about, vec![Cell::foreign(&warning.text).and_text(format!(" ({})", warning.code))])
    };
    let mut rows: Vec<Row> = page.results.warnings.iter().map(|warning| line(None, warning)).collect();
    for scenario in &page.results.scenarios {
        rows.extend(scenario.results.warnings.iter().map(|warning| line(Some(&scenario.label), warning)));
    }
    Table {
        caption: "Why results need care".into(),
        header: ["About", "Why"].map(str::to_owned).into(),
        rows,
        texts: 2,
        ..Table::default()
    }
}
