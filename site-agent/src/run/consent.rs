//! Consents of single people to an offered run, until as many as the policy asks for have given theirs.
//!
//! A consent is to one policy and one frozen cohort: when either has changed since, it no longer counts. The file stands
//! beside the offers, not in one: the agent may be about to write the offer's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, Reader};
use study::policy::{Policy, PolicyRefusal};

use super::approve::ApproveError;
use super::folder::{FolderError, fill};
use super::person::Person;

const FOLDER: &str = "consents";
const LABEL: &str = "entente/v1/consents";

/// What a person consents to, beside the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) policy: Digest,
    pub(super) cohort: Digest,
}

#[derive(Debug)]
struct Consent {
    person: Person,
    subject: Subject,
}

/// Adds a person's consent. All who consented when they are as many as the policy asks for, otherwise none.
pub(super) fn add(
    state_dir: &Path,
    manifest: &Digest,
    policy: &Policy,
    subject: Subject,
    person: &Person,
) -> Result<Option<Vec<Person>>, ApproveError> {
    let mut consents = read(&path(state_dir, manifest))?;
    consents.retain(|consent| consent.subject == subject);
    if consents.iter().any(|consent| consent.person.is(person)) {
        let (name, approvals) = (person.name.clone(), policy.approvals);
        return Err(PolicyRefusal::SamePerson { name, approvals }.into());
    }
    let shared = consents.iter().any(|consent| consent.person.shares_account(person));
    if shared && !policy.same_account {
        let (account, approvals) = (person.account.clone(), policy.approvals);
        return Err(PolicyRefusal::SameAccount { account, approvals }.into());
    }
    consents.push(Consent { person: person.clone(), subject });
    if consents.len() < policy.approvals as usize {
        fill(&state_dir.join(FOLDER), &[(&manifest.to_string(), write(&consents))])?;
        return Ok(None);
    }
    Ok(Some(consents.into_iter().map(|consent| consent.person).collect()))
}

/// Who has consented to an offered run so far.
pub fn consented(state_dir: &Path, manifest: &Digest) -> Result<Vec<Person>, FolderError> {
    Ok(read(&path(state_dir, manifest))?.into_iter().map(|consent| consent.person).collect())
}

fn path(state_dir: &Path, manifest: &Digest) -> PathBuf {
    state_dir.join(FOLDER).join(manifest.to_string())
}

fn read(path: &Path) -> Result<Vec<Consent>, FolderError> {
    match fs::read(path) {
        Ok(bytes) => decode(&bytes).map_err(|_| FolderError::Damaged { name: FOLDER }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(FolderError::file(FOLDER, &e)),
    }
}

fn write(consents: &[Consent]) -> Vec<u8> {
    let out = Canonical::new(LABEL);
    let each = |out: Canonical, Consent { person, subject }: &Consent| {
        person.write(out).digest_field(&subject.policy).digest_field(&subject.cohort)
    };
    out.list(consents, each).finish()
}

fn decode(bytes: &[u8]) -> Result<Vec<Consent>, CanonicalError> {
    let mut r = Reader::new(bytes, LABEL)?;
    let consents = r.list(|r| {
        let person = Person::read(r)?;
        Ok(Consent { person, subject: Subject { policy: r.digest()?, cohort: r.digest()? } })
    })?;
    r.finish()?;
    Ok(consents)
}
