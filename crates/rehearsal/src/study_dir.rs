//! A complete study on disk: protocol, the sites' policy, one CSV file per site.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use site_agent::source::csv;
use study::policy::Policy;
use study::protocol::Protocol;
use study::roster::is_site_id;

use crate::RehearsalError;

/// What a rehearsal reads.
#[derive(Debug, Clone)]
pub struct StudyDir {
    /// Text of the protocol.
    pub protocol: String,
    /// Text of the policy that every site uses; empty means the strict default.
    pub policy: String,
    /// Site id and file, in order of the ids.
    pub sites: Vec<(String, PathBuf)>,
}

/// Why a folder is no study.
#[derive(Debug, thiserror::Error)]
pub enum StudyDirError {
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read ({kind})")]
    File {
        /// As given.
        path: String,
        /// What kind of error.
        kind: io::ErrorKind,
    },
    /// A file's name is no site id.
    #[error("`{0}` is not named after a site: use letters, digits and hyphens")]
    SiteName(String),
    /// There are too few site files.
    #[error("`sites` holds {0} CSV files; a study has at least 3 sites")]
    TooFew(usize),
}

impl StudyDir {
    /// Can the study be rehearsed at all? Protocol, policy, and every site's file, before anything is made.
    pub fn check(&self) -> Result<(), RehearsalError> {
        let protocol = Protocol::parse(&self.protocol)?;
        let policy = match self.policy.trim() {
            "" => Policy::default(),
            _ => Policy::parse(&self.policy).map_err(RehearsalError::Policy)?,
        };
        let load = |(site, path): &(String, PathBuf)| {
            Some((site.clone(), csv::load(path, &protocol, policy.bad_values).err()?))
        };
        let faulty: Vec<_> = self.sites.iter().filter_map(load).collect();
        if faulty.is_empty() { Ok(()) } else { Err(RehearsalError::Data(faulty)) }
    }

    /// Reads `DIR/protocol.toml` (or another file of the folder), `DIR/policy.toml` if there is one, and the names of
    /// `DIR/sites/*.csv`.
    pub fn read(dir: &Path, protocol: &str) -> Result<StudyDir, StudyDirError> {
        let failed =
            |path: &Path, e: &io::Error| StudyDirError::File { path: path.display().to_string(), kind: e.kind() };
        let text = |path: PathBuf| fs::read_to_string(&path).map_err(|e| failed(&path, &e));
        let policy_path = dir.join("policy.toml");
        let policy = if policy_path.exists() { text(policy_path)? } else { String::new() };
        let folder = dir.join("sites");
        let mut sites = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|e| failed(&folder, &e))? {
            let path = entry.map_err(|e| failed(&folder, &e))?.path();
            if path.extension().is_some_and(|e| e == "csv") {
                let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                if !is_site_id(&id) {
                    return Err(StudyDirError::SiteName(id));
                }
                sites.push((id, path));
            }
        }
        sites.sort();
        if sites.len() < 3 {
            return Err(StudyDirError::TooFew(sites.len()));
        }
        Ok(StudyDir { protocol: text(dir.join(protocol))?, policy, sites })
    }
}
