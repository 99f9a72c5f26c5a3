//! The frozen cohort of one study on the site's disk: written once at approval, read after every start.
//!
//! The file is a canonical encoding ([`secagg::canonical`]): the label, then one `bytes` field with the body, so that a
//! file cut short or grown is told from an altered one. The body: protocol digest, arm of each row
//! (`bool`), columns in dictionary order (one byte for the kind: 0 numbers, 1 levels, 2 days; then one value per row),
//! flow chart; then the same, without the digest, for each scenario. The layout is versioned by the label.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use secagg::canonical::{Canonical, CanonicalError, Reader};
use secagg::digest::Digest;
use study::cohort::{Cohort, Column, FlowCount};
use study::dictionary::Kind;
use study::protocol::Protocol;

const LABEL: &str = "entente/v2/snapshot";

/// Why a snapshot cannot be used. None of them is repaired: the cohort is loaded and approved again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// There is no file.
    #[error("there is no cohort snapshot")]
    Absent,
    /// The file cannot be read.
    #[error("the cohort snapshot cannot be read ({0})")]
    Unreadable(io::ErrorKind),
    /// The file is something else, or of another version.
    #[error("the file is no cohort snapshot of this version")]
    Foreign,
    /// The file ends early.
    #[error("the cohort snapshot is cut short")]
    Truncated,
    /// The file goes on after its end.
    #[error("{0} bytes follow the cohort snapshot")]
    Trailing(usize),
    /// The bytes are not those that were approved.
    #[error("the cohort snapshot differs from the approved one")]
    Altered,
    /// It was made for another protocol.
    #[error("the cohort snapshot belongs to another protocol")]
    OtherProtocol,
    /// It has the approved digest, yet does not fit the protocol: written by a faulty program.
    #[error("the cohort snapshot does not fit the data dictionary")]
    Shape,
}

impl SnapshotError {
    /// Stable code for logs and exit messages.
    pub fn code(self) -> &'static str {
        match self {
            SnapshotError::Absent => "snapshot.absent",
            SnapshotError::Unreadable(_) => "snapshot.unreadable",
            SnapshotError::Foreign => "snapshot.foreign",
            SnapshotError::Truncated => "snapshot.truncated",
            SnapshotError::Trailing(_) => "snapshot.trailing",
            SnapshotError::Altered => "snapshot.altered",
            SnapshotError::OtherProtocol => "snapshot.other_protocol",
            SnapshotError::Shape => "snapshot.shape",
        }
    }
}

/// Writes the snapshot, readable by its owner alone, and returns the SHA-256 of the file.
///
/// The file appears under its name whole and synced to disk, or not at all; a missing folder is made (mode 0700).
pub fn write(path: &Path, cohort: &Cohort, protocol: &Protocol) -> io::Result<Digest> {
    let bytes = Canonical::new(LABEL).bytes(&encode(cohort, protocol)).finish();
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = unfinished(path);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()?;
    Ok(Digest::of(&bytes))
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    path.with_file_name(name)
}

/// Reads a snapshot that [`write()`] gave this digest for this protocol.
pub fn read(path: &Path, expected: &Digest, protocol: &Protocol) -> Result<Cohort, SnapshotError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => SnapshotError::Absent,
        kind => SnapshotError::Unreadable(kind),
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.read_to_end(&mut bytes).map_err(failed)?;
    let body = body(&bytes)?;
    if Digest::of(&bytes) != *expected {
        return Err(SnapshotError::Altered);
    }
    decode(body, protocol)
}

fn body(bytes: &[u8]) -> Result<&[u8], SnapshotError> {
    let damage = |error| match error {
        CanonicalError::Trailing { left } => SnapshotError::Trailing(left),
        _ => SnapshotError::Truncated,
    };
    let mut reader = Reader::new(bytes, LABEL).map_err(|_| SnapshotError::Foreign)?;
    let body = reader.bytes().map_err(damage)?;
    reader.finish().map_err(damage)?;
    Ok(body)
}

fn encode(cohort: &Cohort, protocol: &Protocol) -> Vec<u8> {
    let out = Canonical::new(LABEL).digest_field(&protocol.digest);
    cohort.scenarios.iter().fold(write_rows(out, cohort), write_rows).finish()
}

fn write_rows(out: Canonical, cohort: &Cohort) -> Canonical {
    let Cohort { treated, columns, flow, scenarios: _ } = cohort;
    let mut out = out.list(treated, |out, treated| out.bool(*treated));
    for column in columns {
        out = match column {
            Column::Numbers(values) => out.u8(0).list(values, |out, value| out.f64(*value)),
            Column::Levels(values) => out.u8(1).list(values, |out, value| out.u8(*value)),
            Column::Days(values) => out.u8(2).list(values, |out, value| out.u32(*value)),
        };
    }
    out.list(flow, |out, FlowCount { control, treated, neither }| out.u64(*control).u64(*treated).u64(*neither))
}

fn decode(body: &[u8], protocol: &Protocol) -> Result<Cohort, SnapshotError> {
    let mut reader = Reader::new(body, LABEL).map_err(|_| SnapshotError::Shape)?;
    if reader.digest().map_err(|_| SnapshotError::Shape)? != protocol.digest {
        return Err(SnapshotError::OtherProtocol);
    }
    let mut cohort = rows(&mut reader, protocol)?;
    for scenario in &protocol.scenarios {
        cohort.scenarios.push(rows(&mut reader, &scenario.protocol)?);
    }
    reader.finish().map_err(|_| SnapshotError::Shape)?;
    Ok(cohort)
}

fn rows(reader: &mut Reader<'_>, protocol: &Protocol) -> Result<Cohort, SnapshotError> {
    let cohort = cohort(reader, protocol).map_err(|_| SnapshotError::Shape)?;
    cohort.filter(|cohort| fits(cohort, protocol)).ok_or(SnapshotError::Shape)
}

/// The cohort of a body; `None` when a column has another kind than its variable.
fn cohort(reader: &mut Reader<'_>, protocol: &Protocol) -> Result<Option<Cohort>, CanonicalError> {
    let treated = reader.list(Reader::bool)?;
    let mut columns = Vec::new();
    for variable in protocol.dictionary.variables() {
        columns.push(match (&variable.kind, reader.u8()?) {
            (Kind::Continuous { .. }, 0) => Column::Numbers(reader.list(Reader::f64)?),
            (Kind::Categorical { .. }, 1) => Column::Levels(reader.list(Reader::u8)?),
            (Kind::Days { .. }, 2) => Column::Days(reader.list(Reader::u32)?),
            _ => return Ok(None),
        });
    }
    let flow = reader
        .list(|reader| Ok(FlowCount { control: reader.u64()?, treated: reader.u64()?, neither: reader.u64()? }))?;
    Ok(Some(Cohort { treated, columns, flow, scenarios: Vec::new() }))
}

fn fits(cohort: &Cohort, protocol: &Protocol) -> bool {
    let length = |column: &Column| match column {
        Column::Numbers(values) => values.len(),
        Column::Levels(values) => values.len(),
        Column::Days(values) => values.len(),
    };
    cohort.columns.iter().all(|column| length(column) == cohort.rows())
        && cohort.flow.len() == protocol.eligibility.len() + 2
}
