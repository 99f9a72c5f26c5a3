//! The treatment's effect at each level of an effect modifier, with the test that the effects differ.

use study::results::{EstimateRow, TestRow};

use super::Block;
use super::effects::{Group, forest, line, numbers};
use crate::figure::forest::Line;
use crate::figure::svg::Ink;
use crate::labels;
use crate::models::preferred;
use crate::page::{Page, SUBGROUPS, TESTS};
use crate::table::{Cell, Row, Table};

/// Between the treatment's term and the place in a name such as `regimen:IsaPd at dara_refr:1`.
const AT: &str = " at ";

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let mut lines = Vec::new();
    let mut data = Vec::new();
    let mut seen: Vec<Key<'_>> = Vec::new();
    let has_counts =
        page.results.estimates.iter().any(|row| within(page, row).is_some() && counts(page, row).is_some());
    for row in page.results.estimates.iter().filter(|row| within(page, row).is_some()) {
        let key = key(row);
        if seen.contains(&key) {
            continue;
        }
        let of_model: Vec<&EstimateRow> =
            page.results.estimates.iter().filter(|r| self::key(r) == key && within(page, r).is_some()).collect();
        seen.push(key);
        let ties = ties(page, &row.outcome, row.ties.as_deref());
        let weighted = if row.model.starts_with("iptw") { ", IPTW" } else { "" };
        let variance = preferred(&of_model).map_or("", |row| labels::variance(row.variance));
        let heading = format!("{}{weighted}{ties} ({variance})", page.outcome(&row.outcome, &row.cause));
        lines.push(Line::Heading(heading.clone()));
        data.push(Row::Heading(heading));
        let mut terms: Vec<&str> = of_model.iter().map(|row| row.term.as_str()).collect();
        terms.dedup();
        terms.sort_unstable();
        terms.dedup();
        for (i, term) in terms.into_iter().enumerate() {
            let rows: Vec<&EstimateRow> = of_model.iter().filter(|row| row.term == term).copied().collect();
            let Some(row) = preferred(&rows) else { continue };
            let label = within(page, row).unwrap_or_default();
            let ink = if i % 2 == 0 { Ink::Control } else { Ink::Treated };
            let counts = counts(page, row);
            let words = counts.as_ref().map(|cells| cells.each_ref().map(|cell| cell.words(" ")));
            lines.push(with_counts(line(page, row, &label, ink), words));
            let mut of_row = numbers(page, row, &format!("{label}, {}", labels::variance(row.variance)));
            if has_counts {
                of_row.lead(counts.unwrap_or_else(|| [Cell::none(), Cell::none()]));
            }
            data.push(of_row);
        }
    }
    let text = "The effect of the treatment within the levels of each effect modifier.";
    let figure = forest(page, "modification", "Effect of the treatment within subgroups", text, lines, data);
    let mut blocks: Vec<Block> = Block::figures(figure).into_iter().collect();
    blocks.extend(places_without(page));
    blocks.extend(Block::table(tests(page)));
    if blocks.is_empty() {
        blocks.push(Block::words("The protocol declares no effect modifier."));
    }
    blocks
}

/// "12/45" of the control and of the treated arm at the level of a row; none at a value of a number.
fn counts(page: &Page<'_>, row: &EstimateRow) -> Option<[Cell; 2]> {
    let (variable, level) = place(page, row)?;
    let of_arm = |arm: &str| {
        let found = page.results.subgroups.iter().find(|counts| {
            (&counts.outcome, &counts.cause) == (&row.outcome, &row.cause)
                && (&*counts.modifier, &*counts.level, &*counts.arm) == (variable, level, arm)
        })?;
        let part = |n: Option<u64>, column| page.count(n, &SUBGROUPS, found, column);
        if found.n.is_none() {
            return Some(Cell::hidden());
        }
        Some(part(found.events, "events").and_text("/").and(part(found.n, "n")))
    };
    let [control, treated] = page.arm_levels();
    Some([of_arm(control)?, of_arm(treated)?])
}

fn with_counts(line: Line, counts: Option<[String; 2]>) -> Line {
    match line {
        Line::Ratio { label, ink, log, text, .. } => Line::Ratio { label, ink, log, text, counts },
        Line::Heading(_) => line,
    }
}

/// What interactions leave out, and the places at which they have no effect.
fn places_without(page: &Page<'_>) -> Option<Block> {
    let fits = page.results.fits.iter().filter(|fit| !fit.modifier.is_empty());
    let mut notes: Vec<&String> = Vec::new();
    for note in fits.filter_map(|fit| fit.outcome_of_fit.as_ref().ok()).flat_map(|numbers| &numbers.notes) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    (!notes.is_empty()).then(|| Block::List(notes.into_iter().map(Cell::foreign).collect()))
}

/// Handling of ties, where it is another than that of the outcome's main models.
fn ties(page: &Page<'_>, outcome: &str, ties: Option<&str>) -> String {
    let main = Group::first(page, outcome).and_then(|group| group.ties());
    ties.filter(|ties| Some(*ties) != main).map_or_else(String::new, |t| format!(", ties: {}", labels::ties(t)))
}

type Key<'r> = (&'r str, &'r str, &'r str, &'r str, Option<&'r str>, &'r str);

fn key(row: &EstimateRow) -> Key<'_> {
    (&row.analysis, &row.outcome, &row.cause, &row.model, row.ties.as_deref(), &row.modifier)
}

/// Variable and level, or value, of the row of an effect.
fn place<'r>(page: &Page<'_>, row: &'r EstimateRow) -> Option<(&'r str, &'r str)> {
    row.term.strip_prefix(page.labels.treatment())?.strip_prefix(AT)?.split_once(':')
}

/// "Refractory to daratumumab: yes", where the row is the effect at a place.
fn within(page: &Page<'_>, row: &EstimateRow) -> Option<String> {
    let (variable, level) = place(page, row)?;
    Some(format!("{}: {}", page.labels.variables(variable), page.level(variable, level)))
}

/// Wald and likelihood ratio test of every interaction.
fn tests(page: &Page<'_>) -> Table {
    let wald = page.results.tests.iter().filter(|test| test.name == "interaction_wald");
    let row = |wald: &TestRow| {
        let ratio = page.results.tests.iter().find(|test| {
            test.name == "interaction_lr"
                && (&test.outcome, &test.cause, &test.model, &test.modifier, &test.ties)
                    == (&wald.outcome, &wald.cause, &wald.model, &wald.modifier, &wald.ties)
        });
        let p = |test: &TestRow| page.p(test.test.p_value, &TESTS, test, "p_value");
        let ties = ties(page, &wald.outcome, wald.ties.as_deref());
        let weighted = if wald.model == "interaction" { "" } else { ", IPTW" };
        let label = format!("{}{ties}{weighted}", page.outcome(&wald.outcome, &wald.cause));
        let modifier = Cell::foreign(page.labels.variables(&wald.modifier));
        Row::new(label, vec![modifier, p(wald), ratio.map_or_else(Cell::none, p)])
    };
    Table {
        caption: "Tests that the effect differs (P)".into(),
        header: ["Outcome", "Treatment by", "Wald", "Likelihood ratio"].map(str::to_owned).into(),
        rows: wald.map(row).collect(),
        texts: 2,
        ..Table::default()
    }
}
