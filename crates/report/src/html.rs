//! The page: one file that reaches for nothing, readable on screens and on paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::figure::Figure;
use crate::labels::plain;
use crate::page::Page;
use crate::section::{Block, Section};
use crate::table::html::{cell, table};

/// Nothing is loaded and nothing runs: styles stand in the page, there is no script.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(crate) fn document(page: &Page<'_>, sections: &[Section]) -> String {
    let title = plain(&page.protocol.title);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "Entente " (page.provenance.software_version) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#findings" { "Skip to the main findings" }
                header { (head(page, &title)) }
                nav aria-label="Sections" {
                    ol { @for section in sections { li { a href={ "#" (section.id) } { (section.title) } } } }
                }
                main {
                    @for section in sections {
                        section id=(section.id) class=[section.is_empty().then_some("empty")] aria-labelledby={ (section.id) "-heading" } {
                            h2 id={ (section.id) "-heading" } { (section.title) }
                            @for block in &section.blocks { (self::block(block)) }
                        }
                    }
                }
                footer {
                    p { "Run " bdi { (plain(&page.provenance.run)) } ", Entente " (page.provenance.software_version) ". Numbers are rounded for print; results.json has all digits." }
                }
            }
        }
    };
    markup.into_string()
}

fn head(page: &Page<'_>, title: &str) -> Markup {
    let [control, treated] = page.arms();
    let analysed = page.analysed().map_or_else(String::new, |n| n.to_string());
    html! {
        p.kind { "Target trial emulation · federated analysis" }
        h1 { bdi { (title) } }
        @if !page.protocol.trial.question.is_empty() { p.question { bdi { (plain(&page.protocol.trial.question)) } } }
        dl {
            div { dt { "Patients analysed" } dd { (analysed) } }
            div { dt { "Sites" } dd { (page.provenance.sites.len()) } }
            div { dt { "Treated arm" } dd { bdi { (treated) } } }
            div { dt { "Control arm" } dd { bdi { (control) } } }
            div { dt { "Study" } dd { bdi { (plain(&page.provenance.study)) } } }
        }
    }
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Words(words) => p { (cell(words)) },
            Block::Heading(text) => h3 { bdi { (text) } },
            Block::List(items) => ul { @for item in items { li { (cell(item)) } } },
            Block::Table(one) => (table(one)),
            Block::Figures(figures) => div.figures { @for figure in figures { (self::figure(figure)) } },
            Block::Folded(one) => details { summary { (one.caption) } (table(one)) },
        }
    }
}

fn figure(figure: &Figure) -> Markup {
    html! {
        figure {
            div.drawing role="group" aria-label=(figure.caption) tabindex="0" { (PreEscaped(&figure.svg)) }
            figcaption { bdi { (figure.caption) } }
            details {
                summary { "Numbers of this figure" }
                p.files {
                    "Files beside this page: "
                    a href={ "figures/" (figure.name) ".svg" } { "SVG" }
                    ", "
                    a href={ "figures/" (figure.name) ".csv" } { "CSV" }
                }
                (table(&figure.data))
            }
        }
    }
}
