//! Creation of a repository from nothing: commits with given content, author and time, so that their ids are
//! always the same. For repositories that come with the program, such as the demo's.

use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{Repository, RepositoryInitOptions, Signature, Time};

use super::error::at;
use super::{CommitId, GitError};

/// Author of commits.
#[derive(Debug, Clone)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
}

/// Mode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Ordinary file.
    Plain,
    /// Executable file.
    Executable,
    /// Symbolic link; the content is its target.
    Link,
}

/// File of a commit.
#[derive(Debug, Clone)]
pub struct TreeFile {
    /// Path in the repository.
    pub path: String,
    /// Content.
    pub content: Vec<u8>,
    /// Mode.
    pub mode: Mode,
}

/// A bare repository under construction.
pub struct History {
    repository: Repository,
    author: Author,
    seconds: i64,
}

/// Seconds between one commit and the next.
const STEP: i64 = 3600;

impl History {
    /// Creates a repository in a directory that is missing or empty. The first commit is dated `start` (in
    /// seconds since 1970), each further one an hour later.
    ///
    /// # Errors
    /// Fails if the repository cannot be created.
    pub fn begin(
        directory: &Path,
        default_branch: &str,
        author: Author,
        start: i64,
    ) -> Result<Self, GitError> {
        let mut options = RepositoryInitOptions::new();
        // The user's templates may contain hooks, which do not belong here.
        options.bare(true).no_reinit(true).external_template(false).initial_head(default_branch);
        let repository = Repository::init_opts(directory, &options).map_err(at(directory))?;
        Ok(Self { repository, author, seconds: start })
    }

    /// Commits a whole tree: files that are not given are not in the commit.
    ///
    /// # Errors
    /// Fails if a path cannot be in a repository, or the repository cannot be written.
    pub fn commit(
        &mut self,
        parent: Option<CommitId>,
        message: &str,
        files: &[TreeFile],
    ) -> Result<CommitId, GitError> {
        let id = self.write(parent, message, files).map_err(at(self.repository.path()))?;
        self.seconds += STEP;
        Ok(CommitId::new(id))
    }

    fn write(
        &self,
        parent: Option<CommitId>,
        message: &str,
        files: &[TreeFile],
    ) -> Result<git2::Oid, git2::Error> {
        let mut update = TreeUpdateBuilder::new();
        for file in files {
            let mode = match file.mode {
                Mode::Plain => git2::FileMode::Blob,
                Mode::Executable => git2::FileMode::BlobExecutable,
                Mode::Link => git2::FileMode::Link,
            };
            update.upsert(file.path.as_str(), self.repository.blob(&file.content)?, mode);
        }
        let empty = self.repository.find_tree(self.repository.treebuilder(None)?.write()?)?;
        let tree = self.repository.find_tree(update.create_updated(&self.repository, &empty)?)?;
        let parent = parent.map(|id| self.repository.find_commit(id.oid())).transpose()?;
        let parents: Vec<_> = parent.iter().collect();
        let who = Signature::new(&self.author.name, &self.author.email, &Time::new(self.seconds, 0))?;
        self.repository.commit(None, &who, &who, message, &tree, &parents)
    }

    /// Points a ref, a branch (`refs/heads/…`) or any other, to a commit, whether or not it exists.
    ///
    /// # Errors
    /// Fails if the text is not the full name of a ref, or the ref cannot be written.
    pub fn update_ref(&self, reference: &str, to: CommitId) -> Result<(), GitError> {
        if !reference.starts_with("refs/") || !git2::Reference::is_valid_name(reference) {
            return Err(GitError::RefName { name: reference.escape_default().to_string() });
        }
        let pointed = self.repository.reference(reference, to.oid(), true, "cki: written");
        pointed.map(|_| ()).map_err(at(self.repository.path()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str, mode: Mode) -> TreeFile {
        TreeFile { path: path.into(), content: content.into(), mode }
    }

    fn write(directory: &Path) -> Result<CommitId, GitError> {
        let author = Author { name: "A".into(), email: "a@example.com".into() };
        let mut history = History::begin(directory, "main", author, 1_700_000_000)?;
        let files = [
            file("a/b.sh", "#!/bin/sh\n", Mode::Executable),
            file("c", "text\n", Mode::Plain),
            file("l", "c", Mode::Link),
        ];
        let first = history.commit(None, "first\n", &files)?;
        let second = history.commit(Some(first), "second\n", &files[..1])?;
        history.update_ref("refs/heads/main", second)?;
        history.update_ref("refs/merge-requests/7/head", first)?;
        Ok(second)
    }

    #[test]
    fn history_ids_are_reproducible() {
        let directory = tempfile::tempdir().expect("a directory");
        let one = write(&directory.path().join("one")).expect("writes");
        let two = write(&directory.path().join("deep/two")).expect("writes");
        assert_eq!(one, two);
        assert_eq!(one.to_string(), "5a32add5be1c7b6f32ea02a98ea9798902bada9d");
        let repository = crate::systems::git::tree::open_own(&directory.path().join("one")).expect("opens");
        assert_eq!(repository.head().expect("has a head").name().ok(), Some("refs/heads/main"));
        let commit = repository.find_commit(one.oid()).expect("is there");
        assert_eq!((commit.tree().expect("has files").len(), commit.parent_count()), (1, 1));
        assert_eq!(commit.time().seconds(), 1_700_003_600);
    }

    #[test]
    fn history_rejects_invalid_paths_and_refs() {
        let directory = tempfile::tempdir().expect("a directory");
        let author = Author { name: "A".into(), email: "a@example.com".into() };
        let mut history = History::begin(directory.path(), "main", author, 0).expect("begins");
        for path in ["../x", ".git/config", "/x", ""] {
            assert!(history.commit(None, "m", &[file(path, "", Mode::Plain)]).is_err(), "{path}");
        }
        let id = history.commit(None, "m", &[]).expect("an empty tree is a tree");
        assert!(history.update_ref("HEAD", id).is_err() && history.update_ref("refs/a b", id).is_err());
    }
}
