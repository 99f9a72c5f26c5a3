//! Reading a TOML document so that every mistake is reported at once, each with its key and line.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How a text begins that somebody has to replace before the document can be used; drafts have such texts.
pub const PLACEHOLDER: &str = "REPLACE:";

/// One thing wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Line in the file, from 1.
    pub line: usize,
    /// Key path, such as `variable[3].range`.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.key, self.message)
    }
}

/// All mistakes of a document, in file order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} in the document", count(.0.len()))]
pub struct Mistakes(pub Vec<Mistake>);

fn count(n: usize) -> String {
    if n == 1 { "one mistake".into() } else { format!("{n} mistakes") }
}

/// Collects mistakes while a document is read.
pub(crate) struct Reader<'a> {
    text: &'a str,
    mistakes: RefCell<Vec<Mistake>>,
    spoiled: RefCell<BTreeSet<String>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, mistakes: RefCell::default(), spoiled: RefCell::default() }
    }

    pub(crate) fn mistake(&self, span: &Range<usize>, key: &str, message: impl Into<String>) {
        let mistake = Mistake { line: line(self.text, span.start), key: key.into(), message: message.into() };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Is it declared, though with mistakes? Then where it is used nothing more is wrong.
    pub(crate) fn is_spoiled(&self, name: &str) -> bool {
        self.spoiled.borrow().contains(name)
    }

    /// Ends the reading: the value stands only when nothing was wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Mistakes> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort();
        mistakes.dedup();
        match value {
            Some(value) if mistakes.is_empty() => Ok(value),
            _ => Err(Mistakes(mistakes)),
        }
    }
}

/// Parses TOML; a syntax error is the only mistake then.
pub(crate) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Mistakes> {
    DeTable::parse(text).map_err(|e| {
        let at = e.span().map_or(0, |s| s.start);
        let message = e.message();
        let hint = match message {
            "duplicate key" => "keep one of the two",
            _ => "look at quotation marks, brackets and commas here and in the line above",
        };
        let message = format!("{message}; {hint}");
        Mistakes(vec![Mistake { line: line(text, at), key: "(syntax)".into(), message }])
    })
}

/// Line of a byte, from 1.
fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).fold(0, |lines, byte| lines + usize::from(byte == b'\n'))
}

/// A table under reading: remembers which keys were asked for, so that unknown ones are mistakes.
pub(crate) struct Table<'a, 'r> {
    pub(crate) reader: &'r Reader<'a>,
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
    entries: &'r DeTable<'a>,
    known: RefCell<BTreeSet<&'static str>>,
    abandoned: Cell<bool>,
}

impl<'a, 'r> Table<'a, 'r> {
    pub(crate) fn root(reader: &'r Reader<'a>, table: &'r Spanned<DeTable<'a>>) -> Table<'a, 'r> {
        Table {
            reader,
            path: String::new(),
            span: 0..0,
            entries: table.get_ref(),
            known: RefCell::default(),
            abandoned: Cell::new(false),
        }
    }

    pub(crate) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) }
    }

    /// Records a mistake at a key of this table (at the table itself when the key is absent).
    pub(crate) fn mistake(&self, name: &str, message: impl Into<String>) {
        let span = self.entries.get(name).map_or(self.span.clone(), Spanned::span);
        self.reader.mistake(&span, &self.key(name), message);
    }

    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.known.borrow_mut().insert(name);
        self.entries.contains_key(name)
    }

    /// Was a mistake recorded at a key of this table?
    pub(crate) fn is_mistaken(&self, name: &str) -> bool {
        let key = self.key(name);
        self.reader.mistakes.borrow().iter().any(|mistake| mistake.key == key)
    }

    fn get(&self, name: &'static str) -> Option<&'r Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(name);
        self.entries.get(name)
    }

    fn wrong(&self, name: &str, expected: &str, example: &str, got: &DeValue<'_>) {
        self.mistake(name, format!("expected {expected}, got {}; write {example}", got.type_str()));
    }

    fn wrong_list(&self, name: &str, items: &str, example: &str, got: &DeValue<'_>) {
        if got.is_array() {
            self.mistake(name, format!("expected nothing but {items} in the list; write `{name} = {example}`"));
        } else {
            self.wrong(name, &format!("a list of {items}"), &format!("`{name} = {example}`"), got);
        }
    }

    fn missing(&self, name: &str, example: &str) {
        self.mistake(name, format!("is missing; add a line such as `{name} = {example}`"));
    }

    /// A text as it stands, without a word about mistakes.
    pub(crate) fn raw_text(&self, name: &str) -> Option<&str> {
        self.entries.get(name)?.get_ref().as_str()
    }

    pub(crate) fn optional_text(&self, name: &'static str) -> Option<String> {
        let value = self.get(name)?.get_ref();
        let text = value.as_str().map(str::to_owned);
        if text.as_ref().is_some_and(|text| text.trim_start().starts_with(PLACEHOLDER)) {
            self.mistake(
                name,
                format!("is still the question of the draft; write your own text in place of `{PLACEHOLDER} …`"),
            );
        }
        if text.is_none() {
            self.wrong(name, "a string", &format!("it in quotation marks, `{name} = \"…\"`"), value);
        }
        text
    }

    pub(crate) fn text(&self, name: &'static str) -> Option<String> {
        if !self.has(name) {
            self.missing(name, "\"…\"");
            return None;
        }
        let text = self.optional_text(name)?;
        if text.trim().is_empty() {
            self.mistake(name, "is empty; write a text between the quotation marks");
            return None;
        }
        Some(text)
    }

    /// A text that its reader holds against these words; they are named where it is missing.
    pub(crate) fn choice(&self, name: &'static str, known: &[&str]) -> Option<String> {
        if self.has(name) {
            return self.text(name);
        }
        self.mistake(name, format!("is missing; use one of {}", known.join(", ")));
        None
    }

    pub(crate) fn flag(&self, name: &'static str, default: bool) -> bool {
        let Some(value) = self.get(name) else { return default };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong(name, "true or false", &format!("`{name} = true` or `{name} = false`"), value.get_ref());
            default
        })
    }

    pub(crate) fn optional_number(&self, name: &'static str) -> Option<f64> {
        let value = self.get(name)?.get_ref();
        let number = number(value);
        if number.is_none() {
            self.wrong(name, "a finite number", "digits with a decimal point, without quotation marks", value);
        }
        number
    }

    pub(crate) fn number(&self, name: &'static str) -> Option<f64> {
        if !self.has(name) {
            self.missing(name, "365");
        }
        self.optional_number(name)
    }

    /// A whole number not below zero.
    pub(crate) fn whole(&self, name: &'static str) -> Option<u32> {
        let number = self.number(name)?;
        if number < 0.0 || number.fract() != 0.0 || number > f64::from(u32::MAX - 1) {
            self.mistake(name, "expected a whole number that is not negative; write it without sign and decimals");
            return None;
        }
        Some(number as u32)
    }

    pub(crate) fn optional_whole(&self, name: &'static str) -> Option<u32> {
        if self.has(name) { self.whole(name) } else { None }
    }

    pub(crate) fn numbers(&self, name: &'static str) -> Option<Vec<f64>> {
        let value = self.get(name)?.get_ref();
        let list: Option<Vec<f64>> = value.as_array().and_then(|a| a.iter().map(|v| number(v.get_ref())).collect());
        if list.is_none() {
            self.wrong_list(name, "numbers", "[1, 2]", value);
        }
        list
    }

    pub(crate) fn optional_flags(&self, name: &'static str) -> Option<Vec<bool>> {
        let value = self.get(name)?.get_ref();
        let list: Option<Vec<bool>> = value.as_array().and_then(|a| a.iter().map(|v| v.get_ref().as_bool()).collect());
        if list.is_none() {
            self.wrong_list(name, "true or false", "[false, true]", value);
        }
        list
    }

    pub(crate) fn optional_texts(&self, name: &'static str) -> Option<Vec<String>> {
        let value = self.get(name)?.get_ref();
        let list: Option<Vec<String>> =
            value.as_array().and_then(|a| a.iter().map(|v| v.get_ref().as_str().map(str::to_owned)).collect());
        if list.is_none() {
            self.wrong_list(name, "strings", "[\"a\", \"b\"]", value);
        }
        list
    }

    pub(crate) fn texts(&self, name: &'static str) -> Option<Vec<String>> {
        if !self.has(name) {
            self.missing(name, "[\"a\", \"b\"]");
            return None;
        }
        let list = self.optional_texts(name)?;
        if list.is_empty() {
            self.mistake(name, "is empty; name at least one");
            return None;
        }
        Some(list)
    }

    pub(crate) fn optional_table(&self, name: &'static str) -> Option<Table<'a, 'r>> {
        let value = self.get(name)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(name, "a table", &format!("`[{}]` and its keys below", self.key(name)), value.get_ref());
            return None;
        };
        Some(self.child(self.key(name), value.span(), table))
    }

    /// A table that has to be there; `keys` says what stands in it.
    pub(crate) fn table(&self, name: &'static str, keys: &str) -> Option<Table<'a, 'r>> {
        if !self.has(name) {
            self.mistake(name, format!("the table [{}] is missing; add it with {keys}", self.key(name)));
            return None;
        }
        self.optional_table(name)
    }

    /// An array of tables; absent means none.
    pub(crate) fn tables(&self, name: &'static str) -> Vec<Table<'a, 'r>> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            let heading = format!("[[{}]]", self.key(name));
            self.wrong(name, &format!("tables headed {heading}"), &format!("`{heading}` above each"), value.get_ref());
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (i, item) in array.iter().enumerate() {
            let path = format!("{}[{}]", self.key(name), i + 1);
            match item.get_ref().as_table() {
                Some(table) => tables.push(self.child(path, item.span(), table)),
                None => self.reader.mistake(&item.span(), &path, "expected a table; write its keys below a heading"),
            }
        }
        tables
    }

    fn child(&self, path: String, span: Range<usize>, table: &'r DeTable<'a>) -> Table<'a, 'r> {
        Table {
            reader: self.reader,
            path,
            span,
            entries: table,
            known: RefCell::default(),
            abandoned: Cell::new(false),
        }
    }

    /// Remembers the name under `key` as one whose declaration has mistakes of its own.
    pub(crate) fn spoil(&self, key: &str) {
        if let Some(name) = self.entries.get(key).and_then(|value| value.get_ref().as_str()) {
            self.reader.spoiled.borrow_mut().insert(name.into());
        }
    }

    /// Which keys belong here is not known: [`Table::close`] says nothing about them.
    pub(crate) fn abandon(&self) {
        self.abandoned.set(true);
    }

    /// Every key that nobody asked for is a mistake; the nearest known one is offered.
    pub(crate) fn close(&self) {
        if self.abandoned.get() {
            return;
        }
        let known = self.known.borrow();
        for (key, _) in self.entries {
            let name: &str = key.get_ref();
            if !known.contains(name) {
                let hint = suggestion(name, known.iter().copied());
                self.reader.mistake(&key.span(), &self.key(name), format!("is not a known key; {hint}"));
            }
        }
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok()? as f64,
        DeValue::Float(x) => x.as_str().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// Most words of a list in a message.
const LISTED: usize = 24;

/// What to write in place of an unknown word: the nearest known one, or else those there are.
pub(crate) fn suggestion<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> String {
    let known: Vec<&str> = known.collect();
    if let Some(near) = nearest(word, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    match known.len() {
        0 => "nothing can stand here".into(),
        n if n > LISTED => format!("known are {} and {} more", known[..LISTED].join(", "), n - LISTED),
        _ => format!("known: {}", known.join(", ")),
    }
}

/// The known word nearest to a mistyped one, when it is near enough to be meant. Case, hyphens and blanks do not count.
pub(crate) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |word: &str| word.to_lowercase().replace(['-', ' '], "_");
    let word = plain(word);
    known.map(|k| (distance(&word, &plain(k)), k)).filter(|(d, k)| *d <= 1 + k.len() / 4).min().map(|(_, k)| k)
}

/// Edit distance (Levenshtein), one row of the table at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
