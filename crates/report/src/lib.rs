//! The report of a run that people read and publish: one HTML page, its figures as SVG and CSV, its tables as a document
//! of a word processor.
//!
//! The crate is pure: it is given results, protocol and provenance, and returns files. Every number on the page carries
//! its place in `results.json` and its full digits, so a test can hold the one against the other.

mod figure;
mod html;
pub mod labels;
pub mod models;
mod neutral;
pub mod number;
mod page;
mod provenance;
mod published;
mod section;
pub mod standardised;
mod table;

use study::protocol::Protocol;
use study::results::Results;

pub use neutral::neutral;
pub use provenance::Provenance;
pub use published::{Published, PublishedRow, PublishedTable};
pub use section::SECTIONS;

use labels::Labels;
use page::Page;
use section::Block;
use table::{Table, plotted, word};

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path below the folder of the results, with `/`.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Name of the page; it stands last among the files.
pub const PAGE: &str = "report.html";

/// Name of the tables for a word processor.
pub const TABLES: &str = "tables.docx";

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the tables cannot be packed into `{TABLES}`")]
pub struct ReportError(#[from] docx_rs::DocxError);

/// The files of the report of a run, the page last: `figures/NAME.svg` and `figures/NAME.csv` of every figure,
/// `tables.docx`, `report.html`.
pub fn files(
    results: &Results,
    protocol: &Protocol,
    provenance: &Provenance,
    published: Option<&Published>,
) -> Result<Vec<File>, ReportError> {
    let page = Page { results, protocol, provenance, published, labels: Labels::new(protocol, &results.references) };
    let sections = section::all(&page);
    let blocks = || sections.iter().flat_map(|section| &section.blocks);
    let mut files = Vec::new();
    for block in blocks() {
        let Block::Figures(figures) = block else { continue };
        for figure in figures {
            let name = |kind: &str| format!("figures/{}.{kind}", figure.name);
            files.push(File { name: name("svg"), bytes: figure.svg.clone().into_bytes() });
            files.push(File { name: name("csv"), bytes: plotted::csv(&figure.data) });
        }
    }
    let tables: Vec<&Table> = blocks().filter_map(table_of).collect();
    files.push(File { name: TABLES.into(), bytes: word::document(&labels::plain(&protocol.title), &tables)? });
    files.push(File { name: PAGE.into(), bytes: html::document(&page, &sections).into_bytes() });
    Ok(files)
}

fn table_of(block: &Block) -> Option<&Table> {
    match block {
        Block::Table(table) | Block::Folded(table) => Some(table),
        _ => None,
    }
}
