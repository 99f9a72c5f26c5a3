//! Figures of a publication beside those of a run, as whoever compares them hands them in.

/// What a publication says, and what the run says of the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// Where the published figures stand.
    pub citation: String,
    /// Its identifier.
    pub doi: String,
    /// What a reader of both must know.
    pub notes: Vec<String>,
    /// Tables in order.
    pub tables: Vec<PublishedTable>,
}

/// One table of published figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedTable {
    /// Section of the report that shows it, one of [`crate::SECTIONS`]; any other is shown at the end of the page.
    pub section: String,
    /// What it is about.
    pub title: String,
    /// Rows in order.
    pub rows: Vec<PublishedRow>,
    /// Stand below it.
    pub notes: Vec<String>,
}

/// One line of a comparison; a heading where it has nothing but a label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedRow {
    /// What it is.
    pub label: String,
    /// As it was published; empty where nothing was.
    pub published: String,
    /// As this run has it.
    pub ours: String,
    /// Variance or test behind this run's interval and p value.
    pub method: String,
}
