//! Files of the state directory: created for their owner only, replaced whole or not at all.

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
        /// What was tried: read, write, list, create.
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

/// What the operating system refused to a library that does not say more.
pub(crate) fn refused(action: &'static str, path: &Path) -> StateError {
    StateError::io(action, path)(io::ErrorKind::Other.into())
}

/// Creates a directory (mode 0700) and its parents where they are missing.
pub(crate) fn create_directory(path: &Path) -> Result<(), StateError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StateError::io("create", path))
}

/// Takes write and read permission from other users: mode 0700.
pub(crate) fn close_directory(path: &Path) -> Result<(), StateError> {
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(StateError::io("protect", path))
}

/// Removes a directory that an interrupted attempt left behind, if there is one.
pub(crate) fn remove_leftover(path: &Path) -> Result<(), StateError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StateError::io("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Writes a file that does not exist yet (mode 0600) to stable storage.
pub(crate) fn create_file(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(StateError::io("write", path))
}

/// Renames within one directory and makes the new name durable. Onto a directory with content it fails.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StateError> {
    let parent = to.parent().unwrap_or(Path::new("."));
    fs::rename(from, to).and_then(|()| File::open(parent)?.sync_all()).map_err(StateError::io("write", to))
}

/// Replaces a file: a reader sees the old bytes or the new ones, after a crash too.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    match fs::remove_file(&partial) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(StateError::io("write", &partial)(e));
        }
        _ => {}
    }
    create_file(&partial, bytes)?;
    rename(&partial, path)
}

/// Waits until no other program holds this lock file, and holds it until the file is dropped.
pub(crate) fn take_turn(path: &Path) -> Result<File, StateError> {
    let wait = || {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        file.lock()?;
        Ok(file)
    };
    wait().map_err(StateError::io("lock", path))
}

/// Reads a text file.
pub(crate) fn read_text(path: &Path) -> Result<String, StateError> {
    fs::read_to_string(path).map_err(StateError::io("read", path))
}

/// Reads a private key, which nobody but its owner may be able to read.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, StateError> {
    let mode = fs::metadata(path).map_err(StateError::io("read", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StateError::Exposed { path: path.to_owned(), mode });
    }
    fs::read(path).map(Zeroizing::new).map_err(StateError::io("read", path))
}

/// The files of a directory whose names end in `.toml`, in the order of their names; none if it does not exist.
pub(crate) fn list_toml(directory: &Path) -> Result<Vec<PathBuf>, StateError> {
    let entries = match fs::read_dir(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(StateError::io("list", directory))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(StateError::io("list", directory))?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
