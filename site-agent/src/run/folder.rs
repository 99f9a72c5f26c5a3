//! Folders of offered and approved runs.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proto::Offer;
use secagg::{Canonical, Digest, Reader, Signature};
use study::cohort::Cohort;
use study::ledger::DecisionRecord;
use study::manifest::{Approval, Manifest};
use study::policy::Policy;
use study::protocol::Protocol;

use super::approve::ApproveError;
use super::bound::Bound;
use super::decisions::{self, LedgerError};
use super::journal::{self, JournalError};
use super::person::Person;
use super::withdraw;
use crate::snapshot::{self, SnapshotError};

/// Holds the reason when a site has declined an offer.
const REJECTED: &str = "rejected";
const APPROVAL: &str = "entente/v3/stored approval";

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error("`{name}` cannot be read or written ({kind})")]
    File {
        /// Name inside the run's folder.
        name: String,
        /// What kind of error.
        kind: io::ErrorKind,
    },
    /// A file does not hold what it should.
    #[error("`{name}` is damaged")]
    Damaged {
        /// Name inside the run's folder.
        name: &'static str,
    },
    /// The folder of an approved run is not there.
    #[error("the folder of a run that this site approved is missing")]
    Absent,
    /// A file is another one than that with which the site approved: of another site, another run or another time.
    #[error("`{name}` is not the one with which this site approved the run")]
    Foreign {
        /// Name inside the run's folder or the state directory.
        name: &'static str,
    },
    /// The run's journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The cohort snapshot does not hold.
    #[error("the cohort snapshot does not hold")]
    Snapshot(#[from] SnapshotError),
    /// The site's ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl FolderError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            FolderError::File { .. } => "run.file",
            FolderError::Damaged { .. } => "run.damaged",
            FolderError::Absent => "run.absent",
            FolderError::Foreign { .. } => "run.foreign",
            FolderError::Journal(e) => e.code(),
            FolderError::Snapshot(e) => e.code(),
            FolderError::Ledger(e) => e.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            FolderError::File { .. } => "check the state directory's owner, permissions and free space",
            FolderError::Damaged { .. } | FolderError::Snapshot(_) => "restore the run's folder from a backup",
            FolderError::Absent => {
                "restore the run's folder from a backup; if it was removed on purpose, nothing is to be done"
            }
            FolderError::Foreign { .. } => {
                "restore it from this site's own backup, or withdraw the run; nothing was sent"
            }
            FolderError::Journal(e) => e.hint(),
            FolderError::Ledger(e) => e.hint(),
        }
    }

    pub(super) fn file(name: &str, e: &io::Error) -> FolderError {
        FolderError::File { name: name.into(), kind: e.kind() }
    }
}

/// A run that the coordinator offered and nobody has decided.
#[derive(Debug)]
pub struct Offered {
    /// Manifest, signature and protocol.
    pub offer: Offer,
    /// The parsed protocol.
    pub protocol: Protocol,
    /// Has the site declined it? That is final for the run.
    pub rejected: bool,
}

/// An approved run.
#[derive(Debug)]
pub struct RunFolder {
    /// Its folder.
    pub path: PathBuf,
    /// The manifest.
    pub manifest: Manifest,
    /// The protocol.
    pub protocol: Arc<Protocol>,
    /// This site's consent.
    pub approval: Approval,
    /// Policy at the time of approval.
    pub policy: Policy,
    /// Who approved, in order; the last made it complete.
    pub people: Vec<Person>,
    pub(super) bound: Bound,
}

/// Keeps an offer for the site's people to decide.
pub fn save_offer(state_dir: &Path, offer: &Offer) -> Result<PathBuf, FolderError> {
    let path = state_dir.join("offers").join(offer.manifest.digest().to_string());
    if !path.exists() {
        decisions::offered(state_dir, offer.manifest.digest())?;
        appear(
            &path,
            &[
                ("manifest", offer.manifest.to_bytes()),
                ("signature", offer.signature.0.to_vec()),
                ("protocol.toml", offer.protocol.clone().into_bytes()),
            ],
        )?;
    }
    Ok(path)
}

/// Offers that wait for a decision, oldest name first.
pub fn offers(state_dir: &Path) -> Result<Vec<Offered>, FolderError> {
    let decided: Vec<PathBuf> = folders(&state_dir.join("runs"))?;
    let mut all = Vec::new();
    for path in folders(&state_dir.join("offers"))? {
        if decided.iter().any(|d| d.file_name() == path.file_name()) {
            continue;
        }
        let (manifest, text, protocol) = read_study(&path)?;
        let signature = read(&path, "signature")?;
        let signature = signature.try_into().map_err(|_| FolderError::Damaged { name: "signature" })?;
        let rejected = path.join(REJECTED).exists();
        let offer = Offer { manifest, signature: Signature(signature), protocol: text };
        all.push(Offered { offer, protocol, rejected });
    }
    Ok(all)
}

/// Rejects an offer; a code is all that the coordinator learns, person and `reason` stay here. Somebody else may have decided
/// since the offer was read: that stays.
pub fn reject(state_dir: &Path, offered: &Offered, person: &Person, reason: &str) -> Result<(), ApproveError> {
    let _deciding = decisions::exclusively(state_dir).map_err(FolderError::from)?;
    let manifest = offered.offer.manifest.digest();
    if is_decided(state_dir, &manifest)? {
        return Err(ApproveError::Decided);
    }
    let rejected = DecisionRecord::Rejected { manifest, reason: reason.into() };
    decisions::decided(state_dir, &person.to_string(), None, rejected).map_err(FolderError::from)?;
    let path = state_dir.join("offers").join(offered.offer.manifest.digest().to_string());
    Ok(fill(&path, &[(REJECTED, reason.as_bytes().to_vec())])?)
}

/// The code of a rejected offer.
pub(super) fn rejection(state_dir: &Path, manifest: &Digest) -> Result<Option<String>, FolderError> {
    let path = state_dir.join("offers").join(manifest.to_string()).join(REJECTED);
    match path.try_exists() {
        Ok(true) => Ok(Some("approve.rejected".into())),
        Ok(false) => Ok(None),
        Err(e) => Err(FolderError::file(REJECTED, &e)),
    }
}

/// Has the site approved or rejected a run? The ledger counts without the folder, too.
pub(super) fn is_decided(state_dir: &Path, manifest: &Digest) -> Result<bool, FolderError> {
    let rejected =
        |record: &DecisionRecord| matches!(record, DecisionRecord::Rejected { manifest: of, .. } if of == manifest);
    Ok(state_dir.join("runs").join(manifest.to_string()).exists()
        || rejection(state_dir, manifest)?.is_some()
        || was_approved(state_dir, manifest)?
        || decisions::has(state_dir, rejected)?)
}

/// Does the site's ledger say that a run was approved?
pub(super) fn was_approved(state_dir: &Path, manifest: &Digest) -> Result<bool, FolderError> {
    let approved =
        |record: &DecisionRecord| matches!(record, DecisionRecord::Approved { manifest: of } if of == manifest);
    Ok(decisions::has(state_dir, approved)?)
}

/// Is the folder of an approved run missing? An approval that is being made stands in the ledger before its folder is there:
/// that one is waited for.
pub(super) fn is_absent(state_dir: &Path, manifest: &Digest) -> Result<bool, FolderError> {
    if !was_approved(state_dir, manifest)? {
        return Ok(false);
    }
    let _deciding = decisions::exclusively(state_dir)?;
    Ok(!state_dir.join("runs").join(manifest.to_string()).exists())
}

/// Does the state directory hold an approved run?
pub(super) fn is_any_approved(state_dir: &Path) -> bool {
    folders(&state_dir.join("runs")).is_ok_and(|runs| !runs.is_empty())
}

/// Approved runs.
pub fn runs(state_dir: &Path) -> Result<Vec<RunFolder>, FolderError> {
    folders(&state_dir.join("runs"))?.into_iter().map(RunFolder::open).collect()
}

impl RunFolder {
    /// Writes a run's folder whole; the cohort's snapshot is written beside it first.
    #[allow(clippy::too_many_arguments, reason = "each is one file or field of the folder")]
    pub(super) fn create(
        state_dir: &Path,
        offer: &Offer,
        protocol: &Protocol,
        cohort: &Cohort,
        policy_text: &str,
        people: &[Person],
        bind: impl FnOnce(Digest) -> Bound,
        approve: impl FnOnce(Digest) -> Approval,
    ) -> Result<RunFolder, FolderError> {
        let name = offer.manifest.digest().to_string();
        let runs = state_dir.join("runs");
        let path = runs.join(&name);
        let staging = runs.join(format!(".{name}"));
        let gone = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
        fs::remove_dir_all(&staging).or_else(|e| if gone(&e) { Ok(()) } else { Err(FolderError::file(&name, &e)) })?;
        let snapshot =
            snapshot::write(&staging.join("cohort"), cohort, protocol).map_err(|e| FolderError::file("cohort", &e))?;
        let bound = bind(snapshot);
        let approval = approve(bound.commitment());
        let stored = Canonical::new(APPROVAL)
            .u16(approval.site)
            .digest_field(&approval.manifest)
            .digest_field(&approval.policy)
            .digest_field(&approval.cohort)
            .array(&approval.signature.0)
            .array(&bound.secret)
            .digest_field(&bound.snapshot)
            .digest_field(&bound.draws)
            .digest_field(&bound.decision)
            .list(people, |out, person| person.write(out));
        let ledger = journal::beginning(approval.manifest, people, approval.policy, approval.cohort);
        fill(
            &staging,
            &[
                ("manifest", offer.manifest.to_bytes()),
                ("signature", offer.signature.0.to_vec()),
                ("protocol.toml", offer.protocol.clone().into_bytes()),
                ("policy.toml", policy_text.as_bytes().to_vec()),
                ("journal", ledger),
                ("approval", stored.finish()),
            ],
        )?;
        rename(&staging, &path)?;
        RunFolder::open(path)
    }

    pub(super) fn open(path: PathBuf) -> Result<RunFolder, FolderError> {
        let (manifest, _, protocol) = read_study(&path)?;
        let policy = String::from_utf8(read(&path, "policy.toml")?).unwrap_or_default();
        let policy = if policy.is_empty() { Ok(Policy::default()) } else { Policy::parse(&policy) };
        let policy = policy.map_err(|_| FolderError::Damaged { name: "policy.toml" })?;
        let (approval, bound, people) =
            stored_approval(&read(&path, "approval")?).ok_or(FolderError::Damaged { name: "approval" })?;
        if approval.manifest != manifest.digest() || approval.policy != policy.digest() {
            return Err(FolderError::Damaged { name: "approval" });
        }
        Ok(RunFolder { path, manifest, protocol: Arc::new(protocol), approval, policy, people, bound })
    }

    /// Seconds since 1970 when the approval became complete.
    pub fn approved(&self) -> u64 {
        self.people.last().map_or(0, |person| person.at)
    }

    /// Did two of the people who approved come by one account?
    pub fn one_account(&self) -> bool {
        let pairs = self.people.iter().enumerate();
        pairs.into_iter().any(|(i, one)| self.people[..i].iter().any(|other| one.shares_account(other)))
    }

    /// The frozen cohort.
    pub fn cohort(&self) -> Result<Cohort, FolderError> {
        Ok(snapshot::read(&self.path.join("cohort"), &self.bound.snapshot, &self.protocol)?)
    }

    /// Has its approval been taken back?
    pub fn is_withdrawn(&self) -> bool {
        withdraw::is_withdrawn(&self.path)
    }

    /// State directory of the agent.
    pub(super) fn state_dir(&self) -> &Path {
        self.path.parent().and_then(Path::parent).unwrap_or(&self.path)
    }
}

fn stored_approval(bytes: &[u8]) -> Option<(Approval, Bound, Vec<Person>)> {
    let mut r = Reader::new(bytes, APPROVAL).ok()?;
    let approval = Approval {
        site: r.u16().ok()?,
        manifest: r.digest().ok()?,
        policy: r.digest().ok()?,
        cohort: r.digest().ok()?,
        signature: Signature(r.array().ok()?),
    };
    let (secret, snapshot) = (r.array().ok()?, r.digest().ok()?);
    let bound = Bound { secret, snapshot, draws: r.digest().ok()?, decision: r.digest().ok()? };
    let people = r.list(Person::read).ok()?;
    r.finish().ok()?;
    Some((approval, bound, people))
}

fn read_study(path: &Path) -> Result<(Manifest, String, Protocol), FolderError> {
    let manifest = Manifest::from_bytes(&read(path, "manifest")?);
    let manifest = manifest.map_err(|_| FolderError::Damaged { name: "manifest" })?;
    let signature = read(path, "signature")?.try_into().map(Signature);
    let signed = signature.is_ok_and(|signature| manifest.verify(&signature).is_ok());
    if !signed {
        return Err(FolderError::Damaged { name: "signature" });
    }
    let text = String::from_utf8(read(path, "protocol.toml")?);
    let text = text.map_err(|_| FolderError::Damaged { name: "protocol.toml" })?;
    let protocol = Protocol::parse(&text).ok().filter(|p| p.digest == manifest.protocol);
    let protocol = protocol.ok_or(FolderError::Damaged { name: "protocol.toml" })?;
    Ok((manifest, text, protocol))
}

fn read(path: &Path, name: &str) -> Result<Vec<u8>, FolderError> {
    fs::read(path.join(name)).map_err(|e| FolderError::file(name, &e))
}

/// Folders by name; hidden ones are unfinished.
fn folders(path: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(FolderError::file("state directory", &e)),
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|e| e.path())
        .filter(|p| p.is_dir() && !p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')))
        .collect();
    found.sort();
    Ok(found)
}

/// Writes a folder under a hidden name and renames it.
fn appear(path: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), FolderError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staging = path.with_file_name(format!(".{name}"));
    fill(&staging, files)?;
    rename(&staging, path)
}

pub(super) fn fill(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), FolderError> {
    let create = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    create.map_err(|e| FolderError::file("state directory", &e))?;
    for (name, bytes) in files {
        write_file(folder, name, bytes).map_err(|e| FolderError::file(name, &e))?;
    }
    Ok(())
}

/// Writes a file under a hidden name and renames it: who looks for it meanwhile finds none, or the one before, or all of it.
pub(super) fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let partial = folder.join(format!(".{name}"));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, folder.join(name))?;
    fs::File::open(folder)?.sync_all()
}

fn rename(from: &Path, to: &Path) -> Result<(), FolderError> {
    let synced = fs::rename(from, to).and_then(|()| match to.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    });
    synced.map_err(|e| FolderError::file("state directory", &e))
}
