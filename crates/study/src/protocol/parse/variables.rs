//! `[[variable]]`: the data dictionary.

use std::collections::BTreeSet;

use super::unknown;
use crate::dictionary::{Dictionary, Kind, Variable};
use crate::document::Table;

const KINDS: [&str; 4] = ["continuous", "categorical", "binary", "days"];

pub(super) fn dictionary(root: &Table<'_, '_>) -> Dictionary {
    let tables = root.tables("variable");
    if tables.is_empty() {
        root.mistake("variable", "no [[variable]] is declared; declare each column that is used");
    }
    let mut names = BTreeSet::new();
    let mut variables = Vec::new();
    for t in &tables {
        let variable = variable(t);
        t.close();
        let Some(variable) = variable else {
            t.spoil("name");
            continue;
        };
        if names.insert(variable.name.to_ascii_lowercase()) {
            variables.push(variable);
        } else {
            t.mistake(
                "name",
                format!("`{}` is declared twice (case does not count); rename or remove one of them", variable.name),
            );
        }
    }
    Dictionary::new(variables)
}

fn variable(t: &Table<'_, '_>) -> Option<Variable> {
    let name = t.text("name");
    if let Some(name) = &name {
        let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        if !first || name.len() > 63 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            t.mistake(
                "name",
                "is no name of a variable; use a letter, then letters, digits and underscores, at most 63",
            );
        }
    }
    let label = t.optional_text("label").or_else(|| name.clone());
    let kind = match t.choice("kind", &KINDS).as_deref() {
        Some("continuous") => continuous(t),
        Some("categorical") => categorical(t),
        Some("binary") => Some(binary(t)),
        Some("days") => t.whole("max").map(|high| Kind::Days { high }),
        Some(other) => {
            unknown(t, "kind", other, &KINDS);
            t.abandon();
            None
        }
        None => {
            t.abandon();
            None
        }
    };
    Some(Variable { name: name?, label: label?, kind: kind? })
}

/// Two levels, the second is the event: 0 and 1, or the codes that all files have.
fn binary(t: &Table<'_, '_>) -> Kind {
    let codes = t.optional_texts("codes");
    if let Some(codes) = &codes {
        let alike = matches!(codes.as_slice(), [a, b] if a.to_lowercase() == b.to_lowercase());
        if codes.len() != 2 || alike || codes.iter().any(|code| code.is_empty() || code.trim() != code) {
            t.mistake(
                "codes",
                "expected the two texts that stand in the files, the event second; such as [\"No\", \"Yes\"]",
            );
        }
    }
    let default = || codes.clone().unwrap_or_else(|| vec!["no".into(), "yes".into()]);
    let labels = t.optional_texts("labels").unwrap_or_else(default);
    if labels.len() != 2 {
        t.mistake("labels", "a binary variable has two labels, for 0 and for 1; such as [\"no\", \"yes\"]");
    }
    Kind::Categorical { levels: codes.unwrap_or_else(|| vec!["0".into(), "1".into()]), labels, binary: true }
}

fn continuous(t: &Table<'_, '_>) -> Option<Kind> {
    let unit = t.optional_text("unit").unwrap_or_default();
    if !t.has("range") {
        t.mistake("range", "is missing; give the smallest and largest possible value, such as [18, 110]");
    }
    let range = t.numbers("range");
    let resolution = t.optional_number("resolution");
    if resolution.is_some_and(|step| step <= 0.0) {
        t.mistake("resolution", "must be above zero; such as 0.1");
    }
    let rounded = t.flag("rounded", false);
    if rounded && !t.has("resolution") {
        t.mistake("rounded", "stands without `resolution`, the step to which values are rounded; add it");
    }
    match range?.as_slice() {
        [low, high] if low < high => {
            digits_left(t, *low, *high);
            Some(Kind::Continuous { unit, low: *low, high: *high, resolution, rounded })
        }
        _ => {
            t.mistake("range", "expected [smallest, largest] with smallest below largest; such as [18, 110]");
            None
        }
    }
}

/// Sums are formed of values in units of the range, whatever its size; there must be such a unit, and values in it that
/// differ.
fn digits_left(t: &Table<'_, '_>, low: f64, high: f64) {
    /// Squares of units and their inverses stay far inside the numbers of 64 bits.
    const LARGEST: f64 = 1e100;
    /// Of 16 digits, seven are left for what is inside the range.
    const NARROW: f64 = 1e-9;
    let (size, width) = (low.abs().max(high.abs()), high - low);
    if size > LARGEST || width < 1.0 / LARGEST {
        t.mistake("range", "is beyond 1e100 or narrower than 1e-100; use another unit of measurement");
    } else if width < NARROW * size {
        t.mistake("range", "is narrower than a billionth of its numbers, so that values lose their digits; subtract a constant in the file");
    }
}

fn categorical(t: &Table<'_, '_>) -> Option<Kind> {
    let (levels, labels) = (t.texts("levels"), t.optional_texts("labels"));
    let levels = levels?;
    let distinct: BTreeSet<_> = levels.iter().collect();
    if distinct.len() != levels.len() {
        t.mistake("levels", "a level stands twice; name each once");
    }
    if levels.len() < 2 || levels.len() > 200 {
        t.mistake("levels", "expected 2 to 200 levels; a column with more is no category");
    }
    if levels.iter().any(|l| l.is_empty() || l.trim() != l) {
        t.mistake("levels", "a level is empty or has spaces at its ends; remove them here and in the file");
    }
    let labels = labels.unwrap_or_else(|| levels.clone());
    if labels.len() != levels.len() {
        t.mistake(
            "labels",
            format!("{} labels for {} levels; give each level one, in the same order", labels.len(), levels.len()),
        );
    }
    Some(Kind::Categorical { levels, labels, binary: false })
}
