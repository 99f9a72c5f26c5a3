//! The shorter tables: flow, effect modification, weights, failures.

use std::io::{self, Write};

use super::{Page, labels, number, table};

/// The flow chart.
pub(super) fn flow(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let [control, treated] = page.labels.arms();
    let header = ["Step".into(), "patients".into(), control.clone(), treated.clone(), "left out".into()];
    let rows = page.results.flow.iter().map(|f| {
        let counts = [f.n, f.control, f.treated, f.excluded].map(|n| n.to_string());
        [vec![labels::plain(&f.label)], counts.into()].concat()
    });
    table(out, page, "Patients", 1, &header, rows.collect())
}

/// p values of treatment by effect modifier.
pub(super) fn effect_modification(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let tests = || page.results.tests.iter().filter(|t| t.name.starts_with("interaction_"));
    let rows = tests().map(|t| {
        let kind = match t.name {
            "interaction_wald" => "Wald, naive variance",
            "interaction_lr" => "likelihood ratio",
            other => other,
        };
        let products: Vec<String> = t.term.split(" + ").map(|p| product(page, p)).collect();
        vec![
            labels::outcome(page.protocol, &t.outcome),
            products.join("\n"),
            kind.to_owned(),
            format!("{:.3} ({})", t.test.statistic, t.test.df),
            number::p_value(t.test.p_value),
        ]
    });
    let header = ["Outcome", "Product", "Test", "chi-square (df)", ""].map(str::to_owned);
    table(out, page, "Effect modification", 3, &header, rows.collect())
}

/// Label of the effect modifier's term in a product with the treatment.
fn product(page: &Page<'_>, name: &str) -> String {
    let factors: Vec<String> = name.split(" x ").map(|factor| page.labels.term(factor).0).collect();
    factors.join(" × ")
}

/// Sums and effective sample sizes of the weights.
pub(super) fn weights(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let rows = page.results.weights.iter().enumerate().map(|(i, w)| {
        let scheme = match w.scheme {
            "ate_stabilized" => "ATE, stabilised",
            "ate" => "ATE",
            other => other,
        };
        vec![
            scheme.to_owned(),
            page.labels.arms()[i % 2].clone(),
            w.n.to_string(),
            format!("{:.1}", w.sum),
            format!("{:.1}", w.ess),
        ]
    });
    let header = ["Weights", "Arm", "patients", "sum", "effective sample size"].map(str::to_owned);
    table(out, page, "Inverse probability weights", 2, &header, rows.collect())
}

/// Models that have no numbers, with the cause and what to do next.
pub(super) fn failures(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let rows = page.results.fits.iter().filter_map(|fit| {
        let problem = fit.outcome_of_fit.as_ref().err()?;
        let ties = fit.ties.map_or_else(String::new, |t| format!("; ties: {}", labels::ties(t)));
        Some(vec![
            format!("{}\n{}{ties}", labels::outcome(page.protocol, &fit.outcome), labels::model(fit.model)),
            format!("{} ({})", labels::plain(&problem.message), problem.code),
            problem.hint.to_owned(),
        ])
    });
    let header = ["Model", "Why it has no result", "What to do"].map(str::to_owned);
    table(out, page, "Models without a result", 3, &header, rows.collect())
}
