//! Sentences that are printed in the report, so that nobody leaves them for later.

use crate::document::Table;

/// Words that stand where a sentence is wanted.
const LATER: [&str; 7] = ["todo", "tbd", "tba", "fixme", "xxx", "placeholder", "lorem"];

/// A text for people that has to be there.
pub(super) fn written(t: &Table<'_, '_>, key: &'static str) -> Option<String> {
    let text = t.text(key);
    check(t, key, text.as_deref());
    text
}

/// Says that a text is none.
pub(super) fn check(t: &Table<'_, '_>, key: &'static str, text: Option<&str>) {
    if let Some(text) = text
        && is_unwritten(text)
    {
        t.mistake(key, "stands for a text that is not written yet, and the report would print it; write it");
    }
}

fn is_unwritten(text: &str) -> bool {
    let text = text.trim();
    let bracketed = [("<", ">"), ("[", "]"), ("{", "}")].iter().any(|(a, b)| text.starts_with(a) && text.ends_with(b));
    let first: String = text.chars().take_while(|c| c.is_alphabetic()).collect();
    let asks = ["describe", "insert", "fill"].iter().any(|word| first.eq_ignore_ascii_case(word)) && text.len() < 60;
    let marked = first.to_lowercase();
    let dots = text.ends_with("...") || text.ends_with('…');
    bracketed
        || dots
        || (LATER.contains(&marked.as_str()) && (first.len() > 3 || first.chars().all(char::is_uppercase)))
        || asks
        || !text.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::is_unwritten;

    #[test]
    fn what_is_left_for_later() {
        for text in [
            "...",
            "…",
            "?",
            "-",
            "TODO",
            "todo: ask Anna",
            "TBD",
            "<eligibility>",
            "[text]",
            "describe the strategies ...",
            "Describe who is eligible",
            "Insert text here",
            "Adults …",
            "Lorem ipsum dolor",
            "XXX",
        ] {
            assert!(is_unwritten(text), "{text}");
        }
        for text in [
            "Adults with a known stage.",
            "The same, as recorded.",
            "None.",
            "24 months",
            "Tba1 carriers",
            "Describes how survival differs between the arms, over five years and in all registered patients",
        ] {
            assert!(!is_unwritten(text), "{text}");
        }
    }
}
