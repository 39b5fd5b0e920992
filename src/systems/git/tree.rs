//! A clone and its working tree: its path, and the user's changes. Moving it to another commit is `moving`.

use std::path::Path;

use git2::{ErrorCode, Oid, Repository, RepositoryState, Status, StatusOptions};

use super::GitError;
use super::error::at;
use super::special::{self, Extent};

/// Opens the repository in a directory, not in a parent. Fails if its configuration places its files
/// elsewhere (`core.worktree`): nothing there may be read or written.
pub(super) fn open(directory: &Path) -> Result<Repository, GitError> {
    at_its_place(directory, open_anywhere(directory, Extent::Everything)?)
}

/// Opens the repository in a directory as `open` does, for its configuration alone.
pub(super) fn open_for_config(directory: &Path) -> Result<Repository, GitError> {
    at_its_place(directory, open_anywhere(directory, Extent::Configuration)?)
}

fn at_its_place(directory: &Path, repository: Repository) -> Result<Repository, GitError> {
    let real = |path: &Path| path.canonicalize().ok();
    match repository.workdir() {
        Some(files) if real(files) != real(directory) => {
            Err(GitError::Elsewhere { path: directory.to_owned(), files: files.to_owned() })
        }
        _ => Ok(repository),
    }
}

/// Opens the repository in a directory, wherever its files are, after the check for special files. No other
/// function opens a repository that `cki` did not make.
fn open_anywhere(directory: &Path, extent: Extent) -> Result<Repository, GitError> {
    special::refuse(directory, extent)?;
    open_own(directory).map_err(|error| match error.code() {
        ErrorCode::NotFound => GitError::NoRepository { path: directory.to_owned() },
        _ => at(directory)(error),
    })
}

/// Opens a repository that `cki` just made.
#[expect(clippy::disallowed_methods, reason = "anyone who opens a clone has looked at it before")]
pub(super) fn open_own(directory: &Path) -> Result<Repository, git2::Error> {
    Repository::open(directory)
}

/// Opens the repository that contains a directory: its own, or that of the nearest parent directory.
pub(super) fn discover(directory: &Path) -> Result<Option<Repository>, GitError> {
    discover_with(directory, Extent::Everything)
}

/// Opens the repository that contains a directory as `discover` does, for its configuration alone.
pub(super) fn discover_for_config(directory: &Path) -> Result<Option<Repository>, GitError> {
    discover_with(directory, Extent::Configuration)
}

fn discover_with(directory: &Path, extent: Extent) -> Result<Option<Repository>, GitError> {
    let real = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    for above in real.ancestors().filter(|above| above.join(".git").symlink_metadata().is_ok()) {
        match open_anywhere(above, extent) {
            Err(GitError::NoRepository { .. }) => {}
            opened => return opened.map(Some),
        }
    }
    Ok(None)
}

/// Returns the address of a remote as written. libgit2 returns it rewritten by the clone's own configuration,
/// which has no effect on the address that `cki` uses.
pub(super) fn address(repository: &Repository, remote: &str) -> Result<String, git2::Error> {
    repository.config()?.snapshot()?.get_string(&format!("remote.{remote}.url"))
}

/// Returns the operation that is in progress in a repository.
pub(super) fn busy(repository: &Repository) -> Option<&'static str> {
    match repository.state() {
        RepositoryState::Clean => None,
        RepositoryState::Merge => Some("a merge"),
        RepositoryState::Revert | RepositoryState::RevertSequence => Some("a revert"),
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => Some("a cherry-pick"),
        RepositoryState::Bisect => Some("a bisection"),
        RepositoryState::ApplyMailbox => Some("applying patches"),
        RepositoryState::Rebase
        | RepositoryState::RebaseInteractive
        | RepositoryState::RebaseMerge
        | RepositoryState::ApplyMailboxOrRebase => Some("a rebase"),
    }
}

/// Uncommitted work of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TreeChanges {
    /// Tracked files differ from the commit.
    pub(super) tracked: bool,
    /// Untracked files exist that are not ignored.
    pub(super) untracked: bool,
}

pub(super) fn changes(repository: &Repository) -> Result<TreeChanges, git2::Error> {
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(false).include_ignored(false);
    let mut changes = TreeChanges { tracked: false, untracked: false };
    for entry in repository.statuses(Some(&mut options))?.iter() {
        let status = entry.status();
        changes.untracked |= status.contains(Status::WT_NEW);
        changes.tracked |= !status.difference(Status::WT_NEW | Status::IGNORED).is_empty();
    }
    Ok(changes)
}

/// Returns the name of the checked-out branch, such as `refs/heads/x`, even if it has no commit yet.
pub(super) fn branch(repository: &Repository) -> Result<Option<String>, git2::Error> {
    let head = repository.find_reference("HEAD")?;
    Ok(head.symbolic_target()?.map(str::to_owned))
}

/// Returns the checked-out commit.
pub(super) fn head(repository: &Repository) -> Result<Option<Oid>, git2::Error> {
    match repository.head() {
        Ok(head) => Ok(head.target()),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the commit of a ref, if the ref exists.
pub(super) fn commit_of(repository: &Repository, name: &str) -> Result<Option<Oid>, git2::Error> {
    match repository.refname_to_id(name) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
