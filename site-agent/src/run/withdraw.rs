//! Taking an approval back: one file in the run's folder, which the running agent finds before it answers.

use std::fs;
use std::io;
use std::path::Path;

use secagg::{Canonical, Reader, Signature, SigningIdentity};
use study::ledger::DecisionRecord;
use study::manifest::Withdrawal;

use super::decisions;
use super::folder::{FolderError, RunFolder, fill};
use super::person::Person;

const NAME: &str = "withdrawn";
const LABEL: &str = "entente/v1/stored withdrawal";

/// Takes the approval of a run back for good. `reason` and person stay here; the coordinator learns the signed fact. A second
/// withdrawal leaves the first one as it is, with its reason.
pub fn withdraw(run: &RunFolder, identity: &SigningIdentity, person: &Person, reason: &str) -> Result<(), FolderError> {
    let manifest = run.manifest.digest();
    let withdrawal = Withdrawal::sign(identity, run.approval.site, manifest);
    let state_dir = run.state_dir();
    let _deciding = decisions::exclusively(state_dir)?;
    if self::withdrawal(&run.path)?.is_some() {
        return Ok(());
    }
    let withdrawn = DecisionRecord::Withdrawn { manifest, reason: reason.into() };
    decisions::decided(state_dir, &person.to_string(), None, withdrawn)?;
    let out = Canonical::new(LABEL).u16(withdrawal.site).digest_field(&withdrawal.manifest);
    let out = person.write(out.array(&withdrawal.signature.0)).str(reason);
    fill(&run.path, &[(NAME, out.finish())])
}

/// Is there a withdrawal in a run's folder? A file that cannot be looked at counts as one: no answer is better than a
/// wrong one.
pub(super) fn is_withdrawn(run: &Path) -> bool {
    run.join(NAME).try_exists().unwrap_or(true)
}

/// The signed withdrawal of a run's folder, if there is one.
pub fn withdrawal(run: &Path) -> Result<Option<Withdrawal>, FolderError> {
    match fs::read(run.join(NAME)) {
        Ok(bytes) => decode(&bytes).map(Some).ok_or(FolderError::Damaged { name: NAME }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(FolderError::file(NAME, &e)),
    }
}

fn decode(bytes: &[u8]) -> Option<Withdrawal> {
    let mut r = Reader::new(bytes, LABEL).ok()?;
    let withdrawal =
        Withdrawal { site: r.u16().ok()?, manifest: r.digest().ok()?, signature: Signature(r.array().ok()?) };
    Person::read(&mut r).ok()?;
    r.str().ok()?;
    r.finish().ok()?;
    Some(withdrawal)
}
