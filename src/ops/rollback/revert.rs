//! Opens the merge request that reverts a commit, step by step; a step that an earlier call has done is found, not
//! repeated.

use super::find::{found, open_revert, says_exists};
use super::revert_plan::record_step;
use super::rights::check_rights;
use super::{FoundRevert, RevertOutcome, RevertPlan, RevertWork, RollbackError};
use crate::model::event::Events;
use crate::model::rollback::RevertMarker;
use crate::systems::gitlab::{GitLab, GitLabError, Note, NoteOrder};

/// Opens the merge request, unless there is one, and records it on the reverted one.
///
/// # Errors
/// Fails when GitLab refuses a step. The same call resumes there. A record that cannot be written is no error:
/// GitLab links the two merge requests itself.
pub async fn revert(
    gitlab: &GitLab,
    plan: &RevertPlan,
    events: &Events,
) -> Result<RevertOutcome, RollbackError> {
    check_rights(gitlab).await?;
    let task = events.start("revert", format!("asking {} to revert", gitlab.server()));
    let opened = open(gitlab, plan).await;
    task.dismiss();
    let (merge_request, is_new) = opened?;
    let recorded = record(gitlab, plan, &merge_request).await;
    let (is_recorded, unrecorded) = match recorded {
        Ok(is_recorded) => (is_recorded, None),
        Err(error) => (false, Some(error.to_string())),
    };
    Ok(RevertOutcome { merge_request, is_new, is_recorded, unrecorded })
}

async fn open(gitlab: &GitLab, plan: &RevertPlan) -> Result<(FoundRevert, bool), RollbackError> {
    let steps = match &plan.work {
        RevertWork::Found(found) => return Ok((found.clone(), false)),
        RevertWork::Steps(steps) => steps,
    };
    let uncertain = |source: GitLabError| match source.is_ambiguous() {
        true => RollbackError::Uncertain { sha: plan.sha.clone(), source },
        false => RollbackError::GitLab(source),
    };
    let has_branch = match gitlab.send_step(&steps.branch).await {
        // An earlier call has stopped after it.
        Err(error) if says_exists(&error) => true,
        sent => sent.map(|()| false).map_err(uncertain)?,
    };
    match gitlab.send_step(&steps.revert).await {
        Err(GitLabError::Refused { status: 400, reason, .. }) => {
            // GitLab says the same of a conflict and of a commit that the branch has reverted already.
            if !has_branch || !has_own_commit(gitlab, plan).await? {
                let reason = reason.unwrap_or_else(|| "it gives no reason".to_owned());
                return Err(RollbackError::Conflict {
                    sha: plan.sha.clone(),
                    branch: plan.branch.clone(),
                    reason,
                });
            }
        }
        sent => sent.map_err(uncertain)?,
    }
    match gitlab.open_merge_request(&steps.open).await {
        Ok(made) => Ok((found(gitlab, &plan.project, &made), true)),
        Err(error) if says_exists(&error) || error.is_ambiguous() => {
            let there = open_revert(gitlab, &plan.project, &plan.sha).await?;
            there.map(|there| (there, true)).ok_or_else(|| uncertain(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns whether the branch of the revert has a commit that its target lacks.
async fn has_own_commit(gitlab: &GitLab, plan: &RevertPlan) -> Result<bool, GitLabError> {
    let head = gitlab.commit(&plan.project, &plan.branch).await?.id;
    Ok(!gitlab.is_ancestor(&plan.project, &head, &plan.target_branch).await?)
}

/// Records the revert on the reverted merge request, once. Returns whether there is such a merge request.
async fn record(gitlab: &GitLab, plan: &RevertPlan, revert: &FoundRevert) -> Result<bool, RollbackError> {
    let Some(reverted) = &plan.merge_request else { return Ok(false) };
    let marker = RevertMarker::new(&plan.sha);
    let is_found = |notes: &[Note]| notes.iter().any(|one| !one.system && marker.is_in(&one.body));
    if is_found(&gitlab.all_notes(&plan.project, reverted.iid, NoteOrder::NewestFirst, is_found).await?) {
        return Ok(true);
    }
    let name = format!("!{}", revert.iid);
    let step = record_step(&plan.project, reverted.iid, &plan.sha, &plan.record, &name)?;
    gitlab.send_record(&step).await?;
    Ok(true)
}
