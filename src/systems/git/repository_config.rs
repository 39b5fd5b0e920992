//! The configuration of a repository, and nothing else of it: reading it takes the same time however many
//! files and objects the repository has. `tree` opens repositories whose content is read.

use std::path::{Path, PathBuf};

use git2::{Config, Repository};

use super::error::at;
use super::{GitError, tree};

/// A repository of which only the configuration is read.
pub(super) struct RepositoryConfig {
    directory: PathBuf,
    /// Only its configuration has been checked for special files, so it must not leave this module.
    repository: Repository,
}

/// Name of a remote, and its address as written.
pub(super) struct Remote {
    pub(super) name: String,
    pub(super) url: String,
}

impl RepositoryConfig {
    /// Reads the configuration of the repository in a directory, not in a parent.
    ///
    /// # Errors
    /// Fails if there is none, or one that cannot be read or whose files are elsewhere.
    pub(super) fn open(directory: &Path) -> Result<Self, GitError> {
        let repository = tree::open_for_config(directory)?;
        Ok(Self { directory: directory.to_owned(), repository })
    }

    /// Reads the configuration of the repository that contains a directory: its own, or that of the nearest
    /// parent directory. `None` if there is none, or if it is bare.
    ///
    /// # Errors
    /// Fails if there is a repository that cannot be read or whose files are elsewhere.
    pub(super) fn around(directory: &Path) -> Result<Option<Self>, GitError> {
        let Some(repository) = tree::discover_for_config(directory)? else { return Ok(None) };
        let Some(root) = repository.workdir() else { return Ok(None) };
        // Its configuration could move its files anywhere.
        Self::open(&root.components().collect::<PathBuf>()).map(Some)
    }

    /// Returns the directory that it was opened for.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns whether it has a working tree.
    pub(super) fn has_working_tree(&self) -> bool {
        self.repository.workdir().is_some()
    }

    /// Returns its remotes.
    ///
    /// # Errors
    /// Fails if the configuration cannot be read.
    pub(super) fn remotes(&self) -> Result<Vec<Remote>, GitError> {
        let read = || -> Result<Vec<Remote>, git2::Error> {
            let mut remotes = Vec::new();
            for name in self.repository.remotes()?.iter() {
                let name = name?.unwrap_or_default().to_owned();
                let url = tree::address(&self.repository, &name).unwrap_or_default();
                remotes.push(Remote { name, url });
            }
            Ok(remotes)
        };
        read().map_err(at(&self.directory))
    }

    /// Returns all of its settings.
    ///
    /// # Errors
    /// Fails if the configuration cannot be read.
    pub(super) fn settings(&self) -> Result<Config, GitError> {
        self.repository.config().map_err(at(&self.directory))
    }
}
