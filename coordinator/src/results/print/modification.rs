//! The treatment's effect within levels of an effect modifier, and how strong a confounder would have to be.

use std::io::{self, Write};

use report::models::{preferred, without_e_value};
use study::dictionary::Kind;
use study::results::EstimateRow;

use super::effects::{Group, effect};
use super::{Page, Texts, labels, number, table};

/// One row per outcome, model and level, under the variance that stands for the model.
pub(super) fn within_levels(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let estimates = &page.results.estimates;
    let mut rows = Vec::new();
    let mut before = String::new();
    for row in estimates.iter().filter(|row| place(row).is_some() && main(page, row)) {
        let same = |r: &&EstimateRow| {
            (&r.outcome, &r.model, &r.modifier, &r.term) == (&row.outcome, &row.model, &row.modifier, &row.term)
                && main(page, r)
        };
        let of_model: Vec<&EstimateRow> = estimates.iter().filter(same).collect();
        if preferred(&of_model).is_none_or(|stands| stands.variance != row.variance) {
            continue;
        }
        let weighted = if row.model == "interaction" { "" } else { "; IPTW" };
        let name = format!("{}{weighted}", labels::event(page.protocol, &row.outcome, &row.cause));
        let outcome = if name == before { String::new() } else { name.clone() };
        before = name;
        let variance = labels::variance(row.variance).to_owned();
        rows.push([vec![outcome, level(page, row), variance], effect(page, row).into()].concat());
    }
    let (treatment, _) = page.labels.term(page.labels.treatment());
    let header = ["", "Among", "Variance", "Ratio (95% CI)", ""].map(str::to_owned);
    table(out, page, &format!("Within levels: {treatment}"), Texts { wrap: 2, left: 3 }, &header, rows)
}

/// Level or value of the effect modifier; none for a row that is no effect within a level.
fn place(row: &EstimateRow) -> Option<&str> {
    let (_, place) = row.term.split_once(" at ")?;
    place.strip_prefix(row.modifier.as_str())?.strip_prefix(':')
}

/// Is it a row of the analysis whose numbers stand in the main tables?
fn main(page: &Page<'_>, row: &EstimateRow) -> bool {
    Group::first(page, &row.outcome).is_some_and(|group| group.holds(row))
}

/// "Refractory to daratumumab: no", "Age 70 years".
fn level(page: &Page<'_>, row: &EstimateRow) -> String {
    let place = place(row).unwrap_or_default();
    let dictionary = &page.protocol.dictionary;
    let Some(variable) = dictionary.find(&row.modifier).map(|id| dictionary.variable(id)) else {
        return labels::plain(place);
    };
    labels::plain(&match &variable.kind {
        Kind::Categorical { levels, labels, .. } => {
            let label = levels.iter().position(|level| level == place).map_or(place, |i| labels[i].as_str());
            format!("{}: {label}", variable.label)
        }
        Kind::Continuous { unit, .. } => format!("{} {place} {unit}", variable.label),
        Kind::Days { .. } => format!("{} {place}", variable.label),
    })
}

/// E-values of the weighted model (the unadjusted one where there is none) and of the adjusted one.
pub(super) fn e_values(out: &mut impl Write, page: &Page<'_>) -> io::Result<()> {
    let (mut rows, mut without) = (Vec::new(), Vec::new());
    for outcome in &page.protocol.outcomes {
        let find = |model: &str| {
            let rows = page.results.estimates.iter().filter(|r| {
                r.outcome == outcome.name
                    && r.cause.is_empty()
                    && r.model == model
                    && r.term == page.labels.treatment()
                    && main(page, r)
            });
            preferred(&rows.collect::<Vec<_>>())
        };
        let shown = find("iptw").or_else(|| find("unadjusted")).into_iter().chain(find("adjusted"));
        for (i, row) in shown.enumerate() {
            let label = labels::plain(&outcome.label);
            if let Some(why) = without_e_value(row) {
                without.push(vec![label.clone(), labels::model(&row.model).to_owned(), why.to_owned()]);
            }
            let outcome = if i == 0 { label } else { String::new() };
            let names = [labels::model(&row.model), labels::variance(row.variance)].map(str::to_owned);
            let [ratio, _] = effect(page, row);
            let values = [row.e_value.map(|e| e.estimate), row.e_value.map(|e| e.limit)];
            let values = values.map(|value| value.map_or_else(|| number::NONE.to_owned(), number::e_value));
            rows.push([vec![outcome], names.into(), vec![ratio], values.into()].concat());
        }
    }
    let (treatment, _) = page.labels.term(page.labels.treatment());
    let header = ["", "Model", "Variance", "Ratio (95% CI)", "E-value", "of limit"].map(str::to_owned);
    table(out, page, &format!("E-values: {treatment}"), Texts { wrap: 2, left: 3 }, &header, rows)?;
    let header = ["", "Model", "Why it has no E-value"].map(str::to_owned);
    table(out, page, "No E-value", Texts { wrap: 3, left: 3 }, &header, without)
}
