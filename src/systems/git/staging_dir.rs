//! Temporary directory next to the target of a clone, in which the clone is made. It is renamed to the target
//! once whole, and removed otherwise. Its process holds a lock on it, which the kernel releases however the
//! process dies: so leftovers can be recognised. It also holds a mark, so that a user's directory with a
//! similar name is never taken for one.

use std::ffi::OsStr;
use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::{GitError, stale};
use crate::base::files::{self, FileError};

/// Infix between the name of the clone and the random part.
const MARK: &str = ".cki-";
/// Length of the random part.
const RANDOM: usize = 12;
/// File that marks a directory as unfinished, and its content.
const UNFINISHED: &str = "cki-unfinished";
const NOTE: &str =
    "Made by cki, and not finished: the next `cki clone` or `cki gc` removes this directory.\n";
/// Directory of that file in a future clone, where git does not take it for a file of the repository.
const REPOSITORY: &str = ".git";

/// A temporary directory of `cki`.
pub(super) struct StagingDir {
    directory: tempfile::TempDir,
    _lock: File,
    /// Parent directory, held open so that nobody can exchange it meanwhile.
    parent: File,
}

impl StagingDir {
    /// Creates one next to the target of a clone.
    pub(super) fn next_to(target: &Path) -> Result<Self, GitError> {
        Self::make(target, Some(REPOSITORY))
    }

    /// Creates one within a repository, under a name that nothing else uses.
    pub(super) fn within(target: &Path) -> Result<Self, GitError> {
        Self::make(target, None)
    }

    fn make(target: &Path, below: Option<&str>) -> Result<Self, GitError> {
        let (parent, name) = place(target)?;
        let fail = |source| FileError::new("create a directory in", parent, source);
        // Links on the way are resolved once, now.
        let real = parent.canonicalize().map_err(fail)?;
        let parent_file = File::open(&real).map_err(fail)?;
        loop {
            let directory = tempfile::Builder::new()
                .prefix(&format!(".{name}{MARK}"))
                .rand_bytes(RANDOM)
                // The umask applies: this becomes the clone's own directory.
                .permissions(Permissions::from_mode(0o777))
                .tempdir_in(&real)
                .map_err(fail)?;
            // Until it is locked, a concurrent cleanup takes it for a leftover and removes it; then another one
            // is created.
            let lock = match File::open(directory.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(fail)?,
            };
            // Some file systems have no locks; there, leftovers stay.
            let taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
            if !taken && is_still_at(&lock, directory.path()) {
                let marked =
                    below.map_or_else(|| directory.path().to_owned(), |name| directory.path().join(name));
                files::make_directory(&marked)?;
                let mark = marked.join(UNFINISHED);
                std::fs::write(&mark, NOTE).map_err(|error| FileError::new("write", &mark, error))?;
                return Ok(Self { directory, _lock: lock, parent: parent_file });
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Renames it to its target, within the parent directory that was opened at its creation, whatever now
    /// lies at that path. Replaces nothing but an empty directory, and follows no link.
    pub(super) fn persist(self, target: &Path) -> Result<(), GitError> {
        let occupied = || GitError::Occupied { path: target.to_owned() };
        let (_, to) = place(target)?;
        let from = self.directory.path();
        let here = from.parent().unwrap_or(Path::new("/"));
        if !is_still_at(&self.parent, here) {
            return Err(occupied());
        }
        let from_name = from.file_name().unwrap_or_default();
        // Fails for anything but an empty directory, and if nothing exists.
        let _ = unlinkat(&self.parent, to.as_str(), UnlinkatFlags::RemoveDir);
        match rename_to_nothing(&self.parent, from_name, OsStr::new(&to)) {
            Ok(()) => {
                // A mark that stays has no effect: the directory has another name now.
                let _ = std::fs::remove_file(here.join(&to).join(REPOSITORY).join(UNFINISHED));
                // The temporary path no longer exists: nothing to remove.
                let _ = self.directory.keep();
                Ok(())
            }
            Err(Errno::EEXIST | Errno::ENOTEMPTY | Errno::ENOTDIR) => Err(occupied()),
            Err(error) => Err(FileError::new("rename", from, error.into()).into()),
        }
    }
}

/// Renames within a directory, unless the new name exists.
fn rename_to_nothing(directory: &File, from: &OsStr, to: &OsStr) -> nix::Result<()> {
    #[cfg(target_env = "gnu")]
    match nix::fcntl::renameat2(directory, from, directory, to, nix::fcntl::RenameFlags::RENAME_NOREPLACE) {
        // Some file systems do not support it.
        Err(Errno::EINVAL | Errno::ENOSYS) => {}
        result => return result,
    }
    match nix::sys::stat::fstatat(directory, to, nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => nix::fcntl::renameat(directory, from, directory, to),
        Ok(_) => Err(Errno::EEXIST),
        Err(error) => Err(error),
    }
}

/// Returns whether something other than an empty directory exists at a path. A link counts, wherever it
/// leads.
pub(super) fn is_occupied(target: &Path) -> bool {
    if target.symlink_metadata().is_ok_and(|facts| facts.is_symlink()) {
        return true;
    }
    match std::fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => target.symlink_metadata().is_ok(),
    }
}

/// Finds unfinished clones of dead processes in the workspace, and unfinished transfers in its clones.
#[must_use]
pub fn stale_clones(parent: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = stale_dirs(parent).into_iter().map(|(path, _)| path).collect();
    for repository in repositories(parent) {
        found.extend(stale_dirs(&repository).into_iter().map(|(path, _)| path));
        found.extend(stale::unfinished_packs(&repository.join("objects")));
    }
    found
}

/// Removes the leftovers of dead processes in a directory of clones, and returns their paths. Leftovers that
/// cannot be removed stay: they do no harm, and the present work must not fail because of them.
pub fn remove_stale_clones(parent: &Path) -> Vec<PathBuf> {
    let mut removed = remove_stale_clones_in(parent);
    for repository in repositories(parent) {
        removed.extend(remove_stale_clones_in(&repository));
        removed.extend(stale::remove_packs(&repository.join("objects")));
    }
    removed
}

/// Removes the leftovers directly in one directory.
pub(super) fn remove_stale_clones_in(parent: &Path) -> Vec<PathBuf> {
    stale_dirs(parent)
        .into_iter()
        .filter(|(path, _)| files::remove_directory(path).is_ok())
        .map(|(path, _)| path)
        .collect()
}

/// Returns the repositories of the clones in a directory. Does not follow links.
fn repositories(parent: &Path) -> Vec<PathBuf> {
    let is_directory = |path: &PathBuf| path.symlink_metadata().is_ok_and(|facts| facts.is_dir());
    let clones = files::list_dir(parent).unwrap_or_default().into_iter().map(|name| parent.join(name));
    clones.filter(is_directory).map(|clone| clone.join(REPOSITORY)).filter(is_directory).collect()
}

/// Finds the leftovers of dead processes in a directory, with locks that keep other processes away.
fn stale_dirs(parent: &Path) -> Vec<(PathBuf, File)> {
    let names = files::list_dir(parent).unwrap_or_default();
    let held = names.iter().filter(|name| is_ours(name)).filter_map(|name| {
        let path = parent.join(name);
        let is_directory = path.symlink_metadata().is_ok_and(|facts| facts.is_dir());
        let lock = (is_directory && is_marked(&path)).then(|| File::open(&path).ok()).flatten()?;
        (lock.try_lock().is_ok() && is_still_at(&lock, &path)).then_some((path, lock))
    });
    held.collect()
}

/// Returns whether [`StagingDir::next_to`] creates such names.
fn is_ours(name: &str) -> bool {
    let random =
        name.strip_prefix('.').and_then(|name| name.rsplit_once(MARK)).filter(|(name, _)| !name.is_empty());
    random.is_some_and(|(_, random)| {
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Returns whether a directory holds the mark.
fn is_marked(path: &Path) -> bool {
    [path.join(UNFINISHED), path.join(REPOSITORY).join(UNFINISHED)]
        .iter()
        .any(|mark| files::read_text(mark, NOTE.len() as u64).is_ok_and(|text| text == NOTE))
}

fn is_still_at(open: &File, path: &Path) -> bool {
    let id = |facts: std::fs::Metadata| (facts.dev(), facts.ino());
    match (open.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

/// Returns the parent directory of a path, and its name there.
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
    fn is_ours_matches_staging_names_only() {
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
    fn cleanup_removes_dead_staging_dirs_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let dead = directory.path().join(".x.cki-Ab0123456789");
        let theirs = directory.path().join(".y.cki-Ab0123456789");
        std::fs::create_dir_all(dead.join(".git")).expect("makes");
        std::fs::write(dead.join(".git").join(UNFINISHED), NOTE).expect("writes");
        std::fs::create_dir_all(theirs.join(".git")).expect("makes");
        std::fs::create_dir(directory.path().join("x")).expect("makes");
        let alive = StagingDir::next_to(&directory.path().join("x")).expect("makes");
        remove_stale_clones(directory.path());
        assert!(!dead.exists() && alive.path().exists() && theirs.exists());
        std::fs::remove_dir_all(theirs).expect("removes");
        alive.persist(&directory.path().join("x")).expect("an empty directory gives way");
        assert_eq!(files::list_dir(directory.path()).expect("reads"), ["x"]);
        std::fs::write(directory.path().join("x/file"), "").expect("writes");
        let second = StagingDir::next_to(&directory.path().join("x")).expect("makes");
        let error = second.persist(&directory.path().join("x")).expect_err("is taken");
        assert!(matches!(error, GitError::Occupied { .. }));
        assert_eq!(files::list_dir(directory.path()).expect("reads"), ["x"]);
    }

    #[test]
    fn persist_refuses_occupied_target() {
        let directory = tempfile::tempdir().expect("a directory");
        let elsewhere = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("x");
        let take: [&dyn Fn(); 3] = [
            &|| std::os::unix::fs::symlink(elsewhere.path(), &target).expect("links"),
            &|| std::os::unix::fs::symlink("/nowhere", &target).expect("links"),
            &|| std::fs::write(&target, "").expect("writes"),
        ];
        for taken in take {
            assert!(!is_occupied(&target));
            let made = StagingDir::next_to(&target).expect("makes");
            taken();
            assert!(is_occupied(&target));
            assert!(matches!(made.persist(&target), Err(GitError::Occupied { .. })));
            assert_eq!(files::list_dir(directory.path()).expect("reads"), ["x"]);
            std::fs::remove_file(&target).expect("removes");
        }
        // The directory itself is replaced by a link.
        let inner = directory.path().join("inner");
        std::fs::create_dir(&inner).expect("makes");
        let made = StagingDir::next_to(&inner.join("x")).expect("makes");
        std::fs::rename(&inner, directory.path().join("moved")).expect("renames");
        std::os::unix::fs::symlink(elsewhere.path(), &inner).expect("links");
        assert!(matches!(made.persist(&inner.join("x")), Err(GitError::Occupied { .. })));
        assert_eq!(files::list_dir(elsewhere.path()).expect("reads"), [""; 0]);
    }

    #[test]
    fn cleanup_keeps_staging_dirs_in_use() {
        let directory = tempfile::tempdir().expect("a directory");
        std::thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let target = directory.path().join(name);
                scope.spawn(move || {
                    for _ in 0..200 {
                        remove_stale_clones(target.parent().expect("has one"));
                        let made = StagingDir::next_to(&target).expect("makes");
                        std::fs::write(made.path().join("file"), "").expect("it stays");
                    }
                });
            }
        });
        assert_eq!(files::list_dir(directory.path()).expect("reads"), Vec::<String>::new());
    }
}
