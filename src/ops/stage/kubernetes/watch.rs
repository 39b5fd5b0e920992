//! Follows the releases of a merge request that are in the cluster already to the end of their rollouts, also those that
//! somebody else has requested.

use super::follow::{FollowedRelease, PodVersion, follow, release_selector};
use super::read::{ReleaseProgress, read_releases};
use super::{ReleaseEnd, ReleaseOutcome, ReleaseRun, ReleaseStageError};
use crate::ops::stage::head::HeadWatch;
use crate::ops::stage::merge_request::read_any;
use crate::ops::stage::{MergeRequestFacts, StageError};

/// A followed release.
#[derive(Debug)]
pub struct WatchedRelease {
    /// The release as it was at the start.
    pub release: ReleaseProgress,
    /// The end.
    pub outcome: ReleaseOutcome,
}

/// Follows the releases of a merge request's head in turn.
///
/// # Errors
/// Fails when the merge request or the namespace cannot be read, or has no release of its head. A later failure is in the
/// outcomes.
pub async fn watch_releases(
    run: ReleaseRun<'_>,
    (project, number): (&str, u64),
) -> Result<(MergeRequestFacts, Vec<WatchedRelease>), ReleaseStageError> {
    let began = run.gitlab.clock().elapsed();
    let task = run.events.start("cluster", "looking for the release");
    let mut unread = Vec::new();
    let read = async {
        let facts = read_any(run.gitlab, project, number).await?;
        let found = read_releases(run.kubectl, (project, number), 0, &mut unread).await?;
        Ok::<_, ReleaseStageError>((facts, found))
    };
    let read = tokio::select! {
        biased;
        signal = run.stop.requested() => Err(ReleaseStageError::Signal(signal)),
        read = read => read,
    };
    task.dismiss();
    let (facts, found) = read?;
    let (current, outdated): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.is_of(&facts.head));
    if current.is_empty() {
        return Err(StageError::NotRequested {
            merge_request: facts.reference(),
            head: facts.head,
            outdated: outdated.into_iter().next().map(|one| one.remains.head),
            searched: None,
        }
        .into());
    }
    let mut head = HeadWatch::of_release(&facts, &[]);
    let mut watched = Vec::new();
    for release in current {
        let mut outcome = ReleaseOutcome {
            end: ReleaseEnd::NotWaited,
            failed: Vec::new(),
            took: std::time::Duration::ZERO,
        };
        outcome.end = match (run.stop.now(), &release.workload) {
            (Some(signal), _) => ReleaseEnd::Stopped(signal),
            (None, None) => ReleaseEnd::Failed("its workload was removed".to_owned()),
            (None, Some((kind, name, template))) => {
                let followed = FollowedRelease {
                    name: release.remains.name.clone(),
                    workload: (kind.clone(), name.clone()),
                    selector: release_selector(&release.remains.name),
                    version: PodVersion::Template(template.clone()),
                };
                follow(run, &followed, &mut head, began, &mut outcome).await
            }
        };
        outcome.took = run.gitlab.clock().elapsed().saturating_sub(began);
        watched.push(WatchedRelease { release, outcome });
    }
    Ok((facts, watched))
}
