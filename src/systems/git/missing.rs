//! Content that a clone lacks: submodules that were not fetched, and files in Git LFS. Only reads; `cki`
//! names them and leaves fetching to `git`.

use std::io::Read as _;
use std::path::Path;

use git2::{Repository, SubmoduleUpdate};

use super::error::at;
use super::{GitError, tree};
use crate::base::files;

/// First line of a Git LFS pointer file (git-lfs, `docs/spec.md`).
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
/// Maximum bytes of a pointer file.
const LONGEST_POINTER: u32 = 1024;
/// Maximum bytes of an attributes file.
const LONGEST_ATTRIBUTES: u64 = 1 << 20;
/// Maximum number of small files to check for pointers.
const MOST: usize = 20_000;

/// Content that a clone lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingContent {
    /// Paths of submodules.
    pub submodules: Vec<String>,
    /// Paths of files.
    pub files: Vec<String>,
}

/// Finds the content that a clone lacks; empty if there is no clone.
///
/// # Errors
/// Fails if the clone cannot be read.
pub fn missing(directory: &Path) -> Result<MissingContent, GitError> {
    match tree::open(directory) {
        Ok(repository) => look(&repository, directory).map_err(at(directory)),
        Err(GitError::NoRepository { .. }) => Ok(MissingContent::default()),
        Err(error) => Err(error),
    }
}

fn look(repository: &Repository, directory: &Path) -> Result<MissingContent, git2::Error> {
    let mut missing = MissingContent::default();
    if directory.join(".gitmodules").is_file() {
        for submodule in repository.submodules()? {
            let is_wanted = submodule.update_strategy() != SubmoduleUpdate::None;
            let is_there = directory.join(submodule.path()).join(".git").exists();
            if is_wanted && !is_there && submodule.index_id().is_some() {
                missing.submodules.push(submodule.path().display().to_string());
            }
        }
    }
    let index = repository.index()?;
    let names = |entry: &git2::IndexEntry| String::from_utf8_lossy(&entry.path).into_owned();
    let uses_lfs = index.iter().filter(|entry| entry.path.ends_with(b".gitattributes")).any(|entry| {
        files::read_text(&directory.join(names(&entry)), LONGEST_ATTRIBUTES)
            .is_ok_and(|text| text.contains("filter=lfs"))
    });
    if uses_lfs {
        let small = index.iter().filter(|entry| entry.file_size <= LONGEST_POINTER).take(MOST);
        missing
            .files
            .extend(small.map(|entry| names(&entry)).filter(|path| is_pointer(&directory.join(path))));
    }
    Ok(missing)
}

fn is_pointer(path: &Path) -> bool {
    let mut begin = Vec::new();
    let is_file = path.symlink_metadata().is_ok_and(|facts| facts.is_file());
    let Some(file) = is_file.then(|| fs_err::File::open(path).ok()).flatten() else { return false };
    file.take(POINTER.len() as u64).read_to_end(&mut begin).is_ok() && begin == POINTER
}
