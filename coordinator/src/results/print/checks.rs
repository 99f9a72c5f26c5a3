//! Proportional hazards: the tests of all terms together, and the terms that change with time at the 5% level.

use std::io::{self, Write};

use study::results::TestRow;

use super::{Page, Texts, labels, number, table};

/// Below this p value a term gets a row of its own.
const LEVEL: f64 = 0.05;

/// A row per model and transform, and one per term below 5%.
pub(super) fn proportional_hazards(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let tests = page.results.tests.iter().filter_map(|test| Some((transform(test)?, test)));
    let shown = tests.filter(|(_, test)| test.term == "global" || test.test.p_value < LEVEL);
    let rows = shown.map(|(transform, test)| {
        let ties = test.ties.as_deref().map_or_else(String::new, |t| format!("; {}", labels::ties(t)));
        let term = if test.term == "global" { "all terms".to_owned() } else { page.labels.variables(&test.term) };
        vec![
            labels::event(page.protocol, &test.outcome, &test.cause),
            format!("{}{ties}", labels::model(&test.model)),
            term,
            transform.to_owned(),
            format!("{:.2}", test.test.statistic),
            test.test.df.to_string(),
            number::p_value(test.test.p_value),
        ]
    });
    let header = ["", "Model", "Term", "Time", "chi-square", "df", ""].map(str::to_owned);
    let heading = "Proportional hazards: all terms of each model, and terms with p < 0.05";
    table(out, page, heading, Texts { wrap: 3, left: 4 }, &header, rows.collect())
}

/// How time enters the test, when it is one of proportional hazards.
fn transform(test: &TestRow) -> Option<&'static str> {
    match &*test.name {
        "zph_km" => Some("Kaplan-Meier"),
        "zph_rank" => Some("rank"),
        "zph_identity" => Some("identity"),
        "zph_log" => Some("log"),
        _ => None,
    }
}
