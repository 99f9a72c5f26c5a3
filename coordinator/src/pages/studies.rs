//! The list of all runs.

use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use web::{Scroll, Visit};

use super::frame::{head, page, standing, time_of};
use super::visitor::Visitor;
use super::{PageError, Pages, Shared};
use crate::hub::RunReport;
use crate::store::StoredRun;

/// The first page is the list of runs.
pub(super) async fn first() -> Redirect {
    Redirect::to("/studies")
}

/// All runs, the newest first.
pub(super) async fn list(State(pages): State<Shared>, visit: Visit<Visitor>) -> Result<Markup, PageError> {
    let rows = pages.read(Pages::rows).await?;
    let content = html! {
        div id="runs" data-live="3" {
            @if rows.is_empty() {
                p { "There is no run yet. " code { "coordinator study create" } " makes one." }
            } @else { (table(&rows)) }
        }
    };
    Ok(page(&pages.name, &visit, "/studies", "Studies", &content))
}

struct Row {
    run: StoredRun,
    title: Option<String>,
    report: Option<RunReport>,
}

impl Pages {
    fn rows(&self) -> Result<Vec<Row>, PageError> {
        let mut runs = self.store()?.runs()?;
        runs.sort_by_key(|run| std::cmp::Reverse(run.manifest.created));
        let row = |run: StoredRun| Row {
            // A protocol of another version is listed all the same.
            title: self.protocol(&run).ok().map(|protocol| protocol.title.clone()),
            report: self.report(&run),
            run,
        };
        Ok(runs.into_iter().map(row).collect())
    }
}

fn table(rows: &[Row]) -> Markup {
    let table = html! {
        (head(&["Run", "Study", "State", "#Models fitted", "#Sites", "Made", "Ends"]))
        tbody {
            @for Row { run, title, report } in rows {
                @let name = run.manifest.name();
                tr {
                    th scope="row" { a href=(format!("/studies/{name}")) { bdi { (name) } } }
                    td.text { bdi { (title.as_deref().unwrap_or("protocol of another version")) } }
                    td { (standing(report.as_ref())) }
                    td.number { @if let Some(report) = report && report.models > 0 { (report.fitted) " of " (report.models) } }
                    td.number { (run.manifest.roster.len()) }
                    td { (time_of(run.manifest.created)) }
                    td { (time_of(run.manifest.expires)) }
                }
            }
        }
    };
    Scroll { caption: "All runs" }.table(&table)
}
