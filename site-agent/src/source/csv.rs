//! A CSV file in one pass: header by name, values by the dictionary, mistakes counted by class and column.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use study::coding::Seen;
use study::dictionary::{Kind, VariableId};
use study::policy::BadValues;
use study::protocol::Protocol;
use terminal::HEAD;

use super::faults::{Fate, Faults};
use super::lines::{Lines, Quotation};
use super::nearest::nearest;
use super::problem::{Access, Counted, Problem, ProblemKind, SourceError, expected};
use super::table::Table;
use super::value::{self, Fault, Value};
use super::written::is_invisible;
use super::{Loaded, Warning, eligibility, grid, notice};

/// Loads a CSV file as RFC 4180 has it: UTF-8 (with or without a byte order mark), comma separated, first line the column
/// names (a line `sep=,` before it is skipped), one row per patient. Lines may end in any of the three ways. `bad` says
/// what becomes of a value that does not fit the dictionary and that an analysis needs.
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

fn read(mut file: impl Read, protocol: &Protocol, bad: BadValues) -> Result<Loaded, Vec<Problem>> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(|error| vec![unreadable(&error)])?;
    if let Some(foreign) = terminal::foreign(&head) {
        return Err(vec![Problem::of_file(ProblemKind::NotCsv(foreign))]);
    }
    let lines = Lines::new(head.as_slice().chain(file));
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(lines);
    let mut record = ByteRecord::new();
    if !next(&mut reader, &mut record)? || (skips_separator_line(&record)? && !next(&mut reader, &mut record)?) {
        return Err(vec![Problem::of_file(ProblemKind::Empty)]);
    }
    // What a quotation mark of the header swallows is missing there: the mark comes first.
    let layout = Layout::find(&record, protocol)
        .map_err(|problems| quotation(&reader, record.len()).into_iter().chain(problems).collect::<Vec<_>>())?;
    let mut rows = Rows::new(&layout, protocol);
    while next(&mut reader, &mut record)? {
        let line = reader.get_mut().line_from(record.position().map_or(0, csv::Position::byte));
        rows.take(&record, line);
    }
    let (cohort, patients) = eligibility::cohort(&rows.table, &mut rows.faults, protocol, bad);
    let finer = grid::problems(protocol, &cohort);
    let (empty, noted) = match rows.finish(quotation(&reader, layout.fields), bad) {
        Ok(finished) if finer.is_empty() => finished,
        Ok(_) => return Err(finer),
        // rows whose fields are not where the header says tell nothing of a column's steps
        Err(problems) if problems.iter().any(|problem| problem.column.is_none()) => return Err(problems),
        Err(problems) => return Err(problems.into_iter().chain(finer).collect()),
    };

    let mut warnings = Vec::new();
    if layout.ignored() > 0 {
        warnings.push(Warning::ColumnsIgnored(layout.ignored()));
    }
    warnings.extend(layout.alike.into_iter().map(Warning::AlikeColumns));
    if empty.rows() > 0 {
        warnings.push(Warning::EmptyRows(empty));
    }
    let all = cohort.flow[0];
    if all.control + all.treated + all.neither == 0 {
        warnings.push(Warning::NoRows);
    } else if cohort.rows() == 0 {
        warnings.push(Warning::NoneAnalysed);
    }
    warnings.extend(noted);
    warnings.extend(notice::notices(protocol, &cohort));
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

/// Is the first line the one that Excel writes before the header, `sep=,`? With another separator nothing can be read.
fn skips_separator_line(record: &ByteRecord) -> Result<bool, Vec<Problem>> {
    let line = record.iter().collect::<Vec<_>>().join(&b',');
    let Some(rest) = line.get(4..).filter(|_| line[..4].eq_ignore_ascii_case(b"sep=")) else { return Ok(false) };
    match rest.iter().find(|byte| **byte != b',') {
        None => Ok(true),
        Some(other) => Err(vec![Problem::of_file(ProblemKind::Separator(char::from(*other)))]),
    }
}

/// What is wrong with the quotation marks of all that was read, where rows have so many fields.
fn quotation<R: Read>(reader: &csv::Reader<Lines<R>>, fields: usize) -> Vec<Problem> {
    let Quotation { after_closing, unclosed, rows } = reader.get_ref().quotation(fields);
    let found =
        [(ProblemKind::AfterClosing, after_closing), (ProblemKind::Unclosed, unclosed), (ProblemKind::QuotedRow, rows)];
    let found = found.into_iter().filter(|(_, rows)| rows.rows() > 0);
    found.map(|(kind, rows)| Problem { rows, ..Problem::of_file(kind) }).collect()
}

/// Where the patient's key and each variable stand in a row.
struct Layout {
    fields: usize,
    patient: usize,
    variables: Vec<usize>,
    /// Declared columns beside which others have nearly the same name.
    alike: Vec<String>,
}

impl Layout {
    /// Finds every declared column in the header; all that are missing or repeated come out together.
    fn find(header: &ByteRecord, protocol: &Protocol) -> Result<Layout, Vec<Problem>> {
        let names: Result<Vec<&str>, _> = header.iter().map(str::from_utf8).collect();
        let names = names.map_err(|_| vec![Problem::of_file(ProblemKind::HeaderNotUtf8)])?;
        // A name that holds a comma makes more than one field of such a header.
        let separates = |c: &char| match names.as_slice() {
            [only] => only.contains(*c),
            names => names.join(",").split(*c).any(|name| name.trim_matches('"') == protocol.patient),
        };
        if let Some(found) = [';', '\t', '|'].into_iter().find(separates) {
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
            Some(patient) if problems.is_empty() => {
                let plain = |name: &str| name.trim().to_lowercase();
                let is_alike = |column: &&str| {
                    names.iter().any(|name| name != column && !declared.contains(name) && plain(name) == plain(column))
                };
                let columns = declared.iter().copied().chain([protocol.patient.as_str()]);
                let alike = columns.filter(is_alike).map(str::to_owned).collect();
                Ok(Layout { fields: names.len(), patient, variables, alike })
            }
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
    ExtraCommas,
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
    /// Rows without any value.
    empty: Counted,
    /// Codes of binary columns, by variable.
    codes: BTreeMap<usize, Seen>,
}

impl<'a> Rows<'a> {
    fn new(layout: &'a Layout, protocol: &'a Protocol) -> Rows<'a> {
        Rows {
            layout,
            protocol,
            table: Table::new(&protocol.dictionary),
            faults: Faults::default(),
            values: Vec::new(),
            keys: HashSet::new(),
            problems: BTreeMap::new(),
            empty: Counted::default(),
            codes: BTreeMap::new(),
        }
    }

    fn take(&mut self, record: &ByteRecord, line: u64) {
        if record.iter().all(is_blank) {
            self.empty.count(line);
            return;
        }
        let breaks = |field: &[u8]| field.iter().any(|b| matches!(b, b'\n' | b'\r'));
        let fields = self.layout.fields;
        if record.len() != fields {
            let place = if record.iter().any(breaks) {
                Place::LineBreak
            } else if record.iter().skip(fields).all(<[u8]>::is_empty) && record.len() > fields {
                Place::ExtraCommas
            } else {
                Place::FieldCount
            };
            self.count(place, line);
            return;
        }
        let mut read = self.layout.variables.iter().chain([&self.layout.patient]);
        if read.any(|at| breaks(&record[*at])) {
            self.count(Place::LineBreak, line);
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
            Ok(key) if key.chars().any(|c| c.is_control() || is_invisible(c)) => Place::Key(Fault::Invisible),
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
            if let (Kind::Categorical { binary: true, .. }, Ok(text)) = (&variable.kind, text) {
                let seen = self.codes.entry(i).or_default();
                match parsed {
                    Ok(Value::Whole(_)) => seen.declared(text),
                    Err(Fault::OtherCode) => seen.other(text.trim()),
                    Ok(_) | Err(_) => {}
                }
            }
            if let Err(fault) = parsed {
                self.faults.push(self.table.rows(), line, VariableId(i), fault);
            }
            let outside = || text.ok().filter(|_| parsed == Err(Fault::OutOfRange)).and_then(value::outside);
            self.values.push(parsed.ok().or_else(outside).unwrap_or(Value::Missing));
        }
    }

    fn count(&mut self, place: Place, line: u64) {
        let protocol = self.protocol;
        self.problems.entry(place).or_insert_with(|| problem(place, protocol)).rows.count(line);
    }

    /// The rows that were skipped, and what is to be said of values that do not fit and that nobody has to mend; or else
    /// what is wrong.
    fn finish(mut self, quotation: Vec<Problem>, bad: BadValues) -> Result<(Counted, Vec<Warning>), Vec<Problem>> {
        let mut noted = BTreeMap::new();
        for faulty in std::mem::take(&mut self.faults).iter() {
            let place = Place::Variable(faulty.variable.0, faulty.fault);
            if faulty.fate == Fate::Needed && bad == BadValues::Refuse {
                self.count(place, faulty.line);
            } else {
                let fitting = noted.entry((faulty.fate, place)).or_insert_with(|| problem(place, self.protocol));
                fitting.rows.count(faulty.line);
            }
        }
        let places = self.problems.iter_mut().map(|(place, problem)| (*place, problem));
        let noted_places = noted.iter_mut().map(|((_, place), problem)| (*place, problem));
        for (place, problem) in places.chain(noted_places) {
            if let (Place::Variable(i, Fault::OtherCode), ProblemKind::OtherCode { coding, .. }) =
                (place, &mut problem.kind)
            {
                *coding = self.codes.get(&i).and_then(Seen::coding);
            }
        }
        if self.problems.is_empty() && quotation.is_empty() {
            let said = noted.into_iter().map(|((fate, _), problem)| Warning::Values(fate, problem)).collect();
            return Ok((self.empty, said));
        }
        Err(quotation.into_iter().chain(self.problems.into_values()).collect())
    }
}

/// Nothing, or nothing but blanks.
fn is_blank(field: &[u8]) -> bool {
    str::from_utf8(field).is_ok_and(|text| text.trim().is_empty())
}

fn problem(place: Place, protocol: &Protocol) -> Problem {
    let of_key = |kind| Problem::of_column(&protocol.patient, kind);
    match place {
        Place::FieldCount => Problem::of_file(ProblemKind::FieldCount),
        Place::ExtraCommas => Problem::of_file(ProblemKind::ExtraCommas),
        Place::LineBreak => Problem::of_file(ProblemKind::LineBreak),
        Place::EmptyKey => of_key(ProblemKind::EmptyKey),
        Place::DuplicateKey => of_key(ProblemKind::DuplicateKey),
        Place::Key(fault) => of_key(ProblemKind::Value { fault, expected: "a patient's identifier".into() }),
        Place::Variable(i, fault) => {
            let variable = &protocol.dictionary.variables()[i];
            let expected = expected(&variable.kind);
            let kind = match fault {
                Fault::OtherCode => ProblemKind::OtherCode { expected, coding: None },
                fault => ProblemKind::Value { fault, expected },
            };
            Problem::of_column(&variable.name, kind)
        }
    }
}
