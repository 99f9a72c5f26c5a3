//! The results of a finished run: tables to read, files to keep.

use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use web::{Scroll, Visit};

use super::frame::{page, whole};
use super::visitor::Visitor;
use super::{PageError, Pages, Shared, run_of};
use crate::{results, study};

/// So many rows of a file are on the page; the file has them all.
const SHOWN: usize = 100;
/// A longer cell is prose, and wraps.
const PROSE: usize = 40;
/// Width of the tables as text, in characters.
const WIDTH: u16 = 140;

/// The result files of a run, and its main tables as the terminal prints them.
#[derive(Debug)]
pub(super) struct Files {
    title: String,
    tables: String,
    /// Name and content.
    all: Vec<(String, Vec<u8>)>,
}

/// What kind of file a name says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Json,
    Svg,
    Docx,
    Other,
}

impl Kind {
    fn of(file: &str) -> Kind {
        match file.rsplit('.').next() {
            Some("csv") => Kind::Csv,
            Some("json") => Kind::Json,
            Some("svg") => Kind::Svg,
            Some("docx") => Kind::Docx,
            _ => Kind::Other,
        }
    }

    fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Kind::Csv => "text/csv; charset=utf-8",
            Kind::Json => "application/json",
            Kind::Svg => "image/svg+xml",
            Kind::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Kind::Other => "application/octet-stream",
        })
    }
}

/// The report is a page of its own, with its style inside: it is shut in, without scripts, forms or this page's origin.
const REPORT_POLICY: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

impl Pages {
    fn results(&self, name: &str) -> Result<std::sync::Arc<Files>, PageError> {
        let run = run_of(&self.store()?, name)?;
        self.results.of(run.manifest.digest(), || {
            let finished = study::read(&self.state, name)?;
            let mut tables = Vec::new();
            results::print(&mut tables, &finished.results, &finished.protocol, WIDTH).map_err(|_| PageError::Files)?;
            let all = results::files(&finished.results, &finished.protocol, &finished.provenance, None)
                .map_err(|_| PageError::Files)?;
            let tables = String::from_utf8(tables).map_err(|_| PageError::Files)?;
            Ok(Files { title: finished.protocol.title.clone(), tables, all })
        })
    }
}

/// The page of the results.
pub(super) async fn show(
    State(pages): State<Shared>,
    Path(name): Path<String>,
    visit: Visit<Visitor>,
) -> Result<Markup, PageError> {
    let run = name.clone();
    let results = pages.read(move |pages| pages.results(&run)).await?;
    let content = html! {
        p { a href=(format!("/studies/{name}")) { "Run " bdi { (name) } } }
        p { a href=(format!("/studies/{name}/report")) { "The report" } ", for reading and for print." }
        h2 { "Tables" }
        div.scroll role="region" aria-label="Tables as text" tabindex="0" { pre { (results.tables) } }
        h2 { "Files" }
        p { "Every number at full precision. The columns are described in " code { "docs/results.md" } "." }
        ul {
            @for (file, content) in &results.all {
                li { a href=(format!("/studies/{name}/results/{file}")) download=(file) { (file) } ", " (whole(content.len() as u64)) " bytes" }
            }
        }
        @for (file, content) in &results.all {
            @if Kind::of(file) == Kind::Csv && !file.contains('/') { (preview(file, content)?) }
        }
    };
    Ok(page(&pages.name, &visit, "/studies", &format!("Results: {}", results.title), &content))
}

/// The report, to be read.
pub(super) async fn report(State(pages): State<Shared>, Path(name): Path<String>) -> Result<Response, PageError> {
    let results = pages.read(move |pages| pages.results(&name)).await?;
    let (_, page) = results.all.iter().find(|(file, _)| file == report::PAGE).ok_or(PageError::NoFile)?;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, REPORT_POLICY)], page.clone()).into_response())
}

/// One file, to be saved.
pub(super) async fn file(
    State(pages): State<Shared>,
    Path((name, file)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let results = pages.read(move |pages| pages.results(&name)).await?;
    let (file, content) = results.all.iter().find(|(known, _)| *known == file).ok_or(PageError::NoFile)?;
    let saved = file.rsplit('/').next().unwrap_or(file);
    let disposition =
        HeaderValue::from_str(&format!("attachment; filename=\"{saved}\"")).map_err(|_| PageError::Files)?;
    let headers = [(CONTENT_TYPE, Kind::of(file).media_type()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, content.clone()).into_response())
}

/// The beginning of a CSV file, closed until it is asked for.
fn preview(file: &str, content: &[u8]) -> Result<Markup, PageError> {
    let mut reader = csv::Reader::from_reader(content);
    let header = reader.headers().map_err(|_| PageError::Files)?.clone();
    let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(|_| PageError::Files)?;
    let table = html! {
        thead { tr { @for column in &header { th scope="col" { (column) } } } }
        tbody {
            @for row in rows.iter().take(SHOWN) {
                tr { @for cell in row { td.text[cell.len() > PROSE] { bdi { (cell) } } } }
            }
        }
    };
    let shown = rows.len().min(SHOWN);
    let caption = format!("{file}: {shown} of {} rows", rows.len());
    Ok(
        html! { details.cells { summary { (file) " (" (whole(rows.len() as u64)) " rows)" } (Scroll { caption: &caption }.table(&table)) } },
    )
}
