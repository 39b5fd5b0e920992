//! State of a clone: commit, branch, changes, remotes. Changes nothing in it and opens no connection.

use std::path::{Path, PathBuf};

use git2::Repository;

use super::error::at;
use super::user_config::UserConfig;
use super::{CommitId, GitError, GitUrl, moving, tree, without_login};
use crate::host::Env;

/// State of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Its directory.
    pub root: PathBuf,
    /// Checked-out commit; `None` in an empty repository.
    pub head: Option<CommitId>,
    /// Checked-out branch, unless the head is detached.
    pub branch: Option<String>,
    /// Default branch of the remote, as last known.
    pub default_branch: Option<String>,
    /// Tracked files have uncommitted changes.
    pub dirty: bool,
    /// Untracked files exist that are not ignored.
    pub untracked: bool,
    /// Name and address of each remote, as git resolves it, without logins.
    pub remotes: Vec<(String, String)>,
    /// Number of commits that only the branch has, and that only its upstream branch has, as of the last
    /// fetch.
    pub ahead_behind: Option<(usize, usize)>,
    /// The clone lacks older history.
    pub shallow: bool,
    /// A process was killed while it moved the files to another commit.
    pub half_updated: bool,
}

/// Returns the address of a clone's remote for a repository. The user's git configuration may rewrite both
/// addresses.
pub(super) fn remote_of(
    repository: &Repository,
    wanted: &GitUrl,
    env: &Env,
) -> Result<Option<GitUrl>, GitError> {
    let user = UserConfig::read(env)?;
    let goal = user.rewritten(wanted)?;
    let names = repository.remotes().map_err(at(repository.path()))?;
    for name in names.iter() {
        let name = name.map_err(at(repository.path()))?.unwrap_or_default();
        let address = tree::address(repository, name).ok().and_then(|url| GitUrl::parse(&url).ok());
        let is_it = |url: &GitUrl| {
            let actual = user.rewritten(url).ok();
            url.is_same_repository(wanted) || actual.is_some_and(|url| url.is_same_repository(&goal))
        };
        if let Some(found) = address.filter(is_it) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Inspects the clone in a directory; `None` if there is none, or if it is bare.
///
/// # Errors
/// Fails if there is a clone that cannot be read.
pub fn inspect(directory: &Path) -> Result<Option<Checkout>, GitError> {
    match tree::open(directory) {
        Ok(repository) => look(&repository),
        Err(GitError::NoRepository { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Inspects the clone that contains a directory: its own, or that of the nearest parent directory.
///
/// # Errors
/// Fails if there is a clone that cannot be read.
pub fn discover(directory: &Path) -> Result<Option<Checkout>, GitError> {
    tree::discover(directory)?.map_or(Ok(None), |repository| look(&repository))
}

fn look(repository: &Repository) -> Result<Option<Checkout>, GitError> {
    let Some(root) = repository.workdir() else { return Ok(None) };
    read(repository, root).map(Some).map_err(at(root))
}

fn read(repository: &Repository, root: &Path) -> Result<Checkout, git2::Error> {
    let changes = tree::changes(repository)?;
    let head = tree::head(repository)?;
    let full = tree::branch(repository)?;
    let upstream = full.as_deref().and_then(|branch| repository.branch_upstream_name(branch).ok());
    let theirs = match upstream.as_ref().and_then(|name| name.as_str().ok()) {
        Some(name) => tree::commit_of(repository, name)?,
        None => None,
    };
    let ahead_behind = match head.zip(theirs) {
        Some((mine, theirs)) => Some(repository.graph_ahead_behind(mine, theirs)?),
        None => None,
    };
    let mut remotes = Vec::new();
    for name in repository.remotes()?.iter() {
        let name = name?.unwrap_or_default();
        let remote = repository.find_remote(name)?;
        let url = remote.url().unwrap_or("");
        let shown = GitUrl::parse(url).map_or_else(|_| without_login(url), |url| url.to_string());
        remotes.push((name.to_owned(), shown));
    }
    let default = |remote: &str| -> Result<Option<String>, git2::Error> {
        let prefix = format!("refs/remotes/{remote}/");
        let Ok(head) = repository.find_reference(&format!("{prefix}HEAD")) else { return Ok(None) };
        Ok(head.symbolic_target()?.and_then(|name| name.strip_prefix(&prefix)).map(str::to_owned))
    };
    let default_branch = default("origin")?;
    Ok(Checkout {
        default_branch,
        root: root.components().collect(),
        head: head.map(CommitId::new),
        branch: full.map(|name| name.trim_start_matches("refs/heads/").to_owned()),
        dirty: changes.tracked,
        untracked: changes.untracked,
        remotes,
        ahead_behind,
        shallow: repository.is_shallow(),
        half_updated: moving::is_half_moved(repository),
    })
}
