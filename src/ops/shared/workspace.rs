//! The directories of a workspace's clones: one for each repository, side by side. Two addresses never
//! share a directory, and an existing clone is compared with the address in the inventory before use.

use std::path::{Path, PathBuf};

use crate::host::Env;
use crate::model::inventory::{Component, Inventory, is_plain, short_name};
use crate::systems::git::{CloneStanding, GitError, GitUrl, standing};

/// A directory with clones.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    env: Env,
}

/// One repository and the directory of its clone.
#[derive(Debug)]
pub struct CloneLocation {
    /// Its name in the inventory.
    pub repo: String,
    /// Its address; `None` if the inventory has none.
    pub url: Option<String>,
    path: PathBuf,
    standing: Result<CloneStanding, GitError>,
}

impl CloneLocation {
    /// Returns the directory of its clone, whatever is there: for cloning, which checks the content
    /// itself. To read a clone, use [`CloneLocation::found`].
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.path
    }

    /// Returns the directory, if its content is usable: a clone of the repository, or files without a
    /// remote address.
    ///
    /// # Errors
    /// Fails when it is a clone of another repository.
    pub fn found(self) -> Result<Option<PathBuf>, GitError> {
        match self.standing? {
            CloneStanding::Free => Ok(None),
            CloneStanding::Clone { .. } | CloneStanding::Local | CloneStanding::Files => Ok(Some(self.path)),
            CloneStanding::Other { found, unused, .. } => Err(GitError::OtherRepository {
                path: self.path,
                found,
                wanted: self.url.as_deref().map(crate::systems::git::without_login).unwrap_or_default(),
                unused,
            }),
        }
    }

    /// Returns the directory where its clone is or will be.
    ///
    /// # Errors
    /// Fails when a clone of another repository is there.
    pub fn target(self) -> Result<PathBuf, GitError> {
        let path = self.path.clone();
        self.found().map(|_| path)
    }
}

impl Workspace {
    /// Returns the workspace in a directory, which need not exist yet. The environment names the user's
    /// git configuration.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, env: Env) -> Self {
        Self { root: root.into(), env }
    }

    /// Returns the directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the place of a repository's clone: a directory of its short name. If another repository of
    /// the inventory has the same short name, or a clone of another inventory is there, a suffix is added
    /// that depends only on the address.
    #[must_use]
    pub fn location(&self, inventory: &Inventory, repo: &str) -> CloneLocation {
        let url = inventory.repo_url(repo).map(str::to_owned);
        let name = short_name(repo);
        let short = self.root.join(&name);
        let place = |path: PathBuf, standing| CloneLocation {
            repo: repo.to_owned(),
            url: url.clone(),
            path,
            standing,
        };
        let Some(address) = url.as_deref().and_then(|url| GitUrl::parse(url).ok()) else {
            let found = standing(&short, None, &self.env);
            return place(short, found);
        };
        let own = self.root.join(format!("{name}-{}", address.fingerprint()));
        let in_own = standing(&own, Some(&address), &self.env);
        if !matches!(in_own, Ok(CloneStanding::Free)) {
            return place(own, in_own);
        }
        let in_short = standing(&short, Some(&address), &self.env);
        let is_shared = is_shared(inventory, repo, &name, &address);
        let takes_short = match &in_short {
            Ok(CloneStanding::Clone { origin }) => *origin || !is_shared,
            Ok(CloneStanding::Other { made_for_another, .. }) => !is_shared && !made_for_another,
            Ok(_) => !is_shared,
            Err(_) => true,
        };
        if takes_short { place(short, in_short) } else { place(own, in_own) }
    }

    /// Returns the repositories of a component.
    #[must_use]
    pub fn locations(&self, inventory: &Inventory, component: &Component) -> Vec<CloneLocation> {
        component.repos().into_iter().map(|repo| self.location(inventory, repo)).collect()
    }
}

/// Returns whether another repository of the inventory has the same short name. A name from the inventory
/// belongs to that repository alone.
fn is_shared(inventory: &Inventory, repo: &str, name: &str, address: &GitUrl) -> bool {
    let is_another = |other: &str| {
        let url = inventory.repo_url(other).and_then(|url| GitUrl::parse(url).ok());
        url.is_some_and(|url| !url.is_same_repository(address))
    };
    !is_plain(repo) && inventory.repos_of(name).any(is_another)
}
