//! Figures: SVG with text as text, a description, and the plotted numbers as a table.
//!
//! Colours are those of Okabe and Ito; arms and models differ in shape or dashes as well. The same drawing stands in the
//! page and in a file: its colours are attributes, which the page's style sheet replaces where the page is dark.

pub(crate) mod curves;
pub(crate) mod flow;
pub(crate) mod forest;
pub(crate) mod love;
pub(crate) mod scores;
pub(crate) mod svg;

use crate::table::Table;

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    /// Name of its files.
    pub(crate) name: String,
    /// Stands below it.
    pub(crate) caption: String,
    /// The drawing.
    pub(crate) svg: String,
    /// What is drawn, as numbers.
    pub(crate) data: Table,
}

/// A name that is safe in a path: lower-case letters, digits and hyphens.
pub(crate) fn file_name(parts: &[&str]) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    parts.join("-").chars().map(safe).take(80).collect()
}
