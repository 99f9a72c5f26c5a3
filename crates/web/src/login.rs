//! One-time logins: a command line writes one beside the program's state, the running program lets it in once.
//!
//! A file per login, named after a digest of its secret: who reads the folder cannot sign in with it. Who may write there
//! is the operating system's matter, as with every command of the program.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::secret::{Secret, hexadecimal};

/// A login is used soon or not at all.
const VALID: Duration = Duration::from_mins(10);

/// Why a login cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The folder cannot be written.
    #[error("`{path}` cannot be written ({kind})")]
    File {
        /// Which.
        path: String,
        /// What kind of error.
        kind: io::ErrorKind,
    },
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
    /// Who signs in is written on one line.
    #[error("a login is for somebody whose name is one line")]
    Subject,
}

impl LoginError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            LoginError::File { .. } => "login.file",
            LoginError::Random => "login.random",
            LoginError::Subject => "login.subject",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            LoginError::File { .. } => "run the command as the user of the service",
            LoginError::Random => "try again; if it persists, check the operating system",
            LoginError::Subject => "name one person or role",
        }
    }
}

/// The folder of logins that nobody has used yet.
#[derive(Debug, Clone)]
pub struct Logins {
    dir: PathBuf,
}

impl Logins {
    /// Logins kept in a folder, which need not exist yet.
    pub fn in_folder(dir: &Path) -> Logins {
        Logins { dir: dir.to_owned() }
    }

    /// Makes a login for somebody, valid for ten minutes and once.
    pub fn issue(&self, subject: &str, now: Timestamp) -> Result<Secret, LoginError> {
        if subject.contains(['\n', '\r']) {
            return Err(LoginError::Subject);
        }
        let failed = |e: &io::Error| LoginError::File { path: self.dir.display().to_string(), kind: e.kind() };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(|e| failed(&e))?;
        self.sweep(now);
        let secret = Secret::random().ok_or(LoginError::Random)?;
        let until = now.as_second() + VALID.as_secs().cast_signed();
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(self.path(&secret));
        file.and_then(|mut file| write!(file, "{until}\n{subject}\n")).map_err(|e| failed(&e))?;
        Ok(secret)
    }

    /// Whom a login is for, once: the file goes with the first use.
    pub fn redeem(&self, secret: &Secret, now: Timestamp) -> Option<String> {
        let path = self.path(secret);
        let text = fs::read_to_string(&path).ok()?;
        // of two that come at the same time, one removes the file
        fs::remove_file(&path).ok()?;
        let (until, subject) = text.split_once('\n')?;
        let until: i64 = until.parse().ok()?;
        (now.as_second() < until).then(|| subject.trim_end().to_owned())
    }

    fn path(&self, secret: &Secret) -> PathBuf {
        self.dir.join(hexadecimal(&secret.digest()))
    }

    /// Removes what nobody used in time.
    fn sweep(&self, now: Timestamp) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().filter_map(Result::ok) {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let until = text.lines().next().and_then(|line| line.parse::<i64>().ok());
            if until.is_some_and(|until| until <= now.as_second()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_lets_in_once_and_for_ten_minutes() {
        let dir = tempfile::tempdir().unwrap();
        let logins = Logins::in_folder(&dir.path().join("logins"));
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let after = |seconds| Timestamp::from_second(now.as_second() + seconds).unwrap();
        let secret = logins.issue("operator", now).unwrap();
        assert!(logins.redeem(&Secret::random().unwrap(), now).is_none());
        assert_eq!(logins.redeem(&secret, after(599)).as_deref(), Some("operator"));
        assert!(logins.redeem(&secret, after(599)).is_none(), "a second time");

        let late = logins.issue("operator", now).unwrap();
        assert!(logins.redeem(&late, after(600)).is_none());
        logins.issue("operator", now).unwrap();
        logins.issue("operator", after(700)).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path().join("logins")).unwrap().collect();
        assert_eq!(left.len(), 1, "old ones are swept");
        assert!(matches!(logins.issue("two\nlines", now), Err(LoginError::Subject)));
    }

    #[test]
    fn the_folder_does_not_hold_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let secret = Logins::in_folder(dir.path()).issue("operator", Timestamp::now()).unwrap();
        for entry in fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
            assert!(!entry.file_name().to_string_lossy().contains(&secret.text()));
            assert!(!fs::read_to_string(entry.path()).unwrap().contains(&secret.text()));
        }
    }
}
