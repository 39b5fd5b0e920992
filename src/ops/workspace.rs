//! Where the clones of a workspace are: one directory per repository, side by side. A directory
//! stands for one repository: two addresses never share one, and what stands there is compared with
//! the address in the inventory before anybody uses it.

use std::path::{Path, PathBuf};

use crate::host::Env;
use crate::model::inventory::{Component, Inventory, is_plain, short_name};
use crate::systems::git::{GitError, GitUrl, Standing, standing};

/// A folder with clones.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    env: Env,
}

/// One repository and where its clone belongs.
#[derive(Debug)]
pub struct Place {
    /// Its name in the inventory.
    pub repo: String,
    /// Where it is served; `None` when the inventory does not say.
    pub url: Option<String>,
    path: PathBuf,
    standing: Result<Standing, GitError>,
}

impl Place {
    /// The directory where its clone stands or shall stand, whatever is there: for cloning, which looks
    /// at that itself. Whoever reads a clone uses [`Place::found`].
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.path
    }

    /// The directory, if there is something to use: a clone of the repository, or files that have no
    /// address of their own.
    ///
    /// # Errors
    /// When it is a clone of another repository.
    pub fn found(self) -> Result<Option<PathBuf>, GitError> {
        match self.standing? {
            Standing::Free => Ok(None),
            Standing::Clone { .. } | Standing::Local | Standing::Files => Ok(Some(self.path)),
            Standing::Other { found, unused, .. } => Err(GitError::OtherRepository {
                path: self.path,
                found,
                wanted: self.url.as_deref().map(crate::systems::git::without_login).unwrap_or_default(),
                unused,
            }),
        }
    }

    /// The directory where its clone is or will be.
    ///
    /// # Errors
    /// When a clone of another repository is there.
    pub fn target(self) -> Result<PathBuf, GitError> {
        let path = self.path.clone();
        self.found().map(|_| path)
    }
}

impl Workspace {
    /// The workspace in a folder, which need not exist yet. The environment names the person's git
    /// configuration.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, env: Env) -> Self {
        Self { root: root.into(), env }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a repository's clone belongs: in a directory of its short name. Where another repository
    /// of the inventory has the same short name, or another inventory's clone stands there, a part is
    /// added that depends on nothing but the address.
    #[must_use]
    pub fn place(&self, inventory: &Inventory, repo: &str) -> Place {
        let url = inventory.repo_url(repo).map(str::to_owned);
        let name = short_name(repo);
        let short = self.root.join(&name);
        let place =
            |path: PathBuf, standing| Place { repo: repo.to_owned(), url: url.clone(), path, standing };
        let Some(address) = url.as_deref().and_then(|url| GitUrl::parse(url).ok()) else {
            let found = standing(&short, None, &self.env);
            return place(short, found);
        };
        let own = self.root.join(format!("{name}-{}", address.fingerprint()));
        let in_own = standing(&own, Some(&address), &self.env);
        if !matches!(in_own, Ok(Standing::Free)) {
            return place(own, in_own);
        }
        let in_short = standing(&short, Some(&address), &self.env);
        let is_shared = is_shared(inventory, repo, &name, &address);
        let takes_short = match &in_short {
            Ok(Standing::Clone { origin }) => *origin || !is_shared,
            Ok(Standing::Other { made_for_another, .. }) => !is_shared && !made_for_another,
            Ok(_) => !is_shared,
            Err(_) => true,
        };
        if takes_short { place(short, in_short) } else { place(own, in_own) }
    }

    /// The repositories of a component.
    #[must_use]
    pub fn places(&self, inventory: &Inventory, component: &Component) -> Vec<Place> {
        component.repos().into_iter().map(|repo| self.place(inventory, repo)).collect()
    }
}

/// Whether the inventory has another repository of the same short name. A name that the inventory gives
/// belongs to that repository alone.
fn is_shared(inventory: &Inventory, repo: &str, name: &str, address: &GitUrl) -> bool {
    let is_another = |other: &str| {
        let url = inventory.repo_url(other).and_then(|url| GitUrl::parse(url).ok());
        url.is_some_and(|url| !url.is_same_repository(address))
    };
    !is_plain(repo) && inventory.repos_of(name).any(is_another)
}
