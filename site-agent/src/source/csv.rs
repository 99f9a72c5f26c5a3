//! A CSV file in one pass: header by name, values by the dictionary, mistakes counted by class and column.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use study::dictionary::VariableId;
use study::policy::BadValues;
use study::protocol::Protocol;

use super::eligibility;
use super::faults::{Fate, Faults};
use super::lines::Lines;
use super::nearest::nearest;
use super::problem::{Access, Problem, ProblemKind, SourceError, expected};
use super::table::Table;
use super::value::{self, Fault, Value};
use super::{Loaded, Warning};

/// Loads a CSV file: UTF-8 (with or without a byte order mark), comma separated, first line the column names, one row
/// per patient. `bad` says what becomes of a value that does not fit the dictionary and that an analysis needs.
pub fn load(path: &Path, protocol: &Protocol, bad: BadValues) -> Result<Loaded, SourceError> {
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let loaded = match File::open(path) {
        Ok(open) => read(open, protocol, bad),
        Err(error) => Err(vec![unreadable(&error)]),
    };
    loaded.map_err(|problems| SourceError { file, problems })
}

fn unreadable(error: &std::io::Error) -> Problem {
    Problem::of_file(ProblemKind::Unreadable(Access::from(error)))
}

fn read(file: impl Read, protocol: &Protocol, bad: BadValues) -> Result<Loaded, Vec<Problem>> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(Lines::new(file));
    let mut record = ByteRecord::new();
    if !next(&mut reader, &mut record)? {
        return Err(vec![Problem::of_file(ProblemKind::Empty)]);
    }
    let layout = Layout::find(&record, protocol)?;
    let mut rows = Rows::new(&layout, protocol);
    while next(&mut reader, &mut record)? {
        let line = reader.get_mut().line_from(record.position().map_or(0, csv::Position::byte));
        rows.take(&record, line);
    }
    let (cohort, patients) = eligibility::cohort(&rows.table, &mut rows.faults, protocol, bad);
    let noted = rows.finish(bad)?;

    let mut warnings = Vec::new();
    if layout.ignored() > 0 {
        warnings.push(Warning::ColumnsIgnored(layout.ignored()));
    }
    let all = cohort.flow[0];
    if all.control + all.treated + all.neither == 0 {
        warnings.push(Warning::NoRows);
    } else if cohort.rows() == 0 {
        warnings.push(Warning::NoneAnalysed);
    }
    warnings.extend(noted);
    Ok(Loaded { cohort, patients, warnings })
}

fn next(reader: &mut csv::Reader<impl Read>, record: &mut ByteRecord) -> Result<bool, Vec<Problem>> {
    reader.read_byte_record(record).map_err(|error| {
        let access = match error.kind() {
            csv::ErrorKind::Io(error) => Access::from(error),
            _ => Access::Failed,
        };
        vec![Problem::of_file(ProblemKind::Unreadable(access))]
    })
}

/// Where the patient's key and each variable stand in a row.
struct Layout {
    fields: usize,
    patient: usize,
    variables: Vec<usize>,
}

impl Layout {
    /// Finds every declared column in the header; all that are missing or repeated come out together.
    fn find(header: &ByteRecord, protocol: &Protocol) -> Result<Layout, Vec<Problem>> {
        let names: Result<Vec<&str>, _> = header.iter().map(str::from_utf8).collect();
        let names = names.map_err(|_| vec![Problem::of_file(ProblemKind::HeaderNotUtf8)])?;
        if let [only] = names.as_slice()
            && let Some(found) = [';', '\t'].into_iter().find(|c| only.contains(*c))
        {
            return Err(vec![Problem::of_file(ProblemKind::Separator(found))]);
        }
        let declared: Vec<&str> = protocol.dictionary.variables().iter().map(|v| v.name.as_str()).collect();
        let mut problems = Vec::new();
        let mut position = |column: &str| match names.iter().filter(|name| **name == column).count() {
            1 => names.iter().position(|name| *name == column),
            0 => {
                // A column that is itself declared is not a misspelling of this one.
                let free = names.iter().copied().filter(|n| !declared.contains(n) && *n != protocol.patient);
                let meant = nearest(column, free).map(str::to_owned);
                problems.push(Problem::of_column(column, ProblemKind::MissingColumn(meant)));
                None
            }
            times => {
                problems.push(Problem::of_column(column, ProblemKind::RepeatedColumn(times)));
                None
            }
        };
        let patient = position(&protocol.patient);
        let variables: Vec<usize> = declared.iter().filter_map(|name| position(name)).collect();
        match patient {
            Some(patient) if problems.is_empty() => Ok(Layout { fields: names.len(), patient, variables }),
            _ => Err(problems),
        }
    }

    /// Columns that are not read.
    fn ignored(&self) -> usize {
        self.fields - self.variables.len() - 1
    }
}

/// Where a problem belongs; the order is that of the report: file, patient's key, variables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    FieldCount,
    LineBreak,
    EmptyKey,
    DuplicateKey,
    Key(Fault),
    Variable(usize, Fault),
}

/// The pass over the rows.
struct Rows<'a> {
    layout: &'a Layout,
    protocol: &'a Protocol,
    table: Table<'a>,
    faults: Faults,
    values: Vec<Value<'a>>,
    keys: HashSet<Box<str>>,
    problems: BTreeMap<Place, Problem>,
}

impl<'a> Rows<'a> {
    fn new(layout: &'a Layout, protocol: &'a Protocol) -> Rows<'a> {
        let (table, faults) = (Table::new(&protocol.dictionary), Faults::default());
        Rows { layout, protocol, table, faults, values: Vec::new(), keys: HashSet::new(), problems: BTreeMap::new() }
    }

    fn take(&mut self, record: &ByteRecord, line: u64) {
        // A quotation mark that is not closed swallows rows; in the last column nothing else would show it.
        if record.as_slice().iter().any(|b| matches!(b, b'\n' | b'\r')) {
            self.count(Place::LineBreak, line);
            return;
        }
        if record.len() != self.layout.fields {
            self.count(Place::FieldCount, line);
            return;
        }
        let key = self.key(record, line);
        self.parse(record, line);
        // Without a key, which is a problem of the file, the row still shows its other ones.
        self.table.push(key.unwrap_or(""), &self.values);
    }

    /// The patient's key, when it is there, well written and new.
    fn key<'r>(&mut self, record: &'r ByteRecord, line: u64) -> Option<&'r str> {
        let place = match str::from_utf8(&record[self.layout.patient]) {
            Err(_) => Place::Key(Fault::NotUtf8),
            Ok(key) if key.trim().is_empty() => Place::EmptyKey,
            Ok(key) if key.trim() != key => Place::Key(Fault::Blanks),
            Ok(key) if self.keys.contains(key) => Place::DuplicateKey,
            Ok(key) => {
                self.keys.insert(key.into());
                return Some(key);
            }
        };
        self.count(place, line);
        None
    }

    /// Parses the declared columns into `values`.
    fn parse(&mut self, record: &ByteRecord, line: u64) {
        let (layout, protocol) = (self.layout, self.protocol);
        self.values.clear();
        for (i, (variable, at)) in protocol.dictionary.variables().iter().zip(&layout.variables).enumerate() {
            let text = str::from_utf8(&record[*at]).map_err(|_| Fault::NotUtf8);
            let parsed = text.and_then(|text| value::parse(text, &variable.kind));
            if let Err(fault) = parsed {
                self.faults.push(self.table.rows(), line, VariableId(i), fault);
            }
            let outside = || text.ok().filter(|_| parsed == Err(Fault::OutOfRange)).and_then(value::outside);
            self.values.push(parsed.ok().or_else(outside).unwrap_or(Value::Missing));
        }
    }

    fn count(&mut self, place: Place, line: u64) {
        let protocol = self.protocol;
        self.problems.entry(place).or_insert_with(|| problem(place, protocol)).count(line);
    }

    /// What is wrong, or else what is to be said of the values that do not fit and that nobody has to mend.
    fn finish(mut self, bad: BadValues) -> Result<Vec<Warning>, Vec<Problem>> {
        let mut noted = BTreeMap::new();
        for faulty in std::mem::take(&mut self.faults).iter() {
            let place = Place::Variable(faulty.variable.0, faulty.fault);
            if faulty.fate == Fate::Needed && bad == BadValues::Refuse {
                self.count(place, faulty.line);
            } else {
                let fitting = noted.entry((faulty.fate, place)).or_insert_with(|| problem(place, self.protocol));
                fitting.count(faulty.line);
            }
        }
        if !self.problems.is_empty() {
            return Err(self.problems.into_values().collect());
        }
        Ok(noted.into_iter().map(|((fate, _), problem)| Warning::Values(fate, problem)).collect())
    }
}

fn problem(place: Place, protocol: &Protocol) -> Problem {
    let of_key = |kind| Problem::of_column(&protocol.patient, kind);
    match place {
        Place::FieldCount => Problem::of_file(ProblemKind::FieldCount),
        Place::LineBreak => Problem::of_file(ProblemKind::LineBreak),
        Place::EmptyKey => of_key(ProblemKind::EmptyKey),
        Place::DuplicateKey => of_key(ProblemKind::DuplicateKey),
        Place::Key(fault) => of_key(ProblemKind::Value { fault, expected: "a patient's identifier".into() }),
        Place::Variable(i, fault) => {
            let variable = &protocol.dictionary.variables()[i];
            Problem::of_column(&variable.name, ProblemKind::Value { fault, expected: expected(&variable.kind) })
        }
    }
}
