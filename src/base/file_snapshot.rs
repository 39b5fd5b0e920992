//! Files that are read once. A check of their content and every later use see the same bytes, also if somebody changes
//! a file in between. The choice of files, and the check, are up to the caller; other files are read in
//! [`super::files`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files::{self, DirectoryName, FileError};

/// Content of files and directories as it was when they were first read. Clones share it. Without paths to keep, every
/// read goes to the disk.
#[derive(Debug, Clone, Default)]
pub struct FileSnapshot(Option<Arc<Kept>>);

#[derive(Debug)]
struct Kept {
    /// Files to keep, and directories whose files are kept.
    roots: Vec<PathBuf>,
    state: Mutex<KeptState>,
}

#[derive(Debug, Default)]
struct KeptState {
    files: BTreeMap<PathBuf, Arc<Vec<u8>>>,
    /// Names in directories.
    names: BTreeMap<PathBuf, Vec<DirectoryName>>,
    is_sealed: bool,
}

impl FileSnapshot {
    /// Keeps what is read at these paths and below them. `known` are files with the content that was read already.
    #[must_use]
    pub fn of(roots: Vec<PathBuf>, known: impl IntoIterator<Item = (PathBuf, Vec<u8>)>) -> Self {
        let files = known.into_iter().map(|(path, bytes)| (path, Arc::new(bytes))).collect();
        let state = Mutex::new(KeptState { files, ..KeptState::default() });
        Self(Some(Arc::new(Kept { roots, state })))
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// Fails as [`files::read`], and if the snapshot is sealed without this file.
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        let Some(kept) = self.kept(path) else { return files::read(path, limit) };
        if let Some(bytes) = kept.known(path)? {
            let fits = bytes.len() as u64 <= limit;
            // The other error of a file that is too long.
            return if fits { Ok(bytes.to_vec()) } else { files::read(path, limit).map(|_| bytes.to_vec()) };
        }
        let bytes = files::read(path, limit)?;
        // Another thread may have been faster.
        let bytes =
            Arc::clone(kept.state().files.entry(path.to_path_buf()).or_insert_with(|| Arc::new(bytes)));
        Ok(bytes.to_vec())
    }

    /// Reads a text file of at most `limit` bytes.
    ///
    /// # Errors
    /// Fails as [`Self::read`], and if the file is not UTF-8.
    pub fn read_text(&self, path: &Path, limit: u64) -> Result<String, FileError> {
        files::text(self.read(path, limit)?, path)
    }

    /// Returns all names in a directory, sorted; a missing directory has none.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub fn names_in(&self, directory: &Path) -> Result<Vec<DirectoryName>, FileError> {
        let Some(kept) = self.kept(directory) else { return files::names_in(directory) };
        if let Some(names) = kept.state().names.get(directory) {
            return Ok(names.clone());
        }
        let names = files::names_in(directory)?;
        Ok(kept.state().names.entry(directory.to_path_buf()).or_insert(names).clone())
    }

    /// Returns the names of [`Self::names_in`] alone.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub fn all_names_in(&self, directory: &Path) -> Result<Vec<OsString>, FileError> {
        Ok(self.names_in(directory)?.into_iter().map(|one| one.name).collect())
    }

    /// Accepts no further files from now on. Returns a file that was read before, and is not one of these sorted paths.
    pub fn seal(&self, checked: &[PathBuf]) -> Option<PathBuf> {
        let mut state = self.0.as_ref()?.state();
        state.is_sealed = true;
        state.files.keys().find(|path| checked.binary_search(path).is_err()).cloned()
    }

    /// Returns whether reads of a path, or of one below it, are kept.
    #[must_use]
    pub fn keeps_some_of(&self, path: &Path) -> bool {
        let is_below = |kept: &Kept| kept.roots.iter().any(|root| root.starts_with(path));
        self.kept(path).is_some() || self.0.as_deref().is_some_and(is_below)
    }

    fn kept(&self, path: &Path) -> Option<&Kept> {
        self.0.as_deref().filter(|kept| kept.roots.iter().any(|root| path.starts_with(root)))
    }
}

impl Kept {
    fn state(&self) -> MutexGuard<'_, KeptState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the content of a file that was read before.
    fn known(&self, path: &Path) -> Result<Option<Arc<Vec<u8>>>, FileError> {
        let state = self.state();
        let known = state.files.get(path).cloned();
        if known.is_some() || !state.is_sealed {
            return Ok(known);
        }
        let why = match path.symlink_metadata() {
            Err(error) => error,
            Ok(_) => io::Error::other("it was not there when `cki` checked the project's files"),
        };
        Err(FileError::new("read", path, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshot_returns_the_content_of_the_first_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("root");
        std::fs::create_dir(&root).expect("makes");
        let (a, b, other) = (root.join("a"), root.join("b"), directory.path().join("other"));
        let write = |path: &Path, text: &str| std::fs::write(path, text).expect("writes");
        write(&a, "first");
        write(&other, "first");
        let snapshot = FileSnapshot::of(vec![root.clone()], [(root.join("known"), b"content".to_vec())]);
        let read = |path: &Path| snapshot.read_text(path, 9).map_err(|error| error.to_string());
        assert_eq!((read(&a).as_deref(), read(&root.join("known")).as_deref()), (Ok("first"), Ok("content")));
        assert_eq!(snapshot.all_names_in(&root).expect("reads"), ["a"]);
        for (path, is_kept) in [(&a, true), (&root, true), (&other, false)] {
            assert_eq!(snapshot.keeps_some_of(path), is_kept, "{path:?}");
        }
        assert!(snapshot.keeps_some_of(directory.path()));
        assert!(!FileSnapshot::default().keeps_some_of(directory.path()));
        write(&a, "second");
        write(&other, "second");
        write(&b, "new");
        assert_eq!((read(&a).as_deref(), read(&other).as_deref()), (Ok("first"), Ok("second")));
        assert_eq!(snapshot.all_names_in(&root).expect("reads"), ["a"]);
        assert_eq!(snapshot.clone().seal(&[a.clone(), root.join("known")]), None);
        assert_eq!(read(&a).as_deref(), Ok("first"));
        assert!(read(&b).expect_err("is new").contains("it was not there when `cki` checked"));
        assert!(snapshot.read(&root.join("none"), 9).expect_err("is missing").is_missing());
        assert_eq!(snapshot.seal(&[root.join("known")]), Some(a));
    }
}
