//! The sites that this coordinator has enrolled: one file per site below `STATE/sites/`, and the list of revoked
//! certificates in `STATE/revoked`, which a running listener reads again when it changes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secagg::{Digest, PublicIdentity};
use serde::{Deserialize, Serialize};
use study::roster::{Member, is_site_id};

use super::EnrolError;
use crate::authority::{StateError, create_directory, list_toml, read_text, replace_file, take_turn};

/// A certificate that was issued to a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// SHA-256 of the certificate (DER).
    pub fingerprint: Digest,
    /// SHA-256 of its public key (`SubjectPublicKeyInfo`).
    pub key: Digest,
    /// When it ends.
    pub not_after: Timestamp,
}

/// A site of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The site's identifier: the common name of its certificates.
    pub site: String,
    /// The institution's legal name.
    pub legal_name: String,
    /// The key with which the site signs.
    pub identity: PublicIdentity,
    /// When the operator approved this identity.
    pub enrolled_at: Timestamp,
    /// When the site was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// All certificates of this site, the newest last; those of earlier, revoked enrolments too.
    pub certificates: Vec<Issued>,
    /// Identity keys of earlier, revoked enrolments: they cannot come back.
    pub retired: Vec<PublicIdentity>,
}

impl Enrolled {
    /// The site as a study's roster has it.
    pub fn member(&self) -> Member {
        Member { id: self.site.clone(), legal_name: self.legal_name.clone(), identity: self.identity }
    }
}

/// All enrolled sites in the order of their identifiers, revoked ones included.
pub fn list(state_dir: &Path) -> Result<Vec<Enrolled>, EnrolError> {
    let mut sites = list_toml(&directory(state_dir))?.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    sites.sort_by(|a, b| a.site.cmp(&b.site));
    Ok(sites)
}

/// One enrolled site; `None` if there is none of this identifier.
pub fn load(state_dir: &Path, site: &str) -> Result<Option<Enrolled>, EnrolError> {
    check_site(site)?;
    match read(&path(state_dir, site)) {
        Err(EnrolError::State(e)) if e.is_missing() => Ok(None),
        other => other.map(Some),
    }
}

/// Revokes every certificate of a site: its connections end and new ones are refused. Doing it twice is harmless.
pub fn revoke(state_dir: &Path, site: &str, now: Timestamp) -> Result<Enrolled, EnrolError> {
    let mut enrolled = load(state_dir, site)?.ok_or(EnrolError::UnknownSite)?;
    // The list comes first: after a crash between the two the site is shut out, and the command can be repeated.
    add_revoked(state_dir, enrolled.certificates.iter().map(|c| c.fingerprint))?;
    if enrolled.revoked_at.is_none() {
        enrolled.revoked_at = Some(now);
        write(state_dir, &enrolled)?;
    }
    Ok(enrolled)
}

/// Adds certificates to the list of revoked ones. Command line and pages may do so at the same moment: the second waits
/// for the first, so that none is lost.
pub(crate) fn add_revoked(state_dir: &Path, fingerprints: impl IntoIterator<Item = Digest>) -> Result<(), EnrolError> {
    let _turn = take_turn(&state_dir.join("revoked.lock"))?;
    let mut revoked = revoked(state_dir)?;
    revoked.extend(fingerprints);
    let mut text = String::from("# SHA-256 of each revoked certificate (DER), one per line\n");
    for fingerprint in &revoked {
        let _ = writeln!(text, "{fingerprint}");
    }
    Ok(replace_file(&revoked_path(state_dir), text.as_bytes())?)
}

/// Writes the record of a site, in place of the one before.
pub(super) fn write(state_dir: &Path, enrolled: &Enrolled) -> Result<(), EnrolError> {
    let text = toml::to_string(&RecordText::from(enrolled)).map_err(|_| EnrolError::Package)?;
    create_directory(&directory(state_dir))?;
    replace_file(&path(state_dir, &enrolled.site), text.as_bytes())?;
    Ok(())
}

/// Where the list of revoked certificates is.
pub(crate) fn revoked_path(state_dir: &Path) -> PathBuf {
    state_dir.join("revoked")
}

/// Reads a list of revoked certificates: one SHA-256 per line, empty lines and `#` comments between; `None` if a line
/// is something else.
pub(crate) fn parse_revoked(text: &str) -> Option<BTreeSet<Digest>> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(|line| line.parse().ok())
        .collect()
}

/// A roster's identifier that is also a plain file name and a certificate's common name.
pub(crate) fn check_site(site: &str) -> Result<(), EnrolError> {
    if is_site_id(site) && !site.starts_with('-') { Ok(()) } else { Err(EnrolError::SiteName) }
}

/// A legal name is 1 to 200 bytes without control characters and without space at its ends.
pub(super) fn check_legal_name(name: &str) -> Result<(), EnrolError> {
    let good = (1..=200).contains(&name.len()) && name.trim() == name && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(EnrolError::LegalName) }
}

/// The certificates revoked so far.
pub(super) fn revoked(state_dir: &Path) -> Result<BTreeSet<Digest>, EnrolError> {
    match read_text(&revoked_path(state_dir)) {
        Err(e) if e.is_missing() => Ok(BTreeSet::new()),
        Err(e) => Err(e.into()),
        Ok(text) => parse_revoked(&text).ok_or(EnrolError::Damaged),
    }
}

fn directory(state_dir: &Path) -> PathBuf {
    state_dir.join("sites")
}

fn path(state_dir: &Path, site: &str) -> PathBuf {
    directory(state_dir).join(format!("{site}.toml"))
}

fn read(path: &Path) -> Result<Enrolled, EnrolError> {
    let text: RecordText = toml::from_str(&read_text(path)?).map_err(|_| EnrolError::Damaged)?;
    Enrolled::try_from(text)
}

impl From<StateError> for EnrolError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordText {
    site: String,
    legal_name: String,
    identity: String,
    enrolled_at: Timestamp,
    revoked_at: Option<Timestamp>,
    #[serde(default)]
    retired: Vec<String>,
    certificate: Vec<IssuedText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuedText {
    fingerprint: String,
    key: String,
    not_after: Timestamp,
}

impl From<&Enrolled> for RecordText {
    fn from(enrolled: &Enrolled) -> Self {
        let Enrolled { site, legal_name, identity, enrolled_at, revoked_at, certificates, retired } = enrolled;
        Self {
            site: site.clone(),
            legal_name: legal_name.clone(),
            identity: identity.to_string(),
            enrolled_at: *enrolled_at,
            revoked_at: *revoked_at,
            retired: retired.iter().map(ToString::to_string).collect(),
            certificate: certificates
                .iter()
                .map(|c| IssuedText {
                    fingerprint: c.fingerprint.to_string(),
                    key: c.key.to_string(),
                    not_after: c.not_after,
                })
                .collect(),
        }
    }
}

impl TryFrom<RecordText> for Enrolled {
    type Error = EnrolError;

    fn try_from(text: RecordText) -> Result<Self, EnrolError> {
        let RecordText { site, legal_name, identity, enrolled_at, revoked_at, retired, certificate } = text;
        check_site(&site)?;
        check_legal_name(&legal_name)?;
        let certificates = certificate.into_iter().map(Issued::try_from);
        Ok(Self {
            site,
            legal_name,
            identity: identity.parse().map_err(|_| EnrolError::Damaged)?,
            enrolled_at,
            revoked_at,
            certificates: certificates.collect::<Result<_, _>>()?,
            retired: retired
                .iter()
                .map(|key| key.parse().map_err(|_| EnrolError::Damaged))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<IssuedText> for Issued {
    type Error = EnrolError;

    fn try_from(text: IssuedText) -> Result<Self, EnrolError> {
        let IssuedText { fingerprint, key, not_after } = text;
        Ok(Self {
            fingerprint: fingerprint.parse().map_err(|_| EnrolError::Damaged)?,
            key: key.parse().map_err(|_| EnrolError::Damaged)?,
            not_after,
        })
    }
}
