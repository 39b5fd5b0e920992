//! The directories of a workspace's clones: one for each repository, side by side. Two addresses never
//! share a directory, and an existing clone is compared with the address in the inventory before use. A
//! working tree of the user stands in for the clone of its repository; it is used in place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::host::Env;
use crate::model::inventory::{Component, Inventory, is_plain, short_name};
use crate::systems::git::{CloneStanding, GitError, GitUrl, Scheme, WorkingTree, is_working_tree, standing};

/// A directory with clones, and the user's working trees.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    env: Env,
    own: Arc<OwnTrees>,
    /// Repositories whose clones are used, whatever working trees there are.
    cloned: BTreeSet<String>,
}

/// The working trees around some directories, read when they are first needed.
#[derive(Debug, Default)]
struct OwnTrees {
    directories: Vec<PathBuf>,
    found: OnceLock<Vec<WorkingTree>>,
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
    in_place: bool,
}

impl CloneLocation {
    /// Returns whether it is a working tree of the user, which `cki` reads and never changes.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.in_place
    }

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
        Self { root: root.into(), env, own: Arc::default(), cloned: BTreeSet::new() }
    }

    /// Returns it with the user's working trees around these directories, the nearest first.
    #[must_use]
    pub fn with_trees_around(self, directories: Vec<PathBuf>) -> Self {
        Self { own: Arc::new(OwnTrees { directories, found: OnceLock::new() }), ..self }
    }

    /// Returns it for work on a merge request of a component: its own repositories are clones, since a
    /// working tree of the user stays on its branch.
    #[must_use]
    pub fn for_merge_request(&self, component: &Component) -> Self {
        let built_from = component.build.as_ref().map(|build| build.repo.as_str());
        let own = component.repos().first().copied();
        self.with_clones_of(built_from.into_iter().chain(own).map(str::to_owned))
    }

    /// Returns it for work on commits of these repositories: they are clones, since a working tree of the user stays as it
    /// is.
    #[must_use]
    pub fn with_clones_of(&self, repos: impl IntoIterator<Item = String>) -> Self {
        Self { cloned: repos.into_iter().collect(), ..self.clone() }
    }

    /// Returns whether a working tree of the user may be used in place of a clone of a repository.
    #[must_use]
    pub fn uses_tree_of(&self, repo: &str) -> bool {
        !self.cloned.contains(repo)
    }

    /// Returns the directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the place of a repository: the user's working tree, if there is one, or its clone.
    #[must_use]
    pub fn location(&self, inventory: &Inventory, repo: &str) -> CloneLocation {
        self.own_tree(inventory, repo).unwrap_or_else(|| self.clone_location(inventory, repo))
    }

    /// Returns the working tree to use in place: the one that the address in the inventory is the path of,
    /// or one whose remote is the repository.
    fn own_tree(&self, inventory: &Inventory, repo: &str) -> Option<CloneLocation> {
        if self.cloned.contains(repo) {
            return None;
        }
        let url = inventory.repo_url(repo)?;
        let address = GitUrl::parse(url).ok()?;
        let place = |path: &Path, standing| CloneLocation {
            repo: repo.to_owned(),
            url: Some(url.to_owned()),
            path: path.to_owned(),
            standing,
            in_place: true,
        };
        // `file://` asks for a clone.
        if address.scheme() == Scheme::Local && url.starts_with('/') {
            return match is_working_tree(Path::new(url)) {
                Ok(true) => Some(place(Path::new(url), Ok(CloneStanding::Local))),
                Ok(false) => None,
                Err(error) => Some(place(Path::new(url), Err(error))),
            };
        }
        let is_shared = || is_shared(inventory, repo, &short_name(repo), &address);
        let found = self.own_trees().iter().find(|tree| {
            let origin = tree.is_of(&address);
            origin.is_some_and(|origin| origin || !is_shared())
        })?;
        Some(place(found.root(), Ok(CloneStanding::Clone { origin: true })))
    }

    /// Returns the user's working trees. A tree below the workspace is a clone like the others.
    fn own_trees(&self) -> &[WorkingTree] {
        let root = || self.root.canonicalize().unwrap_or_else(|_| self.root.clone());
        self.own.found.get_or_init(|| {
            let mut found: Vec<WorkingTree> = Vec::new();
            for directory in &self.own.directories {
                // A tree that cannot be read, such as one of another user, is none of the user's.
                let Ok(Some(tree)) = WorkingTree::around(directory, &self.env) else { continue };
                let is_known = found.iter().any(|known| known.root() == tree.root());
                if !is_known && !tree.root().starts_with(root()) {
                    found.push(tree);
                }
            }
            found
        })
    }

    /// Returns the place of a repository's clone: a directory of its short name. If another repository of
    /// the inventory has the same short name, or a clone of another inventory is there, a suffix is added
    /// that depends only on the address.
    #[must_use]
    pub fn clone_location(&self, inventory: &Inventory, repo: &str) -> CloneLocation {
        let url = inventory.repo_url(repo).map(str::to_owned);
        let name = short_name(repo);
        let short = self.root.join(&name);
        let place = |path: PathBuf, standing| CloneLocation {
            repo: repo.to_owned(),
            url: url.clone(),
            path,
            standing,
            in_place: false,
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
