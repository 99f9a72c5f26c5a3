//! One process per state directory: a lock on a file in it, which ends with the process however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

const NAME: &str = "lock";
/// Longest remark of a holder that is read.
const REMARK: u64 = 200;

/// A state directory that this process holds until the value is dropped.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

/// Why a state directory cannot be held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("the state directory {} is in use by {holder}", path.display())]
    Held {
        /// The state directory.
        path: PathBuf,
        /// What the other process says of itself.
        holder: String,
    },
    /// The operating system refuses.
    #[error("the state directory {} cannot be locked ({kind})", path.display())]
    File {
        /// The state directory.
        path: PathBuf,
        /// What kind of error.
        kind: io::ErrorKind,
    },
}

impl LockError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            LockError::Held { .. } => "state.held",
            LockError::File { .. } => "state.lock",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            LockError::Held { .. } => {
                "it runs already: look at that process, or stop it before this one is started; a state directory is never shared or copied"
            }
            LockError::File { .. } => "check the state directory's owner, permissions and free space",
        }
    }
}

impl StateLock {
    /// Takes the lock, or says who holds it.
    pub fn take(state_dir: &Path) -> Result<StateLock, LockError> {
        let failed = |e: io::Error| LockError::File { path: state_dir.to_owned(), kind: e.kind() };
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(state_dir.join(NAME)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { path: state_dir.to_owned(), holder: holder(&file) });
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let remark = format!("process {} since {}", std::process::id(), Timestamp::now().strftime("%F %T UTC"));
        let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        written.and_then(|_| file.write_all(remark.as_bytes())).map_err(failed)?;
        Ok(StateLock { _file: file })
    }
}

/// The remark of who holds the lock; it may be writing it.
fn holder(file: &File) -> String {
    let mut remark = String::new();
    let read = file.take(REMARK).read_to_string(&mut remark);
    let fit = read.is_ok() && remark.starts_with("process ") && !remark.chars().any(char::is_control);
    if fit { remark } else { "another process".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_held_once_and_free_again() {
        let dir = std::env::temp_dir().join(format!("entente-lock-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let first = StateLock::take(&dir).unwrap();
        let LockError::Held { holder, .. } = StateLock::take(&dir).unwrap_err() else { panic!("not held") };
        assert!(holder.starts_with(&format!("process {} since 2", std::process::id())), "{holder}");
        drop(first);
        StateLock::take(&dir).unwrap();
        let missing = StateLock::take(&dir.join("missing")).unwrap_err();
        assert_eq!(missing.code(), "state.lock");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
