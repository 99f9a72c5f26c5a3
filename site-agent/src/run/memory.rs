//! The site's memory across runs: `STATE/memory/` with a secret salt and one file per approved run.
//!
//! It outlives the folder of a run: who removes a study does not make the site forget whom it analysed. Each file ends with
//! a digest over its content, the salt and the site, and the site's ledger says of which runs there must be one: a memory
//! that lacks something, or is that of another site, is refused.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use secagg::{Canonical, Digest, PublicIdentity};
use study::ledger::DecisionRecord;
use study::policy::{Mark, Remembered};

use super::decisions;
use super::folder::{FolderError, fill};
use crate::source::Patients;

const SALT: &str = "salt";

/// Marks of patients under this site's secret, which is made when it is first needed.
pub(super) fn marks(state_dir: &Path, patients: &Patients) -> Result<Vec<BTreeSet<Mark>>, FolderError> {
    Ok(patients.marks(&salt(state_dir)?))
}

fn salt(state_dir: &Path) -> Result<[u8; 32], FolderError> {
    let folder = state_dir.join("memory");
    match fs::read(folder.join(SALT)) {
        Ok(bytes) => bytes.try_into().map_err(|_| FolderError::Damaged { name: "memory/salt" }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            // a memory without its salt would compare marks that cannot be equal
            if !files(state_dir)?.is_empty() {
                return Err(FolderError::Damaged { name: "memory/salt" });
            }
            let mut salt = [0; 32];
            let random = SysRng.try_fill_bytes(&mut salt);
            random.map_err(|_| FolderError::File { name: SALT.into(), kind: io::ErrorKind::Other })?;
            fill(&folder, &[(SALT, salt.to_vec())])?;
            Ok(salt)
        }
        Err(e) => Err(FolderError::file("memory/salt", &e)),
    }
}

/// Files about runs.
fn files(state_dir: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let entries = match fs::read_dir(state_dir.join("memory")) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(FolderError::file("memory", &e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| FolderError::file("memory", &e))?.path();
        if path.file_name().is_some_and(|name| name != SALT) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Is anything remembered?
pub(super) fn is_any(state_dir: &Path) -> Result<bool, FolderError> {
    Ok(!files(state_dir)?.is_empty())
}

/// All runs that this site has approved.
pub(super) fn all(state_dir: &Path, own: &PublicIdentity) -> Result<Vec<Remembered>, FolderError> {
    let damaged = || FolderError::Damaged { name: "memory" };
    let mut found = Vec::new();
    for path in files(state_dir)? {
        let bytes = fs::read(&path).map_err(|e| FolderError::file("memory", &e))?;
        let (content, seal) = bytes.split_last_chunk::<32>().ok_or_else(damaged)?;
        if Digest(*seal) != sealed(&salt(state_dir)?, own, content) {
            return Err(FolderError::Foreign { name: "memory" });
        }
        found.push(Remembered::from_bytes(content).map_err(|_| damaged())?);
    }
    for entry in decisions(state_dir)? {
        let DecisionRecord::Approved { manifest } = entry.record else { continue };
        if !found.iter().any(|remembered| remembered.manifest == manifest) {
            return Err(damaged());
        }
    }
    found.sort_by(|a, b| a.run.cmp(&b.run));
    Ok(found)
}

fn sealed(salt: &[u8; 32], own: &PublicIdentity, content: &[u8]) -> Digest {
    Canonical::new("entente/v1/memory of a site").array(salt).array(&own.0).bytes(content).digest()
}

/// Remembers a run from now on.
pub(super) fn keep(state_dir: &Path, own: &PublicIdentity, run: &Remembered) -> Result<(), FolderError> {
    let mut bytes = run.to_bytes();
    bytes.extend_from_slice(&sealed(&salt(state_dir)?, own, &bytes).0);
    fill(&state_dir.join("memory"), &[(&run.manifest.to_string(), bytes)])
}
