//! Files of the identity: created for their owner only, replaced whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A file or directory of the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: read, write, create, remove.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Other users of this machine can read a private key.
    #[error("{} is readable by other users (mode {mode:o})", path.display())]
    Exposed {
        /// The private file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl StateError {
    /// Whether the file or directory does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// Creates a directory and its parents where they are missing, and closes it to other users (mode 0700).
pub(super) fn private_directory(path: &Path) -> Result<(), StateError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o700)))
        .map_err(StateError::io("create", path))
}

/// Removes a file or directory that an interrupted attempt left behind, if there is one.
pub(super) fn remove_leftover(path: &Path) -> Result<(), StateError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    };
    removed.map_err(StateError::io("remove", path))
}

/// Writes a file that does not exist yet (mode 0600) to stable storage.
pub(super) fn create_file(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(StateError::io("write", path))
}

/// Renames within one directory and makes the new name durable. Onto a directory with content it fails.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StateError> {
    let parent = to.parent().unwrap_or(Path::new("."));
    fs::rename(from, to).and_then(|()| File::open(parent)?.sync_all()).map_err(StateError::io("write", to))
}

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> Result<String, StateError> {
    fs::read_to_string(path).map_err(StateError::io("read", path))
}

/// Reads a private key, which nobody but its owner may be able to read.
pub(super) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, StateError> {
    let mode = fs::metadata(path).map_err(StateError::io("read", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StateError::Exposed { path: path.to_owned(), mode });
    }
    fs::read(path).map(Zeroizing::new).map_err(StateError::io("read", path))
}
