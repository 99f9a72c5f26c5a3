//! The ledger of a site's decisions: `STATE/ledger`, one chain over all runs.
//!
//! The running agent and the command line both append to it; a lock on the file keeps them apart. It has the frames of a
//! run's journal, and every entry is durable before what it records is done. `STATE/ledger.head` names an entry that the
//! ledger had: one that lacks it has lost its newest entries, which no chain shows.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use jiff::Timestamp;
use secagg::Digest;
use study::ledger::{Chain, DecisionRecord, Entry};

use super::folder;
use super::journal::{self, AGENT};

const NAME: &str = "ledger";
const HEAD: &str = "ledger.head";
const DECIDING: &str = "deciding";
/// A sender of bad messages fills no disk: the same refusal is written down once in this time, in seconds.
const SAME_AGAIN: u64 = 60;

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is none although runs were approved.
    #[error("the site's ledger is missing")]
    Absent,
    /// The file cannot be read or written.
    #[error("the site's ledger cannot be read or written ({0})")]
    File(io::ErrorKind),
    /// An entry does not follow from the one before.
    #[error("entry {entry} of the site's ledger is damaged")]
    Damaged {
        /// Number of the entry, from 1.
        entry: u64,
    },
    /// Its newest entries are gone.
    #[error("the site's ledger lacks entries that it had")]
    Behind,
}

impl LedgerError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            LedgerError::Absent => "ledger.absent",
            LedgerError::File(_) => "ledger.file",
            LedgerError::Damaged { .. } => "ledger.damaged",
            LedgerError::Behind => "ledger.behind",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            LedgerError::File(_) => "check the state directory's owner, permissions and free space",
            LedgerError::Absent => "restore `ledger` from a backup of the state directory",
            LedgerError::Behind => {
                "keep the file for a reviewer; restore `ledger` and `ledger.head` from the newest backup of the state directory"
            }
            LedgerError::Damaged { .. } => "keep the file for a reviewer and restore `ledger` from a backup",
        }
    }
}

impl From<io::Error> for LedgerError {
    fn from(e: io::Error) -> LedgerError {
        LedgerError::File(e.kind())
    }
}

/// All entries, oldest first.
pub fn decisions(state_dir: &Path) -> Result<Vec<Entry<DecisionRecord>>, LedgerError> {
    Ok(read(state_dir)?.map(|ledger| ledger.entries).unwrap_or_default())
}

/// The ledger, if there is one; it may be growing.
fn read(state_dir: &Path) -> Result<Option<Ledger>, LedgerError> {
    // first: what is appended meanwhile is named later than it is there
    let head = head(state_dir)?;
    match std::fs::read(state_dir.join(NAME)) {
        Ok(bytes) => follow(&bytes)?.with(head).map(Some),
        Err(e) if e.kind() == io::ErrorKind::NotFound && head.is_none() => Ok(None),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(LedgerError::Absent),
        Err(e) => Err(e.into()),
    }
}

/// The entry that the ledger had at least. Where the machine stopped before the first was named, there is none.
fn head(state_dir: &Path) -> Result<Option<Digest>, LedgerError> {
    match std::fs::read(state_dir.join(HEAD)) {
        Ok(bytes) => Ok(Some(Digest(bytes.try_into().map_err(|_| LedgerError::Behind)?))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Keeps other decisions of this site waiting until the value is dropped: the command line and the pages decide beside
/// each other.
pub(super) fn exclusively(state_dir: &Path) -> Result<File, LedgerError> {
    DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(state_dir.join(DECIDING))?;
    file.lock()?;
    Ok(file)
}

/// Has something been decided of a run that its folder must still show?
pub(super) fn has(state_dir: &Path, wanted: impl Fn(&DecisionRecord) -> bool) -> Result<bool, LedgerError> {
    Ok(decisions(state_dir)?.iter().any(|entry| wanted(&entry.record)))
}

/// Does the ledger hold the entry with this digest?
pub(super) fn holds(state_dir: &Path, head: &Digest) -> Result<bool, LedgerError> {
    Ok(read(state_dir)?.ok_or(LedgerError::Absent)?.heads.contains(head))
}

/// Writes down what a person decided under a policy; gives the digest of the entry.
pub(super) fn decided(
    state_dir: &Path,
    actor: &str,
    policy: Option<Digest>,
    decision: DecisionRecord,
) -> Result<Digest, LedgerError> {
    write(state_dir, actor, |entries, _| {
        let last = entries.iter().rev().find_map(|entry| match entry.record {
            DecisionRecord::PolicyChanged { policy } => Some(policy),
            _ => None,
        });
        let changed = policy.filter(|policy| last != Some(*policy));
        changed.map(|policy| DecisionRecord::PolicyChanged { policy }).into_iter().chain([decision]).collect()
    })
}

/// Writes down that the agent keeps an offer for a decision.
pub(super) fn offered(state_dir: &Path, manifest: Digest) -> Result<(), LedgerError> {
    write(state_dir, AGENT, |_, _| vec![DecisionRecord::Offered { manifest }]).map(|_| ())
}

/// Writes down a refusal; of what names a run once, of the rest at most once in a minute unless something else came
/// between.
pub(super) fn refused(
    state_dir: &Path,
    actor: &str,
    manifest: Option<Digest>,
    rule: &'static str,
) -> Result<(), LedgerError> {
    let refusal = DecisionRecord::Refused { manifest, rule: rule.into() };
    write(state_dir, actor, |entries, now| {
        let known = match manifest {
            Some(_) => entries.iter().any(|entry| entry.record == refusal),
            None => entries.last().is_some_and(|last| last.record == refusal && now < last.time + SAME_AGAIN),
        };
        if known { Vec::new() } else { vec![refusal] }
    })
    .map(|_| ())
}

/// Refusals by the running agent.
pub(super) fn refused_by_agent(
    state_dir: &Path,
    manifest: Option<Digest>,
    rule: &'static str,
) -> Result<(), LedgerError> {
    refused(state_dir, AGENT, manifest, rule)
}

struct Ledger {
    chain: Chain,
    entries: Vec<Entry<DecisionRecord>>,
    /// Digests of the entries.
    heads: Vec<Digest>,
    /// Where the last whole entry ends.
    end: u64,
}

impl Ledger {
    /// The same, if it has the entry that it is known to have had.
    fn with(self, head: Option<Digest>) -> Result<Ledger, LedgerError> {
        if head.is_none_or(|head| self.heads.contains(&head)) { Ok(self) } else { Err(LedgerError::Behind) }
    }
}

fn follow(bytes: &[u8]) -> Result<Ledger, LedgerError> {
    let (mut chain, mut entries, mut end) = (DecisionRecord::chain(), Vec::new(), 0);
    let mut heads = Vec::new();
    for frame in journal::entries(bytes) {
        entries.push(chain.next(&frame).map_err(|e| LedgerError::Damaged { entry: e.number })?);
        heads.push(chain.head());
        end += 4 + frame.len() as u64;
    }
    if !journal::is_torn::<DecisionRecord>(&bytes[end as usize..]) {
        return Err(LedgerError::Damaged { entry: chain.entries() + 1 });
    }
    Ok(Ledger { chain, entries, heads, end })
}

/// Appends what `choose` makes of the entries so far and the time, durable when it returns; gives the end of the ledger.
fn write(
    state_dir: &Path,
    actor: &str,
    choose: impl FnOnce(&[Entry<DecisionRecord>], u64) -> Vec<DecisionRecord>,
) -> Result<Digest, LedgerError> {
    let absent = !state_dir.join(NAME).exists();
    if absent && (folder::is_any_approved(state_dir) || head(state_dir)?.is_some()) {
        return Err(LedgerError::Absent);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file: File = options.open(state_dir.join(NAME))?;
    file.lock()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let Ledger { mut chain, entries, heads: _, end } = follow(&bytes)?.with(head(state_dir)?)?;
    let now = Timestamp::now().as_second().max(0).cast_unsigned();
    let mut frames = Vec::new();
    for record in choose(&entries, now) {
        journal::append(&mut frames, &mut chain, now, actor, &record);
    }
    if frames.is_empty() {
        return Ok(chain.head());
    }
    // the machine may have stopped in the middle of the last entry: nothing followed from it
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    file.write_all(&frames)?;
    file.sync_data()?;
    folder::write_file(state_dir, HEAD, &chain.head().0)?;
    Ok(chain.head())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(state_dir: &Path) -> Vec<DecisionRecord> {
        decisions(state_dir).unwrap().into_iter().map(|entry| entry.record).collect()
    }

    #[test]
    fn decisions_stand_in_order_with_the_policy_that_changed_before() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = Digest::of(b"a run");
        let (first, second) = (Digest::of(b"strict"), Digest::of(b"looser"));
        offered(dir.path(), manifest).unwrap();
        for policy in [first, first, second] {
            decided(dir.path(), "a reviewer", Some(policy), DecisionRecord::Consented { manifest }).unwrap();
        }
        let consented = DecisionRecord::Consented { manifest };
        let changed = |policy| DecisionRecord::PolicyChanged { policy };
        let expected = [
            DecisionRecord::Offered { manifest },
            changed(first),
            consented.clone(),
            consented.clone(),
            changed(second),
            consented,
        ];
        assert_eq!(records(dir.path()), expected);
    }

    /// An end that is cut off between two entries is no damage of the chain.
    #[test]
    fn the_newest_entries_cannot_be_missing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, head) = (dir.path().join(NAME), dir.path().join(HEAD));
        let mut versions = Vec::new();
        for run in [b"one".as_slice(), b"two", b"three"] {
            offered(dir.path(), Digest::of(run)).unwrap();
            versions.push((std::fs::read(&path).unwrap(), std::fs::read(&head).unwrap()));
        }
        let newest = versions[2].clone();
        for (older, older_head) in &versions[..2] {
            std::fs::write(&path, older).unwrap();
            assert!(matches!(decisions(dir.path()), Err(LedgerError::Behind)));
            assert!(matches!(holds(dir.path(), &Digest::of(b"any")), Err(LedgerError::Behind)));
            assert!(matches!(offered(dir.path(), Digest::of(b"four")), Err(LedgerError::Behind)));
            assert_eq!(std::fs::read(&path).unwrap(), *older, "nothing is appended");
            // the machine may stop before the newest entry is named
            std::fs::write(&path, &newest.0).unwrap();
            std::fs::write(&head, older_head).unwrap();
            assert_eq!(decisions(dir.path()).unwrap().len(), 3);
            std::fs::write(&head, &newest.1).unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(decisions(dir.path()), Err(LedgerError::Absent)));
        assert!(matches!(offered(dir.path(), Digest::of(b"four")), Err(LedgerError::Absent)), "it is not begun anew");
        std::fs::write(&path, &newest.0).unwrap();
        std::fs::remove_file(&head).unwrap();
        offered(dir.path(), Digest::of(b"four")).unwrap();
        assert_eq!(decisions(dir.path()).unwrap().len(), 4);
        assert!(head.exists());
    }

    #[test]
    fn who_reads_while_entries_are_added_sees_a_whole_ledger() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|threads| {
            let writer = threads.spawn(|| {
                for run in 0..60_u8 {
                    offered(dir.path(), Digest::of(&[run])).unwrap();
                }
            });
            let mut seen = 0;
            while !writer.is_finished() {
                let now = decisions(dir.path()).unwrap().len();
                assert!(now >= seen);
                seen = now;
            }
        });
        assert_eq!(decisions(dir.path()).unwrap().len(), 60);
    }

    #[test]
    fn the_same_refusal_is_written_once_and_another_one_too() {
        let dir = tempfile::tempdir().unwrap();
        let run = Some(Digest::of(b"a run"));
        for (manifest, rule) in
            [(run, "approve.coordinator"), (None, "wire.length"), (None, "wire.length"), (run, "approve.coordinator")]
        {
            refused_by_agent(dir.path(), manifest, rule).unwrap();
        }
        refused_by_agent(dir.path(), None, "wire.site").unwrap();
        refused_by_agent(dir.path(), None, "wire.length").unwrap();
        let rules = records(dir.path()).into_iter().map(|record| match record {
            DecisionRecord::Refused { rule, .. } => rule,
            other => panic!("{other:?}"),
        });
        assert_eq!(rules.collect::<Vec<_>>(), ["approve.coordinator", "wire.length", "wire.site", "wire.length"]);
    }

    #[test]
    fn a_torn_entry_is_written_over_and_a_changed_one_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let (path, head) = (dir.path().join(NAME), dir.path().join(HEAD));
        offered(dir.path(), Digest::of(b"one")).unwrap();
        let before = std::fs::read(&head).unwrap();
        offered(dir.path(), Digest::of(b"two")).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // an entry is named when it is durable
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        std::fs::write(&head, before).unwrap();
        offered(dir.path(), Digest::of(b"three")).unwrap();
        let offers: Vec<_> = [b"one".as_slice(), b"three"]
            .map(|run| DecisionRecord::Offered { manifest: Digest::of(run) })
            .into_iter()
            .collect();
        assert_eq!(records(dir.path()), offers);

        let mut changed = whole;
        changed[60] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(matches!(decisions(dir.path()), Err(LedgerError::Damaged { entry: 1 })));
        assert!(offered(dir.path(), Digest::of(b"four")).is_err(), "nothing is appended to a damaged ledger");
    }
}
