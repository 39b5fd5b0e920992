//! A folder beside the place where a clone will stand, in which it is made. It takes that place
//! when it is whole, and is removed otherwise. Whoever makes it holds a lock on it, which the system
//! releases when the process dies however it dies: so one that was left by a dead process is known.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::GitError;
use crate::base::files::{self, FileError};

/// Between the name of the clone and what is random.
const MARK: &str = ".cki-";
/// How much of the name is random.
const RANDOM: usize = 12;

/// A folder of our own.
pub(super) struct Temporary {
    folder: tempfile::TempDir,
    _lock: File,
}

impl Temporary {
    /// Makes one beside a place.
    pub(super) fn beside(target: &Path) -> Result<Self, GitError> {
        let (parent, name) = place(target)?;
        let fail = |source| FileError::new("create a folder in", parent, source);
        loop {
            let folder = tempfile::Builder::new()
                .prefix(&format!(".{name}{MARK}"))
                .rand_bytes(RANDOM)
                // What the user's mask leaves of it: this will be the clone's own folder.
                .permissions(Permissions::from_mode(0o777))
                .tempdir_in(parent)
                .map_err(fail)?;
            // Until it is locked, whoever sweeps takes it for left over: then another one is made.
            let lock = match File::open(folder.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(fail)?,
            };
            // Not every file system has locks; there, one that is left over stays.
            let taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
            if !taken && is_still_at(&lock, folder.path()) {
                return Ok(Self { folder, _lock: lock });
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts it where it belongs.
    pub(super) fn put(self, target: &Path) -> Result<(), GitError> {
        match std::fs::rename(self.folder.path(), target) {
            Ok(()) => {
                // What it was is not there any more: nothing to remove.
                let _ = self.folder.keep();
                Ok(())
            }
            Err(_) if is_occupied(target) => Err(GitError::Occupied { path: target.to_owned() }),
            Err(source) => Err(FileError::new("rename", self.folder.path(), source).into()),
        }
    }
}

/// Whether a place is taken by something other than an empty folder.
pub(super) fn is_occupied(target: &Path) -> bool {
    match std::fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => target.symlink_metadata().is_ok(),
    }
}

/// The half clones that dead processes left in a folder.
#[must_use]
pub fn half_clones(parent: &Path) -> Vec<PathBuf> {
    left(parent).into_iter().map(|(path, _)| path).collect()
}

/// Removes what dead processes left in a folder, and says what that was. What cannot be removed
/// stays: it does no harm, and the work at hand is not to fail for it.
pub fn sweep(parent: &Path) -> Vec<PathBuf> {
    left(parent)
        .into_iter()
        .filter(|(path, _)| files::remove_folder(path).is_ok())
        .map(|(path, _)| path)
        .collect()
}

/// What dead processes left in a folder, with the locks that nobody else can hold meanwhile.
fn left(parent: &Path) -> Vec<(PathBuf, File)> {
    let names = files::names_in(parent).unwrap_or_default();
    let held = names.iter().filter(|name| is_ours(name)).filter_map(|name| {
        let path = parent.join(name);
        let is_folder = path.symlink_metadata().is_ok_and(|facts| facts.is_dir());
        let lock = is_folder.then(|| File::open(&path).ok()).flatten()?;
        (lock.try_lock().is_ok() && is_still_at(&lock, &path)).then_some((path, lock))
    });
    held.collect()
}

/// Whether a name is one that [`Temporary::beside`] gives.
fn is_ours(name: &str) -> bool {
    let random =
        name.strip_prefix('.').and_then(|name| name.rsplit_once(MARK)).filter(|(name, _)| !name.is_empty());
    random.is_some_and(|(_, random)| {
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn is_still_at(open: &File, path: &Path) -> bool {
    let id = |facts: std::fs::Metadata| (facts.dev(), facts.ino());
    match (open.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

/// The folder that holds a place, and the place's name in it.
pub(super) fn place(target: &Path) -> Result<(&Path, String), GitError> {
    let nowhere = || GitError::Occupied { path: PathBuf::from(target) };
    let name = target.file_name().ok_or_else(nowhere)?.to_string_lossy().into_owned();
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((parent.unwrap_or(Path::new(".")), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_ours() {
        assert!(is_ours(".cki-tools.cki-Ab0123456789"));
        for name in [
            ".cki-tools.cki-x",
            "cki-tools.cki-Ab0123456789",
            ".cki-Ab0123456789",
            ".git",
            ".x.cki-Ab012345678/",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }

    #[test]
    fn what_lives_stays_and_what_died_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let dead = folder.path().join(".x.cki-Ab0123456789");
        std::fs::create_dir_all(dead.join("deep")).expect("makes");
        std::fs::create_dir(folder.path().join("x")).expect("makes");
        let alive = Temporary::beside(&folder.path().join("x")).expect("makes");
        sweep(folder.path());
        assert!(!dead.exists() && alive.path().exists());
        alive.put(&folder.path().join("x")).expect("an empty folder gives way");
        assert_eq!(files::names_in(folder.path()).expect("reads"), ["x"]);
        std::fs::write(folder.path().join("x/file"), "").expect("writes");
        let second = Temporary::beside(&folder.path().join("x")).expect("makes");
        let error = second.put(&folder.path().join("x")).expect_err("is taken");
        assert!(matches!(error, GitError::Occupied { .. }));
        assert_eq!(files::names_in(folder.path()).expect("reads"), ["x"]);
    }

    #[test]
    fn sweeping_does_not_disturb_those_at_work() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let target = folder.path().join(name);
                scope.spawn(move || {
                    for _ in 0..200 {
                        sweep(target.parent().expect("has one"));
                        let made = Temporary::beside(&target).expect("makes");
                        std::fs::write(made.path().join("file"), "").expect("it stays");
                    }
                });
            }
        });
        assert_eq!(files::names_in(folder.path()).expect("reads"), Vec::<String>::new());
    }
}
