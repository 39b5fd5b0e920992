//! The working tree of a clone: what a person has changed in it, and moving it to another commit
//! without losing any of that.

use std::cell::RefCell;
use std::path::Path;

use git2::build::CheckoutBuilder;
use git2::{CheckoutNotificationType, ErrorCode, Oid, Repository, RepositoryState, Status, StatusOptions};

use super::GitError;
use super::error::at;

/// So many files are named at most when they are in the way.
const NAMED: usize = 5;

/// Opens the repository in a folder, not one further up.
pub(super) fn open(folder: &Path) -> Result<Repository, GitError> {
    Repository::open(folder).map_err(|error| match error.code() {
        ErrorCode::NotFound => GitError::NoRepository { path: folder.to_owned() },
        _ => at(folder)(error),
    })
}

/// What is half done in it.
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

/// What a person has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Changes {
    /// Files that git knows differ from the commit.
    pub(super) tracked: bool,
    /// There are files that git neither knows nor ignores.
    pub(super) untracked: bool,
}

pub(super) fn changes(repository: &Repository) -> Result<Changes, git2::Error> {
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(false).include_ignored(false);
    let mut changes = Changes { tracked: false, untracked: false };
    for entry in repository.statuses(Some(&mut options))?.iter() {
        let status = entry.status();
        changes.untracked |= status.contains(Status::WT_NEW);
        changes.tracked |= !status.difference(Status::WT_NEW | Status::IGNORED).is_empty();
    }
    Ok(changes)
}

/// The name of the branch that is checked out, as `refs/heads/x`, even if it has no commit yet.
pub(super) fn branch(repository: &Repository) -> Result<Option<String>, git2::Error> {
    let head = repository.find_reference("HEAD")?;
    Ok(head.symbolic_target()?.map(str::to_owned))
}

/// The commit that is checked out.
pub(super) fn head(repository: &Repository) -> Result<Option<Oid>, git2::Error> {
    match repository.head() {
        Ok(head) => Ok(head.target()),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The commit of a ref, if there is one.
pub(super) fn commit_of(repository: &Repository, name: &str) -> Result<Option<Oid>, git2::Error> {
    match repository.refname_to_id(name) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Changes the files from those of the present commit to those of another one. Nothing happens if
/// that would overwrite something; then it says what.
pub(super) fn move_to(repository: &Repository, commit: Oid) -> Result<Vec<String>, git2::Error> {
    let object = repository.find_object(commit, None)?;
    let in_the_way = RefCell::new(Vec::new());
    let mut options = CheckoutBuilder::new();
    options.safe().overwrite_ignored(false).notify_on(CheckoutNotificationType::CONFLICT);
    options.notify(|_, path, _, _, _| {
        let mut named = in_the_way.borrow_mut();
        if let Some(path) = path.filter(|_| named.len() < NAMED) {
            named.push(path.display().to_string());
        }
        true
    });
    let result = repository.checkout_tree(&object, Some(&mut options));
    drop(options);
    let named = in_the_way.into_inner();
    match result {
        Err(error) if named.is_empty() => Err(error),
        _ => Ok(named),
    }
}
