//! The sections of the page, in the order in which readers ask: what was found, in whom, how it was made comparable, the
//! effects, how far they can be trusted, and how it was done.

mod absolute;
pub(crate) mod baseline;
mod checklists;
mod checks;
mod competing;
mod effects;
mod failures;
mod findings;
mod flow;
mod methods;
mod modification;
mod published;
mod replication;
mod safety;
mod sensitivity;
mod sites;
mod suppression;
mod survival;
mod trial;
pub(crate) mod weights;

use study::protocol::ReleaseRules;

use crate::figure::Figure;
use crate::page::Page;
use crate::table::{Cell, Table};

/// One section of the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Section {
    /// Anchor on the page.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) blocks: Vec<Block>,
}

impl Section {
    /// Has the protocol declared nothing for it?
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.blocks[..], [Block::Words(_)])
    }
}

/// What a section is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    /// A paragraph.
    Words(Cell),
    /// A heading below the section's.
    Heading(String),
    List(Vec<Cell>),
    Table(Table),
    /// Figures that stand side by side where there is room.
    Figures(Vec<Figure>),
    /// A table that is shown on demand.
    Folded(Table),
}

impl Block {
    /// Does a floor hide something of it?
    fn hides(&self) -> bool {
        match self {
            Block::Words(cell) => cell.hides(),
            Block::Heading(_) => false,
            Block::List(items) => items.iter().any(Cell::hides),
            Block::Table(table) | Block::Folded(table) => table.hides(),
            Block::Figures(figures) => figures.iter().any(|figure| figure.data.hides()),
        }
    }

    fn words(text: impl Into<String>) -> Block {
        Block::Words(Cell::text(text))
    }

    /// The table as a block, unless it has no rows.
    fn table(table: Table) -> Option<Block> {
        (!table.rows.is_empty()).then_some(Block::Table(table))
    }

    fn figures(figures: impl IntoIterator<Item = Figure>) -> Option<Block> {
        let figures: Vec<Figure> = figures.into_iter().collect();
        (!figures.is_empty()).then_some(Block::Figures(figures))
    }
}

/// The anchors of all sections, in order.
pub const SECTIONS: [&str; 18] = {
    let mut ids = [""; 18];
    let mut i = 0;
    while i < ids.len() {
        ids[i] = PARTS[i].0;
        i += 1;
    }
    ids
};

type Write = fn(&Page<'_>) -> Vec<Block>;

/// Anchor, title and writer of every section.
const PARTS: [(&str, &str, Write); 18] = [
    ("findings", "Main findings", findings::blocks),
    ("flow", "Patients", flow::blocks),
    ("trial", "Target trial and its emulation", trial::blocks),
    ("baseline", "Characteristics before and after weighting", baseline::blocks),
    ("weights", "Propensity score, overlap and weights", weights::blocks),
    ("survival", "Survival", survival::blocks),
    ("effects", "Effects on time to event", effects::blocks),
    ("safety", "Response and safety", safety::blocks),
    ("contrasts", "All contrasts", effects::contrasts),
    ("absolute", "Absolute risks", absolute::blocks),
    ("modification", "Effect modification", modification::blocks),
    ("competing", "Competing risks", competing::blocks),
    ("checks", "Proportional hazards and fit", checks::blocks),
    ("sensitivity", "Sensitivity", sensitivity::blocks),
    ("sites", "Sites, disclosure and suppression", sites::blocks),
    ("failures", "Models without a result, and warnings", failures::blocks),
    ("methods", "Methods", methods::blocks),
    ("checklists", "Reporting checklists", checklists::blocks),
];

/// Title and content of every section.
pub(crate) fn all(page: &Page<'_>) -> Vec<Section> {
    let section = |(id, title, write): (&'static str, &'static str, Write)| {
        let mut blocks = published::blocks(page, id);
        blocks.extend(write(page));
        Section { id, title, blocks }
    };
    let mut sections: Vec<Section> = PARTS.into_iter().map(section).collect();
    if let Some(last) = sections.last_mut() {
        last.blocks.extend(published::elsewhere(page));
    }
    for section in &mut sections {
        if section.blocks.iter().any(Block::hides) {
            section.blocks.push(Block::Words(floors(page, section.id)));
        }
    }
    sections
}

/// Why a section has hidden numbers.
fn floors(page: &Page<'_>, section: &str) -> Cell {
    let ReleaseRules { minimum_cell, minimum_leavers, .. } = page.protocol.release;
    let curves = if ["survival", "competing"].contains(&section) {
        format!(
            " Times of a curve are hidden when fewer than {minimum_leavers} patients of an arm leave between them, or, where \
             the curve is weighted, have the event."
        )
    } else {
        String::new()
    };
    Cell::text("Where it says ")
        .and(Cell::hidden())
        .and_text(format!(": counts below {minimum_cell} are hidden, and others from which they would follow.{curves}"))
}

/// Title of a section by its anchor.
fn title(id: &str) -> &'static str {
    PARTS.iter().find(|(known, ..)| *known == id).map_or("", |(_, title, _)| title)
}

/// "IsaPd", or the label of both arms together.
fn arm_label(page: &Page<'_>, level: &str) -> String {
    let [control, treated] = page.arm_levels();
    match level {
        level if level == control => page.arms()[0].clone(),
        level if level == treated => page.arms()[1].clone(),
        "all" => "both arms".into(),
        other => crate::labels::plain(other),
    }
}
