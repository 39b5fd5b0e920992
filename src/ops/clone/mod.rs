//! Clones repositories and updates clones, several at a time. An unreachable repository is reported and
//! does not stop the others. The caller decides on the repositories and their directories.

pub mod notes;
pub mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;

use crate::base::text::{join_and, safe_line};
use crate::host::signals::{Shutdown, Signal};
use crate::model::event::{Events, TaskOutcome};
use crate::systems::git::{
    Checkout, CloneResult, CloneStanding, CommitId, Git, GitContext, GitError, GitUrl, MergeRequestHead,
    NewClone, inspect, without_login,
};

/// A request to clone.
#[derive(Debug, Clone)]
pub struct CloneRequest {
    /// The repositories.
    pub repositories: Vec<CloneTarget>,
    /// Number of commits in a new clone.
    pub depth: Option<u32>,
    /// Number of parallel jobs.
    pub jobs: usize,
    /// The caller reports the failure of its only repository as its own error: progress only says that there is no clone.
    pub is_part: bool,
}

/// A repository to clone.
#[derive(Debug, Clone)]
pub struct CloneTarget {
    /// Display name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Directory of the clone.
    pub target: PathBuf,
    /// Merge request to check out.
    pub merge_request: Option<MergeRequestHead>,
    /// It is a working tree of the user, to be left as it is.
    pub in_place: bool,
}

/// A request without repositories to clone.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    /// The entries of these components name no repository.
    #[error("the inventory names no repository of {}", join_and(.0))]
    NoRepository(Vec<String>),
    /// The inventory has no such repository.
    #[error("the inventory has no repository `{repo}`")]
    Unknown {
        /// Text that the user typed.
        repo: String,
        /// The most similar names.
        nearest: Vec<String>,
    },
}

/// The outcome for all repositories.
#[derive(Debug)]
pub struct CloneOutcome {
    /// The repositories in the order of the request, each directory once.
    pub repositories: Vec<CloneRepository>,
    /// The signal that ended it early.
    pub stopped: Option<Signal>,
}

impl CloneOutcome {
    /// Returns the first error that is not only an unreachable repository, else the first error.
    #[must_use]
    pub fn most_severe(&self) -> Option<&GitError> {
        let failed = self.repositories.iter().find_map(|repository| match &repository.state {
            CloneState::Failed(error) => Some(error),
            _ => None,
        });
        failed.or_else(|| {
            self.repositories.iter().find_map(|repository| match &repository.state {
                CloneState::OutOfReach(error) => Some(error),
                _ => None,
            })
        })
    }

    /// Returns the first clone that should have been moved to a merge request and was left unchanged.
    #[must_use]
    pub fn not_at_merge_request(&self) -> Option<&CloneRepository> {
        self.repositories.iter().find(|repository| {
            repository.merge_request.is_some()
                && matches!(&repository.state, CloneState::Done(outcome) if outcome.is_left_alone())
        })
    }
}

/// The outcome for one repository.
#[derive(Debug)]
pub struct CloneRepository {
    /// Display name.
    pub name: String,
    /// Its address, without credentials.
    pub url: String,
    /// Directory of the clone.
    pub path: PathBuf,
    /// State of the clone.
    pub state: CloneState,
    /// The merge request to check out.
    pub merge_request: Option<u64>,
    /// The clone as it is now, if it exists.
    pub checkout: Option<Checkout>,
}

impl CloneRepository {
    /// Returns the commit that is checked out.
    #[must_use]
    pub fn head(&self) -> Option<CommitId> {
        self.checkout.as_ref()?.head
    }

    /// Returns the outcome in a few words.
    #[must_use]
    pub fn detail(&self) -> String {
        let mut detail = self.state.detail(self.checkout.as_ref());
        let directory = self.path.file_name().unwrap_or_default().to_string_lossy();
        if matches!(self.state, CloneState::Done(CloneResult::Cloned)) && directory != self.name {
            detail = format!("{detail}, in `{directory}`");
        }
        if matches!(self.state, CloneState::InPlace) {
            detail = format!("{detail}: {}", self.path.display());
        }
        safe_line(&detail).into_owned()
    }
}

/// The outcome for one clone.
#[derive(Debug)]
pub enum CloneState {
    /// The clone exists, with the change to it.
    Done(CloneResult),
    /// The user's working tree is used in place of a clone, and was left as it is.
    InPlace,
    /// Skipped: the repository is unreachable from here.
    OutOfReach(GitError),
    /// The clone failed.
    Failed(GitError),
    /// Not finished, or not started, because of a signal.
    Stopped,
}

impl CloneState {
    fn of(result: Result<CloneResult, GitError>) -> Self {
        match result {
            Ok(outcome) => Self::Done(outcome),
            Err(GitError::Stopped { .. }) => Self::Stopped,
            Err(error) if error.is_out_of_reach() => Self::OutOfReach(error),
            Err(error) => Self::Failed(error),
        }
    }

    /// Returns the state for events.
    #[must_use]
    pub fn state(&self) -> TaskOutcome {
        match self {
            Self::Done(CloneResult::Unchanged | CloneResult::Ahead { .. }) | Self::InPlace => {
                TaskOutcome::Unchanged
            }
            Self::Done(outcome) if outcome.is_left_alone() => TaskOutcome::Skipped,
            Self::Done(_) => TaskOutcome::Done,
            Self::OutOfReach(_) => TaskOutcome::Skipped,
            Self::Failed(_) | Self::Stopped => TaskOutcome::Failed,
        }
    }

    fn detail(&self, checkout: Option<&Checkout>) -> String {
        match self {
            Self::Done(CloneResult::Cloned) => match checkout.and_then(at) {
                Some(at) => format!("cloned, at {at}"),
                None => "cloned, it is empty".to_owned(),
            },
            Self::Done(outcome) => words(outcome),
            Self::InPlace => match checkout.and_then(at) {
                Some(at) => format!("used in place, at {at}"),
                None => "used in place, it has no commit".to_owned(),
            },
            Self::OutOfReach(error) => format!("skipped: {error}"),
            Self::Failed(error) => error.to_string(),
            Self::Stopped => "stopped".to_owned(),
        }
    }
}

fn at(checkout: &Checkout) -> Option<String> {
    let head = checkout.head?.short();
    Some(checkout.branch.as_ref().map_or(head.clone(), |branch| format!("{head} ({branch})")))
}

fn words(outcome: &CloneResult) -> String {
    match outcome {
        CloneResult::Cloned => "cloned".to_owned(),
        CloneResult::Updated { from: Some(from), to } => {
            format!("updated, {} → {}", from.short(), to.short())
        }
        CloneResult::Updated { from: None, to } => format!("updated, at {}", to.short()),
        CloneResult::Switched { branch, to } => format!("switched to {branch}, at {}", to.short()),
        CloneResult::Renamed { from, branch, to } => {
            format!("{from} is now called {branch} on the server, followed, at {}", to.short())
        }
        CloneResult::Rewritten { branch, from, to } => {
            format!("{branch} was rewritten on the server, followed, {} → {}", from.short(), to.short())
        }
        CloneResult::Unchanged => "unchanged".to_owned(),
        CloneResult::Ahead { ahead } => format!("unchanged, {ahead} ahead"),
        CloneResult::Dirty { behind: 0 } => "left alone: it has uncommitted changes".to_owned(),
        CloneResult::Dirty { behind } => format!("left alone: it has uncommitted changes, {behind} behind"),
        CloneResult::Diverged { ahead, behind } => {
            format!("left alone: it has diverged, {ahead} ahead, {behind} behind")
        }
        CloneResult::DirtyRewritten { branch } => {
            format!("left alone: {branch} was rewritten on the server, and there are uncommitted changes")
        }
        CloneResult::DivergedRewritten { branch, ahead, behind } => format!(
            "left alone: {branch} was rewritten on the server, {ahead} ahead, {behind} behind; \
             `git log --left-right HEAD...@{{u}}` there shows the difference"
        ),
        CloneResult::Detached => "left alone: no branch is checked out".to_owned(),
        CloneResult::NoUpstream { branch } => format!("left alone: {branch} follows no branch of a remote"),
        CloneResult::Busy { doing } => format!("left alone: {doing} is under way"),
        CloneResult::InTheWay { paths } => format!("left alone: {} would be overwritten", paths.join(", ")),
    }
}

/// Clones all repositories. Dropping the future stops the work as a signal would; either way no partial
/// clone is left.
pub async fn clone(request: CloneRequest, git: &Git, events: &Events, stop: &Shutdown) -> CloneOutcome {
    let own = CancelOnDrop(Shutdown::new());
    let work = async {
        let mut places = BTreeSet::new();
        let wanted = request.repositories.into_iter().filter(|wanted| places.insert(wanted.target.clone()));
        let (depth, jobs, is_part) = (request.depth, request.jobs.max(1), request.is_part);
        let each = wanted.enumerate().map(|(index, wanted)| {
            let (git, events, stop) = (git.clone(), events.clone(), own.0.clone());
            async move {
                let copy = wanted.clone();
                let done =
                    tokio::task::spawn_blocking(move || one(wanted, depth, is_part, (&git, &events, &stop)));
                (index, done.await.unwrap_or_else(|error| cut_short(error, copy)))
            }
        });
        let mut repositories: Vec<_> =
            futures_util::stream::iter(each).buffer_unordered(jobs).collect().await;
        repositories.sort_by_key(|(index, _)| *index);
        repositories.into_iter().map(|(_, repository)| repository).collect()
    };
    let mut work = std::pin::pin!(work);
    let repositories = tokio::select! {
        repositories = &mut work => repositories,
        signal = stop.requested() => {
            own.0.trigger(signal);
            tokio::select! {
                repositories = &mut work => repositories,
                // This does not wait for threads that do not return.
                _ = stop.force_requested() => Vec::new(),
            }
        }
    };
    CloneOutcome { repositories, stopped: own.0.now() }
}

/// Stops the work when it is dropped.
struct CancelOnDrop(Shutdown);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.trigger(Signal::Terminate);
    }
}

/// Returns the outcome of a thread that did not finish: it panicked, or the runtime is shutting down.
fn cut_short(error: tokio::task::JoinError, wanted: CloneTarget) -> CloneRepository {
    if let Ok(panic) = error.try_into_panic() {
        std::panic::resume_unwind(panic);
    }
    repository(wanted, CloneState::Stopped, None)
}

fn one(
    wanted: CloneTarget,
    depth: Option<u32>,
    is_part: bool,
    (git, events, stop): (&Git, &Events, &Shutdown),
) -> CloneRepository {
    let is_there = wanted.target.join(".git").symlink_metadata().is_ok();
    let doing = if is_there { "updating" } else { "cloning" };
    let task = events.start(&wanted.name, doing);
    let job = GitContext { task: &task, events, stop };
    let state = settle(&wanted, is_there, depth, git, job).unwrap_or_else(|error| CloneState::of(Err(error)));
    // An unreadable clone could not be worked on before either, and that error is reported.
    let checkout = inspect(&wanted.target).ok().flatten();
    let repository = repository(wanted, state, checkout);
    match &repository.state {
        CloneState::OutOfReach(_) | CloneState::Failed(_) if is_part => {
            task.finish(TaskOutcome::Failed, if is_there { "not updated" } else { "not cloned" });
        }
        state => task.finish(state.state(), repository.detail()),
    }
    if let (CloneState::Done(_), Some(checkout)) = (&repository.state, &repository.checkout) {
        // A caller that asked for the merge request knows of it; the way back is reported here as well.
        notes::tell_merge_request(&repository.path, checkout, events);
        notes::tell_missing(&repository.path, events);
    }
    repository
}

fn repository(wanted: CloneTarget, state: CloneState, checkout: Option<Checkout>) -> CloneRepository {
    let url = without_login(&wanted.url);
    let merge_request = wanted.merge_request.map(|request| request.iid());
    CloneRepository { name: wanted.name, url, path: wanted.target, state, merge_request, checkout }
}

fn settle(
    wanted: &CloneTarget,
    is_there: bool,
    depth: Option<u32>,
    git: &Git,
    job: GitContext<'_>,
) -> Result<CloneState, GitError> {
    if job.stop.now().is_some() {
        return Ok(CloneState::Stopped);
    }
    if wanted.in_place {
        return Ok(CloneState::InPlace);
    }
    let url = GitUrl::parse(&wanted.url)?;
    let request = wanted.merge_request.as_ref();
    if !is_there {
        let order = NewClone { url: &url, target: &wanted.target, depth, merge_request: request };
        return Ok(CloneState::of(git.make_clone(&order, job).map(|()| CloneResult::Cloned)));
    }
    check(git, &wanted.target, &url)?;
    Ok(CloneState::of(match request {
        Some(request) => git.merge_request(&wanted.target, &url, request, depth, job),
        None => git.update(&wanted.target, job),
    }))
}

/// Checks that an existing directory is a clone of the repository.
fn check(git: &Git, target: &Path, url: &GitUrl) -> Result<(), GitError> {
    let (found, unused) = match git.standing(target, url)? {
        CloneStanding::Other { found, unused, .. } => (found, unused),
        CloneStanding::Local => (Vec::new(), "origin".to_owned()),
        CloneStanding::Free | CloneStanding::Clone { .. } | CloneStanding::Files => return Ok(()),
    };
    Err(GitError::OtherRepository { path: target.to_owned(), found, wanted: url.to_string(), unused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_severe_prefers_local_errors_over_unreachable() {
        let repository = |state| CloneRepository {
            name: "x".into(),
            url: "u".into(),
            path: PathBuf::from("/x"),
            state,
            merge_request: None,
            checkout: None,
        };
        let unreachable = || GitError::Unreachable { url: "u".into(), why: "w".into() };
        let occupied = GitError::Occupied { path: PathBuf::from("/x") };
        let mut outcome = CloneOutcome {
            repositories: vec![
                repository(CloneState::Done(CloneResult::Cloned)),
                repository(CloneState::of(Err(unreachable()))),
            ],
            stopped: None,
        };
        assert!(matches!(outcome.most_severe(), Some(GitError::Unreachable { .. })));
        assert_eq!(outcome.repositories[1].detail(), "skipped: cannot reach `u`: w");
        assert_eq!(outcome.repositories[1].state.state(), TaskOutcome::Skipped);
        outcome.repositories.push(repository(CloneState::of(Err(occupied))));
        assert!(matches!(outcome.most_severe(), Some(GitError::Occupied { .. })));
        assert_eq!(outcome.repositories[2].state.state(), TaskOutcome::Failed);
        assert_eq!(outcome.repositories[0].detail(), "cloned, it is empty");
    }
}
