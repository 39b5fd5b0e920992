//! Reads files of a commit from the objects of a clone, without touching its working tree.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Repository};

use super::error::at;
use super::{GitError, tree};

/// The files of a commit.
pub struct Tree {
    repository: Repository,
    id: git2::Oid,
    root: PathBuf,
    revision: String,
}

impl Tree {
    /// The files of a revision, as git writes revisions: a branch, a tag, a commit, `HEAD~1`. `None`
    /// if there is no such revision.
    ///
    /// # Errors
    /// When there is no clone, or it cannot be read.
    pub fn open(folder: &Path, revision: &str) -> Result<Option<Self>, GitError> {
        let repository = tree::open(folder)?;
        let find = |name: &str| match repository.revparse_single(name) {
            Ok(object) => object.peel_to_tree().map(|tree| Some(tree.id())),
            Err(error) => match error.code() {
                ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Ambiguous => Ok(None),
                _ => Err(error),
            },
        };
        let mut id = find(revision).map_err(at(folder))?;
        if id.is_none() {
            // A branch that nobody has checked out yet.
            id = find(&format!("origin/{revision}")).map_err(at(folder))?;
        }
        let (root, revision) = (folder.to_path_buf(), revision.to_owned());
        Ok(id.map(|id| Self { repository, id, root, revision }))
    }

    /// The clone's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The revision as it was asked for.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Whether a path is a folder; `None` if there is nothing, or neither a file nor a folder.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn is_folder(&self, path: &str) -> Result<Option<bool>, GitError> {
        Ok(match self.find(path)? {
            Some((_, ObjectType::Tree)) => Some(true),
            Some((_, ObjectType::Blob)) => Some(false),
            _ => None,
        })
    }

    /// What is in a file; `None` if it is not there, or longer than `limit`.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn content(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, GitError> {
        let Some((id, ObjectType::Blob)) = self.find(path)? else { return Ok(None) };
        let header = self.repository.odb().and_then(|odb| odb.read_header(id)).map_err(at(&self.root))?;
        if header.0 as u64 > limit {
            return Ok(None);
        }
        let blob = self.repository.find_blob(id).map_err(at(&self.root))?;
        Ok(Some(blob.content().to_vec()))
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// When there is no such folder, or the repository cannot be read.
    pub fn names(&self, folder: &str) -> Result<Vec<String>, GitError> {
        let Some((id, ObjectType::Tree)) = self.find(folder)? else { return Ok(Vec::new()) };
        let tree = self.repository.find_tree(id).map_err(at(&self.root))?;
        let mut names: Vec<String> =
            tree.iter().map(|entry| String::from_utf8_lossy(entry.name_bytes()).into_owned()).collect();
        names.sort();
        Ok(names)
    }

    /// The object at a path. A symbolic link is none: where it leads is not followed.
    fn find(&self, path: &str) -> Result<Option<(git2::Oid, ObjectType)>, GitError> {
        if path.is_empty() {
            return Ok(Some((self.id, ObjectType::Tree)));
        }
        let tree = self.repository.find_tree(self.id).map_err(at(&self.root))?;
        match tree.get_path(Path::new(path)) {
            Ok(entry) if entry.filemode() == i32::from(git2::FileMode::Link) => Ok(None),
            Ok(entry) => Ok(entry.kind().map(|kind| (entry.id(), kind))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(at(&self.root)(error)),
        }
    }
}
