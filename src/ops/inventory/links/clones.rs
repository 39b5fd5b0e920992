//! Files of links in local clones: those that are checked out, and those of branches, tags and commits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::base::source_dir::SourceDir;
use crate::model::forge::ForgeFile;
use crate::model::inventory::Inventory;
use crate::ops::shared::workspace::Workspace;
use crate::systems::git::{GitUrl, Tree};

/// State of a file, as far as the clones of this machine show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LinkedFile {
    /// It is there.
    There,
    /// The clone of this repository lacks it, at this revision.
    Missing {
        /// Repository, by its name in the inventory or its address.
        repo: String,
        /// Path in the repository.
        path: String,
        /// Branch, tag or commit; `None` for the files of the clone.
        revision: Option<String>,
    },
    /// There is no clone, or it does not have the revision.
    Unknown,
}

/// The clones of an inventory, each looked for once.
pub(super) struct LocalClones<'a> {
    inventory: &'a Inventory,
    workspace: &'a Workspace,
    /// Directories of repositories that have a clone.
    directories: HashMap<&'a str, Option<PathBuf>>,
    /// Files of revisions that are in a clone.
    trees: HashMap<(PathBuf, String), Option<Tree>>,
    /// Repositories by the fingerprint of their address.
    by_address: HashMap<String, &'a str>,
}

impl<'a> LocalClones<'a> {
    pub(super) fn new(inventory: &'a Inventory, workspace: &'a Workspace) -> Self {
        let address = |(name, url): (&'a String, &String)| {
            Some((GitUrl::parse(url).ok()?.fingerprint(), name.as_str()))
        };
        let by_address = inventory.repos.iter().filter_map(address).collect();
        Self { inventory, workspace, directories: HashMap::new(), trees: HashMap::new(), by_address }
    }

    /// Looks for a path in the clone of a repository: in its files, else in its newest commit.
    pub(super) fn path(&mut self, repo: &'a str, path: &str) -> LinkedFile {
        let Some(directory) = self.directory(repo) else { return LinkedFile::Unknown };
        let below = path.trim_matches('/');
        let is_there = SourceDir::new(&directory).and_then(|files| files.locate(Path::new(below)));
        let is_there = match is_there {
            Ok(Some(_)) => true,
            Ok(None) => self.is_in(&directory, "HEAD", below) == Some(true),
            // It leads out of the clone, or into its git directory.
            Err(_) => false,
        };
        if is_there {
            return LinkedFile::There;
        }
        LinkedFile::Missing { repo: repo.to_owned(), path: path.to_owned(), revision: None }
    }

    /// Looks for a file that an address names, at its revision.
    pub(super) fn file(&mut self, file: &ForgeFile) -> LinkedFile {
        let address = GitUrl::parse(&file.repository).ok();
        let repo = address.and_then(|address| self.by_address.get(&address.fingerprint()).copied());
        let Some(repo) = repo else { return LinkedFile::Unknown };
        let Some(directory) = self.directory(repo) else { return LinkedFile::Unknown };
        let mut missing = LinkedFile::Unknown;
        for (revision, path) in file.readings() {
            match self.is_in(&directory, &revision, &path) {
                Some(true) => return LinkedFile::There,
                Some(false) => {
                    missing = LinkedFile::Missing { repo: repo.to_owned(), path, revision: Some(revision) };
                }
                None => {}
            }
        }
        missing
    }

    fn directory(&mut self, repo: &'a str) -> Option<PathBuf> {
        let (inventory, workspace) = (self.inventory, self.workspace);
        let find = || workspace.location(inventory, repo).found().ok().flatten();
        self.directories.entry(repo).or_insert_with(find).clone()
    }

    /// Returns whether a revision has a path; `None` if the clone does not have the revision.
    fn is_in(&mut self, directory: &Path, revision: &str, path: &str) -> Option<bool> {
        let tree = self.trees.entry((directory.to_owned(), revision.to_owned())).or_insert_with(|| {
            // What the server has is what the remote branch had when it was fetched.
            let remote = Tree::open(directory, &format!("origin/{revision}")).ok().flatten();
            remote.or_else(|| Tree::open(directory, revision).ok().flatten())
        });
        tree.as_ref()?.is_directory(path).ok().map(|kind| kind.is_some())
    }
}
