//! What was found, in sentences and numbers that are made from the results.

use study::protocol::{Cause, Competing, Outcome, OutcomeKind};
use study::results::{BalanceRow, EstimateRow, MedianRow, Quantity, Variance};

use super::Block;
use super::baseline::difference;
use super::competing::ratios;
use super::effects::Group;
use crate::figure::love::{LIMIT, pairs};
use crate::labels;
use crate::models::preferred;
use crate::page::{FLOW, MEDIANS, OUTCOMES, Page, TESTS};
use crate::table::{Cell, Row, Table};

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut items = Vec::new();
    items.extend(patients(page));
    items.extend(balance(page));
    for one in &page.protocol.outcomes {
        match &one.kind {
            OutcomeKind::Competing(causes) => {
                items.extend(causes.causes.iter().filter_map(|c| cause(page, one, causes, c)));
            }
            OutcomeKind::Binary { .. } | OutcomeKind::TimeToEvent(_) => items.extend(outcome(page, one)),
        }
    }
    items.extend(failures(page));
    let mut blocks = vec![Block::List(items)];
    blocks.extend(Block::table(glance(page)));
    blocks
}

/// How many patients, from where.
fn patients(page: &Page<'_>) -> Option<Cell> {
    let rows = &page.results.flow;
    let (first, last) = (rows.first()?, rows.last()?);
    let [control, treated] = page.arms();
    let sites = page.provenance.sites.len();
    let of = match first.n {
        Some(n) => Cell::text("Of ")
            .and(page.count(n, &FLOW, first, "n"))
            .and_text(format!(" patients in the files of {sites} sites, ")),
        None => Cell::text("Of the patients in the files of ")
            .and_text(format!("{sites} sites, whose number is "))
            .and(Cell::hidden())
            .and_text(", "),
    };
    Some(
        of.and(page.count(last.n, &FLOW, last, "n"))
            .and_text(" were analysed, ")
            .and(page.count(last.treated, &FLOW, last, "treated"))
            .and_text(" with ")
            .and(Cell::foreign(treated))
            .and_text(" and ")
            .and(page.count(last.control, &FLOW, last, "control"))
            .and_text(" with ")
            .and(Cell::foreign(control))
            .and_text("."),
    )
}

/// How far the arms differed before and after weighting. Weights balance what is in the propensity model; other
/// characteristics are counted apart.
fn balance(page: &Page<'_>) -> Option<Cell> {
    let pairs = pairs(page);
    let modelled: Vec<&str> =
        page.protocol.propensity.iter().flat_map(|p| &p.covariates).map(|id| name(page, *id)).collect();
    let before: Vec<&BalanceRow> = pairs.iter().map(|(row, _)| *row).collect();
    let after = || pairs.iter().filter_map(|(_, row)| *row);
    let (inside, outside): (Vec<&BalanceRow>, Vec<&BalanceRow>) =
        after().partition(|row| modelled.contains(&row.variable.as_str()));
    let lead =
        "Characteristics with a standardised mean difference above 0.1, the largest in brackets: before weighting ";
    let mut cell = Cell::text(lead).and(differing(page, &before)?);
    if let Some(inside) = differing(page, &inside) {
        cell = cell.and_text("; after weighting ").and(inside).and_text(" in the propensity model");
    }
    if let Some(outside) = differing(page, &outside) {
        cell = cell.and_text(" and ").and(outside).and_text(" outside of it");
    }
    Some(cell.and_text("."))
}

fn name<'r>(page: &Page<'r>, id: study::dictionary::VariableId) -> &'r str {
    &page.protocol.dictionary.variable(id).name
}

/// "8 of 10 (1.394, Refractory to daratumumab)".
fn differing(page: &Page<'_>, rows: &[&BalanceRow]) -> Option<Cell> {
    let size = |row: &BalanceRow| if row.separated { f64::INFINITY } else { row.smd.map_or(0.0, f64::abs) };
    let rows: Vec<&BalanceRow> = rows.iter().filter(|row| row.smd.is_some() || row.separated).copied().collect();
    let largest = rows.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?;
    let above = rows.iter().filter(|row| size(row) > LIMIT).count();
    let cell = Cell::text(format!("{above} of {} (", rows.len()));
    let smd = difference(page, largest);
    Some(cell.and(smd).and_text(", ").and(Cell::foreign(page.labels.variables(&largest.variable))).and_text(")"))
}

/// One sentence per outcome.
fn outcome(page: &Page<'_>, outcome: &Outcome) -> Option<Cell> {
    let time = matches!(outcome.kind, OutcomeKind::TimeToEvent(_));
    let ratio = if time { "hazard ratio" } else { "odds ratio" };
    let mut cell = Cell::foreign(&outcome.label).and_text(": ");
    cell = cell.and(if time { medians(page, &outcome.name)? } else { events(page, &outcome.name)? });
    let Some(group) = Group::first(page, &outcome.name) else {
        let mut tests =
            page.results.tests.iter().filter(|test| test.name == "log_rank" && test.outcome == outcome.name);
        let test = tests
            .find(|test| test.model == "unadjusted")
            .map(|test| Cell::text("; log-rank test ").and(page.p_words(test.test.p_value, &TESTS, test, "p_value")));
        return Some(cell.and(test.unwrap_or_default()).and_text("."));
    };
    for (i, (model, words)) in
        [("unadjusted", "unadjusted"), ("iptw", "weighted"), ("adjusted", "adjusted")].into_iter().enumerate()
    {
        let rows: Vec<&EstimateRow> = group.effects(model);
        let Some(row) = preferred(&rows) else { continue };
        let lead = if i == 0 { format!("; {ratio} {words} ") } else { format!(", {words} ") };
        cell = cell.and_text(lead).and(page.ratio(row));
        if model == "iptw" || row.variance != Variance::Naive {
            cell = cell.and_text(format!(" ({})", labels::variance(row.variance)));
        }
    }
    Some(cell.and_text(format!(". {}", reading(page, &group))))
}

/// One sentence per competing cause.
fn cause(page: &Page<'_>, outcome: &Outcome, competing: &Competing, cause: &Cause) -> Option<Cell> {
    let counts = counts(page, &outcome.name, &cause.name);
    let [control, treated] = &counts[..] else { return None };
    let mut cell = Cell::foreign(page.outcome(&outcome.name, &cause.name)).and_text(": ");
    cell = cell.and(treated.clone()).and_text(", ").and(control.clone());
    let label = labels::plain(&cause.label);
    let mut before = "";
    let mut sides: Vec<(&str, [Option<Side>; 2])> = Vec::new();
    for (of, words, row) in ratios(page, outcome, competing) {
        if of == label {
            if words != before {
                sides.push((words, [None, None]));
            }
            let at = ["iptw", "adjusted"].iter().position(|model| *model == row.model);
            if let (Some(at), Some((_, of_kind))) = (at, sides.last_mut()) {
                of_kind[at] = Side::of(row);
            }
            let of = if words == before { ", ".into() } else { format!("; {words} ratio ") };
            let lead = format!("{of}{} ", labels::model(&row.model));
            before = words;
            cell = cell.and_text(lead).and(page.ratio(row)).and_text(format!(" ({})", labels::variance(row.variance)));
        }
    }
    cell = cell.and_text(".");
    for (kind, sides) in sides {
        // with one model alone there is nothing to hold against each other
        if let ([Some(_), Some(_)], Some(words)) = (sides, Side::words(sides)) {
            cell = cell.and_text(format!(" Of the {kind}: {words}"));
        }
    }
    Some(cell)
}

/// Whether the intervals include 1, said of the models that account for confounding.
fn reading(page: &Page<'_>, group: &Group<'_>) -> String {
    let side = |model| preferred(&group.effects(model)).and_then(Side::of);
    Side::words([side("iptw"), side("adjusted")]).map_or_else(|| format!("Ratios: {}.", page.contrast()), str::to_owned)
}

/// Where an interval lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Below,
    Around,
    Above,
}

impl Side {
    /// Of the interval of a row; none without one.
    fn of(row: &EstimateRow) -> Option<Side> {
        match (row.conf_low, row.conf_high) {
            (low, high) if low.is_nan() || high.is_nan() => None,
            (_, high) if high < 0.0 => Some(Side::Below),
            (low, _) if low > 0.0 => Some(Side::Above),
            _ => Some(Side::Around),
        }
    }

    /// What the weighted and the adjusted model say together; none without either.
    fn words(sides: [Option<Side>; 2]) -> Option<&'static str> {
        Some(match sides {
            [None, None] => return None,
            [Some(Side::Around), Some(Side::Around)] => "Once confounding is accounted for, both intervals include 1.",
            [Some(Side::Around), Some(_)] => {
                "The two disagree: the interval of the weighted model includes 1, that of the adjusted one does not."
            }
            [Some(_), Some(Side::Around)] => {
                "The two disagree: the interval of the adjusted model includes 1, that of the weighted one does not."
            }
            [Some(weighted), Some(adjusted)] if weighted == adjusted => {
                "Once confounding is accounted for, neither interval includes 1."
            }
            [Some(_), Some(_)] => "The two disagree: their intervals lie on opposite sides of 1.",
            [Some(Side::Around), None] | [None, Some(Side::Around)] => {
                "The interval of the model that accounts for confounding includes 1."
            }
            [Some(_), None] | [None, Some(_)] => {
                "The interval of the model that accounts for confounding does not include 1."
            }
        })
    }
}

fn medians(page: &Page<'_>, outcome: &str) -> Option<Cell> {
    let [control, treated] = page.arm_levels();
    let median = |arm: &str| {
        let rows = page.results.medians.iter();
        rows.filter(|r| r.quantity == Quantity::Median && !r.weighted && r.outcome == outcome).find(|r| r.arm == arm)
    };
    let value = |row: &MedianRow| match row.value {
        Some(days) => page.months(days, &MEDIANS, row, "value_days").and_text(" months"),
        None => Cell::text("not reached"),
    };
    let [control_label, treated_label] = page.arms();
    let Some((control, treated)) = median(control).zip(median(treated)) else {
        return events(page, outcome);
    };
    Some(
        Cell::text("median ")
            .and(value(treated))
            .and_text(" with ")
            .and(Cell::foreign(treated_label))
            .and_text(" and ")
            .and(value(control))
            .and_text(" with ")
            .and(Cell::foreign(control_label)),
    )
}

fn events(page: &Page<'_>, outcome: &str) -> Option<Cell> {
    let counts = counts(page, outcome, "");
    let [control, treated] = &counts[..] else { return None };
    Some(treated.clone().and_text(", ").and(control.clone()))
}

/// "`EloPd` 72/130 (55.4%)" of each arm, the control arm first.
pub(super) fn counts(page: &Page<'_>, outcome: &str, cause: &str) -> Vec<Cell> {
    let rows = page.results.outcomes.iter().filter(|row| row.outcome == outcome && row.cause == cause);
    let cell = |(row, arm): (&study::results::OutcomeRow, &String)| {
        let counts = [row.events.into(), row.n.into()];
        Cell::foreign(arm).and_text(" ").and(page.share(counts, &OUTCOMES, row, ["events", "n"]))
    };
    rows.zip(page.arms()).map(cell).collect()
}

fn failures(page: &Page<'_>) -> Option<Cell> {
    let failed = super::failures::failed(page).count();
    let text = match failed {
        0 => return None,
        1 => "One declared model has no result; see ".to_owned(),
        n => format!("{n} declared models have no result; see "),
    };
    Some(Cell::text(text).and(super::checklists::link("failures")).and_text("."))
}

/// The effect on every outcome in one table.
fn glance(page: &Page<'_>) -> Table {
    let models = ["unadjusted", "iptw", "adjusted"];
    let rows = page.protocol.outcomes.iter().filter_map(|outcome| {
        let group = Group::first(page, &outcome.name)?;
        if matches!(outcome.kind, OutcomeKind::Competing(_)) {
            return None;
        }
        let measure = if matches!(outcome.kind, OutcomeKind::TimeToEvent(_)) { "HR" } else { "OR" };
        let model = |model| {
            let rows = group.effects(model);
            let named = |row: &EstimateRow| page.effect(row).and_line(Cell::text(labels::variance(row.variance)));
            preferred(&rows).map_or_else(|| group.missing(model), named)
        };
        let of_outcome = page.results.outcomes.iter().filter(|row| row.outcome == outcome.name);
        let total: Option<u64> = of_outcome.map(|row| row.events).sum();
        let total = total.map_or_else(Cell::hidden, |n| Cell::text(n.to_string()));
        let cells = [vec![total, Cell::text(measure)], models.map(model).into()];
        Some(Row::new(labels::plain(&outcome.label), cells.concat()))
    });
    Table {
        caption: format!("Effect on every outcome, {} (95% CI)", page.contrast()),
        header: ["Outcome", "Events", "Ratio", "Unadjusted", "Weighted (IPTW)", "Adjusted"].map(str::to_owned).into(),
        rows: rows.collect(),
        texts: 1,
        notes: vec![
            "HR: hazard ratio; OR: odds ratio; –: not declared. Below each interval stands its variance, one of those that \
             are declared: of weighted models the one that accounts for most, of others the naive one where it is among them."
                .into(),
        ],
        ..Table::default()
    }
}
