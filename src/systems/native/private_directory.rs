//! Directories for this user alone, in places where others may write. What they hold is up to their users, such as
//! `state_dir`.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::error::NativeError;
use crate::base::files::{self, FileError};

/// Creates the directory for runs with access for this user only, and refuses one in which another user may
/// have placed something: without `$XDG_RUNTIME_DIR`, it lies in a world-writable directory.
pub(super) fn make_runs_directory(runs: &Path) -> Result<(), NativeError> {
    let above = runs.parent().unwrap_or(Path::new("/"));
    if let Some(root) = above.parent() {
        files::make_directory(root)?;
    }
    for directory in [above, runs] {
        match make_private(directory) {
            Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        let facts =
            directory.symlink_metadata().map_err(|source| FileError::new("read", directory, source))?;
        let wrong = |reason| NativeError::Directory { path: directory.to_owned(), reason };
        if !facts.is_dir() {
            return Err(wrong("is no directory"));
        }
        if facts.uid() != nix::unistd::getuid().as_raw() {
            return Err(wrong("belongs to another user"));
        }
        if facts.mode() & 0o022 != 0 {
            return Err(wrong("can be written to by other users"));
        }
    }
    Ok(())
}

pub(super) fn make_private(directory: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .map_err(|source| FileError::new("create", directory, source))
}

/// Removes a process's directory, including read-only directories in it, such as Go's module cache.
pub(super) fn remove(directory: &Path) -> Result<(), FileError> {
    match files::remove_directory(directory) {
        Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => {
            open_up(directory);
            files::remove_directory(directory)
        }
        other => other,
    }
}

/// Makes directories writable. The removal afterwards reports those that stay read-only.
fn open_up(directory: &Path) {
    let _ = std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700));
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        // The kind is that of the entry itself, so no link is followed out of the directory.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_directory_refuses_shared_parent() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let above = directory.path().join("cki");
        files::make_directory(&above).expect("creates");
        std::fs::set_permissions(&above, std::fs::Permissions::from_mode(0o777)).expect("opens up");
        assert!(matches!(make_runs_directory(&above.join("native")), Err(NativeError::Directory { .. })));
    }

    #[test]
    fn remove_deletes_read_only_directories() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let tree = directory.path().join("a");
        files::make_directory(&tree.join("b/c")).expect("creates");
        std::fs::set_permissions(tree.join("b"), std::fs::Permissions::from_mode(0o500)).expect("closes");
        remove(&tree).expect("removes");
        assert!(!tree.exists());
    }
}
