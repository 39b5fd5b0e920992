//! Access to the files of a repository, in its clone or in a commit of it. Access is read-only, and never
//! leaves the repository.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ignore::WalkBuilder;

use crate::base::source_dir::{SourceDir, SourceKind};
use crate::base::text::bytes;
use crate::base::tree_snapshot::refuse_special_ignore_files;
use crate::model::scan::ScanRules;
use crate::systems::git::{GitError, Tree};

/// Maximum bytes of a file; longer files are generated.
const LONGEST: u64 = 1 << 20;
/// Number of bytes in which to look for the interpreter of a script.
const FIRST_LINE: u64 = 256;

/// The files of a repository.
pub(super) enum SourceTree {
    /// The files of a clone, given by a path without symbolic links.
    Clone(SourceDir),
    /// The files of a commit. Only one thread at a time may read them.
    Commit(Mutex<Tree>),
}

impl SourceTree {
    /// Returns a clone, if it exists.
    pub(super) fn of_clone(path: &Path) -> Option<Self> {
        let real = path.canonicalize().ok().filter(|root| root.is_dir())?;
        SourceDir::new(real).ok().map(Self::Clone)
    }

    /// Returns a revision of a clone, if both exist.
    pub(super) fn of_revision(path: &Path, revision: &str) -> Result<Option<Self>, GitError> {
        if !path.is_dir() {
            return Ok(None);
        }
        Ok(Tree::open(path, revision)?.map(|tree| Self::Commit(Mutex::new(tree))))
    }

    /// Returns the real path of a file, if it is a file inside the repository.
    pub(super) fn file(&self, path: &Path) -> Option<PathBuf> {
        match self {
            Self::Clone(root) => {
                inside(root, path).filter(|below| matches!(root.kind(below), Ok(Some(SourceKind::File))))
            }
            Self::Commit(tree) => {
                let path = plain(path)?;
                (held(tree).is_directory(&path).ok()? == Some(false)).then(|| PathBuf::from(path))
            }
        }
    }

    /// Passes the files below a path to a function, sorted, without ignored and useless ones, until the
    /// function returns false.
    ///
    /// # Errors
    /// Fails with a message when there is no such path in the repository.
    pub(super) fn walk(
        &self,
        path: &str,
        rules: &ScanRules,
        found: &mut dyn FnMut(Result<PathBuf, String>) -> bool,
    ) -> Result<(), String> {
        let missing = || "is not in the clone".to_owned();
        match self {
            Self::Clone(root) => {
                let outside = || {
                    let is_there = root.path().join(path).exists();
                    if is_there { "is outside of the clone".to_owned() } else { missing() }
                };
                let start = inside(root, Path::new(path)).ok_or_else(outside)?;
                walk_directory(root.path(), &start, rules, found);
            }
            Self::Commit(tree) => {
                let tree = held(tree);
                let start = plain(Path::new(path)).ok_or_else(missing)?;
                match tree.is_directory(&start).map_err(|error| error.to_string())? {
                    Some(true) => {
                        walk_tree(&tree, &start, rules, found).map_err(|error| error.to_string())?;
                    }
                    Some(false) => drop(found(Ok(start.into()))),
                    None => return Err(missing()),
                }
            }
        }
        Ok(())
    }

    /// Returns the beginning of a file, as far as it is text.
    pub(super) fn first_line(&self, path: &Path) -> String {
        let mut start = Vec::new();
        match self {
            Self::Clone(root) => {
                let Ok(file) = root.open(path) else { return String::new() };
                if file.take(FIRST_LINE).read_to_end(&mut start).is_err() {
                    return String::new();
                }
            }
            Self::Commit(tree) => {
                let content = plain(path).and_then(|path| held(tree).content(&path, LONGEST).ok()?);
                start = content.unwrap_or_default();
                start.truncate(usize::try_from(FIRST_LINE).unwrap_or_default());
            }
        }
        if start.starts_with(b"#!") { String::from_utf8_lossy(&start).into_owned() } else { String::new() }
    }

    /// Returns the content of a file.
    ///
    /// # Errors
    /// Fails with the reason when the file is not read.
    pub(super) fn text(&self, path: &Path) -> Result<String, String> {
        let too_long = || format!("is longer than {}", bytes(LONGEST));
        match self {
            Self::Clone(root) => {
                if std::fs::symlink_metadata(root.path().join(path)).is_ok_and(|data| data.len() > LONGEST) {
                    return Err(too_long());
                }
                root.read_text(path, LONGEST).map_err(|error| error.source.to_string())
            }
            Self::Commit(tree) => {
                let path = plain(path).ok_or("is not in the repository")?;
                let content = held(tree).content(&path, LONGEST).map_err(|error| error.to_string())?;
                String::from_utf8(content.ok_or_else(too_long)?).map_err(|_| "is no text in UTF-8".to_owned())
            }
        }
    }
}

/// Returns the real path in a clone, if it is inside.
fn inside(root: &SourceDir, path: &Path) -> Option<PathBuf> {
    root.locate(path).ok().flatten()
}

/// Returns a path in git's form, if it stays inside the repository.
fn plain(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => parts.push(name.to_str()?),
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(parts.pop()?),
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

fn held(tree: &Mutex<Tree>) -> MutexGuard<'_, Tree> {
    tree.lock().unwrap_or_else(PoisonError::into_inner)
}

fn walk_directory(
    root: &Path,
    start: &Path,
    rules: &ScanRules,
    found: &mut dyn FnMut(Result<PathBuf, String>) -> bool,
) {
    if let Err(error) = refuse_special_ignore_files(root) {
        found(Err(error.to_string()));
        return;
    }
    let skipped = rules.skipped.clone();
    let walk = WalkBuilder::new(root.join(start))
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .follow_links(false)
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .filter_entry(move |entry| {
            let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.depth() == 0
                || !is_directory
                || !skipped.iter().any(|name| entry.file_name() == name.as_str())
        })
        .build();
    for entry in walk {
        let file = match entry {
            Err(error) => Err(error.to_string()),
            Ok(entry) if !entry.file_type().is_some_and(|kind| kind.is_file()) => continue,
            Ok(entry) => match entry.path().strip_prefix(root) {
                Ok(path) => Ok(path.to_path_buf()),
                Err(_) => continue,
            },
        };
        if !found(file) {
            return;
        }
    }
}

/// Walks a tree; returns whether the function wants more files.
fn walk_tree(
    tree: &Tree,
    directory: &str,
    rules: &ScanRules,
    found: &mut dyn FnMut(Result<PathBuf, String>) -> bool,
) -> Result<bool, GitError> {
    for name in tree.names(directory)? {
        let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        let goes_on = match tree.is_directory(&path)? {
            Some(true) => rules.skipped.contains(&name) || walk_tree(tree, &path, rules, found)?,
            Some(false) => found(Ok(path.into())),
            None => true,
        };
        if !goes_on {
            return Ok(false);
        }
    }
    Ok(true)
}
