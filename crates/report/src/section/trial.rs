//! The target trial beside its emulation, by the components that the TARGET guideline of 2025 asks for.

use super::Block;
use crate::page::Page;
use crate::table::{Cell, Row, Table};

/// Components with the words by which a protocol's own names are told to be about them.
const COMPONENTS: [(&str, &[&str]); 8] = [
    ("eligibility criteria", &["eligib"]),
    ("treatment strategies", &["strateg", "treatment", "intervention", "exposure"]),
    ("assignment", &["assign", "randomi", "allocation"]),
    ("time zero and follow-up", &["follow", "time zero", "start"]),
    ("outcomes", &["outcome", "endpoint"]),
    ("causal contrast", &["contrast", "estimand"]),
    ("identifying assumptions", &["assumption", "assignment", "exchange", "confound"]),
    ("analysis plan", &["analysis", "statistic"]),
];

/// Components that no element of the protocol is about.
pub(super) fn unstated(page: &Page<'_>) -> Vec<&'static str> {
    let names: Vec<String> = page.protocol.trial.elements.iter().map(|e| e.name.to_lowercase()).collect();
    let stated = |words: &[&str]| words.iter().any(|word| names.iter().any(|name| name.contains(word)));
    COMPONENTS.into_iter().filter(|(_, words)| !stated(words)).map(|(name, _)| name).collect()
}

pub(super) fn blocks(page: &Page<'_>) -> Vec<Block> {
    let trial = &page.protocol.trial;
    let mut blocks = Vec::new();
    let element = |element: &study::protocol::TrialElement| {
        let cells = [&element.target, &element.emulation].map(Cell::foreign);
        Row::new(element.name.clone(), cells.into())
    };
    blocks.extend(Block::table(Table {
        caption: "The target trial and its emulation".into(),
        header: ["Component", "Target trial", "Emulation with these data"].map(str::to_owned).into(),
        rows: trial.elements.iter().map(element).collect(),
        texts: 3,
        ..Table::default()
    }));
    let criteria: Vec<Cell> = page
        .protocol
        .eligibility
        .iter()
        .map(|c| Cell::foreign(&c.label).and_text(" (in the data: ").and(Cell::foreign(&c.require)).and_text(")"))
        .collect();
    if !criteria.is_empty() {
        blocks.push(Block::Heading("Eligibility as it was applied to the data".into()));
        blocks.push(Block::List(criteria));
    }
    let unstated = unstated(page);
    if !unstated.is_empty() {
        let text = format!(
            "The protocol has no element that is about {}; the authors state it in the manuscript.",
            unstated.join(", ")
        );
        blocks.push(Block::words(text));
    }
    blocks
}
