//! A working tree that a user works in: its root, and the repositories that its remotes name. Its use in
//! place of a clone belongs to `ops::shared::workspace`; it is never changed here.

use std::path::{Path, PathBuf};

use super::repository_config::RepositoryConfig;
use super::user_config::{AddressRules, UserConfig};
use super::{GitError, GitUrl};
use crate::host::Env;

/// A working tree.
pub struct WorkingTree {
    root: PathBuf,
    remotes: Vec<RemoteUrl>,
    /// The user's git configuration may rewrite addresses.
    rules: AddressRules,
}

/// A remote of a working tree.
struct RemoteUrl {
    is_origin: bool,
    url: GitUrl,
    /// The address after the user's configuration has rewritten it.
    rewritten: GitUrl,
}

impl WorkingTree {
    /// Finds the working tree that contains a directory: its own, or that of the nearest parent directory.
    ///
    /// # Errors
    /// Fails if there is a repository that cannot be read, such as one of another user.
    pub fn around(directory: &Path, env: &Env) -> Result<Option<Self>, GitError> {
        let Some(repository) = RepositoryConfig::around(directory)? else { return Ok(None) };
        let rules = UserConfig::read(env)?.address_rules();
        let mut remotes = Vec::new();
        for remote in repository.remotes()? {
            let Ok(url) = GitUrl::parse(&remote.url) else { continue };
            let rewritten = rules.rewritten(&url);
            remotes.push(RemoteUrl { is_origin: remote.name == "origin", url, rewritten });
        }
        Ok(Some(Self { root: repository.directory().to_owned(), remotes, rules }))
    }

    /// Returns its root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the address of its remote `origin`, or of its only remote, without a login.
    #[must_use]
    pub fn origin(&self) -> Option<&GitUrl> {
        let origin = self.remotes.iter().find(|remote| remote.is_origin);
        let only = || self.remotes.first().filter(|_| self.remotes.len() == 1);
        origin.or_else(only).map(|remote| &remote.url)
    }

    /// Returns whether one of its remotes is the repository, and if so, whether that is `origin` or the only
    /// remote.
    #[must_use]
    pub fn is_of(&self, wanted: &GitUrl) -> Option<bool> {
        if self.remotes.is_empty() {
            return None;
        }
        let goal = self.rules.rewritten(wanted);
        let is_it = |remote: &&RemoteUrl| {
            remote.url.is_same_repository(wanted) || remote.rewritten.is_same_repository(&goal)
        };
        let matching: Vec<&RemoteUrl> = self.remotes.iter().filter(is_it).collect();
        let is_only = matching.len() == self.remotes.len();
        (!matching.is_empty()).then(|| is_only || matching.iter().any(|remote| remote.is_origin))
    }
}

impl std::fmt::Debug for WorkingTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkingTree").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Returns whether a directory is the root of a working tree, not a bare repository.
///
/// # Errors
/// Fails if there is a repository that cannot be read.
pub fn is_working_tree(directory: &Path) -> Result<bool, GitError> {
    if directory.join(".git").symlink_metadata().is_err() {
        return Ok(false);
    }
    match RepositoryConfig::open(directory) {
        Ok(repository) => Ok(repository.has_working_tree()),
        Err(GitError::NoRepository { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
