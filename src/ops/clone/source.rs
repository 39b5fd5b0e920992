//! The sources for a build or a run: the user's working tree, never changed, or a clone: cloned if missing,
//! else left as it is, and moved to a merge request on request.

use std::path::{Path, PathBuf};

use crate::base::text::safe_line;
use crate::host::signals::Signal;
use crate::model::inventory::Component;
use crate::ops::clone::notes;
use crate::ops::clone::{CloneRequest, CloneState, CloneTarget, clone};
use crate::ops::shared::op_context::OpContext;
use crate::systems::git::{Checkout, CommitId, GitError, MergeRequestHead, inspect};

/// A clone for a build or a run.
#[derive(Debug, Clone)]
pub struct Source {
    /// The repository's name.
    pub repo: String,
    /// Its directory.
    pub path: PathBuf,
    /// The commit that is checked out.
    pub checkout: Checkout,
    /// It is a working tree of the user.
    pub in_place: bool,
}

impl Source {
    /// Describes the state of the files: `main 4634c9d, changed`.
    #[must_use]
    pub fn state(&self) -> String {
        describe(&self.checkout)
    }
}

/// Describes the state of a checkout: its branch, its commit, and whether files differ from the commit.
#[must_use]
pub fn describe(checkout: &Checkout) -> String {
    let branch = checkout.branch.as_deref().unwrap_or("no branch");
    let commit = checkout.head.map_or_else(|| "without commits".to_owned(), CommitId::short);
    let changed = if checkout.dirty || checkout.untracked { ", changed" } else { "" };
    safe_line(&format!("{branch} {commit}{changed}")).into_owned()
}

/// An error of preparing a clone.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The inventory has no address.
    #[error("the inventory has no address for repository `{repo}`, which `{component}` is built from")]
    NoAddress {
        /// The component.
        component: String,
        /// The repository.
        repo: String,
    },
    /// Cloning failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The repository is unreachable from here.
    #[error("{error}")]
    OutOfReach {
        /// The repository.
        repo: String,
        /// A clone that the user has elsewhere would do.
        can_be_tree: bool,
        /// The reason.
        error: Box<GitError>,
    },
    /// The clone is not at the merge request, and was left as it is.
    #[error("`{}` is not at merge request !{merge_request}: {detail}", path.display())]
    LeftAlone {
        /// The clone.
        path: PathBuf,
        /// The merge request.
        merge_request: u64,
        /// The reason.
        detail: String,
    },
    /// The directory is not a clone of the repository.
    #[error("`{}` is in the way: {detail}", path.display())]
    InTheWay {
        /// The directory.
        path: PathBuf,
        /// Its content.
        detail: String,
    },
    /// A signal came.
    #[error("stopped")]
    Stopped(Signal),
}

/// Returns the clone of a component's repository.
///
/// # Errors
/// Fails when the repository cannot be cloned.
pub async fn ensure(
    ctx: &OpContext<'_>,
    component: &Component,
    repo: &str,
    merge_request: Option<u64>,
) -> Result<Source, SourceError> {
    let place = match merge_request {
        None => ctx.workspace.location(ctx.inventory, repo),
        Some(_) => ctx.workspace.clone_location(ctx.inventory, repo),
    };
    let in_place = place.is_in_place();
    let (url, path) = (place.url.clone(), place.target()?);
    if merge_request.is_none()
        && let Some(checkout) = look(ctx, component, &path, in_place).await?
    {
        return Ok(named(ctx, Source { repo: repo.to_owned(), path, checkout, in_place }));
    }
    if in_place {
        return Err(GitError::NoRepository { path }.into());
    }
    let url = url.ok_or_else(|| SourceError::NoAddress {
        component: component.name().to_owned(),
        repo: repo.to_owned(),
    })?;
    let request = merge_request.map(|iid| MergeRequestHead::new(iid, ctx.merge_request_ref)).transpose()?;
    let wanted =
        CloneTarget { name: repo.to_owned(), url, target: path.clone(), merge_request: request, in_place };
    let request = CloneRequest { repositories: vec![wanted], depth: None, jobs: 1, is_part: true };
    let outcome = clone(request, ctx.git, &ctx.events, &ctx.stop).await;
    if let Some(signal) = outcome.stopped {
        return Err(SourceError::Stopped(signal));
    }
    let Some(done) = outcome.repositories.into_iter().next() else {
        return Err(SourceError::InTheWay { path, detail: "nothing was cloned".to_owned() });
    };
    let detail = done.detail();
    match (done.state, done.checkout, merge_request) {
        (CloneState::OutOfReach(error), ..) => {
            let can_be_tree = merge_request.is_none() && ctx.workspace.uses_tree_of(repo);
            Err(SourceError::OutOfReach { repo: repo.to_owned(), can_be_tree, error: Box::new(error) })
        }
        (CloneState::Failed(error), ..) => Err(error.into()),
        (CloneState::Done(outcome), Some(_), Some(merge_request)) if outcome.is_left_alone() => {
            Err(SourceError::LeftAlone { path, merge_request, detail })
        }
        (CloneState::Done(_), Some(checkout), _) => {
            Ok(named(ctx, Source { repo: repo.to_owned(), path, checkout, in_place }))
        }
        _ => Err(SourceError::InTheWay { path, detail }),
    }
}

/// Shows which files are used, once for each state of them.
fn named(ctx: &OpContext<'_>, source: Source) -> Source {
    ctx.events.source("source", &source.path, source.state());
    source
}

/// Inspects an existing clone, and reports notes about it. Its files are untrusted: a signal is noticed
/// however long they take.
async fn look(
    ctx: &OpContext<'_>,
    component: &Component,
    path: &Path,
    in_place: bool,
) -> Result<Option<Checkout>, SourceError> {
    let (path, name, events) = (path.to_owned(), component.name().to_owned(), ctx.events.clone());
    let work = tokio::task::spawn_blocking(move || {
        let checkout = inspect(&path)?;
        if let Some(checkout) = &checkout {
            // A branch of the user may be called like those of merge requests.
            if !in_place {
                notes::tell_merge_request(&path, checkout, &events);
            }
            notes::tell_missing(&path, &events);
            notes::tell_half_updated(&path, &name, checkout, &events);
        }
        Ok::<_, GitError>(checkout)
    });
    tokio::select! {
        done = work => match done {
            Ok(checkout) => Ok(checkout?),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(SourceError::Stopped(Signal::Terminate)),
            },
        },
        signal = ctx.stop.requested() => Err(SourceError::Stopped(signal)),
    }
}
