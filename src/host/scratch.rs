//! Temporary directories whose names contain the process that has created them, and the PID namespace in which it has
//! its PID, so that a later command finds those of killed processes. Prefer unnamed files where they are enough.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::{Env, place, process_start_time};
use crate::base::files::{self, FileError};

const PREFIX: &str = "cki-scratch-";

/// Creates a temporary directory that is removed on drop.
///
/// # Errors
/// Fails if it cannot be created.
pub fn scratch(env: &Env) -> io::Result<tempfile::TempDir> {
    owned(&env.temporary_directory(), PREFIX)
}

/// Returns the temporary directories of processes that were killed.
#[must_use]
pub fn abandoned_scratch(env: &Env) -> Vec<PathBuf> {
    abandoned(&env.temporary_directory(), PREFIX)
}

/// Creates a file for this user alone, in a temporary directory with the same promise as [`scratch`]: what a program
/// stores beside it goes with it, and a later command removes it if this process is killed.
///
/// # Errors
/// Fails if it cannot be written.
pub fn scratch_file(
    env: &Env,
    name: &str,
    content: &[u8],
) -> Result<(tempfile::TempDir, PathBuf), FileError> {
    let parent = env.temporary_directory();
    let directory = scratch(env).map_err(|source| FileError::new("write to", parent, source))?;
    let file = directory.path().join(name);
    files::write_atomic(&file, content, 0o600)?;
    Ok((directory, file))
}

/// Creates a directory for this user alone, whose name begins with the prefix and contains this process.
///
/// # Errors
/// Fails if it cannot be created.
pub fn owned(parent: &Path, prefix: &str) -> io::Result<tempfile::TempDir> {
    let pid = std::process::id();
    let began = process_start_time(pid).unwrap_or(0);
    tempfile::Builder::new()
        .prefix(&format!("{prefix}{pid}-{began}-{}-", place()))
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
}

/// Returns the directories of [`owned`] whose process is gone, except for those of other users. A process of another
/// PID namespace or machine counts as alive, as for [`super::is_alive`]: containers may share the directory.
#[must_use]
pub fn abandoned(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let is_abandoned = |name: &String| {
        let mut parts = name.strip_prefix(prefix).unwrap_or_default().split('-');
        let owner = parts.next().and_then(|pid| pid.parse().ok());
        let began = parts.next().and_then(|began| began.parse().ok());
        let is_here = parts.next() == Some(place().as_str());
        matches!((owner, began), (Some(pid), Some(began)) if is_here && process_start_time(pid) != Some(began))
    };
    let user = nix::unistd::getuid().as_raw();
    let is_ours =
        |path: &PathBuf| path.symlink_metadata().is_ok_and(|facts| facts.is_dir() && facts.uid() == user);
    let names = files::list_dir(parent).unwrap_or_default();
    names.into_iter().filter(is_abandoned).map(|name| parent.join(name)).filter(is_ours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_scratch_lists_dead_processes_only() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let env = Env::new([("TMPDIR", parent.path())]);
        let own = scratch(&env).expect("makes one");
        assert_eq!(own.path().metadata().expect("is there").permissions().mode() & 0o777, 0o700);
        let dead = parent.path().join(format!("cki-scratch-1-999999999999-{}-x", place()));
        for path in [&dead, &parent.path().join("cki-scratch-1-999999999999-elsewhere-x")] {
            std::fs::create_dir(path).expect("makes one");
        }
        std::fs::write(parent.path().join("cki-scratch-1-999999999999-file"), "").expect("writes");
        std::os::unix::fs::symlink("/", parent.path().join("cki-scratch-1-999999999999-l")).expect("links");
        std::fs::create_dir(parent.path().join("cki-scratch-mine")).expect("makes one");
        assert_eq!(abandoned_scratch(&env), [dead]);
    }
}
