//! The site's key for draws about its rows: made with the other keys, kept for all runs, never sent.
//!
//! A key that is missing is never made anew once a run has been approved with it: the draws would be others.

use std::path::{Path, PathBuf};

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use secagg::DrawKey;

use super::{IdentityError, directory, state};

const DRAWS: &str = "draws.key";

/// The key of this site.
pub fn draw_key(state_dir: &Path) -> Result<DrawKey, IdentityError> {
    match state::read_private(&path(state_dir)) {
        Ok(bytes) => {
            let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| IdentityError::Damaged(DRAWS))?;
            Ok(DrawKey::from_bytes(bytes))
        }
        Err(e) if e.is_missing() => Err(IdentityError::NoDrawKey),
        Err(e) => Err(e.into()),
    }
}

/// Makes the key of a site that has approved nothing yet.
pub(crate) fn make_draw_key(state_dir: &Path) -> Result<DrawKey, IdentityError> {
    let key = DrawKey::random(&mut UnwrapErr(SysRng));
    store_draw_key(state_dir, &key)?;
    Ok(key)
}

/// Writes a fresh key into a folder of keys that is being made.
pub(super) fn create(folder: &Path) -> Result<(), IdentityError> {
    Ok(state::create_file(&folder.join(DRAWS), &*DrawKey::random(&mut UnwrapErr(SysRng)).to_bytes())?)
}

/// Makes `key` that of this site, so that a rehearsal draws alike every time. A key that is there is replaced.
pub fn store_draw_key(state_dir: &Path, key: &DrawKey) -> Result<(), IdentityError> {
    state::private_directory(&directory(state_dir))?;
    let partial = directory(state_dir).join("draws.key.partial");
    state::remove_leftover(&partial)?;
    state::create_file(&partial, &*key.to_bytes())?;
    Ok(state::rename(&partial, &path(state_dir))?)
}

fn path(state_dir: &Path) -> PathBuf {
    directory(state_dir).join(DRAWS)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        super::super::create(dir.path(), "S01", "General Hospital").unwrap();
        let first = draw_key(dir.path()).unwrap();
        assert_ne!(*first.to_bytes(), [0; 32]);
        assert_eq!(*draw_key(dir.path()).unwrap().to_bytes(), *first.to_bytes());
        assert_eq!(fs::metadata(path(dir.path())).unwrap().permissions().mode() & 0o777, 0o600);
        store_draw_key(dir.path(), &DrawKey::from_bytes(&[5; 32])).unwrap();
        assert_eq!(*draw_key(dir.path()).unwrap().to_bytes(), [5; 32]);
        fs::remove_file(path(dir.path())).unwrap();
        assert!(matches!(draw_key(dir.path()), Err(IdentityError::NoDrawKey)), "it is not made anew");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory(dir.path())).unwrap();
        fs::write(path(dir.path()), [1; 31]).unwrap();
        fs::set_permissions(path(dir.path()), Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(draw_key(dir.path()), Err(IdentityError::State(_))));
        fs::set_permissions(path(dir.path()), Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(draw_key(dir.path()), Err(IdentityError::Damaged(DRAWS))));
    }
}
