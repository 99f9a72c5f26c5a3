//! The site's journal of one run: an append-only file of hash-chained records, durable before anything is sent.
//!
//! The file is a sequence of frames: `u32` length (little endian), then a canonical encoding whose first field is the
//! digest of the frame before. A torn last frame (the machine stopped while writing) was never acted upon and is cut
//! off at opening; anything else that does not fit is damage and refused.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, Opened, Reader};
use study::machine::site::SiteRecord;

const LABEL: &str = "entente/v1/site record";

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("the journal cannot be read or written ({0})")]
    File(io::ErrorKind),
    /// A record does not follow from the one before.
    #[error("record {record} of the journal is damaged")]
    Damaged {
        /// Number of the record, from 1.
        record: u64,
    },
}

impl JournalError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            JournalError::File(_) => "journal.file",
            JournalError::Damaged { .. } => "journal.damaged",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            JournalError::File(_) => "check the state directory's owner, permissions and free space",
            JournalError::Damaged { .. } => "restore the run's folder from a backup; nothing was sent meanwhile",
        }
    }
}

impl From<io::Error> for JournalError {
    fn from(e: io::Error) -> JournalError {
        JournalError::File(e.kind())
    }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    head: Digest,
    pending: Vec<u8>,
}

impl Journal {
    /// Opens or creates the journal of a run and returns its records in order. `start` is the head of an empty one.
    pub fn open(path: &Path, start: Digest) -> Result<(Journal, Vec<SiteRecord>), JournalError> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (head, records, at) = chained(&bytes, start)?;
        file.set_len(at as u64)?;
        file.seek(SeekFrom::Start(at as u64))?;
        Ok((Journal { file, head, pending: Vec::new() }, records))
    }

    /// The records of a journal that another process or thread may be writing; nothing is changed.
    pub fn read(path: &Path, start: Digest) -> Result<Vec<SiteRecord>, JournalError> {
        match std::fs::read(path) {
            Ok(bytes) => chained(&bytes, start).map(|(_, records, _)| records),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(e.into()),
        }
    }

    /// Digest of the newest record.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Adds a record; it is durable after [`Journal::sync`].
    pub fn push(&mut self, record: &SiteRecord) {
        let frame = encode(&self.head, record);
        self.head = Digest::of(&frame);
        self.pending.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        self.pending.extend_from_slice(&frame);
    }

    /// Makes all records durable.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if !self.pending.is_empty() {
            self.file.write_all(&self.pending)?;
            self.file.sync_data()?;
            self.pending.clear();
        }
        Ok(())
    }
}

/// The newest record's digest, all records, and where a torn end begins.
fn chained(bytes: &[u8], start: Digest) -> Result<(Digest, Vec<SiteRecord>, usize), JournalError> {
    let (mut head, mut records, mut at) = (start, Vec::new(), 0);
    while let Some(frame) = frame(&bytes[at..]) {
        let number = records.len() as u64 + 1;
        let (previous, record) = decode(frame).map_err(|_| JournalError::Damaged { record: number })?;
        if previous != head {
            return Err(JournalError::Damaged { record: number });
        }
        head = Digest::of(frame);
        records.push(record);
        at += 4 + frame.len();
    }
    Ok((head, records, at))
}

fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.first_chunk::<4>()?;
    bytes[4..].get(..u32::from_le_bytes(*length) as usize)
}

fn encode(previous: &Digest, record: &SiteRecord) -> Vec<u8> {
    let out = Canonical::new(LABEL).digest_field(previous);
    match record {
        SiteRecord::Epoch { epoch } => out.u8(1).u64(*epoch),
        SiteRecord::Answered { round, q0, q, masked } => {
            out.u8(2).u32(*round).digest_field(q0).digest_field(q).digest_field(masked)
        }
        SiteRecord::Accepted { round, q0, opened } => out.u8(3).u32(*round).digest_field(q0).bytes(&opened.to_bytes()),
        SiteRecord::Refused { rule } => out.u8(4).str(rule),
        SiteRecord::Finished { results } => out.u8(5).digest_field(results),
        SiteRecord::Withdrawn => out.u8(6),
    }
    .finish()
}

fn decode(frame: &[u8]) -> Result<(Digest, SiteRecord), CanonicalError> {
    let mut r = Reader::new(frame, LABEL)?;
    let previous = r.digest()?;
    let record = match r.u8()? {
        1 => SiteRecord::Epoch { epoch: r.u64()? },
        2 => SiteRecord::Answered { round: r.u32()?, q0: r.digest()?, q: r.digest()?, masked: r.digest()? },
        3 => SiteRecord::Accepted { round: r.u32()?, q0: r.digest()?, opened: Opened::from_bytes(r.bytes()?)? },
        4 => SiteRecord::Refused { rule: r.str()?.to_owned() },
        5 => SiteRecord::Finished { results: r.digest()? },
        6 => SiteRecord::Withdrawn,
        // of a later version, or damaged
        _ => return Err(CanonicalError::Label),
    };
    r.finish()?;
    Ok((previous, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<SiteRecord> {
        vec![
            SiteRecord::Epoch { epoch: 1 },
            SiteRecord::Accepted {
                round: 1,
                q0: Digest::of(b"q0"),
                opened: Opened { words: vec![1, -2, 3 << 64], salt: 9 },
            },
            SiteRecord::Refused { rule: "run.not_the_plan".into() },
            SiteRecord::Finished { results: Digest::of(b"results") },
            SiteRecord::Withdrawn,
        ]
    }

    fn written(path: &Path) -> Digest {
        let (mut journal, _) = Journal::open(path, Digest::of(b"start")).unwrap();
        for record in records() {
            journal.push(&record);
        }
        journal.sync().unwrap();
        journal.head()
    }

    #[test]
    fn reads_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let head = written(&path);
        let (journal, read) = Journal::open(&path, Digest::of(b"start")).unwrap();
        assert_eq!(read, records());
        assert_eq!(journal.head(), head);
    }

    #[test]
    fn a_torn_end_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        written(&path);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        assert_eq!(Journal::read(&path, Digest::of(b"start")).unwrap(), records()[..4]);
        assert_eq!(std::fs::read(&path).unwrap().len(), bytes.len() - 3, "reading changes nothing");
        let (_, read) = Journal::open(&path, Digest::of(b"start")).unwrap();
        assert_eq!(read, records()[..4]);
    }

    #[test]
    fn a_changed_byte_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        written(&path);
        let good = std::fs::read(&path).unwrap();
        for at in (8..good.len() - 40).step_by(7) {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let read = Journal::open(&path, Digest::of(b"start"));
            let intact = matches!(&read, Ok((_, read)) if *read == records());
            assert!(!intact, "byte {at}");
        }
    }
}
