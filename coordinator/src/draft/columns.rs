//! What the columns of a file seem to hold.

use std::collections::BTreeMap;

use study::coding::{self, Seen};

use super::answers::Kind;
use super::error::DraftError;
use super::numbers::{bounds, decimals, resolution, widened_days};

/// Most levels of a category.
const FEW: usize = 12;
/// A level in fewer rows is rare, and is not repeated.
const FREQUENT: usize = 5;
/// Different values in so many rows make an identifier.
const ENOUGH: usize = 10;
/// Codes of a category are at most so many whole numbers.
const CODES: usize = 5;

/// Columns of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    /// The column that identifies patients, if one does.
    pub patient: Option<String>,
    /// What can be declared.
    pub guesses: Vec<Guess>,
    /// What cannot, with the reason.
    pub left_out: Vec<String>,
}

/// What one column seems to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// Column.
    pub name: String,
    /// Kind, with bounds or levels.
    pub kind: Kind,
    /// Codes of no and yes of a binary column that has others than 0 and 1.
    pub codes: Option<[String; 2]>,
    /// Levels of a category or a binary column, those of most rows first.
    pub by_size: Vec<String>,
    /// What a person has to look at.
    pub remarks: Vec<String>,
}

impl Guess {
    /// A column of which the kind alone is known.
    pub(super) fn of(name: &str, kind: &Kind) -> Guess {
        Guess { name: name.into(), kind: kind.clone(), codes: None, by_size: Vec::new(), remarks: Vec::new() }
    }
}

/// Reads a file of patients. `patient` is the column that identifies them, if it is known.
pub fn columns(text: &str, patient: Option<&str>) -> Result<Columns, DraftError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The line that Excel writes before the header.
    let text = text
        .split_once('\n')
        .filter(|(line, _)| line.trim().eq_ignore_ascii_case("sep=,"))
        .map_or(text, |(_, rest)| rest);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| DraftError::Header)?.clone();
    // A first line with a number is a patient: names must not be made of it.
    let is_value = |cell: &str| is_date(cell) || (cell.parse::<f64>().is_ok() && !is_name(cell));
    if header.len() < 2 || header.iter().any(is_value) {
        return Err(DraftError::Header);
    }
    let mut values: Vec<Vec<String>> = vec![Vec::new(); header.len()];
    for row in reader.records() {
        let row = row.map_err(|e| DraftError::Row(e.position().map_or(0, csv::Position::line)))?;
        for (column, value) in values.iter_mut().zip(&row) {
            column.push(value.to_owned());
        }
    }
    let names: Vec<&str> = header.iter().collect();
    if let Some(patient) = patient
        && !names.contains(&patient)
    {
        return Err(DraftError::NoColumn(patient.to_owned()));
    }
    let patient = patient.or_else(|| PATIENT.into_iter().find_map(|known| find(&names, known)));
    let mut columns = Columns { patient: patient.map(str::to_owned), ..Columns::default() };
    for (position, (name, values)) in names.iter().zip(&values).enumerate() {
        if Some(*name) == patient {
            continue;
        }
        if !is_name(name) {
            let why = "its name is no letter with letters, digits and underscores behind it";
            columns.left_out.push(format!("column {} ({why})", position + 1));
            continue;
        }
        match guess(name, values) {
            Ok((kind, remarks)) => {
                let codes = if kind == Kind::Binary { coding(values) } else { None };
                let by_size = by_size(&kind, codes.as_ref(), values);
                columns.guesses.push(Guess { codes, by_size, remarks, ..Guess::of(name, &kind) });
            }
            Err(why) => columns.left_out.push(format!("{name} ({why})")),
        }
    }
    Ok(columns)
}

/// Names of columns that identify patients, the surest first.
const PATIENT: [&str; 10] =
    ["patient", "patient_id", "patientid", "pat_id", "usubjid", "subject_id", "subject", "record_id", "pid", "id"];

fn find<'n>(names: &[&'n str], known: &str) -> Option<&'n str> {
    names.iter().copied().find(|name| name.eq_ignore_ascii_case(known))
}

fn is_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    first && name.len() <= 63 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Words of a column's name, in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    name.split('_').filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect()
}

/// Words in the names of columns that identify people.
const IDENTIFYING: [&str; 22] = [
    "id",
    "ids",
    "pid",
    "mrn",
    "ssn",
    "nr",
    "name",
    "surname",
    "firstname",
    "lastname",
    "birth",
    "birthday",
    "birthdate",
    "dob",
    "address",
    "street",
    "zip",
    "zipcode",
    "postcode",
    "phone",
    "email",
    "insurance",
];

/// Words in the names of columns that hold a time.
const TIME: [&str; 6] = ["days", "day", "time", "duration", "followup", "fu"];

/// How a file says that a value is missing, beside leaving the field empty.
const MISSING: [&str; 8] = ["NA", "N/A", "na", "NaN", "nan", "NULL", "null", "."];

fn guess(name: &str, values: &[String]) -> Result<(Kind, Vec<String>), String> {
    let words = words(name);
    if words.iter().any(|word| IDENTIFYING.contains(&word.as_str())) {
        return Err("its name says that it identifies people".into());
    }
    let mut remarks = Vec::new();
    if values.iter().any(|value| MISSING.contains(&value.as_str())) {
        remarks.push("missing values are marked with a word: leave these fields empty in the file".into());
    }
    let values: Vec<&str> =
        values.iter().map(String::as_str).filter(|v| !v.is_empty() && !MISSING.contains(v)).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in &values {
        *counts.entry(value).or_default() += 1;
    }
    if counts.is_empty() {
        return Err("it has no value".into());
    }
    if counts.keys().all(|value| matches!(*value, "0" | "1")) {
        return Ok((Kind::Binary, remarks));
    }
    // Digits may be anything; words such as no and yes are codes.
    if counts.keys().all(|value| coding::is_known(value) && value.parse::<f64>().is_err())
        && let Some([no, yes]) = seen(counts.keys().copied()).coding()
    {
        remarks.push(format!("read as no and yes: `{no}` and `{yes}`"));
        return Ok((Kind::Binary, remarks));
    }
    let numbers: Option<Vec<f64>> = values.iter().map(|v| v.parse::<f64>().ok().filter(|x| x.is_finite())).collect();
    match numbers {
        Some(numbers) => numeric(&words, &numbers, &counts, remarks),
        None => textual(values.len(), &counts, remarks),
    }
}

fn numeric(
    words: &[String],
    numbers: &[f64],
    counts: &BTreeMap<&str, usize>,
    mut remarks: Vec<String>,
) -> Result<(Kind, Vec<String>), String> {
    let whole = numbers.iter().all(|x| x.fract() == 0.0);
    let (smallest, largest) = numbers.iter().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
    if whole && smallest >= 0.0 && largest <= 1e6 && words.iter().any(|word| TIME.contains(&word.as_str())) {
        remarks.push("read as days because of its name; `max` was widened to a round number".into());
        return Ok((Kind::Days { max: widened_days(largest as u32) }, remarks));
    }
    let differ = counts.len() == numbers.len() && numbers.len() >= ENOUGH;
    if whole && differ && (largest >= 10_000.0 || largest - smallest + 1.0 == numbers.len() as f64) {
        return Err("every row has another whole number, as an identifier has".into());
    }
    if whole && counts.len() <= CODES && counts.values().all(|n| *n >= FREQUENT) {
        let mut levels: Vec<&str> = counts.keys().copied().collect();
        levels.sort_by(|a, b| number(a).total_cmp(&number(b)));
        remarks.push("few whole numbers, read as codes: is it a quantity, then write kind = \"continuous\"".into());
        if levels == ["1", "2"] {
            remarks.push("are they no and yes, then write kind = \"binary\" and codes = [\"1\", \"2\"]".into());
        }
        return Ok((Kind::Categorical { levels: levels.into_iter().map(str::to_owned).collect() }, remarks));
    }
    let (low, high, outside) = bounds(numbers);
    let (resolution, rounded) = resolution(numbers.iter().map(|x| decimals(*x)).max().unwrap_or(0), low, high);
    remarks.push("`range` is round numbers beyond most values: write what is possible, and the unit".into());
    if outside > 0 {
        remarks.push(format!(
            "{outside} of {} values lie far outside of it and would be refused: is that another unit, or a mistake?",
            numbers.len()
        ));
    }
    if rounded {
        remarks.push("values have more decimals than a table needs: `rounded` counts them at the nearest step".into());
    }
    Ok((Kind::Continuous { low, high, resolution, rounded }, remarks))
}

fn seen<'v>(values: impl Iterator<Item = &'v str>) -> Seen {
    let mut seen = Seen::default();
    values.for_each(|value| seen.other(value));
    seen
}

/// The codes of a column of words; none of one with 0 and 1.
fn coding(values: &[String]) -> Option<[String; 2]> {
    let words = values.iter().map(String::as_str).filter(|value| coding::is_known(value));
    let mut words = words.filter(|value| value.parse::<f64>().is_err()).peekable();
    words.peek()?;
    seen(words).coding()
}

/// The levels, those of most rows first.
fn by_size(kind: &Kind, codes: Option<&[String; 2]>, values: &[String]) -> Vec<String> {
    let mut levels = match (kind, codes) {
        (Kind::Categorical { levels }, _) => levels.clone(),
        (Kind::Binary, Some(codes)) => codes.to_vec(),
        (Kind::Binary, None) => vec!["0".to_owned(), "1".to_owned()],
        (Kind::Continuous { .. } | Kind::Days { .. }, _) => Vec::new(),
    };
    levels.sort_by_key(|level| std::cmp::Reverse(values.iter().filter(|value| *value == level).count()));
    levels
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

fn textual(
    rows: usize,
    counts: &BTreeMap<&str, usize>,
    mut remarks: Vec<String>,
) -> Result<(Kind, Vec<String>), String> {
    if counts.keys().all(|value| is_date(value)) {
        return Err("it holds dates; a protocol has whole days since time zero".into());
    }
    if counts.keys().all(|value| value.replacen(',', ".", 1).parse::<f64>().is_ok()) {
        return Err("its numbers have a decimal comma; export with a point".into());
    }
    if counts.len() == rows && rows >= ENOUGH {
        return Err("every row has another text, as an identifier has".into());
    }
    if counts.len() > FEW {
        return Err(format!("it has more than {FEW} different texts"));
    }
    let listed = counts.iter().filter(|(level, n)| **n >= FREQUENT && !identifies(level));
    let levels: Vec<String> = listed.map(|(level, _)| (*level).to_owned()).collect();
    let rest = counts.len() - levels.len();
    if levels.len() < 2 {
        return Err(format!("fewer than two of its texts stand in {FREQUENT} rows or more"));
    }
    remarks.push("levels as found in this file, the first is the reference: are these all, in this order?".into());
    if rest > 0 {
        remarks.push(format!(
            "{rest} more are rare or look like identifiers and are not listed: add them, or merge them in the file"
        ));
    }
    Ok((Kind::Categorical { levels }, remarks))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let digits = |part: &&str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(digits)
}

/// Could this text stand for one person? Numbers of four digits and more, dates, addresses, long prose.
fn identifies(text: &str) -> bool {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    text.contains('@') || text.len() > 40 || is_date(text) || runs.map(str::len).max() >= Some(4)
}
