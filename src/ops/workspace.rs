//! Where things of a workspace are: one folder per repository, side by side, as their owners
//! expect them.

use std::path::{Path, PathBuf};

use crate::model::inventory::{Component, Inventory};

/// A folder with clones.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

/// One repository and where its clone belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its name in the inventory.
    pub repo: String,
    /// Where it is served; `None` when the inventory does not say.
    pub url: Option<String>,
    /// The folder of the clone.
    pub path: PathBuf,
}

impl Workspace {
    /// The workspace in a folder, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a repository's clone belongs.
    #[must_use]
    pub fn place(&self, inventory: &Inventory, repo: &str) -> Place {
        let url = inventory.repo_url(repo).map(str::to_owned);
        let folder = if repo.contains('/') {
            let last = repo.trim_end_matches('/').rsplit('/').next().unwrap_or(repo);
            last.trim_end_matches(".git").replace("..", "_")
        } else {
            repo.to_owned()
        };
        Place { repo: repo.to_owned(), url, path: self.root.join(folder) }
    }

    /// The repositories of a component.
    #[must_use]
    pub fn places(&self, inventory: &Inventory, component: &Component) -> Vec<Place> {
        component.repos().into_iter().map(|repo| self.place(inventory, repo)).collect()
    }
}
