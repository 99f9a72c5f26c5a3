//! The items of TARGET (2025) and STROBE (2007), in our own words, each with the place that answers it or the word that
//! only the authors can.

use super::{Block, SECTIONS};
use crate::page::Page;
use crate::table::{Cell, Piece, Row, Table};

/// What stands in the place of a section where a person has to write.
const AUTHORS: &str = "authors";

/// An item: number, what it asks for, sections that answer it, what the authors have to add.
type Item = (&'static str, &'static str, &'static [&'static str], &'static str);

const TARGET: [Item; 21] = [
    (
        "1",
        "Abstract says that a target trial is emulated, with which data, and the main result",
        &["findings"],
        "write the abstract",
    ),
    ("2", "Background: what is known and why the question matters", &[], "write it"),
    ("3", "Causal question", &["trial"], ""),
    ("4", "Why a target trial is emulated with these data", &[], "give the reason"),
    ("5", "Data sources: setting, time, purpose, linkage", &["sites"], "describe each source and its quality"),
    (
        "6",
        "Target trial specified: eligibility, strategies, assignment, follow-up, outcomes, contrast, assumptions, analysis",
        &["trial"],
        "",
    ),
    ("7", "How each component is emulated with the data", &["trial", "methods"], "name what the data cannot emulate"),
    ("8", "Selection of participants, with numbers and reasons", &["flow"], ""),
    ("9", "Baseline characteristics by strategy", &["baseline", "weights"], ""),
    ("10", "Length of follow-up and why it ended", &["survival"], "reasons for loss"),
    (
        "11",
        "Missing data by strategy and how they were handled",
        &["baseline", "methods", "sensitivity"],
        "why data are missing",
    ),
    ("12", "Outcomes by strategy", &["flow", "survival", "safety"], ""),
    ("13", "Effect estimates with precision, absolute and relative", &["effects", "safety", "absolute"], ""),
    (
        "14",
        "Further analyses: sensitivity, subgroups, checks of assumptions",
        &["sensitivity", "modification", "checks"],
        "",
    ),
    ("15", "Interpretation in the light of the target trial", &[], "write it"),
    ("16", "Limitations: differences to the target trial, confounding, measurement", &["sensitivity"], "write them"),
    ("17", "Ethics approval", &[], "name it"),
    ("18", "Registration and protocol", &["methods"], "where it is registered"),
    ("19", "Access to data, code and materials", &["methods", "sites"], "how data can be asked for"),
    ("20", "Funding", &[], "name it"),
    ("21", "Conflicts of interest", &[], "declare them"),
];

const STROBE: [Item; 22] = [
    ("1", "Design in title or abstract; balanced summary", &["findings"], "write the abstract"),
    ("2", "Scientific background", &[], "write it"),
    ("3", "Objectives", &["trial"], ""),
    ("4", "Design", &["trial", "methods"], ""),
    ("5", "Setting, locations, dates", &["sites"], "dates of recruitment and follow-up"),
    ("6", "Participants: eligibility, sources, follow-up", &["trial", "flow"], "how they were found"),
    ("7", "Variables: outcomes, exposures, confounders, modifiers", &["trial", "methods"], "diagnostic criteria"),
    ("8", "Measurement of each variable", &[], "describe it"),
    ("9", "Efforts against bias", &["trial", "weights", "sensitivity"], ""),
    ("10", "How the study size came about", &["flow"], "explain it"),
    ("11", "Handling of quantitative variables", &["methods"], "why they are grouped so"),
    ("12", "Statistical methods: confounding, subgroups, missing data, follow-up, sensitivity", &["methods"], ""),
    ("13", "Numbers at each stage, with reasons and a diagram", &["flow"], ""),
    ("14", "Characteristics, missing data, follow-up time", &["baseline", "survival"], ""),
    ("15", "Outcome events or summaries over time", &["flow", "survival"], ""),
    ("16", "Unadjusted and adjusted estimates with precision; absolute risks", &["effects", "safety", "absolute"], ""),
    ("17", "Other analyses", &["modification", "sensitivity", "checks", "competing"], ""),
    ("18", "Key results", &["findings"], "discuss them"),
    ("19", "Limitations", &[], "write them"),
    ("20", "Cautious interpretation", &[], "write it"),
    ("21", "Generalisability", &[], "discuss it"),
    ("22", "Funding", &[], "name it"),
];

pub(super) fn blocks(_: &Page<'_>) -> Vec<Block> {
    let done = "Where a section of this page answers an item, it is linked. What is left is for the authors; no program \
                knows it.";
    vec![
        Block::words(done),
        Block::Table(table("TARGET: reporting of target trial emulations (2025), items in our own words", &TARGET)),
        Block::Table(table("STROBE: reporting of cohort studies (2007), items in our own words", &STROBE)),
    ]
}

fn table(caption: &str, items: &[Item]) -> Table {
    let row = |(number, asks, sections, left): &Item| {
        let mut answered = Cell::empty();
        for (i, section) in sections.iter().enumerate() {
            let before = if i == 0 { Cell::empty() } else { Cell::text(", ") };
            answered = answered.and(before).and(link(section));
        }
        if sections.is_empty() {
            answered = Cell::none();
        }
        let left = if left.is_empty() { Cell::none() } else { Cell::text(format!("{AUTHORS}: {left}")) };
        Row::new(*number, vec![Cell::text(*asks), answered, left])
    };
    Table {
        caption: caption.into(),
        header: ["Item", "Asks for", "Answered in", "Left to"].map(str::to_owned).into(),
        rows: items.iter().map(row).collect(),
        texts: 4,
        ..Table::default()
    }
}

/// A link to a section by its anchor.
pub(super) fn link(section: &str) -> Cell {
    let to = SECTIONS.into_iter().find(|known| *known == section);
    to.map_or_else(Cell::none, |to| Cell(vec![Piece::Link { to, text: super::title(to).into() }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_points_to_a_section_of_the_page_or_to_the_authors() {
        for (number, _, sections, left) in TARGET.iter().chain(&STROBE) {
            assert!(!sections.is_empty() || !left.is_empty(), "item {number}");
            assert!(sections.iter().all(|section| SECTIONS.contains(section)), "item {number}");
        }
    }
}
