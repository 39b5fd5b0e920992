//! Applies a planned release: the owner first, then all other objects in its possession.

use std::time::Duration;

use super::follow::follow;
use super::{ReleaseEnd, ReleaseOutcome, ReleasePlan, ReleaseRun, ReleaseStageError};
use crate::model::event::TaskOutcome;
use crate::ops::stage::head::check_head;
use crate::systems::kubectl::{Kubectl, KubectlError};

/// Applies the release and follows its rollout.
///
/// # Errors
/// Fails when the merge request has changed since it was shown, or the cluster does not take the objects. A later
/// failure is in the outcome.
pub async fn apply(run: ReleaseRun<'_>, plan: &ReleasePlan) -> Result<ReleaseOutcome, ReleaseStageError> {
    let began = run.gitlab.clock().elapsed();
    let mut outcome = ReleaseOutcome { end: ReleaseEnd::DryRun, failed: Vec::new(), took: Duration::ZERO };
    if run.options.dry_run {
        return Ok(outcome);
    }
    check_head(run.gitlab, &plan.merge_request).await?;
    let task = run.events.start(plan.release.name.clone(), "applying");
    // A request that is under way is not cut: a signal counts afterwards.
    let applied = apply_owned(run.kubectl, plan).await;
    let count = applied?;
    task.finish(TaskOutcome::Done, format!("{count} objects applied"));
    outcome.end = match run.stop.now() {
        Some(signal) => ReleaseEnd::Stopped(signal),
        None if run.options.no_wait => ReleaseEnd::NotWaited,
        None => follow(run, plan, began, &mut outcome).await,
    };
    outcome.took = run.gitlab.clock().elapsed().saturating_sub(began);
    Ok(outcome)
}

async fn apply_owned(kubectl: &Kubectl, plan: &ReleasePlan) -> Result<usize, KubectlError> {
    let release = &plan.release;
    let applied = kubectl.apply(std::slice::from_ref(&release.owner.json), false).await?;
    let uid = applied.first().and_then(|owner| owner["metadata"]["uid"].as_str());
    let uid = uid.ok_or_else(|| KubectlError::Output("the applied object has no `uid`".to_owned()))?;
    let owned = release.owned(uid);
    kubectl.apply(&owned, false).await?;
    Ok(owned.len() + 1)
}
