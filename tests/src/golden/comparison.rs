//! Golden numbers, each used once, and what the comparison found.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::files::HIDDEN;

/// Golden entries by name that no run has yet, and why. A trailing `*` stands for any ending.
const EXEMPT: [(&str, &str); 4] = [
    ("mann_whitney_p_continuity", "the protocol asks for the test without this correction"),
    ("chi_square_p_yates", "the protocol asks for the test without this correction"),
    ("fisher_p", "the protocol asks for the chi-square test"),
    ("probabilities", "which quantiles the lists of weights.json hold"),
];

/// Of a share of pairs.
const ROUNDING: f64 = 1e-12;

/// Golden files have 15 digits.
const DIGITS: f64 = 1e-14;

/// A comparison under way. Golden numbers are named by their JSON pointer.
pub(super) struct Comparison<'a> {
    golden: &'a Value,
    open: BTreeMap<String, f64>,
    tolerance: f64,
    /// Counts from 1 to one less are hidden in the files.
    minimum_cell: f64,
    report: Report,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Golden numbers that were compared.
    pub compared: usize,
    /// Further cells that follow from golden numbers (ratios, intervals and tests that R did not print).
    pub derived: usize,
    /// Golden numbers that a run has on a grid only, each with its bound: how many are within theirs, and of the one
    /// that is farthest in units of its bound, distance and bound.
    pub bounded: (usize, [f64; 2]),
    /// Golden numbers that a run publishes on a grid only: compared within half a step of it.
    pub on_grid: usize,
    /// Numbers that the files name as hidden: counts that R has below the study's floor, and others: what those would follow
    /// from, and curves where few leave.
    pub hidden: [usize; 2],
    /// Largest relative difference, and where.
    pub worst: Option<(f64, String)>,
    /// Numbers that differ by more than the tolerance.
    pub differences: Vec<String>,
    /// Golden entries without a counterpart, and numbers that the files lack.
    pub missing: Vec<String>,
    /// Count of golden numbers that are exempt, by name and reason.
    pub exempt: BTreeMap<(String, &'static str), usize>,
}

impl Report {
    /// Is everything there and equal?
    pub fn passed(&self) -> bool {
        self.compared > 0 && self.differences.is_empty() && self.missing.is_empty()
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn new(golden: &'a Value, tolerance: f64, minimum_cell: f64) -> Self {
        let mut comparison = Self { golden, open: BTreeMap::new(), tolerance, minimum_cell, report: Report::default() };
        comparison.collect("", golden);
        comparison
    }

    /// Notes every number as open, or as exempt when a name on its path is.
    fn collect(&mut self, pointer: &str, value: &Value) {
        match value {
            Value::Object(entries) => {
                for (name, entry) in entries {
                    self.collect(&format!("{pointer}/{name}"), entry);
                }
            }
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.collect(&format!("{pointer}/{i}"), item);
                }
            }
            Value::Number(number) => {
                let exempt = EXEMPT.iter().find(|(name, _)| pointer.split('/').any(|part| matches(name, part)));
                match exempt {
                    Some((name, why)) => *self.report.exempt.entry(((*name).to_owned(), why)).or_default() += 1,
                    None => {
                        self.open.insert(pointer.to_owned(), number.as_f64().unwrap_or(f64::NAN));
                    }
                }
            }
            // Names of terms and levels; and what R does not have.
            Value::String(_) | Value::Null | Value::Bool(_) => {}
        }
    }

    /// Leaves out an entry, by its names from the top, and what is below it.
    pub(super) fn leave_out(&mut self, entry: &str, why: &'static str) {
        self.leave_out_below(entry, entry, why);
    }

    /// Leaves out what is still open at a pointer without its first stroke, and below it; the report counts it as `name`.
    pub(super) fn leave_out_below(&mut self, name: &str, entry: &str, why: &'static str) {
        let (itself, below) = (format!("/{entry}"), format!("/{entry}/"));
        let before = self.open.len();
        self.open.retain(|pointer, _| *pointer != itself && !pointer.starts_with(&below));
        let count = before - self.open.len();
        if count > 0 {
            *self.report.exempt.entry((name.to_owned(), why)).or_default() += count;
        }
    }

    /// Does the golden file have an entry here that is not null?
    pub(super) fn has(&self, pointer: &str) -> bool {
        self.golden.pointer(pointer).is_some_and(|v| match v {
            Value::Null => false,
            Value::Object(entries) => !entries.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        })
    }

    /// Names of the entries of an object; none when there is no such object.
    pub(super) fn names(&self, pointer: &str) -> Vec<&'a str> {
        let entries = self.golden.pointer(pointer).and_then(Value::as_object);
        entries.map_or_else(Vec::new, |entries| entries.keys().map(String::as_str).collect())
    }

    /// Texts of a list, or of a list of one that was written as a scalar.
    pub(super) fn texts(&self, pointer: &str) -> Vec<&'a str> {
        match self.golden.pointer(pointer) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => Vec::new(),
        }
    }

    /// The golden number itself, for what follows from it; it stays open.
    pub(super) fn peek(&self, pointer: &str) -> f64 {
        self.golden.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
    }

    /// Pointer of the i-th number of a list, or of a list of one that was written as a scalar.
    pub(super) fn item(&self, pointer: &str, i: usize) -> String {
        match self.golden.pointer(pointer) {
            Some(Value::Number(_)) if i == 0 => pointer.to_owned(),
            _ => format!("{pointer}/{i}"),
        }
    }

    /// Compares one golden number, once.
    pub(super) fn number(&mut self, pointer: &str, got: Result<f64, String>) {
        let Some(expected) = self.open.remove(pointer) else {
            return self.report.missing.push(format!("{pointer}: not in the golden file, or compared before"));
        };
        match got {
            Ok(got) => {
                self.report.compared += 1;
                self.judge(pointer, expected, got);
            }
            Err(what) => self.lacks(pointer, expected, &what),
        }
    }

    /// Compares one golden number that is a count or a value of the file, once: its 15 digits must agree.
    pub(super) fn exact(&mut self, pointer: &str, got: Result<f64, String>) {
        let expected = self.peek(pointer);
        if let Ok(got) = got
            && relative(expected, got) > DIGITS
            && relative(expected, got) <= self.tolerance
        {
            self.report.differences.push(line(pointer, expected, got));
        }
        self.number(pointer, got);
    }

    /// Compares one golden number with one that the run knows up to a bound, once: as any other where the bound is 0,
    /// else by distance, whatever the tolerance.
    pub(super) fn bounded(&mut self, pointer: &str, got: Result<[f64; 2], String>) {
        let [got, bound] = match got {
            Ok(both) if both[1] != 0.0 => both,
            exact => return self.number(pointer, exact.map(|both| both[0])),
        };
        let Some(expected) = self.open.remove(pointer) else {
            return self.report.missing.push(format!("{pointer}: not in the golden file, or compared before"));
        };
        let distance = (got - expected).abs();
        // The bound is reached to rounding when all pairs of each bin are ordered one way.
        if distance.is_nan() || distance > bound + ROUNDING {
            let what = format!("{pointer}: {got:e} instead of {expected:e}, farther than the bound {bound:.1e}");
            return self.report.differences.push(what);
        }
        let (count, worst) = &mut self.report.bounded;
        *count += 1;
        if *count == 1 || distance / bound > worst[0] / worst[1] {
            *worst = [distance, bound];
        }
    }

    /// Compares one golden number that is published on a grid, once: at most `half` a step lies between.
    pub(super) fn on_grid(&mut self, pointer: &str, got: Result<f64, String>, half: f64) {
        let Some(expected) = self.open.remove(pointer) else {
            return self.report.missing.push(format!("{pointer}: not in the golden file, or compared before"));
        };
        match got {
            Ok(got) => {
                self.report.on_grid += 1;
                let difference = (got - expected).abs();
                if difference.is_nan() || difference > half * (1.0 + 1e-9) {
                    self.report.differences.push(format!("{pointer}: {got} is more than {half} from {expected}"));
                }
            }
            Err(what) => self.lacks(pointer, expected, &what),
        }
    }

    /// Compares a cell with a value that follows from golden numbers.
    pub(super) fn derived(&mut self, name: &str, expected: f64, got: Result<f64, String>) {
        match got {
            Ok(got) => {
                self.report.derived += 1;
                self.judge(name, expected, got);
            }
            Err(what) => self.lacks(name, expected, &what),
        }
    }

    /// Compares one golden number, or that neither R nor the run has one.
    pub(super) fn number_or_none(&mut self, pointer: &str, text: Result<&str, String>, got: Result<f64, String>) {
        match (self.golden.pointer(pointer), text) {
            (Some(Value::Null) | None, Ok("")) => {}
            (Some(Value::Null) | None, Ok(text)) => {
                self.report.differences.push(format!("{pointer}: {text} where R has no number"));
            }
            (_, Err(what)) => self.report.missing.push(format!("{pointer}: {what}")),
            (Some(_), Ok(_)) => self.number(pointer, got),
        }
    }

    /// A number that the files do not have: hidden by a floor of the study, or missing.
    fn lacks(&mut self, name: &str, expected: f64, what: &str) {
        if !what.starts_with(HIDDEN) {
            return self.report.missing.push(format!("{name}: {what}"));
        }
        let small = expected.fract() == 0.0 && expected >= 1.0 && expected < self.minimum_cell;
        let [of_few, beside] = &mut self.report.hidden;
        *(if small { of_few } else { beside }) += 1;
    }

    /// Something that must be there and is not.
    pub(super) fn missing(&mut self, what: String) {
        self.report.missing.push(what);
    }

    fn judge(&mut self, name: &str, expected: f64, got: f64) {
        let difference = relative(expected, got);
        if difference.is_nan() || difference > self.tolerance {
            self.report.differences.push(line(name, expected, got));
        }
        if self.report.worst.as_ref().is_none_or(|(worst, _)| difference.is_nan() || difference > *worst) {
            self.report.worst = Some((difference, name.to_owned()));
        }
    }

    /// What is still open has no counterpart.
    pub(super) fn finish(mut self) -> Report {
        for pointer in self.open.into_keys() {
            self.report.missing.push(format!("{pointer}: nothing is compared with this golden entry"));
        }
        self.report
    }
}

/// Relative to what is expected; absolute where that is exactly 0. NaN where `got` is.
fn relative(expected: f64, got: f64) -> f64 {
    let difference = (got - expected).abs();
    if expected == 0.0 { difference } else { difference / expected.abs() }
}

fn line(name: &str, expected: f64, got: f64) -> String {
    format!("{name}: {got:e} instead of {expected:e}, relative difference {:.1e}", relative(expected, got))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.differences {
            writeln!(f, "differs: {line}")?;
        }
        for line in &self.missing {
            writeln!(f, "missing: {line}")?;
        }
        let exempt: usize = self.exempt.values().sum();
        writeln!(f, "not compared: {exempt} golden numbers")?;
        for ((name, why), count) in &self.exempt {
            writeln!(f, "  {count:5}  {name}: {why}")?;
        }
        writeln!(f, "compared: {} golden numbers, and {} that follow from them", self.compared, self.derived)?;
        if self.on_grid > 0 {
            writeln!(f, "published as bin edges only: {} golden numbers, equal within half a grid step", self.on_grid)?;
        }
        if self.hidden != [0, 0] {
            let [of_few, beside] = self.hidden;
            writeln!(f, "hidden by the floors of the study: {of_few} counts below them, {beside} other numbers")?;
        }
        if self.bounded.0 > 0 {
            let (count, [distance, bound]) = self.bounded;
            writeln!(f, "on a grid of the predictor: {count} golden numbers, each within its own bound instead;")?;
            writeln!(f, "  nearest to its bound: {distance:.1e} of {bound:.1e}")?;
        }
        if let Some((worst, name)) = &self.worst {
            writeln!(f, "largest relative difference: {worst:.1e} at {name}")?;
        }
        write!(
            f,
            "{}: {} differ, {} missing",
            if self.passed() { "equal" } else { "NOT equal" },
            self.differences.len(),
            self.missing.len()
        )
    }
}
