//! The shorter tables: flow, effect modification, failures.

use std::io::{self, Write};

use report::models::noted;
use study::results::TestRow;

use super::{Page, Texts, labels, number, table};

/// The flow chart.
pub(super) fn flow(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let [control, treated] = page.labels.arms();
    let header = [String::new(), "patients".into(), control.clone(), treated.clone(), "left out".into()];
    let rows = page.results.flow.iter().map(|f| {
        let counts = [f.n, f.control, f.treated, f.excluded].map(number::count);
        [vec![labels::plain(&f.label)], counts.into()].concat()
    });
    table(out, page, "Patients", Texts { wrap: 1, left: 1 }, &header, rows.collect())
}

/// p values of treatment by effect modifier: a row per interaction model. The Wald test of a weighted model takes the robust
/// variance where it was asked for.
pub(super) fn effect_modification(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let tests = &page.results.tests;
    let rows = tests.iter().filter(|t| t.name == "interaction_wald").map(|wald| {
        let same = |t: &&TestRow| {
            t.name == "interaction_lr"
                && (&t.outcome, &t.cause, &t.model) == (&wald.outcome, &wald.cause, &wald.model)
                && (&t.modifier, &t.ties) == (&wald.modifier, &wald.ties)
        };
        let ratio = tests.iter().find(same).map_or_else(|| "–".into(), |t| number::p_value(t.test.p_value));
        let ties = wald.ties.as_deref().map_or_else(String::new, |t| format!("; {}", labels::ties(t)));
        let weighted = if wald.model == "interaction" { "" } else { "; IPTW" };
        vec![
            format!("{}{ties}{weighted}", labels::event(page.protocol, &wald.outcome, &wald.cause)),
            wald.term.split(" + ").map(|product| modifier(page, product)).collect::<Vec<_>>().join("; "),
            number::p_value(wald.test.p_value),
            ratio,
        ]
    });
    let header = ["", "Treatment by", "Wald", "likelihood ratio"].map(str::to_owned);
    table(out, page, "Effect modification", Texts { wrap: 2, left: 2 }, &header, rows.collect())
}

/// Label of the effect modifier's term in a product with the treatment.
fn modifier(page: &Page<'_>, product: &str) -> String {
    let factors = product.split(" x ").filter(|factor| *factor != page.labels.treatment());
    factors.map(|factor| page.labels.term(factor).0).collect::<Vec<_>>().join(" × ")
}

/// Models that have no numbers, with the cause and what to do next.
pub(super) fn failures(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let main = page.results.fits.iter().map(|fit| (None, fit));
    let others = page.results.scenarios.iter().flat_map(|s| s.results.fits.iter().map(|fit| (Some(&s.label), fit)));
    let rows = main.chain(others).filter_map(|(scenario, fit)| {
        let problem = fit.outcome_of_fit.as_ref().err()?;
        let ties = fit.ties.as_deref().map_or_else(String::new, |t| format!("; ties: {}", labels::ties(t)));
        let scenario = scenario.map_or_else(String::new, |label| format!("\n{}", labels::plain(label)));
        Some(vec![
            format!(
                "{}\n{}{ties}{scenario}",
                labels::event(page.protocol, &fit.outcome, &fit.cause),
                labels::fitted(fit)
            ),
            format!("{} ({})", labels::plain(&problem.message), problem.code),
            problem.hint.to_string(),
        ])
    });
    let header = ["", "Why it has no result", "What to do"].map(str::to_owned);
    table(out, page, "Models without a result", Texts { wrap: 3, left: 3 }, &header, rows.collect())?;
    let notes = noted(page.results).into_iter().map(|row| {
        let model =
            format!("{}\n{}", labels::event(page.protocol, &row.outcome, &row.cause), labels::model(&row.model));
        let note = row.note.map_or_else(String::new, |note| note.to_string());
        vec![model, labels::variance(row.variance).to_owned(), note]
    });
    let header = ["", "Variance", "What to know of it"].map(str::to_owned);
    table(out, page, "Standard errors", Texts { wrap: 3, left: 3 }, &header, notes.collect())
}
