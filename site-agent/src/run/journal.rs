//! The site's ledger of one run: an append-only file of chained entries, durable before anything is sent.
//!
//! The file is a sequence of frames: `u32` length (little endian), then an entry ([`study::ledger`]). A torn last frame (the machine stopped while writing) was never acted upon and is cut
//! off at opening; anything else that does not fit is damage and refused.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use secagg::Digest;
use study::ledger::{Chain, Entry, Recorded};
use study::machine::site::SiteRecord;

use super::person::Person;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is none.
    #[error("the journal of the run is missing")]
    Absent,
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
            JournalError::Absent => "journal.absent",
            JournalError::File(_) => "journal.file",
            JournalError::Damaged { .. } => "journal.damaged",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            JournalError::File(_) => "check the state directory's owner, permissions and free space",
            JournalError::Absent | JournalError::Damaged { .. } => {
                "restore the run's folder from a backup, or withdraw the run; nothing was sent meanwhile"
            }
        }
    }
}

impl From<io::Error> for JournalError {
    fn from(e: io::Error) -> JournalError {
        match e.kind() {
            io::ErrorKind::NotFound => JournalError::Absent,
            kind => JournalError::File(kind),
        }
    }
}

/// Actor of what the program does by itself.
pub(super) const AGENT: &str = "site-agent";

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    chain: Chain,
    durable: Digest,
    pending: Vec<u8>,
    /// Digests of all entries: what this site can have said of its ledger.
    heads: BTreeSet<Digest>,
}

impl Journal {
    /// Opens the journal of a run and returns its entries in order. `manifest` is the head of an empty one. It was written
    /// with the run's folder: a missing one is not begun anew.
    pub fn open(path: &Path, manifest: Digest) -> Result<(Journal, Vec<Entry<SiteRecord>>), JournalError> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let Chained { chain, entries, end: at, heads } = chained(&bytes, manifest)?;
        file.set_len(at as u64)?;
        file.seek(SeekFrom::Start(at as u64))?;
        Ok((Journal { file, chain, durable: chain.head(), pending: Vec::new(), heads }, entries))
    }

    /// The entries of a ledger that another process or thread may be writing; nothing is changed.
    pub fn read(path: &Path, manifest: Digest) -> Result<Vec<Entry<SiteRecord>>, JournalError> {
        chained(&std::fs::read(path)?, manifest).map(|chained| chained.entries)
    }

    /// Digest of the newest entry that is durable.
    pub fn durable_head(&self) -> Digest {
        self.durable
    }

    /// Is there an entry with this digest, or is it the head of an empty ledger?
    pub fn holds(&self, head: &Digest) -> bool {
        self.heads.contains(head)
    }

    /// Adds a record of the program; it is durable after [`Journal::sync`].
    pub fn push(&mut self, time: u64, record: &SiteRecord) {
        append(&mut self.pending, &mut self.chain, time, AGENT, record);
        self.heads.insert(self.chain.head());
    }

    /// Makes all entries durable.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if !self.pending.is_empty() {
            self.file.write_all(&self.pending)?;
            self.file.sync_data()?;
            self.pending.clear();
            self.durable = self.chain.head();
        }
        Ok(())
    }
}

struct Chained {
    chain: Chain,
    entries: Vec<Entry<SiteRecord>>,
    /// Where a torn end begins.
    end: usize,
    heads: BTreeSet<Digest>,
}

fn chained(bytes: &[u8], manifest: Digest) -> Result<Chained, JournalError> {
    let (mut chain, mut entries, mut at) = (Chain::new(manifest), Vec::new(), 0);
    let mut heads = BTreeSet::from([manifest]);
    while let Some(frame) = frame(&bytes[at..]) {
        entries.push(chain.next(frame).map_err(|e| JournalError::Damaged { record: e.number })?);
        heads.insert(chain.head());
        at += 4 + frame.len();
    }
    if !is_torn::<SiteRecord>(&bytes[at..]) {
        return Err(JournalError::Damaged { record: chain.entries() + 1 });
    }
    Ok(Chained { chain, entries, end: at, heads })
}

/// Frames of the entries with which the ledger of an approved run begins: who consented, who approved, to what.
pub(super) fn beginning(manifest: Digest, people: &[Person], policy: Digest, cohort: Digest) -> Vec<u8> {
    let (mut frames, mut chain) = (Vec::new(), Chain::new(manifest));
    for (index, person) in people.iter().enumerate() {
        let last = index + 1 == people.len();
        let record = if last { SiteRecord::Approved { policy, cohort } } else { SiteRecord::Consented };
        append(&mut frames, &mut chain, person.at, &person.to_string(), &record);
    }
    frames
}

/// Does a ledger begin with these frames?
pub(super) fn begins_with(path: &Path, frames: &[u8]) -> Result<bool, JournalError> {
    Ok(std::fs::read(path)?.starts_with(frames))
}

/// Entries of a ledger as they stand in its file, without the torn last one.
pub(super) fn entries(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut entries, mut at) = (Vec::new(), 0);
    while let Some(frame) = frame(&bytes[at..]) {
        entries.push(frame.to_vec());
        at += 4 + frame.len();
    }
    entries
}

/// Appends the frame of a record's entry.
pub(super) fn append<R: Recorded>(frames: &mut Vec<u8>, chain: &mut Chain, time: u64, actor: &str, record: &R) {
    let entry = chain.append(time, actor, record);
    frames.extend_from_slice(&(entry.len() as u32).to_le_bytes());
    frames.extend_from_slice(&entry);
}

/// Is what follows the last whole entry one entry that was not written to its end? A damaged length would hide whole ones.
pub(super) fn is_torn<R: Recorded>(tail: &[u8]) -> bool {
    tail.windows(R::LABEL.len()).filter(|window| *window == R::LABEL.as_bytes()).count() < 2
}

fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.first_chunk::<4>()?;
    bytes[4..].get(..u32::from_le_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<SiteRecord> {
        vec![
            SiteRecord::Epoch { epoch: 1 },
            SiteRecord::Refused { rule: "run.not_the_plan".into() },
            SiteRecord::Finished { results: Digest::of(b"results"), release: Digest::of(b"release") },
            SiteRecord::Withdrawn,
        ]
    }

    fn written(path: &Path) -> Digest {
        std::fs::write(path, []).unwrap();
        let (mut journal, _) = Journal::open(path, Digest::of(b"start")).unwrap();
        for record in records() {
            journal.push(7, &record);
        }
        journal.sync().unwrap();
        journal.durable_head()
    }

    fn reopened(path: &Path) -> Result<(Journal, Vec<SiteRecord>), JournalError> {
        let (journal, entries) = Journal::open(path, Digest::of(b"start"))?;
        Ok((journal, entries.into_iter().map(|entry| entry.record).collect()))
    }

    #[test]
    fn reads_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let head = written(&path);
        let (journal, read) = reopened(&path).unwrap();
        assert_eq!(read, records());
        assert_eq!(journal.durable_head(), head);
    }

    #[test]
    fn a_missing_one_is_not_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        assert!(matches!(reopened(&path), Err(JournalError::Absent)));
        assert!(matches!(Journal::read(&path, Digest::of(b"start")), Err(JournalError::Absent)));
        assert!(!path.exists());
    }

    #[test]
    fn it_holds_what_was_its_head_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let head = written(&path);
        let (mut journal, _) = reopened(&path).unwrap();
        assert!(journal.holds(&head) && journal.holds(&Digest::of(b"start")));
        journal.push(8, &SiteRecord::Epoch { epoch: 2 });
        journal.sync().unwrap();
        let (later, bytes) = (journal.durable_head(), std::fs::read(&path).unwrap());
        let (journal, _) = reopened(&path).unwrap();
        assert!(journal.holds(&head) && journal.holds(&later));
        // an older copy of the file does not know what was said since
        std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
        let (journal, _) = reopened(&path).unwrap();
        assert!(journal.holds(&head) && !journal.holds(&later));
    }

    #[test]
    fn a_torn_end_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        written(&path);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let read = Journal::read(&path, Digest::of(b"start")).unwrap();
        assert_eq!(read.into_iter().map(|entry| entry.record).collect::<Vec<_>>(), records()[..3]);
        assert_eq!(std::fs::read(&path).unwrap().len(), bytes.len() - 3, "reading changes nothing");
        let (_, read) = reopened(&path).unwrap();
        assert_eq!(read, records()[..3]);
    }

    #[test]
    fn a_damaged_length_hides_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        written(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[2] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(reopened(&path), Err(JournalError::Damaged { record: 1 })));
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing is cut off");
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
            let read = reopened(&path);
            let intact = matches!(&read, Ok((_, read)) if *read == records());
            assert!(!intact, "byte {at}");
        }
    }
}
