//! Removes what `cki stage --via kubernetes` has applied: exactly the objects with the labels of a release that its
//! owner owns. Half-removed releases are no error. The grouping of objects is in `model::staging::kubernetes`.

use std::time::Duration;

use crate::base::clock::Clock;
use crate::host::signals::{Shutdown, Signal};
use crate::model::event::{Events, TaskOutcome};
use crate::model::staging::kubernetes::{
    RELEASE, RELEASED_KINDS, ReleaseRemains, RemainingObject, project_digest, remains,
};
use crate::ops::stage::RunningEnvironment;
use crate::systems::kubectl::{Kubectl, KubectlError};

/// Time for the cluster to remove the objects, and the interval between two looks.
const PATIENCE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(1);

/// Selection of the releases to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnstageScope {
    /// Those of a merge request.
    MergeRequest {
        /// `group/project`.
        project: String,
        /// Number.
        number: u64,
    },
    /// Those that are expired now.
    Expired(jiff::Timestamp),
}

/// The outcome of a removal.
#[derive(Debug)]
pub struct UnstageOutcome {
    /// The releases, as they were.
    pub releases: Vec<ReleaseRemains>,
    /// Nothing was removed: a dry run.
    pub is_dry_run: bool,
    /// Objects that the cluster has not removed yet.
    pub remaining: Vec<RemainingObject>,
    /// A signal ended the wait.
    pub signal: Option<Signal>,
    /// The environments of GitLab, as they were.
    pub environments: Vec<RunningEnvironment>,
    /// Environments that were not stopped, one sentence each.
    pub failures: Vec<String>,
}

impl UnstageOutcome {
    /// Returns an outcome in which nothing has happened yet.
    #[must_use]
    pub fn new(releases: Vec<ReleaseRemains>, environments: Vec<RunningEnvironment>) -> Self {
        Self {
            releases,
            is_dry_run: false,
            remaining: Vec::new(),
            signal: None,
            environments,
            failures: Vec::new(),
        }
    }
}

/// Finds the releases. Changes nothing.
///
/// # Errors
/// Fails if the cluster does not answer, or refuses.
pub async fn find_releases(
    kubectl: &Kubectl,
    scope: &UnstageScope,
    events: &Events,
) -> Result<Vec<ReleaseRemains>, KubectlError> {
    let task = events.start("cluster", format!("asking the cluster of `{}`", kubectl.target().context));
    let found = all_releases(kubectl).await;
    task.dismiss();
    let is_meant = |one: &ReleaseRemains| match scope {
        UnstageScope::MergeRequest { project, number } => {
            one.project == project_digest(project) && one.merge_request == Some(*number)
        }
        UnstageScope::Expired(now) => one.is_expired(*now),
    };
    Ok(found?.into_iter().filter(is_meant).collect())
}

async fn all_releases(kubectl: &Kubectl) -> Result<Vec<ReleaseRemains>, KubectlError> {
    kubectl.check_context().await?;
    Ok(remains(&kubectl.list(RELEASED_KINDS, RELEASE).await?))
}

/// Removes releases, and waits until the cluster has done it. The owner goes last, so that an interrupted removal can
/// be repeated.
///
/// # Errors
/// Fails if the cluster does not answer, or refuses.
pub async fn unstage(
    kubectl: &Kubectl,
    outcome: &mut UnstageOutcome,
    clock: &dyn Clock,
    events: &Events,
    stop: &Shutdown,
) -> Result<(), KubectlError> {
    for release in &outcome.releases {
        let task = events.start(release.name.clone(), "removing");
        let names: Vec<(&str, &str)> =
            release.objects.iter().rev().map(|one| (one.kind.as_str(), one.name.as_str())).collect();
        kubectl.delete(&names).await?;
        task.finish(TaskOutcome::Done, crate::base::text::plural(names.len(), "object"));
    }
    let began = clock.elapsed();
    while !outcome.releases.is_empty() {
        let left = all_releases(kubectl).await?;
        let is_meant = |one: &&ReleaseRemains| outcome.releases.iter().any(|other| other.name == one.name);
        outcome.remaining = left.iter().filter(is_meant).flat_map(|one| one.objects.clone()).collect();
        if outcome.remaining.is_empty() || clock.elapsed().saturating_sub(began) > PATIENCE {
            break;
        }
        outcome.signal = tokio::select! {
            biased;
            signal = stop.requested() => Some(signal),
            // Objects may wait for finalizers of others.
            () = clock.sleep(INTERVAL) => None,
        };
        if outcome.signal.is_some() {
            break;
        }
    }
    Ok(())
}
