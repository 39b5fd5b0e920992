//! Applies planned releases: of each the owner first, then all other objects in its possession. All are applied before any
//! is followed, since they belong together.

use std::time::Duration;

use super::follow::{FollowedRelease, follow};
use super::together::named_error;
use super::{ObjectChange, ReleaseEnd, ReleaseOutcome, ReleasePlan, ReleaseRun, ReleaseStageError};
use crate::model::event::TaskOutcome;
use crate::model::staging::StagedHead;
use crate::ops::stage::environment;
use crate::ops::stage::head::{HeadWatch, check_heads};
use crate::systems::kubectl::{Kubectl, KubectlError};

/// Applies releases, and follows their rollouts in turn. Returns an outcome for each.
///
/// # Errors
/// Fails when a merge request has changed since it was shown, or the cluster does not take the objects. A later
/// failure is in the outcomes.
pub async fn apply(
    run: ReleaseRun<'_>,
    plans: &[ReleasePlan],
) -> Result<Vec<ReleaseOutcome>, ReleaseStageError> {
    let began = run.gitlab.clock().elapsed();
    let new = |_: &ReleasePlan| ReleaseOutcome {
        end: ReleaseEnd::DryRun,
        failed: Vec::new(),
        took: Duration::ZERO,
    };
    let mut outcomes: Vec<ReleaseOutcome> = plans.iter().map(new).collect();
    let (false, [first, others @ ..]) = (run.options.dry_run, plans) else { return Ok(outcomes) };
    let combined: Vec<StagedHead> = others.iter().map(|plan| plan.merge_request.staged_head()).collect();
    check_heads(run.gitlab, &first.merge_request, &combined).await?;
    let mut deployments = Vec::new();
    for plan in plans {
        let task = run.events.start(plan.release.name.clone(), "applying");
        let applied = tokio::select! {
            biased;
            signal = run.stop.requested() => Err(partial(plan, ReleaseStageError::Signal(signal))),
            applied = apply_owned(run.kubectl, plan) => applied,
        };
        let count = applied.map_err(|error| named_error(plans, plan, error))?;
        task.finish(TaskOutcome::Done, format!("{count} objects applied"));
        deployments.push(match &plan.environment {
            Some(planned) => environment::begin(run.gitlab, planned, run.events).await,
            None => None,
        });
    }
    let mut head = HeadWatch::of_release(&first.merge_request, &combined);
    for ((plan, outcome), deployment) in plans.iter().zip(&mut outcomes).zip(deployments) {
        outcome.end = match run.stop.now() {
            Some(signal) => ReleaseEnd::Stopped(signal),
            None if run.options.no_wait => ReleaseEnd::NotWaited,
            None => follow(run, &FollowedRelease::of_plan(plan), &mut head, began, outcome).await,
        };
        // A rollout that continues without this program is still a running deployment.
        let status = match outcome.end {
            ReleaseEnd::Done(_) => Some("success"),
            ReleaseEnd::Failed(_) | ReleaseEnd::TimedOut => Some("failed"),
            _ => None,
        };
        if let (Some(planned), Some(deployment), Some(status)) = (&plan.environment, deployment, status) {
            environment::finish(run.gitlab, planned, deployment, status, run.events).await;
        }
        outcome.took = run.gitlab.clock().elapsed().saturating_sub(began);
    }
    Ok(outcomes)
}

/// Applies the objects of a release, and removes those that are no longer part of it. Returns the number of the former.
async fn apply_owned(kubectl: &Kubectl, plan: &ReleasePlan) -> Result<usize, ReleaseStageError> {
    let release = &plan.release;
    let applied = match kubectl.apply(std::slice::from_ref(&release.owner.json), false).await {
        // The call may have arrived.
        Err(error @ KubectlError::TimedOut { .. }) => return Err(partial(plan, error.into())),
        applied => applied?,
    };
    let uid = applied.first().and_then(|owner| owner["metadata"]["uid"].as_str());
    let uid = uid.ok_or_else(|| KubectlError::Output("the applied object has no `uid`".to_owned()))?;
    let owned = release.owned(uid);
    kubectl.apply(&owned, false).await.map_err(|error| partial(plan, error.into()))?;
    let removed = plan.objects.iter().filter(|one| one.change == ObjectChange::Removed);
    let removed: Vec<(&str, &str)> = removed.map(|one| (one.kind.as_str(), one.name.as_str())).collect();
    if !removed.is_empty() {
        kubectl.delete(&removed).await.map_err(|error| partial(plan, error.into()))?;
    }
    Ok(owned.len() + 1)
}

/// Returns the error of a release of which some objects may exist.
fn partial(plan: &ReleasePlan, cause: ReleaseStageError) -> ReleaseStageError {
    ReleaseStageError::Partial {
        release: plan.release.name.clone(),
        merge_request: plan.merge_request.reference(),
        cause: Box::new(cause),
    }
}
