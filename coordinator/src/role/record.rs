//! Whom the operator has given a role: one file per certificate below `STATE/people/`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secagg::Digest;
use serde::{Deserialize, Serialize};

use super::{Person, RoleError};
use crate::authority::{create_directory, list_toml, read_text, replace_file};
use crate::enrol::{self, add_revoked};

/// A certificate that a person holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who, with which role.
    pub person: Person,
    /// SHA-256 of the certificate (DER).
    pub fingerprint: Digest,
    /// SHA-256 of its public key (`SubjectPublicKeyInfo`).
    pub key: Digest,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// Everybody with a certificate, those that are revoked or have ended included, in the order of names, then of time.
pub fn list(state_dir: &Path) -> Result<Vec<Holder>, RoleError> {
    let mut holders = list_toml(&directory(state_dir))?.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    holders.sort_by(|a, b| (a.person.name(), a.issued_at).cmp(&(b.person.name(), b.issued_at)));
    Ok(holders)
}

/// Who holds a certificate; `None` if there is no record of it, or it was revoked.
pub fn holder(state_dir: &Path, fingerprint: &Digest) -> Result<Option<Holder>, RoleError> {
    match read(&path(state_dir, fingerprint)) {
        Err(RoleError::State(e)) if e.is_missing() => Ok(None),
        Err(e) => Err(e),
        Ok(holder) => Ok((holder.fingerprint == *fingerprint && holder.revoked_at.is_none()).then_some(holder)),
    }
}

/// Revokes all certificates of a name, or the one of a fingerprint (or its first eight digits and more): connections
/// with them end within two seconds.
pub fn revoke(state_dir: &Path, who: &str, now: Timestamp) -> Result<Vec<Holder>, RoleError> {
    let by_fingerprint =
        |holder: &Holder| who.len() >= 8 && holder.fingerprint.to_string().starts_with(&who.to_ascii_lowercase());
    let mut meant: Vec<Holder> =
        list(state_dir)?.into_iter().filter(|h| h.person.name() == who || by_fingerprint(h)).collect();
    if meant.is_empty() {
        return Err(RoleError::Unknown);
    }
    // The list comes first: after a crash between the two they are shut out, and the command can be repeated.
    add_revoked(state_dir, meant.iter().map(|holder| holder.fingerprint))?;
    for holder in meant.iter_mut().filter(|holder| holder.revoked_at.is_none()) {
        holder.revoked_at = Some(now);
        write(state_dir, holder)?;
    }
    Ok(meant)
}

/// A key serves one person in one role, no site, and nobody once it was revoked.
pub(super) fn check_key(state_dir: &Path, key: &Digest, person: &Person) -> Result<(), RoleError> {
    let of_a_site = enrol::list(state_dir)?.iter().any(|site| site.certificates.iter().any(|c| c.key == *key));
    let of_another = |h: &Holder| h.key == *key && (h.person != *person || h.revoked_at.is_some());
    if of_a_site || list(state_dir)?.iter().any(of_another) { Err(RoleError::Key) } else { Ok(()) }
}

pub(super) fn write(state_dir: &Path, holder: &Holder) -> Result<(), RoleError> {
    let text = toml::to_string(&RecordText::from(holder)).map_err(|_| RoleError::Damaged)?;
    create_directory(&directory(state_dir))?;
    Ok(replace_file(&path(state_dir, &holder.fingerprint), text.as_bytes())?)
}

fn directory(state_dir: &Path) -> PathBuf {
    state_dir.join("people")
}

fn path(state_dir: &Path, fingerprint: &Digest) -> PathBuf {
    directory(state_dir).join(format!("{fingerprint}.toml"))
}

fn read(path: &Path) -> Result<Holder, RoleError> {
    let text: RecordText = toml::from_str(&read_text(path)?).map_err(|_| RoleError::Damaged)?;
    Holder::try_from(text)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordText {
    name: String,
    role: String,
    fingerprint: String,
    key: String,
    issued_at: Timestamp,
    not_after: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl From<&Holder> for RecordText {
    fn from(holder: &Holder) -> RecordText {
        let Holder { person, fingerprint, key, issued_at, not_after, revoked_at } = holder;
        RecordText {
            name: person.name().to_owned(),
            role: person.role().to_string(),
            fingerprint: fingerprint.to_string(),
            key: key.to_string(),
            issued_at: *issued_at,
            not_after: *not_after,
            revoked_at: *revoked_at,
        }
    }
}

impl TryFrom<RecordText> for Holder {
    type Error = RoleError;

    fn try_from(text: RecordText) -> Result<Holder, RoleError> {
        let RecordText { name, role, fingerprint, key, issued_at, not_after, revoked_at } = text;
        Ok(Holder {
            person: role.parse().and_then(|role| Person::new(&name, role)).map_err(|_| RoleError::Damaged)?,
            fingerprint: fingerprint.parse().map_err(|_| RoleError::Damaged)?,
            key: key.parse().map_err(|_| RoleError::Damaged)?,
            issued_at,
            not_after,
            revoked_at,
        })
    }
}
