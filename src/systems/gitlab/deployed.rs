//! Calls about what is deployed, and how it got there. Requests are in `request_deployments`; what the answers mean is up
//! to `ops`.

use super::error::GitLabError;
use super::types::{Commit, MergeRequest};
use super::types_ci::GitLabEnvironment;
use super::{GitLab, request_deployments};

impl GitLab {
    /// Returns the environments of a project, from at most `pages` pages of a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn environments(
        &self,
        project: &str,
        pages: usize,
    ) -> Result<Vec<GitLabEnvironment>, GitLabError> {
        self.list(request_deployments::environments(project), pages, |_| false).await
    }

    /// Returns the merge requests that brought a commit, at most twenty.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn merge_requests_of_commit(
        &self,
        project: &str,
        sha: &str,
    ) -> Result<Vec<MergeRequest>, GitLabError> {
        self.get(&request_deployments::merge_requests_of_commit(project, sha)).await
    }

    /// Returns whether a commit is another one, or an ancestor of it.
    ///
    /// # Errors
    /// Fails if the server refuses, knows one of the commits not, or does not answer.
    pub async fn is_ancestor(&self, project: &str, sha: &str, of: &str) -> Result<bool, GitLabError> {
        if sha.eq_ignore_ascii_case(of) {
            return Ok(true);
        }
        let base: Commit = self.get(&request_deployments::merge_base(project, sha, of)).await?;
        Ok(base.id.eq_ignore_ascii_case(sha))
    }
}
