//! Ledgers: what every party writes down, as one chain of entries per run.
//!
//! A site keeps one more, of its decisions ([`DecisionRecord`]).
//!
//! An entry names the digest of the entry before, its number, when and by whom it was made, and the record. The chain
//! begins at the digest of the run's manifest. [`Chain`] reads it back and finds the first entry that does not fit.

mod coordinator;
mod decision;
mod site;

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, Reader};

pub use decision::DecisionRecord;

/// What can stand in a ledger.
pub trait Recorded: Sized {
    /// Begins the encoding of every entry.
    const LABEL: &str;

    /// Appends the record.
    fn write(&self, out: Canonical) -> Canonical;

    /// Reads what [`Recorded::write`] wrote.
    fn read(r: &mut Reader<'_>) -> Result<Self, CanonicalError>;
}

/// One entry of a ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<R> {
    /// Number, from 1.
    pub number: u64,
    /// Seconds since 1970, by the clock of the party that wrote it.
    pub time: u64,
    /// Who acted: a person's name as given, or the program.
    pub actor: String,
    /// What happened.
    pub record: R,
}

/// An entry that does not follow from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {number} does not follow from the one before")]
pub struct BrokenChain {
    /// Number of the entry, from 1.
    pub number: u64,
}

/// The end of a chain of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    head: Digest,
    entries: u64,
}

impl Chain {
    /// An empty ledger of a run.
    pub fn new(manifest: Digest) -> Chain {
        Chain { head: manifest, entries: 0 }
    }

    /// A ledger that is known to end with an entry of this digest and number.
    pub fn at(head: Digest, entries: u64) -> Chain {
        Chain { head, entries }
    }

    /// Digest of the newest entry.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Number of entries.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Appends a record; gives the bytes of its entry.
    pub fn append<R: Recorded>(&mut self, time: u64, actor: &str, record: &R) -> Vec<u8> {
        self.entries += 1;
        let out = Canonical::new(R::LABEL).digest_field(&self.head).u64(self.entries).u64(time).str(actor);
        let bytes = record.write(out).finish();
        self.head = Digest::of(&bytes);
        bytes
    }

    /// Reads the next entry of a ledger.
    pub fn next<R: Recorded>(&mut self, bytes: &[u8]) -> Result<Entry<R>, BrokenChain> {
        let broken = BrokenChain { number: self.entries + 1 };
        let (previous, entry) = read::<R>(bytes).map_err(|_| broken)?;
        if previous != self.head || entry.number != broken.number {
            return Err(broken);
        }
        *self = Chain { head: Digest::of(bytes), entries: entry.number };
        Ok(entry)
    }
}

fn read<R: Recorded>(bytes: &[u8]) -> Result<(Digest, Entry<R>), CanonicalError> {
    let mut r = Reader::new(bytes, R::LABEL)?;
    let previous = r.digest()?;
    let (number, time, actor) = (r.u64()?, r.u64()?, r.str()?.to_owned());
    let record = R::read(&mut r)?;
    r.finish()?;
    Ok((previous, Entry { number, time, actor, record }))
}

/// Announcements and confirmations of one key agreement.
fn write_agreed(
    out: Canonical,
    announcements: &[secagg::Announcement],
    confirmations: &[secagg::Confirmation],
) -> Canonical {
    out.list(announcements, |out, a| out.bytes(&a.to_bytes())).list(confirmations, |out, c| out.bytes(&c.to_bytes()))
}

type Agreed = (Vec<secagg::Announcement>, Vec<secagg::Confirmation>);

fn read_agreed(r: &mut Reader<'_>) -> Result<Agreed, CanonicalError> {
    let announcements = r.list(|r| secagg::Announcement::from_bytes(r.bytes()?))?;
    let confirmations = r.list(|r| secagg::Confirmation::from_bytes(r.bytes()?))?;
    Ok((announcements, confirmations))
}
