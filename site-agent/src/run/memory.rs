//! The site's memory across runs: `STATE/memory/` with a secret salt and one file per approved run.
//!
//! It outlives the folder of a run: who removes a study does not make the site forget whom it analysed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use study::policy::{Mark, Remembered};

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
            if !all(state_dir)?.is_empty() {
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

/// All runs that this site has approved.
pub(super) fn all(state_dir: &Path) -> Result<Vec<Remembered>, FolderError> {
    let entries = match fs::read_dir(state_dir.join("memory")) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(FolderError::file("memory", &e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| FolderError::file("memory", &e))?.path();
        if path.file_name().is_some_and(|name| name != SALT) {
            let bytes = fs::read(&path).map_err(|e| FolderError::file("memory", &e))?;
            let remembered = Remembered::from_bytes(&bytes).map_err(|_| FolderError::Damaged { name: "memory" })?;
            found.push(remembered);
        }
    }
    found.sort_by(|a, b| a.run.cmp(&b.run));
    Ok(found)
}

/// Remembers a run from now on.
pub(super) fn keep(state_dir: &Path, run: &Remembered) -> Result<(), FolderError> {
    fill(&state_dir.join("memory"), &[(&run.manifest.to_string(), run.to_bytes())])
}
