//! Files of a commit, read from the objects of a clone. The working tree is not used.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Repository};

use super::error::at;
use super::{GitError, tree};

/// Files of a commit.
pub struct Tree {
    repository: Repository,
    id: git2::Oid,
    root: PathBuf,
    revision: String,
}

impl Tree {
    /// Opens the files of a revision in git's syntax: a branch, a tag, a commit, `HEAD~1`. Returns `None` if
    /// the revision does not exist.
    ///
    /// # Errors
    /// Fails if there is no clone, or it cannot be read.
    pub fn open(directory: &Path, revision: &str) -> Result<Option<Self>, GitError> {
        let repository = tree::open(directory)?;
        let find = |name: &str| match repository.revparse_single(name) {
            Ok(object) => object.peel_to_tree().map(|tree| Some(tree.id())),
            Err(error) => match error.code() {
                ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Ambiguous => Ok(None),
                _ => Err(error),
            },
        };
        let mut id = find(revision).map_err(at(directory))?;
        if id.is_none() {
            // The branch exists only on the remote; nobody has checked it out yet.
            id = find(&format!("origin/{revision}")).map_err(at(directory))?;
        }
        let (root, revision) = (directory.to_path_buf(), revision.to_owned());
        Ok(id.map(|id| Self { repository, id, root, revision }))
    }

    /// Returns the directory of the clone.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the revision as the caller wrote it.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Returns whether a path is a directory; `None` if it is neither a file nor a directory, or missing.
    ///
    /// # Errors
    /// Fails if the repository cannot be read.
    pub fn is_directory(&self, path: &str) -> Result<Option<bool>, GitError> {
        Ok(match self.find(path)? {
            Some((_, ObjectType::Tree)) => Some(true),
            Some((_, ObjectType::Blob)) => Some(false),
            _ => None,
        })
    }

    /// Returns the content of a file; `None` if the file is missing, or longer than `limit`.
    ///
    /// # Errors
    /// Fails if the repository cannot be read.
    pub fn content(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, GitError> {
        let Some((id, ObjectType::Blob)) = self.find(path)? else { return Ok(None) };
        let header = self.repository.odb().and_then(|odb| odb.read_header(id)).map_err(at(&self.root))?;
        if header.0 as u64 > limit {
            return Ok(None);
        }
        let blob = self.repository.find_blob(id).map_err(at(&self.root))?;
        Ok(Some(blob.content().to_vec()))
    }

    /// Returns the names in a directory, sorted.
    ///
    /// # Errors
    /// Fails if the directory does not exist, or the repository cannot be read.
    pub fn names(&self, directory: &str) -> Result<Vec<String>, GitError> {
        let Some((id, ObjectType::Tree)) = self.find(directory)? else { return Ok(Vec::new()) };
        let tree = self.repository.find_tree(id).map_err(at(&self.root))?;
        let mut names: Vec<String> =
            tree.iter().map(|entry| String::from_utf8_lossy(entry.name_bytes()).into_owned()).collect();
        names.sort();
        Ok(names)
    }

    /// Returns the object at a path. A symbolic link counts as missing: its target is not followed.
    fn find(&self, path: &str) -> Result<Option<(git2::Oid, ObjectType)>, GitError> {
        if path.is_empty() {
            return Ok(Some((self.id, ObjectType::Tree)));
        }
        let mut tree = self.repository.find_tree(self.id).map_err(at(&self.root))?;
        let mut steps = path.split('/').filter(|step| !step.is_empty()).peekable();
        while let Some(step) = steps.next() {
            let Some((id, kind, mode)) =
                tree.get_name(step).map(|entry| (entry.id(), entry.kind(), entry.filemode()))
            else {
                return Ok(None);
            };
            if steps.peek().is_none() {
                let is_link = mode == i32::from(git2::FileMode::Link);
                return Ok(kind.filter(|_| !is_link).map(|kind| (id, kind)));
            }
            if kind != Some(ObjectType::Tree) {
                return Ok(None);
            }
            // A directory that its parent names, and that is not there, is damage. `get_path` takes it for a missing path.
            tree = self.repository.find_tree(id).map_err(at(&self.root))?;
        }
        Ok(None)
    }
}
