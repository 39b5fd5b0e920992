//! Directories of the machine: tests for write permission and free space. Their content belongs to their
//! users.

use std::path::Path;

use nix::sys::statvfs::statvfs;

/// Returns whether this process can create files in a directory. Tries it with an unnamed file, since
/// permissions say nothing about root.
#[must_use]
pub fn is_writable(directory: &Path) -> bool {
    tempfile::tempfile_in(directory).is_ok()
}

/// Returns the number of bytes that this user may still write to the file system of a directory.
#[must_use]
pub fn available_space(directory: &Path) -> Option<u64> {
    let facts = statvfs(directory).ok()?;
    facts.blocks_available().checked_mul(facts.fragment_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_writable_accepts_own_directory_only() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        assert!(is_writable(directory.path()));
        assert_eq!(std::fs::read_dir(directory.path()).expect("lists").count(), 0);
        assert!(available_space(directory.path()).is_some());
        assert!(!is_writable(&directory.path().join("none")));
        assert!(!is_writable(Path::new("/proc")));
    }
}
