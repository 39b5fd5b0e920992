//! Facts about deployments and the merge requests of their commits, shortened and safe to show.

use super::{EnvironmentDeployment, JobRef, ShippedMergeRequest};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::systems::gitlab::{DeployJob, GitLab, GitLabDeployment, GitLabError, MergeRequest};

/// Maximum number of columns of a name.
const NAME: usize = 200;

impl From<&GitLabDeployment> for EnvironmentDeployment {
    fn from(one: &GitLabDeployment) -> Self {
        let ended = one.updated_at.as_ref().filter(|_| one.status.is_finished());
        let at = ended.or(one.created_at.as_ref());
        Self {
            id: one.id,
            sha: shown(&one.sha, 64),
            branch: one.branch.as_deref().map(|branch| shown(branch, NAME)),
            status: one.status.clone(),
            at: at.and_then(|at| at.parse().ok()),
            job: one.deployable.as_ref().map(JobRef::from),
            by: one.user.as_ref().map(|user| shown(&user.username, 100)),
            merge_request: None,
        }
    }
}

impl From<&DeployJob> for JobRef {
    fn from(job: &DeployJob) -> Self {
        Self {
            name: shown(&job.name, NAME),
            url: web_address(&job.web_url),
            pipeline: job.pipeline.as_ref().map(|pipeline| pipeline.id),
        }
    }
}

impl From<&MergeRequest> for ShippedMergeRequest {
    fn from(one: &MergeRequest) -> Self {
        Self {
            iid: one.iid,
            title: shown(&one.title, 300),
            url: web_address(&one.web_url),
            target_branch: shown(&one.target_branch, NAME),
            state: shown(&one.state, 20),
        }
    }
}

/// Returns the merge request that brought a commit: the one that was merged with it, else one that has it.
///
/// # Errors
/// Fails if the server does not answer; a commit without a merge request that may be seen has none.
pub async fn merge_request_of(
    gitlab: &GitLab,
    project: &str,
    sha: &str,
) -> Result<Option<MergeRequest>, GitLabError> {
    let found = match gitlab.merge_requests_of_commit(project, sha).await {
        Err(error) if error.is_hidden() => return Ok(None),
        found => found?,
    };
    let is_sha =
        |other: &Option<String>| other.as_deref().is_some_and(|other| other.eq_ignore_ascii_case(sha));
    let rank = |one: &MergeRequest| {
        let made_it = [&one.merge_commit_sha, &one.squash_commit_sha].into_iter().any(is_sha);
        (!made_it, one.state != "merged", !is_sha(&one.sha))
    };
    Ok(found.into_iter().min_by_key(rank))
}
