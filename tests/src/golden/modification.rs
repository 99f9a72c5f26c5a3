//! `golden/modification.json`: effects of the treatment within levels of an effect modifier, hazard ratios from the table
//! of a survival curve, E-values. Section `main` is a run of `examples/relapsed-myeloma`, `further` one with more effect
//! modifiers and weighted interactions.

use super::comparison::Comparison;
use super::files::{Files, Row};

/// Columns that golden numbers have for each variance.
const COLUMNS: [(&str, &str); 4] =
    [("std_error", "std_error"), ("statistic", "statistic"), ("e_values", "e_value"), ("e_values", "e_value_limit")];

const VARIANCES: [&str; 4] = ["naive", "robust", "survey", "m_estimation"];

/// Which rows of `estimates.csv` a golden entry is, apart from term and variance.
struct Of<'a> {
    analysis: &'a str,
    outcome: &'a str,
    model: &'a str,
    modifier: &'a str,
}

pub(super) fn compare(comparison: &mut Comparison<'_>, files: &Files, section: &str) {
    for (entry, model) in
        [("interaction", "interaction"), ("iptw_interaction", "iptw_interaction"), ("continuous", "interaction")]
    {
        for outcome in comparison.names(&format!("/{section}/{entry}")) {
            for modifier in comparison.names(&format!("/{section}/{entry}/{outcome}")) {
                let at = format!("/{section}/{entry}/{outcome}/{modifier}");
                effects(comparison, files, &at, &Of { analysis: regression(outcome), outcome, model, modifier });
                if model == "iptw_interaction" {
                    wald(comparison, files, &at, outcome, modifier);
                }
            }
        }
    }
    for (entry, analysis) in [("hazard_ratio", Some("kaplan_meier")), ("treatment", None)] {
        for outcome in comparison.names(&format!("/{section}/{entry}")) {
            for model in comparison.names(&format!("/{section}/{entry}/{outcome}")) {
                let analysis = analysis.unwrap_or_else(|| regression(outcome));
                let at = format!("/{section}/{entry}/{outcome}/{model}");
                effects(comparison, files, &at, &Of { analysis, outcome, model, modifier: "" });
            }
        }
    }
}

/// The analysis of an outcome of the example.
fn regression(outcome: &str) -> &'static str {
    if ["pfs", "os"].contains(&outcome) { "cox" } else { "logistic" }
}

/// Every effect of one model under every variance that R has.
fn effects(comparison: &mut Comparison<'_>, files: &Files, at: &str, of: &Of<'_>) {
    let ties = if of.analysis == "logistic" { "" } else { "efron" };
    for (i, term) in comparison.texts(&format!("{at}/term")).into_iter().enumerate() {
        let row = |variance| {
            files.estimates.row(&[
                ("analysis", of.analysis),
                ("outcome", of.outcome),
                ("model", of.model),
                ("modifier", of.modifier),
                ("ties", ties),
                ("term", term),
                ("variance", variance),
            ])
        };
        let estimate = comparison.item(&format!("{at}/estimate"), i);
        comparison.number(&estimate, cell(&row("naive"), "estimate"));
        for variance in VARIANCES {
            for (golden, column) in COLUMNS {
                let tail = if golden == column { String::new() } else { format!("/{column}") };
                let list = format!("{at}/{golden}/{variance}{tail}");
                if comparison.has(&list) {
                    let pointer = comparison.item(&list, i);
                    comparison.number(&pointer, cell(&row(variance), column));
                }
            }
        }
    }
}

/// The test of the product terms of a weighted model, robust variance.
fn wald(comparison: &mut Comparison<'_>, files: &Files, at: &str, outcome: &str, modifier: &str) {
    let row = files.tests.row(&[
        ("name", "interaction_wald"),
        ("outcome", outcome),
        ("model", "iptw_interaction"),
        ("modifier", modifier),
    ]);
    for (golden, column) in [("wald", "statistic"), ("wald_p", "p_value")] {
        comparison.number(&format!("{at}/{golden}"), cell(&row, column));
    }
}

fn cell(row: &Result<Row<'_>, String>, column: &str) -> Result<f64, String> {
    row.as_ref().map_err(Clone::clone)?.number(column)
}
