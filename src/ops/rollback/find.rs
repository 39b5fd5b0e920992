//! Finds the merge request that reverts a commit, by the branch that `cki` or GitLab's own page makes for it.

use super::{FoundRevert, RollbackError};
use crate::ops::shared::outside_text::web_address;
use crate::systems::gitlab::{GitLab, GitLabError, MergeRequest};

/// Number of characters of a commit in the name of a branch: of `cki`, and of GitLab's page.
const OWN: usize = 12;
const OF_GITLAB: usize = 8;

/// Returns the branch that `cki` makes for the revert of a commit.
pub(super) fn branch_of(sha: &str) -> String {
    format!("cki-revert-{}", &sha[..sha.len().min(OWN)])
}

/// Returns the open merge request that reverts a commit.
pub(super) async fn open_revert(
    gitlab: &GitLab,
    project: &str,
    sha: &str,
) -> Result<Option<FoundRevert>, RollbackError> {
    let own = branch_of(sha);
    let of_gitlab = format!("revert-{}", &sha[..sha.len().min(OF_GITLAB)]);
    let (own, of_gitlab) = tokio::try_join!(
        gitlab.merge_requests_of_branch(project, &own),
        gitlab.merge_requests_of_branch(project, &of_gitlab)
    )?;
    let all: Vec<MergeRequest> = own.into_iter().chain(of_gitlab).collect();
    if let Some(open) = all.iter().find(|one| one.state == "opened") {
        return Ok(Some(found(gitlab, project, open)));
    }
    match all.iter().find(|one| one.state == "merged") {
        Some(merged) => Err(RollbackError::Reverted {
            reference: format!("{project}!{}", merged.iid),
            sha: sha.to_owned(),
        }),
        None => Ok(None),
    }
}

/// Returns the facts of a merge request that reverts a commit.
pub(super) fn found(gitlab: &GitLab, project: &str, one: &MergeRequest) -> FoundRevert {
    let url = web_address(&one.web_url)
        .unwrap_or_else(|| format!("{}/{project}/-/merge_requests/{}", gitlab.server(), one.iid));
    FoundRevert { iid: one.iid, url }
}

/// Returns whether a refusal says that something exists already.
pub(super) fn says_exists(error: &GitLabError) -> bool {
    matches!(error, GitLabError::Refused { status: 400 | 409, reason: Some(reason), .. } if reason.contains("already exists"))
}
