//! Removes what `cki stage --via kubernetes` has applied: exactly the objects with the labels of a release that its
//! owner owns. Half-removed releases are no error. The grouping of objects is in `model::staging::kubernetes`.

use std::time::Duration;

use crate::base::clock::Clock;
use crate::base::text::join_and;
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

    /// Records that no environment was stopped.
    pub fn skip_environments(&mut self) {
        let failure = |one: &RunningEnvironment| format!("The environment `{}` was not stopped.", one.name);
        self.failures = self.environments.iter().map(failure).collect();
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

/// A removal that is no longer the one that was shown.
#[derive(Debug, thiserror::Error)]
#[error("{} changed since it was shown", join_and(&.0.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>()))]
pub struct RemovalChanged(pub Vec<String>);

/// Checks that releases are still as they were shown, after a question that may have waited for hours. Objects that are
/// gone since do not matter.
///
/// # Errors
/// Fails if one has more objects, another commit or another time to live now: somebody has staged it again.
pub fn check_unchanged(shown: &[ReleaseRemains], now: &[ReleaseRemains]) -> Result<(), RemovalChanged> {
    let is_changed = |one: &&ReleaseRemains| {
        let Some(now) = now.iter().find(|now| now.name == one.name) else { return false };
        let facts =
            |one: &ReleaseRemains| (one.head.clone(), one.image.clone(), one.requested_at, one.expires_at);
        // Without its owner, a release no longer tells its image.
        let is_same = facts(now) == facts(one) || now.owner.is_none();
        !is_same || !now.objects.iter().all(|object| one.objects.contains(object))
    };
    let changed: Vec<String> = shown.iter().filter(is_changed).map(|one| one.name.clone()).collect();
    if changed.is_empty() { Ok(()) } else { Err(RemovalChanged(changed)) }
}

/// Removes releases, and waits until the cluster has done it. The owner goes last, so that an interrupted removal can
/// be repeated. A stop is heeded between two releases.
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
    for (done, release) in outcome.releases.iter().enumerate() {
        if let Some(signal) = stop.now() {
            outcome.signal = Some(signal);
            let left = &outcome.releases[done..];
            outcome.remaining = left.iter().flat_map(|one| one.objects.clone()).collect();
            return Ok(());
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SystemClock;
    use crate::host::Env;
    use crate::systems::kubectl::ClusterTarget;

    #[test]
    fn only_what_was_shown_is_removed() {
        let object = |name: &str| RemainingObject { kind: "Service".to_owned(), name: name.to_owned() };
        let release = |head: &str, names: &[&str]| ReleaseRemains {
            name: "web-mr-1".to_owned(),
            head: head.to_owned(),
            owner: Some("cki-stage-web-mr-1".to_owned()),
            objects: names.iter().map(|name| object(name)).collect(),
            ..ReleaseRemains::default()
        };
        let shown = [release("a", &["x", "y"])];
        let check = |now: &[ReleaseRemains]| check_unchanged(&shown, now).map_err(|error| error.to_string());
        for same in [vec![], vec![release("a", &["x", "y"])], vec![release("a", &["y"])]] {
            assert_eq!(check(&same), Ok(()));
        }
        for other in [release("b", &["x", "y"]), release("a", &["x", "y", "z"])] {
            assert_eq!(check(&[other]), Err("`web-mr-1` changed since it was shown".to_owned()));
        }
        let longer = ReleaseRemains { expires_at: Some(jiff::Timestamp::UNIX_EPOCH), ..shown[0].clone() };
        assert!(check(&[longer]).is_err());
    }
    #[tokio::test]
    async fn a_stop_leaves_the_next_release_alone() {
        let target = ClusterTarget { context: "c".to_owned(), namespace: "n".to_owned() };
        // A call would fail.
        let kubectl = Kubectl::find(&Env::new([("PATH", "/bin")]), Some("false"), target).expect("is there");
        let object = RemainingObject { kind: "Service".to_owned(), name: "x".to_owned() };
        let release = ReleaseRemains { objects: vec![object.clone()], ..ReleaseRemains::default() };
        let mut outcome = UnstageOutcome::new(vec![release], Vec::new());
        let stop = Shutdown::new();
        stop.trigger(Signal::Interrupt);
        let clock = SystemClock::new();
        unstage(&kubectl, &mut outcome, &clock, &Events::silent(), &stop).await.expect("calls nothing");
        assert_eq!((outcome.signal, outcome.remaining), (Some(Signal::Interrupt), vec![object]));
    }
}
