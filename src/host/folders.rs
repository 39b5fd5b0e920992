//! Folders of the machine: whether this process may write in them, and how much room there is.
//! What is written there belongs to whoever writes it.

use std::path::Path;

use nix::sys::statvfs::statvfs;

/// Whether this process can make files in a folder: found out with one that has no name, since for
/// root the permissions say nothing.
#[must_use]
pub fn is_writable(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_ok()
}

/// How many bytes this user may still write to the file system of a folder.
#[must_use]
pub fn room(folder: &Path) -> Option<u64> {
    let facts = statvfs(folder).ok()?;
    facts.blocks_available().checked_mul(facts.fragment_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_our_own_is_writable_and_has_room() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(is_writable(folder.path()));
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
        assert!(room(folder.path()).is_some());
        assert!(!is_writable(&folder.path().join("none")));
        assert!(!is_writable(Path::new("/proc")));
    }
}
