//! The frame of a page for its visitor, and pieces that several pages have.

use jiff::Timestamp;
use maud::{Markup, html};
use web::{NavItem, Page, Visit};

use super::access;
use super::visitor::Visitor;
use crate::hub::RunReport;

const NAVIGATION: [NavItem; 2] =
    [NavItem { path: "/studies", label: "Studies" }, NavItem { path: "/sites", label: "Sites" }];

/// A page around its content, with the entries that the visitor may open.
pub(super) fn page(name: &str, visit: &Visit<Visitor>, current: &str, title: &str, content: &Markup) -> Markup {
    let role = visit.visitor.person.role();
    let nav: Vec<NavItem> = NAVIGATION.into_iter().filter(|item| access::reads(role, item.path)).collect();
    let leave = (!visit.visitor.by_certificate).then(|| visit.csrf_field());
    let content = html! {
        (content)
        p.faint { "Signed in as " bdi { (visit.visitor.person.name()) } ", " (role) "." }
    };
    Page { program: "Coordinator", place: name, title, nav: &nav, current, leave }.render(&content)
}

/// The head of a table. Columns of numbers, marked by `#` before their name, are set to the right.
pub(super) fn head(columns: &[&str]) -> Markup {
    html! {
        thead {
            tr {
                @for column in columns {
                    @match column.strip_prefix('#') {
                        Some(number) => { th.number scope="col" { (number) } }
                        None => { th scope="col" { (column) } }
                    }
                }
            }
        }
    }
}

/// A time to the minute, as an element that says it exactly.
pub(super) fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M UTC")) } }
}

/// A time given in seconds since 1970.
pub(super) fn time_of(seconds: u64) -> Markup {
    i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok()).map_or_else(|| html! { "never" }, time)
}

/// A whole number with a thin space between groups of three digits, as the tables of the report have it.
pub(super) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let all: Vec<String> = Some(head.to_owned()).filter(|h| !h.is_empty()).into_iter().chain(groups).collect();
    all.join("\u{202f}")
}

/// Where a run stands, as a word in a box.
pub(super) fn standing(report: Option<&RunReport>) -> Markup {
    let (tone, word) = match report {
        None => ("plain", "loading"),
        Some(report) if report.problem.is_some() => ("bad", "stopped"),
        Some(report) => match report.waiting.as_str() {
            "approval" => ("wait", "waits for approval"),
            "connection" => ("wait", "waits for sites"),
            "message" => ("good", "running"),
            _ => ("good", "finished"),
        },
    };
    web::state(tone, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1\u{202f}000"), (219_936, "219\u{202f}936")] {
            assert_eq!(whole(number), text);
        }
        assert_eq!(whole(12_345_678), "12\u{202f}345\u{202f}678");
    }
}
