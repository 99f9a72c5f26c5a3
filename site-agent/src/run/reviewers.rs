//! Reviewers: people of the site who decide at its pages and have no account of the machine. IT names them and gives each a
//! link of their own; what they decide carries the name that IT gave, and an account that is that name's alone.
//!
//! `STATE/reviewers/` has a file for each, and the site's ledger says who named, removed or let in whom.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use jiff::Timestamp;
use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, Reader};
use study::account;
use study::ledger::DecisionRecord;

use super::decisions::{self, LedgerError};
use super::folder::{FolderError, fill};
use super::person::Person;

const FOLDER: &str = "reviewers";
const LABEL: &str = "entente/v1/reviewer";
const LONGEST: usize = 100;

/// Somebody who may decide at the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer {
    /// As IT gave it.
    pub name: String,
    /// Tells a reviewer from one who had the same name before.
    pub id: String,
    /// Account that named the reviewer.
    pub by: String,
    /// Seconds since 1970.
    pub since: u64,
}

/// Why a reviewer cannot be named, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewerError {
    /// The name would not stand alone in a ledger.
    #[error("a reviewer's name has 1 to {LONGEST} characters, no parentheses and no line breaks")]
    Name,
    /// There is one of that name.
    #[error("there is a reviewer `{0}` already")]
    Known(String),
    /// There is none of that name.
    #[error("there is no reviewer `{0}`")]
    Unknown(String),
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
    /// Files of the state directory.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl ReviewerError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ReviewerError::Name => "reviewer.name",
            ReviewerError::Known(_) => "reviewer.known",
            ReviewerError::Unknown(_) => "reviewer.unknown",
            ReviewerError::Random => "reviewer.random",
            ReviewerError::Folder(e) => e.code(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ReviewerError::Name => "give the name as it shall stand in the ledger",
            ReviewerError::Known(_) => "add more of the name; capitals and blanks make no other one",
            ReviewerError::Unknown(_) => "`site-agent reviewer list` names all",
            ReviewerError::Random => "try again; if it persists, check the operating system",
            ReviewerError::Folder(e) => e.hint(),
        }
    }
}

impl From<LedgerError> for ReviewerError {
    fn from(e: LedgerError) -> ReviewerError {
        ReviewerError::Folder(e.into())
    }
}

impl Reviewer {
    /// The person who decides something now.
    pub fn person(&self, at: u64) -> Person {
        Person::reviewer(&self.name, at)
    }
}

/// Names a reviewer; `by` is whoever runs the command.
pub fn add(state_dir: &Path, name: &str, by: &Person) -> Result<Reviewer, ReviewerError> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = !account::plain(&name).is_empty() && name.chars().count() <= LONGEST;
    if !fits || name.contains(['(', ')']) || name.chars().any(char::is_control) {
        return Err(ReviewerError::Name);
    }
    if let Some(known) = of_name(state_dir, &name)? {
        return Err(ReviewerError::Known(known.name));
    }
    let mut id = [0; 16];
    SysRng.try_fill_bytes(&mut id).map_err(|_| ReviewerError::Random)?;
    let id = format!("{:032x}", u128::from_be_bytes(id));
    let reviewer = Reviewer { name, id, by: by.account.clone(), since: by.at };
    let named = DecisionRecord::ReviewerNamed { name: reviewer.name.clone() };
    decisions::decided(state_dir, &by.to_string(), None, named)?;
    let Reviewer { name, id, by, since } = &reviewer;
    let bytes = Canonical::new(LABEL).str(name).str(id).str(by).u64(*since).finish();
    fill(&state_dir.join(FOLDER), &[(&file_name(name), bytes)])?;
    Ok(reviewer)
}

/// All reviewers by name.
pub fn list(state_dir: &Path) -> Result<Vec<Reviewer>, FolderError> {
    let failed = |e: &io::Error| FolderError::file(FOLDER, e);
    let entries = match fs::read_dir(state_dir.join(FOLDER)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(&e)),
    };
    let mut all = Vec::new();
    for entry in entries {
        let bytes = fs::read(entry.map_err(|e| failed(&e))?.path()).map_err(|e| failed(&e))?;
        all.push(read(&bytes).map_err(|_| FolderError::Damaged { name: FOLDER })?);
    }
    all.sort_by(|a: &Reviewer, b: &Reviewer| a.name.cmp(&b.name));
    Ok(all)
}

/// Takes a reviewer's way in; sessions that are open end with the next page.
pub fn remove(state_dir: &Path, name: &str, by: &Person) -> Result<Reviewer, ReviewerError> {
    let reviewer = known(state_dir, name)?;
    let removed = DecisionRecord::ReviewerRemoved { name: reviewer.name.clone() };
    decisions::decided(state_dir, &by.to_string(), None, removed)?;
    fs::remove_file(path(state_dir, &reviewer.name)).map_err(|e| FolderError::file(FOLDER, &e))?;
    Ok(reviewer)
}

/// Writes down that a link for a reviewer is made, and by whom: who makes a link can also use it.
pub fn let_in(state_dir: &Path, name: &str, by: &Person) -> Result<Reviewer, ReviewerError> {
    let reviewer = known(state_dir, name)?;
    let link = DecisionRecord::ReviewerLink { name: reviewer.name.clone() };
    decisions::decided(state_dir, &by.to_string(), None, link)?;
    Ok(reviewer)
}

/// The reviewer of an id, as long as nobody has removed them.
pub fn of_id(state_dir: &Path, id: &str) -> Result<Option<Reviewer>, FolderError> {
    Ok(list(state_dir)?.into_iter().find(|reviewer| reviewer.id == id))
}

/// The reviewer of a name in any spelling.
pub fn of_name(state_dir: &Path, name: &str) -> Result<Option<Reviewer>, FolderError> {
    Ok(list(state_dir)?.into_iter().find(|reviewer| account::plain(&reviewer.name) == account::plain(name)))
}

fn known(state_dir: &Path, name: &str) -> Result<Reviewer, ReviewerError> {
    of_name(state_dir, name)?.ok_or_else(|| ReviewerError::Unknown(name.to_owned()))
}

fn path(state_dir: &Path, name: &str) -> PathBuf {
    state_dir.join(FOLDER).join(file_name(name))
}

/// A name may hold what a path may not.
fn file_name(name: &str) -> String {
    Digest::of(account::plain(name).as_bytes()).to_string()
}

fn read(bytes: &[u8]) -> Result<Reviewer, CanonicalError> {
    let mut r = Reader::new(bytes, LABEL)?;
    let (name, id, by) = (r.str()?.to_owned(), r.str()?.to_owned(), r.str()?.to_owned());
    let since = r.u64()?;
    r.finish()?;
    Ok(Reviewer { name, id, by, since })
}

/// What the one-time login of a reviewer names; [`reviewer_of`] reads it.
pub fn login_subject(reviewer: &Reviewer) -> String {
    format!("{}{}", account::REVIEWER, reviewer.id)
}

/// The id of a reviewer whom a login names; none where it names an account of the machine, whose names have no colon.
pub fn reviewer_of(subject: &str) -> Option<&str> {
    subject.strip_prefix(account::REVIEWER)
}

/// Seconds since 1970, now.
pub fn now() -> u64 {
    Timestamp::now().as_second().max(0).cast_unsigned()
}
