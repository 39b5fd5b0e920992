//! Reads the merge request of a staging.

use super::{MergeRequestFacts, StageError};
use crate::systems::gitlab::{GitLab, GitLabError, MergeRequest};

/// Reads a merge request that can be staged.
pub(super) async fn read_open(
    gitlab: &GitLab,
    project: &str,
    number: u64,
) -> Result<MergeRequestFacts, StageError> {
    let found = find_merge_request(gitlab, project, number).await?;
    MergeRequestFacts::of(gitlab.server(), project, &found)
}

/// Reads a merge request in any state.
pub(super) async fn read_any(
    gitlab: &GitLab,
    project: &str,
    number: u64,
) -> Result<MergeRequestFacts, StageError> {
    let found = find_merge_request(gitlab, project, number).await?;
    MergeRequestFacts::of_any(gitlab.server(), project, &found)
}

async fn find_merge_request(gitlab: &GitLab, project: &str, number: u64) -> Result<MergeRequest, StageError> {
    match gitlab.merge_request(project, number).await {
        // Servers other than GitLab also answer "not found", so this checks for GitLab.
        Err(error) if error.is_not_found() => match gitlab.version().await {
            Err(other @ GitLabError::NotGitLab { .. }) => Err(other.into()),
            _ => Err(error.into()),
        },
        found => Ok(found?),
    }
}
