//! The frame around every page, and the pieces that pages are made of.

use maud::{DOCTYPE, Markup, html};

use crate::assets;

/// One entry of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NavItem {
    /// Where it leads.
    pub path: &'static str,
    /// What it is called.
    pub label: &'static str,
}

/// A page without its content.
#[derive(Debug)]
pub struct Page<'a> {
    /// The program, as in "Site agent".
    pub program: &'a str,
    /// Whose: a site's or coordinator's name; empty on pages that say nothing before a login.
    pub place: &'a str,
    /// Title and heading.
    pub title: &'a str,
    /// The navigation; empty where there is none.
    pub nav: &'a [NavItem],
    /// Path of the navigation's entry to which the page belongs.
    pub current: &'a str,
    /// Hidden field of the form that signs out; none where nobody is signed in.
    pub leave: Option<Markup>,
}

impl Page<'_> {
    /// The whole document around the content.
    pub fn render(&self, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) @if !self.place.is_empty() { " – " (self.place) } " – Entente" }
                    link rel="stylesheet" href=(assets::STYLE_PATH);
                    link rel="icon" type="image/svg+xml" href=(assets::ICON_PATH);
                    script src=(assets::SCRIPT_PATH) defer {}
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header {
                        div.bar {
                            p.name {
                                strong { (self.program) }
                                @if !self.place.is_empty() { " " bdi { (self.place) } }
                            }
                            @if let Some(field) = &self.leave {
                                form method="post" action="/logout" { (field) button.quiet { "Sign out" } }
                            }
                        }
                        @if !self.nav.is_empty() { (self.navigation()) }
                    }
                    main id="main" tabindex="-1" {
                        h1 { (self.title) }
                        (content)
                    }
                    footer { p { "Entente " (env!("CARGO_PKG_VERSION")) } }
                }
            }
        }
    }

    fn navigation(&self) -> Markup {
        html! {
            nav aria-label="Pages" {
                ul {
                    @for item in self.nav {
                        li { a href=(item.path) aria-current=[(item.path == self.current).then_some("page")] { (item.label) } }
                    }
                }
            }
        }
    }
}

/// A table that scrolls inside its own box, which the keyboard reaches.
#[derive(Debug, Clone, Copy)]
pub struct Scroll<'a> {
    /// What the table shows; its caption.
    pub caption: &'a str,
}

impl Scroll<'_> {
    /// The box around rows of the table: `thead` and `tbody`.
    pub fn table(&self, rows: &Markup) -> Markup {
        html! {
            div.scroll role="region" aria-label=(self.caption) tabindex="0" {
                table { caption { (self.caption) } (rows) }
            }
        }
    }
}

/// A state as a word in a box. `tone` is `good`, `wait`, `bad` or `plain`; the word says it all without its colour.
pub fn state(tone: &str, word: &str) -> Markup {
    html! { span.state data-tone=(tone) { (word) } }
}

/// A digest: its beginning, and all of it where the page is asked for it.
pub fn digest(text: &str) -> Markup {
    html! {
        @if let Some((end, _)) = text.char_indices().nth(12) {
            code.digest title=(text) { (text[..end]) "…" }
        } @else {
            code.digest { (text) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_wherever_it_stands() {
        let hostile = "<script>alert('x')</script>\" onload=\"y";
        let nav = [NavItem { path: "/a", label: "A" }, NavItem { path: "/b", label: "B" }];
        let page = Page { program: hostile, place: hostile, title: hostile, nav: &nav, current: "/b", leave: None };
        let table = Scroll { caption: hostile }
            .table(&html! { tbody { tr { td { (state(hostile, hostile)) (digest(hostile)) } } } });
        let text = page.render(&table).into_string();
        assert!(!text.contains("<script>alert"), "{text}");
        assert!(!text.contains("\" onload"), "{text}");
        assert_eq!(text.matches("aria-current=\"page\"").count(), 1);
        assert!(text.contains(r#"<a href="/b" aria-current="page">"#));
    }

    #[test]
    fn digests_are_cut_between_characters() {
        assert!(digest("0123456789abcdef").into_string().contains(">0123456789ab…<"));
        assert!(digest("éééééééééééééé").into_string().contains(">éééééééééééé…<"));
        assert!(digest("short").into_string().contains(">short<"));
    }
}
