//! Files of a source directory, without ignored files and without files of version control and editors.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::files::{self, FileError};

/// Content of a source directory at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeSnapshot {
    /// Files and links, each with its state.
    pub files: BTreeMap<PathBuf, FileState>,
    /// Directories.
    pub directories: BTreeSet<PathBuf>,
}

/// State of a file, which differs after each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    modified: (i64, i64),
    size: u64,
    number: u64,
    mode: u32,
}

impl FileState {
    fn of(facts: &Metadata) -> Self {
        Self {
            modified: (facts.mtime(), facts.mtime_nsec()),
            size: facts.size(),
            number: facts.ino(),
            mode: facts.mode(),
        }
    }
}

impl TreeSnapshot {
    /// Reads a directory, or a single file. Skips files that vanish meanwhile or cannot be read.
    ///
    /// # Errors
    /// Fails if an ignore file is a pipe, a socket or a device.
    pub fn read(root: &Path) -> Result<Self, FileError> {
        refuse_special_ignore_files(root)?;
        let mut sources = Self::default();
        let mut walk = WalkBuilder::new(root);
        walk.hidden(false).parents(false).require_git(false).follow_links(false);
        walk.filter_entry(|entry| entry.depth() == 0 || !is_beside(entry.file_name()));
        for entry in walk.build().flatten() {
            let Ok(facts) = entry.path().symlink_metadata() else { continue };
            if facts.is_dir() {
                sources.directories.insert(entry.into_path());
            } else if facts.is_file() || facts.is_symlink() {
                sources.files.insert(entry.into_path(), FileState::of(&facts));
            }
        }
        Ok(sources)
    }

    /// Returns the files that differ, or exist on one side only.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<PathBuf> {
        let missing = other.files.keys().filter(|path| !self.files.contains_key(*path));
        let changed = self.files.iter().filter(|(path, state)| other.files.get(*path) != Some(state));
        let mut paths: Vec<PathBuf> = changed.map(|(path, _)| path).chain(missing).cloned().collect();
        paths.sort();
        paths
    }
}

/// Rejects ignore files that are not regular files: a walk opens them, and reading a pipe never ends.
///
/// # Errors
/// Fails at the first pipe, socket or device.
pub fn refuse_special_ignore_files(root: &Path) -> Result<(), FileError> {
    files::refuse_special_below(root, |name| match name.to_str() {
        Some(".gitignore") => &[".gitignore"],
        Some(".ignore") => &[".ignore"],
        Some(".git") => &[".git", ".git/info/exclude", ".git/commondir"],
        _ => &[],
    })
}

/// Returns whether a name belongs to version control or an editor: swap files, locks, backups, and the file
/// by which vi tests for write permission.
fn is_beside(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let ends = ["~", ".swp", ".swo", ".swx", ".kate-swp", "___jb_tmp___", "___jb_old___"];
    name == ".git"
        || name == "4913"
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshot_skips_ignored_and_temporary_files() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path();
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("is in a directory")).expect("makes");
            std::fs::write(path, text).expect("writes");
        };
        for path in
            ["a.py", ".hidden", "sub/b.py", "sub/c.log", "made/x", ".git/HEAD", ".a.py.swp", "a.py~", "4913"]
        {
            write(path, "1");
        }
        write(".gitignore", "made/\n");
        write("sub/.gitignore", "*.log\n");
        let before = TreeSnapshot::read(root).expect("reads");
        let names: Vec<String> = before
            .files
            .keys()
            .map(|path| path.strip_prefix(root).expect("is in it").display().to_string())
            .collect();
        assert_eq!(names, [".gitignore", ".hidden", "a.py", "sub/.gitignore", "sub/b.py"]);
        assert!(!before.directories.contains(&root.join("made")));
        write("a.py", "22");
        write("new", "");
        write("made/x", "22");
        std::fs::remove_file(root.join("sub/b.py")).expect("removes");
        let after = TreeSnapshot::read(root).expect("reads");
        let changed = ["a.py", "new", "sub/b.py"].map(|path| root.join(path));
        assert_eq!(before.differing(&after), changed);
        assert_eq!(after.differing(&before), changed);
        assert!(after.differing(&after).is_empty());
    }
}
