//! Copies of the files that a build file includes, in a directory of their own. The preprocessor reads these alone, so
//! that no process can exchange a file for a link after it was checked, and nothing but regular files is opened. The
//! preprocessor itself decides what is included: a file is copied once it has missed it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::base::files::FileError;
use crate::base::source_dir::SourceDir;

/// Maximum number of copies, and of names that the build file may try.
const FILES: usize = 500;
/// Maximum bytes of all copies.
const BYTES: usize = 16 << 20;
/// Maximum bytes of one file.
const LONGEST: u64 = 4 << 20;

/// The copies, at the same paths as in the sources.
pub(super) struct IncludeCopies<'a> {
    sources: &'a SourceDir,
    /// The directory of the copies, without links.
    root: PathBuf,
    /// The directories from which files may be included, as the sources have them.
    allowed: Vec<PathBuf>,
    /// The directories in which an included file may be: these, and those of the copies.
    directories: BTreeSet<PathBuf>,
    names: BTreeSet<String>,
    copied: BTreeSet<PathBuf>,
    bytes: usize,
    refused: BTreeMap<String, RefusedInclude>,
}

/// The reason why a file is not included.
#[derive(Debug)]
pub(super) enum RefusedInclude {
    /// It is outside of the allowed directories.
    Outside,
    /// It cannot be read.
    File(FileError),
    /// There are too many files, or they are too large.
    TooMuch,
}

impl<'a> IncludeCopies<'a> {
    /// Begins with empty directories. `allowed` are relative to the sources.
    pub(super) fn new(sources: &'a SourceDir, root: &Path, allowed: &[&Path]) -> Result<Self, FileError> {
        let root = root.canonicalize().map_err(|source| FileError::new("find", root, source))?;
        let mut copies = Self {
            sources,
            root,
            allowed: Vec::new(),
            directories: BTreeSet::new(),
            names: BTreeSet::new(),
            copied: BTreeSet::new(),
            bytes: 0,
            refused: BTreeMap::new(),
        };
        for directory in allowed {
            copies.allowed.extend(sources.locate(directory)?);
            copies.directories.insert(directory.to_path_buf());
            crate::base::files::make_directory(&copies.root.join(directory))?;
        }
        Ok(copies)
    }

    /// Returns the directory with the copies of a directory of the sources.
    pub(super) fn at(&self, directory: &Path) -> PathBuf {
        self.root.join(directory)
    }

    /// Returns whether a path that the preprocessor has opened, relative to one of its directories, is that of a
    /// copy. There are no links among the copies, so the text of the path decides.
    pub(super) fn holds(&self, directory: &Path, path: &str) -> bool {
        normal(&self.at(directory).join(path)).is_some_and(|path| path.starts_with(&self.root))
    }

    /// Copies every file that a name may mean. Returns whether there is a new one.
    ///
    /// # Errors
    /// Fails if the name was tried before, and means a file that is not included.
    pub(super) fn add(&mut self, name: &str) -> Result<bool, RefusedInclude> {
        if !self.names.insert(name.to_owned()) {
            return self.refused.remove(name).map_or(Ok(false), Err);
        }
        if self.names.len() > FILES {
            return Err(RefusedInclude::TooMuch);
        }
        // A new copy may be in a new directory, in which a former name may mean another file.
        let mut wanted: Vec<(PathBuf, String)> =
            self.directories.iter().map(|directory| (directory.clone(), name.to_owned())).collect();
        let mut is_new = false;
        while let Some((directory, name)) = wanted.pop() {
            let Some(directory) = self.copy(&directory, &name)? else { continue };
            is_new = true;
            if self.directories.insert(directory.clone()) {
                wanted.extend(self.names.iter().map(|name| (directory.clone(), name.clone())));
            }
        }
        if is_new { Ok(true) } else { self.refused.remove(name).map_or(Ok(false), Err) }
    }

    /// Copies the file that a name means in a directory, and returns the directory of the copy.
    fn copy(&mut self, directory: &Path, name: &str) -> Result<Option<PathBuf>, RefusedInclude> {
        // The preprocessor itself opens an absolute path, which is then refused.
        let Some(path) = normal(&directory.join(name)).filter(|path| path.is_relative()) else {
            return Ok(None);
        };
        if self.copied.contains(&path) {
            return Ok(None);
        }
        let text = match self.text(&directory.join(name)) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(why) => {
                self.refused.insert(name.to_owned(), why);
                return Ok(None);
            }
        };
        self.bytes += text.len();
        if self.copied.len() >= FILES || self.bytes > BYTES {
            return Err(RefusedInclude::TooMuch);
        }
        let target = self.root.join(&path);
        let fail = |source| RefusedInclude::File(FileError::new("write", &target, source));
        // With the directories that `..` leaves again.
        for parent in [self.root.join(directory).join(name).parent(), target.parent()].into_iter().flatten() {
            std::fs::create_dir_all(parent).map_err(fail)?;
        }
        std::fs::write(&target, text).map_err(fail)?;
        let parent = path.parent().unwrap_or(Path::new("")).to_path_buf();
        self.copied.insert(path);
        Ok(Some(parent))
    }

    /// Returns the content of a file; `None` if it does not exist.
    fn text(&self, path: &Path) -> Result<Option<Vec<u8>>, RefusedInclude> {
        let refused = |error: FileError| match error.source.kind() {
            std::io::ErrorKind::Other => RefusedInclude::Outside,
            _ => RefusedInclude::File(error),
        };
        let Some(below) = self.sources.locate(path).map_err(refused)? else { return Ok(None) };
        if !self.allowed.iter().any(|directory| below.starts_with(directory)) {
            return Err(RefusedInclude::Outside);
        }
        self.sources.read(path, LONGEST).map(Some).map_err(refused)
    }
}

/// Returns a path without `.` and `..`; `None` if it leads out of its beginning.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !whole.pop() {
                    return None;
                }
            }
            part => whole.push(part),
        }
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_follow_names_into_new_directories() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let write = |path: &str, text: &str| {
            let path = directory.path().join("clone").join(path);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("makes");
            std::fs::write(path, text).expect("writes");
        };
        write("context/a", "far");
        write("context/sub/a", "near");
        write("context/sub/b", "");
        write("beyond", "");
        std::fs::create_dir(directory.path().join("copies")).expect("makes");
        let root = directory.path().join("copies");
        let sources = SourceDir::new(directory.path().join("clone")).expect("is there");
        let mut copies = IncludeCopies::new(&sources, &root, &[Path::new("context")]).expect("begins");
        assert!(copies.add("a").expect("is found"));
        assert!(copies.add("sub/b").expect("is found"));
        let text = |path: &str| std::fs::read_to_string(root.join(path)).expect("is copied");
        assert_eq!((text("context/a"), text("context/sub/a")), ("far".to_owned(), "near".to_owned()));
        assert!(!copies.add("none").expect("is missing"));
        assert!(matches!(copies.add("../beyond"), Err(RefusedInclude::Outside)));
        assert!(matches!(copies.add("../../clone/../copies/x"), Ok(false) | Err(RefusedInclude::Outside)));
        assert!(!copies.add("/etc/passwd").expect("is left to the preprocessor"));
        let context = Path::new("context");
        assert!(copies.holds(context, "sub/../a") && copies.holds(context, "../x"));
        for path in ["/etc/passwd", "../../x", "/proc/self/environ", "../../../../../../../etc/passwd"] {
            assert!(!copies.holds(context, path), "{path}");
        }
    }
}
