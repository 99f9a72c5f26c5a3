//! Codes of a binary column that other programs write: recognised, so that a message can say what to declare.

use std::collections::BTreeSet;

/// Codes of no and yes, the more usual first. They are words of programs, not of patients.
const PAIRS: [(&str, &str); 15] = [
    ("false", "true"),
    ("no", "yes"),
    ("n", "y"),
    ("f", "t"),
    ("1", "2"),
    ("0", "-1"),
    ("negative", "positive"),
    ("neg", "pos"),
    ("absent", "present"),
    ("unchecked", "checked"),
    ("alive", "dead"),
    ("censored", "event"),
    ("nein", "ja"),
    ("n", "j"),
    ("non", "oui"),
];

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Letters {
    /// `true`, and everything without letters.
    Small,
    /// `True`.
    First,
    /// `TRUE`.
    Large,
}

impl Letters {
    fn of(text: &str) -> Option<Letters> {
        [Letters::Small, Letters::First, Letters::Large]
            .into_iter()
            .find(|letters| letters.write(&text.to_lowercase()) == text)
    }

    fn write(self, word: &str) -> String {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        match self {
            Letters::Small => word.to_owned(),
            Letters::First => first.to_uppercase() + rest,
            Letters::Large => word.to_uppercase(),
        }
    }
}

/// Is it a code of no or yes in another program?
pub fn is_known(text: &str) -> bool {
    known(text).is_some() && Letters::of(text).is_some()
}

fn known(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    PAIRS.iter().flat_map(|(no, yes)| [*no, *yes]).find(|word| *word == text)
}

/// What codes a column holds.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    declared: BTreeSet<String>,
    others: BTreeSet<(&'static str, Letters)>,
}

impl Seen {
    /// A declared code.
    pub fn declared(&mut self, code: &str) {
        if !self.declared.contains(code) {
            self.declared.insert(code.to_owned());
        }
    }

    /// A code that [`is_known`] and that the dictionary lacks.
    pub fn other(&mut self, text: &str) {
        self.others.extend(known(text).zip(Letters::of(text)));
    }

    /// The one coding that the column has, no and yes; none where several stand side by side.
    pub fn coding(&self) -> Option<[String; 2]> {
        let words: BTreeSet<&str> = self.others.iter().map(|(word, _)| *word).collect();
        let letters: BTreeSet<Letters> =
            self.others.iter().filter(|(word, _)| word.to_uppercase() != *word).map(|(_, letters)| *letters).collect();
        if letters.len() > 1 {
            return None;
        }
        let letters = letters.first().copied().unwrap_or(Letters::Small);
        // 1 is yes beside 0, and no beside 2: what the dictionary declares belongs to the coding, too.
        let fits = |(no, yes): &&(&str, &str)| {
            let of_pair = |word: &str| word == *no || word == *yes;
            words.iter().all(|word| of_pair(word)) && self.declared.iter().all(|code| of_pair(code))
        };
        PAIRS.iter().find(fits).map(|(no, yes)| [letters.write(no), letters.write(yes)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coding(declared: &[&str], others: &[&str]) -> Option<[String; 2]> {
        let mut seen = Seen::default();
        for code in declared {
            seen.declared(code);
        }
        for text in others {
            assert!(is_known(text), "{text}");
            seen.other(text);
        }
        seen.coding()
    }

    #[test]
    fn one_coding_is_named_as_it_is_written() {
        let pair = |no: &str, yes: &str| Some([no.to_owned(), yes.to_owned()]);
        assert_eq!(coding(&[], &["TRUE", "FALSE"]), pair("FALSE", "TRUE"));
        assert_eq!(coding(&[], &["True"]), pair("False", "True"));
        assert_eq!(coding(&[], &["yes", "no"]), pair("no", "yes"));
        assert_eq!(coding(&[], &["J", "N"]), pair("N", "J"));
        assert_eq!(coding(&["1"], &["2"]), pair("1", "2"));
        assert_eq!(coding(&["0"], &["-1"]), pair("0", "-1"));
    }

    #[test]
    fn several_are_none() {
        assert_eq!(coding(&[], &["TRUE", "Yes"]), None);
        assert_eq!(coding(&["0"], &["2"]), None, "three codes");
        assert_eq!(coding(&["1"], &["TRUE"]), None);
        assert_eq!(coding(&[], &["TRUE", "false"]), None);
        assert!(!is_known("maybe") && !is_known("yEs") && !is_known("3"));
    }
}
